"""One channel of a swap: what truck, lock, connectors and pack say there, turned into steps and oddities."""

from collections.abc import Callable, Iterator
from enum import Enum

import msgspec

from swapproto.frame import MICROSECOND
from swapproto.messages.pack_can import (
    AlarmLevel,
    Connection,
    Fault,
    FurtherRelays,
    LockState,
    PackCode1,
    PackCode2,
    PackCode3,
    PackCode4,
    PackVoltages,
    RelayState,
    RelayStatus,
    SwapController,
    VehicleIdentity,
)
from swapproto.messages.pack_can.series import Heard
from swapproto.messages.pack_can.texts import (
    CODE_FRAMES,
    VIN_FRAMES,
    CodeFrame,
    assemble_code,
    assemble_vin,
)
from swapproto.observe.pack import SILENCE, SILENT_US, PackHeard, Stay
from swapproto.provenance import Basis, Source

SAFE_VOLTAGE = 60.0
"""Volts; with more on its bus a pack is not de-energised, whatever its contactors report [assumed]."""
ENERGY = Source(
    f"{RelayStatus.source.at}: contactors, weld bits, bus voltage",
    Basis.DERIVED,
    2,
    f"that {SAFE_VOLTAGE:g} V is the limit is assumed",
)


class StepKind(Enum):
    """What can be told of a swap from the public frames."""

    TRUCK = "truck on the network"
    PACK_HEARD = "pack heard"
    PACK_IDENTIFIED = "pack identified"
    ANOTHER_PACK = "another pack"
    DE_ENERGISED = "pack de-energised"
    ENERGISED = "pack energised"
    APART = "connectors apart"
    CONNECTED = "connectors connected"
    UNLOCKED = "base unlocked"
    LOCKED = "base locked"
    PACK_SILENT = "pack silent"
    CHARGE_BEGINS = "charge begins"
    CHARGE_ENDS = "charge ends"


class OddityKind(Enum):
    """What a station would not let happen, or would stop for. An observation, no verdict."""

    UNLOCKED_LIVE = "base unlocked, pack not de-energised"
    APART_LIVE = "connectors apart, pack not de-energised"
    UNLOCKED_CONNECTED = "base unlocked, connectors connected"
    SILENT_CONNECTED = "pack silent, connectors connected"
    UNSEEN_UNLOCK = "another pack, base never unlocked"
    WELDED = "contactor welded"
    SWAP_FAULT = "swap controller reports a fault"


class Step(msgspec.Struct, frozen=True):
    """One step of the swap, at the first frame that shows it."""

    kind: StepKind
    at_us: int
    line: int
    channel: str
    text: str
    source: Source


class Oddity(msgspec.Struct):
    """One thing that is odd, with how often it began and when."""

    kind: OddityKind
    channel: str
    text: str
    source: Source
    count: int
    first_us: int
    first_line: int
    last_us: int
    last_line: int


class Energy(Enum):
    """Whether high voltage can be on the pack's connectors."""

    ENERGISED = "energised"
    UNCLEAR = "neither energised nor de-energised"
    DE_ENERGISED = "de-energised"


class Connectors(Enum):
    """The three of the swap controller's frame taken together."""

    APART = "apart"
    PARTLY = "partly connected"
    CONNECTED = "connected"


class Scene:
    """Follows one channel; steps and oddities go to the two callables."""

    def __init__(self, channel: str, step: Callable[[Step], object], odd: Callable[[Oddity], object]) -> None:
        self.channel = channel
        self._give_step, self._give_odd = step, odd
        self._vin_frames: dict[int, Heard[VehicleIdentity]] = {}
        self._code_frames: dict[int, Heard[CodeFrame]] = {}
        self.vin: str | None = None
        self.code: str | None = None
        """Of the pack that is there."""
        self._last_code: str | None = None
        self._unlocked = False
        """Whether the base was unlocked since the last pack was identified."""
        self.lock: LockState | None = None
        self.connectors: Connectors | None = None
        self.energy: Energy | None = None
        self._controller_us: int | None = None
        self._relays: RelayStatus | None = None
        self._further: FurtherRelays | None = None
        self._volts: PackVoltages | None = None
        self._active: set[OddityKind] = set()
        self._compared: tuple[LockState | None, Connectors | None, Energy | None] = (None, None, None)
        self._welded: set[str] = set()
        self._fault: tuple[int, int] = (0, 0)

    def begins(self, heard: PackHeard) -> None:
        """A pack is heard that was not, or not for a while."""
        self._step(StepKind.PACK_HEARD, heard, "a pack sends its frames", heard.cls.source)

    def receive(self, heard: PackHeard) -> None:
        """Take a message; one that could not be read says nothing."""
        match heard.message:
            case SwapController() as controller:
                self._controller_us = heard.at_us
                self._take_lock(controller, heard)
                self._take_connectors(controller, heard)
                self._take_fault(controller, heard)
            case RelayStatus() as relays if relays != self._relays:
                self._relays = relays
                self._take_energy(heard)
            case FurtherRelays() as further if further != self._further:
                self._further = further
                self._take_energy(heard)
            case PackVoltages() as volts if volts != self._volts:
                self._volts = volts
                self._take_energy(heard)
            case VehicleIdentity() as identity:
                self._take_vin(identity, heard)
                return
            case PackCode1() | PackCode2() | PackCode3() | PackCode4() as part:
                self._take_code(part, heard)
                return
            case _:
                return
        now = (self.lock, self.connectors, self.energy)
        if now != self._compared:
            self._compared = now
            self._compare(heard)

    def fell_silent(self, stay: Stay) -> None:
        """The pack that was there is not heard any more; what it said does not hold any longer."""
        told = [f"pack {self.code}" if self.code is not None else "the pack"]
        told += [f"base {_word(self.lock)}"] if self.lock is not None else []
        told += [f"connectors {self.connectors.value}"] if self.connectors is not None else []
        step = Step(StepKind.PACK_SILENT, stay.end_us, stay.end_line, self.channel, ", ".join(told), SILENCE)
        self._give_step(step)
        live = self._controller_us is not None and self._controller_us > stay.end_us + SILENT_US // 2
        if live and self.connectors is Connectors.CONNECTED:
            self._odd(OddityKind.SILENT_CONNECTED, stay.end_us, stay.end_line, told[0], SILENCE)
        self._last_code = self.code or self._last_code
        self.code = self.energy = self._relays = self._further = self._volts = None
        self._code_frames.clear()
        self._welded.clear()
        self._active -= {OddityKind.UNLOCKED_LIVE, OddityKind.APART_LIVE}

    def _take_lock(self, controller: SwapController, heard: PackHeard) -> None:
        lock = controller.lock if controller.lock.known else None
        if lock is None or lock is self.lock:
            self.lock = lock
            return
        first, self.lock = self.lock is None, lock
        if lock is not LockState.NEITHER:
            kind = StepKind.UNLOCKED if lock is LockState.UNLOCKED else StepKind.LOCKED
            self._step(kind, heard, _first(f"lock reported {_word(lock)}", first), heard.cls.source)
        self._unlocked = self._unlocked or lock is LockState.UNLOCKED

    def _take_connectors(self, controller: SwapController, heard: PackHeard) -> None:
        each = (controller.swap_connector, controller.discharge_connector, controller.charge_connector)
        if not all(state.known for state in each):
            self.connectors = None
            return
        connected = sum(state is Connection.CONNECTED for state in each)
        state = (
            Connectors.APART if not connected
            else Connectors.CONNECTED if connected == len(each) else Connectors.PARTLY
        )  # fmt: skip
        if state is self.connectors:
            return
        first, self.connectors = self.connectors is None, state
        if state is not Connectors.PARTLY:
            kind = StepKind.APART if state is Connectors.APART else StepKind.CONNECTED
            text = f"swap, discharge and charge connector {state.value}"
            self._step(kind, heard, _first(text, first), heard.cls.source)

    def _take_fault(self, controller: SwapController, heard: PackHeard) -> None:
        fault = (int(controller.fault_level), controller.fault_code)
        if fault not in (self._fault, (0, 0)):
            level = "no level" if controller.fault_level is AlarmLevel.NONE else f"level {fault[0]}"
            text = f"{level}, code {fault[1]}: {fault_words(fault[1])}"
            self._odd(OddityKind.SWAP_FAULT, heard.at_us, heard.line, text, heard.cls.source)
        self._fault = fault

    def _take_energy(self, heard: PackHeard) -> None:
        welded = set(self._welds())
        for name in sorted(welded - self._welded):
            self._odd(OddityKind.WELDED, heard.at_us, heard.line, name.replace("_", " "), heard.cls.source)
        self._welded = welded
        if self._relays is None or self._volts is None:
            return
        energy = self._weigh(self._relays, self._volts)
        if energy is self.energy:
            return
        first, self.energy = self.energy is None, energy
        if energy is not Energy.UNCLEAR:
            kind = StepKind.ENERGISED if energy is Energy.ENERGISED else StepKind.DE_ENERGISED
            self._step(kind, heard, _first(self._contactors(), first), ENERGY)

    def _weigh(self, relays: RelayStatus, volts: PackVoltages) -> Energy:
        poles = (relays.positive, relays.negative)
        safe = volts.bus_voltage < SAFE_VOLTAGE
        if all(pole is RelayState.CLOSED for pole in poles) and not safe:
            return Energy.ENERGISED
        opened = all(pole is RelayState.OPEN for pole in poles)
        if opened and safe and not self._welded and not any(self._closed()):
            return Energy.DE_ENERGISED
        return Energy.UNCLEAR

    def _closed(self) -> Iterator[str]:
        for status in (self._relays, self._further):
            if status is not None:
                yield from (
                    field.name
                    for field in status.layout.fields
                    if field.code is RelayState and getattr(status, field.name) is RelayState.CLOSED
                )

    def _welds(self) -> Iterator[str]:
        for status in (self._relays, self._further):
            if status is not None:
                yield from (
                    name.removesuffix("_welded")
                    for name in status.layout.names
                    if name.endswith("_welded") and getattr(status, name) is Fault.FAULT
                )

    def _contactors(self) -> str:
        """Contactors, welds and bus voltage in words."""
        closed, bus = (
            [*self._closed()],
            "" if self._volts is None else f"{self._volts.bus_voltage} V on the bus",
        )
        shown = [name.replace("_", " ") for name in closed]
        told = [f"{', '.join(shown)} closed" if shown else "contactors open", bus]
        told += [f"{', '.join(sorted(self._welded))} welded"] if self._welded else []
        return ", ".join(each for each in told if each)

    def _take_vin(self, identity: VehicleIdentity, heard: PackHeard) -> None:
        held = self._vin_frames.get(identity.frame_number)
        if identity.frame_number > VIN_FRAMES or (held is not None and held.message == identity):
            return
        if held is not None:  # another truck
            self._vin_frames.clear()
        self._vin_frames[identity.frame_number] = Heard(identity, heard.at_us * MICROSECOND)
        vin = assemble_vin(self._vin_frames).text
        if vin is not None and vin != self.vin:
            self.vin = vin
            self._step(StepKind.TRUCK, heard, f"VIN {vin}", heard.cls.source)

    def _take_code(self, part: CodeFrame, heard: PackHeard) -> None:
        number = next(number for number, kind in enumerate(CODE_FRAMES, 1) if isinstance(part, kind))
        held = self._code_frames.get(number)
        if held is not None and held.message == part and self.code is not None:
            return
        if held is not None and held.message.characters != part.characters:  # another pack
            self._code_frames.clear()
        self._code_frames[number] = Heard(part, heard.at_us * MICROSECOND)
        code = assemble_code(self._code_frames).text
        if code is None or code == self.code:
            return
        before, self.code = self.code or self._last_code, code
        if before is None or before == code:
            text = f"code {code}" if before is None else f"code {code}, the same as before"
            self._step(StepKind.PACK_IDENTIFIED, heard, text, heard.cls.source)
        else:
            self._step(StepKind.ANOTHER_PACK, heard, f"code {code}, before {before}", heard.cls.source)
            if self.lock is not None and not self._unlocked:
                text = f"code {code}, before {before}"
                self._odd(OddityKind.UNSEEN_UNLOCK, heard.at_us, heard.line, text, heard.cls.source)
        self._last_code = code
        self._unlocked = self.lock is LockState.UNLOCKED

    def _compare(self, heard: PackHeard) -> None:
        """What goes on at the same time and should not."""
        live = self.energy in (Energy.ENERGISED, Energy.UNCLEAR)
        unlocked = self.lock is LockState.UNLOCKED
        now = {
            OddityKind.UNLOCKED_LIVE: unlocked and live,
            OddityKind.APART_LIVE: self.connectors is Connectors.APART and live,
            OddityKind.UNLOCKED_CONNECTED: unlocked and self.connectors is Connectors.CONNECTED,
        }
        for kind, holds in now.items():
            if holds and kind not in self._active:
                connected = kind is OddityKind.UNLOCKED_CONNECTED
                text = "swap, discharge and charge connector" if connected else self._contactors()
                self._odd(kind, heard.at_us, heard.line, text, heard.cls.source if connected else ENERGY)
        self._active = {kind for kind, holds in now.items() if holds}

    def _step(self, kind: StepKind, heard: PackHeard, text: str, source: Source) -> None:
        self._give_step(Step(kind, heard.at_us, heard.line, self.channel, text, source))

    def _odd(self, kind: OddityKind, at_us: int, line: int, text: str, source: Source) -> None:
        self._give_odd(Oddity(kind, self.channel, text, source, 1, at_us, line, at_us, line))


def fault_words(code: int) -> str:
    """The swap controller's fault codes in words, as far as they are public."""
    if 1 <= code <= 24:
        level, probe = divmod(code - 1, 8)
        return f"connector over-temperature, level {level + 1}, probe {probe + 1}"
    if 25 <= code <= 32:
        return f"connector probe {code - 24} open"
    return "no fault" if code == 0 else "not public"


def _first(text: str, first: bool) -> str:
    return f"{text} when first heard" if first else text


def _word(lock: LockState | None) -> str:
    return (
        "unknown"
        if lock is None
        else "neither locked nor unlocked"
        if lock is LockState.NEITHER
        else lock.label
    )
