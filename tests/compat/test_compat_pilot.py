"""The network of the pilot, as it is shipped."""

from importlib.resources import files

import pytest

from swapproto.compat import Descriptor, Scenario, Standing, Verdict, load_scenario, matrix
from swapproto.compat.answer import Answer, check
from swapproto.compat.load import parse_scenario

PILOT = load_scenario()
MATRIX = matrix(PILOT)
HOIST = [
    "nanjing-xinshengwei", "zhenjiang-dagang", "wuxi-1", "wuxi-2", "suzhou-1", "suzhou-2", "shanghai-1",
    "shanghai-2",
]  # fmt: skip
CARS = ["danyang-1", "danyang-2", "jurong", "yangzhong", "runzhou", "zhenjiang-new-area"]
REPORTED = {"mechanical.handling", "mechanical.mass", "electrical.energy_class"}
UNSUITABLE = {
    "e-large": "outline",
    "e-heavy": "mass",
    "e-platform": "voltage-platform",
    "e-connector": "connector",
    "e-edition": "charging-edition",
    "e-charging-rate": "charging-bit-rate",
    "e-vehicle-rate": "vehicle-bit-rate",
    "e-offset": "temperature-offset",
}


def cell(pack: str, station: str) -> Answer:
    row = next(each for each in MATRIX.rows if each.pack.id == pack)
    return row.cells[[each.id for each in MATRIX.stations].index(station)]


def names(answer: Answer) -> set[str]:
    return {each.rule.id.partition(".")[2] for each in answer.reasons}


def text() -> str:
    return (files("swapproto.compat") / "data" / "pilot-network.toml").read_text(encoding="utf-8")


def devices(scenario: Scenario) -> list[Descriptor]:
    return [*scenario.packs, *scenario.trucks, *scenario.stations]


def test_the_stations_are_those_of_the_pilot() -> None:
    assert [each.id for each in PILOT.stations] == HOIST + CARS
    assert len({each.maker for each in PILOT.packs if each.id in ("a-141", "b-282", "c-350", "d-350")}) == 4
    energies = {each["electrical.energy_class"].text.en for each in PILOT.packs}
    assert energies >= {"141 kWh", "282 kWh", "350 kWh"}
    assert all(each.maker.startswith("Maker ") for each in (*PILOT.packs, *PILOT.trucks))


def test_a_truck_from_nanjing_swaps_in_zhenjiang() -> None:
    answer = cell("a-282", "zhenjiang-dagang")
    assert [each.id for each in answer.devices] == ["a-282", "nanjing-tractor", "zhenjiang-dagang"]
    assert answer.verdict is Verdict.COMPATIBLE
    assert answer.supposed


@pytest.mark.parametrize("station", HOIST)
@pytest.mark.parametrize("pack", UNSUITABLE)
def test_a_pack_that_does_not_belong_is_refused_for_that_reason(pack: str, station: str) -> None:
    answer = cell(pack, station)
    assert answer.verdict is Verdict.INCOMPATIBLE
    assert names(answer) == {UNSUITABLE[pack]}


@pytest.mark.parametrize("station", HOIST)
def test_a_passenger_pack_is_refused_for_its_handling_and_nothing_else(station: str) -> None:
    answer = cell("p-car", station)
    assert answer.verdict is Verdict.INCOMPATIBLE
    assert names(answer) == {"handling"}
    assert {each.rule.first for each in answer.results} == {True}
    assert names(check(PILOT["p-car"], PILOT[station])) == {"handling"}


@pytest.mark.parametrize("station", CARS)
def test_passenger_stations_serve_cars_and_no_trucks(station: str) -> None:
    assert cell("p-car", station).verdict is Verdict.COMPATIBLE
    for row in MATRIX.rows:
        if row.pack.id != "p-car":
            assert names(cell(row.pack.id, station)) == {"handling"}


def test_what_nobody_has_said_stays_unknown_even_where_the_rest_is_supposed() -> None:
    planned, silent = cell("a-282", "suzhou-2"), cell("d-350", "zhenjiang-dagang")
    for answer, lacking in ((planned, "suzhou-2 mechanical.mass_limit"), (silent, "d-350 mechanical.mass")):
        assert answer.verdict is Verdict.UNKNOWN
        assert names(answer) == {"mass"}
        assert lacking in [each.what for each in answer.settles]
        assert "cn-js-hdt-2022 pack.mass" in [each.what for each in answer.settles]


def test_every_answer_is_labelled() -> None:
    assert all(answer.supposed for row in MATRIX.rows for answer in row.cells)


def test_without_the_premise_nothing_is_decided() -> None:
    sober = matrix(parse_scenario(text().replace("suppose = true", "suppose = false"), "pilot"))
    assert {answer.verdict for row in sober.rows for answer in row.cells} == {Verdict.UNKNOWN}
    assert not any(answer.supposed for row in sober.rows for answer in row.cells)


def test_no_value_is_passed_off_as_a_maker_s_or_as_a_standard_s_text() -> None:
    for device in devices(PILOT):
        for value in device.values.values():
            assert value.standing not in (Standing.DECLARED, Standing.STATED)
            assert value.why, f"{device.id} {value.key}"
            if value.standing is not Standing.ASSUMED and value.value is not None:
                assert value.standing is Standing.REPORTED
                assert value.at
                assert value.key in REPORTED


def test_every_device_says_everything_but_what_is_left_open_on_purpose() -> None:
    open_ = {
        (each.id, key) for each in devices(PILOT) for key, value in each.values.items() if value.value is None
    }
    assert open_ == {("d-350", "mechanical.mass"), ("suzhou-2", "mechanical.mass_limit")}


def test_the_facts_of_the_network_have_their_sources() -> None:
    assert any("300 trucks and 6 more stations" in each.text.en for each in PILOT.facts)
    assert all(each.at and each.text.zh != each.text.en for each in PILOT.facts)


def test_groups_hold_every_station_once() -> None:
    for row in MATRIX.rows:
        grouped = [station.id for group in row.groups for station in group.stations]
        assert sorted(grouped) == sorted(HOIST + CARS)
        for place, station in enumerate(MATRIX.stations):
            group = row.groups[row.group_of(station)]
            assert station in group.stations
            assert row.cells[place].verdict is group.answer.verdict


def test_letters_and_reasons_are_found_once() -> None:
    found = matrix(load_scenario())
    assert found.letters is found.letters
    assert all(cell.reasons is cell.reasons for row in found.rows for cell in row.cells)
