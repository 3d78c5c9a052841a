"""Exchanges in the vectors, held against a reassembly of frames that shares nothing with our transport."""

import json
from copy import deepcopy
from typing import Any

import pytest

from swapproto.export.source import declaration
from swapproto.export.vectors import files
from swapproto.frame import MICROSECOND
from swapproto.messages.catalog import SETS, Catalogue
from swapproto.session import bms_table, charger_table
from swapproto.session.timing import TIMERS
from swapproto.transport.rules import Violation

Json = dict[str, Any]


def load(name: str) -> Json:
    ((_, made),) = files(declaration(name)).items()
    found: Json = json.loads(made)
    return found


FILES = {name: load(name) for name in SETS}
WITH_TRANSPORT = [name for name in SETS if FILES[name]["transport"]]
CHARGE = FILES["gbt27930-2015"]
EXCHANGES = [pytest.param(each, id=each["name"]) for each in CHARGE["transport"]]
SESSIONS = {each["name"]: each for each in CHARGE["sessions"]}


def reassembled(exchange: Json) -> list[tuple[int, str]]:
    """Payloads with the instant of their last packet, out of the frames that were heard."""
    whole: list[tuple[int, str]] = []
    size, parts = 0, dict[int, bytes]()
    for frame in exchange["frames"]:
        data, format_ = bytes.fromhex(frame["data"]), frame["id"][2:4]
        if frame["lost"] or len(data) != 8:
            continue
        if format_ == "EC" and data[0] in (16, 32):
            size, parts = data[1] | data[2] << 8, {}
        elif format_ == "EC" and data[0] == 255:
            size = 0
        elif format_ == "EB" and size and 1 <= data[0] <= -(-size // 7):
            parts[data[0]] = data[1:]
            if len(parts) == -(-size // 7):
                payload = b"".join(parts[number] for number in sorted(parts))[:size]
                whole.append((frame["at_us"], payload.hex().upper()))
                size = 0
    return whole


def told(exchange: Json, event: str) -> list[Json]:
    return [each for each in exchange["events"] if each["event"] == event]


def disagreement(exchange: Json) -> str | None:
    """Where the events of an exchange are not what its frames make."""
    received = [(each["at_us"], each["payload"]) for each in told(exchange, "received")]
    heard_by_ours = received or not (told(exchange, "aborted") or exchange["scripted"])
    if heard_by_ours and reassembled(exchange) != received:
        return f"{reassembled(exchange)} is not {received}"
    return None


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_what_is_received_is_what_the_frames_carry(exchange: Json) -> None:
    assert disagreement(exchange) is None
    for frame, later in zip(exchange["frames"], exchange["frames"][1:], strict=False):
        assert frame["at_us"] < later["at_us"]
    for sent in exchange["sends"]:
        ended = [each for each in exchange["events"] if each["event"] in ("sent", "aborted")]
        assert any(each["party"] == sent["party"] for each in ended)
    known = {violation.value for violation in Violation}
    assert {each["reason"] for each in told(exchange, "violation")} <= known


def test_every_rule_that_an_endpoint_can_see_broken_is_broken_somewhere() -> None:
    seen = {each["reason"] for exchange in CHARGE["transport"] for each in told(exchange, "violation")}
    unseen = {violation for violation in Violation if violation.value not in seen}
    assert unseen == {Violation.BAD_SOURCE, Violation.CTS_WHILE_SENDING, Violation.OUTSIDE_WINDOW}


def test_both_ways_and_all_sizes_arrive() -> None:
    sizes = {
        (each["party"], len(each["payload"]) // 2)
        for exchange in CHARGE["transport"]
        for each in told(exchange, "received")
        if not exchange["scripted"]
    }
    assert sizes == {(party, size) for party in ("BMS", "CHARGER") for size in (9, 49, 252, 1785)}


def test_a_planted_error_is_seen() -> None:
    exchange = deepcopy(next(each for each in CHARGE["transport"] if each["name"].startswith("49 bytes")))
    frame = next(each for each in exchange["frames"] if each["id"].startswith("1CEB"))
    frame["data"] = frame["data"][:-2] + "00"
    assert disagreement(exchange)


def test_only_profiles_with_long_messages_have_transfers() -> None:
    assert [name for name in SETS if name != "pack-can-d0f3"] == WITH_TRANSPORT
    assert [name for name in SETS if FILES[name]["sessions"]] == ["gbt27930-2015"]


TABLES: dict[str, Any] = {"CHARGER": charger_table, "BMS": bms_table}


@pytest.mark.parametrize("name", SESSIONS)
def test_every_move_stands_in_its_table(name: str) -> None:
    session = SESSIONS[name]
    for party, module in TABLES.items():
        state = module.RULES.start
        for event in session["events"]:
            if event["party"] == party and event["event"] == "state":
                row = module.RULES.table[state, module.Input(event["cause"])]
                assert row.to == event["state"]
                state = row.to
    catalogue = Catalogue()
    for frame in session["frames"]:
        found = catalogue.by_identifier(int(frame["id"], 16))
        if found is not None:
            assert found[1].name == frame["from"]
            assert not found[0].read(bytes.fromhex(frame["data"])).deviations
        else:
            assert frame["id"][2:4] in ("EC", "EB")


@pytest.mark.parametrize(
    ("message", "timer", "identifier"),
    [("BCL", "bcl", "181056F4"), ("CCS", "ccs", "1812F456")],
)
def test_silence_is_reported_when_the_timer_runs_out(message: str, timer: str, identifier: str) -> None:
    session = next(each for name, each in SESSIONS.items() if name.startswith(f"no {message} from"))
    last = max(frame["at_us"] for frame in session["frames"] if frame["id"] == identifier)
    (event,) = (each for each in told(session, "timeout") if each["timer"] == timer)
    assert event["at_us"] - last == TIMERS[timer].value // MICROSECOND


def test_each_field_of_bem_and_cem_is_reported_somewhere() -> None:
    catalogue = Catalogue()
    reported: dict[str, set[str]] = {"BEM": set(), "CEM": set()}
    for session in SESSIONS.values():
        for event in told(session, "error"):
            message = catalogue.by_name(event["message"]).decode(bytes.fromhex(event["payload"]))
            names = message.layout.names
            reported[event["message"]] |= {name for name in names if getattr(message, name) == 1}
    for name, fields in reported.items():
        assert fields | {"other"} == set(catalogue.by_name(name).layout.names)


def test_a_charge_a_stop_and_a_pause_are_there() -> None:
    whole = SESSIONS["the pack is charged and stops"]
    assert all(each["complete"] for each in told(whole, "end"))
    paused = SESSIONS["the pack pauses the charge"]
    assert [each["event"] for each in paused["events"] if each["party"] == "CHARGER"].count("paused") == 1
    assert told(paused, "resumed")
    assert {each["party"] for each in told(paused, "paused")} == {"CHARGER", "BMS"}
    given_up = SESSIONS["no BRM until no reconnect is left"]
    assert {each["cause"] for each in told(given_up, "end")} == {"no reconnect left", "no new CRM(00)"}
