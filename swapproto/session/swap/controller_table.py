"""What the truck's swap controller does in which state, as data."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from swapproto.provenance import Basis, Source
from swapproto.session.swap import conditions as c
from swapproto.session.swap import messages as m
from swapproto.session.swap._engine import Rules, Step
from swapproto.session.table import Row, leads, moves, stays, table


class State(StrEnum):
    """Where the truck stands in a swap; a state whose name ends in -ing carries out an order."""

    STARTING = "starting"
    FREE = "free to drive"
    ENGAGING = "engaging"
    ENGAGED = "engaged"
    DE_ENERGISING = "de-energising"
    DE_ENERGISED = "de-energised"
    SEPARATING = "separating"
    SEPARATED = "separated"
    UNLOCKING = "unlocking"
    OPEN = "base open"
    LOCKING = "locking"
    CONNECTING = "connecting"
    RELEASING = "releasing"
    STOPPED = "stopped"


class Input(StrEnum):
    """What can happen to a swap controller: orders of the station, results, alarms."""

    ENGAGE = "engage"
    DE_ENERGISE = "de-energise"
    DISCONNECT = "disconnect"
    UNLOCK = "unlock"
    LOCK = "lock"
    CONNECT = "connect"
    RELEASE = "release"
    HALT = "halt"

    PASSED = "passed"
    LATE = "not reached in time"
    EMERGENCY = "emergency stop"
    THERMAL = "thermal alarm"


S, I = State, Input  # noqa: E741

SEQUENCE = Source("truck's part in a top-hoist swap", Basis.ASSUMED, 0, "no public text has its states")
ALARMS = Source("alarms during a swap", Basis.ASSUMED, 0, "no public text says what follows")

_ACTS: Mapping[Input, State] = MappingProxyType(
    {
        I.ENGAGE: S.ENGAGING, I.DE_ENERGISE: S.DE_ENERGISING, I.DISCONNECT: S.SEPARATING,
        I.UNLOCK: S.UNLOCKING, I.LOCK: S.LOCKING, I.CONNECT: S.CONNECTING, I.RELEASE: S.RELEASING,
    }
)  # fmt: skip
ACTING = tuple(_ACTS.values())
RESTING = (S.ENGAGED, S.DE_ENERGISED, S.SEPARATED, S.OPEN)

TABLE: Mapping[tuple[State, Input], Row[State]] = table(
    # Orders
    moves(SEQUENCE, {(S.FREE, I.ENGAGE): S.ENGAGING}, note="the way of a swap"),
    moves(
        SEQUENCE,
        {(here, order): there for here in (*RESTING, S.STOPPED) for order, there in _ACTS.items()},
        note="what has been reached is for the interlocks to see: the station may have begun anew",
    ),
    moves(SEQUENCE, {(there, order): there for order, there in _ACTS.items()}, note="told again"),
    stays(SEQUENCE, (S.FREE,), (I.RELEASE,), note="told again"),
    leads(SEQUENCE, ACTING, I.HALT, S.STOPPED, note="the station breaks off"),
    stays(SEQUENCE, [s for s in State if s not in ACTING], (I.HALT,), note="nothing moves"),
    # Results
    moves(
        SEQUENCE,
        {
            (S.STARTING, I.PASSED): S.FREE,
            (S.ENGAGING, I.PASSED): S.ENGAGED,
            (S.DE_ENERGISING, I.PASSED): S.DE_ENERGISED,
            (S.SEPARATING, I.PASSED): S.SEPARATED,
            (S.UNLOCKING, I.PASSED): S.OPEN,
            (S.LOCKING, I.PASSED): S.SEPARATED,
            (S.CONNECTING, I.PASSED): S.ENGAGED,
            (S.RELEASING, I.PASSED): S.FREE,
        },
        note="the way of a swap",
    ),
    moves(SEQUENCE, {(S.STARTING, I.LATE): S.STOPPED}, note="a restart in the middle of a swap"),
    stays(SEQUENCE, ACTING, (I.LATE,), note="tried again; the station counts the attempts"),
    # Alarms
    leads(ALARMS, ACTING, I.EMERGENCY, S.STOPPED, note="nothing goes on by itself"),
    stays(ALARMS, [s for s in State if s not in ACTING], (I.EMERGENCY,), note="nothing moves"),
    stays(ALARMS, State, (I.THERMAL,), note="reported; the station's operator decides"),
)

STEPS: Mapping[State, Step[m.Place]] = MappingProxyType(
    {
        S.STARTING: Step(m.TRUCK, "answer", (c.BASE_LOCKED, *c.CONNECTED, c.DRIVE_PERMITTED)),
        S.ENGAGING: Step(m.TRUCK, "answer", (c.DRIVE_INHIBITED,), lambda _: m.Engage()),
        S.DE_ENERGISING: Step(m.TRUCK, "grip", c.DE_ENERGISED, lambda _: m.DeEnergise()),
        S.SEPARATING: Step(m.TRUCK, "grip", c.APART, lambda _: m.Disconnect()),
        S.UNLOCKING: Step(m.TRUCK, "grip", (c.BASE_UNLOCKED,), lambda _: m.Unlock()),
        S.LOCKING: Step(m.TRUCK, "grip", (c.BASE_LOCKED,), lambda _: m.Lock()),
        S.CONNECTING: Step(m.TRUCK, "grip", c.CONNECTED, lambda _: m.Connect()),
        S.RELEASING: Step(
            m.TRUCK,
            "answer",
            (c.BASE_LOCKED, *c.CONNECTED, c.DRIVE_PERMITTED),
            lambda _: m.Release(),
            settles=True,
        ),
    }
)

STATUS: Mapping[State, m.ControllerStatus] = MappingProxyType(
    {
        S.STARTING: m.ControllerStatus.STARTING,
        S.FREE: m.ControllerStatus.FREE,
        S.STOPPED: m.ControllerStatus.STOPPED,
        **dict.fromkeys(RESTING, m.ControllerStatus.ENGAGED),
        **dict.fromkeys(ACTING, m.ControllerStatus.BUSY),
    }
)

RULES: Rules[State, Input, m.Place] = Rules(
    start=S.STARTING,
    table=TABLE,
    steps=STEPS,
    passed=I.PASSED,
    denied=None,
    late=I.LATE,
    exhausted=None,
    holding=frozenset(),
)
