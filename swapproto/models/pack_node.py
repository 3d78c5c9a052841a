"""The pack's own CAN face: every cyclic message of the D0/F3 family at its declared period.

Cell voltages and temperatures come by index, one frame in each period: all 76 frames of 228 cells every
100 ms would fill half of a bus of 250 kbit/s (assumed). Left out are the messages of other set-ups: the
battery bank's authorisation and the checksums, whose algorithms are not public, the thermal unit's dialogue,
and the frames for the 2025 edition of GB/T 32960.
"""

from collections.abc import Iterator

from swapproto.frame import SECOND, CanFrame, Instant
from swapproto.messages.pack_can import (
    BaseType,
    BranchCurrents,
    CellMaximum,
    CellMinimum,
    CellVoltages,
    Chemistry,
    Connection,
    ConnectorTemperatures,
    CoolantTemperatures,
    Cooling,
    Counts,
    Energy1,
    Energy2,
    Energy3,
    Energy4,
    Energy5,
    Energy6,
    Energy7,
    Energy8,
    Energy9,
    Energy10,
    Fault,
    FurtherRelays,
    HighVoltageCommand,
    InsulationStatus,
    PackCode1,
    PackCode2,
    PackCode3,
    PackCode4,
    PackMessage,
    PackRequest,
    PackState,
    PackVoltages,
    Ratings,
    RelayState,
    RelayStatus,
    SinglePackCode,
    StorageFaults,
    TemperatureExtremes,
    Temperatures,
    VehicleCommand,
    Versions,
    WorkState,
    WorkStatus,
)
from swapproto.messages.pack_can.codes import MonitorSwitch
from swapproto.messages.pack_can.identity import VersionKind
from swapproto.models.cyclic import Cyclic
from swapproto.models.swap_pack import SwapPack

CELLS_PER_UNIT = 12
PROBES_PER_UNIT = 6
"""Of a supervision circuit; assumed."""
LACKED = frozenset(
    {
        "dcdc", "heating_2", "positive_2", "negative_2", "charge_positive_3", "charge_negative_3",
        "charge_positive_4", "charge_negative_4",
    }
)  # fmt: skip
"""The relays that it does not have; assumed."""
_INSULATION = 5000
"""kohm; assumed."""
_LOW_VOLTAGE = 27
"""V of the truck's low-voltage net; assumed."""
_COMMAND = VehicleCommand.identifier()
_FAST, _MIDDLE, _SLOW, _SLOWEST = SECOND // 10, SECOND // 5, SECOND, 10 * SECOND


class PackNode:
    """A link.Node for a SwapPack; it obeys the vehicle's high-voltage command and sends while supplied."""

    def __init__(self, pack: SwapPack, *, in_station: bool = False) -> None:
        """In a station it reports the station's charge signal."""
        self.pack = pack
        self._in_station = in_station
        self._alive = 0
        self._turn = 0
        """Counts periods of 100 ms, for what goes by index."""
        self._cyclic = cyclic = Cyclic()
        cyclic.every(_FAST, self._fast)
        cyclic.every(_MIDDLE, self._middle)
        cyclic.every(_SLOW, self._slow)
        cyclic.every(_SLOWEST, self._counters)

    @property
    def supplied(self) -> bool:
        return self._cyclic.running

    def supply(self, now: Instant, *, on: bool) -> None:
        """The low-voltage supply comes and goes with the connector; a pack without it opens and is silent."""
        if on:
            self._cyclic.start(now)
        else:
            self._cyclic.stop()
            self.pack.high_voltage(now, on=False)

    def receive(self, frame: CanFrame, now: Instant) -> None:
        if frame.id == _COMMAND and self.supplied:
            command = VehicleCommand.read(frame.data).message
            wish = HighVoltageCommand.INVALID if command is None else command.high_voltage
            if wish in (HighVoltageCommand.ON, HighVoltageCommand.OFF):
                self.pack.high_voltage(now, on=wish == HighVoltageCommand.ON)

    def handle_timeout(self, now: Instant) -> None:
        self._cyclic.handle_timeout(now)

    def next_timeout(self) -> Instant | None:
        return self._cyclic.next_timeout()

    def poll_transmit(self) -> CanFrame | None:
        return self._cyclic.poll_transmit()

    # ---- every 100 ms

    def _fast(self, now: Instant) -> Iterator[PackMessage]:
        self._turn += 1
        yield self._relays(now)
        yield self._work(now)
        yield from self._measured(now)
        yield FurtherRelays(
            positive_2=RelayState.NOT_GIVEN,
            negative_2=RelayState.NOT_GIVEN,
            charge_positive_3=RelayState.NOT_GIVEN,
            charge_negative_3=RelayState.NOT_GIVEN,
            charge_positive_4=RelayState.NOT_GIVEN,
            charge_negative_4=RelayState.NOT_GIVEN,
            low_voltage=_LOW_VOLTAGE,
            base_type=BaseType.HIGH_POWER,
            charge_current_limit=self.pack.plant.battery.permitted_current,
        )
        yield self._some_cells()
        yield from self._nameplate()

    def _relays(self, now: Instant) -> RelayStatus:
        positive, negative, precharge = self.pack.contactors.states(now)
        return RelayStatus(
            positive=positive,
            negative=negative,
            precharge=precharge,
            charge_positive_1=RelayState.OPEN,
            charge_negative_1=RelayState.OPEN,
            charge_positive_2=RelayState.OPEN,
            charge_negative_2=RelayState.OPEN,
            dcdc=RelayState.NOT_GIVEN,
            heating_1=RelayState.OPEN,
            heating_2=RelayState.NOT_GIVEN,
            positive_welded=Fault.FAULT if self.pack.contactors.weld_detected else Fault.OK,
        )

    def _work(self, now: Instant) -> WorkStatus:
        self._alive = (self._alive + 1) % 15
        contactors, pack = self.pack.contactors, self.pack
        fire = Fault.FAULT if pack.thermal_event else Fault.OK
        return WorkStatus(
            alive_counter=self._alive,
            work_state=(
                WorkState.HIGH_VOLTAGE_OFF
                if not contactors.closed
                else WorkState.PRECHARGE
                if contactors.precharging(now)
                else WorkState.HIGH_VOLTAGE_ON
            ),
            highest_alarm=pack.alarm,
            swap_charging=Connection.CONNECTED if self._in_station else Connection.NOT_CONNECTED,
            cell_over_temperature=pack.alarm,
            smoke=fire,
            fire=fire,
        )

    def _measured(self, now: Instant) -> Iterator[PackMessage]:
        battery = self.pack.plant.battery
        soc = 100 * battery.soc
        highest, lowest = battery.max_cell_voltage, battery.min_cell_voltage
        mean = battery.voltage / battery.spec.cells
        warm = round(battery.temperature)
        yield PackRequest(real_soc=soc, real_soh=100, current=0)
        yield PackState(
            soc=soc,
            soh=100,
            current=0,
            charge_limit=battery.permitted_current,
            discharge_limit=battery.spec.max_current,
        )
        yield PackVoltages(
            insulation_positive=_INSULATION,
            insulation_negative=_INSULATION,
            pack_voltage=battery.voltage,
            bus_voltage=self.pack.bus_voltage(now),
        )
        yield TemperatureExtremes(
            maximum=round(battery.max_temperature),
            minimum=round(battery.min_temperature),
            average=warm,
            maximum_unit=1 + battery.hottest // PROBES_PER_UNIT,
            maximum_probe=1 + battery.hottest % PROBES_PER_UNIT,
            minimum_unit=1 + battery.coldest // PROBES_PER_UNIT,
            minimum_probe=1 + battery.coldest % PROBES_PER_UNIT,
        )
        fullest, emptiest = battery.fullest, battery.emptiest
        yield CellMaximum(
            voltage=highest,
            unit_number=1 + fullest // CELLS_PER_UNIT,
            cell_number=1 + fullest % CELLS_PER_UNIT,
            average=mean,
            pack_number=1,
        )
        yield CellMinimum(
            voltage=lowest,
            unit_number=1 + emptiest // CELLS_PER_UNIT,
            cell_number=1 + emptiest % CELLS_PER_UNIT,
            positive_1_temperature=warm,
            positive_2_temperature=warm,
            negative_1_temperature=warm,
            negative_2_temperature=warm,
        )
        names = ("a_1", "a_2", "b_1", "b_2", "c_1", "c_2", "d_1", "d_2")
        yield ConnectorTemperatures(**dict.fromkeys(names, warm))
        yield BranchCurrents(branch_1=0, branch_2=0, branch_3=0, branch_4=0)

    def _some_cells(self) -> CellVoltages:
        """The next three, counted from frame 1 through all units."""
        cells = self.pack.spec.cells
        index = self._turn % -(-cells // 3)
        battery = self.pack.plant.battery
        there = range(3 * index, min(3 * index + 3, cells))
        first, second, third = (*map(battery.cell_voltage, there), 0.0, 0.0)[:3]
        return CellVoltages(
            frame_number=1 + index,
            unit_number=1 + 3 * index // CELLS_PER_UNIT,
            voltage_1=first,
            voltage_2=second,
            voltage_3=third,
        )

    def _nameplate(self) -> Iterator[PackMessage]:
        spec, code = self.pack.spec, self.pack.code
        yield Ratings(
            capacity=round(spec.capacity),
            voltage=spec.nominal_voltage,
            energy=spec.nominal_energy,
            chemistry=Chemistry.LFP,
            cooling=Cooling.LIQUID,
        )
        yield Counts(
            unit_count=-(-spec.cells // CELLS_PER_UNIT),
            cell_count=spec.cells,
            probe_count=spec.probes,
            nominal_cell_voltage=spec.nominal_cell_voltage,
            minimum_cell_voltage=spec.cell_under_voltage,
            maximum_cell_voltage=spec.max_cell_voltage,
        )
        index = self._turn % -(-len(code) // 6)
        yield SinglePackCode(
            frame_number=1 + index, pack_number=1, characters=code[6 * index : 6 * index + 6]
        )

    # ---- less often

    def _middle(self, _now: Instant) -> Iterator[PackMessage]:
        yield Versions(kind=VersionKind.PROTOCOL, version=bytes(7))
        probes = self.pack.spec.probes
        index = self._turn // 2 % -(-probes // 6)
        values = self.pack.plant.battery.temperatures()[6 * index : 6 * index + 6]
        degrees = [round(value) for value in values]
        degrees += [-50] * (6 - len(degrees))
        yield Temperatures(
            frame_number=1 + index,
            unit_number=1 + 6 * index // PROBES_PER_UNIT,
            **{f"temperature_{place}": value for place, value in enumerate(degrees, 1)},
        )

    def _slow(self, _now: Instant) -> Iterator[PackMessage]:
        code, warm = self.pack.code, self.pack.plant.battery.temperature
        yield PackCode1(length=len(code), characters=code[:6])
        yield PackCode2(characters=code[6:13])
        yield PackCode3(characters=code[13:20])
        yield PackCode4(characters=code[20:27])
        yield StorageFaults()
        yield CoolantTemperatures(frame_number=1, outlet_1=warm, inlet_1=warm, outlet_2=warm, inlet_2=warm)
        yield InsulationStatus(
            monitor=MonitorSwitch.ON,
            positive_pole_pack=1,
            positive_pole_temperature=round(warm),
            negative_pole_pack=1,
            negative_pole_temperature=round(warm),
            since_full_charge=0,
        )

    def _counters(self, _now: Instant) -> Iterator[PackMessage]:
        soc, spec = 100 * self.pack.soc, self.pack.spec
        energy = self.pack.charged_in_station
        charge = energy * 1000 / spec.nominal_voltage
        yield Energy1(charged=energy, discharged=0, this_charge=0)
        yield Energy2(regenerated=0, swapped=energy, precise_soc=soc)
        yield Energy3(
            on_vehicle=0,
            maximum_cell_soc=soc,
            minimum_cell_soc=soc,
            state_of_energy=self.pack.soc * spec.nominal_energy,
        )
        yield Energy4(charged=energy, discharged=0)
        yield Energy5(regenerated=0, swapped=energy)
        yield Energy6(on_vehicle=0, this_charge=0)
        yield Energy7(this_regeneration=0, remaining_charge_time=0, charge_count=0)
        yield Energy8(charged=charge, discharged=0)
        yield Energy9(regenerated=0, swapped=charge)
        yield Energy10(on_vehicle=0, this_charge=0)
