"""Listens to the bus of a bay for ten seconds and prints what the pack in it told; nothing is sent.

    python listen_to_a_bay.py                                             # a model of a pack, in virtual time
    python listen_to_a_bay.py "can:pcan:PCAN_USBBUS1?listen_only=true&bitrate=auto"     # 250 or 500 kbit/s
    python listen_to_a_bay.py "can:socketcan:can2?listen_only=true"

With vcan, and a recording of a pack whose channel was can2:

    modprobe vcan
    ip link add vcan0 type vcan && ip link set vcan0 up
    canplayer -I bay.log vcan0=can2 &
    python listen_to_a_bay.py "can:socketcan:vcan0?listen_only=true"
"""

import sys
from contextlib import closing

from swapproto.frame import SECOND
from swapproto.link import Link
from swapproto.messages.catalog import message_set
from swapproto.messages.pack_can.snapshot import PackAssembly, PackSnapshot
from swapproto.models.pack_node import PackNode
from swapproto.models.swap_pack import SwapPack
from swapproto.plugins import open_link
from swapproto_drivers import virtual


def model() -> Link:
    """A link on the bus of a bay in which a pack stands that has its supply."""
    link = virtual.open_link("bay3", {})
    pack = PackNode(SwapPack("0ZZPB010000000E5X0000042", soc=0.37), in_station=True)
    pack.supply(link.now(), on=True)
    link.bus.attach(pack, "pack")
    return link


def listen(link: Link, seconds: int) -> PackSnapshot:
    pack_can, assembly = message_set("pack-can-d0f3"), PackAssembly()
    until = link.now() + seconds * SECOND
    while (received := link.receive(deadline=until)) is not None:
        found = pack_can.by_identifier(received.frame.id) if received.frame.extended else None
        message = found[0].read(received.frame.data).message if found else None
        if message is not None:
            assembly.receive(message, received.at)
    return assembly.snapshot()


with closing(open_link(sys.argv[1]) if len(sys.argv) > 1 else model()) as link:
    pack = listen(link, seconds=10)
print(f"pack {pack.code.text}")
if pack.state is not None and pack.voltages is not None:
    print(f"{pack.state.message.soc:.1f} %, {pack.voltages.message.pack_voltage:.1f} V")
if pack.cells.samples:
    low, high = min(pack.cells.values), max(pack.cells.values)
    print(f"{len(pack.cells.samples)} of {pack.cells.expected} cells, {low:.3f} to {high:.3f} V")
print("alarms:", ", ".join(f"{alarm.name} ({alarm.level})" for alarm in pack.alarms) or "none")
for text in pack.missing:
    print("missing:", text)
