"""Both ends of the station links, on ports with a time of their own, over loop:// and over TCP."""

import random
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.errors import LinkClosed, LinkError, LocalProtocolError
from swapproto.frame import MILLISECOND, SECOND, Instant
from swapproto.link import LinkEvent, LinkEventKind
from swapproto_drivers.byte_port import ListeningPort
from swapproto_drivers.framing.charger_link import ANSWERS, LONGEST, ChargerFrame, encode
from swapproto_drivers.framing.plc_link import (
    PLCR1,
    PLCR2,
    PLCR3,
    PLCW4,
    PLCW5,
    PLCW6,
    STRUCTS,
    PlcMessage,
    Rule,
    Side,
)
from swapproto_drivers.framing.reader import IDLE
from swapproto_drivers.serial_port import open_port
from swapproto_drivers.station_links import (
    BMS_PERIOD,
    ChargerLinkEnd,
    ChargerLinkPort,
    PlcLinkEnd,
    PlcLinkPort,
    serve,
    step,
)
from swapproto_drivers.station_simulation import LOCKED, Phase, SimulatedPlc, SimulatedStation


class Clock:
    def __init__(self) -> None:
        self.time: Instant = 100 * SECOND


class Wired:
    """An end of a line in a test's own time; what it writes goes through ``line`` to the other end."""

    name = "wired"

    def __init__(self, clock: Clock, line: Callable[[bytes], bytes] = bytes) -> None:
        self.clock = clock
        self.line = line
        self.other: Wired = self
        self.incoming = b""
        self.sent: list[tuple[Instant, bytes]] = []
        self.events: list[LinkEvent] = []
        self.fails: LinkError | None = None

    def now(self) -> Instant:
        return self.clock.time

    def read(self, *, deadline: Instant) -> bytes:
        data, self.incoming = self.incoming, b""
        if not data:
            self.clock.time = max(self.clock.time, deadline)
        return data

    def write(self, data: bytes, *, deadline: Instant) -> None:
        if self.fails is not None:
            raise self.fails
        self.sent.append((self.clock.time, data))
        self.other.incoming += self.line(data)

    def poll_event(self) -> LinkEvent | None:
        return self.events.pop(0) if self.events else None

    def close(self) -> None:
        pass


def _line(line: Callable[[bytes], bytes] = bytes) -> tuple[Clock, Wired, Wired]:
    clock = Clock()
    a, b = Wired(clock, line), Wired(clock, line)
    a.other, b.other = b, a
    return clock, a, b


class Station:
    """A simulated station and its PLC on one line."""

    def __init__(self, line: Callable[[bytes], bytes] = bytes) -> None:
        self.clock, self.wire, self.far = _line(line)
        self.port, self.plc_port = PlcLinkPort(self.wire, Side.STATION), PlcLinkPort(self.far, Side.PLC)
        self.station, self.plc = SimulatedStation(self.clock.time), SimulatedPlc(self.clock.time)

    def run(self, span: Instant) -> None:
        end = self.clock.time + span
        while self.clock.time < end:
            step(self.port, self.station, deadline=0)
            step(self.plc_port, self.plc, deadline=0)
            self.clock.time += MILLISECOND

    def times(self, wire: Wired, stream: int) -> list[Instant]:
        return [at for at, data in wire.sent if data[2] == stream]


def test_a_swap_follows_the_rules_and_periods() -> None:
    world = Station()
    world.run(3 * SECOND)
    assert not world.times(world.wire, 3)
    assert not world.times(world.far, 6)
    arrival = world.clock.time
    world.station.truck_connected(arrival)
    world.run(5 * SECOND)
    assert world.plc.phase is Phase.DONE
    truck = world.station.truck
    assert truck is not None
    assert truck.base_lock == LOCKED
    locks = [data[3:] for _, data in world.far.sent if data[2] == 6]
    assert [request for n, request in enumerate(locks) if n == 0 or request != locks[n - 1]] == [
        b"\x01\x00",
        b"\x00\x00",
        b"\x00\x01",
    ]
    world.station.swap_done()
    done = world.clock.time
    world.run(2 * SECOND)
    assert arrival <= min(world.times(world.wire, 3))
    assert max(world.times(world.wire, 3)) <= done
    for row in STRUCTS.values():
        times = world.times(world.wire if row.sender is Side.STATION else world.far, row.stream)
        # What is shown in answer to a message goes out a tick later, and from then on in step.
        assert {b - a for a, b in pairwise(times)} <= {row.period - MILLISECOND, row.period}
        assert all(b - a == row.period for a, b in pairwise(times[1:]))
        if row.rule is Rule.ALWAYS:
            assert len(times) == pytest.approx(10 * SECOND / row.period, abs=1)
    assert (world.port.reader.dropped.total(), world.plc_port.reader.dropped.total()) == (0, 0)
    assert (world.station.overdue(world.clock.time), world.plc.overdue(world.clock.time)) == ([], [])


@pytest.mark.parametrize("seed", range(5))
def test_a_swap_ends_well_on_a_line_with_noise(seed: int) -> None:
    chance = random.Random(seed)

    def noisy(data: bytes) -> bytes:
        if chance.random() < 0.2:
            return data[: chance.randrange(len(data))]
        return chance.randbytes(chance.randrange(20)) + data if chance.random() < 0.2 else data

    world = Station(noisy)
    world.station.truck_connected(world.clock.time)
    world.run(10 * SECOND)
    assert world.plc.phase is Phase.DONE
    assert world.port.reader.dropped.total() > 0
    events = [event.kind for _ in range(999) if (event := world.port.poll_event()) is not None]
    assert set(events) == {LinkEventKind.DROPPED}


def test_a_silent_side_is_overdue() -> None:
    world = Station()
    assert world.station.overdue(world.clock.time) == [PLCW4, PLCW5]
    world.run(2 * SECOND)
    heard = world.clock.time
    assert world.plc.overdue(heard) == []
    assert world.plc.overdue(heard + SECOND) == [PLCR2]
    assert world.plc.overdue(heard + 5 * SECOND) == [PLCR1, PLCR2]


def test_the_heartbeat_wraps_and_a_pause_makes_no_burst() -> None:
    end = PlcLinkEnd(Side.STATION)
    end.show(PLCR2(0xFFFF), 0)
    sent: list[PlcMessage] = []
    for now in (0, 100 * MILLISECOND, 1_050 * MILLISECOND, 1_100 * MILLISECOND):
        end.handle_timeout(now)
        while (message := end.poll_transmit()) is not None:
            sent.append(message)
    assert sent == [PLCR2(0xFFFF), PLCR2(0), PLCR2(1), PLCR2(2)]
    assert end.next_timeout() == 1_200 * MILLISECOND


def test_a_side_sends_only_what_is_its_own() -> None:
    end, (_, wire, _) = PlcLinkEnd(Side.PLC), _line()
    with pytest.raises(LocalProtocolError, match="sent by the station"):
        end.show(PLCR2(0), 0)
    with pytest.raises(LocalProtocolError, match="sent by the PLC"):
        PlcLinkPort(wire, Side.STATION).send(PLCW6(0, 0), deadline=0)
    with pytest.raises(LocalProtocolError, match="always"):
        end.withdraw(PLCW5)
    assert end.next_timeout() is None


def test_a_message_is_stamped_when_it_came_not_when_silence_proved_it() -> None:
    clock, wire, far = _line()
    port = PlcLinkPort(wire, Side.STATION)
    came = clock.time
    PlcLinkPort(far, Side.PLC).send(PLCW6(1, 0), deadline=0)
    arrived = port.receive(deadline=clock.time + SECOND)
    assert arrived is not None
    assert (arrived.message, arrived.at) == (PLCW6(1, 0), came)
    assert clock.time == came + IDLE


def test_an_interrupted_line_joins_no_halves() -> None:
    clock, wire, _ = _line()
    port = ChargerLinkPort(wire)
    frame = encode(ChargerFrame(101, b"\x01\x02"))
    wire.incoming = frame[:6]
    assert port.receive(deadline=0) is None
    wire.events.append(LinkEvent(LinkEventKind.REOPENED, clock.time))
    wire.incoming = frame
    arrived = port.receive(deadline=0)
    assert arrived is not None
    assert port.reader.dropped.total() == 6
    kinds = [event.kind for _ in range(3) if (event := port.poll_event()) is not None]
    assert kinds == [LinkEventKind.REOPENED, LinkEventKind.DROPPED]


def test_a_line_that_is_away_costs_messages_and_not_the_end() -> None:
    world = Station()
    world.wire.fails = LinkError("away")
    world.run(SECOND)
    assert world.port.unsent == 1 + 10
    world.wire.fails = None
    world.run(SECOND)
    assert world.plc.heard[PLCR2].at > world.clock.time - SECOND
    world.wire.fails = LinkClosed("gone")
    with pytest.raises(LinkClosed):
        world.run(SECOND)


def test_questions_are_answered_and_silence_is_told() -> None:
    clock, wire, far = _line()
    station, charger = ChargerLinkPort(wire), ChargerLinkPort(far)
    asking = ChargerLinkEnd()
    answering = ChargerLinkEnd({8: b"started"})
    asking.ask(7, b"gun 1", clock.time)
    asking.ask(5, b"", clock.time)
    for _ in range(3):
        step(station, asking, deadline=0)
        step(charger, answering, deadline=0)
    assert asking.poll_heard() == ChargerFrame(8, b"started", sequence=0)
    assert answering.poll_heard() == ChargerFrame(7, b"gun 1", sequence=0)
    assert answering.unanswerable == 1
    assert asking.poll_event() is None
    serve(station, asking, until=clock.time + 6 * SECOND)
    event = asking.poll_event()
    assert event is not None
    assert (event.kind, event.text) == (LinkEventKind.SILENT, "no answer 6 within 5 s")
    assert asking.next_timeout() is None


def test_every_command_is_a_question_or_is_refused_and_none_answers_an_answer() -> None:
    end = ChargerLinkEnd(dict.fromkeys(ANSWERS.values(), b""))
    for command in range(400):
        end.receive(ChargerFrame(command, sequence=9), 0)
        answer = end.poll_transmit()
        assert (answer and answer.command) == ANSWERS.get(command)
        if command not in ANSWERS:
            with pytest.raises(LocalProtocolError, match=f"{command} is no question"):
                end.ask(command, b"", 0)
        else:
            end.ask(command, b"", 0)
            assert end.poll_transmit() == ChargerFrame(command, sequence=list(ANSWERS).index(command))


def test_charging_is_reported_every_thirty_seconds_until_it_is_over() -> None:
    clock, wire, far = _line()
    charger = ChargerLinkEnd()
    start = clock.time
    charger.charging(b"cells", start)
    serve(ChargerLinkPort(wire), charger, until=start + 100 * SECOND)
    assert [at - start for at, _ in wire.sent] == [n * BMS_PERIOD for n in range(4)]
    charger.charging(None, clock.time)
    serve(ChargerLinkPort(wire), charger, until=clock.time + 100 * SECOND)
    assert len(wire.sent) == 4
    port = ChargerLinkPort(far)
    reports = [port.receive(deadline=0) for _ in range(4)]
    assert [one and (one.message.command, one.message.sequence) for one in reports] == [
        (301, n) for n in range(4)
    ]


@given(st.lists(st.binary(max_size=50), max_size=30), st.integers(0, 0xFFFF))
@settings(max_examples=50, deadline=None)
def test_whatever_comes_a_port_gives_messages_or_counts(chunks: list[bytes], command: int) -> None:
    clock, wire, _ = _line()
    port = ChargerLinkPort(wire)
    last = ChargerFrame(command, b"last")
    for chunk in chunks:
        wire.incoming = chunk
        port.receive(deadline=0)
    wire.incoming = encode(last)
    found = [
        one.message for _ in range(99) if (one := port.receive(deadline=clock.time + SECOND)) is not None
    ]
    assert port.reader.pending == 0
    assert found[-1] == last or port.reader.units > 1


def test_over_a_loop() -> None:
    with closing(ChargerLinkPort(open_port("loop://?baud=1000000"))) as port:
        frame = ChargerFrame(101, bytes(range(200)))
        port.send(frame, deadline=port.now() + SECOND)
        arrived = port.receive(deadline=port.now() + 2 * SECOND)
        assert arrived is not None
        assert arrived.message == frame


def test_over_tcp_with_the_station_as_the_server() -> None:
    server = ListeningPort("127.0.0.1", 0)
    with (
        closing(ChargerLinkPort(server)) as station,
        closing(ChargerLinkPort(open_port(f"socket://127.0.0.1:{server.port}"))) as charger,
    ):
        asking = ChargerLinkEnd()
        asking.ask(101, b"\x01\x00" + bytes(16), charger.now())
        answering = ChargerLinkEnd({102: b"\x01\x00"})
        step(charger, asking, deadline=charger.now())
        step(station, answering, deadline=station.now() + 2 * SECOND)
        step(station, answering, deadline=station.now())
        step(charger, asking, deadline=charger.now() + 2 * SECOND)
        assert asking.poll_heard() == ChargerFrame(102, b"\x01\x00")


def test_the_longest_message_passes() -> None:
    clock, wire, far = _line()
    frame = ChargerFrame(116, bytes(LONGEST - 9))
    ChargerLinkPort(far).send(frame, deadline=clock.time)
    arrived = ChargerLinkPort(wire).receive(deadline=0)
    assert arrived is not None
    assert arrived.message == frame


def test_the_truck_is_seen_as_the_station_reports_it() -> None:
    world = Station()
    world.station.truck_connected(world.clock.time)
    world.run(200 * MILLISECOND)
    arrived = world.plc.heard[PLCR3]
    assert isinstance(arrived.message, PLCR3)
    assert arrived.message.key is None
    world.run(5 * SECOND)
    world.plc.next_truck()
    world.run(SECOND)
    assert world.plc.phase is Phase.EXCHANGE
