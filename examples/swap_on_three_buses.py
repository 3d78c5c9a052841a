"""A whole swap on three buses: the truck's, that of the bay that gives a pack, and of the one that takes one.

    python swap_on_three_buses.py             # in virtual time, in a moment
    python swap_on_three_buses.py can:socketcan:vcan0 can:socketcan:vcan1 can:socketcan:vcan2

Given three links, every frame goes out when its instant has come, some minutes in all, for whatever listens:

    modprobe vcan
    for n in 0 1 2; do ip link add vcan$n type vcan && ip link set vcan$n up; done
    candump -ta vcan0 vcan1 vcan2
"""

import sys
from collections import Counter

from swapproto.frame import SECOND, CanFrame, Instant
from swapproto.link import Link
from swapproto.models.truck import TRUCKS
from swapproto.plugins import open_link
from swapproto.simulation.swap import VirtualSwap
from swapproto.simulation.swap_story import Note


class Outlets:
    """Puts the frames of each bus, in the order in which the buses appear, on a link of its own."""

    def __init__(self, links: list[Link]) -> None:
        self.counts: Counter[str] = Counter()
        self._free = links
        self._taken: dict[str, tuple[Link, Instant]] = {}

    def put(self, bus: str, frame: CanFrame, at: Instant, _sender: str) -> None:
        self.counts[bus] += 1
        if bus not in self._taken:
            if not self._free:
                return
            link = self._free.pop(0)
            self._taken[bus] = link, link.now() - at
        link, begin = self._taken[bus]
        while link.receive(deadline=begin + at) is not None:
            pass  # what others send there is theirs
        link.send(frame, deadline=link.now() + SECOND)


def tell(note: Note) -> None:
    print(f"{note.at / SECOND:7.1f} s  {note.who:<8}  {note.text}")


links = [open_link(url) for url in sys.argv[1:]]
outlets = Outlets(list(links))
swap = VirtualSwap(TRUCKS["tractor"], soc=0.2, charge_to=0.22, seed=1)
swap.buses.tap(outlets.put)
result = swap.run(tell)
for link in links:
    link.receive(deadline=link.now() + SECOND // 10)  # what the port still holds goes out
    link.close()
print(f"{result.outcome} after {result.duration} s")
for bus, count in outlets.counts.items():
    print(f"{bus}: {count} frames")
