"""The pack behind a BMS session: what it says, when it is ready, when it stops."""

import msgspec
import pytest

from swapproto.frame import SECOND
from swapproto.messages.gbt27930 import (
    BST,
    CCS,
    CML,
    ChargeMode,
    Chemistry,
    Condition,
    Level,
    Permission,
    Reached,
)
from swapproto.models.battery import TRUCK_PACK, BatterySpec
from swapproto.models.pack import Pack
from swapproto.session.plant import PackPlant

WINDOW = CML(max_voltage=1000.0, min_voltage=200.0, max_current=-400.0, min_current=0.0)


def replaced(**changes: object) -> BatterySpec:
    return msgspec.structs.replace(TRUCK_PACK, **changes)


def flowing(amperes: float) -> CCS:
    return CCS(voltage=780.0, current=-amperes, elapsed_time=0, permission=Permission.ALLOWED)


def begun(pack: Pack, window: CML = WINDOW) -> Pack:
    pack.charger_offers(window, 0)
    pack.begin(0)
    return pack


def test_it_is_a_pack_plant_and_says_what_it_is() -> None:
    pack: PackPlant = Pack(soc=0.2)
    identity = pack.identity()
    assert identity.chemistry is Chemistry.LFP
    assert (identity.rated_capacity, identity.rated_voltage) == (386.5, 729.6)
    assert (identity.maker, identity.vin) == (None, None)
    parameters = pack.parameters(0)
    assert pack.permitted_voltage().max_voltage == parameters.max_voltage == 832.2
    assert (parameters.soc, parameters.nominal_energy, parameters.max_current) == (20.0, 282.0, -400.0)


@pytest.mark.parametrize(
    ("low", "high", "ready"), [(200, 1000, True), (200, 500, False), (800, 1000, False), (700, 800, True)]
)
def test_it_is_ready_where_its_voltage_lies_in_the_window(low: float, high: float, *, ready: bool) -> None:
    pack = Pack()
    window = CML(max_voltage=high, min_voltage=low, max_current=-400.0, min_current=0.0)
    pack.charger_offers(window, 5 * SECOND)
    assert pack.ready(10 * SECOND) is ready


def test_readiness_takes_its_time_from_the_first_offer() -> None:
    pack = Pack(readiness_delay=2.0)
    assert not pack.ready(0)
    pack.charger_offers(WINDOW, 10 * SECOND)
    pack.charger_offers(WINDOW, 11 * SECOND)
    assert not pack.ready(12 * SECOND - 1)
    assert pack.ready(12 * SECOND)


def test_a_new_session_needs_a_new_offer() -> None:
    pack = Pack()
    pack.charger_offers(WINDOW, 0)
    assert pack.ready(SECOND)
    pack.end(2 * SECOND)
    assert not pack.ready(100 * SECOND)


def test_the_demand_ramps_to_what_pack_and_charger_can_do() -> None:
    pack = begun(Pack(), CML(max_voltage=1000.0, min_voltage=200.0, max_current=-250.0, min_current=0.0))
    demands = [pack.demand(second * SECOND).current for second in range(13)]
    assert demands == [max(-250.0, -25.0 * second) for second in range(13)]
    assert pack.demand(13 * SECOND).mode is ChargeMode.CONSTANT_CURRENT


def test_a_demand_beyond_the_wire_is_sent_as_its_end() -> None:
    pack = begun(Pack(replaced(max_current=1000.0)), WINDOW)
    assert pack.parameters(0).max_current == -400.0
    assert pack.demand(3600 * SECOND).current == -400.0


def test_only_what_ccs_says_flows_and_only_while_charging() -> None:
    pack = Pack()
    pack.charger_delivers(flowing(200.0), 0)
    assert pack.measured(SECOND).current == 0.0
    begun(pack)
    pack.charger_delivers(flowing(200.0), 2 * SECOND)
    at_2 = pack.measured(2 * SECOND)
    assert at_2.current == -200.0
    at_600 = pack.measured(600 * SECOND)
    assert at_600.soc > at_2.soc
    assert at_600.voltage > at_2.voltage
    pack.end(600 * SECOND)
    pack.charger_delivers(flowing(200.0), 600 * SECOND)
    assert pack.measured(601 * SECOND).current == 0.0
    assert pack.measured(6000 * SECOND).soc == at_600.soc


def test_the_time_left_follows_from_charge_and_current() -> None:
    pack = begun(Pack(replaced(soc_target=0.7), soc=0.2))
    assert pack.measured(0).remaining_time == 600
    pack.charger_delivers(flowing(386.5), 0)
    assert pack.measured(0).remaining_time == 30


def test_the_same_instant_and_an_earlier_one_change_nothing() -> None:
    pack = begun(Pack())
    pack.charger_delivers(flowing(400.0), 0)
    first = pack.measured(60 * SECOND)
    assert pack.measured(60 * SECOND) == first
    assert pack.measured(10 * SECOND) == first
    assert pack.demand(60 * SECOND) == pack.demand(60 * SECOND)


@pytest.mark.parametrize("lists", [True, False])
def test_cells_and_probes_are_listed_where_asked_for(*, lists: bool) -> None:
    pack = Pack(replaced(cells=300, probes=200, max_voltage=1095.0), lists_cells=lists)
    cells, temperatures = pack.cell_voltages(0), pack.temperatures(0)
    if not lists:
        assert (cells, temperatures) == (None, None)
        return
    assert cells is not None
    assert temperatures is not None
    assert (len(cells.cells), len(temperatures.temperatures)) == (256, 128)
    assert {cell.group for cell in cells.cells} <= set(range(16))


def test_status_is_normal_and_names_the_extremes() -> None:
    pack = Pack()
    status, cells, probes = pack.status(0), pack.cell_voltages(0), pack.temperatures(0)
    assert (status.cell_voltage, status.soc, status.permission) == (
        Level.NORMAL,
        Level.NORMAL,
        Permission.ALLOWED,
    )
    assert cells is not None
    assert probes is not None
    voltages = [cell.voltage for cell in cells.cells]
    assert voltages[status.max_voltage_cell - 1] == max(voltages)
    assert cells.cells[status.max_voltage_cell - 1].group == pack.measured(0).max_cell_group
    assert probes.temperatures[status.max_temperature_probe - 1] == max(probes.temperatures)
    assert probes.temperatures[status.min_temperature_probe - 1] == min(probes.temperatures)


def test_a_cold_pack_asks_for_a_pause_and_not_for_a_stop() -> None:
    pack = begun(Pack(temperature=-15.0))
    status = pack.status(SECOND)
    assert status.permission is Permission.FORBIDDEN
    assert (status.cell_voltage, status.over_temperature) == (Level.NORMAL, Condition.NORMAL)
    assert pack.demand(60 * SECOND).current == 0.0
    assert pack.stop_wanted(60 * SECOND) is None
    warm = pack.status(6 * 3600 * SECOND)
    assert warm.permission is Permission.ALLOWED


CHARGED = Reached.YES
FAULT = Condition.FAULT


@pytest.mark.parametrize(
    ("pack", "amperes", "reason"),
    [
        (Pack(replaced(soc_target=0.5), soc=0.5), 0.0, BST(soc_target=CHARGED)),
        (Pack(replaced(max_voltage=700.0)), 0.0, BST(voltage_target=CHARGED)),
        (Pack(soc=0.999), 0.0, BST(cell_voltage_target=CHARGED)),
        (Pack(temperature=70.0), 0.0, BST(pack_over_temperature=FAULT)),
        (Pack(replaced(over_current=300.0)), 301.0, BST(over_current=FAULT)),
        (Pack(replaced(cell_over_voltage=3.2)), 0.0, BST(voltage=FAULT)),
        (Pack(replaced(cell_under_voltage=3.4)), 0.0, BST(voltage=FAULT)),
        (Pack(), 400.0, None),
    ],
)
def test_why_it_stops(pack: Pack, amperes: float, reason: BST | None) -> None:
    begun(pack)
    pack.charger_delivers(flowing(amperes), 0)
    assert pack.stop_wanted(SECOND) == reason


def test_the_reason_stays_and_nothing_is_demanded_any_more() -> None:
    pack = begun(Pack(replaced(soc_target=0.3), soc=0.29))
    pack.charger_delivers(flowing(400.0), 0)
    assert pack.demand(SECOND).current < 0
    reason = pack.stop_wanted(60 * SECOND)
    assert reason == BST(soc_target=CHARGED)
    assert pack.demand(61 * SECOND).current == 0.0
    pack.charger_delivers(flowing(0.0), 61 * SECOND)
    assert pack.stop_wanted(62 * SECOND) == reason


def test_no_stop_before_the_begin_and_a_count_after_the_end() -> None:
    pack = Pack(soc=1.0)
    assert pack.stop_wanted(0) is None
    pack.end(0)
    assert pack.identity().charge_count == 0
    begun(pack)
    pack.end(SECOND)
    assert pack.identity().charge_count == 1
    statistics = pack.statistics(SECOND)
    assert statistics.soc == 100
    assert statistics.min_cell_voltage <= statistics.max_cell_voltage
    assert statistics.min_temperature < statistics.max_temperature
