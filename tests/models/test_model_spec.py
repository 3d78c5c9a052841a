"""Curves interpolate, and parameters that make no device are refused by name."""

from collections.abc import Callable
from math import inf, nan

import pytest

from swapproto.errors import SwapError
from swapproto.messages.gbt27930 import BCL, BCS, BSM
from swapproto.models import quantity
from swapproto.models.battery import LFP_OPEN_CIRCUIT, TRUCK_PACK, Battery, BatterySpec
from swapproto.models.charger import BAY_CHARGER, ChargerSpec
from swapproto.models.spec import Curve, SpecError
from swapproto.provenance import Basis


@pytest.mark.parametrize(("at", "value"), [(-1, 10), (0, 10), (1, 15), (2, 20), (3, 15), (4, 10), (9, 10)])
def test_a_curve_is_straight_between_points_and_level_beyond(at: float, value: float) -> None:
    assert Curve((0, 2, 4), (10, 20, 10))(at) == value


@pytest.mark.parametrize(
    ("x", "y"), [((0.0,), (1.0,)), ((0.0, 1.0), (1.0,)), ((0.0, 0.0), (1.0, 2.0)), ((0.0, 1.0), (nan, 2.0))]
)
def test_points_that_make_no_curve(x: tuple[float, ...], y: tuple[float, ...]) -> None:
    with pytest.raises(SpecError):
        Curve(x, y)


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("cells", lambda: BatterySpec(cells=0)),
        ("capacity", lambda: BatterySpec(capacity=nan)),
        ("resistance", lambda: BatterySpec(resistance=0.0)),
        ("heat_capacity", lambda: BatterySpec(heat_capacity=inf)),
        ("soc_target", lambda: BatterySpec(soc_target=1.01)),
        ("open_circuit", lambda: BatterySpec(open_circuit=Curve((0.0, 1.0), (3.5, 3.0)))),
        ("derating", lambda: BatterySpec(derating=Curve((0.0, 1.0), (0.0, 1.5)))),
        ("soc", lambda: Battery(TRUCK_PACK, 20)),
        ("temperature", lambda: Battery(TRUCK_PACK, 0.2, nan)),
        ("number", lambda: ChargerSpec(number=0)),
        ("ramp", lambda: ChargerSpec(ramp=0.0)),
        ("time_limit", lambda: ChargerSpec(time_limit=-1.0)),
        ("min_voltage", lambda: ChargerSpec(min_voltage=2000.0)),
        ("min_current", lambda: ChargerSpec(min_current=500.0)),
        ("region", lambda: ChargerSpec(region="long")),
        ("region", lambda: ChargerSpec(region="")),
        ("region", lambda: ChargerSpec(region="A ")),
    ],
)
def test_a_parameter_that_makes_no_device_is_named(field: str, make: Callable[[], object]) -> None:
    with pytest.raises(SpecError, match=field) as caught:
        make()
    assert caught.value.field == field
    assert isinstance(caught.value, SwapError)


def test_the_defaults_say_that_they_are_assumed() -> None:
    assert TRUCK_PACK.source.basis is Basis.ASSUMED
    assert BAY_CHARGER.source.basis is Basis.ASSUMED
    assert TRUCK_PACK.nominal_energy == pytest.approx(282, abs=0.5)


def test_the_open_circuit_curve_spans_the_charge_and_rises() -> None:
    assert (LFP_OPEN_CIRCUIT.x[0], LFP_OPEN_CIRCUIT.x[-1]) == (0.0, 1.0)
    assert LFP_OPEN_CIRCUIT.rising


@pytest.mark.parametrize(
    ("scale", "below", "low", "between", "nearest", "above", "high"),
    [
        (quantity.volts, -1.0, 0.0, 750.26, 750.3, 1e9, 6553.5),
        (quantity.amperes, -500.0, -400.0, -19.04, -19.0, inf, 6153.5),
        (quantity.cell_volts, -1.0, 0.0, 3.648, 3.65, 40.0, 24.0),
        (quantity.per_mille, -1.0, 0.0, 20.04, 20.0, 101.0, 100.0),
        (quantity.kilowatt_hours, -1.0, 0.0, 281.99, 282.0, 1e6, 1000.0),
    ],
)
def test_a_quantity_is_the_nearest_that_the_wire_has(
    scale: Callable[[float], float],
    below: float,
    low: float,
    between: float,
    nearest: float,
    above: float,
    high: float,
) -> None:
    assert (scale(below), scale(between), scale(above)) == (low, nearest, high)


@pytest.mark.parametrize(
    ("scale", "low", "high"),
    [
        (quantity.per_cent, 0, 100),
        (quantity.degrees, -50, 200),
        (quantity.minutes, 0, 600),
        (quantity.cell_number, 1, 256),
        (quantity.probe_number, 1, 128),
    ],
)
def test_a_whole_quantity_ends_where_its_field_ends(
    scale: Callable[[float], int], low: int, high: int
) -> None:
    assert (scale(-inf), scale(inf)) == (low, high)
    assert isinstance(scale(99.6), int)


def test_ranges_agree_between_the_messages_that_share_a_quantity() -> None:
    def limits(message: type[BCL | BCS | BSM], name: str) -> tuple[int, int, int, int]:
        field = next(field for field in message.layout.fields if field.name == name)
        return field.raw_low, field.raw_high, field.shift, field.denominator

    assert limits(BCL, "voltage") == limits(BCS, "voltage")
    assert limits(BCL, "current") == limits(BCS, "current")
    assert limits(BSM, "max_temperature") == limits(BSM, "min_temperature")
    assert (quantity.MOST_CELLS, quantity.MOST_PROBES) == (256, 128)
