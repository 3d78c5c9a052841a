import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from swapproto.cli.profile import command
from swapproto.errors import ProfileError
from swapproto.profile import KEYS, Leaf, load, shipped
from swapproto.profile.schema import text as schema_text
from swapproto.provenance import Basis

JIANGSU = "cn-js-hdt-2022"
FILLED = {
    "... mm x ... mm x ... mm": "1 mm x 2 mm x 3 mm",
    "little-endian | big-endian": "little-endian",
    "value = ...,": "value = 3,",
    '"0x.."': '"0x11"',
    "...": "1",
}


def run(*arguments: str) -> list[str]:
    result = CliRunner().invoke(command, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_list_counts_what_rests_on_what() -> None:
    lines = run("list")
    assert [line.split()[0] for line in lines[1:]] == list(shipped())
    header = lines[0]
    at = header.index("unset") + len("unset")
    for line, name in zip(lines[1:], shipped(), strict=True):
        unset = sum(leaf.source.basis is Basis.UNSET for leaf in load(name).leaves.values())
        assert line[:at].endswith(f" {unset}" if unset else " ")


@pytest.mark.parametrize("name", shipped())
def test_show_has_every_document_clause_and_item(name: str) -> None:
    profile = load(name)
    output = "\n".join(run("show", name))
    for document in profile.documents.values():
        assert f"{document.id}: {document.name}" in output
        assert document.issued is None or f"issued {document.issued}" in output
    assert all(f"  {clause.document}" in output and clause.title in output for clause in profile.clauses)
    assert all(f"\n  {key} " in output for key in profile.leaves)


@pytest.mark.parametrize("name", shipped())
def test_show_as_json_is_the_same(name: str) -> None:
    data = json.loads("\n".join(run("show", name, "--json")))
    profile = load(name)
    assert [leaf["key"] for leaf in data["leaves"]] == list(profile.leaves)
    for leaf in data["leaves"]:
        assert leaf["basis"] == profile.leaf(leaf["key"]).source.basis.value
        assert (leaf["value"] is None) == (leaf["basis"] == "unset")
    assert [document["id"] for document in data["documents"]] == list(profile.documents)
    assert len(data["clauses"]) == len(profile.clauses)


def test_why_says_that_the_text_is_not_public() -> None:
    lines = run("why", JIANGSU, "pack.outline")
    output = "\n".join(lines)
    leaf = load(JIANGSU).leaf("pack.outline")
    assert lines[0].endswith(": unset")
    assert "the text is not public" in output
    assert leaf.place in output
    assert "Whoever owns the text supplies it" in output


UNSET = [leaf.key for leaf in load(JIANGSU).leaves.values() if not leaf.is_set]


@pytest.mark.parametrize("key", UNSET)
def test_the_file_that_why_proposes_needs_only_the_value(tmp_path: Path, key: str) -> None:
    lines = run("why", JIANGSU, key)
    proposed = "\n".join(line[4:] for line in lines if line.startswith("    ") and line[4] != " ")
    path = tmp_path / "mine.toml"
    path.write_text(proposed, encoding="utf-8")
    with pytest.raises(ProfileError):
        load(path)
    for placeholder, value in FILLED.items():
        proposed = proposed.replace(placeholder, value)
    words = " | ".join(KEYS[key].words)
    path.write_text(proposed.replace(words, words.split(" | ")[0]) if words else proposed, encoding="utf-8")
    leaf = load(path).leaf(key)
    assert leaf.source.basis is Basis.STATED
    assert leaf.replaced == load(JIANGSU).leaf(key)


def overlay(folder: Path, value: str = "1 m x 2 m x 3 m") -> Path:
    path = folder / "mine.toml"
    path.write_text(
        f"""schema = 1
[profile]
id = "mine"
title = "Mine"
scope = "a test"
extends = ["{JIANGSU}"]
[document.own]
name = "The text"
read = "full-text"
[pack]
outline = {{ value = "{value}", replaces = "unset", at = "own 4.1", basis = "stated" }}
""",
        encoding="utf-8",
    )
    return path


def test_why_goes_down_to_the_base(tmp_path: Path) -> None:
    path = overlay(tmp_path)
    output = "\n".join(run("why", str(path), "pack.outline"))
    above, _, beneath = output.partition("it replaces: unset")
    assert "1 m x 2 m x 3 m" in above
    assert "The text, 4.1" in above
    assert "can pass and fail" in above
    assert f"{path}:11" in above.replace("\n" + " " * 12, "")
    assert "the text is not public" in beneath
    assert "Whoever owns" not in output


def test_why_knows_what_messages_and_timers_declare() -> None:
    assert run("why", "gbt27930-2015", "message.BCL.period")[0] == "message.BCL.period: 50 ms"
    assert "  basis     reported, 2 witnesses; can pass and fail" in run(
        "why", "gbt27930-2015", "timer.brm_at_charger"
    )


def test_why_shows_steps_one_below_the_other() -> None:
    lines = run("why", "pack-can-d0f3", "swap.sequence")
    steps = load("pack-can-d0f3").leaf("swap.sequence").choices
    assert lines[1 : len(steps) + 1] == [f"  {n:>2}. {step}" for n, step in enumerate(steps, 1)]


def test_what_does_not_exist_is_an_error() -> None:
    for arguments, said in (
        (("why", JIANGSU, "pack.outlin"), "near: pack.outline"),
        (("show", "cn-js-hdt-2023"), f"near: {JIANGSU}"),
        (("diff", JIANGSU, "none.toml"), "cannot be read"),
    ):
        with pytest.raises(ProfileError, match=said):
            run(*arguments)


def different(one: Leaf | None, other: Leaf | None) -> bool:
    if one is None or other is None:
        return one is not other
    return one.source.basis is not other.source.basis or not KEYS[one.key].same(one.value, other.value)


@pytest.mark.parametrize("name", shipped())
def test_diff_lists_the_items_that_differ(name: str) -> None:
    one, other = load(JIANGSU), load(name)
    rows = json.loads("\n".join(run("diff", JIANGSU, name, "--json")))
    expected = [key for key in KEYS if different(one.leaves.get(key), other.leaves.get(key))]
    assert [row["key"] for row in rows] == expected
    assert all(row["one"] is None or row["one"]["profile"] == JIANGSU for row in rows)
    assert (f"{JIANGSU} and {name} agree" in "\n".join(run("diff", JIANGSU, name))) == (not expected)


def test_diff_of_editions_compares_the_messages_that_both_speak() -> None:
    lines = run("diff", "gbt27930-2011", "gbt27930-2015")
    rows = {line.split()[0]: line for line in lines if line.startswith("message.")}
    assert rows["message.BRM.length"].split()[1::2] == ["41", "49"]
    assert rows["message.CML.field.min_current.place"].split()[1] == "-"
    assert not any(key.startswith("message.CHM") for key in rows)


def test_diff_shows_what_an_overlay_changes(tmp_path: Path) -> None:
    lines = run("diff", JIANGSU, str(overlay(tmp_path)))
    assert [line.split()[:3] for line in lines] == [["key", JIANGSU, "mine"], ["pack.outline", "unset", "1"]]


def test_check_tells_good_from_bad(tmp_path: Path) -> None:
    good = overlay(tmp_path)
    assert "good; mine gives 1 value over cn-js-hdt-2022" in run("check", str(good))[0]
    bad = overlay(tmp_path, "1 m x 2 m x 3")
    result = CliRunner().invoke(command, ["check", str(bad)])
    assert result.exit_code == 1
    assert result.output.startswith(f"{bad}:11: pack.outline.value: '3' has no unit")


def test_check_reads_ids_and_paths_alike(tmp_path: Path) -> None:
    assert f"good; {JIANGSU} gives" in run("check", JIANGSU)[0]
    plain = overlay(tmp_path).rename(tmp_path / "plain")
    assert "good; mine gives" in run("check", str(plain))[0]
    result = CliRunner().invoke(command, ["check", "cn-js-hdt-2023"])
    assert result.exit_code == 1
    assert f"near: {JIANGSU}" in result.output


def test_schema_is_printed() -> None:
    assert "\n".join(run("schema")) + "\n" == schema_text()
