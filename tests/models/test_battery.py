"""The physics of the battery: charge, voltage, relaxation, heat."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.models.battery import TRUCK_PACK, Battery, BatterySpec
from swapproto.models.spec import Curve


def replaced(**changes: object) -> BatterySpec:
    return msgspec.structs.replace(TRUCK_PACK, **changes)


def test_one_hour_at_the_capacity_in_amperes_fills_an_empty_pack() -> None:
    battery = Battery(TRUCK_PACK, 0.0)
    battery.current = TRUCK_PACK.capacity
    for _ in range(3600):
        battery.advance(1.0)
    assert battery.soc == pytest.approx(1.0)


def test_charge_and_voltage_rise_together_while_charging() -> None:
    battery = Battery(TRUCK_PACK, 0.1)
    battery.current = 300.0
    battery.advance(300.0)
    points = []
    for _ in range(300):
        battery.advance(10.0)
        points.append((battery.soc, battery.voltage))
    assert all(later > earlier for (earlier, _), (later, _) in pairwise(points))
    assert all(later >= earlier for (_, earlier), (_, later) in pairwise(points))
    assert points[-1][1] > points[0][1] + 10


def test_energy_in_is_energy_stored_and_heat() -> None:
    battery = Battery(replaced(cooling=0.0), 0.2)
    spec = battery.spec
    battery.current = 350.0
    joules, stored = 0.0, 0.0
    for _ in range(2400):
        before, soc = battery.voltage, battery.soc
        battery.advance(1.0)
        joules += (before + battery.voltage) / 2 * battery.current
        step = (battery.soc - soc) * spec.capacity * 3600 * spec.cells
        stored += step * (spec.open_circuit(soc) + spec.open_circuit(battery.soc)) / 2
    heat = spec.heat_capacity * (battery.temperature - spec.ambient)
    assert heat > 0.01 * joules
    assert stored + heat == pytest.approx(joules, rel=1e-3)


def test_voltage_relaxes_to_the_open_circuit_once_the_current_ends() -> None:
    battery = Battery(TRUCK_PACK, 0.5)
    battery.current = 400.0
    battery.advance(200.0)
    loaded = battery.voltage
    battery.current = 0.0
    at_once = battery.voltage
    battery.advance(TRUCK_PACK.relaxation)
    later = battery.voltage
    battery.advance(10 * TRUCK_PACK.relaxation)
    rest = TRUCK_PACK.cells * TRUCK_PACK.open_circuit(battery.soc)
    assert loaded - at_once == pytest.approx(400 * TRUCK_PACK.resistance * TRUCK_PACK.cells)
    assert at_once > later > rest
    assert battery.voltage == pytest.approx(rest, rel=1e-5)


def test_temperature_rises_towards_the_balance_of_heat_and_cooling() -> None:
    battery = Battery(replaced(capacity=1e6), 0.1)
    battery.current = 400.0
    balance = (
        25
        + 400**2 * (TRUCK_PACK.resistance + TRUCK_PACK.polarisation) * TRUCK_PACK.cells / TRUCK_PACK.cooling
    )
    temperatures = []
    for _ in range(600):
        battery.advance(60.0)
        temperatures.append(battery.temperature)
    assert all(later > earlier for earlier, later in pairwise(temperatures[:100]))
    assert max(temperatures) <= balance + 1e-6
    assert temperatures[-1] == pytest.approx(balance, abs=0.1)


def test_a_pack_left_alone_takes_the_temperature_around_it() -> None:
    battery = Battery(TRUCK_PACK, 0.5, -20.0)
    battery.advance(1e9)
    assert battery.temperature == pytest.approx(25.0)
    assert battery.soc == 0.5


@given(st.lists(st.floats(0.001, 500), min_size=1, max_size=40), st.floats(-400, 400))
def test_one_long_step_is_as_good_as_many_short_ones(steps: list[float], current: float) -> None:
    long, short = Battery(TRUCK_PACK, 0.5), Battery(TRUCK_PACK, 0.5)
    long.current = short.current = current
    for step in steps:
        short.advance(step)
    long.advance(sum(steps))
    assert long.soc == pytest.approx(short.soc)
    assert long.voltage == pytest.approx(short.voltage)
    assert long.temperature == pytest.approx(short.temperature, abs=0.2)


@given(st.floats(-1e4, 1e4), st.floats(0, 1e9), st.floats(0, 1))
def test_charge_stays_between_empty_and_full(current: float, seconds: float, soc: float) -> None:
    battery = Battery(TRUCK_PACK, soc)
    battery.current = current
    battery.advance(seconds)
    assert 0 <= battery.soc <= 1


@pytest.mark.parametrize("soc", [0.0, 0.05, 0.5, 0.97, 1.0])
def test_cells_differ_a_little_and_the_extremes_are_where_it_says(soc: float) -> None:
    battery = Battery(TRUCK_PACK, soc)
    voltages = battery.cell_voltages()
    assert len(voltages) == TRUCK_PACK.cells
    assert voltages[battery.fullest] == max(voltages) == battery.max_cell_voltage
    assert voltages[battery.emptiest] == min(voltages) == battery.min_cell_voltage
    assert battery.min_cell_voltage <= battery.voltage / TRUCK_PACK.cells <= battery.max_cell_voltage
    assert sum(voltages) == pytest.approx(battery.voltage, rel=1e-2)


def test_probes_differ_a_little_and_the_extremes_are_where_it_says() -> None:
    battery = Battery(TRUCK_PACK, 0.5)
    temperatures = battery.temperatures()
    assert len(temperatures) == TRUCK_PACK.probes
    assert temperatures[battery.hottest] == max(temperatures) == battery.max_temperature
    assert temperatures[battery.coldest] == min(temperatures) == battery.min_temperature
    assert 0 < battery.max_temperature - battery.min_temperature <= 2.5 * TRUCK_PACK.temperature_spread


@pytest.mark.parametrize("soc", [0.3, 0.9, 0.98])
def test_the_current_at_a_limit_brings_the_voltage_to_it(soc: float) -> None:
    battery = Battery(TRUCK_PACK, soc)
    battery.current = 100.0
    battery.advance(20.0)
    battery.current = battery.current_at_cell_limit
    assert battery.max_cell_voltage == pytest.approx(TRUCK_PACK.max_cell_voltage)
    battery.current = battery.current_at_voltage_limit
    assert battery.voltage == pytest.approx(TRUCK_PACK.max_voltage)


@pytest.mark.parametrize(
    ("temperature", "share"), [(-10, 0), (0, 0), (7.5, 0.5), (15, 1), (45, 1), (52.5, 0.5), (60, 0), (80, 0)]
)
def test_the_permitted_current_falls_in_cold_and_heat(temperature: float, share: float) -> None:
    battery = Battery(replaced(temperature_spread=0.0), 0.5, temperature)
    assert battery.permitted_current == pytest.approx(share * TRUCK_PACK.max_current)


def test_other_cells_make_another_pack() -> None:
    flat = Curve((0.0, 1.0), (3.0, 4.0))
    battery = Battery(replaced(cells=100, open_circuit=flat, soc_spread=0.0), 0.5)
    assert battery.voltage == pytest.approx(350.0)
    assert battery.max_cell_voltage == battery.min_cell_voltage == pytest.approx(3.5)
