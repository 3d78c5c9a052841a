"""Whatever the parameters and the order of calls, every message that the models make encodes."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from swapproto.frame import SECOND, Instant
from swapproto.messages.gbt27930 import (
    BCL,
    BCP,
    BCS,
    BHM,
    CCS,
    CML,
    ChargeMode,
    ChargingMessage,
    Permission,
)
from swapproto.models.battery import BatterySpec
from swapproto.models.charger import Charger, ChargerSpec
from swapproto.models.pack import Pack
from swapproto.models.spec import Curve

volts = st.integers(0, 0xFFFF).map(lambda raw: raw / 10)
amperes = st.integers(0, 0xFFFF).map(lambda raw: (raw - 4000) / 10)
mode = st.sampled_from(ChargeMode)


@st.composite
def curves(draw: st.DrawFn, x: tuple[float, float], y: tuple[float, float], *, rising: bool) -> Curve:
    xs = sorted(draw(st.sets(st.floats(*x).filter(lambda at: abs(at) > 1e-3), min_size=2, max_size=6)))
    ys = draw(st.lists(st.floats(*y), min_size=len(xs), max_size=len(xs)))
    return Curve(tuple(xs), tuple(sorted(ys) if rising else ys))


batteries = st.builds(
    BatterySpec,
    cells=st.integers(1, 400),
    capacity=st.floats(0.01, 1e6),
    nominal_cell_voltage=st.floats(0.01, 100),
    open_circuit=curves((0, 1), (0, 100), rising=True),
    soc_spread=st.floats(0, 0.5),
    resistance=st.floats(1e-6, 100),
    polarisation=st.floats(0, 100),
    relaxation=st.floats(0.01, 1e6),
    heat_capacity=st.floats(1, 1e9),
    cooling=st.floats(0, 1e6),
    ambient=st.floats(-273, 1000),
    probes=st.integers(1, 300),
    temperature_spread=st.floats(0, 100),
    max_current=st.floats(0, 1e6),
    cutoff_current=st.floats(0.01, 1e6),
    ramp=st.floats(0.01, 1e6),
    derating=curves((-100, 200), (0, 1), rising=False),
    max_cell_voltage=st.floats(0.01, 100),
    max_voltage=st.floats(0.01, 1e6),
    soc_target=st.floats(0, 1),
    max_temperature=st.floats(-273, 1000),
)
chargers = st.builds(
    lambda low, high, least, most, **rest: ChargerSpec(
        min_voltage=min(low, high),
        max_voltage=max(low, high),
        min_current=min(least, most),
        max_current=max(least, most),
        **rest,
    ),
    low=st.floats(0, 1e6),
    high=st.floats(0, 1e6),
    least=st.floats(0, 1e6),
    most=st.floats(0, 1e6),
    number=st.integers(1, 0xFFFF_FFFF),
    region=st.none() | st.text("ABCxyz019-", min_size=1, max_size=3),
    cable_resistance=st.floats(0, 100),
    ramp=st.floats(0.01, 1e6),
    voltage_gain=st.floats(0, 1e6),
    time_limit=st.none() | st.floats(0, 1e6),
    energy_limit=st.none() | st.floats(0, 1e6),
    clock=st.none() | st.datetimes(min_value=datetime.fromisoformat("2000-01-01")),
)

Call: TypeAlias = Callable[[Instant], ChargingMessage | bool | None]

offers = st.builds(CML, max_voltage=volts, min_voltage=volts, max_current=amperes, min_current=amperes)
outputs = st.builds(
    CCS,
    voltage=volts,
    current=amperes,
    elapsed_time=st.integers(0, 600),
    permission=st.sampled_from(Permission),
)
demands = st.builds(BCL, voltage=volts, current=amperes, mode=mode)
states = st.builds(
    BCS,
    voltage=volts,
    current=amperes,
    max_cell_voltage=st.integers(0, 2400).map(lambda raw: raw / 100),
    max_cell_group=st.integers(0, 15),
    soc=st.integers(0, 100),
    remaining_time=st.integers(0, 600),
)
parameters = st.builds(
    BCP,
    max_cell_voltage=st.just(3.65),
    max_current=amperes,
    nominal_energy=st.just(282.0),
    max_voltage=volts,
    max_temperature=st.integers(-50, 200),
    soc=st.just(20.0),
    voltage=volts,
)
gaps = st.sampled_from([0, 0, 1, 50_000_000, SECOND, 3600 * SECOND, 10**18, -SECOND])


def check(calls: Sequence[tuple[Call, int]], now: Instant = 0) -> Instant:
    """Make the calls, each after its gap of nanoseconds, and encode what they return; the last instant."""
    for call, gap in calls:
        now += gap
        message = call(now)
        if isinstance(message, ChargingMessage):
            assert type(message).decode(message.encode()) == message
    return now


@given(st.data(), batteries, st.floats(0, 1), st.none() | st.floats(-273, 1000))
def test_a_pack_always_encodes(
    data: st.DataObject, spec: BatterySpec, soc: float, temperature: float | None
) -> None:
    pack = Pack(spec, soc=soc, temperature=temperature)
    plain: list[Call] = [
        pack.parameters, pack.begin, pack.demand, pack.measured, pack.status, pack.cell_voltages,
        pack.temperatures, pack.stop_wanted, pack.end, pack.statistics, pack.ready,
    ]  # fmt: skip
    calls = st.sampled_from(plain)
    calls |= offers.map(lambda offer: lambda now: pack.charger_offers(offer, now))
    calls |= outputs.map(lambda output: lambda now: pack.charger_delivers(output, now))
    now = check(data.draw(st.lists(st.tuples(calls, gaps), max_size=30)))
    check([(call, 0) for call in plain], now)
    check([(lambda _: pack.identity(), 0), (lambda _: pack.permitted_voltage(), 0)])


@given(st.data(), chargers)
def test_a_charger_always_encodes_and_never_leaves_its_window(data: st.DataObject, spec: ChargerSpec) -> None:
    charger = Charger(spec)
    plain: list[Call] = [
        charger.clock, charger.ready, charger.begin, charger.delivers, charger.stop_wanted, charger.end,
        charger.statistics,
    ]  # fmt: skip
    calls = st.sampled_from(plain)
    calls |= demands.map(lambda demand: lambda now: charger.pack_demands(demand, now))
    calls |= states.map(lambda state: lambda now: charger.pack_measures(state, now))
    calls |= parameters.map(lambda pack: lambda now: charger.pack_presents(pack, now))
    calls |= st.booleans().map(lambda paused: lambda now: charger.pause(now, paused=paused))
    calls |= volts.map(lambda high: lambda now: charger.insulation_tested(BHM(max_voltage=high), now))
    now = 0
    for step in data.draw(st.lists(st.tuples(calls, gaps), max_size=30)):
        now = check([step], now)
        assert 0 <= charger.current <= spec.max_current
    check([(call, 0) for call in plain], now)
    check([(lambda _: charger.capability(), 0), (lambda _: charger.identification(recognised=True), 0)])
