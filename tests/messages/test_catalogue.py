"""From identifier, PGN or name to the class, in the edition that is spoken."""

import pytest

from swapproto.errors import SwapError
from swapproto.messages.catalog import EDITIONS, SETS, Catalogue, UnknownMessage, message_set
from swapproto.messages.gbt27930 import (
    BCL,
    BMS_ADDRESS,
    CCS,
    CHARGER_ADDRESS,
    CHM,
    CRM,
    DM1,
    Edition,
    Party,
    edition2011,
    edition2023,
)


@pytest.mark.parametrize("edition", list(Edition))
def test_every_message_is_found_by_each_of_its_names(edition: Edition) -> None:
    catalogue = Catalogue(edition)
    assert tuple(catalogue) == EDITIONS[edition]
    for message in catalogue:
        assert catalogue.by_name(message.__name__) is message
        assert catalogue.by_name(message.__name__.lower()) is message
        for can_id, sender in message.identifiers().items():
            assert catalogue.by_identifier(can_id) == (message, sender)
            assert catalogue.by_pgn(message.pgn, sender.value) is message


@pytest.mark.parametrize("name", SETS)
def test_every_set_finds_its_messages_and_no_two_share_an_identifier(name: str) -> None:
    family = message_set(name)
    assert family is message_set(name)
    seen: set[int] = set()
    for message in family:
        assert family.by_name(message.__name__.lower()) is message
        for can_id, sender in message.identifiers().items():
            assert can_id not in seen
            assert can_id in family
            assert family.by_identifier(can_id) == (message, sender)
            seen.add(can_id)
    assert family.by_identifier(0x1FFFFFFF) is None
    with pytest.raises(UnknownMessage, match="no message 'quux' in"):
        family.by_name("quux")


def test_an_unknown_set_lists_those_there_are() -> None:
    with pytest.raises(UnknownMessage, match="no message set 'pack-can'; there are: gbt27930-2011"):
        message_set("pack-can")


def test_the_edition_decides() -> None:
    assert Catalogue().edition is Edition.GBT_2015
    crm = CRM.identifier()
    assert Catalogue().by_identifier(crm) == (CRM, Party.CHARGER)
    assert Catalogue(Edition.GBT_2011).by_identifier(crm) == (edition2011.CRM, Party.CHARGER)
    assert Catalogue(Edition.GBT_2011).by_identifier(CHM.identifier()) is None
    assert Catalogue(Edition.GBT_2023A).by_name("CCS") is edition2023.CCS
    assert Catalogue(Edition.GBT_2015).by_name("CCS") is CCS


def test_the_sender_decides() -> None:
    assert Catalogue().by_identifier(0x181056F4) == (BCL, Party.BMS)
    assert Catalogue().by_identifier(0x1810F456) is None
    assert Catalogue().by_pgn(0x1000, BMS_ADDRESS) is BCL
    assert Catalogue().by_pgn(0x1000, CHARGER_ADDRESS) is None
    assert Catalogue().by_identifier(0x1820F456) == (DM1, Party.CHARGER)
    assert Catalogue().by_identifier(0x182056F4) == (DM1, Party.BMS)
    offer = Catalogue(Edition.GBT_2023A).by_pgn(0x3C00, CHARGER_ADDRESS)
    assert offer is edition2023.VersionOffer


@pytest.mark.parametrize("can_id", [0, 0x1CECF456, 0x181056F5, 0x1FFFFFFF, 0x081056F4])
def test_a_foreign_identifier_is_nobodys(can_id: int) -> None:
    assert Catalogue().by_identifier(can_id) is None


def test_an_unknown_name_lists_near_ones_or_all() -> None:
    with pytest.raises(UnknownMessage) as near:
        Catalogue().by_name("BCX")
    assert str(near.value).startswith("no message 'BCX' in GB/T 27930 edition 2015; near: BC")
    with pytest.raises(UnknownMessage) as far:
        Catalogue().by_name("quux")
    assert "; there are: CHM, BHM, CRM" in str(far.value)
    assert isinstance(far.value, SwapError)
    assert isinstance(far.value, LookupError)
