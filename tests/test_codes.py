import datetime as dt
import re

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swapproto.codes import (
    LAYOUT,
    SECOND_LIFE_LAYOUT,
    VIN_LAYOUT,
    Alphabet,
    CodeField,
    FaultKind,
    PackCode,
    Product,
    Vin,
    check_digit,
    with_check_digit,
)
from swapproto.codes.vin import CHECK_DIGITS, VALUES, WEIGHTS
from swapproto.errors import CodecError
from swapproto.provenance import Basis

PUBLIC = "X12MCPM27KLPCLX2M2382320"
PACK = "ABCPBXX1234567D2A0000001"
SECOND_LIFE = "ABCPBXXD2A0000001RM"
TEXTBOOK = "1M8GDM9AXKP042788"
ONES = "1" * 17

PUBLISHED = re.compile(
    "[A-Z0-9]{3}[PMC][A-GZ][A-Z0-9]{2}([A-Z0-9]{7})?[1-9A-HJ-NPR-Y][1-9A-C][0-9A-HJ-NPR-Y][0-9]{7}(R[PMC])?"
)


def texts(layout: tuple[CodeField, ...]) -> st.SearchStrategy[str]:
    """Every text that follows a layout."""
    letters = [field.alphabet.members for field in layout for _ in range(field.length)]
    return st.tuples(*map(st.sampled_from, letters)).map("".join)


codes = texts(LAYOUT) | texts(SECOND_LIFE_LAYOUT)
vins = texts(VIN_LAYOUT).map(with_check_digit).map(str)


def code(text: str) -> PackCode:
    found = PackCode.parse(text).code
    assert found is not None
    return found


def faults(text: str) -> list[tuple[FaultKind, int, str | None]]:
    read = Vin.parse(text) if len(text) == 17 else PackCode.parse(text)
    return [(fault.kind, fault.position, fault.character) for fault in read.faults]


# --- pack codes -------------------------------------------------------------------------------------------


def test_the_public_example() -> None:
    found = code(PUBLIC)
    assert found == PackCode(
        manufacturer="X12",
        product=Product.MODULE,
        chemistry="C",
        specification="PM",
        traceability="27KLPCL",
        year="X",
        month="2",
        day="M",
        serial="2382320",
    )
    assert found.chemistry_meaning is None
    assert found.years == (2040, 2043)
    assert found.date is None
    assert found.dates == (dt.date(2040, 2, 21), dt.date(2043, 2, 21))


def test_the_layouts_fill_24_and_19_characters() -> None:
    for layout, length in ((LAYOUT, 24), (SECOND_LIFE_LAYOUT, 19), (VIN_LAYOUT, 17)):
        places = [place for field in layout for place in range(field.first, field.first + field.length)]
        assert places == list(range(1, length + 1))


@given(codes)
@example(PUBLIC)
@example(SECOND_LIFE)
def test_a_code_read_and_written_is_the_same(text: str) -> None:
    read = PackCode.parse(text)
    assert read.valid
    assert str(read.code) == text
    assert read.code is not None
    assert read.code.doubts == read.doubts
    assert (read.code.second_life is not None) == (len(text) == 19)


@given(codes)
@example(PUBLIC)
@example(SECOND_LIFE)
@example("ABCPBXX1234567I2A0000001")
def test_the_published_pattern_refuses_only_years_in_doubt(text: str) -> None:
    disputed = code(text).year in "IOQZ"
    assert (PUBLISHED.fullmatch(text) is None) == disputed


@given(
    st.sampled_from(Product),
    st.dates(dt.date(2011, 1, 1), dt.date(2027, 12, 31)),
    st.integers(0, 9_999_999),
    st.none() | st.sampled_from(Product),
)
def test_a_built_code_is_read_back(
    product: Product, made: dt.date, serial: int, second_life: Product | None
) -> None:
    built = PackCode.build(
        manufacturer="0A9",
        product=product,
        chemistry="E",
        specification="Z0",
        traceability="ABCDEFG" if second_life is None else None,
        made=made,
        serial=serial,
        second_life=second_life,
    )
    read = PackCode.parse(str(built))
    assert read.code == built
    assert built.date == made
    assert int(built.serial) == serial
    assert [doubt.position for doubt in read.doubts] == ([] if second_life is None else [None])


@pytest.mark.parametrize(
    ("letter", "years"),
    [
        *((str(digit), (2010 + digit,)) for digit in range(1, 10)),
        *((letter, (2020 + number,)) for number, letter in enumerate("ABCDEFGH")),
        ("I", (2028,)), ("J", (2028, 2029)), ("K", (2029, 2030)), ("L", (2030, 2031)), ("M", (2031, 2032)),
        ("N", (2032, 2033)), ("O", (2034,)), ("P", (2033, 2035)), ("Q", (2036,)), ("R", (2034, 2037)),
        ("S", (2035, 2038)), ("T", (2036, 2039)), ("U", (2037, 2040)), ("V", (2038, 2041)),
        ("W", (2039, 2042)), ("X", (2040, 2043)), ("Y", (2041, 2044)), ("Z", (2045,)),
    ],
)  # fmt: skip
def test_both_tables_of_years_are_kept(letter: str, years: tuple[int, ...]) -> None:
    found = code(PACK[:14] + letter + PACK[15:])
    assert found.years == years
    assert [doubt.position for doubt in found.doubts] == ([15] if letter > "H" else [])
    for doubt in found.doubts:
        assert len({source.at for source in doubt.sources}) == 2


@pytest.mark.parametrize(("letter", "day"), [("1", 1), ("9", 9), ("A", 10), ("H", 17), ("J", 18), ("N", 22),
                                             ("P", 23), ("R", 24), ("Y", 31)])  # fmt: skip
def test_the_letters_of_the_day(letter: str, day: int) -> None:
    assert code(PACK[:15] + "C" + letter + PACK[17:]).date == dt.date(2023, 12, day)


@pytest.mark.parametrize(
    ("made", "date", "doubted"),
    [
        ("C2W", None, [17]),  # 29 February 2022
        ("D2W", None, [17]),
        ("E2W", dt.date(2024, 2, 29), []),
        ("E4Y", None, [17]),  # 31 April
        ("E40", None, [17]),
        ("J2W", dt.date(2028, 2, 29), [15]),  # the other table makes it 2029, which has no such day
        ("M2W", dt.date(2032, 2, 29), [15]),
        ("K2W", None, [15, 17]),  # neither 2029 nor 2030
    ],
)
def test_a_day_that_the_calendar_lacks_is_doubted(
    made: str, date: dt.date | None, doubted: list[int]
) -> None:
    read = PackCode.parse(PACK[:14] + made + PACK[17:])
    assert read.valid
    assert read.code is not None
    assert read.code.date == date
    assert [doubt.position for doubt in read.doubts] == doubted


def test_the_two_lengths_of_a_second_life_are_both_named() -> None:
    for text in (SECOND_LIFE, SECOND_LIFE[:-1], SECOND_LIFE[:-1] + "X"):
        (doubt,) = PackCode.parse(text).doubts
        assert doubt.position is None
        assert sorted(source.at[-13:] for source in doubt.sources) == ["18 characters", "19 characters"]
    read = PackCode.parse(SECOND_LIFE)
    assert read.code is not None
    assert (read.code.product, read.code.traceability, read.code.second_life) == (
        Product.PACK,
        None,
        Product.MODULE,
    )
    short = PackCode.parse(SECOND_LIFE[:-1])
    assert short.code is None
    assert faults(short.text) == [(FaultKind.LENGTH, 19, None)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(FaultKind.LENGTH, 1, None)]),
        (PACK[:23], [(FaultKind.LENGTH, 24, None)]),
        (PACK + "\0\0", [(FaultKind.LENGTH, 25, "\0")]),
        (PACK.lower()[:3] + PACK[3:], [(FaultKind.CHARACTER, n, "abc"[n - 1]) for n in (1, 2, 3)]),
        ("abc", [*((FaultKind.CHARACTER, n, "abc"[n - 1]) for n in (1, 2, 3)), (FaultKind.LENGTH, 4, None)]),
        (PACK[:3] + "X" + PACK[4:], [(FaultKind.CHARACTER, 4, "X")]),
        (PACK[:4] + "H" + PACK[5:], [(FaultKind.CHARACTER, 5, "H")]),
        (PACK[:14] + "0D0" + PACK[17:], [(FaultKind.CHARACTER, 15, "0"), (FaultKind.CHARACTER, 16, "D")]),
        (PACK[:16] + "Z" + PACK[17:], [(FaultKind.CHARACTER, 17, "Z")]),
        (PACK[:23] + "\uff11", [(FaultKind.CHARACTER, 24, "\uff11")]),
        (SECOND_LIFE[:17] + "SM", [(FaultKind.CHARACTER, 18, "S")]),
    ],
)
def test_faults_name_place_and_character(
    text: str, expected: list[tuple[FaultKind, int, str | None]]
) -> None:
    assert faults(text) == expected
    assert PackCode.parse(text).code is None


@given(codes, st.data())
def test_a_stranger_at_any_place_is_found_there(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 1))
    stranger = data.draw(st.characters(exclude_characters="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
    assert faults(text[:at] + stranger + text[at + 1 :]) == [(FaultKind.CHARACTER, at + 1, stranger)]


@given(st.text(max_size=40) | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=16, max_size=26))
@example("\ud800" * 17)
@example("\ud800" * 24)
def test_no_text_raises(text: str) -> None:
    for read in (PackCode.parse(text), Vin.parse(text)):
        assert read.text == text
        assert (read.code is None) <= bool(read.faults)
        positions = [fault.position for fault in read.faults]
        assert positions == sorted(positions)
        for fault in read.faults:
            assert fault.character == (text[fault.position - 1 : fault.position] or None)
            assert str(fault)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("manufacturer", "AB"), ("manufacturer", "AB-"), ("chemistry", "H"), ("chemistry", ""),
        ("specification", "x1"), ("traceability", "123456"), ("traceability", None), ("year", "0"),
        ("month", "D"), ("day", "I"), ("serial", "12"), ("serial", "000000A"),
    ],
)  # fmt: skip
def test_a_code_that_breaks_the_layout_is_not_built(field: str, value: str | None) -> None:
    good = {name: getattr(code(PACK), name) for name in PackCode.__struct_fields__}
    with pytest.raises(CodecError) as caught:
        PackCode(**{**good, field: value})
    assert caught.value.field == field


def test_a_second_life_has_no_traceability() -> None:
    with pytest.raises(CodecError) as caught:
        msgspec.structs.replace(code(PACK), second_life=Product.PACK)
    assert caught.value.field == "traceability"


@pytest.mark.parametrize(
    ("made", "serial", "field", "words"),
    [
        (dt.date(2010, 12, 31), 1, "year", "2010 has no letter"),
        (dt.date(2028, 1, 1), 1, "year", "J or I"),
        (dt.date(2042, 1, 1), 1, "year", "2042 is W"),
        (dt.date(2046, 1, 1), 1, "year", "2046 has no letter"),
        (dt.date(2024, 1, 1), -1, "serial", "'-'"),
        (dt.date(2024, 1, 1), 10_000_000, "serial", "8 characters"),
    ],
)
def test_what_cannot_be_marked(made: dt.date, serial: int, field: str, words: str) -> None:
    with pytest.raises(CodecError, match=words) as caught:
        PackCode.build(
            manufacturer="ABC",
            product=Product.PACK,
            chemistry="B",
            specification="XX",
            traceability="1234567",
            made=made,
            serial=serial,
        )
    assert caught.value.field == field


def test_two_letters_of_chemistry_have_a_public_meaning() -> None:
    known = {letter: code(PACK[:4] + letter + PACK[5:]).chemistry_meaning for letter in "ABCDEFGZ"}
    witnesses = {letter: each.source.witnesses for letter, each in known.items() if each is not None}
    assert witnesses == {"B": 2, "E": 1}


def test_every_rule_has_a_source_and_none_claims_the_text() -> None:
    for field in (*LAYOUT, *SECOND_LIFE_LAYOUT, *VIN_LAYOUT):
        assert field.source.at
        assert field.source.basis is Basis.REPORTED
        assert field.source.witnesses >= 1


# --- VINs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [TEXTBOOK, ONES])
def test_textbook_vins(text: str) -> None:
    read = Vin.parse(text)
    assert read.valid
    assert read.code == Vin(text) == Vin.build(text[:8], text[9:])
    assert read.code.check_digit_holds


@given(texts(VIN_LAYOUT))
def test_the_check_digit_is_the_weighted_sum(text: str) -> None:
    vin = with_check_digit(text)
    assert Vin.parse(str(vin)).valid
    assert vin.text[:8] + vin.text[9:] == text[:8] + text[9:]
    digit = vin.text[8]
    rest = sum(weight * VALUES[each] for weight, each in zip(WEIGHTS, text, strict=True))
    assert (rest - CHECK_DIGITS.index(digit)) % 11 == 0
    assert check_digit(text) == digit


@given(vins, st.data())
def test_a_changed_character_is_caught_unless_it_counts_the_same(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, 16).filter(lambda place: place != 8))
    other = data.draw(st.sampled_from(sorted(VALUES)))
    read = Vin.parse(text[:at] + other + text[at + 1 :])
    same = VALUES[other] == VALUES[text[at]]
    assert read.valid == same
    assert [fault.kind for fault in read.faults] == ([] if same else [FaultKind.CHECK_DIGIT])


@given(vins, st.sampled_from(sorted(VALUES)))
def test_a_changed_check_digit_is_always_caught(text: str, other: str) -> None:
    read = Vin.parse(text[:8] + other + text[9:])
    assert read.valid == (other == text[8])
    assert read.code is not None
    assert read.code.check_digit_holds == read.valid
    for fault in read.faults:
        found = (fault.kind, fault.position, fault.character, fault.expected)
        assert found == (FaultKind.CHECK_DIGIT, 9, other, text[8])


@given(vins, st.sampled_from([*range(7), *range(9, 16)]))
def test_neighbours_that_changed_places_are_caught_unless_they_count_the_same(text: str, at: int) -> None:
    swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    assert Vin.parse(swapped).valid == (VALUES[text[at]] == VALUES[text[at + 1]])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IOQ" + ONES[3:], [(FaultKind.CHARACTER, n, "IOQ"[n - 1]) for n in (1, 2, 3)]),
        (TEXTBOOK[:8] + "i" + TEXTBOOK[9:], [(FaultKind.CHARACTER, 9, "i")]),
        (ONES[:8] + "2" + ONES[9:], [(FaultKind.CHECK_DIGIT, 9, "2")]),
    ],
)
def test_faults_of_a_vin(text: str, expected: list[tuple[FaultKind, int, str | None]]) -> None:
    assert faults(text) == expected


@pytest.mark.parametrize(
    ("text", "position"), [("", 1), (ONES[:16], 17), (ONES + "1", 18), (ONES + "III", 18)]
)
def test_a_vin_has_17_characters(text: str, position: int) -> None:
    (fault,) = Vin.parse(text).faults
    assert (fault.kind, fault.position, fault.expected) == (FaultKind.LENGTH, position, "17")


def test_bad_calls_say_where() -> None:
    with pytest.raises(CodecError, match="16 characters"):
        Vin(ONES[:16])
    with pytest.raises(CodecError, match=r"byte 3.*'O'") as caught:
        Vin("11O" + ONES[3:])
    assert caught.value.offset == 2
    with pytest.raises(CodecError) as caught:
        Vin.build(ONES[:8], ONES[:7])
    assert caught.value.field == "after"
    with pytest.raises(CodecError, match="18 characters"):
        check_digit(ONES + "1")
    assert with_check_digit(TEXTBOOK[:8] + "?" + TEXTBOOK[9:]) == Vin(TEXTBOOK)


def test_an_alphabet_counts_in_its_order() -> None:
    letters = Alphabet("B A", "BA")
    assert [letters.number(each) for each in ("B", "A", "", "BA", "C")] == [0, 1, None, None, None]
    assert [letters.character(number) for number in (-1, 0, 1, 2)] == [None, "B", "A", None]
