"""Figures of an adapter: what verdicts make of them, and the file that holds them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from swapproto.atomic import FileError
from swapproto.runtime.figures import (
    FEWEST,
    Figures,
    Spread,
    SpreadMeter,
    Stamps,
    Way,
    encode_figures,
    load_figures,
)

SPREAD = Spread(count=100, min=200_000, p50=250_000, p99=900_000, max=5_000_000)
STAMPS = Stamps(
    source="host", frames=FEWEST, declared=1000, step=1, backwards=0, ahead=0, batched=False,
    least_error=None, reading=None, drift_ppm=None,
)  # fmt: skip
WAY = Way(sender="a", receiver="b", sent=100, lost=0, duplicated=0, reordered=0, refused=0, latency=SPREAD)
FIGURES = Figures(
    created="2026-01-31T12:00:00Z", link="can:socketcan:can0", peer=None, bitrate=250_000, seconds=10.0,
    stamps=(STAMPS,), ways=(WAY,), lateness=SPREAD, events={"bus off": 1},
)  # fmt: skip


@given(st.lists(st.integers(-(10**9), 10**10), min_size=1))
def test_a_spread_is_in_order(durations: list[int]) -> None:
    meter = SpreadMeter()
    for each in durations:
        meter.add(each)
    spread = meter.spread()
    assert spread is not None
    assert (spread.count, spread.min, spread.max) == (len(durations), min(durations), max(durations))
    ranked = sorted(durations)
    for percent, value in ((50, spread.p50), (99, spread.p99)):
        exact = ranked[-(-len(ranked) * percent // 100) - 1]
        assert exact <= value < exact + 1000
        assert spread.min <= value <= spread.max


def test_nothing_has_no_spread() -> None:
    assert SpreadMeter().spread() is None


@pytest.mark.parametrize(
    ("stamps", "resolution"),
    [
        (STAMPS, 1000),
        (replace(STAMPS, step=1_000_000), 1_000_000),
        (replace(STAMPS, step=1_000_000, frames=FEWEST - 1), 1000),
        (replace(STAMPS, step=1_000_000, source="virtual"), 1000),
        (replace(STAMPS, step=None, declared=50_000), 50_000),
    ],
)
def test_the_resolution_is_the_coarser_of_stated_and_seen(stamps: Stamps, resolution: int) -> None:
    assert replace(FIGURES, stamps=(STAMPS, stamps)).resolution == resolution


@pytest.mark.parametrize(
    ("ways", "least", "error"),
    [((WAY,), None, 900_000), ((WAY,), 2_000_000, 2_000_000), ((), 3000, 3000), ((), None, 0)],
)
def test_the_error_of_a_stamp_is_the_worst_that_was_seen(
    ways: tuple[Way, ...], least: int | None, error: int
) -> None:
    figures = replace(FIGURES, ways=ways, stamps=(replace(STAMPS, least_error=least),))
    assert figures.stamp_error == error


def test_figures_fit_the_ports_that_they_were_measured_at() -> None:
    figures = replace(FIGURES, peer="can:socketcan:can1")
    assert figures.fits("can:socketcan:can0?bitrate=250000")
    assert figures.fits("can:socketcan:can1")
    assert not figures.fits("can:socketcan:can2")
    assert not FIGURES.fits("None")


def test_a_file_of_figures(tmp_path: Path) -> None:
    path = tmp_path / "adapter.json"
    path.write_bytes(encode_figures(FIGURES))
    assert load_figures(path) == FIGURES


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[]", b"\xff", b"[" * 100_000,
        encode_figures(FIGURES).replace(b"figures-1", b"figures-9"),
        encode_figures(FIGURES).replace(b'"created"', b'"made"'),
    ],
)  # fmt: skip
def test_what_is_no_file_of_figures(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "adapter.json"
    path.write_bytes(content)
    with pytest.raises(FileError, match="swapproto bench URL --out FILE"):
        load_figures(path)


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        load_figures(tmp_path / "adapter.json")
