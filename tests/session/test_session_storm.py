"""Anything at all arrives: nothing raises, and memory stays bounded."""

import gc
import tracemalloc
from enum import StrEnum
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.frame import MILLISECOND, CanFrame
from swapproto.messages.gbt27930 import MESSAGES, ChargingMessage, Party
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import MAX_EVENTS, Endpoint
from tests.session.conftest import StillCharger, StillPack

VECTORS: tuple[ChargingMessage, ...] = tuple(
    kind.decode(vector.data) for kind in MESSAGES for vector in kind.VECTORS
)


def sessions() -> tuple[ChargerSession, BmsSession]:
    return ChargerSession(StillCharger()), BmsSession(StillPack())


def endpoints() -> tuple[Endpoint, Endpoint]:
    charger, bms = sessions()
    return Endpoint(charger, Party.CHARGER), Endpoint(bms, Party.BMS)


steps = st.one_of(
    st.sampled_from(VECTORS),
    st.integers(0, 70_000).map(lambda milliseconds: milliseconds * MILLISECOND),
    st.sampled_from(Command),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=80))
def test_any_order_of_messages_commands_and_time(story: list[ChargingMessage | Command | int]) -> None:
    for session in sessions():
        rules = session._rules
        sends: dict[StrEnum, tuple[type[ChargingMessage], ...]] = dict(rules.sends.items())
        now = 0
        session.command(Command.START, now)
        for step in story:
            if isinstance(step, Command):
                if (session.state, session._inputs(step.value)) in rules.table:
                    session.command(step, now)
            elif isinstance(step, int):
                now += step
                session.handle_timeout(now)
            else:
                session.receive(step, now)
            due = session.next_timeout()
            assert due is None or due > now
            assert set(session._senders) == set(sends.get(session.state, ()))
            assert session.reconnects <= 3


def storm(random: Random, count: int, end: Endpoint) -> None:
    """Frames that look like the protocol's or like nothing, with commands and time between."""
    peer = end.party.peer.value
    own = end.party.value
    known = [can_id for kind in MESSAGES for can_id in kind.identifiers()]
    transport = [
        0x1CEC0000 | own << 8 | peer,
        0x1CEB0000 | own << 8 | peer,
        0x1CECFF00 | peer,
        0x1CEBFF00 | peer,
    ]
    valid = [
        CanFrame(kind.identifier(), vector.data)
        for kind in MESSAGES
        for vector in kind.VECTORS
        if len(vector.data) <= 8
    ]
    now = 0
    for _ in range(count):
        now += random.randrange(3 * MILLISECOND)
        choice = random.random()
        if choice < 0.3:
            frame = random.choice(valid)
        elif choice < 0.6:
            frame = CanFrame(random.choice(known), random.randbytes(random.randrange(9)))
        elif choice < 0.9:
            control = random.choice((b"\x10", b"\x11", b"\x13", b"\x20", b"\xff", random.randbytes(1)))
            rest = random.randbytes(4) + random.choice((b"\x00\x02\x00", random.randbytes(3)))
            frame = CanFrame(random.choice(transport), (control + rest)[: random.choice((8, 8, 8, 3))])
        else:
            frame = CanFrame(random.getrandbits(29), random.randbytes(random.randrange(9)))
        end.receive(frame, now)
        due = end.next_timeout()
        if due is not None and due <= now:
            end.handle_timeout(now)
        end.poll_transmit()
        if random.random() < 0.001:
            end.command(Command.UNPLUG, now)
            end.command(Command.START, now)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("party", list(Party))
def test_a_storm_of_frames(seed: int, party: Party) -> None:
    charger, bms = endpoints()
    storm(Random(seed), 5_000, charger if party is Party.CHARGER else bms)


@pytest.mark.long
@pytest.mark.parametrize("party", list(Party))
def test_a_million_frames_take_no_more_memory_than_a_tenth_of_them(party: Party) -> None:
    charger, bms = endpoints()
    end = charger if party is Party.CHARGER else bms
    storm(Random(1), 100_000, end)
    gc.collect()
    tracemalloc.start()
    try:
        storm(Random(2), 1_000_000, end)
        gc.collect()
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 3_000_000
    assert len(end._events) <= MAX_EVENTS
