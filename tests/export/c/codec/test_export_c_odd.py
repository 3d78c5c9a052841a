"""What no shipped family has: signed numbers, optional parts of items, C's own words as names."""

from random import Random
from typing import Annotated, ClassVar

import pytest

from swapproto.export import c
from swapproto.export.c.names import NotInC, Unique, comment, snake
from swapproto.export.source import Declaration
from swapproto.messages.catalog import MessageSet
from swapproto.messages.gbt27930 import CTS, Phase
from swapproto.messages.gbt27930.parties import FromBms
from swapproto.wire.fields import Choice, Code, Raw, Repeat, S, State, Text, U
from swapproto.wire.message import Group, Message
from tests.export.c.codec.conftest import payloads, values_of
from tests.export.c.conftest import MISFIT, Library, compiler, declared


class Wide(Code):
    """Sixteen bits of codes."""

    FIRST = 1
    FAR = 0xABCD


class Switch(Code):
    """Two bits."""

    OFF = 0
    ON = 1


class Odd(
    FromBms, title="odd", pgn=0x5500, priority=6, period_ms=None, phase=Phase.ERROR, length=30, lengths=(25,)
):
    """Fields of every make. */ And a comment's end in the documentation."""

    signed: Annotated[float, S(12, at=1.1, scale=0.5, offset=-3.25)]
    short: Annotated[int | None, S(4, at=2.5)]
    motorola: Annotated[float, U(12, at=3.8, order="big", scale=0.01, low=1, high=30)]
    default: Annotated[int | None, S(20, at=5.4, order="big", absent=-3, low=-100)]
    wide: Annotated[Wide | None, Choice(bits=16, at=8)] = None
    steps: Annotated[float, U(10, at=10.1, scale=0.375, offset=1)] = 1.0
    state: Annotated[Switch | None, State(at=11.3)] = None
    natural: Annotated[int, U(32, at=12)] = 0
    beyond: Annotated[int, S(32, at=16, scale=100)] = 0
    name: Annotated[str, Text(size=3, at=20, pad=0x2E)] = ""
    motorola_state: Annotated[Wide, Choice(bits=16, at=23.8, order="big")] = Wide.FIRST
    last: Annotated[int | None, U(8, at=29)] = None


class Part(Group):
    """An item with an optional number, reserved bits and text."""

    number: Annotated[int | None, U(12, at=1.1, high=100)]
    flag: Annotated[Switch, State(at=2.7)]
    word: Annotated[str | None, Text(size=2, at=3)] = None


class Parts(FromBms, title="parts", pgn=0x5600, priority=6, period_ms=None, phase=Phase.ERROR):
    """A head, and items behind it."""

    head: Annotated[int, U(8, at=1)]
    parts: Annotated[tuple[Part, ...], Repeat(max_items=7)]


class Quiet(
    FromBms,
    title="quiet",
    pgn=0x5700,
    priority=6,
    period_ms=None,
    phase=Phase.ERROR,
    reserved_bit=0,
    length=9,
):
    """Reserved bits are zeros; the rest is opaque and may be absent."""

    one: Annotated[int, U(3, at=2.4)]
    other: Annotated[float, S(16, at=8.8, order="big", scale=0.1)] = 0.0
    rest: Annotated[bytes | None, Raw()] = None


def other_odd() -> type[Message]:
    class Odd(FromBms, title="odd again", pgn=0x5800, priority=6, period_ms=None, phase=Phase.ERROR):
        """The same name in another set."""

        number: Annotated[int, U(8, at=1)]

        VECTORS: ClassVar = ()

    return Odd


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    compiler("gcc")
    messages = (Odd, Parts, Quiet, CTS, other_odd())
    made = Declaration(declared("gbt27930-2015").profile, (MessageSet("odd", messages),))
    return Library(made, tmp_path_factory.mktemp("odd"))


def test_payloads(library: Library) -> None:
    random = Random(1)
    makers = [(cls, payloads(cls, random)) for cls in library.classes]
    for _ in range(40):
        cases = [(cls, next(made)) for _ in range(60) for cls, made in makers]
        assert (found := library.difference(cases)) is None, found


def test_values(library: Library) -> None:
    random = Random(2)
    for _ in range(40):
        cases = [(cls, values_of(library.plans[cls], random)) for _ in range(20) for cls in library.classes]
        assert (found := library.write_difference(cases)) is None, found


@pytest.mark.parametrize(
    "moment",
    [
        (0, 1, 1, 0, 0, 0), (10000, 1, 1, 0, 0, 0), (2023, 2, 29, 0, 0, 0), (1900, 2, 29, 0, 0, 0),
        (2024, 13, 1, 0, 0, 0), (2024, 0, 1, 0, 0, 0), (2024, 4, 31, 0, 0, 0), (2024, 4, 0, 0, 0, 0),
        (2024, 1, 1, 24, 0, 0), (2024, 1, 1, 0, 60, 0), (2024, 1, 1, 0, 0, 60),
    ],
)  # fmt: skip
def test_no_date_is_refused(library: Library, moment: tuple[int, ...]) -> None:
    """Python has no such date to compare with."""
    assert library.write([(CTS, [1, *moment])]) == [5, MISFIT, 0, 0xFF, 0, 0]


def test_names() -> None:
    assert [snake(name) for name in ("BCL", "DM1", "TemperatureExtremes", "PackCode1", "BMSState")] == [
        "bcl", "dm1", "temperature_extremes", "pack_code1", "bms_state",
    ]  # fmt: skip
    unique = Unique()
    assert [unique.name(key, "bcl") for key in (1, 2, 1, 3)] == ["bcl", "bcl_2", "bcl", "bcl_3"]
    assert list(comment("an end */ inside")) == ["/* an end * / inside */"]


def test_what_has_no_form_in_c() -> None:
    class Long(FromBms, title="long", pgn=0x5900, priority=6, period_ms=None, phase=Phase.ERROR):
        """Text that no length of one byte counts."""

        text: Annotated[str, Text(size=300, at=1)]

    with pytest.raises(NotInC, match=r"Long\.text: text of more than 255 characters"):
        c.files(Declaration(declared("gbt27930-2015").profile, (MessageSet("odd", (Long,)),)))
