"""A pack and a charger on one bus, in real time: they greet, charge for some seconds and end in order.

    python charge_on_vcan.py                          # a bus inside this process, nothing to set up
    python charge_on_vcan.py can:socketcan:vcan0      # on vcan, where every CAN tool sees it

    modprobe vcan
    ip link add vcan0 type vcan && ip link set vcan0 up
    candump -ta vcan0                                 # in another terminal

One thread serves each link; a station gives its bays, its PLC and its trucks to the same runner.
"""

import sys

import msgspec

from swapproto.frame import MILLISECOND, SECOND
from swapproto.models.battery import TRUCK_PACK
from swapproto.models.charger import Charger, ChargerSpec
from swapproto.models.pack import Pack
from swapproto.plugins import open_link
from swapproto.runtime.station import StationRunner
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto.session.events import SessionEnded, StateChanged

url = sys.argv[1] if len(sys.argv) > 1 else "can:virtual:bench"
nearly_there = msgspec.structs.replace(TRUCK_PACK, soc_target=0.5)
pack = BmsSession(Pack(nearly_there, soc=0.49998, readiness_delay=0))
charger = ChargerSession(Charger(ChargerSpec(insulation_time=0.1, readiness_delay=0)))
ends = [Endpoint(pack, pack.party), Endpoint(charger, charger.party)]
complete = False

with StationRunner() as station:
    for end in ends:
        link = open_link(url)
        end.command(Command.START, link.now())
        station.add(end, link, end.party.label)
    lanes = station.run(lambda: pack.ended, duration=30 * SECOND)

story: list[tuple[int, str]] = []
for end in ends:
    while (event := end.poll_event()) is not None:
        if isinstance(event, StateChanged):
            story.append((event.at, f"{end.party.label:<7}  {event.after} ({event.cause})"))
        elif isinstance(event, SessionEnded):
            complete = event.complete
began, _ = min(story)
for at, text in sorted(story):
    print(f"{(at - began) / SECOND:6.3f} s  {text}")
for lane in lanes.values():
    late = lane.lateness.max / MILLISECOND
    print(f"{lane.name}: {lane.error or 'in order'}; timers at most {late:.1f} ms late")
print("complete" if complete else "not complete")
sys.exit(not complete)
