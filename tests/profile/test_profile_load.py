import re
from collections.abc import Callable
from pathlib import Path

import pytest

from swapproto.errors import ProfileError
from swapproto.profile import Profile, Quantity, load, parse_quantity
from swapproto.profile.model import Read
from swapproto.provenance import Basis, Weight

HEAD = """schema = 1
[profile]
id = "base"
title = "A base"
scope = "a test"
messages = ["gbt27930-2015"]
[document.doc]
name = "The document"
read = "excerpt"
[document.other]
name = "Another"
read = "contents"
"""
OVER = """schema = 1
[profile]
id = "over"
title = "An overlay"
scope = "a test"
extends = ["base.toml"]
"""
MASS = 'mass = { value = "3.2 t", at = "doc 4.2", basis = "observed", witnesses = 2, why = "two trucks" }\n'
UNSET_LOCKS = 'lock_points = { basis = "unset", at = "other", why = "the text is not public" }\n'
UNSET_OUTLINE = 'outline = { basis = "unset", at = "other", why = "the text is not public" }\n'
BASE = f"{HEAD}[pack]\n{MASS}{UNSET_OUTLINE}{UNSET_LOCKS}"

Write = Callable[..., Profile]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes name=text pairs as files and loads the last."""

    def made(**files: str) -> Profile:
        for name, text in files.items():
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return load(tmp_path / f"{list(files)[-1]}.toml")

    return made


def test_a_leaf_has_its_value_and_its_source(write: Write) -> None:
    profile = write(base=BASE)
    mass = profile.leaf("pack.mass")
    assert (mass.value, mass.text, mass.line, mass.profile) == (
        parse_quantity("3200 kg"),
        "3.2 t",
        14,
        "base",
    )
    assert (mass.at, mass.source.at) == ("doc 4.2", "The document, 4.2")
    assert (mass.source.basis, mass.source.witnesses, mass.weight) == (Basis.OBSERVED, 2, Weight.FULL)
    assert mass.document is not None
    assert mass.document.read is Read.EXCERPT
    assert mass.place == f"{profile.file}:14"
    outline = profile.leaf("pack.outline")
    assert (outline.value, outline.text, outline.choices, outline.is_set) == (None, "unset", (), False)
    assert outline.weight is Weight.NONE
    assert list(profile.leaves) == ["pack.outline", "pack.mass", "pack.lock_points"]


def test_an_item_on_which_a_profile_is_silent_is_unset(write: Write) -> None:
    leaf = write(base=BASE).leaf("pack.guide_pins")
    assert (leaf.value, leaf.line, leaf.source.basis, leaf.weight) == (None, None, Basis.UNSET, Weight.NONE)
    assert "says nothing" in leaf.source.why


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("pack.outlin", "near: pack.outline"),
        ("message.BCL.perio", "near: message.BCL.period"),
        ("timer.brm", "near: timer.brm_at_charger"),
    ],
)
def test_an_unknown_key_has_near_matches(write: Write, key: str, said: str) -> None:
    with pytest.raises(ProfileError, match=said) as caught:
        write(base=BASE).leaf(key)
    assert caught.value.key == key


def test_declarations_and_timers_are_leaves(write: Write) -> None:
    profile = write(base=BASE)
    period = profile.leaf("message.BCL.period")
    assert (period.value, period.source.basis, period.source.witnesses) == (
        parse_quantity("50 ms"),
        Basis.REPORTED,
        2,
    )
    assert period.file.endswith("charging.py")
    assert profile.leaf("message.BCL.field.current.offset").text == "-400 A"
    assert profile.leaf("message.BCL.field.current.place").text == "3-4"
    assert profile.leaf("message.CHM.field.version_minor.scale").value == parse_quantity("1", "number")
    assert profile.leaf("timer.brm_at_charger").value == parse_quantity("5 s")


def test_an_overlay_replaces_and_remembers(write: Write) -> None:
    over = f"""{OVER}[document.doc]
name = "The document, owned"
read = "full-text"
[pack]
mass = {{ value = "2900 kg", replaces = "3200 kg", at = "doc 4.2", basis = "stated" }}
outline = {{ value = "1 m x 2 m x 3 m", replaces = "unset", at = "doc 4.1", basis = "stated" }}
guide_pins = {{ value = 4, at = "doc 4.3", basis = "stated" }}
"""
    profile = write(base=BASE, over=over)
    mass = profile.leaf("pack.mass")
    assert (mass.text, mass.weight, mass.source.witnesses) == ("2900 kg", Weight.FULL, 0)
    assert mass.replaced is not None
    assert (mass.replaced.text, mass.replaced.profile, mass.replaced.replaced) == ("3.2 t", "base", None)
    assert mass.replaced.source.at == "The document, 4.2"
    assert profile.leaf("pack.outline").replaced is not None
    assert profile.leaf("pack.guide_pins").replaced is None
    assert (profile.chain, profile.messages) == (("base", "over"), ("gbt27930-2015",))
    assert profile.documents["doc"].read is Read.FULL_TEXT
    assert set(profile.documents) == {"doc", "other"}


def test_a_third_profile_replaces_the_second(write: Write) -> None:
    middle = OVER + '[pack]\nmass = { value = "3 t", replaces = "3.2 t", at = "doc", basis = "stated" }\n'
    top = middle.replace('"over"', '"top"').replace("base.toml", "middle.toml")
    top = top.replace('value = "3 t", replaces = "3.2 t"', 'value = "2 t", replaces = "3 t"')
    mass = write(base=BASE, middle=middle, top=top).leaf("pack.mass")
    assert [mass.text, mass.replaced and mass.replaced.text] == ["2 t", "3 t"]
    assert mass.replaced is not None
    assert mass.replaced.replaced is not None
    assert mass.replaced.replaced.text == "3.2 t"


def second(value: str, **changes: str) -> str:
    text = BASE.replace('"base"', '"second"').replace('"3.2 t"', f'"{value}"')
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


TWO = OVER.replace('["base.toml"]', '["base.toml", "second.toml"]')


def test_two_bases_may_agree(write: Write) -> None:
    profile = write(base=BASE, second=second("3200 kg"), over=TWO)
    assert profile.leaf("pack.mass").profile == "base"
    assert profile.chain == ("base", "second", "over")


def test_a_value_goes_before_unset(write: Write) -> None:
    bare = HEAD.replace('"base"', '"second"')
    given = bare + '[pack]\noutline = { value = "1 m x 2 m x 3 m", at = "doc 1", basis = "stated" }\n'
    assert write(base=BASE, second=given, over=TWO).leaf("pack.outline").profile == "second"


def test_two_bases_that_disagree_need_a_word(write: Write) -> None:
    with pytest.raises(
        ProfileError, match=r"over\.toml:6: profile\.extends: two values for pack\.mass: base has 3\.2 t"
    ):
        write(base=BASE, second=second("2 t"), over=TWO)
    chosen = TWO + '[pack]\nmass = { value = "3 t", replaces = "2 t", at = "doc", basis = "stated" }\n'
    mass = write(base=BASE, second=second("2 t"), over=chosen).leaf("pack.mass")
    assert mass.replaced is not None
    assert mass.replaced.profile == "second"


def test_two_documents_of_one_id_need_a_word(write: Write) -> None:
    other = second("3.2 t", **{"The document": "Quite another"})
    with pytest.raises(ProfileError, match="two documents of the id 'doc'"):
        write(base=BASE, second=other, over=TWO)
    own = TWO + '[document.doc]\nname = "mine"\nread = "nothing"\n'
    assert write(base=BASE, second=other, over=own).documents["doc"].name == "mine"


def leaf(key: str, inside: str) -> str:
    return f"{HEAD}[pack]\n{key} = {{ {inside} }}\n"


ROOT = 'at = "doc 1", basis = "stated"'
BAD_FILES = {
    "schema": (BASE.replace("schema = 1", "schema = 2"), 1, "schema", "not supported"),
    "no schema": (BASE.replace("schema = 1", ""), None, "schema", "is missing"),
    "section": (BASE + "[pak]\nx = 1\n", 17, "pak", "unknown key; near: pack"),
    "profile key": (BASE.replace("scope", "scop"), 5, "profile.scop", "unknown key; near: scope"),
    "no scope": (BASE.replace('scope = "a test"', ""), 2, "profile.scope", "is missing"),
    "empty title": (BASE.replace('"A base"', '" "'), 4, "profile.title", "must be text"),
    "id": (BASE.replace('"base"', '"My Base"'), 3, "profile.id", "small letters"),
    "profile is no table": ("schema = 1\nprofile = 1\n", 2, "profile", "must be a table"),
    "messages": (
        BASE.replace("gbt27930-2015", "gbt27930-2016"),
        6,
        "profile.messages.0",
        "near: gbt27930-201",
    ),
    "messages twice": (
        BASE.replace('["gbt27930-2015"]', '["gbt27930-2015", "gbt27930-2015"]'),
        6,
        "profile.messages",
        "twice",
    ),
    "item": (leaf("mas", f'value = "1 t", {ROOT}'), 14, "pack.mas", "unknown key; near: pack.mass"),
    "bare value": (f"{HEAD}[pack]\nmass = 3\n", 14, "pack.mass", "must be an inline table"),
    "leaf key": (leaf("mass", f'valu = "1 t", {ROOT}'), 14, "pack.mass.valu", "unknown key; near: value"),
    "no unit": (
        leaf("mass", f'value = "3.2", {ROOT}'),
        14,
        "pack.mass.value",
        "has no unit; those of mass: g, kg, t",
    ),
    "bad unit": (
        leaf("mass", f'value = "3 lb", {ROOT}'),
        14,
        "pack.mass.value",
        "is not known; those of mass",
    ),
    "number": (
        leaf("mass", f"value = 3, {ROOT}"),
        14,
        "pack.mass.value",
        "is no string; expected mass: g, kg, t",
    ),
    "no value": (leaf("mass", ROOT), 14, "pack.mass.value", "is missing"),
    "no at": (leaf("mass", 'value = "1 t", basis = "stated"'), 14, "pack.mass.at", "is missing"),
    "no basis": (leaf("mass", 'value = "1 t", at = "doc"'), 14, "pack.mass.basis", "is missing"),
    "basis": (
        leaf("mass", 'value = "1 t", at = "doc", basis = "sure"'),
        14,
        "pack.mass.basis",
        "is none of: stated",
    ),
    "document": (
        leaf("mass", f'value = "1 t", {ROOT}'.replace("doc 1", "dok 1")),
        14,
        "pack.mass.at",
        "near: doc",
    ),
    "unread": (
        leaf("mass", f'value = "1 t", {ROOT}'.replace("doc", "other")),
        14,
        "pack.mass.basis",
        "of 'other' was read: contents; what is stated was read in the full text or an excerpt",
    ),
    "no why": (
        leaf("mass", 'value = "1 t", at = "doc", basis = "derived"'),
        14,
        "pack.mass.why",
        "is missing",
    ),
    "empty why": (
        leaf("mass", 'value = "1 t", at = "doc", basis = "derived", why = ""'),
        14,
        "pack.mass.why",
        "not empty",
    ),
    "no witness": (
        leaf("mass", 'value = "1 t", at = "doc", basis = "observed", why = "x"'),
        14,
        "pack.mass.witnesses",
        "at least one witness",
    ),
    "a witness of an assumption": (
        leaf("mass", 'value = "1 t", at = "doc", basis = "assumed", why = "x", witnesses = 1'),
        14,
        "pack.mass.witnesses",
        "has no witness",
    ),
    "witnesses": (
        leaf("mass", 'value = "1 t", at = "doc", basis = "observed", why = "x", witnesses = true'),
        14,
        "pack.mass.witnesses",
        "is no number",
    ),
    "unset with a value": (
        leaf("mass", 'value = "1 t", at = "doc", basis = "unset", why = "x"'),
        14,
        "pack.mass.value",
        "what is unset has no value",
    ),
    "replaces nothing": (
        leaf("mass", f'value = "1 t", replaces = "2 t", {ROOT}'),
        14,
        "pack.mass.replaces",
        "overrides nothing",
    ),
    "document key": (HEAD + 'edition = "1"\n', 13, "document.other.edition", "unknown key"),
    "document read": (
        BASE.replace('"contents"', '"all"'),
        12,
        "document.other.read",
        "Invalid enum value 'all'",
    ),
    "document date": (HEAD + 'issued = "soon"\n', 13, "document.other.issued", "Invalid"),
    "document id": (HEAD + 'id = "x"\n', 13, "document.other.id", "the table's own name"),
    "clause document": (
        HEAD + '[[clause]]\ndocument = "dok"\nnumber = "1"\ntitle = "x"\n',
        14,
        "clause.0.document",
        "near: doc",
    ),
    "clause key": (
        HEAD + '[[clause]]\ndocument = "doc"\nnumber = "1"\ntitle = "x"\nkeys = ["pack.mas"]\n',
        17,
        "clause.0.keys.0",
        "near: pack.mass",
    ),
    "clause title": (
        HEAD + '[[clause]]\ndocument = "doc"\nnumber = "1"\n',
        13,
        "clause.0.title",
        "is missing",
    ),
    "clause twice": (
        HEAD + '[[clause]]\ndocument = "doc"\nnumber = "1"\ntitle = "x"\n' * 2,
        19,
        "clause.1.number",
        "stands twice",
    ),
    "clause is no array": (HEAD + "[clause]\nx = 1\n", 13, "clause", "[[clause]]"),
    "no toml": (HEAD + "x = \n", 13, "file", "this is no TOML"),
    "one key twice": (HEAD + f"[pack]\n{MASS}{MASS}", 15, "mass", "this is no TOML: the key stands twice"),
}
BAD_OVERLAYS = {
    "replaces is missing": (
        '[pack]\nmass = { value = "1 t", at = "doc", basis = "stated" }\n',
        8,
        "pack.mass.replaces",
        'is missing: base has this key; say replaces = "3.2 t"',
    ),
    "replaces differs": (
        '[pack]\nmass = { value = "1 t", replaces = "3 t", at = "doc", basis = "stated" }\n',
        8,
        "pack.mass.replaces",
        'differs: it says 3 t, but the value beneath is "3.2 t"',
    ),
    "replaces unset": (
        '[pack]\nmass = { value = "1 t", replaces = "unset", at = "doc", basis = "stated" }\n',
        8,
        "pack.mass.replaces",
        "it says unset",
    ),
    "replaces has no unit": (
        '[pack]\nmass = { value = "1 t", replaces = "3", at = "doc", basis = "stated" }\n',
        8,
        "pack.mass.replaces",
        "has no unit",
    ),
    "replaces what is unset": (
        '[pack]\nlock_points = { value = 4, replaces = 6, at = "doc", basis = "stated" }\n',
        8,
        "pack.lock_points.replaces",
        'is "unset"',
    ),
    "new with replaces": (
        '[pack]\nguide_pins = { value = 4, replaces = 3, at = "doc", basis = "stated" }\n',
        8,
        "pack.guide_pins.replaces",
        "overrides nothing",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_fault_is_told_with_file_line_and_key(write: Write, name: str) -> None:
    text, line, key, said = BAD_FILES[name]
    with pytest.raises(ProfileError, match=re.escape(said)) as caught:
        write(base=text)
    assert (caught.value.line, caught.value.key) == (line, key)
    assert str(caught.value).startswith(caught.value.path)


@pytest.mark.parametrize("name", BAD_OVERLAYS)
def test_a_fault_of_an_overlay_is_told_with_file_line_and_key(write: Write, name: str) -> None:
    text, line, key, said = BAD_OVERLAYS[name]
    with pytest.raises(ProfileError, match=re.escape(said)) as caught:
        write(base=BASE, over=OVER + text)
    assert (caught.value.line, caught.value.key) == (line, key)
    assert caught.value.path.endswith("over.toml")


def test_what_it_extends_must_exist_and_not_be_itself(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read: No such file"):
        write(over=OVER.replace("base.toml", "none.toml"))
    with pytest.raises(
        ProfileError, match=r"extends\.0: no profile 'pack-can-d0f4' is shipped \(near: pack-can-d0f3"
    ):
        write(over=OVER.replace("base.toml", "pack-can-d0f4"))
    with pytest.raises(ProfileError, match=r"profile\.extends\.0: extends itself"):
        write(base=OVER.replace("base.toml", "over.toml"), over=OVER)
    with pytest.raises(ProfileError, match="'over' is the id of a profile that it extends"):
        write(base=BASE.replace('"base"', '"over"'), over=OVER)
    with pytest.raises(ProfileError, match=r"^cn-js-hdt-2023: profile: .*near: cn-js-hdt-2022"):
        load("cn-js-hdt-2023")
    with pytest.raises(ProfileError, match="cannot be read"):
        load(tmp_path)


def test_the_same_file_twice_beneath_is_one(write: Write) -> None:
    left = OVER.replace('"over"', '"left"')
    right = OVER.replace('"over"', '"right"')
    top = OVER.replace('["base.toml"]', '["left.toml", "right.toml"]')
    profile = write(base=BASE, left=left, right=right, top=top)
    assert profile.chain == ("base", "left", "right", "over")
    assert isinstance(profile.leaf("pack.mass").value, Quantity)


def test_an_unknown_schema_is_told_before_all_else(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("schema = 2\n[device]\nname = 1\n", encoding="utf-8")
    with pytest.raises(ProfileError, match=r"x\.toml:1: schema: 2 is not supported"):
        load(path)


def test_the_id_of_a_shipped_profile_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    text = OVER.replace('"over"', '"gbt27930-2015"').replace('extends = ["base.toml"]\n', "")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError, match=r"x\.toml:3: profile\.id: .* is shipped; choose one of your own"):
        load(path)
    shipped_file = load("gbt27930-2015").file
    assert load(shipped_file).id == "gbt27930-2015"
