"""What every driver must do, as tests: subclass LinkContract in a test module and say how to open a pair.

    class TestMyDriver(LinkContract):
        def open_pair(self) -> tuple[Link, Link]:
            return open_link("mine:port-1"), open_link("mine:port-2")

Plain methods and plain asserts, collected by pytest or any runner that calls `test_` methods.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager

from swapproto.errors import LinkClosed, LocalProtocolError
from swapproto.frame import MAX_EXTENDED_ID, MAX_STANDARD_ID, MILLISECOND, SECOND, CanFrame, Received
from swapproto.link import Link


class LinkContract(ABC):
    """Two links of one driver back to back; what one sends the other receives."""

    arrives_within = 2 * SECOND
    """How long a frame may take before the test gives it up."""
    silence = 20 * MILLISECOND
    """How long a test listens to see that nothing comes."""

    @abstractmethod
    def open_pair(self) -> tuple[Link, Link]:
        """Two fresh links, connected to each other and to nobody else."""

    def test_frames_arrive_in_order(self) -> None:
        with self._pair() as (a, b):
            sent = [CanFrame(0x100 + n, bytes([n])) for n in range(20)]
            for frame in sent:
                self._send(a, frame)
            assert [self._next(b).frame for _ in sent] == sent

    def test_both_directions(self) -> None:
        with self._pair() as (a, b):
            there, back = CanFrame(0x1801F456, b"\x01"), CanFrame(0x180256F4, b"\x02")
            self._send(a, there)
            assert self._next(b).frame == there
            self._send(b, back)
            assert self._next_of_others(a, there).frame == back

    def test_every_length(self) -> None:
        with self._pair() as (a, b):
            for length in range(9):
                frame = CanFrame(0x18FF50E5, bytes(range(0xF0, 0xF0 + length)))
                self._send(a, frame)
                assert self._next(b).frame == frame

    def test_standard_and_extended_identifiers(self) -> None:
        with self._pair() as (a, b):
            for frame in (
                CanFrame(0, extended=False),
                CanFrame(0),
                CanFrame(MAX_STANDARD_ID, extended=False),
                CanFrame(MAX_STANDARD_ID),
                CanFrame(MAX_EXTENDED_ID),
            ):
                self._send(a, frame)
                assert self._next(b).frame == frame

    def test_impossible_frames_are_refused(self) -> None:
        with self._pair() as (a, b):
            for frame in (
                CanFrame(MAX_STANDARD_ID + 1, extended=False),
                CanFrame(MAX_EXTENDED_ID + 1),
                CanFrame(-1),
                CanFrame(1, bytes(9)),
            ):
                try:
                    self._send(a, frame)
                except LocalProtocolError:
                    continue
                raise AssertionError(f"{frame} was taken")
            assert b.receive(deadline=b.now() + self.silence) is None

    def test_deadline_in_the_past_polls(self) -> None:
        with self._pair() as (a, b):
            assert b.receive(deadline=b.now() - SECOND) is None
            self._send(a, CanFrame(1))
            self._send(a, CanFrame(2))
            self._next(b)
            limit = b.now() + self.arrives_within
            while (received := b.receive(deadline=b.now() - SECOND)) is None and b.now() < limit:
                # Virtual time passes only in a receive that waits, and real time all by itself.
                a.receive(deadline=a.now() + MILLISECOND)
            assert received is not None
            assert received.frame == CanFrame(2)

    def test_silence_ends_at_the_deadline(self) -> None:
        with self._pair() as (_, b):
            deadline = b.now() + self.silence
            assert b.receive(deadline=deadline) is None
            assert b.now() >= deadline

    def test_stamps_never_go_back_and_lie_in_the_past(self) -> None:
        with self._pair() as (a, b):
            before = b.now()
            for n in range(10):
                self._send(a, CanFrame(n))
            last = before
            for _ in range(10):
                at = self._next(b).at
                assert last <= at <= b.now()
                last = at

    def test_echo_is_as_the_capabilities_say(self) -> None:
        with self._pair() as (a, b):
            frame = CanFrame(0x18FF50E5, b"echo")
            self._send(a, frame)
            assert self._next(b).frame == frame
            if a.caps.echo:
                assert self._next(a).frame == frame
            assert a.receive(deadline=a.now() + self.silence) is None

    def test_capabilities_say_what_a_stamp_is_worth(self) -> None:
        with self._pair() as (a, _):
            assert a.caps.name
            assert a.caps.stamp_source in {"hardware", "kernel", "host", "virtual", "recording"}
            assert a.caps.stamp_resolution > 0

    def test_close_is_idempotent_and_final(self) -> None:
        a, b = self.open_pair()
        for link in (a, b):
            link.close()
            link.close()
        try:
            a.send(CanFrame(1), deadline=0)
        except LinkClosed:
            pass
        else:
            raise AssertionError("a closed link took a frame")
        try:
            b.receive(deadline=0)
        except LinkClosed:
            pass
        else:
            raise AssertionError("a closed link was read")

    @contextmanager
    def _pair(self) -> Generator[tuple[Link, Link]]:
        a, b = self.open_pair()
        try:
            yield a, b
        finally:
            a.close()
            b.close()

    def _send(self, link: Link, frame: CanFrame) -> None:
        link.send(frame, deadline=link.now() + self.arrives_within)

    def _next(self, link: Link) -> Received:
        received = link.receive(deadline=link.now() + self.arrives_within)
        assert received is not None, f"nothing came to {link.caps.name}"
        return received

    def _next_of_others(self, link: Link, own: CanFrame) -> Received:
        received = self._next(link)
        return self._next(link) if link.caps.echo and received.frame == own else received
