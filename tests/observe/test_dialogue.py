from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import BCL, BCS, BMS_ADDRESS, CHARGER_ADDRESS, Party
from swapproto.observe.dialogue import KEPT_IDENTIFIERS, Dialogue, TimedMessage, TransferEnd
from swapproto.observe.edition import recognise
from swapproto.observe.findings import KEPT_FINDINGS
from swapproto.observe.survey import KEPT_FOREIGN, KEPT_TRANSFERS, survey
from swapproto.trace.record import Record
from swapproto.transport import frames as tp


def messages(records: list[Record]) -> list[TimedMessage]:
    return [heard for heard in Dialogue(Catalogue()).listen(records) if isinstance(heard, TimedMessage)]


def test_a_single_frame_is_a_message() -> None:
    (heard,) = messages([Record(7, BCL.identifier(), bytes.fromhex("5217820F02"), line=4)])
    assert (heard.at_us, heard.started_us, heard.line, heard.sender, heard.name) == (
        7,
        7,
        4,
        Party.BMS,
        "BCL",
    )
    assert heard.message.voltage == 597.0
    assert heard.priority == 6


def transfer(at_us: int, payload: bytes, acknowledged: bool) -> list[Record]:
    cm, back = tp.cm_id(CHARGER_ADDRESS, BMS_ADDRESS), tp.cm_id(BMS_ADDRESS, CHARGER_ADDRESS)
    frames = [(cm, tp.rts(BCS.pgn, len(payload))), (back, tp.cts(BCS.pgn, 2, 1))]
    frames += [(tp.dt_id(CHARGER_ADDRESS, BMS_ADDRESS), packet) for packet in tp.data_packets(payload)]
    if acknowledged:
        frames.append((back, tp.end_of_msg_ack(BCS.pgn, len(payload))))
    return [
        Record(at_us + number * 1000, can_id, data, line=number + 1)
        for number, (can_id, data) in enumerate(frames)
    ]


PAYLOAD = bytes.fromhex("C50EA00F4C614D0000")


def test_a_transfer_has_the_instant_and_line_of_its_last_packet() -> None:
    (heard,) = messages(transfer(1_000_000, PAYLOAD, acknowledged=True))
    assert (heard.started_us, heard.at_us, heard.line) == (1_000_000, 1_003_000, 4)
    assert heard.message.soc == 77
    assert heard.payload == PAYLOAD


def test_a_late_report_stands_in_its_place() -> None:
    records = transfer(1_000_000, PAYLOAD, acknowledged=False)
    records += [Record(1_100_000 + n * 50_000, BCL.identifier(), bytes(5), line=9 + n) for n in range(100)]
    heard = messages(records)
    assert heard[0].name == "BCS"
    assert [each.at_us for each in heard] == sorted(each.at_us for each in heard)


def test_a_wrong_priority_hides_no_message() -> None:
    (heard,) = messages([Record(0, BCL.identifier() | 7 << 26, bytes(5))])
    assert (heard.name, heard.priority) == ("BCL", 7)


def test_foreign_frames_are_counted_and_nothing_else() -> None:
    dialogue = Dialogue(Catalogue())
    records = [
        Record(0, 0x18FEF100, bytes(8)),
        Record(1, 0x18FEF100, bytes(8)),
        Record(2, 0x123, b"", extended=False),
        Record(3, tp.cm_id(0xFF, 0x0B), tp.bam(0xFECA, 9)),
        *[Record(4 + n, tp.dt_id(0xFF, 0x0B), data) for n, data in enumerate(tp.data_packets(bytes(9)))],
    ]
    heard = list(dialogue.listen(records))
    assert dialogue.foreign_frames == len(records)
    assert dialogue.foreign[0x18FEF100] == 2
    assert dialogue.foreign[-1 - 0x123] == 1
    assert [type(each) for each in heard] == [TransferEnd]


IDENTIFIERS = st.integers(0, 0x1FFF_FFFF) | st.sampled_from(
    [
        tp.cm_id(CHARGER_ADDRESS, BMS_ADDRESS),
        tp.cm_id(BMS_ADDRESS, CHARGER_ADDRESS),
        tp.dt_id(CHARGER_ADDRESS, BMS_ADDRESS),
        *(cls.identifier() for cls in Catalogue()),
    ]
)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3_000_000), IDENTIFIERS, st.binary(max_size=8)), max_size=60))
def test_no_traffic_raises_and_every_frame_is_counted(frames: list[tuple[int, int, bytes]]) -> None:
    now = 0
    records: list[Record] = []
    for gap, can_id, data in frames:
        now += gap
        records.append(Record(now, can_id, data, line=len(records) + 1))
    result = survey(records, recognise(records), 1)
    single = sum(stats.count for stats in result.messages)
    assert result.frames == len(records)
    assert single + result.foreign_frames <= len(records)


def test_everything_kept_is_bounded() -> None:
    noise = [Record(n, 0x1800_0000 + n * 7919 % 0x7FFFFF, bytes(8)) for n in range(3 * KEPT_IDENTIFIERS)]
    pairs = [(source, target) for source in range(60) for target in range(60, 90)]
    noise += [Record(10**6, tp.cm_id(b, a), tp.rts(0xFECA, 20)) for a, b in pairs]
    noise += [Record(5 * 10**6, tp.dt_id(b + 100, a), bytes(8)) for a, b in pairs]
    result = survey(noise, recognise(noise), 1)
    assert len(result.foreign) == KEPT_FOREIGN
    assert len(result.transfers.lost) == KEPT_TRANSFERS
    assert len(result.violations) <= KEPT_FINDINGS
    assert result.dropped["violations"] > 0
    assert result.transfers.incomplete == len(pairs)
