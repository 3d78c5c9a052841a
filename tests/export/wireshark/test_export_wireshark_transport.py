"""Transfers as the dissector follows them, against our own listener."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
import pytest

from swapproto.cli.values import fields
from swapproto.export.source import Declaration, declaration
from swapproto.messages.catalog import Catalogue, MessageSet
from swapproto.messages.gbt27930 import Edition, Party
from swapproto.observe.dialogue import Dialogue, TimedMessage
from swapproto.provenance import Basis, Source
from swapproto.trace.record import Record
from swapproto.transport import frames as tp
from swapproto.wire.fields import Raw
from swapproto.wire.message import Message

if TYPE_CHECKING:
    from tests.export.wireshark.conftest import Shown, Tshark

DECLARED = declaration("gbt27930-2015")
BMS, CHARGER = 0xF4, 0x56
BCS, BCP, BSD = 0x1100, 0x0600, 0x1C00
PAYLOAD = bytes.fromhex("C50EA00F4C614D0000")
ONE, TWO = tp.data_packets(PAYLOAD)
OTHER = tp.data_packets(bytes.fromhex("C60EA00F4C614D0000"))[0]

CM, DT = tp.cm_id(CHARGER, BMS), tp.dt_id(CHARGER, BMS)
BACK, BACK_DT = tp.cm_id(BMS, CHARGER), tp.dt_id(BMS, CHARGER)
RTS = (CM, tp.rts(BCS, 9))
ACK = (BACK, tp.end_of_msg_ack(BCS, 9))
ABORT = (BACK, tp.abort(BCS, 3))


def asks(count: int, first: int) -> tuple[int, bytes]:
    return BACK, tp.cts(BCS, count, first)


Frame = tuple[int, bytes]
PLAIN: list[Frame] = [RTS, asks(2, 1), (DT, ONE), (DT, TWO), ACK]
ORDERLY: dict[str, list[Frame]] = {
    "plain": PLAIN,
    "twice": PLAIN + PLAIN,
    "packet by packet": [RTS, asks(1, 1), (DT, ONE), asks(1, 2), (DT, TWO), ACK],
    "held": [RTS, (BACK, tp.cts_hold(BCS)), asks(2, 1), (DT, ONE), (DT, TWO), ACK],
    "never acknowledged": [RTS, asks(2, 1), (DT, ONE), (DT, TWO)],
    "packets swapped": [RTS, asks(2, 1), (DT, TWO), (DT, ONE), ACK],
    "one packet doubled": [RTS, asks(2, 1), (DT, ONE), (DT, ONE), (DT, TWO), ACK],
    "one packet missing": [RTS, asks(2, 1), (DT, ONE), ACK],
    "asked for again": [RTS, asks(2, 1), (DT, TWO), asks(1, 1), (DT, ONE), ACK],
    "sent again with other bytes": [RTS, asks(2, 1), (DT, ONE), asks(2, 1), (DT, OTHER), (DT, TWO), ACK],
    "a late one with other bytes": [RTS, asks(2, 1), (DT, ONE), (DT, OTHER), (DT, TWO), ACK],
    "no CTS heard": [RTS, (DT, ONE), (DT, TWO), ACK],
    "no RTS heard": [asks(2, 1), (DT, ONE), (DT, TWO), ACK],
    "begun again": [RTS, asks(2, 1), (DT, ONE), RTS, asks(2, 1), (DT, ONE), (DT, TWO), ACK],
    "aborted": [RTS, asks(2, 1), (DT, ONE), ABORT, (DT, TWO)],
    "aborted by the sender": [RTS, asks(2, 1), (DT, ONE), (CM, tp.abort(BCS, 1)), (DT, TWO)],
    "another is aborted": [RTS, asks(2, 1), (DT, ONE), (BACK, tp.abort(BCP, 3)), (DT, TWO)],
    "another is acknowledged": [RTS, asks(2, 1), (DT, ONE), (BACK, tp.end_of_msg_ack(BCP, 9)), (DT, TWO)],
    "broadcast": [(tp.cm_id(255, BMS), tp.bam(BCS, 9)), (tp.dt_id(255, BMS), ONE), (tp.dt_id(255, BMS), TWO)],
    "broadcast to one": [(CM, tp.bam(BCS, 9)), (DT, ONE), (DT, TWO)],
    "size does not fit": [(CM, tp.rts(BCS, 9, packets=3)), (DT, ONE), (DT, TWO)],
    "too small": [(CM, tp.rts(BCS, 8, packets=2)), (DT, ONE), (DT, TWO)],
    "last packet cut": [RTS, asks(2, 1), (DT, ONE), (DT, TWO[:3]), ACK],
    "last packet cut too much": [RTS, asks(2, 1), (DT, ONE), (DT, TWO[:2]), ACK],
    "first packet cut": [RTS, asks(2, 1), (DT, ONE[:7]), (DT, TWO), ACK],
    "empty packet": [RTS, asks(2, 1), (DT, b""), (DT, ONE), (DT, TWO), ACK],
    "packet 0 and packet 3": [RTS, (DT, b"\0" + ONE[1:]), (DT, b"\3" + ONE[1:]), (DT, ONE), (DT, TWO)],
    "other priorities": [(can_id & 0x3FFFFFF | 6 << 26, data) for can_id, data in PLAIN],
    "unknown control": [RTS, (CM, bytes(8)), (BACK, b"\xfe" * 8), (CM, b"\x10"), (DT, ONE), (DT, TWO)],
    "both ways at once": [RTS, (BACK, tp.rts(BSD, 9)), (DT, ONE), (BACK_DT, ONE), (BACK_DT, TWO), (DT, TWO)],
    "a message that nobody sends": [(BACK, tp.rts(BCS, 9)), (BACK_DT, ONE), (BACK_DT, TWO)],
}
DISORDERLY: dict[str, list[Frame]] = {
    "whole, then aborted": [RTS, asks(2, 1), (DT, ONE), (DT, TWO), ABORT],
    "whole, then asked for again": [
        RTS, asks(2, 1), (DT, ONE), (DT, TWO), asks(1, 1), (DT, OTHER), ACK,
    ],
}  # fmt: skip


def spaced(told: Iterable[Frame], gap_us: int = 10_000, start_us: int = 0) -> list[Record]:
    return [
        Record(at_us=start_us + gap_us * number, id=can_id, data=data, line=number)
        for number, (can_id, data) in enumerate(told, start=1)
    ]


def heard(records: list[Record]) -> list[tuple[int, str, object, list[str]]]:
    """Frame, message, fields and deviations of what our own listener hears."""
    frame_at = {record.at_us: number for number, record in enumerate(records, start=1)}
    return [
        (
            frame_at[each.at_us],
            each.name,
            None if each.message is None else fields(each.message),
            [str(deviation) for deviation in each.reading.deviations],
        )
        for each in Dialogue(Catalogue(Edition.GBT_2015)).listen(records)
        if isinstance(each, TimedMessage)
    ]


def as_heard(messages: "Iterable[Shown]") -> list[tuple[int, str, object, list[str]]]:
    return [(each.frame, each.message, each.fields, each.deviations) for each in messages]


@pytest.mark.parametrize("passes", [(), ("-2",)], ids=["one pass", "two passes"])
def test_orderly_transfers(passes: tuple[str, ...], tshark: "Tshark") -> None:
    """All of them in one capture, so far apart that none has to do with the next."""
    records = [
        record
        for number, told in enumerate(ORDERLY.values())
        for record in spaced(told, start_us=number * 10_000_000)
    ]
    want = heard(records)
    assert len(want) > 15
    assert as_heard(tshark.messages(DECLARED, tshark.capture(records), *passes)) == want


@pytest.mark.parametrize("told", DISORDERLY.values(), ids=DISORDERLY)
def test_what_was_taken_back_is_gone_on_the_second_pass(told: list[Frame], tshark: "Tshark") -> None:
    records = spaced(told)
    capture = tshark.capture(records)
    assert as_heard(tshark.messages(DECLARED, capture, "-2")) == heard(records)
    once = as_heard(tshark.messages(DECLARED, capture))
    assert (4, "BCS") in [(frame, name) for frame, name, _, _ in once]
    assert "(complete, but" in tshark.output([script()], capture, "-2", "-V")


def script() -> str:
    from swapproto.export.wireshark import files

    return next(iter(files(DECLARED).values())).decode()


@pytest.mark.parametrize("gap_us", [1_450_000, 1_450_001])
def test_a_transfer_that_falls_silent_is_over(gap_us: int, tshark: "Tshark") -> None:
    records = spaced(PLAIN, gap_us)
    want = heard(records)
    assert len(want) == (gap_us == 1_450_000)
    assert as_heard(tshark.messages(DECLARED, tshark.capture(records))) == want


def test_transfers_on_two_interfaces_do_not_mix(tshark: "Tshark") -> None:
    records: list[Record] = []
    for record in spaced(PLAIN):
        records.append(msgspec.structs.replace(record, channel="can0"))
        records.append(msgspec.structs.replace(record, channel="can1", at_us=record.at_us + 1))
    found = tshark.messages(DECLARED, tshark.capture(records))
    assert [(each.frame, each.message, each.deviations) for each in found] == [(7, "BCS", []), (8, "BCS", [])]


def transfer(chance: Random, source: int, target: int) -> Iterator[Frame]:
    """A transfer as it should be, of a message that its sender may send, or of one that it may not."""
    pgn, payload = chance.choice((BCS, BCS, BSD)), chance.randbytes(chance.choice((9, 9, 9, 15, 21)))
    packets = tp.data_packets(payload)
    cm, back, dt = tp.cm_id(target, source), tp.cm_id(source, target), tp.dt_id(target, source)
    if target == 255:
        yield cm, tp.bam(pgn, len(payload))
    else:
        yield cm, tp.rts(pgn, len(payload))
    yield from ((back, tp.cts(pgn, len(packets), 1)) for _ in range(chance.choice((0, 1, 1, 1, 2))))
    yield from ((dt, packet) for packet in packets)
    ending = chance.random()
    if ending < 0.1:
        yield chance.choice((cm, back)), tp.abort(pgn, chance.randint(0, 255))
    elif ending < 0.3:
        yield back, tp.cts(pgn, chance.randint(0, 2), chance.randint(0, 4))
        yield from ((dt, packet[:1] + chance.randbytes(7)) for packet in packets)
    if ending < 0.9:
        yield back, tp.end_of_msg_ack(pgn, len(payload))


def storm(chance: Random, count: int) -> Iterator[Record]:
    """Transfers of several pairs at once, with frames lost, doubled, cut, changed and late."""
    pairs = ((BMS, CHARGER), (CHARGER, BMS), (BMS, 255), (254, CHARGER))
    running: dict[tuple[int, int], list[Frame]] = {}
    at = 1_700_000_000_000_000
    for number in range(1, count + 1):
        at += 10_000 if chance.random() < 0.97 else chance.choice((300, 400_000, 1_450_000, 1_450_001))
        pair = chance.choice((*pairs, pairs[0], pairs[0], pairs[1]))
        queue = running.setdefault(pair, [])
        if not queue:
            queue += transfer(chance, *pair)
        can_id, data = queue.pop(0) if chance.random() < 0.95 else queue[0]
        luck = chance.random()
        if luck < 0.02:
            continue
        if luck < 0.04:
            data = data[: chance.randint(0, 8)]
        elif luck < 0.06:
            data = chance.randbytes(1) + data[1:]
        yield Record(at_us=at, id=can_id & 0x3FFFFFF | chance.randint(0, 7) << 26, data=data, line=number)


@pytest.mark.parametrize("seed", range(3))
def test_a_storm(seed: int, tshark: "Tshark") -> None:
    records = list(storm(Random(seed), 4000))
    want = heard(records)
    assert len(want) > 50
    assert as_heard(tshark.messages(DECLARED, tshark.capture(records), "-2")) == want


class ToAll(Message):
    """A long message to all, which no shipped profile has."""

    title: ClassVar[str] = "to all"
    pgn: ClassVar[int] = 0xFE00
    priority: ClassVar[int] = 6
    period_ms: ClassVar[int | None] = None
    sender: ClassVar[Party] = Party.BMS
    source_address: ClassVar[int] = BMS
    destination_address: ClassVar[int] = 255
    source: ClassVar[Source] = Source("made up for a test", Basis.ASSUMED, 0)

    content: Annotated[bytes, Raw(size=20)]


def test_a_message_to_all_comes_by_broadcast(tshark: "Tshark") -> None:
    declared = Declaration(DECLARED.profile, (MessageSet("made up", [ToAll]),))
    payload = bytes(range(20))
    packets = [(tp.dt_id(255, BMS), packet) for packet in tp.data_packets(payload)]
    records = spaced([(tp.cm_id(255, BMS), tp.bam(0xFE00, 20)), *packets])
    (found,) = tshark.messages(declared, tshark.capture(records))
    assert (found.frame, found.message, found.fields) == (4, "ToAll", {"content": payload.hex().upper()})


def test_frames_of_a_transfer_lead_to_each_other(tshark: "Tshark") -> None:
    packets = tshark.packets(DECLARED, script(), tshark.capture(spaced(PLAIN)), "-2")
    trees = [packets[frame]["swapproto.tp"] for frame in range(1, 6)]
    assert [tree["swapproto.tp.started_in"] for tree in trees] == ["1"] * 5
    assert [tree["swapproto.tp.completed_in"] for tree in trees] == ["4"] * 5
    assert [tree.get("swapproto.tp.control") for tree in trees] == ["16", "17", None, None, "19"]
    assert int(trees[0]["swapproto.tp.pgn"], 0) == BCS
