"""Whole sessions between our charger and our BMS of GB/T 27930-2015, shortened: frames, commands, events.

A party that a case makes silent is our role machine still; only the named messages never reach the bus.
"""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import replace

from swapproto.export.source import Declaration
from swapproto.export.vectors.bench import Bench, microseconds, ordered
from swapproto.export.vectors.values import Entry, hexadecimal
from swapproto.frame import MILLISECOND, SECOND, Instant
from swapproto.messages import gbt27930 as g
from swapproto.messages.gbt27930 import ChargingMessage, Party
from swapproto.models.battery import BatterySpec
from swapproto.models.charger import Charger, ChargerSpec
from swapproto.models.pack import Pack
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto.session.events import (
    EndpointEvent,
    ErrorReported,
    Paused,
    PeerViolation,
    Resumed,
    SessionEnded,
    StateChanged,
    TimedOut,
)
from swapproto.session.hooks import Hooks
from swapproto.transport.events import TpViolation, TransferAborted

_AFTERMATH = 500 * MILLISECOND
"""What is still recorded when the case is over."""
_LIMIT = 120 * SECOND
_CHARGED = 6 * SECOND
"""When cases that need current do what they are about."""
_BEFORE_RECOGNITION = 1400 * MILLISECOND
"""The insulation test lasts a second, and CRM(AA) answers the BRM after it."""
_SMALL = BatterySpec(cells=100, capacity=0.5, max_current=20.0, cutoff_current=1.0, ramp=100.0)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What differs from a charge that begins and is not disturbed."""

    name: str
    commands: tuple[tuple[Instant, Party, Command], ...] = ()
    silent: tuple[tuple[Party, type[ChargingMessage], Instant], ...] = ()
    """Who does not send which message, from when on."""
    forbidden: tuple[Instant, Instant] | None = None
    """While the pack's BSM withdraws its permission."""
    time_limit: float | None = None
    """Seconds of charging after which the charger stops."""
    readiness_delay: float = 1.0
    """Seconds that the charger needs from the first BCP to readiness."""
    insulation_time: float = 1.0
    soc: float = 0.3
    until_error: bool = False
    """Whether the case is over with the first error report instead of the end of the session."""


def exchanges(declared: Declaration) -> Iterator[Entry]:
    """None where a message of the 2015 edition is changed: that is what the role machines speak."""
    if set(g.MESSAGES) <= set(declared.messages):
        yield from (_run(case) for case in _cases())


def _cases() -> Iterator[Case]:
    yield Case(name="the pack is charged and stops", soc=0.985)
    yield Case(name="the charger stops after its time", time_limit=3.0)
    yield Case(name="the charger is stopped", commands=((_CHARGED, Party.CHARGER, Command.STOP),))
    yield Case(name="the pack is stopped", commands=((_CHARGED, Party.BMS, Command.STOP),))
    yield Case(
        name="the pack pauses the charge",
        forbidden=(_CHARGED, _CHARGED + 2 * SECOND),
        commands=((_CHARGED + 4 * SECOND, Party.CHARGER, Command.STOP),),
    )
    yield Case(name="the plug is pulled before the charge", commands=tuple(_pulled(1500 * MILLISECOND)))
    for early in (g.BRM, g.BCP, g.BRO):
        yield _silence(Party.BMS, early, 0)
    for late in (g.BCL, g.BCS):
        yield _silence(Party.BMS, late, _CHARGED)
    stop = (_CHARGED, Party.CHARGER, Command.STOP)
    yield _silence(Party.BMS, g.BSD, 0, (stop,))
    yield Case(
        name="neither BST nor BSD from the BMS",
        silent=((Party.BMS, g.BST, 0), (Party.BMS, g.BSD, 0)),
        commands=(stop,),
        until_error=True,
    )
    yield Case(name="no CRM(00) from the charger", insulation_time=40.0, until_error=True)
    yield Case(
        name="no CRM(AA) from the charger",
        silent=((Party.CHARGER, g.CRM, _BEFORE_RECOGNITION),),
        until_error=True,
    )
    yield _silence(Party.CHARGER, g.CML, 0)
    yield Case(name="no CRO(AA) from the charger", readiness_delay=70.0, until_error=True)
    yield _silence(Party.CHARGER, g.CCS, _CHARGED)
    for last in (g.CST, g.CSD):
        yield _silence(Party.CHARGER, last, 0, ((_CHARGED, Party.BMS, Command.STOP),))
    yield Case(name="no BRM until no reconnect is left", silent=((Party.BMS, g.BRM, 0),))


def _silence(
    who: Party,
    cls: type[ChargingMessage],
    since: Instant,
    commands: tuple[tuple[Instant, Party, Command], ...] = (),
) -> Case:
    return Case(
        name=f"no {cls.__name__} from the {who.label}",
        silent=((who, cls, since),),
        commands=commands,
        until_error=True,
    )


def _pulled(at: Instant) -> Iterator[tuple[Instant, Party, Command]]:
    for party in Party:
        yield at, party, Command.UNPLUG


def _hooks(case: Case, who: Party) -> Hooks:
    silent = {cls: since for party, cls, since in case.silent if party is who}

    def outgoing(message: ChargingMessage, now: Instant) -> ChargingMessage | None:
        since = silent.get(type(message))
        if since is not None and now >= since:
            return None
        if case.forbidden is not None and isinstance(message, g.BSM):
            begin, end = case.forbidden
            if begin <= now < end:
                return replace(message, permission=g.Permission.FORBIDDEN)
        return message

    return Hooks(outgoing=outgoing)


def _run(case: Case) -> Entry:
    bench = Bench()
    pack = Pack(_SMALL, soc=case.soc, lists_cells=False)
    charger = Charger(
        ChargerSpec(
            time_limit=case.time_limit,
            readiness_delay=case.readiness_delay,
            insulation_time=case.insulation_time,
        )
    )
    parties = {
        Party.CHARGER: Endpoint(ChargerSession(charger), Party.CHARGER, hooks=_hooks(case, Party.CHARGER)),
        Party.BMS: Endpoint(BmsSession(pack), Party.BMS, hooks=_hooks(case, Party.BMS)),
    }
    for party, endpoint in parties.items():
        bench.attach(endpoint, party.name)
    events: list[Entry] = []
    over: set[Party] = set()

    def told() -> bool:
        for party, endpoint in parties.items():
            while (event := endpoint.poll_event()) is not None:
                events.append({"at_us": microseconds(event.at), "party": party.name, **_told(event)})
                if isinstance(event, SessionEnded):
                    over.add(party)
                elif isinstance(event, ErrorReported) and case.until_error:
                    over.update(parties)
        return len(over) == len(parties)

    commands = [*((0, party, Command.START) for party in parties), *case.commands]
    for at, party, command in commands:
        if not bench.bus.run(told, limit=at):
            parties[party].command(command, at)
    if commands[-1][2] is not Command.UNPLUG:
        bench.bus.run(told, limit=_LIMIT)
    bench.bus.run_until(bench.bus.now + _AFTERMATH)
    told()
    return {
        "name": case.name,
        "commands": [
            {"at_us": microseconds(at), "party": party.name, "command": command.value}
            for at, party, command in commands
        ],
        "silent": [
            {"from_us": microseconds(since), "party": party.name, "message": cls.__name__}
            for party, cls, since in case.silent
        ],
        "frames": bench.frames,
        "events": ordered(events),
    }


_SIMPLE: Mapping[type, str] = {Paused: "paused", Resumed: "resumed"}


def _told(event: EndpointEvent) -> Entry:
    match event:
        case StateChanged():
            return {"event": "state", "state": event.after.value, "cause": event.cause.value}
        case TimedOut():
            return {"event": "timeout", "timer": event.timer}
        case ErrorReported():
            name, payload = type(event.message).__name__, hexadecimal(event.message.encode())
            return {"event": "error", "by": event.by.name, "message": name, "payload": payload}
        case SessionEnded():
            return {"event": "end", "complete": event.complete, "cause": event.reason.value}
        case PeerViolation():
            return {"event": "violation", "state": event.state.value, "cause": event.cause.value}
        case TpViolation() | TransferAborted():
            return {"event": "transport", "reason": str(event.reason)}
        case _:
            return {"event": _SIMPLE[type(event)]}
