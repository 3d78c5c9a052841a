"""A charge whose line breaks or is full of noise: it goes on, and the gap is told."""

import os
import socket
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest

from swapproto.frame import SECOND
from swapproto.link import Link, LinkEvent, LinkEventKind
from swapproto.models.battery import TRUCK_PACK
from swapproto.models.charger import Charger, ChargerSpec
from swapproto.models.pack import Pack
from swapproto.plugins import open_link
from swapproto.runtime.station import StationRunner
from swapproto.session import bms
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession, State
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto_drivers._streams import StreamLink
from tests.drivers.slcan_adapters import AdapterPair

LIMIT = 60 * SECOND
"""Far above what a charge of two seconds takes, however busy the machine is."""


def charge(here: Link, there: Link, disturb: Callable[[], None]) -> tuple[bool, Counter[LinkEventKind]]:
    """Whether the pack got its statistics, and what befell the links; disturbed while current flows."""
    nearly_there = msgspec.structs.replace(TRUCK_PACK, soc_target=0.5)
    pack = BmsSession(Pack(nearly_there, soc=0.49996, readiness_delay=0))
    charger = ChargerSession(Charger(ChargerSpec(insulation_time=0.1, readiness_delay=0)))
    ends = (Endpoint(charger, charger.party), Endpoint(pack, pack.party))
    befell: Counter[LinkEventKind] = Counter()
    disturbed = False

    def note(_name: str, event: LinkEvent) -> None:
        befell[event.kind] += event.count

    def over() -> bool:
        nonlocal disturbed
        if not disturbed and charger.state is State.CHARGING:
            disturbed = True
            disturb()
        return disturbed and pack.ended

    with StationRunner(events=note) as station:
        for end, link in zip(ends, (here, there), strict=True):
            end.command(Command.START, link.now())
            station.add(end, link, end.party.label)
        station.run(over, duration=LIMIT)
    assert disturbed
    return pack.state is bms.State.COMPLETE, befell


def test_a_converter_that_resets_in_the_middle_of_a_charge() -> None:
    there = open_link("canet:listen:127.0.0.1:0")
    assert isinstance(there, StreamLink)
    here = open_link(f"canet:tcp:127.0.0.1:{there.local_port}")

    def reset() -> None:
        assert there._peer is not None
        there._peer.shutdown(socket.SHUT_RDWR)

    complete, befell = charge(here, there, reset)
    assert complete
    assert befell[LinkEventKind.CLOSED] >= 1
    assert befell[LinkEventKind.REOPENED] >= 1


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
def test_a_serial_line_full_of_noise_in_the_middle_of_a_charge() -> None:
    pair = AdapterPair()
    here, there = (open_link(f"slcan:{path}?bitrate=250000") for path in pair.paths)
    noise = bytes(range(1, 256)) * 8

    def disturb() -> None:
        for master in pair._masters:
            os.write(master, noise)

    try:
        complete, befell = charge(here, there, disturb)
    finally:
        pair.close()
    assert complete
    assert befell[LinkEventKind.DROPPED] > 0
