"""Bridges a CAN to Ethernet converter with 13-byte units to SocketCAN, or any link to any other.

    python bridge_converter.py canet:tcp:192.168.0.178:4001 can:socketcan:vcan0     # until Ctrl-C
    python bridge_converter.py                                  # a converter on this machine's loopback

Afterwards every SocketCAN tool sees the converter's bus, and what it sends goes there:

    modprobe vcan
    ip link add vcan0 type vcan && ip link set vcan0 up
    candump vcan0 & cansend vcan0 1826F456#010100

A converter collects frames: their times on vcan0 are those of its packets, so judge no period by them.
"""

import sys
from collections import deque
from contextlib import closing, suppress

from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.link import Link
from swapproto.messages.gbt27930 import BHM, CHM
from swapproto.plugins import open_link
from swapproto.runtime.station import StationRunner
from swapproto_drivers import canet

WAITING = 1000
"""Frames that wait for a side that takes none; then the oldest go."""


class Side:
    """One end of the bridge (a link.Node): what it hears the other one says."""

    def __init__(self) -> None:
        self.to_say: deque[CanFrame] = deque(maxlen=WAITING)
        self.other = self

    def receive(self, frame: CanFrame, now: Instant) -> None:  # noqa: ARG002
        self.other.to_say.append(frame)

    def handle_timeout(self, now: Instant) -> None: ...

    def next_timeout(self) -> Instant | None:
        return None

    def poll_transmit(self) -> CanFrame | None:
        return self.to_say.popleft() if self.to_say else None


def bridge(first: Link, second: Link) -> StationRunner:
    """Both ways from now on, with a millisecond of delay at most, until the runner is stopped."""
    runner = StationRunner(reaction=MILLISECOND, events=lambda name, event: print(f"{name}: {event.text}"))
    a, b = Side(), Side()
    a.other, b.other = b, a
    runner.add(a, first, first.caps.name, group="bridge")
    runner.add(b, second, second.caps.name, group="bridge")
    return runner


def loopback() -> None:
    """A tool's frame reaches the converter's bus, and a frame of that bus the tool."""
    with (
        closing(canet.open_link("listen:127.0.0.1:0", {})) as converter,
        closing(open_link("can:virtual:bridged")) as tool,
        bridge(open_link(f"canet:tcp:127.0.0.1:{converter.local_port}"), open_link("can:virtual:bridged")),
    ):
        ways: tuple[tuple[Link, Link, CanFrame], ...] = (
            (tool, converter, CHM(version_minor=1, version_major=1).frame()),
            (converter, tool, BHM(max_voltage=832.2).frame()),
        )
        for sender, receiver, frame in ways:
            sender.send(frame, deadline=sender.now() + SECOND)
            received = receiver.receive(deadline=receiver.now() + 5 * SECOND)
            print(f"{sender.caps.name} -> {receiver.caps.name}: {received and received.frame}")
            if received is None or received.frame != frame:
                sys.exit("the frame did not arrive")


def main() -> None:
    if len(sys.argv) == 1:
        loopback()
        return
    with suppress(KeyboardInterrupt), bridge(*map(open_link, sys.argv[1:])) as station:
        station.run(lambda: bool(station.ends))


if __name__ == "__main__":
    main()
