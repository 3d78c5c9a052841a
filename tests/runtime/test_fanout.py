"""Several readers of one link."""

import threading

import pytest

from swapproto.errors import LinkClosed, LinkError
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import Link, LinkEvent, LinkEventKind
from swapproto.runtime import fanout
from swapproto.runtime.fanout import Fanout
from swapproto.runtime.virtual import VirtualBus
from swapproto_drivers.contract import LinkContract
from swapproto_drivers.virtual import VirtualLink
from tests.runtime.runtime_links import PATIENCE, FedLink, StuckLink

PING, PONG = CanFrame(0x18FF50E5, b"ping"), CanFrame(0x18FF50F4, b"pong")


class TestReaders(LinkContract):
    echo = False

    def open_pair(self) -> tuple[Link, Link]:
        bus = VirtualBus()
        one, other = (Fanout(VirtualLink(bus, name, echo=self.echo)) for name in ("one", "other"))
        one.reader()
        return one.reader(), other.reader()


class TestReadersWithEcho(TestReaders):
    echo = True


class TestTwoReadersOfOneLink(LinkContract):
    """What one sends the other receives, as over a cable."""

    def open_pair(self) -> tuple[Link, Link]:
        bus = VirtualBus()
        bus.attach(VirtualLinkEar(), "somebody who acknowledges")
        shared = Fanout(VirtualLink(bus, "shared"))
        return shared.reader("one"), shared.reader("other")


class VirtualLinkEar:
    def receive(self, frame: CanFrame, now: Instant) -> None: ...

    def handle_timeout(self, now: Instant) -> None: ...

    def next_timeout(self) -> Instant | None:
        return None

    def poll_transmit(self) -> CanFrame | None:
        return None


def drained(link: Link) -> list[CanFrame]:
    frames: list[CanFrame] = []
    while (received := link.receive(deadline=0)) is not None:
        frames.append(received.frame)
    return frames


def events(link: Link) -> list[LinkEvent]:
    found: list[LinkEvent] = []
    while (event := link.poll_event()) is not None:
        found.append(event)
    return found


def test_all_see_all_frames_and_all_events() -> None:
    link = FedLink()
    shared = Fanout(link)
    readers = [shared.reader() for _ in range(3)]
    frames = [CanFrame(n) for n in range(20)]
    link.feed(*frames)
    link.tell(LinkEvent(LinkEventKind.ERROR_WARNING, 5))
    for reader in readers:
        assert drained(reader) == frames
        assert [event.kind for event in events(reader)] == [LinkEventKind.ERROR_WARNING]
    assert len({reader.caps.name for reader in readers}) == 3


@pytest.mark.parametrize("echo", [False, True])
def test_what_one_sends_the_others_see_once(*, echo: bool) -> None:
    link = FedLink(echo=echo)
    shared = Fanout(link)
    sender, one, other = (shared.reader() for _ in range(3))
    sender.send(PING, deadline=sender.now() + SECOND)
    link.feed(PONG)
    assert link.sent == [PING]
    assert drained(one) == drained(other) == [PING, PONG]
    assert drained(sender) == ([PING, PONG] if echo else [PONG])
    assert sender.caps.echo == echo


def test_a_stalled_reader_loses_only_its_own_and_is_told_how_many() -> None:
    link = FedLink()
    shared = Fanout(link, queue=10)
    stalled, brisk = shared.reader("stalled"), shared.reader("brisk")
    frames = [CanFrame(n) for n in range(35)]
    for frame in frames:
        link.feed(frame)
        assert drained(brisk) == [frame]
    assert events(brisk) == []
    assert drained(stalled) == frames[:10]
    (event,) = events(stalled)
    assert (event.kind, event.count, event.gap) == (LinkEventKind.OVERRUN, 25, True)
    link.feed(PING)
    assert drained(stalled) == [PING]
    assert events(stalled) == []


def test_stamps_of_a_reader_never_go_back() -> None:
    link = FedLink()
    shared = Fanout(link)
    sender, reader = shared.reader(), shared.reader()
    link.feed(PING)
    sender.send(PONG, deadline=sender.now() + SECOND)
    found = [reader.receive(deadline=0), reader.receive(deadline=0)]
    stamps = [received.at for received in found if received is not None]
    assert len(stamps) == 2
    assert stamps == sorted(stamps)


def test_a_reader_that_ended_leaves_the_others_and_the_link() -> None:
    link = FedLink()
    shared = Fanout(link)
    one, other = shared.reader(), shared.reader()
    one.close()
    one.close()
    with pytest.raises(LinkClosed, match="this view"):
        one.receive(deadline=0)
    with pytest.raises(LinkClosed, match="this view"):
        one.send(PING, deadline=0)
    link.feed(PING)
    assert drained(other) == [PING]
    assert not link.closed
    shared.close()
    shared.close()
    assert link.closed
    with pytest.raises(LinkClosed):
        other.receive(deadline=0)
    with pytest.raises(LinkClosed):
        shared.reader()


def test_a_link_that_goes_away_tells_every_reader() -> None:
    link = FedLink()
    shared = Fanout(link)
    readers = [shared.reader(), shared.reader()]
    link.tell(LinkEvent(LinkEventKind.CLOSED, 1))
    link.fail(LinkClosed("gone"))
    for reader in readers:
        with pytest.raises(LinkClosed, match="gone"):
            reader.receive(deadline=0)
        assert [event.kind for event in events(reader)] == [LinkEventKind.CLOSED]


class Reading(threading.Thread):
    """A reader in a thread of its own, until the link is closed."""

    def __init__(self, link: Link) -> None:
        super().__init__(daemon=True)
        self.link = link
        self.got: list[Received] = []
        self.ended: LinkError | None = None

    def run(self) -> None:
        try:
            while True:
                received = self.link.receive(deadline=self.link.now() + 3600 * SECOND)
                if received is not None:
                    self.got.append(received)
        except LinkError as error:
            self.ended = error


def test_readers_and_senders_in_threads_of_their_own() -> None:
    link = FedLink()
    shared = Fanout(link)
    readers = [Reading(shared.reader(str(n))) for n in range(4)]
    sender = shared.reader("sender")
    for reader in readers:
        reader.start()
    frames = [CanFrame(n) for n in range(200)]
    for n, frame in enumerate(frames):
        if n % 2:
            link.feed(frame)
            link.wait(lambda _: link.empty)
        else:
            sender.send(frame, deadline=sender.now() + SECOND)
    last = CanFrame(0x1FFFFFFF)
    sender.send(last, deadline=sender.now() + SECOND)
    shared.close()
    for reader in readers:
        reader.join(PATIENCE)
        assert not reader.is_alive()
        assert isinstance(reader.ended, LinkClosed)
        assert sorted(received.frame.id for received in reader.got) == [*range(200), last.id]
        stamps = [received.at for received in reader.got]
        assert stamps == sorted(stamps)
    assert link.sent == [*frames[::2], last]


def test_a_driver_that_never_returns_keeps_nobody_who_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "_CLOSE_WITHIN", 0.01)
    link = StuckLink()
    shared = Fanout(link)
    reader = Reading(shared.reader())
    reader.start()
    assert link.inside.wait(PATIENCE)
    with pytest.raises(LinkError, match="does not return"):
        shared.close()
    link.freed.set()
    reader.join(PATIENCE)
    assert isinstance(reader.ended, LinkClosed)


def test_a_poll_does_not_wait_for_another_reader() -> None:
    link = StuckLink()
    shared = Fanout(link)
    reader, other = Reading(shared.reader()), shared.reader()
    reader.start()
    assert link.inside.wait(PATIENCE)
    assert other.receive(deadline=other.now() - MILLISECOND) is None
    link.freed.set()
    shared.close()
    reader.join(PATIENCE)
