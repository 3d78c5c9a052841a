"""The frames of one pack, put together into what is known of it at a moment."""

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from swapproto.frame import Instant
from swapproto.messages.pack_can import energy
from swapproto.messages.pack_can.cells import (
    CellVoltages,
    CellVoltagesFurther,
    PackElectrical,
    Temperatures,
)
from swapproto.messages.pack_can.codes import AlarmLevel, Fault, PackAlarm, RelayState, SocketAlarm
from swapproto.messages.pack_can.command import VehicleIdentity
from swapproto.messages.pack_can.identity import Counts, PackCode1, PackCode2, PackCode3, PackCode4, Ratings
from swapproto.messages.pack_can.measured import (
    CellMaximum,
    CellMinimum,
    ConnectorTemperatures,
    CoolantTemperatures,
    PackState,
    PackVoltages,
    TemperatureExtremes,
)
from swapproto.messages.pack_can.parties import PackMessage
from swapproto.messages.pack_can.relays import FurtherRelays, RelayStatus
from swapproto.messages.pack_can.series import FrameStore, Heard, Series
from swapproto.messages.pack_can.status import InsulationStatus, PackRequest, WorkStatus
from swapproto.messages.pack_can.storage import StorageFaults
from swapproto.messages.pack_can.texts import (
    CODE_FRAMES,
    VIN_FRAMES,
    Assembled,
    CodeFrame,
    assemble_code,
    assemble_vin,
)
from swapproto.wire.message import Message

M = TypeVar("M", bound=PackMessage)

ENERGY: tuple[type[PackMessage], ...] = (
    energy.Energy1, energy.Energy2, energy.Energy3, energy.Energy4, energy.Energy5,
    energy.Energy6, energy.Energy7, energy.Energy8, energy.Energy9, energy.Energy10,
)  # fmt: skip
SINGLE: tuple[type[PackMessage], ...] = (
    PackState, PackVoltages, TemperatureExtremes, CellMaximum, CellMinimum, RelayStatus, FurtherRelays,
    WorkStatus, PackRequest, InsulationStatus, ConnectorTemperatures, StorageFaults, Ratings, Counts, *ENERGY,
)  # fmt: skip
"""Messages whose last one tells all; a snapshot names those that were not heard in this order."""
_LEVELS = frozenset({AlarmLevel, SocketAlarm, PackAlarm})


class Alarm(msgspec.Struct, frozen=True, gc=False):
    """A fault or alarm that is set."""

    message: str
    name: str
    level: int | None
    """1 is the mildest; None for a fault that has no levels."""
    at: Instant


class PackSnapshot(msgspec.Struct, frozen=True):
    """What a pack has told up to now, each part with the instant of its last frame."""

    code: Assembled
    vin: Assembled
    cells: Series
    temperatures: Series
    state: Heard[PackState] | None
    voltages: Heard[PackVoltages] | None
    extremes: Heard[TemperatureExtremes] | None
    cell_maximum: Heard[CellMaximum] | None
    cell_minimum: Heard[CellMinimum] | None
    relays: Heard[RelayStatus] | None
    further_relays: Heard[FurtherRelays] | None
    work: Heard[WorkStatus] | None
    request: Heard[PackRequest] | None
    insulation: Heard[InsulationStatus] | None
    connectors: Heard[ConnectorTemperatures] | None
    storage: Heard[StorageFaults] | None
    ratings: Heard[Ratings] | None
    counts: Heard[Counts] | None
    energy: tuple[Heard[PackMessage], ...]
    """The counters that were heard, Energy1 first."""
    coolant: tuple[Heard[CoolantTemperatures], ...]
    """By frame number."""
    packs: tuple[Heard[PackElectrical], ...]
    """By pack number; older packs send none."""
    alarms: tuple[Alarm, ...]
    """Faults and alarms that are set; welded and stuck-open contactors are among them."""
    missing: tuple[str, ...]
    """In words, what was not heard."""

    @property
    def closed(self) -> tuple[str, ...] | None:
        """Contactors that the pack reports closed, in words; None where it has reported none at all."""
        reports = [heard.message for heard in (self.relays, self.further_relays) if heard is not None]
        if not reports:
            return None
        return tuple(
            name.replace("_", " ")
            for report in reports
            for name in report.layout.names
            if getattr(report, name) is RelayState.CLOSED
        )

    @property
    def welded(self) -> tuple[str, ...]:
        """Contactors that the pack reports as welded."""
        return self._contactors("_welded")

    @property
    def stuck_open(self) -> tuple[str, ...]:
        """Contactors that the pack reports as not closing."""
        return self._contactors("_stuck_open")

    def _contactors(self, ending: str) -> tuple[str, ...]:
        names = (alarm.name for alarm in self.alarms)
        return tuple(name.removesuffix(ending) for name in names if name.endswith(ending))


class PackAssembly:
    """Takes the messages of one pack's bus in and gives snapshots out; messages of other families are let by.

    A code frame that differs from the one held comes from another pack: all that was heard of the pack is
    forgotten, so that no two packs mix. As equal makers begin their codes alike, up to a whole round of
    code frames (1 s) can pass before that frame; whoever knows of an exchange earlier calls ``reset``.
    """

    def __init__(self) -> None:
        self._last: dict[type[PackMessage], Heard[Any]] = {}
        self._code: dict[int, Heard[CodeFrame]] = {}
        self._vin: dict[int, Heard[VehicleIdentity]] = {}
        self._cells = FrameStore[CellVoltages | CellVoltagesFurther](("voltage_1", "voltage_2", "voltage_3"))
        self._temperatures = FrameStore[Temperatures](tuple(f"temperature_{n}" for n in range(1, 7)))
        self._coolant: dict[int, Heard[CoolantTemperatures]] = {}
        self._packs: dict[int, Heard[PackElectrical]] = {}

    def reset(self) -> None:
        """Forget the pack and the vehicle."""
        self._forget_pack()
        self._vin.clear()

    def receive(self, message: Message, at: Instant) -> None:
        """Take a message in; whatever it holds, it is kept or let by."""
        match message:
            case PackCode1() | PackCode2() | PackCode3() | PackCode4():
                self._receive_code(message, at)
            case VehicleIdentity():
                self._receive_vin(message, at)
            case CellVoltages() | CellVoltagesFurther():
                self._cells.put(int(isinstance(message, CellVoltagesFurther)), message, at)
            case Temperatures():
                self._temperatures.put(0, message, at)
            case CoolantTemperatures():
                self._coolant[message.frame_number] = Heard(message, at)
            case PackElectrical():
                self._packs[message.pack_number] = Heard(message, at)
            case PackMessage() if (kind := _single(type(message))) is not None:
                self._last[kind] = Heard(message, at)
            case _:
                pass

    def snapshot(self) -> PackSnapshot:
        """What is known now; the instants say how old each part is."""
        counts, code, vin = self._heard(Counts), assemble_code(self._code), assemble_vin(self._vin)
        cells = self._cells.series(None if counts is None else counts.message.cell_count)
        temperatures = self._temperatures.series(None if counts is None else counts.message.probe_count)
        missing = [
            *code.missing("pack code"),
            *vin.missing("VIN"),
            *cells.missing("cells"),
            *temperatures.missing("temperatures"),
            *(f"{kind.title}: not heard" for kind in SINGLE if kind not in self._last),
        ]
        return PackSnapshot(
            code=code,
            vin=vin,
            cells=cells,
            temperatures=temperatures,
            state=self._heard(PackState),
            voltages=self._heard(PackVoltages),
            extremes=self._heard(TemperatureExtremes),
            cell_maximum=self._heard(CellMaximum),
            cell_minimum=self._heard(CellMinimum),
            relays=self._heard(RelayStatus),
            further_relays=self._heard(FurtherRelays),
            work=self._heard(WorkStatus),
            request=self._heard(PackRequest),
            insulation=self._heard(InsulationStatus),
            connectors=self._heard(ConnectorTemperatures),
            storage=self._heard(StorageFaults),
            ratings=self._heard(Ratings),
            counts=counts,
            energy=tuple(self._last[kind] for kind in ENERGY if kind in self._last),
            coolant=tuple(self._coolant[number] for number in sorted(self._coolant)),
            packs=tuple(self._packs[number] for number in sorted(self._packs)),
            alarms=tuple(alarm for kind in SINGLE for alarm in _alarms(self._last.get(kind))),
            missing=tuple(missing),
        )

    def _heard(self, kind: type[M]) -> Heard[M] | None:
        return self._last.get(kind)

    def _receive_code(self, message: CodeFrame, at: Instant) -> None:
        number = next(n for n, kind in enumerate(CODE_FRAMES, 1) if isinstance(message, kind))
        held = self._code.get(number)
        if held is not None and replace(held.message, checksum=0) != replace(message, checksum=0):
            self._forget_pack()
        self._code[number] = Heard(message, at)

    def _receive_vin(self, message: VehicleIdentity, at: Instant) -> None:
        if message.frame_number > VIN_FRAMES:
            return
        held = self._vin.get(message.frame_number)
        if held is not None and held.message.characters != message.characters:
            self._vin.clear()
        self._vin[message.frame_number] = Heard(message, at)

    def _forget_pack(self) -> None:
        for part in (self._last, self._code, self._cells, self._temperatures, self._coolant, self._packs):
            part.clear()


@cache
def _single(kind: type[Message]) -> type[PackMessage] | None:
    """The class of SINGLE that a message is of: a profile's variants are derived from those here."""
    return next((each for each in SINGLE if issubclass(kind, each)), None)


@cache
def _alarm_fields(kind: type[PackMessage]) -> tuple[str, ...]:
    fields = kind.layout.fields
    return tuple(field.name for field in fields if field.code is Fault or field.code in _LEVELS)


def _alarms(heard: Heard[PackMessage] | None) -> Iterator[Alarm]:
    if heard is None:
        return
    message = heard.message
    for name in _alarm_fields(type(message)):
        value = getattr(message, name)
        if value:
            level = None if isinstance(value, Fault) else int(value)
            yield Alarm(type(message).__name__, name, level, heard.at)
