"""Who listens to a pack on its CAN and reports it to the swap: on the truck and in a bay."""

from collections.abc import Mapping

from msgspec.structs import replace

from swapproto.frame import CanFrame, Instant
from swapproto.messages.pack_can import (
    Fault,
    FurtherRelays,
    PackCode1,
    PackCode2,
    PackCode3,
    PackCode4,
    PackMessage,
    PackState,
    PackVoltages,
    RelayState,
    RelayStatus,
    WorkStatus,
)
from swapproto.messages.pack_can.series import Heard
from swapproto.messages.pack_can.texts import CODE_FRAMES, CodeFrame, assemble_code
from swapproto.session.swap.messages import MAIN_RELAYS, RELAYS, PackReport, Place, Reading

_KINDS: dict[int, type[PackMessage]] = {
    kind.identifier(): kind
    for kind in (RelayStatus, FurtherRelays, WorkStatus, PackState, PackVoltages, *CODE_FRAMES)
}
_STATES: dict[type[PackMessage], tuple[str, ...]] = {
    kind: tuple(field.name for field in kind.layout.fields if field.code is RelayState)
    for kind in (RelayStatus, FurtherRelays)
}
_WELDS: dict[type[PackMessage], tuple[str, ...]] = {
    kind: tuple(field.name for field in kind.layout.fields if field.name.endswith("_welded"))
    for kind in (RelayStatus, FurtherRelays)
}


class PackListener:
    """Keeps a pack's last word of each kind. A code frame unlike the one held is another pack's."""

    def __init__(self, place: Place, *, lacks: frozenset[str] = frozenset()) -> None:
        """``lacks`` names the relays that the pack does not have: its CAN only says "not given"."""
        wrong = lacks - set(RELAYS) | lacks & MAIN_RELAYS
        if wrong:
            raise ValueError(
                f"no pack lacks {', '.join(sorted(wrong))}: lacks can name other relays of RELAYS"
            )
        self._place = place
        self._lacks = lacks
        self.forget()

    def forget(self) -> None:
        """The pack is gone, or without supply."""
        self._relays: dict[type[PackMessage], Heard[RelayStatus | FurtherRelays]] = {}
        self._work: WorkStatus | None = None
        self._state: PackState | None = None
        self._voltages: Heard[PackVoltages] | None = None
        self._code: dict[int, Heard[CodeFrame]] = {}
        self._news = False

    def receive(self, frame: CanFrame, now: Instant) -> None:
        kind = _KINDS.get(frame.id)
        message = None if kind is None else kind.read(frame.data).message
        if message is None:
            return
        if isinstance(message, PackCode1 | PackCode2 | PackCode3 | PackCode4):
            self._receive_code(message, now)
        self._news = True
        match message:
            case RelayStatus() | FurtherRelays():
                self._relays[type(message)] = Heard(message, now)
            case PackVoltages():
                self._voltages = Heard(message, now)
            case WorkStatus():
                self._work = message
            case PackState():
                self._state = message
            case _:
                pass

    def _receive_code(self, message: CodeFrame, now: Instant) -> None:
        number = 1 + CODE_FRAMES.index(type(message))
        held = self._code.get(number)
        if held is not None and replace(held.message, checksum=0) != replace(message, checksum=0):
            self.forget()
        self._code[number] = Heard(message, now)

    def report(self, now: Instant) -> PackReport | None:
        """The pack's state with the age of each word; None where it has said nothing since the last call."""
        if not self._news:
            return None
        self._news = False
        work, state, voltages = self._work, self._state, self._voltages
        return PackReport(
            place=self._place,
            code=assemble_code(self._code).text,
            relays=self._relay_states(now),
            lacks=self._lacks,
            welded=self._welded(now),
            bus_voltage=Reading()
            if voltages is None
            else Reading(voltages.message.bus_voltage, now - voltages.at),
            soc=None if state is None else state.soc,
            alarm=0 if work is None else int(work.highest_alarm),
            thermal_event=work is not None and Fault.FAULT in (work.smoke, work.fire),
        )

    def _relay_states(self, now: Instant) -> Reading[Mapping[str, RelayState]]:
        if RelayStatus not in self._relays:
            return Reading()
        states = {
            name: RelayState(state)
            for kind, heard in self._relays.items()
            for name in _STATES[kind]
            if (state := getattr(heard.message, name)) != RelayState.NOT_GIVEN or name not in self._lacks
        }
        return Reading(states, self._age(now))

    def _welded(self, now: Instant) -> Reading[bool]:
        """Not told while a relay that the pack has was not heard of."""
        if any(kind not in self._relays and not self._lacks.issuperset(_STATES[kind]) for kind in _STATES):
            return Reading()
        welded = any(
            getattr(heard.message, name) != Fault.OK
            for kind, heard in self._relays.items()
            for name in _WELDS[kind]
        )
        return Reading(welded, self._age(now))

    def _age(self, now: Instant) -> int:
        """Of the older of the two frames that tell of relays."""
        return now - min(heard.at for heard in self._relays.values())
