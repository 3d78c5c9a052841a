"""Descriptors and scenarios are read strictly."""

from pathlib import Path

import pytest

from swapproto.compat import Device, Standing, load_descriptor, load_scenario
from swapproto.compat.load import parse_descriptor, parse_scenario
from swapproto.compat.scenario import NoSuchDevice
from swapproto.errors import ProfileError
from swapproto.profile.values import Quantity, parse_quantity

PACK = """schema = 1
[descriptor]
kind = "pack"
id = "x-1"
name = "X 1"
maker = "Maker X"
[mechanical]
mass = "2.5 t"
lock_points = 6
handling = "hoist"
[electrical]
loops = ["charge", "discharge"]
connector = { value = "c-1", basis = "reported", witnesses = 1, at = "a paper", why = "read there" }
energy_class = { basis = "unset", why = "not measured yet" }
voltage_range = "500 V .. 730 V"
"""
SCENARIO = """schema = 1
[scenario]
id = "s"
title = "A scenario"
[pack.one]
truck = "t"
[pack.one.mechanical]
mass = "2 t"
[pack.two]
like = "one"
[truck.t]
[station.s]
"""


def test_a_plain_value_is_declared_by_its_maker(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(PACK)
    pack = load_descriptor(path)
    assert (pack.kind, pack.id, pack.maker) == (Device.PACK, "x-1", "Maker X")
    mass = pack["mechanical.mass"]
    assert mass.value == (parse_quantity("2500 kg"),)
    assert isinstance(mass.value[0], Quantity)
    assert (mass.standing, mass.text.en, mass.file, mass.line) == (Standing.DECLARED, "2.5 t", str(path), 8)
    assert pack["mechanical.lock_points"].value == (6,)
    assert pack["electrical.loops"].value == ("charge", "discharge")
    assert pack["electrical.loops"].text.zh == "充电、放电"


def test_a_table_says_what_else_it_rests_on() -> None:
    pack = parse_descriptor(PACK, "x.toml")
    connector = pack["electrical.connector"]
    assert (connector.standing, connector.witnesses, connector.at) == (Standing.REPORTED, 1, "a paper")
    assert pack["electrical.energy_class"].why == "not measured yet"


def test_an_address_is_shown_as_one() -> None:
    pack = parse_descriptor(f"{PACK}[protocol]\nvehicle_address = 243\n", "x.toml")
    address = pack["protocol.vehicle_address"]
    assert (address.value, address.text.en) == ((0xF3,), "0xF3")


def test_a_temperature_may_be_below_zero() -> None:
    pack = parse_descriptor(f"{PACK}[protocol]\ntemperature_offset = '-50 degC'\n", "x.toml")
    assert pack["protocol.temperature_offset"].value == (parse_quantity("-50 degC"),)


def test_what_is_not_given_is_unset_and_says_so() -> None:
    given = parse_descriptor(PACK, "x.toml")["thermal.coolant"]
    assert given.value is None
    assert given.standing is Standing.UNSET
    assert given.why


@pytest.mark.parametrize(
    ("old", "new", "key", "line", "reason"),
    [
        ("schema = 1", "schema = 2", "schema", 1, "this version reads 1"),
        ('kind = "pack"', 'kind = "lorry"', "descriptor.kind", 3, "pack, truck, station"),
        ('id = "x-1"', 'id = ""', "descriptor.id", 4, "is empty"),
        ('id = "x-1"', "", "descriptor.id", 2, "is missing"),
        ('maker = "Maker X"', "maker = 7", "descriptor.maker", 6, "must be text"),
        ('maker = "Maker X"', 'colour = "red"', "descriptor.colour", 6, "unknown key"),
        ('maker = "Maker X"', 'basis = "hearsay"', "descriptor.basis", 6, "declared"),
        ('maker = "Maker X"', 'basis = "unset"', "descriptor.basis", 6, "leave out"),
        ("[mechanical]", "[mechanics]", "mechanics", 7, "mechanical"),
        ('mass = "2.5 t"', 'masss = "2.5 t"', "mechanical.masss", 8, "mass"),
        ('mass = "2.5 t"', "mass = 2.5", "mechanical.mass", 8, "a quantity with its unit"),
        ('mass = "2.5 t"', 'mass = "2.5"', "mechanical.mass", 8, "unit"),
        ('mass = "2.5 t"', 'mass = "-3 t"', "mechanical.mass", 8, "not above zero"),
        ('mass = "2.5 t"', 'mass = "0 t"', "mechanical.mass", 8, "not above zero"),
        ('mass = "2.5 t"', 'outline = "1 m x 0 m x 1 m"', "mechanical.outline", 8, "not above zero"),
        ("lock_points = 6", "lock_points = -6", "mechanical.lock_points", 9, "a number"),
        ('"500 V .. 730 V"', '"-500 V .. 730 V"', "electrical.voltage_range", 15, "below zero"),
        (
            "[electrical]",
            "[protocol]\nvehicle_address = 256\n[electrical]",
            "protocol.vehicle_address",
            12,
            "0xFF",
        ),
        ('mass = "2.5 t"', 'mass = "2.5 m"', "mechanical.mass", 8, "mass"),
        ('mass = "2.5 t"', 'mass = ["2.5 t", "3 t"]', "mechanical.mass", 8, "a quantity with its unit"),
        ('mass = "2.5 t"', 'outline = "1 m x 2 m"', "mechanical.outline", 8, "length x width x height"),
        ("lock_points = 6", "lock_points = true", "mechanical.lock_points", 9, "a number"),
        ("lock_points = 6", 'lock_points = "6"', "mechanical.lock_points", 9, "a number"),
        ('handling = "hoist"', 'handling = "crane"', "mechanical.handling", 10, "hoist, chassis, bottom"),
        ('["charge", "discharge"]', "[]", "electrical.loops", 12, "is empty"),
        ('["charge", "discharge"]', '["charge", 7]', "electrical.loops", 12, "a name"),
        ("witnesses = 1, ", "", "electrical.connector", 13, "at least one witness"),
        ("witnesses = 1", "witnesses = -1", "electrical.connector.witnesses", 13, "0 or more"),
        ("witnesses = 1", "witness = 1", "electrical.connector.witness", 13, "unknown key"),
        ('basis = "reported"', 'basis = "assumed"', "electrical.connector", 13, "has no witness"),
        (', why = "read there"', "", "electrical.connector", 13, "says why"),
        ('value = "c-1", ', "", "electrical.connector", 13, "has no value"),
        ('basis = "unset"', 'value = "282 kWh", basis = "unset"', "electrical.energy_class", 14, "no value"),
        ("500 V ..", "..", "electrical.voltage_range", 15, "open end"),
        ("500 V ..", "900 V ..", "electrical.voltage_range", 15, "goes down"),
    ],
)
def test_errors_name_file_line_and_key(old: str, new: str, key: str, line: int, reason: str) -> None:
    assert old in PACK
    with pytest.raises(ProfileError, match=r"x\.toml") as caught:
        parse_descriptor(PACK.replace(old, new, 1), "x.toml")
    assert caught.value.key == key
    assert caught.value.line == line
    assert reason in caught.value.reason


def test_a_station_has_no_key_of_a_pack() -> None:
    with pytest.raises(ProfileError, match=r"mechanical\.mass.*mass_limit"):
        parse_descriptor(PACK.replace('"pack"', '"station"'), "x.toml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read"):
        load_descriptor(tmp_path / "none.toml")
    with pytest.raises(ProfileError, match="TOML"):
        parse_scenario("[[[", "s.toml")


def test_a_device_like_another_takes_its_values_and_not_its_name() -> None:
    scenario = parse_scenario(SCENARIO, "s.toml")
    one, two = scenario.packs
    assert two["mechanical.mass"].value == one["mechanical.mass"].value
    assert two["mechanical.mass"].device == "two"
    assert scenario.truck_of(one) is scenario.trucks[0]
    assert scenario.truck_of(two) is None


@pytest.mark.parametrize(
    ("old", "new", "key", "line", "reason"),
    [
        ('id = "s"', 'id = "s"\nsuppose = "yes"', "scenario.suppose", 4, "true or false"),
        ('title = "A scenario"', "", "scenario.title", 2, "is missing"),
        ('like = "one"', 'like = "three"', "pack.two.like", 10, "stands before"),
        ('truck = "t"', 'truck = "u"', "pack.one.truck", 6, "no truck 'u'"),
        ("[station.s]", "[station.one]", "station.one", 12, "another device"),
        ("[station.s]", "[station.s]\ntruck = 't'", "station.s.truck", 13, "unknown key"),
        ("[station.s]", "[stations.s]", "stations", None, "station"),
        ("[station.s]", "[[station]]", "station", 12, "table"),
        ("[station.s]", "[[fact]]\ntext = 'x'", "fact.0.at", 12, "is missing"),
    ],
)
def test_errors_of_scenarios(old: str, new: str, key: str, line: int | None, reason: str) -> None:
    with pytest.raises(ProfileError, match=r"s\.toml") as caught:
        parse_scenario(SCENARIO.replace(old, new, 1), "s.toml")
    assert (caught.value.key, caught.value.line) == (key, line)
    assert reason in caught.value.reason


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(NoSuchDevice, match="a-282"):
        load_scenario()["a-283"]
