"""`virtual:NAME`: links of one process that share a bus in virtual time.

The clock stands still except in receive(), and in a send() that has to wait for room: they run the bus, with
all that is attached to it, up to the deadline or to the first frame for this link, whichever comes first. A
frame that arrives while another link lets time pass waits in this link, with its own stamp. One thread.
"""

from collections import deque
from collections.abc import Callable, Mapping
from itertools import count

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import CanFrame, Instant, Received, check_frame
from swapproto.link import LinkCaps, LinkEvent, LinkEventKind
from swapproto.runtime.virtual import VirtualBus
from swapproto_drivers._options import flag, integer, known_only, number

SEND_QUEUE = 64
"""Frames that a link holds for the bus."""
RECEIVE_QUEUE = 1 << 16
"""Frames that a link holds for its reader; later ones are lost and counted."""

_open: "dict[str, list[VirtualLink]]" = {}


class _Mailbox:
    """The link's node: two queues and no timer."""

    def __init__(self) -> None:
        self.outbox: deque[CanFrame] = deque()
        self.inbox: deque[Received] = deque()
        self.overruns = 0

    def receive(self, frame: CanFrame, now: Instant) -> None:
        if len(self.inbox) < RECEIVE_QUEUE:
            self.inbox.append(Received(frame, now))
        else:
            self.overruns += 1

    def handle_timeout(self, now: Instant) -> None:
        """Nothing is ever due."""

    def next_timeout(self) -> Instant | None:
        return None

    def poll_transmit(self) -> CanFrame | None:
        return self.outbox.popleft() if self.outbox else None


class VirtualLink:
    """A link on a virtual bus; nodes can be attached to the same bus beside it."""

    def __init__(
        self,
        bus: VirtualBus,
        name: str,
        *,
        echo: bool = False,
        loss: float | None = None,
    ) -> None:
        self.bus = bus
        self._caps = LinkCaps(
            name=name, bitrate=bus.bitrate, stamp_source="virtual", stamp_resolution=1, echo=echo
        )
        self._mailbox = _Mailbox()
        self._port = bus.attach(self._mailbox, name, latency=0, jitter=0, loss=loss)
        self._untap = bus.tap(self._on_bus) if echo else None
        self._closed = False
        self._overruns_told = 0

    @property
    def caps(self) -> LinkCaps:
        return self._caps

    @property
    def overruns(self) -> int:
        """Frames lost because nobody read them."""
        return self._mailbox.overruns

    def now(self) -> Instant:
        return self.bus.now

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        self._check_open()
        check_frame(frame)
        outbox = self._mailbox.outbox
        if not self._run(lambda: len(outbox) < SEND_QUEUE, deadline):
            raise LinkError(
                f"{self._caps.name}: {SEND_QUEUE} frames wait and none got through by the deadline: "
                f"the port is {self._port.state.value}; is another node on the bus?"
            )
        outbox.append(frame)
        self._port.wake()

    def receive(self, *, deadline: Instant) -> Received | None:
        self._check_open()
        inbox = self._mailbox.inbox
        self._run(lambda: bool(inbox), deadline)
        return inbox.popleft() if inbox else None

    def poll_event(self) -> LinkEvent | None:
        overruns = self.overruns
        if overruns == self._overruns_told:
            return None
        count, self._overruns_told = overruns - self._overruns_told, overruns
        return LinkEvent(LinkEventKind.OVERRUN, self.bus.now, "nobody read the port", count)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._untap is not None:
            self._untap()
        self.bus.detach(self._port)
        for name, links in list(_open.items()):
            if self in links:
                links.remove(self)
                if not links:
                    del _open[name]

    def _run(self, until: Callable[[], bool], deadline: Instant) -> bool:
        return until() or self.bus.run(until, limit=deadline)

    def _check_open(self) -> None:
        if self._closed:
            raise LinkClosed(f"{self._caps.name}: this link was closed")

    def _on_bus(self, frame: CanFrame, at: Instant, sender: str) -> None:
        if sender == self._caps.name:
            self._mailbox.receive(frame, at)


def open_link(rest: str, options: Mapping[str, str]) -> VirtualLink:
    """A link on the bus of this name, which lives until its last link is closed.

    Options: loss and echo of this link; bitrate and seed of the bus, which all its links must agree on.
    """
    link = f"virtual:{rest}"
    known_only(link, options, ("bitrate", "seed", "loss", "echo"))
    peers = _open.get(rest, [])
    try:
        bus = (
            peers[0].bus
            if peers
            else VirtualBus(integer(link, options, "bitrate", 250_000), integer(link, options, "seed", 0))
        )
        for name, value in (("bitrate", bus.bitrate), ("seed", bus.seed)):
            if integer(link, options, name, value) != value:
                raise LinkUnavailable(f"{link}: option {name}: this bus is open with {value}")
        taken = {port.name for port in bus.ports}
        free = next(name for n in count(1) if (name := f"{rest}.{n}") not in taken)
        opened = VirtualLink(
            bus, free, echo=flag(link, options, "echo"), loss=number(link, options, "loss", 0.0)
        )
    except ValueError as error:
        raise LinkUnavailable(f"{link}: {error}") from error
    _open.setdefault(rest, []).append(opened)
    return opened
