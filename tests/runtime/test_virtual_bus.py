"""The virtual bus: order, rate, faults, determinism."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.errors import LinkUnavailable, LocalProtocolError
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, CanFrame, Instant
from swapproto.runtime.virtual import BusState, Livelock, VirtualBus
from swapproto.runtime.wire_time import frame_bits

BIT = 4 * MICROSECOND


class Talker:
    """Sends its frames each period, and keeps what it hears."""

    def __init__(self, *frames: CanFrame, period: int = 10 * MILLISECOND, first: Instant = 0) -> None:
        self.frames = frames
        self.period = period
        self.due: Instant | None = first if frames else None
        self.out: deque[CanFrame] = deque()
        self.heard: list[tuple[CanFrame, Instant]] = []
        self.served: list[Instant] = []

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self.heard.append((frame, now))

    def handle_timeout(self, now: Instant) -> None:
        if self.due is not None and now >= self.due:
            self.served.append(now)
            self.due += self.period
            self.out.extend(self.frames)

    def next_timeout(self) -> Instant | None:
        return self.due

    def poll_transmit(self) -> CanFrame | None:
        return self.out.popleft() if self.out else None


class Once(Talker):
    """Sends its frames at one instant."""

    def handle_timeout(self, now: Instant) -> None:
        super().handle_timeout(now)
        self.due = None


LOW, HIGH = CanFrame(0x0CFF0001, b"low"), CanFrame(0x18FF0002, b"high")
STANDARD, EXTENDED = CanFrame(0x101, extended=False), CanFrame(0x101 << 18)


def _bus(*nodes: Talker, bus: VirtualBus | None = None) -> VirtualBus:
    bus = bus or VirtualBus()
    for n, node in enumerate(nodes):
        bus.attach(node, f"n{n}")
    return bus


@pytest.mark.parametrize("pair", [(LOW, HIGH), (HIGH, LOW), (STANDARD, EXTENDED), (EXTENDED, STANDARD)])
def test_the_lowest_identifier_wins_and_the_other_follows(pair: tuple[CanFrame, CanFrame]) -> None:
    listener = Talker()
    _bus(Once(pair[0]), Once(pair[1]), listener).run_until(SECOND)
    first, second = (LOW, HIGH) if LOW in pair else (STANDARD, EXTENDED)
    end = frame_bits(first) * BIT
    assert listener.heard == [(first, end), (second, end + (3 + frame_bits(second)) * BIT)]


def test_a_frame_on_the_bus_is_not_interrupted_and_a_node_keeps_its_order() -> None:
    listener = Talker()
    _bus(Once(HIGH, LOW), Once(STANDARD, first=1), listener).run_until(SECOND)
    assert [frame for frame, _ in listener.heard] == [HIGH, STANDARD, LOW]


def test_a_frame_that_comes_up_in_the_intermission_takes_part() -> None:
    listener = Talker()
    arrives = (frame_bits(HIGH) + 2) * BIT
    _bus(Once(HIGH, HIGH), Once(LOW, first=arrives), listener).run_until(SECOND)
    assert [frame for frame, _ in listener.heard] == [HIGH, LOW, HIGH]


@pytest.mark.parametrize(("bitrate", "factor"), [(250_000, 1), (500_000, 2)])
@given(st.binary(min_size=8, max_size=8), st.integers(0, 0x1FFF_FFFF))
def test_rate_of_a_full_bus(bitrate: int, factor: int, data: bytes, identifier: int) -> None:
    listener = Talker()
    bus = _bus(Once(*[CanFrame(identifier, data)] * 2000), listener, bus=VirtualBus(bitrate))
    bus.run_until(SECOND // factor)
    # 131 bits without and 160 with the most stuff bits, at 250 kbit/s.
    assert 1562 <= len(listener.heard) <= 1908


def test_nodes_hear_others_and_not_themselves_and_taps_hear_all() -> None:
    one, other = Once(LOW), Once(HIGH)
    bus = _bus(one, other)
    seen: list[tuple[CanFrame, str]] = []
    untap = bus.tap(lambda frame, _, sender: seen.append((frame, sender)))
    bus.run_until(SECOND)
    assert ([f for f, _ in one.heard], [f for f, _ in other.heard]) == ([HIGH], [LOW])
    assert seen == [(LOW, "n0"), (HIGH, "n1")]
    untap()
    one.out.append(LOW)
    bus.run_until(2 * SECOND)
    assert len(seen) == 2
    assert len(other.heard) == 2


_conditions = st.fixed_dictionaries(
    {
        "latency": st.integers(0, MILLISECOND),
        "jitter": st.integers(0, 2 * MILLISECOND),
        "timer_jitter": st.integers(0, 2 * MILLISECOND),
    }
)


def _recording(
    seed: int, conditions: dict[str, int], loss: float, *, extra: bool = False
) -> tuple[list[tuple[CanFrame, Instant, str]], list[list[tuple[CanFrame, Instant]]], list[object]]:
    bus = VirtualBus(seed=seed, loss=loss, **conditions)
    nodes = [Talker(LOW, HIGH, period=7 * MILLISECOND), Talker(STANDARD), Talker()]
    _bus(*nodes, bus=bus)
    if extra:
        bus.attach(Talker(), "silent")
    seen: list[tuple[CanFrame, Instant, str]] = []
    bus.tap(lambda frame, at, sender: seen.append((frame, at, sender)))
    bus.run_until(100 * MILLISECOND)
    lost: list[object] = [one for one in bus.lost if one.receiver != "silent"]
    return seen, [node.heard for node in nodes], lost


@given(st.integers(0, 1 << 32), _conditions, st.sampled_from([0.0, 0.1, 1.0]))
def test_same_seed_same_history(seed: int, conditions: dict[str, int], loss: float) -> None:
    recording = _recording(seed, conditions, loss)
    assert recording == _recording(seed, conditions, loss)
    assert recording == _recording(seed, conditions, loss, extra=True), "a silent node disturbs nobody"


def test_another_seed_another_history() -> None:
    conditions = {"timer_jitter": MILLISECOND}
    assert _recording(1, conditions, 0)[0] != _recording(2, conditions, 0)[0]


@given(st.lists(st.integers(0, 30 * MILLISECOND), max_size=20), _conditions)
def test_how_time_is_cut_into_runs_changes_nothing(stops: list[int], conditions: dict[str, int]) -> None:
    heard: list[list[tuple[CanFrame, Instant]]] = []
    for cuts in ([], sorted(stops)):
        one, other = Talker(LOW, HIGH, period=3 * MILLISECOND), Talker(STANDARD, period=5 * MILLISECOND)
        bus = _bus(one, other, bus=VirtualBus(**conditions))
        for cut in cuts:
            bus.run_until(cut)
            assert bus.now == cut
        bus.run_until(31 * MILLISECOND)
        heard.append(one.heard + other.heard)
    assert heard[0] == heard[1]


@given(_conditions)
def test_a_receiver_gets_frames_in_order_within_its_latency(conditions: dict[str, int]) -> None:
    listener = Talker()
    bus = VirtualBus()
    bus.attach(Talker(LOW, HIGH, period=MILLISECOND), "talker")
    bus.attach(
        listener, "listener", latency=conditions["latency"], jitter=conditions["jitter"], timer_jitter=0
    )
    sent: list[tuple[CanFrame, Instant]] = []
    bus.tap(lambda frame, at, _: sent.append((frame, at)))
    bus.run_until(50 * MILLISECOND)
    assert [frame for frame, _ in listener.heard] == [frame for frame, _ in sent[: len(listener.heard)]]
    slowest = conditions["latency"] + conditions["jitter"]
    for (_, at), (_, end) in zip(listener.heard, sent, strict=False):
        assert end + conditions["latency"] <= at <= end + slowest
    assert len(sent) - len(listener.heard) <= slowest // (40 * BIT) + 1


def test_timers_are_late_by_the_jitter_and_never_early() -> None:
    talker = Talker(LOW)
    bus = VirtualBus(seed=5)
    bus.attach(talker, "talker", timer_jitter=MILLISECOND)
    bus.attach(Talker(), "listener")
    bus.run_until(2 * SECOND)
    late = [at - n * talker.period for n, at in enumerate(talker.served)]
    assert len(late) == pytest.approx(200, abs=1)
    assert 0 <= min(late) < MILLISECOND // 10
    assert MILLISECOND * 9 // 10 < max(late) <= MILLISECOND


def test_loss_has_the_rate_asked_for_and_is_recorded() -> None:
    talker, deaf, listener = Talker(LOW, period=MILLISECOND), Talker(), Talker()
    bus = VirtualBus(seed=3)
    bus.attach(talker, "talker")
    bus.attach(deaf, "deaf", loss=0.1)
    bus.attach(listener, "listener")
    bus.run_until(10 * SECOND)
    assert len(listener.heard) == 10_000
    assert len(bus.lost) + len(deaf.heard) == 10_000
    # five standard deviations of a binomial distribution
    assert len(bus.lost) == pytest.approx(1000, abs=150)
    assert {lost.receiver for lost in bus.lost} == {"deaf"}


def test_alone_a_node_repeats_and_becomes_passive_but_never_bus_off() -> None:
    bus = VirtualBus()
    port = bus.attach(Once(LOW), "alone")
    counters: list[int] = []

    def passive() -> bool:
        if not counters or counters[-1] != port.tec:
            counters.append(port.tec)
        return port.state is BusState.ERROR_PASSIVE

    assert bus.run(passive, limit=SECOND)
    assert counters == list(range(0, 129, 8))
    # Sixteen times SOF to ACK slot, error flag, its delimiter; the intermission between.
    assert bus.now == (16 * (frame_bits(LOW) - 8 + 14) + 15 * 3) * BIT
    bus.run_until(3600 * SECOND)
    assert (port.tec, port.state, bus.now) == (128, BusState.ERROR_PASSIVE, 3600 * SECOND)


def test_when_another_node_appears_the_frame_gets_through_once() -> None:
    talker, listener = Talker(LOW), Talker()
    bus = VirtualBus()
    port = bus.attach(talker, "talker")
    bus.run_until(995 * MILLISECOND)
    bus.attach(listener, "listener")
    bus.run_until(1005 * MILLISECOND)
    frame, at = listener.heard[0]
    longest = 2 * (frame_bits(LOW) + 17 + 8) * BIT
    assert frame == LOW
    assert 995 * MILLISECOND < at <= 995 * MILLISECOND + longest
    assert port.state is BusState.ERROR_ACTIVE
    bus.run_until(5 * SECOND)
    assert port.tec == 0
    assert len(listener.heard) == 500


def test_time_of_a_lone_node_does_not_depend_on_how_it_is_cut() -> None:
    ends: list[Instant] = []
    for cuts in (range(0), range(0, 900 * MILLISECOND, 7 * MILLISECOND)):
        listener = Talker()
        bus = VirtualBus()
        bus.attach(Once(LOW), "talker")
        for cut in cuts:
            bus.run_until(cut)
        bus.run_until(900 * MILLISECOND)
        bus.attach(listener, "listener")
        bus.run_until(SECOND)
        ends.append(listener.heard[0][1])
    assert ends[0] == ends[1]


def test_a_node_that_leaves_breaks_off_its_frame_and_is_left_alone() -> None:
    talker, other, listener = Talker(LOW), Once(HIGH), Talker()
    bus = VirtualBus()
    port = bus.attach(talker, "talker")
    bus.attach(other, "other")
    bus.attach(listener, "listener")
    bus.run_until(10 * BIT)
    bus.detach(port)
    bus.detach(port)
    bus.run_until(SECOND)
    assert listener.heard == [(HIGH, (10 + 17 + frame_bits(HIGH)) * BIT)]
    assert talker.heard == []
    assert talker.served == [0]


class Stuck(Talker):
    def handle_timeout(self, now: Instant) -> None:
        """Forget to move the timer."""


def test_livelock_names_the_nodes_and_the_instant() -> None:
    bus = _bus(Talker(LOW), Stuck(LOW, first=SECOND), Talker())
    with pytest.raises(Livelock) as caught:
        bus.run_until(2 * SECOND)
    assert (caught.value.nodes, caught.value.at) == (("n1",), SECOND)


def test_a_timer_that_is_moved_by_every_frame_keeps_one_entry() -> None:
    class Watchdog(Talker):
        def receive(self, frame: CanFrame, now: Instant) -> None:
            super().receive(frame, now)
            self.due = now + 25 * MILLISECOND

    watchdog = Watchdog(HIGH, first=25 * MILLISECOND)
    bus = _bus(Talker(LOW), watchdog)
    bus.run_until(10 * SECOND)
    assert watchdog.served == []
    assert len(bus._heap) <= 2


def test_frames_given_to_a_node_from_outside() -> None:
    node, listener = Talker(), Talker()
    bus = _bus(node, listener)
    bus.run_until(MILLISECOND)
    node.out.append(LOW)
    bus.run_until(2 * MILLISECOND)
    assert listener.heard == [(LOW, MILLISECOND + frame_bits(LOW) * BIT)]
    port = bus.ports[0]

    def answer(frame: CanFrame, at: Instant, sender: str) -> None:
        if sender == "n1":
            node.out.append(HIGH)
            port.wake()

    bus.tap(answer)
    listener.out.append(STANDARD)
    bus.run_until(3 * MILLISECOND)
    assert [frame for frame, _ in listener.heard] == [LOW, HIGH]


def test_run_ends_at_the_predicate_or_the_limit() -> None:
    listener = Talker()
    bus = _bus(Talker(LOW), listener)
    assert bus.run(lambda: len(listener.heard) == 3, limit=SECOND)
    assert bus.now == listener.heard[-1][1]
    assert not bus.run(lambda: False, limit=SECOND)
    assert bus.now == SECOND
    assert not bus.run(lambda: False, limit=0)
    assert bus.now == SECOND


def test_an_illegal_frame_names_its_node() -> None:
    with pytest.raises(LocalProtocolError) as caught:
        _bus(Once(CanFrame(1, bytes(9))), Talker()).run_until(SECOND)
    assert "n0" in "".join(caught.value.__notes__)


def test_bad_calls() -> None:
    bus = _bus(Talker())
    with pytest.raises(LinkUnavailable, match="n0"):
        bus.attach(Talker(), "n0")
    for bitrate in (0, -1, 300_000):
        with pytest.raises(ValueError, match="bit rate"):
            VirtualBus(bitrate)
    with pytest.raises(ValueError, match="loss"):
        bus.attach(Talker(), "x", loss=1.5)
    with pytest.raises(ValueError, match="negative"):
        VirtualBus(jitter=-1)
