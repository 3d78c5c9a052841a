"""`swapproto bench` on buses in virtual time, and what it makes of stamps."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from swapproto.cli import bench, run
from swapproto.cli.bench_measure import KEPT_DELAYS, SLOWNESS, Book, Plan, StampWatch
from swapproto.errors import LinkClosed, LinkError
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import Link, LinkCaps, LinkEvent, LinkEventKind
from swapproto.runtime.figures import Figures, load_figures
from swapproto.runtime.virtual import VirtualBus
from swapproto.runtime.wire_time import INTERMISSION, frame_bits
from swapproto_drivers.virtual import open_link

URL = "virtual:bench"
FRAME = CanFrame(0x18FF50E5, bytes(8))


@pytest.fixture
def bus() -> Iterator[VirtualBus]:
    with closing(open_link("bench", {})) as link:
        yield link.bus


class Sender:
    """A cyclic sender, which can do something at a time."""

    def __init__(self, at: Instant = 1 << 60, do: Callable[[], object] = bool) -> None:
        self._due: Instant = 0
        self._at, self._do = at, do
        self._out: list[CanFrame] = []

    def receive(self, frame: CanFrame, now: Instant) -> None: ...

    def handle_timeout(self, now: Instant) -> None:
        if now >= self._at:
            self._at = 1 << 60
            self._do()
        if now >= self._due:
            self._due = now + 50 * MILLISECOND
            self._out.append(FRAME)

    def next_timeout(self) -> Instant | None:
        return min(self._due, self._at)

    def poll_transmit(self) -> CanFrame | None:
        return self._out.pop() if self._out else None


def measured(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert run(["bench", *arguments, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_pair_both_ways(bus: VirtualBus, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "pair.json"
    found = measured(capsys, URL, "--peer", URL, "--transmit", "--seconds", "2", "--out", str(file))
    assert load_figures(file).link == found["link"] == URL
    assert file.read_text() == json.dumps(found, indent=2) + "\n"
    there, back = found["ways"]
    assert (there["sender"], there["receiver"]) == (back["receiver"], back["sender"])
    for way in (there, back):
        assert way["sent"] == 199
        assert (way["lost"], way["duplicated"], way["reordered"], way["refused"]) == (0, 0, 0, 0)
        shortest, longest = way["latency"]["min"], way["latency"]["max"]
        assert 128 * 4000 <= shortest <= longest <= 160 * 4000, "no more than the frame's own time"
    assert found["lateness"]["max"] == 0
    assert [each["least_error"] for each in found["stamps"]] == [0, 0]
    assert [each["step"] for each in found["stamps"]] == [4000, 4000]


def test_a_link_with_echo_needs_no_peer(bus: VirtualBus, capsys: pytest.CaptureFixture[str]) -> None:
    bus.attach(Sender(), "somebody to acknowledge")
    found = measured(capsys, URL, "--transmit", "--seconds", "1", "--rate", "20", "--id", "123")
    (way,) = found["ways"]
    assert way["sender"] == way["receiver"]
    assert (way["sent"], way["lost"]) == (19, 0)


def test_losses_are_counted(bus: VirtualBus, capsys: pytest.CaptureFixture[str]) -> None:
    found = measured(capsys, URL, "--peer", f"{URL}?loss=0.3", "--transmit", "--seconds", "5")
    there, back = found["ways"]
    assert 0.2 < there["lost"] / there["sent"] < 0.4
    assert back["lost"] == 0


def test_nothing_is_sent_unless_it_is_asked_for(bus: VirtualBus, capsys: pytest.CaptureFixture[str]) -> None:
    senders: set[str] = set()
    bus.tap(lambda frame, at, sender: senders.add(sender))
    bus.attach(Sender(), "sender")
    found = measured(capsys, URL, "--peer", URL, "--seconds", "4")
    assert senders == {"sender"}
    assert found["ways"] == []
    assert [each["frames"] for each in found["stamps"]] == [80, 80]
    assert found["stamps"][0]["drift_ppm"] == 0


def test_the_text_names_units_and_what_verdicts_use(
    bus: VirtualBus, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", URL, "--peer", URL, "--transmit", "--seconds", "1"]) == 0
    out = capsys.readouterr().out
    assert "  us " in out
    assert "99 sent, 0 lost (0.00%), 0 twice, 0 out of order" in out
    assert "for verdicts: stamps to 0.001 us, wrong by up to 5" in out


def test_a_bus_where_nobody_acknowledges(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "virtual:desert", "--transmit", "--seconds", "1"]) == 0
    assert "nothing arrived: are both ports on one bus" in capsys.readouterr().out


def test_a_silent_bus(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "virtual:desert", "--seconds", "1"]) == 0
    assert "nothing was heard" in capsys.readouterr().out


@pytest.mark.parametrize("way", [[], ["--transmit", "--rate", "0.02"]])
def test_an_interrupt_writes_no_file(
    way: list[str], bus: VirtualBus, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bus.attach(Sender(SECOND, lambda: signal.raise_signal(signal.SIGINT)), "sender")
    file = tmp_path / "figures.json"
    assert run(["bench", URL, "--seconds", "100", "--out", str(file), *way]) == 130
    assert not file.exists()
    assert "interrupted" in capsys.readouterr().out
    assert bus.now < 2 * SECOND


def test_a_link_that_goes_away(bus: VirtualBus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    link = open_link("bench", {})
    bus.attach(Sender(SECOND, link.close), "sender")
    monkeypatch.setattr(bench, "open_silently", lambda *_, **__: link)
    file = tmp_path / "figures.json"
    assert run(["bench", URL, "--out", str(file)]) == 1
    assert not file.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["virtual:x", "--seconds", "0"], "--seconds 0"),
        (["virtual:x", "--rate", "inf"], "--rate inf"),
        (["virtual:x", "--id", "20000000"], "--id 20000000"),
        (["virtual:x", "--id", "BCL"], "--id BCL"),
        (["virtual:x", "--out", "/nosuch/folder/f.json"], "no such folder"),
        (["udp:127.0.0.1:9", "--transmit"], "give --peer URL"),
        (["virtual:x?echo=false", "--transmit"], "give --peer URL"),
        (["can:serial:/dev/null"], "--transmit opens it as any node"),
        (["virtual:x", "--peer", "nothing"], "no link"),
    ],
)
def test_bad_arguments(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", *arguments]) == 4
    assert said in capsys.readouterr().err


# stamps


class Port:
    """A link of which only the capabilities are looked at."""

    def __init__(self, bitrate: int | None = 250_000, source: str = "host") -> None:
        self.caps = LinkCaps(name="port", bitrate=bitrate, stamp_source=source)

    def now(self) -> Instant:
        return 0

    def send(self, frame: CanFrame, *, deadline: Instant) -> None: ...

    def receive(self, *, deadline: Instant) -> Received | None:
        return None

    def poll_event(self) -> LinkEvent | None:
        return None

    def close(self) -> None: ...


def watched(stamps: list[tuple[Instant, Instant]], port: Link | None = None) -> StampWatch:
    """Frames as stamped and as read by the host's clock."""
    clock = iter([read for _, read in stamps])
    watch = StampWatch(port or Port(), lambda: next(clock))
    for at, _ in stamps:
        watch.received(Received(FRAME, at))
    return watch


@pytest.mark.parametrize("ppm", [-200, 0, 50, 1000])
def test_the_drift_of_a_clock(ppm: int) -> None:
    reads = [n * 10 * MILLISECOND for n in range(3000)]
    late = [7 * MILLISECOND if n % 3 else 0 for n in range(3000)]
    stamps = [(read + read * ppm // 10**6, read + delay) for read, delay in zip(reads, late, strict=True)]
    found = watched(stamps).stamps()
    assert found.drift_ppm == pytest.approx(ppm, abs=2)


def test_a_short_look_says_nothing_of_drift() -> None:
    assert watched([(n, n) for n in range(100)]).stamps().drift_ppm is None


def test_frames_cannot_end_closer_together_than_they_last() -> None:
    lasts = (frame_bits(FRAME) + INTERMISSION) * 4 * MICROSECOND
    spaced = [(n * lasts, n * lasts) for n in range(100)]
    assert watched(spaced).stamps().least_error == 0
    # Ten frames that were read together, long after the first of them was on the bus.
    batch = [*spaced, *[(200 * lasts, 200 * lasts)] * 10]
    assert watched(batch).stamps().least_error == pytest.approx(9 * lasts * SLOWNESS, rel=0.001)
    assert watched(batch, Port(bitrate=None)).stamps().least_error is None


def test_what_is_odd_about_stamps() -> None:
    found = watched([(2000, 2000), (1000, 3000), (9000, 5000), (9000, 9000)]).stamps()
    assert (found.frames, found.backwards, found.ahead, found.step) == (4, 1, 1, 1000)


def test_a_day_of_stamps_takes_little_memory() -> None:
    watch = watched([(n * SECOND, n * SECOND) for n in range(20_000)])
    assert len(watch._delays) <= KEPT_DELAYS
    assert watch.stamps().drift_ppm == 0


def test_what_became_of_the_frames() -> None:
    book = Book(run=7)
    payloads = [book.payload()]
    for at in range(4):
        book.send(at)
        payloads.append(book.payload())
    first, second, third, lost, _ = payloads
    for payload, at in ((first, 10), (third, 20), (second, 30), (second, 40), (bytes(8), 50), (b"", 60)):
        book.arrive(CanFrame(1, payload), at)
    assert (book.sent, book.arrived, book.duplicated, book.reordered) == (4, 3, 1, 1)
    assert book.open
    book.arrive(CanFrame(1, lost), 70)
    assert not book.open
    spread = book.latency.spread()
    assert spread is not None
    assert (spread.min, spread.max) == (10, 67)


class Refusing(Port):
    """Takes no frame in time, and goes away at last."""

    def __init__(self) -> None:
        super().__init__(source="virtual")
        self._now = 0
        self.events = [LinkEvent(LinkEventKind.ERROR_FRAME, 0, count=3)]

    def now(self) -> Instant:
        return self._now

    def receive(self, *, deadline: Instant) -> Received | None:
        self._now = max(self._now, deadline)
        return None

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        self._now = deadline
        if self._now > 2 * SECOND:
            raise LinkClosed("gone")
        raise LinkError("full")

    def poll_event(self) -> LinkEvent | None:
        return self.events.pop() if self.events else None


def measure(seconds: float) -> Figures:
    plan = Plan(seconds=seconds, rate=10, identifier=1, run=1)
    return bench.measure("x:y?z=1", None, (Refusing(),), plan, transmit=True, stop=lambda: False)


def test_a_port_that_takes_no_frames() -> None:
    figures = measure(1)
    (way,) = figures.ways
    assert (way.sent, way.refused, way.latency) == (0, 5, None)
    assert (figures.link, figures.events) == ("x:y", {"error frame": 3})
    assert figures.lateness is not None
    assert figures.lateness.max == 0, "the port was slow, not the host"
    with pytest.raises(LinkClosed):
        measure(10)
