"""The steps of the orchestrator: what each orders, when it is reached, how long it may take, as data."""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

from swapproto.session.swap import conditions as c
from swapproto.session.swap import messages as m
from swapproto.session.swap._engine import Rules, Step
from swapproto.session.swap.orchestrator_table import HOLDING, TABLE, Input, State


class Where(Enum):
    """The places of a swap, before it is known which bays it uses."""

    TRUCK = "truck"
    STORE = "store"
    PICK = "pick"
    FIRE = "fire"


S, W = State, Where
_Step: TypeAlias = Step[Where]


def _carry(place: m.Place) -> m.Order:
    return m.Travel(place, loaded=True)


def _travel(place: m.Place) -> m.Order:
    return m.Travel(place, loaded=False)


_OVER = (c.IN_PLACE, c.CLEAR)
_STANDS = (c.IN_PLACE, c.LANDED, c.UNLOADED)
_LET_GO = (c.TONGUES_UNLOCKED,)
_TAKEN = (c.LOADED, c.TIGHT)
_GONE = (c.FREE, c.BASE_LOCKED, *c.CONNECTED)
_HANGS = (c.CLEAR, c.TONGUES_LOCKED, c.LOADED)

STEPS: Mapping[State, _Step] = MappingProxyType(
    {
        S.VEHICLE: Step(W.TRUCK, "answer", (c.VEHICLE_HEARD,), fresh="informs"),
        S.PACK: Step(W.TRUCK, "answer"),
        S.LINK: Step(W.TRUCK, "answer", (c.LINK_UP,), fresh="informs"),
        S.PARKING: Step(
            W.TRUCK, "answer", (c.PARKED,), lambda _: m.MeasureParking(), retries="lidar_retries"
        ),
        S.CONTROLLER: Step(
            W.TRUCK, "answer", (c.ENGAGED, c.NO_FAULT, c.DRIVE_INHIBITED), lambda _: m.Engage()
        ),
        S.AUTHORISE_INCOMING: Step(W.TRUCK, "decision"),
        S.VEHICLE_STATE: Step(W.TRUCK, "person", c.PARKED_SAFELY),
        S.DE_ENERGISE: Step(W.TRUCK, "grip", c.DE_ENERGISED, lambda _: m.DeEnergise()),
        S.SEPARATE: Step(W.TRUCK, "grip", c.APART, lambda _: m.Disconnect()),
        S.APPROACH: Step(W.TRUCK, "drive", _OVER, _travel),
        S.LAND: Step(W.TRUCK, "drive", (c.IN_PLACE, c.LANDED), m.Land),
        S.TONGUES: Step(W.TRUCK, "grip", (c.TONGUES_LOCKED,), m.LockTongues),
        S.UNLOCK: Step(W.TRUCK, "grip", (c.BASE_UNLOCKED,), lambda _: m.Unlock()),
        S.LOAD: Step(W.TRUCK, "grip", _TAKEN, m.TakeLoad),
        S.HOIST: Step(W.TRUCK, "drive", _HANGS, m.Hoist),
        S.CARRY_AWAY: Step(W.STORE, "drive", _OVER, _carry),
        S.STORE: Step(W.STORE, "drive", (*_STANDS, c.BAY_HOLDS), m.SetDown),
        S.LET_GO_STORED: Step(W.STORE, "grip", _LET_GO, m.UnlockTongues),
        S.WITHDRAW_STORED: Step(W.STORE, "drive", (c.CLEAR,), m.Withdraw),
        S.SUPPLY: Step(W.STORE, "grip", (c.BAY_CONNECTED,), m.BayConnect),
        S.FETCH: Step(W.PICK, "drive", _OVER, _travel),
        S.BAY_SEPARATE: Step(W.PICK, "grip", (c.BAY_APART,), m.BayDisconnect),
        S.LAND_NEW: Step(W.PICK, "drive", (c.IN_PLACE, c.LANDED), m.Land),
        S.TONGUES_NEW: Step(W.PICK, "grip", (c.TONGUES_LOCKED,), m.LockTongues),
        S.LOAD_NEW: Step(W.PICK, "grip", _TAKEN, m.TakeLoad),
        S.PICK: Step(W.PICK, "drive", _HANGS, m.Hoist),
        S.AUTHORISE_OUTGOING: Step(W.PICK, "decision"),
        S.CARRY_BACK: Step(W.TRUCK, "drive", _OVER, _carry),
        S.PLACE: Step(W.TRUCK, "drive", _STANDS, m.SetDown),
        S.LOCK: Step(W.TRUCK, "grip", (c.BASE_LOCKED,), lambda _: m.Lock()),
        S.LET_GO: Step(W.TRUCK, "grip", _LET_GO, m.UnlockTongues),
        S.WITHDRAW: Step(W.TRUCK, "drive", (c.CLEAR,), m.Withdraw),
        S.CONNECT: Step(W.TRUCK, "pack_back", (*c.CONNECTED, c.PACK_SPEAKS), lambda _: m.Connect()),
        S.REPORT: Step(W.TRUCK, "decision"),
        S.RELEASE: Step(W.TRUCK, "answer", _GONE, lambda _: m.Release(), own=True),
        S.RETURN_SET_DOWN: Step(W.TRUCK, "drive", _STANDS, m.SetDown, settles=True),
        S.RETURN_LOCK: Step(W.TRUCK, "grip", (c.BASE_LOCKED,), lambda _: m.Lock(), settles=True),
        S.RETURN_LET_GO: Step(W.TRUCK, "grip", _LET_GO, m.UnlockTongues),
        S.RETURN_WITHDRAW: Step(W.TRUCK, "drive", (c.CLEAR,), m.Withdraw),
        S.RETURN_CONNECT: Step(W.TRUCK, "pack_back", (*c.CONNECTED, c.PACK_SPEAKS), lambda _: m.Connect()),
        S.DISMISS: Step(W.TRUCK, "answer", _GONE, lambda _: m.Release(), settles=True),
        S.FIRE_CARRY: Step(W.FIRE, "drive", _OVER, _carry, settles=True),
        S.FIRE_SET_DOWN: Step(W.FIRE, "drive", (*_STANDS, c.BAY_HOLDS), m.SetDown),
        S.FIRE_LET_GO: Step(W.FIRE, "grip", _LET_GO, m.UnlockTongues),
        S.FIRE_WITHDRAW: Step(W.FIRE, "drive", (c.CLEAR,), m.Withdraw),
    }
)

RULES: Rules[State, Input, Where] = Rules(
    start=S.IDLE,
    table=TABLE,
    steps=STEPS,
    passed=Input.PASSED,
    denied=Input.DENIED,
    late=Input.LATE,
    exhausted=Input.EXHAUSTED,
    holding=HOLDING,
)
