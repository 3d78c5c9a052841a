"""Faulty devices, made from the reference devices through their public hooks: each must be caught."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.j1939 import identifier
from swapproto.link import Node
from swapproto.messages.gbt27930 import (
    BCL,
    BCS,
    BEM,
    BHM,
    BRO,
    BSM,
    BST,
    CCS,
    CEM,
    CML,
    CRO,
    CSD,
    CST,
    ChargeMode,
    ChargingMessage,
    Condition,
    Level,
    Party,
    Permission,
    Ready,
    Timeout,
)
from swapproto.session.hooks import Hooks
from swapproto.session.timing import NOMINAL
from swapproto_conformance.devices import BuiltIn, charger, pack

PREFIX = "mutant:"
replace = msgspec.structs.replace


def _drop(kind: type[ChargingMessage]) -> Callable[[ChargingMessage, Instant], ChargingMessage | None]:
    return lambda message, _: None if isinstance(message, kind) else message


def _frames(can_id: int, change: Callable[[CanFrame], Sequence[CanFrame]]) -> Hooks:
    """Hooks that put other frames in place of those with one identifier."""
    return Hooks(
        frames=lambda frame, _: [(each, 0) for each in (change(frame) if frame.id == can_id else (frame,))]
    )


def _zero_reserved(kind: type[ChargingMessage]) -> Hooks:
    claimed = kind.layout.claimed
    return _frames(
        kind.identifier(),
        lambda frame: [replace(frame, data=bytes(a & b for a, b in zip(frame.data, claimed, strict=False)))],
    )


def _beside(kind: type[ChargingMessage], extra: ChargingMessage) -> Hooks:
    """Hooks that send something of no place with every message of a kind."""
    return _frames(kind.identifier(), lambda frame: [frame, extra.frame()])


def _always_allowed(message: ChargingMessage, _: Instant) -> ChargingMessage:
    return replace(message, permission=Permission.ALLOWED) if isinstance(message, BSM) else message


def _never_faulty(message: ChargingMessage, _: Instant) -> ChargingMessage:
    if not isinstance(message, BSM):
        return message
    return replace(
        message,
        cell_voltage=Level.NORMAL,
        soc=Level.NORMAL,
        over_current=Condition.NORMAL,
        over_temperature=Condition.NORMAL,
        insulation=Condition.NORMAL,
        output_connector=Condition.NORMAL,
    )


def _confused_cem(message: ChargingMessage, _: Instant) -> ChargingMessage:
    if isinstance(message, CEM) and message.brm == Timeout.TIMEOUT:
        return CEM(bcp=Timeout.TIMEOUT)
    return message


def _second_packets_lost() -> Hooks:
    data = identifier(0xEB00, 7, Party.CHARGER.value, Party.BMS.value)
    return _frames(data, lambda frame: [] if frame.data[0] == 2 else [frame])


def _mutant(name: str, party: Party, wrong: str, build: Callable[[], Node]) -> BuiltIn:
    return BuiltIn(name=PREFIX + name, party=party, description=wrong, build=build)


_CHARGER, _PACK = Party.CHARGER, Party.BMS
_EARLY_BCL = BCL(voltage=600.0, current=-10.0, mode=ChargeMode.CONSTANT_CURRENT)

MUTANTS: tuple[BuiltIn, ...] = (
    _mutant(
        "ccs-slow", _CHARGER, "sends CCS every 100 ms", partial(charger, periods={CCS: 100 * MILLISECOND})
    ),
    _mutant(
        "ccs-reserved-zero",
        _CHARGER,
        "sends the reserved bits of CCS as zeros",
        partial(charger, hooks=_zero_reserved(CCS)),
    ),
    _mutant(
        "cml-fast", _CHARGER, "sends CML every 100 ms", partial(charger, periods={CML: 100 * MILLISECOND})
    ),
    _mutant(
        "cro-early",
        _CHARGER,
        "sends CRO(AA) with CML, whatever BRO says",
        partial(charger, hooks=_beside(CML, CRO(ready=Ready.READY))),
    ),
    _mutant(
        "pause-ignored",
        _CHARGER,
        "charges on when BSM withdraws permission",
        partial(charger, hooks=Hooks(incoming=_always_allowed)),
    ),
    _mutant(
        "bsm-fault-ignored",
        _CHARGER,
        "charges on when BSM reports a fault",
        partial(charger, hooks=Hooks(incoming=_never_faulty)),
    ),
    _mutant("bst-ignored", _CHARGER, "does not hear BST", partial(charger, hooks=Hooks(incoming=_drop(BST)))),
    _mutant(
        "bcl-timer-long",
        _CHARGER,
        "waits 5 s for BCL instead of 1 s",
        partial(charger, timing=replace(NOMINAL, bcl=5 * SECOND)),
    ),
    _mutant(
        "cem-wrong-field",
        _CHARGER,
        "reports a missing BRM as BCP",
        partial(charger, hooks=Hooks(outgoing=_confused_cem)),
    ),
    _mutant("cem-silent", _CHARGER, "never sends CEM", partial(charger, hooks=Hooks(outgoing=_drop(CEM)))),
    _mutant("csd-missing", _CHARGER, "never sends CSD", partial(charger, hooks=Hooks(outgoing=_drop(CSD)))),
    _mutant(
        "cst-slow", _CHARGER, "repeats CST every 50 ms", partial(charger, periods={CST: 50 * MILLISECOND})
    ),
    _mutant("bcl-slow", _PACK, "sends BCL every 100 ms", partial(pack, periods={BCL: 100 * MILLISECOND})),
    _mutant(
        "bcl-early",
        _PACK,
        "demands current while it waits for CRO(AA)",
        partial(pack, hooks=_beside(BRO, _EARLY_BCL)),
    ),
    _mutant(
        "bsm-short",
        _PACK,
        "sends BSM without its last byte",
        partial(pack, hooks=_frames(BSM.identifier(), lambda frame: [replace(frame, data=frame.data[:6])])),
    ),
    _mutant(
        "bhm-wrong-address",
        _PACK,
        "sends BHM from address F5",
        partial(pack, hooks=_frames(BHM.identifier(), lambda frame: [replace(frame, id=frame.id + 1)])),
    ),
    _mutant(
        "ccs-timer-short",
        _PACK,
        "gives CCS 0.2 s instead of 1 s",
        partial(pack, timing=replace(NOMINAL, ccs=200 * MILLISECOND)),
    ),
    _mutant("bem-silent", _PACK, "never sends BEM", partial(pack, hooks=Hooks(outgoing=_drop(BEM)))),
    _mutant("cst-ignored", _PACK, "does not hear CST", partial(pack, hooks=Hooks(incoming=_drop(CST)))),
    _mutant(
        "transfers-broken",
        _PACK,
        "leaves out the second packet of every transfer",
        partial(pack, hooks=_second_packets_lost()),
    ),
    _mutant("bcs-rare", _PACK, "sends BCS once a second", partial(pack, periods={BCS: SECOND})),
)
