"""The virtual driver."""

from itertools import count

import pytest

from swapproto.errors import LinkError, LinkUnavailable
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, CanFrame, Received
from swapproto.link import Link
from swapproto.plugins import open_link
from swapproto.runtime.wire_time import frame_bits
from swapproto_drivers import virtual
from swapproto_drivers.contract import LinkContract
from swapproto_drivers.virtual import SEND_QUEUE, VirtualLink

_names = count()


def _open(url: str) -> VirtualLink:
    link = open_link(url)
    assert isinstance(link, VirtualLink)
    return link


class TestVirtualLink(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        url = f"virtual:contract-{next(_names)}"
        return open_link(url), open_link(url)


class TestVirtualLinkWithEcho(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        url = f"virtual:contract-{next(_names)}?echo=true"
        return open_link(url), open_link(url)


def test_links_share_arbitration_and_stamps() -> None:
    one, other, listener = (_open("virtual:shared") for _ in range(3))
    high, low = CanFrame(0x18FF50E5, b"high"), CanFrame(0x0CFF50F4, b"low")
    one.send(high, deadline=0)
    other.send(low, deadline=0)
    end = frame_bits(low) * 4 * MICROSECOND
    assert listener.receive(deadline=SECOND) == Received(low, end)
    assert one.now() == end
    assert one.receive(deadline=0) == Received(low, end)
    assert listener.receive(deadline=0) is None, "a poll lets no time pass"
    next_end = end + (3 + frame_bits(high)) * 4 * MICROSECOND
    assert other.receive(deadline=SECOND) == Received(high, next_end)
    assert listener.receive(deadline=0) == Received(high, next_end)
    for link in (one, other, listener):
        link.close()


def test_a_bus_ends_with_its_last_link() -> None:
    first = _open("virtual:life")
    second = _open("virtual:life")
    assert first.bus is second.bus
    assert {port.name for port in first.bus.ports} == {"life.1", "life.2"}
    first.close()
    third = _open("virtual:life")
    assert third.bus is second.bus
    third.close()
    second.close()
    fresh = _open("virtual:life")
    assert fresh.bus is not second.bus
    fresh.close()


@pytest.mark.parametrize("option", ["bitrate=500000", "seed=1"])
def test_links_must_agree_on_the_bus(option: str) -> None:
    with_default = _open("virtual:agree?bitrate=250000&seed=0")
    with pytest.raises(LinkUnavailable, match="open with"):
        open_link(f"virtual:agree?{option}")
    with_default.close()


def test_alone_on_the_bus_the_queue_fills_and_send_gives_up_at_its_deadline() -> None:
    link = _open("virtual:lonely")
    for _ in range(SEND_QUEUE + 1):
        link.send(CanFrame(1), deadline=link.now())
    deadline = link.now() + 50 * MILLISECOND
    with pytest.raises(LinkError, match="error-passive"):
        link.send(CanFrame(1), deadline=deadline)
    assert link.now() == deadline
    other = _open("virtual:lonely")
    link.send(CanFrame(2), deadline=deadline + SECOND)
    received = [other.receive(deadline=other.now() + SECOND) for _ in range(SEND_QUEUE + 2)]
    assert [one.frame.id for one in received if one is not None] == [1] * (SEND_QUEUE + 1) + [2]
    link.close()
    other.close()


def test_a_link_may_lose_frames() -> None:
    sender, deaf = _open("virtual:loss"), _open("virtual:loss?loss=1")
    sender.send(CanFrame(1), deadline=0)
    assert deaf.receive(deadline=SECOND) is None
    assert [lost.receiver for lost in sender.bus.lost] == ["loss.2"]
    sender.close()
    deaf.close()


def test_frames_that_nobody_reads_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "RECEIVE_QUEUE", 3)
    sender, sleeper = _open("virtual:overrun"), _open("virtual:overrun")
    for n in range(5):
        sender.send(CanFrame(n), deadline=0)
    sender.receive(deadline=SECOND)
    assert sleeper.overruns == 2
    kept = [sleeper.receive(deadline=0) for _ in range(4)]
    assert [one and one.frame.id for one in kept] == [0, 1, 2, None]
    sender.close()
    sleeper.close()
