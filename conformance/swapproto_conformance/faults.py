"""What a public hook can make of a device: the building blocks of the faulty ones."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import msgspec

from swapproto.frame import MILLISECOND, CanFrame, Instant
from swapproto.j1939 import identifier
from swapproto.link import Node
from swapproto.messages.gbt27930 import (
    BSM,
    CCS,
    CEM,
    CST,
    ChargingMessage,
    Condition,
    Level,
    Party,
    Permission,
    Reached,
    Timeout,
)
from swapproto.session.hooks import Hooks
from swapproto_conformance.devices import BuiltIn, charger, pack

PREFIX = "mutant:"
replace = msgspec.structs.replace

Hook: TypeAlias = Callable[[ChargingMessage, Instant], ChargingMessage | None]


def drop(kind: type[ChargingMessage]) -> Hook:
    """Loses all messages of a kind."""
    return lambda message, _: None if isinstance(message, kind) else message


def instead(kind: type[ChargingMessage], other: ChargingMessage) -> Hook:
    """Puts one message in the place of all of a kind."""
    return lambda message, _: other if isinstance(message, kind) else message


def after_the_first(kind: type[ChargingMessage], other: ChargingMessage) -> Hook:
    """The first message of a kind passes, another takes the place of those that follow."""
    seen: list[ChargingMessage] = []

    def hook(message: ChargingMessage, _: Instant) -> ChargingMessage:
        if not isinstance(message, kind):
            return message
        seen.append(message)
        return message if len(seen) == 1 else other

    return hook


def frames(can_id: int, change: Callable[[CanFrame], Sequence[CanFrame]]) -> Hooks:
    """Hooks that put other frames in place of those with one identifier."""
    return Hooks(
        frames=lambda frame, _: [(each, 0) for each in (change(frame) if frame.id == can_id else (frame,))]
    )


def payload(kind: type[ChargingMessage], change: Callable[[bytes], bytes]) -> Hooks:
    """Hooks that change the bytes of a kind of message, whole also where they travel in packets."""
    return Hooks(payloads=lambda message, data: change(data) if isinstance(message, kind) else data)


def zero_reserved(kind: type[ChargingMessage]) -> Hooks:
    """Hooks that send bits without a meaning as zeros."""
    claimed = kind.layout.claimed
    return frames(
        kind.identifier(),
        lambda frame: [replace(frame, data=bytes(a & b for a, b in zip(frame.data, claimed, strict=False)))],
    )


def byte(kind: type[ChargingMessage], place: int, value: int) -> Hooks:
    """Hooks that write one byte, counted from one, whatever the message says."""

    def change(frame: CanFrame) -> list[CanFrame]:
        data = bytearray(frame.data)
        data[place - 1] = value
        return [replace(frame, data=bytes(data))]

    return frames(kind.identifier(), change)


def priority(kind: type[ChargingMessage], level: int) -> Hooks:
    """Hooks that send a kind with another priority."""
    return frames(kind.identifier(), lambda frame: [replace(frame, id=frame.id & 0x03FF_FFFF | level << 26)])


def beside(kind: type[ChargingMessage], extra: ChargingMessage) -> Hooks:
    """Hooks that send something of no place with every message of a kind."""
    return frames(kind.identifier(), lambda frame: [frame, extra.frame()])


def always_allowed(message: ChargingMessage, _: Instant) -> ChargingMessage:
    """Reads every BSM as one that permits."""
    return replace(message, permission=Permission.ALLOWED) if isinstance(message, BSM) else message


def once_forbidden() -> Hook:
    """No CCS gives permission any more after one that withdrew it."""
    paused: list[CCS] = []

    def hook(message: ChargingMessage, _: Instant) -> ChargingMessage:
        if isinstance(message, CCS) and (paused or message.permission == Permission.FORBIDDEN):
            paused.append(message)
            return replace(message, permission=Permission.FORBIDDEN)
        return message

    return hook


def never_faulty(message: ChargingMessage, _: Instant) -> ChargingMessage:
    """Reads every BSM as one without fault."""
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


def manual_as_fault(message: ChargingMessage, _: Instant) -> ChargingMessage:
    """Names a fault in CST where somebody pressed the button."""
    if isinstance(message, CST) and message.manual == Reached.YES:
        return CST(fault=Reached.YES)
    return message


def confused_cem(message: ChargingMessage, _: Instant) -> ChargingMessage:
    """Names BCP where BRM is missing."""
    if isinstance(message, CEM) and message.brm == Timeout.TIMEOUT:
        return CEM(bcp=Timeout.TIMEOUT)
    return message


def second_packets_lost() -> Hooks:
    """Hooks of a pack that leave out the second packet of every transfer."""
    data = identifier(0xEB00, 7, Party.CHARGER.value, Party.BMS.value)
    return frames(data, lambda frame: [] if frame.data[0] == 2 else [frame])


def deaf_in_pauses(message: ChargingMessage, _: Instant) -> ChargingMessage | None:
    """Takes CCS without permission for silence."""
    if isinstance(message, CCS) and message.permission == Permission.FORBIDDEN:
        return None
    return message


def mutant(name: str, party: Party, wrong: str, build: Callable[[], Node]) -> BuiltIn:
    """A faulty device, with what is wrong with it in words."""
    return BuiltIn(name=PREFIX + name, party=party, description=wrong, build=build)


def slow(party: Party, kind: type[ChargingMessage], period_ms: int, name: str = "slow") -> BuiltIn:
    """A device that sends one kind of message with another period."""
    build = charger if party is Party.CHARGER else pack
    often = f"sends {kind.__name__} every {period_ms} ms"
    return mutant(
        f"{kind.__name__.lower()}-{name}",
        party,
        often,
        partial(build, periods={kind: period_ms * MILLISECOND}),
    )
