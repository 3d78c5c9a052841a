"""Pack and charger coupled through their messages alone: a charge looks like one."""

from itertools import pairwise

import msgspec
import pytest

from swapproto.frame import SECOND
from swapproto.messages.gbt27930 import BCL, BCS, BSM, BST, CCS, ChargeMode, Permission
from swapproto.models.battery import TRUCK_PACK, BatterySpec
from swapproto.models.charger import BAY_CHARGER, Charger, ChargerSpec
from swapproto.models.pack import Pack


class Second(msgspec.Struct, frozen=True):
    """What was said in one second of the charge."""

    demand: BCL
    state: BCS
    status: BSM
    output: CCS


class Charge:
    """Two plants, the messages between them once a second, and what was said."""

    def __init__(self, pack: Pack, charger: Charger) -> None:
        self.pack, self.charger = pack, charger
        self.now = 1000 * SECOND
        self.log: list[Second] = []
        self.reason: BST | None = None
        charger.pack_presents(pack.parameters(self.now), self.now)
        pack.charger_offers(charger.capability(), self.now)
        self.now += SECOND
        assert pack.ready(self.now)
        assert charger.ready(self.now)
        pack.begin(self.now)
        charger.begin(self.now)

    def run(self, seconds: int) -> "Charge":
        pack, charger = self.pack, self.charger
        for _ in range(seconds):
            self.now += SECOND
            demand, state, status = pack.demand(self.now), pack.measured(self.now), pack.status(self.now)
            charger.pack_demands(demand, self.now)
            charger.pack_measures(state, self.now)
            charger.pause(self.now, paused=status.permission is Permission.FORBIDDEN)
            output = charger.delivers(self.now)
            pack.charger_delivers(output, self.now)
            self.log.append(Second(demand, state, status, output))
            self.reason = pack.stop_wanted(self.now)
            if self.reason is not None or charger.stop_wanted(self.now) is not None:
                charger.end(self.now)
                pack.end(self.now)
                break
        return self


@pytest.fixture(scope="module")
def whole() -> Charge:
    return Charge(Pack(), Charger()).run(2 * 3600)


def test_a_charge_ends_by_itself_in_about_an_hour(whole: Charge) -> None:
    assert whole.reason is not None
    assert whole.reason.cell_voltage_target
    assert not whole.reason.faults
    assert 30 * 60 < len(whole.log) < 75 * 60
    assert whole.pack.statistics(whole.now).soc >= 98


def test_the_state_of_charge_never_falls(whole: Charge) -> None:
    assert all(earlier.state.soc <= later.state.soc for earlier, later in pairwise(whole.log))


def test_the_voltage_rises_while_the_current_is_constant(whole: Charge) -> None:
    steady = [second.state.voltage for second in whole.log if second.state.current == -400.0][180:]
    assert len(steady) > 1800
    assert all(earlier <= later for earlier, later in pairwise(steady))


def test_constant_current_turns_into_constant_voltage(whole: Charge) -> None:
    modes = [second.demand.mode for second in whole.log]
    turn = modes.index(ChargeMode.CONSTANT_VOLTAGE)
    assert set(modes[:turn]) == {ChargeMode.CONSTANT_CURRENT}
    assert set(modes[turn:]) == {ChargeMode.CONSTANT_VOLTAGE}
    tail = whole.log[turn + 30 :]
    assert len(tail) > 120
    assert all(3.64 <= second.state.max_cell_voltage <= 3.66 for second in tail)
    assert all(later.demand.current >= earlier.demand.current for earlier, later in pairwise(tail))
    assert tail[-1].demand.current >= -TRUCK_PACK.cutoff_current
    assert max(second.state.max_cell_voltage for second in whole.log) < TRUCK_PACK.cell_over_voltage


def test_the_charger_delivers_what_the_pack_stores_and_loses(whole: Charge) -> None:
    gained = (whole.pack.battery.soc - 0.2) * TRUCK_PACK.capacity
    stored = gained * TRUCK_PACK.cells * 3.3 / 1000
    delivered = whole.charger.energy
    assert delivered == pytest.approx(
        sum(-s.output.current * s.output.voltage for s in whole.log) / 3.6e6, rel=0.01
    )
    assert stored < delivered < 1.08 * stored


def test_temperatures_rise_and_stay_bounded(whole: Charge) -> None:
    hottest = [second.status.max_temperature for second in whole.log]
    assert hottest[-1] > hottest[0] + 5
    assert max(hottest) < 50


def test_after_the_end_the_voltage_relaxes(whole: Charge) -> None:
    later = whole.pack.measured(whole.now + 3600 * SECOND)
    assert later.voltage < whole.log[-1].state.voltage
    assert later.current == 0.0


@pytest.mark.parametrize(
    ("pack", "charger", "flag"),
    [
        ({"soc_target": 0.5}, {}, "soc_target"),
        ({"max_voltage": 800.0}, {}, "voltage_target"),
        ({"max_current": 80.0, "soc_target": 0.3}, {}, "soc_target"),
        ({}, {"max_current": 350.0, "cable_resistance": 0.05}, "cell_voltage_target"),
    ],
)
def test_other_targets_end_other_charges(
    pack: dict[str, float], charger: dict[str, float], flag: str
) -> None:
    battery: BatterySpec = msgspec.structs.replace(TRUCK_PACK, **pack)
    stage: ChargerSpec = msgspec.structs.replace(BAY_CHARGER, **charger)
    charge = Charge(Pack(battery), Charger(stage)).run(2 * 3600)
    assert charge.reason is not None
    assert getattr(charge.reason, flag)
    assert not charge.reason.faults
    limit = min(battery.max_current, stage.max_current)
    assert all(-limit <= second.output.current <= 0 for second in charge.log)
    assert max(second.state.voltage for second in charge.log) < battery.max_voltage + 2


def test_the_charger_can_end_it_too() -> None:
    charge = Charge(Pack(), Charger(ChargerSpec(energy_limit=50.0))).run(2 * 3600)
    assert charge.reason is None
    assert charge.charger.statistics(charge.now).energy == pytest.approx(50, abs=0.2)


def test_a_frozen_pack_waits_until_it_is_warm() -> None:
    charge = Charge(Pack(temperature=-5.0), Charger()).run(2 * 3600)
    allowed = [second.status.permission is Permission.ALLOWED for second in charge.log]
    warm = allowed.index(True)
    assert warm > 60
    assert all(second.output.current == 0 for second in charge.log[:warm])
    assert charge.reason is not None
    assert charge.reason.cell_voltage_target


def test_fast_polls_and_slow_ones_give_the_same_charge() -> None:
    slow = Charge(Pack(), Charger()).run(600)
    fast = Charge(Pack(), Charger()).run(0)
    for tick in range(600 * 20):
        now = fast.now + (tick + 1) * SECOND // 20
        fast.charger.pack_demands(fast.pack.demand(now), now)
        if tick % 5 == 0:
            fast.charger.pack_measures(fast.pack.measured(now), now)
        fast.pack.charger_delivers(fast.charger.delivers(now), now)
    assert fast.pack.battery.soc == pytest.approx(slow.pack.battery.soc, rel=0.01)
    assert fast.charger.energy == pytest.approx(slow.charger.energy, rel=0.01)
