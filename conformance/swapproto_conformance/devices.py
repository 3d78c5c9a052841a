"""Devices that the suite brings along: the reference charger and pack, and how any of them is named."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

import msgspec

from swapproto.errors import LocalProtocolError
from swapproto.frame import MILLISECOND, Instant
from swapproto.link import Node
from swapproto.messages.gbt27930 import MESSAGES, ChargingMessage, Party
from swapproto.models.charger import Charger, ChargerSpec
from swapproto.models.pack import Pack
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto.session.hooks import Hooks
from swapproto.session.timing import NOMINAL, Timing
from swapproto.transport.tp import Transport
from swapproto_conformance.script import Action

REFERENCE = "reference"
CLOCK = ChargerSpec(clock=datetime(2026, 1, 1))  # noqa: DTZ001  (local time, as CTS carries it)
"""The assumed charger with a clock, so that it sends CTS."""


class BuiltIn(msgspec.Struct, frozen=True, kw_only=True):
    """A device that runs inside the bench; ``build`` gives a fresh one, plugged in, for each case."""

    name: str
    party: Party
    description: str
    build: Callable[[], Node]


def press(node: Node, action: Action, now: Instant) -> None:
    """Somebody's hand at one of these devices; nothing happens where the button has no effect."""
    if isinstance(node, Endpoint):
        with suppress(LocalProtocolError):
            node.command(Command(action), now)


def _endpoint(session: ChargerSession | BmsSession, hooks: Hooks, window: int, packet_gap: int) -> Endpoint:
    transport = Transport(session.party.value, window=window, packet_gap=packet_gap)
    endpoint = Endpoint(session, session.party, transport=transport, hooks=hooks)
    endpoint.command(Command.START, 0)
    return endpoint


def charger(
    *,
    spec: ChargerSpec = CLOCK,
    timing: Timing = NOMINAL,
    periods: Mapping[type[ChargingMessage], int] | None = None,
    hooks: Hooks = Hooks(),  # noqa: B008  (frozen)
    window: int = 255,
) -> Endpoint:
    """A charger at the moment when the plug is in; window in packets a CTS."""
    session = ChargerSession(Charger(spec), timing=timing, periods=periods)
    return _endpoint(session, hooks, window, 0)


def pack(
    *,
    soc: float = 0.85,
    lists_cells: bool = True,
    readiness_delay: float = 1.0,
    timing: Timing = NOMINAL,
    periods: Mapping[type[ChargingMessage], int] | None = None,
    hooks: Hooks = Hooks(),  # noqa: B008  (frozen)
    window: int = 255,
) -> Endpoint:
    """A pack at the moment when the plug is in; window in packets, as its RTS offers it."""
    plant = Pack(soc=soc, lists_cells=lists_cells, readiness_delay=readiness_delay)
    session = BmsSession(plant, timing=timing, periods=periods)
    return _endpoint(session, hooks, window, timing.packet_gap)


def _periods(party: Party, per_cent: int) -> dict[type[ChargingMessage], int]:
    """All periods of a party by so many per cent of the nominal ones, whole milliseconds."""
    return {
        kind: period * per_cent // 100
        for kind in MESSAGES
        if kind.sender is party and (period := kind.period()) is not None
    }


def _timing(per_cent: int, **others: int) -> Timing:
    """All waits by so many per cent of the nominal ones."""
    waits = {
        name: value * per_cent // 100
        for name, value in msgspec.structs.asdict(NOMINAL).items()
        if name != "packet_gap"
    }
    return msgspec.structs.replace(NOMINAL, **(waits | others))


REFERENCE_CHARGER = BuiltIn(
    name=REFERENCE,
    party=Party.CHARGER,
    description="reference charger, GB/T 27930-2015, behind it a model of the power stage",
    build=charger,
)
REFERENCE_PACK = BuiltIn(
    name=REFERENCE,
    party=Party.BMS,
    description="reference pack, GB/T 27930-2015, behind it a model of the battery",
    build=pack,
)
SLOW = msgspec.structs.replace(CLOCK, readiness_delay=20.0)
"""Longer than the 5 s that a charger at CRO(00) goes on after the last BRO(AA)."""
EARLY, LATE = 96, 104
"""Per cent of periods and waits, within every tolerance that the suite knows."""
REFERENCES = (
    REFERENCE_CHARGER,
    BuiltIn(
        name="reference-early",
        party=Party.CHARGER,
        description="reference charger, a little early everywhere, no CTS, takes 1 packet at a time",
        build=lambda: charger(
            spec=ChargerSpec(insulation_time=0.1, readiness_delay=0.0),
            timing=_timing(EARLY),
            periods=_periods(Party.CHARGER, EARLY),
            window=1,
        ),
    ),
    BuiltIn(
        name="reference-late",
        party=Party.CHARGER,
        description="reference charger, a little late everywhere, takes 3 packets at a time",
        build=lambda: charger(
            spec=msgspec.structs.replace(CLOCK, insulation_time=15.0, readiness_delay=4.0, region="CN"),
            timing=_timing(LATE),
            periods=_periods(Party.CHARGER, LATE),
            window=3,
        ),
    ),
    BuiltIn(
        name="reference-slow",
        party=Party.CHARGER,
        description="reference charger that is ready 20 s after BCP only",
        build=lambda: charger(spec=SLOW),
    ),
    REFERENCE_PACK,
    BuiltIn(
        name="reference-early",
        party=Party.BMS,
        description="reference pack, a little early everywhere, no BMV and BMT, offers 1 packet at a time",
        build=lambda: pack(
            lists_cells=False,
            readiness_delay=0.0,
            timing=_timing(EARLY, packet_gap=0),
            periods=_periods(Party.BMS, EARLY),
            window=1,
        ),
    ),
    BuiltIn(
        name="reference-late",
        party=Party.BMS,
        description="reference pack, a little late everywhere, 20 ms between packets, at most 3 a CTS",
        build=lambda: pack(
            readiness_delay=4.0,
            timing=_timing(LATE, packet_gap=20 * MILLISECOND),
            periods=_periods(Party.BMS, LATE),
            window=3,
        ),
    ),
    BuiltIn(
        name="reference-often",
        party=Party.BMS,
        description="reference pack with 16 packets a CTS and a state of charge of 30 %",
        build=lambda: pack(soc=0.3, window=16),
    ),
)
"""The reference devices and lawful variations of them: all of them pass all cases."""
