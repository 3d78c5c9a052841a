"""Whatever is recorded, a comparison is an answer."""

from collections.abc import Sequence

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swapproto.messages import gbt27930 as gb
from swapproto.observe.compare import compare
from swapproto.trace.record import Record

IDENTIFIERS = [can_id for cls in gb.MESSAGES for can_id in cls.identifiers()] + [
    0x1CECF456,
    0x1CEBF456,
    0x123,
]
FRAMES = st.builds(
    Record,
    at_us=st.integers(0, 400_000),
    id=st.sampled_from(IDENTIFIERS),
    data=st.binary(max_size=8),
    extended=st.sampled_from([True, True, True, False]),
)
RECORDINGS = st.lists(FRAMES, max_size=60)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(good=RECORDINGS, bad=RECORDINGS)
def test_any_two_recordings_can_be_compared(good: Sequence[Record], bad: Sequence[Record]) -> None:
    here, there = (sorted(each, key=lambda record: record.at_us) for each in (good, bad))
    forth, back = compare(here, there, 1, 1), compare(there, here, 1, 1)
    assert bool(forth.differences) == bool(back.differences)
    weights = [each.weight.value for each in forth.differences]
    assert weights == sorted(weights)
    assert compare(here, here, 1, 1).differences == ()
    shifted = [msgspec.structs.replace(each, at_us=each.at_us + 77_000_000) for each in here]
    assert compare(here, shifted, 1, 1).differences == ()
