"""A truck with an empty pack drives into a station: the whole swap, told step by step, in virtual time.

The pack that it brings is charged a little afterwards, and all buses are kept in one recording.
"""

import sys
from pathlib import Path

from swapproto.frame import SECOND, CanFrame, Instant
from swapproto.models.truck import TRUCKS
from swapproto.simulation.swap import VirtualSwap
from swapproto.simulation.swap_story import Note
from swapproto.trace.candump import write_candump
from swapproto.trace.record import Record

records: list[Record] = []


def remember(channel: str, frame: CanFrame, at: Instant, _sender: str) -> None:
    records.append(Record.of(frame, at, channel=channel))


def tell(note: Note) -> None:
    print(f"{note.at / SECOND:7.1f} s  {note.who:<7}  {note.text}")


swap = VirtualSwap(TRUCKS["tractor"], soc=0.2, charge_to=0.22, seed=1)
swap.buses.tap(remember)
print(f"{swap.truck.range_left:.0f} km are left")
result = swap.run(tell)
print(f"{result.outcome} after {result.duration} s, and {swap.truck.range_left:.0f} km are left")
if len(sys.argv) > 1:
    Path(sys.argv[1]).write_bytes(write_candump(records))
    print(f"{len(records)} frames of {', '.join(swap.buses.names)} are in {sys.argv[1]}")
