from collections.abc import Callable
from typing import Any

import pytest

from swapproto.messages import gbt27930 as gb
from swapproto.messages.gbt27930 import Edition, edition2011, edition2023
from swapproto.observe.edition import Recognised, recognise
from swapproto.trace.record import Record
from swapproto.transport import frames as tp

Without = Callable[[list[Record], int], list[Record]]


def frame(can_id: int, data: str) -> Record:
    return Record(0, can_id, bytes.fromhex(data), line=1)


def brm(size: int) -> Record:
    return Record(0, tp.cm_id(0x56, 0xF4), tp.rts(gb.BRM.pgn, size), line=1)


CHM = frame(gb.CHM.identifier(), "010100")
CHM_PADDED = frame(gb.CHM.identifier(), "010100FFFFFFFFFF")
CML_6 = frame(gb.CML.identifier(), "4C1DD007B80B")
CML_6_PADDED = frame(gb.CML.identifier(), "4C1DD007B80BFFFF")
CML_8 = frame(gb.CML.identifier(), "581BD007D80EA00F")
CCS_6 = frame(gb.CCS.identifier(), "CC0CA00F0000")
CCS_7 = frame(gb.CCS.identifier(), "C90EA00F0000FD")
CCS_8 = frame(gb.CCS.identifier(), "2A00A00F0000FDFF")
CCS_6_PADDED = frame(gb.CCS.identifier(), "CC0CA00F0000FFFF")
CRM_REGION = frame(gb.CRM.identifier(), "00015A482D434EFF")
CRM_2015 = frame(gb.CRM.identifier(), "0001010101313233")
CRO_PADDED = frame(gb.CRO.identifier(), "AAFFFFFFFFFFFFFF")
CST_ONES = frame(gb.CST.identifier(), "0400F0F0")
CST_ROOM = frame(gb.CST.identifier(), "04000000")
NEGOTIATION = frame(edition2023.VersionOffer.identifier(), "0101010000000003")
OLD, NEW, EITHER, UNKNOWN = Recognised.GBT_2011, Recognised.GBT_2015, Recognised.EITHER, Recognised.UNKNOWN


@pytest.mark.parametrize(
    ("heard", "edition"),
    [
        ([], UNKNOWN),
        ([CRM_2015], UNKNOWN),
        ([CST_ONES], UNKNOWN),
        ([brm(41)], OLD),
        ([CML_6], OLD),
        ([CCS_6], OLD),
        ([CRM_REGION], OLD),
        ([CCS_6, CST_ONES], OLD),
        ([brm(49)], EITHER),
        ([CHM], EITHER),
        ([CML_8], EITHER),
        ([CCS_7], EITHER),
        ([CCS_8], NEW),
        ([CCS_7, CST_ONES], NEW),
        ([CCS_7, CST_ROOM], EITHER),
        ([CCS_7, CST_ONES, CST_ROOM], EITHER),
        ([brm(41), CML_6_PADDED, CCS_6_PADDED], OLD),
        ([CML_6_PADDED, CCS_6_PADDED], UNKNOWN),
        ([brm(41), CRO_PADDED, CCS_8, CML_8], OLD),
        ([CHM_PADDED, brm(49), CCS_8], EITHER),
        ([CHM, brm(41)], UNKNOWN),
        ([NEGOTIATION], Recognised.LATER),
        ([NEGOTIATION, CHM, brm(49), CCS_7], Recognised.GBT_2023A),
        ([NEGOTIATION, CHM, CCS_8], EITHER),
        ([CCS_7, CCS_7, CCS_6, CST_ONES], NEW),
    ],
)
def test_what_the_evidence_allows(heard: list[Record], edition: Recognised) -> None:
    assert recognise(heard).edition is edition


def test_the_evidence_is_listed_with_its_source() -> None:
    evidence = recognise([CCS_8, CCS_8]).evidence
    assert [each.speaks_for for each in evidence] == [EITHER, NEW]
    assert {each.frames for each in evidence} == {2}
    assert all(each.source.at for each in evidence)


@pytest.mark.parametrize(
    ("recognised", "edition"),
    [(OLD, Edition.GBT_2011), (Recognised.GBT_2023A, Edition.GBT_2023A), (UNKNOWN, Edition.GBT_2015)],
)
def test_unknown_traffic_is_read_as_2015(recognised: Recognised, edition: Edition) -> None:
    assert recognised.decoded_as is edition


def test_a_session_of_2015(whole_session: list[Record], without: Without) -> None:
    assert recognise(whole_session).edition is NEW
    assert recognise(without(whole_session, gb.CST.identifier())).edition is EITHER


def test_messages_of_2011_are_told_by_their_own_vectors() -> None:
    heard: list[Any] = [edition2011.CRM, edition2011.CML, edition2011.CCS]
    for cls in heard:
        records = [Record(0, cls.identifier(), vector.data) for vector in cls.VECTORS]
        assert recognise(records).edition is OLD


def test_eleven_bit_identifiers_say_nothing() -> None:
    assert recognise([Record(0, gb.CHM.identifier() & 0x7FF, b"\1\1\0", extended=False)]).evidence == ()
