"""What the wire takes: frames a second on a full bus, kernel stamps, the kernel's own cyclic sender."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from random import Random
from threading import Thread
from typing import TypeAlias

import can
import pytest

from swapproto.frame import MILLISECOND, SECOND, CanFrame, Received
from swapproto.link import Link
from swapproto_drivers.can_bus import open_link

pytestmark = pytest.mark.lab(timing=True)

Pace: TypeAlias = Callable[[Sequence[CanFrame]], None]
BusTime: TypeAlias = Callable[[Sequence[CanFrame]], int]
AWAKE = SECOND // 10
"""How long a process may take before a link is read."""


@pytest.fixture
def links() -> Iterator[tuple[Link, Link]]:
    with closing(open_link("socketcan:can0", {})) as here, closing(open_link("socketcan:can1", {})) as there:
        yield here, there


def random_frames(count: int) -> list[CanFrame]:
    random = Random(count)
    return [CanFrame(0x18FF50E5, random.randbytes(8)) for _ in range(count)]


def send_all(link: Link, frames: Sequence[CanFrame]) -> None:
    for frame in frames:
        link.send(frame, deadline=link.now() + SECOND)


def receive_all(link: Link, count: int) -> list[Received]:
    received: list[Received] = []
    while len(received) < count:
        one = link.receive(deadline=link.now() + SECOND)
        assert one is not None, f"{len(received)} of {count} frames came"
        received.append(one)
    return received


def test_frames_a_second_on_a_full_bus(links: tuple[Link, Link], pace: Pace, bus_time: BusTime) -> None:
    here, there = links
    frames = random_frames(2000)
    pace(frames)
    sender = Thread(target=send_all, args=(here, frames))
    sender.start()
    received = receive_all(there, len(frames))
    sender.join()
    assert [one.frame for one in received] == frames
    measured = received[-1].at - received[0].at
    assert measured == pytest.approx(bus_time(frames[1:]), rel=0.02)
    assert 1750 < (len(frames) - 1) * SECOND / measured < 1909


def test_stamps_are_the_kernels_and_not_those_of_reading(
    links: tuple[Link, Link], pace: Pace, bus_time: BusTime
) -> None:
    here, there = links
    assert there.caps.stamp_source == "kernel"
    frames = random_frames(100)
    pace(frames)
    send_all(here, frames)
    here.receive(deadline=here.now() + AWAKE)
    before = there.now()
    received = receive_all(there, len(frames))
    assert received[-1].at < before
    frame_time = bus_time(frames) / len(frames)
    for one, following in pairwise(received):
        assert following.at - one.at == pytest.approx(frame_time, rel=0.02)


@pytest.mark.parametrize("period", [10, 50, 250])
def test_periods_of_the_kernels_cyclic_sender(links: tuple[Link, Link], period: int) -> None:
    link, _ = links
    message = can.Message(arbitration_id=0x181056F4, data=bytes(8))
    with can.Bus("can1", interface="socketcan", ignore_config=True) as bus:
        task = bus.send_periodic(message, period / 1000)
        received = receive_all(link, 41)
        task.stop()
    assert {one.frame for one in received} == {CanFrame(0x181056F4, bytes(8))}
    for one, following in pairwise(received):
        assert following.at - one.at == pytest.approx(period * MILLISECOND, abs=MILLISECOND // 10)
