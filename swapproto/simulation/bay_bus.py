"""The bus of a bay: first the pack tells its state there, then charger and BMS charge it.

The pack's own frames stop when the charge begins, which keeps the recording of an hour small; so does a
charged pack whose supply is switched off (both assumed).
"""

from collections.abc import Callable
from typing import TypeAlias

from swapproto.frame import SECOND, CanFrame, Instant
from swapproto.messages.gbt27930 import BST, ChargingMessage, Party, Reached
from swapproto.models.bay import Bay
from swapproto.models.charger import BAY_CHARGER, Charger, ChargerSpec
from swapproto.models.pack_listener import PackListener
from swapproto.models.pack_node import LACKED
from swapproto.models.swap_pack import SwapPack
from swapproto.runtime.virtual import Port, VirtualBus
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto.session.events import SessionEnded, StateChanged
from swapproto.session.hooks import Hooks
from swapproto.session.swap.messages import PackReport
from swapproto.simulation.pack_socket import PackSocket

Say: TypeAlias = Callable[[Instant, str], None]
"""Takes note of something that happened."""
PRESENTATION = 10 * SECOND
"""How long a stored pack tells its state before its charge begins: all its cells come in 8 s; assumed."""

_REACHED = {
    "soc_target": "the state of charge that was wanted is reached",
    "voltage_target": "it is at its highest voltage and takes hardly any current",
    "cell_voltage_target": "its fullest cell is at its highest voltage and takes hardly any current",
    "charger_stopped": "the charger stopped",
}
"""What a pack says with BST, in words."""


class _Ear:
    """The bay's controller on the bus: it only listens."""

    def __init__(self, listener: PackListener) -> None:
        self._listener = listener

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self._listener.receive(frame, now)

    def handle_timeout(self, now: Instant) -> None: ...

    def next_timeout(self) -> Instant | None:
        return None

    def poll_transmit(self) -> CanFrame | None:
        return None


class _Charge:
    """Both ends of a charge while they are on the bus."""

    def __init__(self, pack: SwapPack, spec: ChargerSpec, bus: VirtualBus, now: Instant) -> None:
        self.charger, self.bms = ChargerSession(Charger(spec)), BmsSession(pack.plant)
        self.complete = False
        """Whether statistics were exchanged at the end."""
        self.stop: BST | None = None
        """Why the pack ends it."""
        self._bus = bus
        self._plugged = [self._plug(session, now) for session in (self.charger, self.bms)]

    def _plug(self, session: ChargerSession | BmsSession, now: Instant) -> tuple[Endpoint, Port]:
        end = Endpoint(session, session.party, hooks=Hooks(incoming=self._note))
        end.command(Command.START, now)
        return end, self._bus.attach(end, session.party.label)

    def _note(self, message: ChargingMessage, _: Instant) -> ChargingMessage:
        if isinstance(message, BST):
            self.stop = message
        return message

    @property
    def why(self) -> str:
        """Why it ended, in the words of the pack."""
        if self.stop is None:
            return "the pack does not say why"
        reached = [text for name, text in _REACHED.items() if getattr(self.stop, name) == Reached.YES]
        faults = [f"fault: {name.replace('_', ' ')}" for name in self.stop.faults]
        return "; ".join(reached + faults) or "the pack names no reason"

    @property
    def over(self) -> bool:
        return self.charger.ended and self.bms.ended

    def tell(self, say: Say) -> None:
        """Pass on what the charger's session has been through."""
        for end, _ in self._plugged:
            while (event := end.poll_event()) is not None:
                if end.party is Party.BMS:
                    continue
                if isinstance(event, StateChanged):
                    say(event.at, f"charge: {event.before} -> {event.after} ({event.cause})")
                elif isinstance(event, SessionEnded):
                    self.complete = event.complete

    def unplug(self, now: Instant) -> None:
        for end, port in self._plugged:
            end.command(Command.UNPLUG, now)
            self._bus.detach(port)


class BayBus:
    """One bay that is in use; ``work`` is called in every cycle of the station."""

    def __init__(
        self,
        bay: Bay,
        bus: VirtualBus,
        say: Say,
        *,
        charges: bool,
        why_not: str = "",
        charger: ChargerSpec = BAY_CHARGER,
    ) -> None:
        """Without ``charges`` the pack is only kept awake; ``why_not`` is told of one that is stored."""
        self.bay = bay
        self.complete: bool | None = None
        """How the charge ended, None while it has not."""
        self.told = ""
        """How the charge ended and why, or why there is none; empty while that is open."""
        self._why_not = why_not
        self._bus = bus
        self._say = say
        self._charges = charges
        self._charger = charger
        self._listener = PackListener(bay.place, lacks=LACKED)
        self._socket = PackSocket(bus, in_station=True)
        self._since: Instant | None = None
        """When the pack got its supply."""
        self._charge: _Charge | None = None
        bus.attach(_Ear(self._listener), "bay")

    @property
    def charging(self) -> bool:
        return self._charge is not None

    @property
    def to_charge(self) -> bool:
        """Whether a charge goes on or is about to begin."""
        return self._charges and self.bay.pack is not None

    def work(self, now: Instant) -> None:
        """Follow the plug, begin the charge when the pack has told its state, and clear up behind it."""
        supplied = self.bay.supplied(now)
        if not supplied:
            self._since = None
            self._listener.forget()
        elif self._since is None:
            self._since = now
            if self._why_not and not self._charges:
                self.told = f"no charge: {self._why_not}"
                self._say(now, self.told)
        if self._charge is not None:
            self._follow(self._charge, now)
        elif supplied and self._since is not None and self._charges and now >= self._since + PRESENTATION:
            self._begin(now)
        self._socket.update(self.bay.pack if supplied and self._charge is None else None, now)

    def report(self, now: Instant) -> PackReport | None:
        """What the pack in the bay has said since the last call."""
        return self._listener.report(now)

    def _begin(self, now: Instant) -> None:
        if self.bay.pack is not None:
            self._socket.update(None, now)
            self._say(now, f"charge of {self.bay.pack} begins")
            self._charge = _Charge(self.bay.pack, self._charger, self._bus, now)

    def _follow(self, charge: _Charge, now: Instant) -> None:
        charge.tell(self._say)
        if charge.over:
            charge.unplug(now)
            self.complete, self._charges = charge.complete, False
            self.bay.awake = False
            self._charge = None
            how = "complete" if charge.complete else "not complete"
            self.told = f"charge {how}: {charge.why}"
            self._say(now, f"{self.bay.pack}, {self.told}")
