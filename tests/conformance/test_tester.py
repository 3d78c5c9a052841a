"""The tester follows its script, in virtual time, whatever the bus holds."""

from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import (
    BHM,
    BRM,
    CEM,
    CHARGER_ADDRESS,
    CHM,
    CRM,
    ChargingMessage,
    Chemistry,
    Party,
    Recognition,
)
from swapproto.runtime.virtual import VirtualBus
from swapproto.transport.events import TransferReceived
from swapproto.transport.tp import Transport
from swapproto_conformance.script import Cyclic, RawCyclic, Script, Step, seen, silence
from swapproto_conformance.tester import Tester as ScriptedSide  # pytest collects names with Test

CATALOGUE = Catalogue()
HELLO = BHM(max_voltage=750.0)
IDENTITY = BRM(
    version_minor=1, version_major=1, chemistry=Chemistry.LFP, rated_capacity=280.0, rated_voltage=540.0
)
OPENING = CHM(version_minor=1, version_major=1)
UNKNOWN = CRM(result=Recognition.NOT_RECOGNISED, charger_number=1)
KNOWN = CRM(result=Recognition.RECOGNISED, charger_number=1)
MARK = CanFrame(0x18FEF1F4, b"\x01")


class Says:
    """A device that sends frames at set times, and takes part in transfers."""

    def __init__(self, *at: tuple[Instant, CanFrame], transport: bool = True) -> None:
        self._later = sorted(at, key=lambda pair: pair[0])
        self._transport = Transport(CHARGER_ADDRESS) if transport else None
        self._now: Instant = 0
        self.received: list[tuple[Instant, bytes]] = []
        self.heard: list[tuple[Instant, CanFrame]] = []

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self._now = now
        self.heard.append((now, frame))
        if self._transport is not None:
            self._transport.receive(frame, now)
            while (event := self._transport.poll_event()) is not None:
                if isinstance(event, TransferReceived):
                    self.received.append((now, event.payload))

    def handle_timeout(self, now: Instant) -> None:
        self._now = now
        if self._transport is not None:
            self._transport.handle_timeout(now)

    def next_timeout(self) -> Instant | None:
        inner = None if self._transport is None else self._transport.next_timeout()
        wishes = [at for at, _ in self._later[:1]] + ([] if inner is None else [inner])
        return min(wishes, default=None)

    def poll_transmit(self) -> CanFrame | None:
        if self._later and self._later[0][0] <= self._now:
            return self._later.pop(0)[1]
        return None if self._transport is None else self._transport.poll_transmit()


class Ran(msgspec.Struct):
    tester: ScriptedSide
    ended: Instant
    sent: list[tuple[Instant, CanFrame]]

    def times(self, kind: type[ChargingMessage]) -> list[int]:
        """Milliseconds at which the tester sent it."""
        return [round(at / MILLISECOND) for at, frame in self.sent if frame.id == kind.identifier()]


def run(
    script: Script, device: Says | None = None, *, limit: Instant = 60 * SECOND, answer: bool = True
) -> Ran:
    tester = ScriptedSide(script, Party.BMS, catalogue=CATALOGUE, answer_transport=answer)
    bus = VirtualBus()
    sent: list[tuple[Instant, CanFrame]] = []
    bus.tap(lambda frame, at, name: sent.append((at, frame)) if name == "tester" else None)
    bus.attach(tester, "tester")
    bus.attach(Says() if device is None else device, "device")
    bus.run(lambda: tester.done, limit=limit)
    return Ran(tester, bus.now, sent)


def test_an_empty_script_is_done_at_once() -> None:
    ran = run(())
    assert ran.tester.done
    assert ran.sent == []
    assert ran.tester.gave_up is None


def test_a_step_lasts_and_sends_in_the_period_of_the_message() -> None:
    ran = run((Step(title="hello", send=(HELLO,), lasts=SECOND),))
    assert ran.ended == SECOND
    assert ran.times(BHM) == [0, 250, 500, 750]


def test_silence_sends_nothing() -> None:
    ran = run((silence(2),))
    assert (ran.ended, ran.sent) == (2 * SECOND, [])


def test_a_step_ends_when_its_message_is_seen_and_settled() -> None:
    device = Says((700 * MILLISECOND, UNKNOWN.frame()))
    ran = run(
        (Step(title="hello", send=(HELLO,), until=seen(CRM), settle=400 * MILLISECOND), silence(0.1)), device
    )
    assert ran.tester.gave_up is None
    assert ran.times(BHM) == [0, 250, 500, 750, 1000]
    assert round(ran.ended / MILLISECOND) == 1201


def test_only_the_wanted_values_end_the_wait() -> None:
    device = Says((100 * MILLISECOND, UNKNOWN.frame()), (600 * MILLISECOND, KNOWN.frame()))
    ran = run((Step(title="wait", until=seen(CRM, result=Recognition.RECOGNISED)),), device)
    assert round(ran.ended / MILLISECOND) == 601


def test_what_came_before_the_step_does_not_end_it() -> None:
    device = Says((500 * MILLISECOND, UNKNOWN.frame()))
    ran = run((silence(1), Step(title="wait", until=seen(CRM), at_most=2 * SECOND)), device)
    assert (ran.ended, ran.tester.gave_up) == (3 * SECOND, "wait")


def test_it_gives_up_and_leaves_the_rest_of_the_script() -> None:
    ran = run(
        (
            Step(title="wait", until=seen(CRM), at_most=SECOND),
            Step(title="hello", send=(HELLO,), lasts=SECOND),
        )
    )
    assert (ran.ended, ran.tester.gave_up, ran.tester.done) == (SECOND, "wait", True)
    assert ran.sent == []


def test_its_own_messages_and_those_of_others_end_no_wait() -> None:
    foreign = CanFrame(CRM.identifier() & ~0xFF | 0x57, UNKNOWN.encode())
    device = Says((100 * MILLISECOND, HELLO.frame()), (200 * MILLISECOND, foreign))
    ran = run((Step(title="wait", until=seen(BHM), at_most=SECOND),), device)
    assert ran.tester.gave_up == "wait"
    assert run((Step(title="wait", until=seen(CRM), at_most=SECOND),), device).tester.gave_up == "wait"


def test_a_wrong_priority_does_not_stop_the_script() -> None:
    frame = UNKNOWN.frame()
    odd = msgspec.structs.replace(frame, id=frame.id & 0x03FF_FFFF | 3 << 26)
    ran = run((Step(title="wait", until=seen(CRM)),), Says((100 * MILLISECOND, odd)))
    assert ran.tester.gave_up is None


def test_what_cannot_be_read_ends_no_wait() -> None:
    cut = CanFrame(CRM.identifier(), b"")
    ran = run((Step(title="wait", until=seen(CRM), at_most=SECOND),), Says((0, cut)))
    assert ran.tester.gave_up == "wait"


def test_a_message_keeps_its_rhythm_over_steps() -> None:
    script = (
        Step(title="one", send=(HELLO,), lasts=600 * MILLISECOND),
        Step(title="two", send=(HELLO,), lasts=600 * MILLISECOND),
        Step(title="pause", lasts=100 * MILLISECOND),
        Step(title="three", send=(HELLO,), lasts=300 * MILLISECOND),
    )
    assert run(script).times(BHM) == [0, 250, 500, 750, 1000, 1300, 1550]


def test_new_content_keeps_the_rhythm_too() -> None:
    other = BHM(max_voltage=600.0)
    ran = run(
        (
            Step(title="one", send=(HELLO,), lasts=300 * MILLISECOND),
            Step(title="two", send=(other,), lasts=300 * MILLISECOND),
        )
    )
    assert ran.times(BHM) == [0, 250, 500]
    assert [frame.data for _, frame in ran.sent] == [HELLO.encode()] * 2 + [other.encode()]


def test_a_period_of_its_own() -> None:
    ran = run((Step(title="fast", send=(Cyclic(HELLO, 100 * MILLISECOND),), lasts=350 * MILLISECOND),))
    assert ran.times(BHM) == [0, 100, 200, 300]


def test_slept_through_beats_are_left_out() -> None:
    tester = ScriptedSide(
        (Step(title="hello", send=(HELLO,), lasts=10 * SECOND),), Party.BMS, catalogue=CATALOGUE
    )
    sent: list[Instant] = []
    for now in (0, 3 * SECOND, 3 * SECOND, 3 * SECOND + 250 * MILLISECOND):
        tester.handle_timeout(now)
        while tester.poll_transmit() is not None:
            sent.append(now)
    assert sent == [0, 3 * SECOND, 3 * SECOND + 250 * MILLISECOND]


def test_long_messages_go_by_transfer_and_the_latest_waits() -> None:
    device = Says()
    ran = run((Step(title="identify", send=(IDENTITY,), lasts=SECOND),), device)
    assert [payload for _, payload in device.received] == [IDENTITY.encode()] * 4
    assert ran.tester.gave_up is None


def test_transfers_that_nobody_answers_do_not_pile_up() -> None:
    ran = run((Step(title="identify", send=(IDENTITY,), lasts=20 * SECOND),), Says(transport=False))
    starts = [at for at, frame in ran.sent if frame.data[:1] == b"\x10"]
    assert 5 <= len(starts) <= 20
    assert min(b - a for a, b in pairwise(starts)) > SECOND


def raw(title: str = "raw") -> RawCyclic:
    return RawCyclic(title, (MARK, MARK, MARK), 100 * MILLISECOND)


def marks(ran: Ran) -> list[int]:
    return [round(at / MILLISECOND) for at, frame in ran.sent if frame.id == MARK.id]


def test_raw_frames_keep_their_gap_and_period() -> None:
    ran = run((Step(title="raw", send=(raw(),), lasts=150 * MILLISECOND),))
    assert marks(ran) == [0, 10, 20, 100, 110, 120]


def test_raw_frames_wait_for_an_open_transfer() -> None:
    device = Says()
    script = (
        Step(title="identify", send=(IDENTITY,), lasts=20 * MILLISECOND),
        Step(title="raw", send=(raw(),), lasts=SECOND),
    )
    ran = run(script, device)
    assert len(device.received) == 1
    assert min(marks(ran)) > device.received[0][0] / MILLISECOND
    assert len(marks(ran)) > 20


def test_transfers_of_the_device_are_answered_unless_told_otherwise() -> None:
    announce = CanFrame(0x1CECF456, bytes([0x10, 49, 0, 7, 0xFF, 0, 2, 0]))
    for answer in (True, False):
        device = Says((0, announce), transport=False)
        run((silence(0.5),), device, answer=answer)
        assert any(frame.data[:1] == b"\x11" for _, frame in device.heard) is answer


@pytest.mark.parametrize("at", [0, 7 * SECOND, 10**15])
def test_the_clock_may_begin_anywhere(at: Instant) -> None:
    tester = ScriptedSide((Step(title="hello", send=(HELLO,), lasts=SECOND),), Party.BMS, catalogue=CATALOGUE)
    wanted = tester.next_timeout()
    assert wanted is not None
    assert wanted <= at
    tester.handle_timeout(at)
    assert tester.poll_transmit() == HELLO.frame()
    assert tester.next_timeout() == at + 250 * MILLISECOND
    tester.handle_timeout(at + SECOND)
    assert tester.done


def test_steps_read_as_sentences() -> None:
    assert str(silence(2)) == "silence: send nothing for 2 s"
    step = Step(
        title="go",
        send=(HELLO, Cyclic(OPENING, 100 * MILLISECOND), raw("three marks")),
        until=seen(CRM, result=Recognition.RECOGNISED),
        at_most=3 * SECOND,
        settle=SECOND,
    )
    text = str(step)
    assert text.startswith("go: send BHM, CHM every 100 ms, three marks until CRM (result = ")
    assert text.endswith("at most 3 s, then 1 s more")


IDS = st.one_of(
    st.sampled_from([CRM.identifier(), CEM.identifier(), 0x1CECF456, 0x1CEBF456, 0x1CECFF56, 0x18EAF456]),
    st.integers(0, 0x1FFF_FFFF),
)
FRAMES = st.builds(
    CanFrame,
    IDS,
    st.binary(max_size=8),
    extended=st.sampled_from([True, True, True, False]),
    remote=st.booleans(),
)
CONTROLS = st.builds(
    lambda control, rest: CanFrame(0x1CECF456, bytes([control]) + rest),
    st.sampled_from([0x10, 0x11, 0x13, 0x20, 0xFF]),
    st.binary(min_size=7, max_size=7),
)
BUSY: Callable[[], Script] = lambda: (  # noqa: E731
    Step(
        title="busy",
        send=(HELLO, IDENTITY, raw()),
        until=seen(CRM, result=Recognition.RECOGNISED),
        at_most=20 * SECOND,
    ),
    Step(title="more", send=(IDENTITY,), lasts=5 * SECOND),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300 * MILLISECOND), st.one_of(FRAMES, CONTROLS)), max_size=60),
    st.booleans(),
)
def test_random_frames_raise_nothing(heard: list[tuple[int, CanFrame]], answer: bool) -> None:
    tester = ScriptedSide(BUSY(), Party.BMS, catalogue=CATALOGUE, answer_transport=answer)
    now = 0
    tester.handle_timeout(now)
    for wait, frame in heard:
        until = now + wait
        for _ in range(10_000):
            while tester.poll_transmit() is not None:
                pass
            due = tester.next_timeout()
            if due is None or due > until:
                break
            now = max(now, due)
            tester.handle_timeout(now)
        now = until
        tester.receive(frame, now)
    tester.handle_timeout(now + 60 * SECOND)
    tester.handle_timeout(now + 60 * SECOND)
    assert tester.done
