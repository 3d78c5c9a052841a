"""One node on one link inside an asyncio loop.

Usage::

    charging = asyncio.create_task(aio.drive(endpoint, link, until=lambda _: endpoint.session.ended))
    ...
    endpoint.command(Command.STOP, link.now())      # from any coroutine of the same loop
    driven = await charging

The node is only ever called in the loop's thread. The link is only ever used by one thread of its own, save
for now(); when the loop is held up, that thread keeps reading, so that frames wait here and not in a
driver's small buffer.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Condition, Thread
from typing import TypeAlias

import msgspec

from swapproto.errors import LinkClosed, LinkError
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import Link, LinkEvent, LinkEventKind, Node
from swapproto.runtime._serving import FrameTap, Serving
from swapproto.runtime.blocking import Driven

__all__ = ["Driven", "FrameTap", "drive"]

REACTION = 5 * MILLISECOND
"""How long it takes at most until a wish of the application is seen."""
BACKLOG = 1 << 14
"""Frames that wait for a loop that is held up; 8 s of a full 250 kbit/s bus."""
_BATCH = 64
_PAST: Instant = -(1 << 62)
_PATIENCE = 0.005
"""Seconds that the thread waits for the loop before it goes on reading."""
_END_WITHIN = 2.0


class _Sent(msgspec.Struct, frozen=True, gc=False):
    frame: CanFrame
    at: Instant


_Item: TypeAlias = Received | _Sent | LinkEvent


class _Port:
    """The link's thread: it sends and reads in turns with the loop, and reads on alone where that is late."""

    def __init__(self, link: Link, reaction: int, send_within: int, backlog: int) -> None:
        self._link = link
        self._reaction = reaction
        self._send_within = send_within
        self._backlog = backlog
        self._loop = asyncio.get_running_loop()
        self._answered = asyncio.Event()
        self._ended = asyncio.Event()
        self._turn = Condition()
        self._outbox: list[CanFrame] = []
        self._asked = False
        self._deadline: Instant | None = None
        self._items: deque[_Item] = deque()
        self._lost = 0
        self._error: Exception | None = None
        self._stopped = False
        self._thread = Thread(target=self._run, name=f"aio {link.caps.name}", daemon=True)
        self._thread.start()

    def post(self, frames: Sequence[CanFrame]) -> None:
        """Have frames sent, without waiting for it."""
        with self._turn:
            self._outbox.extend(frames)
            self._turn.notify()

    async def ask(self, deadline: Instant | None) -> None:
        """Wait for the first frame or the deadline; None waits only until all is sent."""
        if self._ended.is_set():
            return
        self._answered.clear()
        with self._turn:
            self._asked = True
            self._deadline = deadline
            self._turn.notify()
        await self._answered.wait()

    def collect(self) -> list[_Item]:
        """What happened since the last call, in its order."""
        with self._turn:
            items = list(self._items)
            self._items.clear()
            lost, self._lost = self._lost, 0
        if lost:
            text = f"the event loop was held up, and {self._backlog} frames waited for it"
            items.append(LinkEvent(LinkEventKind.OVERRUN, self._link.now(), text, lost))
        return items

    def check(self) -> None:
        """Raise what ended the thread."""
        if self._error is not None:
            raise self._error

    async def end(self) -> None:
        """Join the thread; LinkError if the link keeps it beyond every deadline."""
        with self._turn:
            self._stopped = True
            self._turn.notify()
        try:
            await asyncio.wait_for(self._ended.wait(), _END_WITHIN + self._send_within / SECOND)
        except TimeoutError:
            name = self._link.caps.name
            raise LinkError(f"{name}: the driver does not return: its thread is left") from None
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._serve():
                pass
        except Exception as error:  # noqa: BLE001  (raised in the loop)
            self._error = error
        finally:
            # The loop may be closed by now, and then nobody waits.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        self._ended.set()
        self._answered.set()

    def _serve(self) -> bool:
        with self._turn:
            self._turn.wait_for(lambda: self._asked or self._outbox or self._stopped, _PATIENCE)
            if self._stopped:
                return False
            asked, self._asked = self._asked, False
            frames, self._outbox = self._outbox, []
            deadline = self._deadline if asked else _PAST
            if deadline is not None and self._items:
                deadline = _PAST
        happened: list[_Item] = []
        try:
            self._work(frames, deadline, happened)
        finally:
            while (event := self._link.poll_event()) is not None:
                happened.append(event)
            self._keep(happened)
        if asked:
            self._loop.call_soon_threadsafe(self._answered.set)
        return True

    def _work(self, frames: Sequence[CanFrame], deadline: Instant | None, happened: list[_Item]) -> None:
        link = self._link
        for frame in frames:
            at = link.now()
            link.send(frame, deadline=at + self._send_within)
            happened.append(_Sent(frame, at))
        if deadline is None:
            return
        deadline = min(deadline, link.now() + self._reaction)
        for _ in range(_BATCH):
            received = link.receive(deadline=deadline)
            if received is None:
                return
            happened.append(received)
            deadline = _PAST

    def _keep(self, happened: Sequence[_Item]) -> None:
        with self._turn:
            for item in happened:
                if len(self._items) < self._backlog or isinstance(item, _Sent):
                    self._items.append(item)
                elif isinstance(item, Received):
                    self._lost += 1


async def drive(
    node: Node,
    link: Link,
    *,
    until: Callable[[Instant], bool] | None = None,
    limit: Instant | None = None,
    tap: FrameTap | None = None,
    events: Callable[[LinkEvent], object] | None = None,
    send_within: int = 100 * MILLISECOND,
    reaction: int = REACTION,
    backlog: int = BACKLOG,
) -> Driven:
    """As blocking.drive, beside the other tasks of the loop; cancelling it frees the link within 2 s.

    ``until`` is asked, and a command to the node seen, every ``reaction`` ns at least. What had been
    read but not served at the end is lost; the link stays open.
    """
    if until is None and limit is None:
        raise ValueError("give until or limit: this run would have no end")
    serving = Serving(node, link.now(), tap, events)
    port = _Port(link, reaction, send_within, backlog)
    try:
        await _serve(node, link, serving, port, until, limit)
    except LinkClosed as error:
        return Driven(serving.now, error, serving.meter.lateness())
    finally:
        await port.end()
    return Driven(serving.now, None, serving.meter.lateness())


async def _serve(
    node: Node,
    link: Link,
    serving: Serving,
    port: _Port,
    until: Callable[[Instant], bool] | None,
    limit: Instant | None,
) -> None:
    waiting: deque[_Item] = deque()
    while True:
        frames: list[CanFrame] = []
        while (frame := node.poll_transmit()) is not None:
            frames.append(frame)
        now = serving.now = max(serving.now, link.now())
        over = (limit is not None and now >= limit) or (until is not None and until(now))
        due = node.next_timeout()
        if frames:
            port.post(frames)
        if over or not waiting:
            wanted = [at for at in (due, limit) if at is not None]
            await port.ask(None if over else min(wanted, default=now + SECOND))
            waiting.extend(port.collect())
            due = node.next_timeout()
        received = _next_frame(waiting, serving, over=over)
        if received is None:
            port.check()
            if over:
                return
        serving.take(received, due, link.now)


def _next_frame(waiting: deque[_Item], serving: Serving, *, over: bool) -> Received | None:
    """The next frame to serve; what comes before it is told, and at the end there is none."""
    while waiting:
        item = waiting.popleft()
        if isinstance(item, _Sent):
            serving.sent(item.frame, item.at)
        elif isinstance(item, LinkEvent):
            serving.tell(item)
        elif not over:
            return item
    return None
