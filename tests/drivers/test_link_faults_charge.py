"""Charges over a link with random faults: each ends, nothing raises, nothing is left behind."""

import threading
from collections import Counter
from pathlib import Path
from random import Random

import msgspec
import pytest

from swapproto.errors import LinkClosed, LinkError
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.link import LinkEvent, LinkEventKind
from swapproto.messages.gbt27930 import Party
from swapproto.models.charger import Charger, ChargerSpec
from swapproto.models.pack import Pack
from swapproto.runtime.blocking import drive
from swapproto.runtime.virtual import VirtualBus
from swapproto.session import bms, charger
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto.trace.files import open_recording
from swapproto_drivers.faults import Direction, Fault, FaultKind, FaultLink
from swapproto_drivers.tap import TapLink
from swapproto_drivers.trace_files import Rules, TraceFiles
from swapproto_drivers.virtual import VirtualLink

QUICK, MANY = 40, 1000
LIMIT = 1000 * SECOND
"""Of virtual time; no timer of a party is near it, three reconnects included."""
ENDED = {
    (C, B)
    for C in (charger.State.COMPLETE, charger.State.ABORTED)
    for B in (bms.State.COMPLETE, bms.State.ABORTED)
}


class Run(msgspec.Struct):
    """What a charge came to."""

    states: tuple[charger.State, bms.State]
    ended: Instant
    frames: int
    refused: int
    injected: Counter[FaultKind]
    events: Counter[LinkEventKind]


def any_plan(random: Random) -> tuple[Fault, ...]:
    """Some of the kinds, each rare or frequent, for a moment or for seconds."""
    plan: list[Fault] = []
    for kind in FaultKind:
        if random.random() < 0.6:
            continue
        probability = random.choice((0, 0.001, 0.01, 0.1, 0.5))
        if kind in (FaultKind.STALL, FaultKind.BUS_OFF):
            probability /= 100
        times = tuple(random.randrange(40 * SECOND) for _ in range(random.randrange(3)))
        lasts = round(MILLISECOND * 10 ** random.uniform(0, 4))
        side = random.choice((Direction.SENT, Direction.RECEIVED, Direction.BOTH))
        plan.append(Fault(kind, probability, times, lasts, side, bits=random.randrange(1, 9)))
    return tuple(plan)


def charge(seed: int, trace: Path) -> Run:
    """A charge of ten seconds; the charger's link is faulty both ways, and traced."""
    bus = VirtualBus(seed=seed)
    faulty = FaultLink(VirtualLink(bus, "charger"), any_plan(Random(seed)), seed=seed)
    link = TapLink(faulty, TraceFiles(trace, Rules()))
    session, pack = ChargerSession(Charger(ChargerSpec(time_limit=10))), BmsSession(Pack())
    node, peer = Endpoint(session, Party.CHARGER), Endpoint(pack, Party.BMS)
    bus.attach(peer, "pack")
    node.command(Command.START, bus.now)
    peer.command(Command.START, bus.now)
    events: Counter[LinkEventKind] = Counter()
    frames = refused = 0

    def seen(_frame: CanFrame, _at: Instant, _own: bool) -> None:
        nonlocal frames
        frames += 1

    def befell(event: LinkEvent) -> None:
        events[event.kind] += 1

    while bus.now < LIMIT:
        try:
            drive(node, link, limit=LIMIT, tap=seen, events=befell)
        except LinkClosed:
            raise
        except LinkError:  # a bus-off that outlasts a frame's deadline; the frame is lost
            refused += 1
    link.close()
    return Run((session.state, pack.state), bus.now, frames, refused, faulty.counts, events)


def descriptors() -> int:
    folder = Path("/proc/self/fd")
    return sum(1 for _ in folder.iterdir()) if folder.exists() else 0


def check(seed: int, trace: Path) -> Run:
    before = threading.active_count(), descriptors()
    run = charge(seed, trace)
    assert run.states in ENDED
    assert (threading.active_count(), descriptors()) == before
    assert run.injected.total() == run.events[LinkEventKind.INJECTED]
    with open_recording(trace) as recording:
        reader = recording.reader()
        assert sum(1 for _ in reader) == run.frames
        assert reader.skipped_lines == 0
        assert all("gaps are marked" in note for note in reader.notes)
    assert trace.read_text().count("gap: bus off") == run.events[LinkEventKind.BUS_OFF]
    trace.unlink()
    return run


def check_all(seeds: range, folder: Path) -> None:
    runs = [check(seed, folder / "charge.log") for seed in seeds]
    ends = Counter(run.states for run in runs)
    assert len(ends) > 1, "some faults were too much for a charge, and some were not"
    assert all(any(run.injected[kind] for run in runs) for kind in FaultKind)
    assert any(run.refused for run in runs)


def test_charges_under_random_faults_end(tmp_path: Path) -> None:
    check_all(range(QUICK), tmp_path)


@pytest.mark.long
def test_a_thousand_charges_under_random_faults_end(tmp_path: Path) -> None:
    check_all(range(MANY), tmp_path)


@pytest.mark.parametrize("seed", [1, 10, 36])
def test_a_charge_under_faults_can_be_repeated(tmp_path: Path, seed: int) -> None:
    one, other = tmp_path / "one.log", tmp_path / "other.log"
    assert charge(seed, one) == charge(seed, other)
    assert one.read_bytes() == other.read_bytes()
