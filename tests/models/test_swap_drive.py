"""Something that moves, told at any instant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.frame import SECOND
from swapproto.models.drive import Drive

PLACES = st.floats(-50, 50, allow_nan=False)


def test_it_goes_at_its_speed_and_stops_where_it_was_sent() -> None:
    drive = Drive(0.5, 1.0)
    drive.go(3.0, 10 * SECOND)
    assert [drive.position(at * SECOND) for at in (10, 11, 12, 14, 100)] == [1.0, 1.5, 2.0, 3.0, 3.0]
    assert drive.arrives == 14 * SECOND
    assert [drive.at(3.0, at * SECOND) for at in (13, 14)] == [False, True]


def test_it_turns_where_it_is_and_the_same_order_again_changes_nothing() -> None:
    drive = Drive(1.0)
    drive.go(10.0, 0)
    drive.go(10.0, 4 * SECOND)
    drive.go(0.0, 6 * SECOND)
    assert drive.position(7 * SECOND) == 5.0
    drive.stop(8 * SECOND)
    assert drive.position(9 * SECOND) == 4.0
    assert not drive.at(0.0, 100 * SECOND)


@pytest.mark.parametrize(("jam", "end"), [(0.5, 0.5), (1.0, 1.0), (0.0, 0.0), (1.5, 0.0)])
def test_it_does_not_pass_where_it_jams(jam: float, end: float) -> None:
    drive = Drive(1.0, 1.0)
    drive.jam(jam, 0)
    assert drive.position(5 * SECOND) == 1.0
    drive.go(0.0, 5 * SECOND)
    assert drive.position(10 * SECOND) == end
    assert drive.at(0.0, 10 * SECOND) == (end == 0.0)


@given(PLACES, PLACES, st.floats(0.01, 10), st.integers(0, 100 * SECOND))
def test_it_is_always_between_its_ends_and_there_when_it_says(
    start: float, end: float, speed: float, after: int
) -> None:
    drive = Drive(speed, start)
    drive.go(end, 0)
    assert min(start, end) <= drive.position(after) <= max(start, end)
    assert drive.at(end, drive.arrives)
