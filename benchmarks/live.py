"""The live side: a frame from link to session, twenty full buses in real time, and cyclic messages on time.

``python benchmarks/live.py`` prints the tables; ``--check`` exits with 1 where a target is missed. Each part
is measured in turns with python-can and asyncio, in one run.
"""

import argparse
import asyncio
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from itertools import count, pairwise
from statistics import quantiles
from threading import Event
from time import process_time
from typing import TYPE_CHECKING

import can

from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import LinkCaps, LinkEvent
from swapproto.messages.gbt27930 import Party
from swapproto.models.battery import BatterySpec
from swapproto.models.charger import Charger
from swapproto.models.pack import Pack
from swapproto.runtime import aio
from swapproto.runtime.blocking import drive
from swapproto.runtime.buses import Buses
from swapproto.runtime.cyclic import CyclicSender
from swapproto.runtime.virtual import VirtualBus
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession, State
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto_drivers.can_bus import PythonCanLink

if TYPE_CHECKING:  # a script finds its neighbour by its bare name
    from collections.abc import Generator

    from benchmarks._ratio import Rounds, conclude
else:
    from _ratio import Rounds, conclude

MICROSECONDS_A_FRAME = 8
BUSES = 20
MESSAGES, PERIOD = 20, 50 * MILLISECOND
P99_IDLE, P99_BUSY = 0.5, 1.0
"""Milliseconds."""
SLOW = BatterySpec(capacity=2000.0)
_WARM_UP = 30 * SECOND
_names = count()


class Charging:
    """A charger in the middle of a charge, at the present moment, and ten seconds of its pack's frames."""

    def __init__(self, frames: int) -> None:
        bus = VirtualBus(seed=1, start=time.monotonic_ns() - _WARM_UP)
        self.charger = Endpoint(ChargerSession(Charger()), Party.CHARGER)
        pack = Endpoint(BmsSession(Pack(SLOW, lists_cells=False)), Party.BMS)
        heard: list[CanFrame] = []
        untap = bus.tap(lambda frame, at, _: heard.append(frame) if at > bus.now - _WARM_UP // 3 else None)
        for endpoint, name in ((self.charger, "charger"), (pack, "pack")):
            bus.attach(endpoint, name)
            endpoint.command(Command.START, bus.now)
        bus.run_until(bus.now + 2 * _WARM_UP // 3)
        heard.clear()
        bus.run_until(bus.now + _WARM_UP // 3)
        untap()
        peers = [frame for frame in heard if frame.id & 0xFF == Party.BMS.value]
        self.frames = (peers * (frames // len(peers) + 1))[:frames]

    def check(self) -> None:
        session = self.charger.session
        if not isinstance(session, ChargerSession) or session.state is not State.CHARGING:
            raise SystemExit("the session fell out of charging")


class Handing:
    """A link that has all its frames already."""

    def __init__(self, frames: Sequence[CanFrame]) -> None:
        self.caps = LinkCaps("handing")
        self.done = False
        self._now = time.monotonic_ns()
        self._frames = iter(frames)

    def now(self) -> Instant:
        return self._now

    def send(self, frame: CanFrame, *, deadline: Instant) -> None: ...

    def receive(self, *, deadline: Instant) -> Received | None:
        del deadline
        frame = next(self._frames, None)
        if frame is None:
            self.done = True
            return None
        return Received(frame, self._now)

    def poll_event(self) -> LinkEvent | None:
        return None

    def close(self) -> None: ...


@contextmanager
def full(frames: Sequence[CanFrame]) -> "Generator[can.BusABC]":
    """One of python-can's virtual buses, with frames that wait to be read."""
    channel = f"live-{next(_names)}"
    one = can.Bus(channel, interface="virtual")
    other = can.Bus(channel, interface="virtual")
    for frame in frames:
        other.send(can.Message(arbitration_id=frame.id, data=frame.data))
    try:
        yield one
    finally:
        one.shutdown()
        other.shutdown()


def handed(charging: Charging) -> float:
    link = Handing(charging.frames)
    begin = process_time()
    drive(charging.charger, link, until=lambda _: link.done)
    return process_time() - begin


class Counted:
    """An endpoint that knows when it has had all frames."""

    def __init__(self, charging: Charging) -> None:
        self._endpoint = charging.charger
        self._left = len(charging.frames)
        self.next_timeout = self._endpoint.next_timeout
        self.poll_transmit = self._endpoint.poll_transmit
        self.handle_timeout = self._endpoint.handle_timeout

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self._left -= 1
        self._endpoint.receive(frame, now)

    def over(self, _: Instant) -> bool:
        return self._left <= 0


def blocking(charging: Charging) -> float:
    with full(charging.frames) as bus:
        node = Counted(charging)
        begin = process_time()
        drive(node, PythonCanLink(bus), until=node.over)
        return process_time() - begin


def in_asyncio(charging: Charging) -> float:
    with full(charging.frames) as bus:
        node = Counted(charging)
        begin = process_time()
        asyncio.run(aio.drive(node, PythonCanLink(bus), until=node.over))
        return process_time() - begin


def notifier(charging: Charging) -> float:
    """python-can's own receive thread; what it hands over is only counted."""
    done, left = Event(), len(charging.frames)

    def listen(_message: can.Message) -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    with full(charging.frames) as bus:
        begin = process_time()
        running = can.Notifier(bus, [listen])
        done.wait()
        spent = process_time() - begin
        running.stop()
    return spent


def asyncio_notifier(charging: Charging) -> float:
    """python-can's reader for asyncio; what it hands over is only counted."""

    async def listen(bus: can.BusABC) -> float:
        reader = can.AsyncBufferedReader()
        begin = process_time()
        running = can.Notifier(bus, [reader], loop=asyncio.get_running_loop())
        for _ in charging.frames:
            await reader.get_message()
        spent = process_time() - begin
        running.stop()
        return spent

    with full(charging.frames) as bus:
        return asyncio.run(listen(bus))


WAYS: dict[str, Callable[[Charging], float]] = {
    "link to session": handed,
    "python-can bus, drive()": blocking,
    "python-can bus, aio.drive()": in_asyncio,
    "python-can Notifier": notifier,
    "python-can Notifier, asyncio": asyncio_notifier,
}


def measure_frames(rounds: int, frames: int) -> list[str]:
    times: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, way in WAYS.items():
            charging = Charging(frames)
            times[name].append(way(charging) / frames * 1e9)
            charging.check()
    result = Rounds(times)
    missed = result.microseconds("link to session").middle > MICROSECONDS_A_FRAME
    print(f"{'a frame, CPU time':30} us                   times the Notifier's")
    for name in WAYS:
        target = f"   {MICROSECONDS_A_FRAME} us{'!' if missed else ''}" if name == "link to session" else ""
        ratio = result.ratio(name, "python-can Notifier")
        print(f"{name:30} {result.microseconds(name)}  {ratio}{target}")
    return ["link to session"] * missed


class Filler:
    """Keeps a bus full with frames that concern nobody, at the lowest priority."""

    def __init__(self) -> None:
        self._count = 0

    def receive(self, frame: CanFrame, now: Instant) -> None: ...

    def handle_timeout(self, now: Instant) -> None: ...

    def next_timeout(self) -> Instant | None:
        return None

    def poll_transmit(self) -> CanFrame | None:
        self._count += 1
        return CanFrame(0x1CFFFF00, (self._count % 250).to_bytes(8, "big"))


def measure_buses(seconds: int) -> list[str]:
    """Every bus with a charge on it and filled up; once as fast as it goes, once beside the clock."""
    buses = Buses()
    frames = 0

    def tap(_channel: str, _frame: CanFrame, _at: Instant, _sender: str) -> None:
        nonlocal frames
        frames += 1

    buses.tap(tap)
    for n in range(BUSES):
        bus = buses.add_bus(f"bus {n}", VirtualBus(seed=n))
        sessions = (ChargerSession(Charger()), BmsSession(Pack(SLOW, lists_cells=False)))
        for session in sessions:
            end = Endpoint(session, session.party)
            end.command(Command.START, 0)
            bus.attach(end, session.party.label)
        bus.attach(Filler(), "filler")
    buses.run_until(SECOND)
    frames, begin = 0, process_time()
    buses.run_until(buses.now + seconds * SECOND)
    share = (process_time() - begin) / seconds
    rate = frames / seconds / BUSES
    print(f"\n{BUSES} buses of {rate:.0f} frames/s, each with a charge and two endpoints: ", end="")
    print(f"{share:.2f} of one core{'!' if share >= 1 else ''}", end="")
    offset, late = time.monotonic_ns() - buses.now, list[int]()
    end_at = buses.now + seconds * SECOND
    while buses.now < end_at:
        buses.run_until(min(end_at, max(buses.now + MILLISECOND, time.monotonic_ns() - offset)))
        late.append(time.monotonic_ns() - offset - buses.now)
        if late[-1] < 0:
            time.sleep(-late[-1] / SECOND)
    print(
        f"; beside the clock at most {max(late) / 1e6:.1f} ms behind, {max(0, late[-1]) / 1e6:.1f} at the end"
    )
    return [f"{BUSES} buses in real time"] * (share >= 1)


class Clocked(can.BusABC):
    """A bus of python-can that only notes when each identifier was sent."""

    def __init__(self) -> None:
        super().__init__(channel="clocked")
        self.sent: dict[int, list[int]] = {}

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        del timeout
        self.sent.setdefault(msg.arbitration_id, []).append(time.monotonic_ns())

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        del timeout
        return None, True


Sent = dict[int, list[int]]


class Noting:
    """A link of ours that does the same."""

    def __init__(self) -> None:
        self.caps = LinkCaps("noting")
        self.sent: Sent = {}

    def now(self) -> Instant:
        return time.monotonic_ns()

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        del deadline
        self.sent.setdefault(frame.id, []).append(time.monotonic_ns())

    def receive(self, *, deadline: Instant) -> Received | None:
        del deadline
        return None

    def poll_event(self) -> LinkEvent | None:
        return None

    def close(self) -> None: ...


def ours(seconds: float, *, realtime: bool = True) -> Sent:
    link = Noting()
    with CyclicSender(realtime=realtime) as sender:
        for n in range(MESSAGES):
            sender.add(link, CanFrame(n, bytes(8)), period=PERIOD, phase=n * PERIOD // MESSAGES)
        time.sleep(seconds)
    return link.sent


def send_periodic(seconds: float) -> Sent:
    bus = Clocked()
    for n in range(MESSAGES):
        bus.send_periodic(can.Message(arbitration_id=n, data=bytes(8)), PERIOD / SECOND)
        time.sleep(PERIOD / MESSAGES / SECOND)
    time.sleep(seconds)
    bus.stop_all_periodic_tasks()
    bus.shutdown()
    return bus.sent


def asyncio_tasks(seconds: float) -> Sent:
    """A task for each message, which sleeps until its next absolute deadline."""
    sent: Sent = {n: [] for n in range(MESSAGES)}

    async def cyclic(n: int, begin: float) -> None:
        loop = asyncio.get_running_loop()
        for k in count():
            due = begin + n * PERIOD / MESSAGES / SECOND + k * PERIOD / SECOND
            await asyncio.sleep(due - loop.time())
            sent[n].append(time.monotonic_ns())

    async def run() -> None:
        begin = asyncio.get_running_loop().time()
        tasks = [asyncio.create_task(cyclic(n, begin)) for n in range(MESSAGES)]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
    return sent


SENDERS: dict[str, Callable[[float], Sent]] = {
    "ours, SCHED_FIFO": ours,
    "ours, ordinary thread": lambda seconds: ours(seconds, realtime=False),
    "python-can send_periodic": send_periodic,
    "asyncio": asyncio_tasks,
}


def _spin() -> None:
    while True:
        pass


@contextmanager
def busy(cores: int) -> "Generator[None]":
    """So many processes that never rest."""
    context = multiprocessing.get_context("spawn")
    spinning = [context.Process(target=_spin, daemon=True) for _ in range(cores)]
    for each in spinning:
        each.start()
    try:
        yield
    finally:
        for each in spinning:
            each.kill()
            each.join()


def measure_cyclic(rounds: int, seconds: float, *, cores: int) -> list[str]:
    errors: dict[str, list[float]] = {name: [] for name in SENDERS}
    drift: dict[str, list[float]] = {name: [] for name in SENDERS}
    for _ in range(rounds):
        for name, sender in SENDERS.items():
            for sent in sender(seconds).values():
                errors[name] += [abs(b - a - PERIOD) / 1e6 for a, b in pairwise(sent)]
                drift[name].append(abs(sent[-1] - sent[0] - PERIOD * (len(sent) - 1)) / 1e6)
    limit = P99_BUSY if cores else P99_IDLE
    p99 = {name: quantiles(found, n=100)[98] for name, found in errors.items()}
    load = f"{cores} processes that never rest" if cores else "nothing else of ours running"
    print(f"\n{MESSAGES} messages each {PERIOD // MILLISECOND} ms, error of the period in ms, {load}")
    print(f"{'':28}   p50     p99     max   drift   p99, times ours")
    granted = why_not_realtime() == ""
    missed = granted and p99["ours, SCHED_FIFO"] > limit
    for name, found in errors.items():
        middle, worst, away = sorted(found)[len(found) // 2], max(found), max(drift[name])
        goal = f"   {limit} ms{'!' if missed else ''}" if name == "ours, SCHED_FIFO" else ""
        times = p99[name] / p99["ours, SCHED_FIFO"]
        print(f"{name:28}{middle:6.3f}  {p99[name]:6.3f}  {worst:6.2f}  {away:6.2f}  {times:6.1f}{goal}")
    return [f"cyclic messages, {load}"] * missed


def why_not_realtime() -> str:
    with CyclicSender() as sender:
        sender.add(Noting(), CanFrame(1), period=SECOND)
    return sender.report().scheduling


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--frames", type=int, default=5000, help="of each contender in each round")
    parser.add_argument("--seconds", type=float, default=2, help="of each cyclic sender in each round")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    chosen = parser.parse_args(arguments)
    missed = measure_frames(chosen.rounds, chosen.frames)
    missed += measure_buses(3)
    refused = why_not_realtime()
    if refused:
        print(f"\nnot in the real-time class, so that no target of cyclic messages is judged: {refused}")
    cyclic_rounds = max(1, chosen.rounds // 3)
    missed += measure_cyclic(cyclic_rounds, chosen.seconds, cores=0)
    with busy(os.cpu_count() or 1):
        missed += measure_cyclic(cyclic_rounds, chosen.seconds, cores=os.cpu_count() or 1)
    return conclude(missed, chosen.check)


if __name__ == "__main__":
    sys.exit(main())
