"""The C codec against ours, payload by payload and value by value: fields, deviations, errors."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.wire.message import Message
from tests.export.c.codec.conftest import payloads, values_of
from tests.export.c.conftest import FAMILIES, MOST, Libraries, Library

CHUNK = 500
QUICK, LONG = 20_000, 1_000_000


def read_cases(library: Library, seed: int, count: int) -> None:
    """As many payloads, in turn of every message; half as many values to be packed."""
    random = Random(seed)
    makers = [(cls, payloads(cls, random)) for cls in library.classes]
    done = 0
    while done < count:
        cases = [(cls, next(made)) for _ in range(1 + CHUNK // len(makers)) for cls, made in makers]
        assert (found := library.difference(cases)) is None, found
        done += len(cases)


def write_cases(library: Library, seed: int, count: int) -> None:
    random = Random(seed)
    for _ in range(0, count, len(library.classes)):
        cases = [(cls, values_of(library.plans[cls], random)) for cls in library.classes]
        assert (found := library.write_difference(cases)) is None, found


@pytest.mark.parametrize("family", FAMILIES)
def test_payloads_by_chance(libraries: Libraries, family: str) -> None:
    read_cases(libraries[family], 1, QUICK)


@pytest.mark.parametrize("family", FAMILIES)
def test_values_by_chance(libraries: Libraries, family: str) -> None:
    write_cases(libraries[family], 2, QUICK // 4)


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_a_million_payloads(libraries: Libraries, family: str) -> None:
    read_cases(libraries[family], 3, LONG)


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_a_quarter_of_a_million_values(libraries: Libraries, family: str) -> None:
    write_cases(libraries[family], 4, LONG // 4)


def some_message(library: Library, pick: int) -> type[Message]:
    return library.classes[pick % len(library.classes)]


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=300, deadline=None)
@given(pick=st.integers(0, 10_000), payload=st.binary(max_size=70))
def test_any_bytes(libraries: Libraries, family: str, pick: int, payload: bytes) -> None:
    library = libraries[family]
    assert (found := library.difference([(some_message(library, pick), payload)])) is None, found


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=200, deadline=None)
@given(pick=st.integers(0, 10_000), random=st.randoms(use_true_random=False))
def test_any_values(libraries: Libraries, family: str, pick: int, random: Random) -> None:
    library = libraries[family]
    cls = some_message(library, pick)
    assert (found := library.write_difference([(cls, values_of(library.plans[cls], random))])) is None, found


@pytest.mark.parametrize("family", FAMILIES)
def test_every_length_of_every_message(libraries: Libraries, family: str) -> None:
    library = libraries[family]
    for cls in library.classes:
        sizes = [*range(80), 512, 513, MOST - 1, MOST]
        cases = [(cls, filler * size) for size in sizes for filler in (b"\0", b"\xff", b"\x55")]
        assert (found := library.difference(cases)) is None, found


@pytest.mark.parametrize("family", FAMILIES)
def test_every_vector(libraries: Libraries, family: str) -> None:
    library = libraries[family]
    cases = [(cls, vector.data) for cls in library.classes for vector in cls.VECTORS]
    assert cases
    assert (found := library.difference(cases)) is None, found
