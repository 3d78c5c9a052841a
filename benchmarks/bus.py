"""A frame sent and received on an in-memory bus, against python-can's virtual bus.

``python benchmarks/bus.py`` prints the table; ``--check`` exits with 1 where a target is missed.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import can

from swapproto.frame import SECOND, CanFrame
from swapproto.plugins import open_link

if TYPE_CHECKING:  # a script finds its neighbour by its bare name
    from benchmarks._ratio import Action, conclude, interleave
else:
    from _ratio import Action, conclude, interleave

CAN_ID, DATA = 0x1812F456, bytes(range(8))
TARGET = 1
"""Our bus also keeps bit times and arbitrates, which python-can's does not; it must cost no more for that."""


class Ours:
    """Two links on one virtual bus."""

    def __init__(self) -> None:
        self._one, self._other = open_link("virtual:benchmark"), open_link("virtual:benchmark")

    def pass_on(self) -> bytes:
        self._one.send(CanFrame(CAN_ID, DATA), deadline=self._one.now() + SECOND)
        received = self._other.receive(deadline=self._other.now() + SECOND)
        assert received is not None
        return received.frame.data

    def close(self) -> None:
        self._one.close()
        self._other.close()


class Theirs:
    """Two of python-can's virtual buses on one channel."""

    def __init__(self) -> None:
        self._one: can.BusABC = can.Bus("benchmark", interface="virtual")
        self._other: can.BusABC = can.Bus("benchmark", interface="virtual")

    def pass_on(self) -> bytes:
        self._one.send(can.Message(arbitration_id=CAN_ID, data=DATA), timeout=1)
        received = self._other.recv(timeout=1)
        assert received is not None
        return bytes(received.data)

    def close(self) -> None:
        self._one.shutdown()
        self._other.shutdown()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--milliseconds", type=float, default=20, help="of each contender in each round")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    chosen = parser.parse_args(arguments)
    ours, theirs = Ours(), Theirs()
    try:
        if not ours.pass_on() == DATA == theirs.pass_on():
            raise SystemExit("a frame did not arrive as it was sent")
        names = {"ours": ours.pass_on, "theirs": theirs.pass_on}
        actions = {name: Action(f"{name}()", names) for name in names}
        times = interleave(actions, chosen.rounds, chosen.milliseconds / 1000)
    finally:
        ours.close()
        theirs.close()
    ratio = times.ratio("theirs", "ours")
    print("One frame made, sent and received. Median CPU microseconds (quartiles), how many times less CPU")
    print("than python-can's virtual bus, the target, and ! where it is missed.\n")
    print(f"{'ours':20} {'python-can':20} ratio             target")
    missed = ratio.middle < TARGET
    print(
        f"{times.microseconds('ours')!s:20} {times.microseconds('theirs')!s:20}"
        f" {ratio}  {TARGET:>4}{'!' if missed else ''}"
    )
    return conclude(["a frame on the bus"] * missed, chosen.check)


if __name__ == "__main__":
    sys.exit(main())
