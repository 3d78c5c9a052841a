"""A pack and a charger meet on a virtual bus: half an hour of charging, computed in a moment."""

from swapproto.frame import SECOND, CanFrame, Instant
from swapproto.messages.gbt27930 import CCS, Party
from swapproto.models.charger import Charger
from swapproto.models.pack import Pack
from swapproto.runtime.virtual import VirtualBus
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint

charger = Endpoint(ChargerSession(Charger()), Party.CHARGER)
pack = Endpoint(BmsSession(Pack(soc=0.4)), Party.BMS)
bus = VirtualBus(seed=1)
last: dict[int, CanFrame] = {}


def remember(frame: CanFrame, _at: Instant, _sender: str) -> None:
    last[frame.id] = frame


bus.tap(remember)
bus.attach(charger, "charger")
bus.attach(pack, "pack")
charger.command(Command.START, bus.now)
pack.command(Command.START, bus.now)

for minute in range(0, 31, 5):
    bus.run_until(minute * 60 * SECOND)
    frame = last.get(CCS.identifier())
    if frame is not None:
        state = CCS.decode(frame.data)
        print(f"{minute:3} min  {state.voltage:6.1f} V  {state.current:7.1f} A")
