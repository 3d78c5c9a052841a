"""A link that does to its frames what was asked for."""

from itertools import count, pairwise

import pytest

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable, LocalProtocolError
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Received
from swapproto.link import Link, LinkEvent, LinkEventKind
from swapproto.plugins import open_link
from swapproto_drivers import faults
from swapproto_drivers.contract import LinkContract
from swapproto_drivers.faults import Direction, Fault, FaultKind, FaultLink, Injected, parse_plan

_names = count()
STEP = 10 * MILLISECOND
EVERY_FRAME = 1.0


class TestFaultLinkWithoutFaults(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        name = f"virtual:faults-{next(_names)}"
        return open_link(f"faults:{name}"), open_link(f"faults:{name}?drop=0")


class TestFaultLinkWithEcho(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        name = f"virtual:faults-{next(_names)}"
        return open_link(f"faults:{name}?echo=true"), open_link(f"faults:{name}?echo=true")


class TestFaultLinkThatDelays(LinkContract):
    """Late, but complete and in order."""

    def open_pair(self) -> tuple[Link, Link]:
        name = f"virtual:faults-{next(_names)}"
        return open_link(f"faults:{name}?delay=3ms&direction=received"), open_link(f"faults:{name}")


def pair(*plan: Fault, seed: int = 0) -> tuple[FaultLink, Link]:
    name = f"virtual:faults-{next(_names)}"
    return FaultLink(open_link(name), plan, seed=seed), open_link(name)


def heard(link: Link, until: int) -> list[Received]:
    found: list[Received] = []
    while (received := link.receive(deadline=until)) is not None:
        found.append(received)
    return found


def events(link: Link) -> list[LinkEvent]:
    found: list[LinkEvent] = []
    while (event := link.poll_event()) is not None:
        found.append(event)
    return found


def numbered(frames: list[Received]) -> list[int]:
    return [each.frame.data[0] for each in frames]


def send_all(sender: Link, listener: Link, number: int = 10) -> list[Received]:
    """Frames 0, 1, 2 ... each 10 ms; what the other heard of them until 400 ms later."""
    found: list[Received] = []
    start = sender.now()
    for n in range(number):
        sender.send(CanFrame(0x18FF50E5, bytes([n]) * 8), deadline=sender.now() + SECOND)
        found += _pass_time(sender, listener, start + (n + 1) * STEP)
    return found + _pass_time(sender, listener, start + number * STEP + 400 * MILLISECOND)


def _pass_time(sender: Link, listener: Link, until: int) -> list[Received]:
    """Both links get their turn each millisecond."""
    found: list[Received] = []
    while listener.now() < until:
        assert sender.receive(deadline=sender.now()) is None
        received = listener.receive(deadline=min(until, listener.now() + MILLISECOND))
        if received is not None:
            found.append(received)
    return found


BOTH_WAYS = pytest.mark.parametrize("direction", [Direction.SENT, Direction.RECEIVED])


def run(direction: Direction, *plan: Fault, seed: int = 0) -> tuple[FaultLink, list[Received]]:
    """Ten frames through a faulty link in a direction."""
    faulty, plain = pair(*plan, seed=seed)
    sender, listener = (faulty, plain) if direction is Direction.SENT else (plain, faulty)
    found = send_all(sender, listener)
    plain.close()
    return faulty, found


@BOTH_WAYS
def test_each_chosen_frame_is_dropped(direction: Direction) -> None:
    faulty, found = run(direction, Fault(FaultKind.DROP, at=(35 * MILLISECOND, 0)))
    assert numbered(found) == [1, 2, 3, 5, 6, 7, 8, 9]
    assert faulty.counts == {FaultKind.DROP: 2}
    assert [record.frame and record.frame.data[0] for record in faulty.records] == [0, 4]
    told = events(faulty)
    assert [event.kind for event in told] == [LinkEventKind.INJECTED] * 2
    assert [event.at for event in told] == [record.at for record in faulty.records]
    assert "drop" in told[0].text


@BOTH_WAYS
def test_a_duplicate_comes_behind_its_frame(direction: Direction) -> None:
    _, found = run(direction, Fault(FaultKind.DUPLICATE, at=(35 * MILLISECOND,)))
    assert numbered(found) == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9]


@BOTH_WAYS
@pytest.mark.parametrize("bits", [1, 3, 64, 200])
def test_so_many_bits_of_the_data_are_flipped(direction: Direction, bits: int) -> None:
    faulty, found = run(direction, Fault(FaultKind.CORRUPT, EVERY_FRAME, bits=bits))
    assert len(found) == 10
    for n, (received, record) in enumerate(zip(found, faulty.records, strict=True)):
        flipped = int.from_bytes(received.frame.data) ^ int.from_bytes(bytes([n]) * 8)
        assert flipped.bit_count() == min(bits, 64)
        assert received.frame.id == 0x18FF50E5
        assert record.became == received.frame


@BOTH_WAYS
def test_bits_of_the_identifier_are_flipped(direction: Direction) -> None:
    _, found = run(direction, Fault(FaultKind.CORRUPT_ID, EVERY_FRAME))
    assert numbered(found) == list(range(10))
    assert all((each.frame.id ^ 0x18FF50E5).bit_count() == 1 for each in found)


def test_a_frame_without_data_has_no_bit_to_flip() -> None:
    faulty, plain = pair(Fault(FaultKind.CORRUPT, EVERY_FRAME))
    faulty.send(CanFrame(1), deadline=SECOND)
    assert [each.frame for each in heard(plain, SECOND)] == [CanFrame(1)]
    assert not faulty.counts


@BOTH_WAYS
def test_a_delay_keeps_the_order(direction: Direction) -> None:
    _, plain = run(direction)
    _, found = run(direction, Fault(FaultKind.DELAY, at=(30 * MILLISECOND,), time=25 * MILLISECOND))
    assert numbered(found) == list(range(10))
    late = [each.at - before.at for each, before in zip(found, plain, strict=True)]
    slack = 2 * MILLISECOND  # the pace at which the sender gets its turn
    delayed = next(n for n, by in enumerate(late) if by)
    assert 25 * MILLISECOND <= late[delayed] <= 25 * MILLISECOND + slack
    assert 0 < late[delayed + 1] <= 15 * MILLISECOND + slack
    assert late[delayed + 3 :] == [0] * (10 - delayed - 3)


@BOTH_WAYS
def test_a_frame_goes_behind_the_next(direction: Direction) -> None:
    _, found = run(direction, Fault(FaultKind.REORDER, at=(35 * MILLISECOND,)))
    assert numbered(found) == [0, 1, 2, 3, 5, 4, 6, 7, 8, 9]
    assert all(one.at <= other.at for one, other in pairwise(found))


@BOTH_WAYS
def test_reordering_every_frame_swaps_pairs(direction: Direction) -> None:
    _, found = run(direction, Fault(FaultKind.REORDER, EVERY_FRAME))
    assert numbered(found) == [1, 0, 3, 2, 5, 4, 7, 6, 9, 8]


@BOTH_WAYS
def test_a_frame_that_none_follows_goes_on_by_itself(direction: Direction) -> None:
    _, plain = run(direction)
    plan = Fault(FaultKind.REORDER, at=(85 * MILLISECOND,), time=300 * MILLISECOND)
    _, found = run(direction, plan)
    assert numbered(found) == list(range(10))
    assert 300 * MILLISECOND <= found[-1].at - plain[-1].at <= 302 * MILLISECOND


@BOTH_WAYS
def test_in_a_stall_nothing_passes_and_after_it_everything(direction: Direction) -> None:
    plan = Fault(FaultKind.STALL, at=(35 * MILLISECOND,), time=100 * MILLISECOND, direction=direction)
    faulty, found = run(direction, plan)
    assert numbered(found) == list(range(10))
    assert [n for n, each in enumerate(found) if each.at < 35 * MILLISECOND] == [0, 1, 2, 3]
    assert all(135 * MILLISECOND <= each.at <= 140 * MILLISECOND for each in found[4:])
    assert list(faulty.records) == [Injected(35 * MILLISECOND, FaultKind.STALL, direction, None)]


def test_a_bus_off_takes_what_comes_and_send_waits_for_its_end() -> None:
    faulty, plain = pair(Fault(FaultKind.BUS_OFF, at=(10 * MILLISECOND,), time=50 * MILLISECOND))
    assert heard(faulty, 20 * MILLISECOND) == []
    assert faulty.bus_off
    plain.send(CanFrame(1), deadline=SECOND)
    with pytest.raises(LinkError, match="bus off") as refused:
        faulty.send(CanFrame(2), deadline=30 * MILLISECOND)
    assert not isinstance(refused.value, LinkClosed)
    assert faulty.now() == 30 * MILLISECOND
    faulty.send(CanFrame(3), deadline=SECOND)
    assert faulty.now() == 60 * MILLISECOND
    assert not faulty.bus_off
    assert [each.frame.id for each in heard(plain, SECOND)] == [3]
    assert faulty.lost == 1
    told = [(event.kind, event.at) for event in events(faulty)]
    assert told == [
        (LinkEventKind.INJECTED, 10 * MILLISECOND),
        (LinkEventKind.BUS_OFF, 10 * MILLISECOND),
        (LinkEventKind.ERROR_ACTIVE, 60 * MILLISECOND),
    ]


def test_a_frame_that_was_drawn_begins_a_bus_off_and_is_lost() -> None:
    faulty, plain = pair(Fault(FaultKind.BUS_OFF, EVERY_FRAME, time=STEP, ids=frozenset({7})))
    faulty.send(CanFrame(7), deadline=SECOND)
    assert faulty.bus_off
    assert heard(faulty, 2 * STEP) == []
    assert not faulty.bus_off
    faulty.send(CanFrame(8), deadline=SECOND)
    assert [each.frame.id for each in heard(plain, SECOND)] == [8]


def test_only_the_chosen_identifiers_are_hit() -> None:
    faulty, plain = pair(Fault(FaultKind.DROP, EVERY_FRAME, ids=frozenset({2})))
    for can_id in (1, 2, 3):
        faulty.send(CanFrame(can_id), deadline=SECOND)
    assert [each.frame.id for each in heard(plain, SECOND)] == [1, 3]


@pytest.mark.parametrize("other", [kind for kind in FaultKind if kind is not FaultKind.DROP])
def test_a_kind_more_leaves_the_draws_of_the_others_alone(other: FaultKind) -> None:
    def dropped(*plan: Fault) -> list[CanFrame | None]:
        faulty, _ = run(Direction.SENT, Fault(FaultKind.DROP, 0.4), *plan, seed=5)
        return [record.frame for record in faulty.records if record.kind is FaultKind.DROP]

    alone = dropped()
    beside = dropped(Fault(other, 0.4, time=MILLISECOND))
    assert 0 < len(alone) < 10
    if other is FaultKind.BUS_OFF:
        assert set(beside) <= set(alone), "what a bus-off takes cannot be dropped as well"
    else:
        assert beside == alone


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    plan = tuple(Fault(kind, 0.3, time=5 * MILLISECOND) for kind in FaultKind)

    def once(seed: int) -> tuple[list[Received], list[Injected]]:
        faulty, found = run(Direction.RECEIVED, *plan, seed=seed)
        return found, list(faulty.records)

    assert once(1) == once(1)
    assert once(1) != once(2)


def test_impossible_frames_are_refused_even_where_they_would_be_dropped() -> None:
    faulty, _ = pair(Fault(FaultKind.DROP, EVERY_FRAME))
    with pytest.raises(LocalProtocolError):
        faulty.send(CanFrame(1, bytes(9)), deadline=SECOND)


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "MAX_WAITING", 3)
    stall = Fault(FaultKind.STALL, at=(0,), time=SECOND)
    faulty, plain = pair(stall)
    for n in range(3):
        faulty.send(CanFrame(n), deadline=SECOND)
    with pytest.raises(LinkError, match="stalled"):
        faulty.send(CanFrame(3), deadline=SECOND)
    for n in range(5):
        plain.send(CanFrame(0x10 + n), deadline=SECOND)
    found = heard(faulty, 2 * SECOND)
    assert [each.frame.id for each in found] == [0x10, 0x11, 0x12]
    assert faulty.lost == 2
    assert [event.kind for event in events(faulty)].count(LinkEventKind.DROPPED) == 2
    assert [each.frame.id for each in heard(plain, 3 * SECOND)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"drop": "0.01"}, Fault(FaultKind.DROP, 0.01)),
        ({"delay": "5ms"}, Fault(FaultKind.DELAY, 1.0, time=5 * MILLISECOND)),
        ({"delay": "5ms*0.1"}, Fault(FaultKind.DELAY, 0.1, time=5 * MILLISECOND)),
        ({"stall": "2s@30s,1min"}, Fault(FaultKind.STALL, at=(30 * SECOND, 60 * SECOND), time=2 * SECOND)),
        ({"duplicate": "@3s"}, Fault(FaultKind.DUPLICATE, at=(3 * SECOND,))),
        (
            {"corrupt": "0.5", "bits": "2", "direction": "sent", "ids": "18FF50E5,7"},
            Fault(FaultKind.CORRUPT, 0.5, (), 0, Direction.SENT, frozenset({0x18FF50E5, 7}), 2),
        ),
    ],
)
def test_options_name_faults(options: dict[str, str], expected: Fault) -> None:
    assert parse_plan(options) == (expected,)


@pytest.mark.parametrize(
    "options",
    [
        "drop=2",
        "drop=nan",
        "drop=often",
        "drop=",
        "stall=2s",
        "stall=0.1",
        "bus_off=@3s",
        "delay=5",
        "delay=-5ms",
        "drop=1&direction=up",
        "drop=1&ids=20000000",
        "drop=1&ids=xyz",
        "corrupt=1&bits=0",
        "drop=1&seed=x",
        "dropp=1",
    ],
)
def test_options_that_make_no_sense_are_refused(options: str) -> None:
    with pytest.raises(LinkUnavailable):
        open_link(f"faults:virtual:refused?{options}").close()


def test_options_of_the_inner_link_reach_it() -> None:
    link = open_link("faults:virtual:options?drop=0&bitrate=500000")
    assert link.caps.bitrate == 500_000
    link.close()
