"""The last seconds of a link in memory, and a file of them when something happens."""

import tracemalloc
from pathlib import Path

import pytest

from swapproto.frame import MILLISECOND, SECOND, CanFrame
from swapproto.link import LinkEvent, LinkEventKind
from swapproto.plugins import open_link
from swapproto.trace.files import open_recording
from swapproto_drivers.ring import SLICE, Ring
from swapproto_drivers.tap import TapLink
from swapproto_drivers.trace_files import Rules, TraceFiles


def ring(folder: Path, *, before: int = 2 * SECOND, after: int = SECOND, max_frames: int = 10_000) -> Ring:
    files = TraceFiles(folder / "event.log", Rules(numbered=True))
    return Ring(files, before=before, after=after, max_frames=max_frames)


def pass_by(kept: Ring, first: int, last: int) -> None:
    """A frame each 10 ms, numbered by it."""
    for n in range(first, last):
        kept.take(CanFrame(0x18FF50E5, n.to_bytes(4)), n * 10 * MILLISECOND, own=n % 2 == 0)


def numbers(path: Path) -> list[int]:
    with open_recording(path) as recording:
        return [int.from_bytes(record.data) for record in recording.reader()]


def test_nothing_is_written_without_a_trigger(tmp_path: Path) -> None:
    kept = ring(tmp_path)
    pass_by(kept, 0, 5000)
    assert kept.kept <= 201
    kept.close()
    assert list(tmp_path.iterdir()) == []


def test_a_trigger_writes_what_was_before_and_what_comes_after(tmp_path: Path) -> None:
    kept = ring(tmp_path)
    pass_by(kept, 0, 1000)
    kept.trigger("by hand", 9_995 * MILLISECOND)
    assert kept.writing
    pass_by(kept, 1000, 2000)
    assert not kept.writing
    kept.close()
    (path,) = tmp_path.iterdir()
    assert path.name == "event.000001.log"
    assert numbers(path) == list(range(800, 1100))
    text = path.read_text()
    assert text.index("#000003E7 ") < text.index("trigger: by hand") < text.index("#000003E8 ")
    assert " T\n" in text
    assert " R\n" in text


def test_each_trigger_has_its_file_and_a_second_one_lengthens_the_first(tmp_path: Path) -> None:
    kept = ring(tmp_path)
    pass_by(kept, 0, 1000)
    kept.trigger("first", 9_995 * MILLISECOND)
    pass_by(kept, 1000, 1050)
    kept.trigger("second", 10_495 * MILLISECOND)
    pass_by(kept, 1050, 2000)
    kept.trigger("third", 19_995 * MILLISECOND)
    pass_by(kept, 2000, 2010)
    kept.close()
    first, second = sorted(tmp_path.iterdir())
    assert numbers(first) == list(range(800, 1150))
    assert numbers(second) == list(range(1800, 2010))
    assert kept.triggers == 3


def test_no_frame_stands_in_two_files(tmp_path: Path) -> None:
    kept = ring(tmp_path)
    pass_by(kept, 0, 1000)
    kept.trigger("first", 9_995 * MILLISECOND)
    pass_by(kept, 1000, 1120)
    kept.trigger("soon after", 11_195 * MILLISECOND)
    pass_by(kept, 1120, 1500)
    kept.close()
    first, second = sorted(tmp_path.iterdir())
    assert numbers(first) + numbers(second) == list(range(800, 1220))


def test_a_frame_never_waits_for_the_whole_ring(tmp_path: Path) -> None:
    kept = ring(tmp_path, before=3600 * SECOND)
    pass_by(kept, 0, 5000)
    kept.trigger("by hand", 49_995 * MILLISECOND)
    before = kept.kept
    pass_by(kept, 5000, 5001)
    assert before - kept.kept == SLICE - 1
    kept.close()


def test_memory_is_bounded_by_the_number_of_frames(tmp_path: Path) -> None:
    kept = ring(tmp_path, before=3600 * SECOND, max_frames=500)
    pass_by(kept, 0, 1000)
    tracemalloc.start()
    try:
        pass_by(kept, 1000, 20_000)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept.kept == 500
    assert grown < 300_000
    assert kept.left_out == 0, "nobody had asked for them"
    kept.close()


def test_a_gap_of_the_link_triggers_and_other_events_do_not(tmp_path: Path) -> None:
    kept = ring(tmp_path)
    pass_by(kept, 0, 100)
    kept.mark(LinkEvent(LinkEventKind.ERROR_WARNING, 1000 * MILLISECOND))
    assert not kept.writing
    kept.mark(LinkEvent(LinkEventKind.BUS_OFF, 1000 * MILLISECOND, "asked for"))
    pass_by(kept, 100, 300)
    kept.close()
    (path,) = tmp_path.iterdir()
    assert "trigger: bus off" in path.read_text()
    assert "error warning" in path.read_text()
    assert numbers(path) == list(range(201))


@pytest.mark.parametrize("after", [0, 100])
def test_on_a_link_the_file_is_ended_even_where_nothing_comes_any_more(tmp_path: Path, after: int) -> None:
    link = open_link(f"tap:virtual:ring?file={tmp_path}/event.log&before=1s&after={after}ms&flush=5ms")
    assert isinstance(link, TapLink)
    kept = link.sink
    assert isinstance(kept, Ring)
    peer = open_link("virtual:ring")
    for n in range(300):
        peer.send(CanFrame(n), deadline=peer.now() + SECOND)
        assert link.receive(deadline=link.now() + 20 * MILLISECOND) is not None
    kept.trigger("by hand", link.now())
    assert link.receive(deadline=link.now() + SECOND) is None
    assert not kept.writing
    (path,) = tmp_path.iterdir()
    with open_recording(path) as recording:
        assert [record.id for record in recording.reader()] == list(range(300))
    link.close()
    peer.close()


@pytest.mark.parametrize("wrong", [{"before": -1}, {"after": -1}, {"max_frames": 0}])
def test_a_ring_that_makes_no_sense_is_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a ring of"):
        ring(tmp_path, **wrong)
