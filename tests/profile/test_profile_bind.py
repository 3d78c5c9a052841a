import re
from pathlib import Path

import pytest

from swapproto.errors import ProfileError
from swapproto.messages.catalog import SETS, message_set
from swapproto.messages.gbt27930 import BCL, BCP, ChargeMode
from swapproto.profile import Profile, load, parse_quantity, shipped
from swapproto.profile.bind import bind
from swapproto.profile.declared import declared
from swapproto.provenance import Basis

HEAD = """schema = 1
[profile]
id = "mine"
title = "Mine"
scope = "a test"
messages = [{sets}]
[document.doc]
name = "The document"
read = "full-text"
"""
STATED = 'at = "doc 7", basis = "stated"'


def made(folder: Path, text: str, sets: str = '"gbt27930-2015"') -> Profile:
    path = folder / "mine.toml"
    path.write_text(HEAD.format(sets=sets) + text, encoding="utf-8")
    return load(path)


@pytest.mark.parametrize("name", shipped())
def test_messages_that_nothing_changes_are_the_declared_ones(name: str) -> None:
    profile = load(name)
    sets = bind(profile)
    assert len(sets) == len(profile.messages)
    changed = {key.split(".")[1] for key in profile.leaves if key.startswith("message.")}
    for bound, each in zip(sets, profile.messages, strict=True):
        for ours, theirs in zip(bound, message_set(each), strict=True):
            assert (ours is theirs) == (theirs.__name__ not in changed)


def test_a_changed_message_is_a_subclass_with_the_change(tmp_path: Path) -> None:
    profile = made(
        tmp_path,
        f"""[message.BCL]
period = {{ value = "100 ms", replaces = "0.05 s", {STATED} }}
priority = {{ value = 5, replaces = 6, {STATED} }}
optional = {{ value = true, replaces = false, {STATED} }}
[message.BCL.field.current]
offset = {{ value = "-1 kA", replaces = "-400 A", {STATED} }}
scale = {{ value = "0.2 A", replaces = "100 mA", {STATED} }}
high = {{ value = "500 A", replaces = "6153.5 A", {STATED} }}
""".replace("= 6,", f"= {BCL.priority},"),
    )
    (bound,) = bind(profile)
    changed = bound.by_name("BCL")
    assert issubclass(changed, BCL)
    assert changed is not BCL
    assert (changed.__name__, changed.period_ms, changed.priority, changed.optional) == ("BCL", 100, 5, True)
    field = changed.layout.field("current")
    assert (field.to_physical(0), field.to_physical(1)) == (-1000, -999.8)
    assert field.to_physical(field.raw_high) == 500
    assert field.marker.source is not None
    assert field.marker.source.basis is Basis.STATED
    assert changed.layout.field("voltage") == BCL.layout.field("voltage")
    assert changed.layout.length == BCL.layout.length
    assert not changed.VECTORS
    assert changed.unseen
    sent = changed(voltage=400.0, current=-999.8, mode=ChargeMode.CONSTANT_CURRENT)
    assert sent.encode()[2:4] == b"\x01\x00"
    assert changed.decode(sent.encode()) == sent
    assert bound.by_identifier(changed.identifier()) is not None
    assert bound.by_name("BCP") is BCP


def test_a_period_alone_keeps_the_vectors_and_an_optional_field_its_default(tmp_path: Path) -> None:
    text = f"""[message.BCL]
period = {{ value = "on event", replaces = "50 ms", {STATED} }}
[message.BRM.field.production_year]
offset = {{ value = "1990", replaces = "1985", {STATED} }}
"""
    (bound,) = bind(made(tmp_path, text))
    assert bound.by_name("BCL").period_ms is None
    assert bound.by_name("BCL").VECTORS == BCL.VECTORS
    brm = bound.by_name("BRM")
    vector = message_set("gbt27930-2015").by_name("BRM").VECTORS[0]
    assert brm.decode(vector.data).production_year is None
    assert brm.layout.names == message_set("gbt27930-2015").by_name("BRM").layout.names


def test_an_overlay_of_an_overlay_changes_a_message_again(tmp_path: Path) -> None:
    made(tmp_path, f'[message.BCL]\nperiod = {{ value = "60 ms", replaces = "50 ms", {STATED} }}\n')
    top = tmp_path / "top.toml"
    text = HEAD.replace('"mine"', '"top"').replace("messages = [{sets}]", 'extends = ["mine.toml"]')
    top.write_text(
        text + f'[message.BCL]\nperiod = {{ value = "70 ms", replaces = "60 ms", {STATED} }}\n',
        encoding="utf-8",
    )
    profile = load(top)
    assert bind(profile)[0].by_name("BCL").period_ms == 70
    leaf = profile.leaf("message.BCL.period")
    chain = [leaf.text]
    while (leaf.replaced) is not None:
        leaf = leaf.replaced
        chain.append(leaf.text)
    assert chain == ["70 ms", "60 ms", "50 ms"]
    assert leaf.profile == "gbt27930-2015"


BAD = {
    "message": ("[message.BCK]\nperiod", '"1 ms"', '"1 ms"', "message.BCK.period", "no message BCK"),
    "property": ("[message.BCL]\npgn", '"1"', '"1"', "message.BCL.pgn", "to change, not pgn"),
    "field": (
        "[message.BCL.field.amps]\nscale",
        '"1 A"',
        '"1 A"',
        "message.BCL.field.amps.scale",
        "fixed place 'amps'",
    ),
    "no number": (
        "[message.BCL.field.mode]\nscale",
        '"1"',
        '"1"',
        "message.BCL.field.mode.scale",
        "fixed place 'mode'",
    ),
    "setting": (
        "[message.BCL.field.current]\nbits",
        '"1"',
        '"1"',
        "message.BCL.field.current.bits",
        "not bits",
    ),
    "unit": (
        "[message.BCL.field.current]\noffset",
        '"-1 V"',
        '"-400 A"',
        "message.BCL.field.current.offset.value",
        "those of current: mA, A, kA",
    ),
    "no unit": (
        "[message.BCL.field.current]\noffset",
        '"-1"',
        '"-400 A"',
        "message.BCL.field.current.offset.value",
        "has no unit",
    ),
    "bare": (
        "[message.BCL.field.current]\noffset",
        "-1",
        '"-400 A"',
        "message.BCL.field.current.offset.value",
        "is no text",
    ),
    "replaces": (
        "[message.BCL.field.current]\noffset",
        '"-1 A"',
        '"-500 A"',
        "message.BCL.field.current.offset.replaces",
        'it says -500 A, but the value beneath is "-400 A"',
    ),
    "period": (
        "[message.BCL]\nperiod",
        '"0.5 ms"',
        '"50 ms"',
        "message.BCL.period.value",
        "whole number of milliseconds",
    ),
    "priority": (
        "[message.BCL]\npriority",
        "8",
        "6",
        "message.BCL.priority.value",
        "no priority from 0 to 7",
    ),
    "optional": (
        "[message.BCL]\noptional",
        '"yes"',
        "false",
        "message.BCL.optional.value",
        "neither true nor false",
    ),
    "layout": (
        "[message.BCL.field.current]\nscale",
        '"-0.1 A"',
        '"0.1 A"',
        "message.BCL.field.current.scale",
        "make no layout",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_change_that_hits_nothing_or_cannot_be_is_told(tmp_path: Path, name: str) -> None:
    where, value, replaces, key, said = BAD[name]
    with pytest.raises(ProfileError, match=re.escape(said)) as caught:
        made(tmp_path, f"{where} = {{ value = {value}, replaces = {replaces}, {STATED} }}\n")
    assert (caught.value.key, caught.value.line) == (key, 11)


def test_a_unit_of_its_own_is_repeated(tmp_path: Path) -> None:
    def clock(value: str) -> Profile:
        text = f'[message.Clock.field.day]\nhigh = {{ value = "{value}", replaces = "31 day", {STATED} }}\n'
        return made(tmp_path, text, sets='"pack-can-d0f3"')

    (bound,) = bind(clock("30 day"))
    assert bound.by_name("Clock").layout.field("day").raw_high == 30
    with pytest.raises(ProfileError, match="'30 d' is no number of day"):
        clock("30 d")


def test_sets_that_declare_a_message_differently_cannot_both_be_changed(tmp_path: Path) -> None:
    text = f'[message.CRM.field.charger_number]\nhigh = {{ value = "9", replaces = "255", {STATED} }}\n'
    with pytest.raises(
        ProfileError, match=r"different values \(gbt27930-2011 255, gbt27930-2015 4294967295\)"
    ):
        made(tmp_path, text, sets='"gbt27930-2011", "gbt27930-2015"')
    (bound,) = bind(made(tmp_path, text, sets='"gbt27930-2011"'))
    assert bound.by_name("CRM").layout.field("charger_number").raw_high == 9


def test_a_message_cannot_be_unset_and_needs_a_set(tmp_path: Path) -> None:
    unset = '[message.BCL]\nperiod = { replaces = "50 ms", at = "doc", basis = "unset", why = "x" }\n'
    with pytest.raises(ProfileError, match=r"message\.BCL\.period\.basis: a message that is sent"):
        made(tmp_path, unset)
    with pytest.raises(ProfileError, match="speaks no message set"):
        made(tmp_path, unset, sets="")


@pytest.mark.parametrize("name", SETS)
def test_every_set_is_visible_as_leaves(name: str) -> None:
    leaves = declared((name,))
    for message in message_set(name):
        prefix = f"message.{message.__name__}"
        period = leaves[f"{prefix}.period"]
        assert period.value == (
            "on event" if message.period_ms is None else parse_quantity(f"{message.period_ms} ms")
        )
        assert period.source == message.source
        assert all(f"{prefix}.field.{field.name}.place" in leaves for field in message.layout.fields)
