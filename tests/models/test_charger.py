"""The power stage: window, ramps, pause, limits, statistics, clock."""

from datetime import datetime

import pytest

from swapproto.frame import MILLISECOND, SECOND
from swapproto.messages.gbt27930 import BCL, BCP, BCS, BHM, CST, ChargeMode, Permission, Reached, Recognition
from swapproto.models.charger import BAY_CHARGER, Charger, ChargerSpec
from swapproto.session.plant import ChargerPlant

PACK = BCP(
    max_cell_voltage=3.65,
    max_current=-400.0,
    nominal_energy=282.0,
    max_voltage=832.2,
    max_temperature=60,
    soc=20.0,
    voltage=740.0,
)


def wants(amperes: float, volts: float = 832.2) -> BCL:
    return BCL(voltage=volts, current=-amperes, mode=ChargeMode.CONSTANT_CURRENT)


def measures(volts: float) -> BCS:
    return BCS(voltage=volts, current=0.0, max_cell_voltage=3.3, max_cell_group=1, soc=50, remaining_time=30)


def begun(spec: ChargerSpec = BAY_CHARGER) -> Charger:
    charger = Charger(spec)
    charger.pack_presents(PACK, 0)
    charger.begin(0)
    return charger


def test_it_is_a_charger_plant_and_says_what_it_is() -> None:
    charger: ChargerPlant = Charger(ChargerSpec(number=7, region="A1"))
    assert charger.identification(recognised=False).result is Recognition.NOT_RECOGNISED
    recognised = charger.identification(recognised=True)
    assert (recognised.result, recognised.charger_number) == (Recognition.RECOGNISED, 7)
    assert recognised.region == "A1"
    window = charger.capability()
    assert (window.max_voltage, window.min_voltage) == (1000.0, 200.0)
    assert (window.max_current, window.min_current) == (-400.0, 0.0)
    assert charger.statistics(0).charger_number == 7


def test_the_insulation_test_lasts_from_its_first_call() -> None:
    charger = Charger(ChargerSpec(insulation_time=1.5))
    permitted = BHM(max_voltage=832.2)
    assert not charger.insulation_tested(permitted, 10 * SECOND)
    assert not charger.insulation_tested(permitted, 11 * SECOND)
    assert charger.insulation_tested(permitted, 11_500 * MILLISECOND)


def test_no_insulation_test_at_a_voltage_that_it_cannot_make() -> None:
    charger = Charger()
    assert not any(charger.insulation_tested(BHM(max_voltage=100.0), second * SECOND) for second in range(9))


@pytest.mark.parametrize(("volts", "ready"), [(740.0, True), (150.0, False), (1200.0, False)])
def test_it_is_ready_for_a_pack_inside_its_window(volts: float, *, ready: bool) -> None:
    charger = Charger()
    assert not charger.ready(0)
    charger.pack_presents(PACK, 5 * SECOND)
    charger.pack_measures(measures(volts), 5 * SECOND)
    assert not charger.ready(5 * SECOND)
    assert charger.ready(6 * SECOND) is ready


def test_the_current_follows_the_demand_with_its_ramp() -> None:
    charger = begun()
    charger.pack_demands(wants(250.0), 0)
    currents = [charger.delivers(tenth * 100 * MILLISECOND).current for tenth in range(31)]
    assert currents == [pytest.approx(max(-250.0, -10.0 * tenth)) for tenth in range(31)]
    charger.pack_demands(wants(50.0), 3 * SECOND)
    assert charger.delivers(4 * SECOND).current == -150.0
    assert charger.delivers(9 * SECOND).current == -50.0


@pytest.mark.parametrize("period", [1, 50, 250, 1000, 7000])
def test_a_ramp_carries_the_same_energy_however_it_is_asked_for(period: int) -> None:
    charger = begun(ChargerSpec(cable_resistance=0.0))
    charger.pack_demands(wants(200.0), 0)
    for now in range(0, 7001, period):
        charger.delivers(now * MILLISECOND)
    assert charger.energy == pytest.approx(740 * (200 * 5 + 200) / 3.6e6)


@pytest.mark.parametrize(
    ("demand", "spec", "flows"),
    [
        (wants(390.0), ChargerSpec(max_current=120.0), 120.0),
        (wants(10.0), ChargerSpec(min_current=20.0), 0.0),
        (wants(20.0), ChargerSpec(min_current=20.0), 20.0),
        (wants(-50.0), ChargerSpec(), 0.0),
        (wants(390.0), ChargerSpec(max_voltage=700.0), 0.0),
        (wants(390.0), ChargerSpec(min_voltage=750.0), 0.0),
        (wants(390.0), ChargerSpec(), 390.0),
    ],
)
def test_it_stays_inside_its_window(demand: BCL, spec: ChargerSpec, flows: float) -> None:
    charger = begun(spec)
    charger.pack_demands(demand, 0)
    assert charger.delivers(60 * SECOND).current == -flows


def test_it_never_gives_more_than_the_pack_presented_itself_for() -> None:
    charger = Charger()
    charger.pack_presents(
        BCP(**{**{n: getattr(PACK, n) for n in PACK.__struct_fields__}, "max_current": -60.0}), 0
    )
    charger.begin(0)
    charger.pack_demands(wants(300.0), 0)
    assert charger.delivers(60 * SECOND).current == -60.0


def test_the_output_voltage_is_the_packs_and_the_drop() -> None:
    charger = Charger(ChargerSpec(cable_resistance=0.01))
    charger.pack_presents(PACK, 0)
    assert charger.delivers(0).voltage == 0.0
    charger.begin(0)
    charger.pack_demands(wants(200.0), 0)
    charger.pack_measures(measures(780.0), SECOND)
    assert charger.delivers(10 * SECOND).voltage == 782.0


def test_it_gives_way_above_the_demanded_voltage_and_comes_back_below() -> None:
    charger = begun()
    charger.pack_demands(wants(200.0, volts=750.0), 0)
    assert charger.delivers(10 * SECOND).current == -200.0
    charger.pack_measures(measures(760.0), 10 * SECOND)
    assert charger.delivers(40 * SECOND).current == 0.0
    charger.pack_measures(measures(700.0), 40 * SECOND)
    assert charger.delivers(80 * SECOND).current == -200.0


def test_a_pause_brings_the_current_to_zero_within_the_ramp_and_back() -> None:
    charger = begun()
    charger.pack_demands(wants(300.0), 0)
    assert charger.delivers(10 * SECOND).permission is Permission.ALLOWED
    charger.pause(10 * SECOND, paused=True)
    falling = charger.delivers(11 * SECOND)
    assert (falling.current, falling.permission) == (-200.0, Permission.FORBIDDEN)
    assert charger.delivers(13 * SECOND).current == 0.0
    assert charger.delivers(60 * SECOND).current == 0.0
    charger.pause(60 * SECOND, paused=False)
    back = charger.delivers(63 * SECOND)
    assert (back.current, back.permission) == (-300.0, Permission.ALLOWED)


def test_less_than_five_amperes_flow_100_ms_after_the_end() -> None:
    charger = begun()
    charger.pack_demands(wants(400.0), 0)
    assert charger.delivers(10 * SECOND).current == -400.0
    charger.end(10 * SECOND)
    assert charger.delivers(10 * SECOND + 100 * MILLISECOND).current > -5.0
    assert charger.delivers(11 * SECOND).voltage == 0.0


@pytest.mark.parametrize(
    ("spec", "seconds", "stops"),
    [
        (ChargerSpec(time_limit=60.0), 59, False),
        (ChargerSpec(time_limit=60.0), 60, True),
        (ChargerSpec(energy_limit=5.0), 100, False),
        (ChargerSpec(energy_limit=5.0), 130, True),
        (ChargerSpec(), 36_000, False),
    ],
)
def test_time_and_energy_limits_end_the_charge(spec: ChargerSpec, seconds: int, *, stops: bool) -> None:
    charger = begun(spec)
    charger.pack_demands(wants(200.0), 0)
    expected = CST(condition_reached=Reached.YES) if stops else None
    assert charger.stop_wanted(seconds * SECOND) == expected


def test_a_command_ends_the_charge_and_a_new_one_begins_clean() -> None:
    charger = Charger()
    charger.stop()
    assert charger.stop_wanted(0) is None
    charger.begin(0)
    assert charger.stop_wanted(SECOND) is None
    charger.stop()
    reason = charger.stop_wanted(2 * SECOND)
    assert reason == CST(manual=Reached.YES)
    assert charger.stop_wanted(3 * SECOND) == reason
    charger.end(3 * SECOND)
    charger.begin(4 * SECOND)
    assert charger.stop_wanted(5 * SECOND) is None


def test_statistics_count_from_begin_to_end() -> None:
    charger = begun(ChargerSpec(number=3, ramp=1e6))
    charger.pack_demands(wants(300.0), 0)
    charger.delivers(30 * 60 * SECOND)
    charger.end(30 * 60 * SECOND)
    statistics = charger.statistics(5 * 3600 * SECOND)
    assert (statistics.total_time, statistics.charger_number) == (30, 3)
    assert statistics.energy == pytest.approx((740 + 300 * 0.005) * 300 * 0.5 / 1000, abs=0.1)
    charger.begin(5 * 3600 * SECOND)
    assert charger.statistics(5 * 3600 * SECOND).energy == 0.0


def test_the_clock_runs_with_the_instants_from_a_given_date() -> None:
    assert Charger().clock(0) is None
    charger = Charger(ChargerSpec(clock=datetime.fromisoformat("2026-02-28T23:59:30.5")))
    first, later = charger.clock(7 * SECOND), charger.clock(67 * SECOND)
    assert first is not None
    assert later is not None
    assert (str(first.time), str(later.time)) == ("2026-02-28 23:59:30", "2026-03-01 00:00:30")


def test_a_clock_beyond_the_calendar_is_no_clock() -> None:
    charger = Charger(ChargerSpec(clock=datetime.fromisoformat("9999-12-31T23:59:59")))
    charger.clock(0)
    late = charger.clock(SECOND)
    assert late is not None
    assert late.time is None
