"""A firmware test rig in asyncio: a charger's session runs beside the steps of a test on the pack's firmware.

    python asyncio_rig.py                                       # a model of a pack in the firmware's place
    python asyncio_rig.py "can:pcan:PCAN_USBBUS1?bitrate=250000"
    python asyncio_rig.py exec:./device                         # firmware compiled for this machine

With the model in another process, on vcan:

    modprobe vcan
    ip link add vcan0 type vcan && ip link set vcan0 up
    swapproto simulate pack --link can:socketcan:vcan0 &
    python asyncio_rig.py can:socketcan:vcan0

The steps are coroutines: power supplies and relays that speak asyncio stand beside them.
"""

import asyncio
import sys
from collections import defaultdict
from contextlib import closing, nullcontext

from swapproto.frame import MILLISECOND, CanFrame, Instant
from swapproto.link import Link
from swapproto.messages.gbt27930 import BCL, BHM, BRO, BSD, BST, CCS, ChargingMessage
from swapproto.models.charger import Charger, ChargerSpec
from swapproto.models.pack import Pack
from swapproto.plugins import open_link
from swapproto.runtime import aio
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint

PATIENCE = 10.0
"""Seconds that a step waits for the firmware."""


class Rig:
    """A charger on a link, and the first instant of each message."""

    def __init__(self, link: Link) -> None:
        session = ChargerSession(Charger(ChargerSpec(insulation_time=0.1, readiness_delay=0)))
        self.charger = Endpoint(session, session.party)
        self.link = link
        self._seen = defaultdict[int, asyncio.Future[Instant]](asyncio.get_running_loop().create_future)

    async def run(self) -> None:
        await aio.drive(self.charger, self.link, until=lambda _: False, tap=self._tap)

    async def first(self, kind: type[ChargingMessage]) -> Instant:
        """Wait for the message; TimeoutError where it does not come."""
        try:
            at = await asyncio.wait_for(self._seen[kind.identifier()], PATIENCE)
        except TimeoutError:
            raise TimeoutError(f"no {kind.__name__} within {PATIENCE:g} s") from None
        print(f"{kind.__name__} seen")
        return at

    def press(self, button: Command) -> Instant:
        now = self.link.now()
        self.charger.command(button, now)
        return now

    def _tap(self, frame: CanFrame, at: Instant, _own: bool) -> None:
        if not self._seen[frame.id].done():
            self._seen[frame.id].set_result(at)


async def a_stop_is_answered(rig: Rig) -> None:
    """The test: a charge is begun, stopped by hand, and ended in order."""
    rig.press(Command.START)
    for kind in (BHM, BRO, BCL, CCS):
        await rig.first(kind)
    pressed = rig.press(Command.STOP)
    answered = await rig.first(BST)
    print(f"the stop was answered after {(answered - pressed) / MILLISECOND:.1f} ms")
    await rig.first(BSD)


async def model(link: Link) -> None:
    pack = Endpoint(BmsSession(Pack(readiness_delay=0)), BmsSession.party)
    pack.command(Command.START, link.now())
    await aio.drive(pack, link, until=lambda _: False)


async def main(url: str | None) -> None:
    with (
        closing(open_link(url or "can:virtual:rig")) as link,
        nullcontext() if url else closing(open_link("can:virtual:rig")) as peer,
    ):
        rig = Rig(link)
        beside = [rig.run()] if peer is None else [rig.run(), model(peer)]
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(each) for each in beside]
            await a_stop_is_answered(rig)
            for task in running:
                task.cancel()


try:
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
except* TimeoutError as failed:
    sys.exit(str(failed.exceptions[0]))
