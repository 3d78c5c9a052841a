"""The declarations against the tables of messages and of data fields, typed in here a second time."""

from typing import Any

import pytest

from swapproto.frame import MILLISECOND
from swapproto.messages.catalog import EDITIONS
from swapproto.messages.gbt27930 import (
    MESSAGES,
    ChargingMessage,
    Edition,
    Party,
    Phase,
    edition2011,
    edition2023,
)
from swapproto.provenance import Basis
from swapproto.wire.fields import Choice, Integer, Raw, Text
from swapproto.wire.layout import Field

ONE_WAY = """
CHM 2600 6  3     250 charger 1826F456 HANDSHAKE
BHM 2700 6  2     250 BMS     182756F4 HANDSHAKE
CRM 0100 6  8     250 charger 1801F456 IDENTIFICATION
BRM 0200 7 49     250 BMS     1C0256F4 IDENTIFICATION
BCP 0600 7 13     500 BMS     1C0656F4 CONFIGURATION
CTS 0700 6  7     500 charger 1807F456 CONFIGURATION
CML 0800 6  8     250 charger 1808F456 CONFIGURATION
BRO 0900 4  1     250 BMS     100956F4 CONFIGURATION
CRO 0A00 4  1     250 charger 100AF456 CONFIGURATION
BCL 1000 6  5      50 BMS     181056F4 CHARGING
BCS 1100 7  9     250 BMS     1C1156F4 CHARGING
CCS 1200 6  7      50 charger 1812F456 CHARGING
BSM 1300 6  7     250 BMS     181356F4 CHARGING
BMV 1500 7  *   10000 BMS     1C1556F4 CHARGING
BMT 1600 7  *   10000 BMS     1C1656F4 CHARGING
BSP 1700 7  *   10000 BMS     1C1756F4 CHARGING
BST 1900 4  4      10 BMS     101956F4 END
CST 1A00 4  4      10 charger 101AF456 END
BSD 1C00 6  7     250 BMS     181C56F4 END
CSD 1D00 6  8     250 charger 181DF456 END
BEM 1E00 2  4     250 BMS     081E56F4 ERROR
CEM 1F00 2  4     250 charger 081FF456 ERROR
"""
ROWS = [line.split() for line in ONE_WAY.strip().splitlines()]
BY_NAME = {message.__name__: message for message in MESSAGES}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_message_is_as_the_table_says(row: list[str]) -> None:
    name, pgn, priority, length, period, sender, can_id, phase = row
    message = BY_NAME[name]
    assert (f"{message.pgn:04X}", message.priority) == (pgn, int(priority))
    assert message.period_ms == int(period)
    assert message.period() == int(period) * MILLISECOND
    assert message.sender.label == sender
    assert f"{message.identifier():08X}" == can_id
    assert {f"{each:08X}": who for each, who in message.identifiers().items()} == {can_id: message.sender}
    assert message.phase is Phase[phase]
    assert (message.layout.tail is not None) == (length == "*")
    assert message.layout.length == (0 if length == "*" else int(length))
    assert message.optional == (name in {"CTS", "BMV", "BMT", "BSP"})


def test_the_table_is_whole_and_in_order() -> None:
    assert [row[0] for row in ROWS] + [f"DM{n}" for n in range(1, 7)] == [each.__name__ for each in MESSAGES]


@pytest.mark.parametrize("number", range(1, 7))
def test_diagnosis_travels_both_ways_on_an_event(number: int) -> None:
    message = BY_NAME[f"DM{number}"]
    assert (message.pgn, message.priority) == (0x1F00 + 0x100 * number, 6)
    assert (message.period_ms, message.period()) == (None, None)
    page = 0x1F + number
    assert message.identifiers() == {
        0x180056F4 | page << 16: Party.BMS,
        0x1800F456 | page << 16: Party.CHARGER,
    }


def test_ccs_is_read_with_eight_bytes_and_sent_with_seven() -> None:
    assert BY_NAME["CCS"].layout.lengths == (7, 8)
    assert {each.__name__: each.layout.lengths for each in MESSAGES if len(each.layout.lengths) > 1} == {
        "CCS": (7, 8)
    }


DATA = """
CHM 2600 1 8 1 0; 2600 2-3 16 1 0
BHM 2601 1-2 16 0.1 0
CRM 2560 1 8 code; 2561 2-5 32 1 0; 2562 6-8 24 text?
BRM 2565 1 8 1 0; 2565 2-3 16 1 0; 2566 4 8 code; 2567 5-6 16 0.1 0; 2568 7-8 16 0.1 0
BRM 2569 9-12 32 text?; 2570 13-16 32 raw?; 2571 17 8 1 1985 1985..2235?; 2571 18 8 1 0 1..12?
BRM 2571 19 8 1 0 1..31?; 2572 20-22 24 1 0?; 2573 23 8 code?; 2574 24 8 1 0?; 2575 25-41 136 text?
BRM 2576 42 8 1 0?; 2576 43 8 1 0?; 2576 44 8 1 0?; 2576 45-46 16 1 0?
BCP 2816 1-2 16 0.01 0 0..24; 2817 3-4 16 0.1 -400; 2818 5-6 16 0.1 0 0..1000; 2819 7-8 16 0.1 0
BCP 2820 9 8 1 -50 -50..200; 2821 10-11 16 0.1 0 0..100; 2822 12-13 16 0.1 0
CTS 2823 1-7 56 time?
CML 2824 1-2 16 0.1 0; 2825 3-4 16 0.1 0; 2826 5-6 16 0.1 -400; 2827 7-8 16 0.1 -400
BRO 2829 1 8 code
CRO 2830 1 8 code
BCL 3072 1-2 16 0.1 0; 3073 3-4 16 0.1 -400; 3074 5 8 code
BCS 3075 1-2 16 0.1 0; 3076 3-4 16 0.1 -400; 3077 5.1 12 0.01 0 0..24; 3077 6.5 4 1 0
BCS 3078 7 8 1 0 0..100; 3079 8-9 16 1 0 0..600
CCS 3081 1-2 16 0.1 0; 3082 3-4 16 0.1 -400; 3083 5-6 16 1 0 0..600; 3929 7.1 2 code
BSM 3085 1 8 1 1; 3086 2 8 1 -50 -50..200; 3087 3 8 1 1 1..128; 3088 4 8 1 -50 -50..200; 3089 5 8 1 1 1..128
BSM 3090 6.1 2 code; 3091 6.3 2 code; 3092 6.5 2 code; 3093 6.7 2 code
BSM 3094 7.1 2 code; 3095 7.3 2 code; 3096 7.5 2 code
BST 3511 1.1 2 code; 3511 1.3 2 code; 3511 1.5 2 code; 3511 1.7 2 code
BST 3512 2.1 2 code; 3512 2.3 2 code; 3512 2.5 2 code; 3512 2.7 2 code
BST 3512 3.1 2 code; 3512 3.3 2 code; 3512 3.5 2 code; 3512 3.7 2 code; 3513 4.1 2 code; 3513 4.3 2 code
CST 3521 1.1 2 code; 3521 1.3 2 code; 3521 1.5 2 code; 3521 1.7 2 code
CST 3522 2.1 2 code; 3522 2.3 2 code; 3522 2.5 2 code; 3522 2.7 2 code; 3522 3.1 2 code; 3522 3.3 2 code
CST 3523 4.1 2 code; 3523 4.3 2 code
BSD 3601 1 8 1 0; 3602 2-3 16 0.01 0 0..24; 3603 4-5 16 0.01 0 0..24; 3604 6 8 1 -50; 3605 7 8 1 -50
CSD 3611 1-2 16 1 0 0..600; 3612 3-4 16 0.1 0 0..1000; 3613 5-8 32 1 1
BEM 3901 1.1 2 code; 3902 1.3 2 code; 3903 2.1 2 code; 3904 2.3 2 code; 3905 3.1 2 code; 3906 3.3 2 code
BEM 3907 4.1 2 code; None 4.3 6 1 0?
CEM 3921 1.1 2 code; 3922 2.1 2 code; 3923 2.3 2 code; 3924 3.1 2 code; 3925 3.3 2 code; 3926 3.5 2 code
CEM 3927 4.1 2 code; None 4.3 6 1 0?
"""


def typed_in(name: str) -> list[str]:
    lines = [line.split(" ", 1)[1] for line in DATA.strip().splitlines() if line.startswith(name + " ")]
    return [entry.strip() for line in lines for entry in line.split(";")]


def declared(field: Field) -> str:
    """A field in the words of the table: SPN, place, bits, kind or scale and offset, limits, optional."""
    marker = field.marker
    parts: list[Any] = [marker.spn, field.place, field.bits]
    if isinstance(marker, Integer):
        parts += [marker.scale, marker.offset]
        limits = [marker.low, marker.high]
        if limits == [None, 2235]:  # follows from the offset
            limits = [1985, 2235]
        parts += [f"{limits[0]}..{limits[1]}"] if limits != [None, None] else []
    else:
        parts.append("code" if isinstance(marker, Choice) else "text" if isinstance(marker, Text) else "raw")
        if not isinstance(marker, Choice | Text | Raw):
            parts[-1] = "time"
    return " ".join(map(str, parts)) + ("?" if field.optional else "")


@pytest.mark.parametrize("name", sorted({row[0] for row in ROWS} - {"BMV", "BMT", "BSP"}))
def test_each_field_is_as_the_table_says(name: str) -> None:
    assert [declared(field) for field in BY_NAME[name].layout.fields] == typed_in(name)


def test_the_repeated_fields_are_as_the_table_says() -> None:
    tails = {name: BY_NAME[name].layout.tail for name in ("BMV", "BMT", "BSP")}
    found = {
        name: (
            [declared(f) for f in tail.item.fields],
            tail.max_items,
            getattr(tail.marker, "first_spn", None),
        )
        for name, tail in tails.items()
        if tail is not None and tail.item is not None
    }
    assert found == {
        "BMV": (["None 1.1 12 0.01 0 0..24", "None 2.5 4 1 0"], 256, 3101),
        "BMT": (["None 1 8 1 -50 -50..200"], 128, None),
        "BSP": (["None 1 8 1 0"], 16, 3491),
    }


READY = {0x00: "NOT_READY", 0xAA: "READY", 0xFF: "INVALID"}
LEVEL = {0: "NORMAL", 1: "HIGH", 2: "LOW"}
PERMISSION = {0: "FORBIDDEN", 1: "ALLOWED"}
CONDITION = {0: "NORMAL", 1: "FAULT", 2: "UNTRUSTED"}
REACHED = {0: "NO", 1: "YES", 2: "UNTRUSTED"}
TIMEOUT = {0: "NORMAL", 1: "TIMEOUT", 2: "UNTRUSTED"}
CELLS = ("LEAD_ACID", "NIMH", "LFP", "LMO", "LCO", "TERNARY", "POLYMER", "LTO")
CODES = {
    2560: {0x00: "NOT_RECOGNISED", 0xAA: "RECOGNISED"},
    2566: dict(enumerate(CELLS, 1)) | {0xFF: "OTHER"},
    2573: {0: "LEASED", 1: "OWNED"},
    **dict.fromkeys((2829, 2830), READY),
    3074: {1: "CONSTANT_VOLTAGE", 2: "CONSTANT_CURRENT"},
    **dict.fromkeys((3090, 3091), LEVEL),
    **dict.fromkeys((3096, 3929), PERMISSION),
    **dict.fromkeys((3092, 3093, 3094, 3095, 3512, 3513, 3522, 3523), CONDITION),
    **dict.fromkeys((3511, 3521), REACHED),
    **dict.fromkeys((*range(3901, 3908), *range(3921, 3928)), TIMEOUT),
}


def test_every_code_has_the_members_of_the_table() -> None:
    coded = [field for message in MESSAGES for field in message.layout.fields if field.code is not None]
    found = {
        field.marker.spn: {member.value: member.name for member in field.code}
        for field in coded
        if field.code is not None
    }
    assert found == CODES


def test_2011_differs_in_what_recordings_show_and_in_nothing_else() -> None:
    names = {each.__name__: each for each in edition2011.MESSAGES}
    assert set(BY_NAME) - set(names) == {"CHM", "BHM"}
    assert {name for name, each in names.items() if each is not BY_NAME[name]} == {"CRM", "BRM", "CML", "CCS"}
    assert {name: names[name].layout.length for name in ("CRM", "BRM", "CML", "CCS")} == {
        "CRM": 8, "BRM": 41, "CML": 6, "CCS": 6,
    }  # fmt: skip
    assert [declared(field) for field in names["CRM"].layout.fields] == [
        "2560 1 8 code", "2561 2 8 1 0", "2562 3-8 48 text?",
    ]  # fmt: skip
    for name in ("BRM", "CML", "CCS"):
        kept = names[name].layout.fields
        assert [declared(field) for field in kept] == typed_in(name)[: len(kept)]
    changed = [names[name] for name in ("CRM", "BRM", "CML", "CCS")]
    assert {each.source.basis for each in changed} == {Basis.DERIVED}


def test_2023_differs_in_what_is_public_and_in_nothing_else() -> None:
    names = {each.__name__: each for each in edition2023.MESSAGES}
    assert {name for name, each in names.items() if each is not BY_NAME.get(name)} == {
        "BHM", "CCS", "VersionOffer", "VersionAnswer",
    }  # fmt: skip
    assert names["CCS"].layout.lengths == (7,)
    assert [declared(field) for field in names["CCS"].layout.fields] == typed_in("CCS")
    assert [declared(field) for field in names["BHM"].layout.fields] == typed_in("BHM")
    assert [(f"{i:08X}", who) for i, who in names["VersionOffer"].identifiers().items()] == [
        ("0C3CF456", Party.CHARGER)
    ]
    assert [(f"{i:08X}", who) for i, who in names["VersionAnswer"].identifiers().items()] == [
        ("0C3C56F4", Party.BMS)
    ]


@pytest.mark.parametrize("edition", list(Edition))
def test_no_two_messages_of_an_edition_share_an_identifier(edition: Edition) -> None:
    seen: dict[int, type[ChargingMessage]] = {}
    for message in EDITIONS[edition]:
        for can_id in message.identifiers():
            assert can_id not in seen, f"{message.__name__} and {seen[can_id].__name__}"
            assert can_id <= 0x1FFFFFFF
            seen[can_id] = message


@pytest.mark.parametrize("edition", list(Edition))
def test_everything_says_where_it_comes_from_and_nobody_read_the_standard(edition: Edition) -> None:
    for message in EDITIONS[edition]:
        marked = [field.marker.source for field in message.layout.fields if field.marker.source is not None]
        for origin in (message.source, *marked):
            assert origin.at
            assert origin.basis in {Basis.REPORTED, Basis.DERIVED}
            assert origin.witnesses in {1, 2}
        assert message.title
        assert message.__doc__
