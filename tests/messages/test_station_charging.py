"""The station charging extensions against their table, typed in here a second time."""

from enum import IntEnum
from typing import Any

import pytest

from swapproto.messages import gbt27930 as gb
from swapproto.messages.catalog import message_set
from swapproto.messages.station_charging import (
    BDC,
    BEM,
    CCS,
    CEM,
    EXTENSIONS,
    MESSAGES,
    ConnectorChangeState,
    Contact,
    ContactFault,
    InsulationRequest,
    MonitorRequest,
    StationMessage,
)
from swapproto.provenance import Basis
from swapproto.wire.fields import Choice, Integer, Text
from swapproto.wire.layout import Field
from swapproto.wire.message import Message, Vector
from swapproto.wire.reading import DeviationKind

TABLE = """
1855F456 charger 8 InsulationRequest request 0|2 c
185656F4 BMS 8 InsulationState state 0|2 c; complete 2|2 c; fault 4|2 c
1857F456 charger 8 ConnectorChangeRequest pull 0|2 c; plug 2|2 c; pull_second 4|2 c; plug_second 6|2 c
185856F4 BMS 8 ConnectorChangeState pull_feedback 0|2 c; plug_feedback 2|2 c; standby 4|2 c
185856F4 BMS 8 ConnectorChangeState cc2_1 8|2 c; cc2_2 10|2 c; cc2_3 12|2 c; cc2_4 14|2 c
185856F4 BMS 8 ConnectorChangeState a_positive 16|2 c; a_negative 18|2 c
185856F4 BMS 8 ConnectorChangeState b_positive 20|2 c; b_negative 22|2 c
185856F4 BMS 8 ConnectorChangeState a_positive_fault 24|2 c; a_negative_fault 26|2 c
185856F4 BMS 8 ConnectorChangeState b_positive_fault 28|2 c; b_negative_fault 30|2 c
185856F4 BMS 8 ConnectorChangeState c_positive_fault 32|2 c; c_negative_fault 34|2 c
185856F4 BMS 8 ConnectorChangeState d_positive_fault 36|2 c; d_negative_fault 38|2 c
185856F4 BMS 8 ConnectorChangeState c_positive 40|2 c; c_negative 42|2 c; d_positive 44|2 c; d_negative 46|2 c
1859F456 charger 8 ConnectorCurrents current_a 0|16 0.1 -400 A; current_b 16|16 0.1 -400 A
1859F456 charger 8 ConnectorCurrents current_c 32|16 0.1 -400 A; current_d 48|16 0.1 -400 A
1861F456 charger 8 SpecialRequest scene 0|3 c; channels 3|3 c
186256F4 BMS 8 SpecialResponse scene 0|3 c; charge_type 3|3 c
1830F456 charger 8 CFC current_offset 0|8 100 0 A; connectors 8|4 1 0; answer 12|2 1 0
183156F4 BMS 8 BFC current_offset 0|8 100 0 A; connectors 8|4 1 0; answer 12|2 1 0
183056F4 BMS 7 BCPP max_current 0|16 0.1 -400 A; max_voltage 16|16 0.1 0 V
183056F4 BMS 7 BCPP min_cell_voltage 32|16 0.01 0 V; min_soc 48|8 1 0 %
1831F456 charger 8 CMLP max_voltage 0|16 0.1 0 V; min_voltage 16|16 0.1 0 V
1831F456 charger 8 CMLP max_current 32|16 0.1 -400 A; min_current 48|16 0.1 -400 A
1832F456 charger 3 CCD direction 0|8 1 0; max_soc 8|8 1 0 %; min_soc 16|8 1 0 %
1833F456 charger 8 CSDP discharge_time 0|16 1 0; energy 16|16 1 0; charger_number 32|32 1 0
1C3456F4 BMS 8 BCSP discharge_time 0|16 1 0; remaining_range 16|16 0.1 0; reserved 32|32 1 0
1C2956F4 BMS 28 BDC vin 0|136 text; soc 136|8 1 0 %; capacity 144|16 0.1 0 Ah
1C2956F4 BMS 28 BDC energy 160|16 0.1 0 kWh; v2g_cycles 176|16 0.1 0
1C2956F4 BMS 28 BDC v2g_cycles_remaining 192|16 0.1 0; range 208|16 0.1 0
1828F456 charger 3 CDC version 0|24 1 0
"""
ROWS = [line.split(maxsplit=4) for line in TABLE.strip().splitlines()]
NAMES = list(dict.fromkeys(row[3] for row in ROWS))
BY_NAME: dict[str, type[StationMessage]] = {each.__name__: each for each in EXTENSIONS}

VALUES = {
    "InsulationRequest.request": {1: "NONE", 2: "OFF"},
    "InsulationState.state": {1: "OFF", 2: "ON"},
    "InsulationState.complete": {1: "NOT_DONE", 2: "DONE"},
    "InsulationState.fault": {1: "NORMAL", 2: "FAULT"},
    "ConnectorChangeRequest.pull": {1: "A", 2: "B"},
    "ConnectorChangeRequest.plug": {1: "A", 2: "B"},
    "ConnectorChangeRequest.pull_second": {1: "C", 2: "D"},
    "ConnectorChangeRequest.plug_second": {1: "C", 2: "D"},
    "ConnectorChangeState.pull_feedback": {1: "ALLOWED", 2: "FORBIDDEN"},
    "ConnectorChangeState.plug_feedback": {1: "ALLOWED", 2: "FORBIDDEN"},
    "ConnectorChangeState.standby": {1: "NOT_READY", 2: "READY"},
    **{f"ConnectorChangeState.cc2_{n}": {1: "UNPLUGGED", 2: "PLUGGED"} for n in range(1, 5)},
    **{
        f"ConnectorChangeState.{which}_{pole}": {1: "OPEN", 2: "CLOSED"}
        for which in "abcd"
        for pole in ("positive", "negative")
    },
    **{
        f"ConnectorChangeState.{which}_{pole}_fault": {0: "RESERVED", 1: "WELDED", 2: "STUCK_OPEN"}
        for which in "abcd"
        for pole in ("positive", "negative")
    },
    "SpecialRequest.scene": {1: "MINE_TRUCK_DELIVERY", 2: "STORAGE_V2G", 7: "INVALID"},
    "SpecialRequest.channels": {1: "MULTIPLE", 2: "SINGLE", 7: "INVALID"},
    "SpecialResponse.scene": {1: "MINE_TRUCK_DELIVERY", 2: "STORAGE_V2G", 7: "INVALID"},
    "SpecialResponse.charge_type": {1: "FOUR_CHANNELS", 2: "ONE_CHANNEL"},
}


def declared(field: Field) -> str:
    marker = field.marker
    parts: list[Any] = [field.name, f"{field.start}|{field.bits}"]
    if isinstance(marker, Choice):
        parts.append("c")
    elif isinstance(marker, Text):
        parts.append("text")
    else:
        assert isinstance(marker, Integer)
        parts += [f"{marker.scale:g}", f"{marker.offset:g}", *([marker.unit] if marker.unit else [])]
        assert (marker.low, marker.high) == (None, None)
    return " ".join(map(str, parts))


def test_the_table_is_whole() -> None:
    assert {each.__name__ for each in EXTENSIONS} == set(NAMES)
    assert len(EXTENSIONS) == len(NAMES) == 16
    assert tuple(message_set("station-charging-ext")) == MESSAGES


@pytest.mark.parametrize("name", NAMES)
def test_each_message_is_as_the_table_says(name: str) -> None:
    message, rows = BY_NAME[name], [row for row in ROWS if row[3] == name]
    assert {(f"{message.identifier():08X}", message.sender.label) for _ in rows} == {
        (can_id, sender) for can_id, sender, *_ in rows
    }
    assert message.layout.length == int(rows[0][2])
    fields = [entry.strip() for row in rows for entry in row[4].split(";")]
    assert [declared(field) for field in message.layout.fields] == fields
    assert message_set("station-charging-ext").by_identifier(message.identifier()) == (
        message,
        message.sender,
    )


def test_every_code_has_the_values_of_the_table() -> None:
    found: dict[str, dict[int, str]] = {}
    for message in EXTENSIONS:
        for field in message.layout.fields:
            if field.code is not None:
                members: dict[int, str] = {member.value: member.name for member in field.code}
                if field.bits == 2:
                    assert members.pop(3) == "INVALID"
                found[f"{message.__name__}.{field.name}"] = members
    assert found == VALUES


@pytest.mark.parametrize("message", EXTENSIONS, ids=lambda each: each.__name__)
def test_what_one_file_shows_is_marked_so_and_the_rest_is_not_invented(message: type[StationMessage]) -> None:
    assert (message.source.basis, message.source.witnesses) == (Basis.OBSERVED, 1)
    assert "assumed" in message.source.why
    assert (message.period_ms, message.phase) == (None, None)
    assert message.unseen
    for field in message.layout.fields:
        origin = field.marker.source
        assert origin is None or (origin.why and origin.basis in {Basis.ASSUMED, Basis.DERIVED})


def test_the_other_messages_are_those_of_the_standard() -> None:
    base = [each for each in MESSAGES if each not in EXTENSIONS]
    assert [each.__name__ for each in base] == [each.__name__ for each in gb.MESSAGES]
    assert {each.__name__ for each in base if each not in gb.MESSAGES} == {"CCS", "BEM", "CEM"}


@pytest.mark.parametrize(("mine", "theirs"), [(CCS, gb.CCS), (BEM, gb.BEM), (CEM, gb.CEM)])
def test_a_longer_form_has_the_fields_of_the_standard(
    mine: type[gb.ChargingMessage], theirs: type[gb.ChargingMessage]
) -> None:
    assert mine.layout.length == 8
    assert mine.layout.fields == theirs.layout.fields
    assert (mine.identifier(), mine.period_ms, mine.phase) == (
        theirs.identifier(),
        theirs.period_ms,
        theirs.phase,
    )
    assert (mine.source.basis, mine.source.witnesses) == (Basis.OBSERVED, 1)
    short = theirs.VECTORS[0].data if theirs.VECTORS else mine.VECTORS[0].data[:4]
    written = mine.decode(short).encode()
    assert written == short + b"\xff" * (8 - len(short))
    assert issubclass(mine, theirs)


def test_ccs_is_read_with_seven_bytes_without_remark_and_the_others_are_not() -> None:
    assert CCS.layout.lengths == (7, 8)
    assert CCS.read(CCS.VECTORS[0].data[:7]).deviations == ()
    for longer in (BEM, CEM):
        short = longer.read(longer.VECTORS[0].data[:4])
        assert [each.kind for each in short.deviations] == [DeviationKind.SHORT]
        assert short.message == longer.decode(longer.VECTORS[0].data)


VECTORED: tuple[type[Message], ...] = (*EXTENSIONS, CCS, BEM, CEM)
VECTORS = [(message, vector) for message in VECTORED for vector in message.VECTORS]


@pytest.mark.parametrize(
    ("message", "vector"), VECTORS, ids=[f"{m.__name__}-{len(v.data)}" for m, v in VECTORS]
)
def test_each_vector_is_read_and_written(message: type[Message], vector: Vector) -> None:
    reading = message.read(vector.data)
    assert reading.message == message(**vector.values)
    assert reading.deviations == ()
    assert (message(**vector.values).encode() == vector.data) == vector.canonical
    assert vector.basis is Basis.DERIVED


def test_every_extension_has_a_vector() -> None:
    assert all(each.VECTORS for each in EXTENSIONS)


def test_undeclared_bits_are_sent_as_ones() -> None:
    assert InsulationRequest(request=MonitorRequest.NONE).encode() == bytes.fromhex("FD FF FF FF FF FF FF FF")
    zeros = InsulationRequest.read(bytes.fromhex("02 00 00 00 00 00 00 00"))
    assert zeros.message == InsulationRequest(request=MonitorRequest.OFF)
    assert {each.kind for each in zeros.deviations} == {DeviationKind.RESERVED}


def test_what_the_file_reserves_is_remarked() -> None:
    reading = InsulationRequest.read(b"\xfc" + b"\xff" * 7)
    assert [each.kind for each in reading.deviations] == [DeviationKind.UNKNOWN]


def test_what_a_pack_does_not_have_is_invalid() -> None:
    assert ConnectorChangeState().encode() == b"\xff" * 8
    values: list[IntEnum] = [
        getattr(ConnectorChangeState(), name) for name in ConnectorChangeState.layout.names
    ]
    assert {each.name for each in values} == {"INVALID"}
    assert ConnectorChangeState(a_positive=Contact.CLOSED).encode()[2] == 0xFE
    assert ConnectorChangeState(d_negative_fault=ContactFault.WELDED).encode()[4] == 0x7F


def test_bdc_needs_the_transport_protocol() -> None:
    assert [each.__name__ for each in EXTENSIONS if each.layout.length > 8] == ["BDC"]
    payload = BDC.VECTORS[0].data
    assert payload[:17] == b"L1NSPGH98NA000000"
    assert (payload[17], int.from_bytes(payload[18:20], "little")) == (80, 2800)
