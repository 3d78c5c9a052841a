"""What the station's orchestrator does in which state, as data.

Every state but the start and the ends is a step of the swap; ``orchestrator_steps`` says what each orders and
when it is reached. Where a row stays in its step and its input is one of ``HOLDING``, the step is held.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise

from swapproto.provenance import Basis, Source
from swapproto.session.swap.command import Command
from swapproto.session.table import Row, leads, moves, stays, table


class State(StrEnum):
    """Where a swap stands."""

    IDLE = "idle"

    VEHICLE = "vehicle on the network"
    PACK = "pack available"
    LINK = "link to the swap controller"
    PARKING = "parking position"
    CONTROLLER = "swap controller ready"
    AUTHORISE_INCOMING = "authorise the incoming pack"
    VEHICLE_STATE = "key off, neutral, handbrake"
    DE_ENERGISE = "pack de-energised"
    SEPARATE = "plugs and coolant separated"

    APPROACH = "spreader over the truck"
    LAND = "spreader landed"
    TONGUES = "tongues locked"
    UNLOCK = "base unlocked"
    LOAD = "load taken, no slack"
    HOIST = "hoisted off the truck"
    CARRY_AWAY = "carried to its bay"
    STORE = "stored"
    LET_GO_STORED = "tongues unlocked in the bay"
    WITHDRAW_STORED = "spreader clear of the bay"
    SUPPLY = "stored pack connected"

    FETCH = "spreader over the new pack"
    BAY_SEPARATE = "new pack disconnected"
    LAND_NEW = "spreader landed on the new pack"
    TONGUES_NEW = "tongues locked on the new pack"
    LOAD_NEW = "load of the new pack taken, no slack"
    PICK = "new pack picked"
    AUTHORISE_OUTGOING = "authorise the outgoing pack"
    CARRY_BACK = "carried to the truck"
    PLACE = "placed"
    LOCK = "base locked"
    LET_GO = "tongues unlocked"
    WITHDRAW = "spreader clear of the truck"
    CONNECT = "plugs and coolant connected"
    REPORT = "reported"
    RELEASE = "truck released"
    COMPLETE = "complete"

    RETURN_SET_DOWN = "own pack set down again"
    RETURN_LOCK = "base locked again"
    RETURN_LET_GO = "tongues unlocked again"
    RETURN_WITHDRAW = "spreader clear again"
    RETURN_CONNECT = "own pack connected again"
    DISMISS = "truck released with its own pack"
    ABORTED = "aborted"

    FIRE_CARRY = "carried to the fire place"
    FIRE_SET_DOWN = "set down in the fire place"
    FIRE_LET_GO = "tongues unlocked in the fire place"
    FIRE_WITHDRAW = "spreader clear of the fire place"
    QUARANTINED = "quarantined"


class Input(StrEnum):
    """What can happen to a swap: commands, results of steps, alarms."""

    START = Command.START.value
    RESUME = Command.RESUME.value
    GIVE_UP = Command.GIVE_UP.value
    QUARANTINE = Command.QUARANTINE.value
    RESET = Command.RESET.value

    PASSED = "passed"
    DENIED = "denied"
    LATE = "not reached in time"
    EXHAUSTED = "no retry left"
    EMERGENCY = "emergency stop"
    THERMAL = "thermal alarm"
    LINK_LOST = "truck silent"
    OTHER_VEHICLE = "another vehicle"


S, I = State, Input  # noqa: E741

ORDER = Source("one station's order of checks", Basis.OBSERVED, 1)
RETRIES = Source("one station's PLC link, retries", Basis.OBSERVED, 1)
STALE = Source("one station's PLC link, stale truck data", Basis.OBSERVED, 1)
SEQUENCE = Source(
    "order of a top-hoist swap", Basis.ASSUMED, 0, "no public text orders the movements of spreader and base"
)
ALARMS = Source("alarms during a swap", Basis.ASSUMED, 0, "no public text says what follows")
COMMANDED = Source("operator", Basis.DERIVED, 0, "a command, not a report")

HOLDING = frozenset((I.DENIED, I.EXHAUSTED, I.EMERGENCY, I.THERMAL, I.LINK_LOST, I.OTHER_VEHICLE))
"""Inputs that hold the step in which they leave the swap."""
WHILE_HELD = frozenset((I.RESUME, I.QUARANTINE))
"""Commands that only a held step knows."""
ENDS = (S.COMPLETE, S.ABORTED, S.QUARANTINED)

_BEFORE_LINK = (S.VEHICLE, S.PACK, S.LINK, S.PARKING)
_CHECKS = (S.CONTROLLER, S.AUTHORISE_INCOMING, S.VEHICLE_STATE, S.DE_ENERGISE)
_ON_BASE = (S.SEPARATE, S.APPROACH, S.LAND, S.TONGUES, S.UNLOCK)
_AWAY = (
    S.LOAD, S.HOIST, S.CARRY_AWAY, S.STORE, S.LET_GO_STORED, S.WITHDRAW_STORED, S.SUPPLY, S.FETCH,
    S.BAY_SEPARATE, S.LAND_NEW, S.TONGUES_NEW, S.LOAD_NEW, S.PICK, S.AUTHORISE_OUTGOING, S.CARRY_BACK,
)  # fmt: skip
_ENDING = (S.PLACE, S.LOCK, S.LET_GO, S.WITHDRAW, S.CONNECT, S.REPORT, S.RELEASE)
_RETURN = (S.RETURN_SET_DOWN, S.RETURN_LOCK, S.RETURN_LET_GO, S.RETURN_WITHDRAW, S.RETURN_CONNECT, S.DISMISS)
_FIRE = (S.FIRE_CARRY, S.FIRE_SET_DOWN, S.FIRE_LET_GO, S.FIRE_WITHDRAW)
STEPS = (*_BEFORE_LINK, *_CHECKS, *_ON_BASE, *_AWAY, *_ENDING, *_RETURN, *_FIRE)
_COMMITTED = (*_ON_BASE, *_AWAY, *_ENDING, *_RETURN, *_FIRE)
"""Something has been moved, or the truck is being released: an alarm holds."""
_HANGING_CLEAR = (S.CARRY_AWAY, S.AUTHORISE_OUTGOING, S.CARRY_BACK)
WITH_TRUCK = (S.PARKING, *_CHECKS, *_ON_BASE, S.LOAD, S.HOIST, *_ENDING, *_RETURN)
"""Steps in which the truck must not fall silent. A pack hangs or lies in a bay in the others."""


def _chain(*states: State) -> Mapping[tuple[State, Input], State]:
    return {(here, I.PASSED): there for here, there in pairwise(states)}


TABLE: Mapping[tuple[State, Input], Row[State]] = table(
    moves(COMMANDED, {(S.IDLE, I.START): S.VEHICLE, **{(end, I.RESET): S.IDLE for end in ENDS}}),
    # The way of a swap
    moves(ORDER, _chain(*_BEFORE_LINK, *_CHECKS)),
    moves(SEQUENCE, _chain(_CHECKS[-1], *_ON_BASE, *_AWAY, *_ENDING, S.COMPLETE), note="the way of a swap"),
    moves(SEQUENCE, _chain(*_RETURN, S.ABORTED), note="the way back with the truck's own pack"),
    moves(SEQUENCE, _chain(*_FIRE, S.QUARANTINED), note="the way of a burning pack"),
    # Nothing has come of it
    stays(RETRIES, STEPS, (I.LATE,)),
    stays(RETRIES, STEPS, (I.EXHAUSTED,), note="held: paused for a manual decision"),
    moves(ORDER, {(S.AUTHORISE_INCOMING, I.DENIED): S.DISMISS}),
    stays(
        SEQUENCE,
        (S.AUTHORISE_OUTGOING, S.REPORT),
        (I.DENIED,),
        note="held: a pack hangs, or stands unreported",
    ),
    stays(STALE, WITH_TRUCK, (I.LINK_LOST,), note="held"),
    stays(SEQUENCE, STEPS[1:], (I.OTHER_VEHICLE,), note="held: what was checked was another truck"),
    # Alarms
    leads(ALARMS, _BEFORE_LINK, I.EMERGENCY, S.ABORTED, note="the truck was never engaged"),
    leads(
        ALARMS, _CHECKS, I.EMERGENCY, S.DISMISS, note="nothing has moved; release under its own conditions"
    ),
    stays(ALARMS, _COMMITTED, (I.EMERGENCY,), note="held where it is: a load that hangs goes on hanging"),
    stays(ALARMS, STEPS, (I.THERMAL,), note="held: only an operator can know where the pack is safest"),
    stays(ALARMS, (S.IDLE, *ENDS), (I.EMERGENCY, I.THERMAL), note="no swap that it could stop"),
    # The operator
    stays(COMMANDED, STEPS, (I.RESUME,)),
    leads(COMMANDED, _BEFORE_LINK, I.GIVE_UP, S.ABORTED),
    leads(COMMANDED, _CHECKS, I.GIVE_UP, S.DISMISS),
    leads(COMMANDED, _ON_BASE, I.GIVE_UP, S.RETURN_LOCK),
    moves(COMMANDED, {(S.LOAD, I.GIVE_UP): S.RETURN_SET_DOWN}),
    leads(COMMANDED, _HANGING_CLEAR, I.QUARANTINE, S.FIRE_CARRY),
)
