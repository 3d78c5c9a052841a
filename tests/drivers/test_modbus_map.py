"""Register maps: what a table may say, what is refused and where, and values there and back."""

import math
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.errors import LocalProtocolError, ProfileError
from swapproto.frame import MILLISECOND, SECOND
from swapproto_drivers.register_map import COLUMNS, Register, Table, load_map

HEADER = ",".join(COLUMNS)
TEMPLATE = Path(__file__).parents[2] / "examples" / "registers.csv"


def _write(tmp_path: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    path = tmp_path / "map.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding)
    return path


def _register(kind: str, *, scale: str = "1", low_first: bool = False) -> Register:
    return Register("x", Table.HOLDING, 0, kind, low_first, Decimal(scale), "", None, True, "")


def test_the_template_loads() -> None:
    registers = load_map(TEMPLATE)
    assert {each.table for each in registers} == set(Table)
    voltage, power = registers["mains_voltage"], registers["active_power"]
    assert (voltage.scale, voltage.unit, voltage.period, voltage.count) == (Decimal("0.1"), "V", SECOND, 1)
    assert (power.low_word_first, power.count) == (True, 2)
    assert registers["door_open"].period == 100 * MILLISECOND
    assert [each.name for each in registers if each.writable] == ["fan_on", "target_temperature"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_spreadsheets_may_save_it_their_way(tmp_path: Path, separator: str, encoding: str) -> None:
    rows = [
        separator.join(("a", "holding", "0x10", "u16", "", "", "", "", "rw", '"a, b; 电压"')),
        separator * 9,
    ]
    path = _write(tmp_path, *rows, header=separator.join(COLUMNS), encoding=encoding)
    assert load_map(path)["a"].meaning == "a, b; 电压"
    assert load_map(path)["a"].address == 16


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ("a,holding,0,u16,,,,,rw", "row", "9 cells"),
        ("a b,holding,0,u16,,,,,rw,", "name", "letters"),
        ("a,memory,0,u16,,,,,rw,", "table", "coil or discrete"),
        ("a,holding,x,u16,,,,,rw,", "address", "whole number"),
        ("a,holding,65536,u16,,,,,rw,", "address", "0 to 65535"),
        ("a,holding,65535,u32,ABCD,,,,rw,", "address", "no room"),
        ("a,holding,0,u8,,,,,rw,", "type", "u16"),
        ("a,holding,0,bool,,,,,rw,", "type", "u16"),
        ("a,coil,0,u16,,,,,rw,", "type", "bool"),
        ("a,holding,0,u32,,,,,rw,", "words", "ABCD or CDAB"),
        ("a,holding,0,u32,DCBA,,,,rw,", "words", "ABCD or CDAB"),
        ("a,holding,0,u16,ABCD,,,,rw,", "words", "empty"),
        ("a,holding,0,u16,,0,,,rw,", "scale", "other than 0"),
        ('a,holding,0,u16,,"0,1",,,rw,', "scale", "as 0.1"),
        ("a,coil,0,bool,,2,,,rw,", "scale", "empty for a bit"),
        ("a,holding,0,u16,,,,1s,rw,", "period", "500 ms"),
        ("a,holding,0,u16,,,,-1 s,rw,", "period", "500 ms"),
        ("a,holding,0,u16,,,,,,", "access", "r or rw"),
        ("a,input,0,u16,,,,,rw,", "access", "must be r"),
        ("ok,holding,0,u16,,,,,r,", "name", "there already"),
        ("a,holding,7,u32,ABCD,,,,r,", "address", "7 belongs to other"),
        ('a,holding,0,u16,,,,,r,"open', "row", "unexpected end"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_with_its_line(
    tmp_path: Path, row: str, column: str, says: str
) -> None:
    path = _write(tmp_path, "ok,holding,0,u16,,,,,r,", "other,holding,6,u32,ABCD,,,,r,", row)
    with pytest.raises(ProfileError, match=says) as caught:
        load_map(path)
    assert (caught.value.key, caught.value.line) == (column, 4)


@pytest.mark.parametrize(
    ("header", "says"), [("name,address", "must be name, table"), (HEADER, "there are none"), ("", "must be")]
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, header: str, says: str) -> None:
    with pytest.raises(ProfileError, match=says):
        load_map(_write(tmp_path, header=header))


def test_a_file_that_is_not_there_or_not_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="No such file"):
        load_map(tmp_path / "none.csv")
    with pytest.raises(ProfileError, match="CSV UTF-8"):
        load_map(_write(tmp_path, "a,holding,0,u16,,,,,r,电压", encoding="gbk"))


@pytest.mark.parametrize(
    ("kind", "low_first", "value", "raw"),
    [
        ("u16", False, 0xABCD, [0xABCD]),
        ("i16", False, -2, [0xFFFE]),
        ("u32", False, 0x01020304, [0x0102, 0x0304]),
        ("u32", True, 0x01020304, [0x0304, 0x0102]),
        ("i32", True, -2, [0xFFFE, 0xFFFF]),
        ("f32", False, 1.5, [0x3FC0, 0]),
        ("f32", True, 1.5, [0, 0x3FC0]),
        ("u64", False, 1, [0, 0, 0, 1]),
        ("i64", True, 1, [1, 0, 0, 0]),
        ("f64", False, 1.5, [0x3FF8, 0, 0, 0]),
    ],
)
def test_words_stand_as_the_order_says(kind: str, low_first: bool, value: float, raw: list[int]) -> None:
    register = _register(kind, low_first=low_first)
    assert register.encode(value) == raw
    assert register.decode(raw) == value
    assert type(register.decode(raw)) is type(value)


@given(st.integers(0, 0xFFFF), st.sampled_from(["0.1", "0.01", "0.001", "1", "10", "-0.5", "0.25"]))
def test_a_scaled_value_comes_back(raw: int, scale: str) -> None:
    register = _register("u16", scale=scale)
    assert register.encode(register.decode([raw])) == [raw]


def test_a_scaled_value_is_the_nearest_number() -> None:
    assert _register("u16", scale="0.1").decode([3]) == 0.3


@pytest.mark.parametrize(
    ("kind", "scale", "value"),
    [
        ("u16", "1", -1),
        ("u16", "0.1", 6553.6),
        ("i16", "1", 40_000),
        ("u32", "1", math.nan),
        ("u32", "1", math.inf),
        ("f32", "1", 1e39),
    ],
)
def test_a_value_that_does_not_fit_is_refused(kind: str, scale: str, value: float) -> None:
    with pytest.raises(LocalProtocolError, match="does not fit"):
        _register(kind, scale=scale).encode(value)


def test_neighbours_are_read_together_and_gaps_are_not(tmp_path: Path) -> None:
    rows = [f"r{n},holding,{n},u16,,,,,r," for n in range(130)] + ["far,holding,200,u32,ABCD,,,,r,"]
    registers = load_map(_write(tmp_path, *rows, "bit,coil,0,bool,,,,,r,"))
    blocks = registers.blocks(registers.registers)
    assert [(each.table, each.address, each.count) for each in blocks] == [
        (Table.COIL, 0, 1),
        (Table.HOLDING, 0, 125),
        (Table.HOLDING, 125, 5),
        (Table.HOLDING, 200, 2),
    ]
    assert [each.name for block in registers.blocks(["r7", "r6", "r6"]) for each in block.registers] == [
        "r6",
        "r7",
    ]
    with pytest.raises(LocalProtocolError, match="no register 'nope'"):
        registers.blocks(["nope"])
