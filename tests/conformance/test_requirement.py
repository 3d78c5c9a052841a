"""The catalogue of requirements and the findings that they make."""

from itertools import product
from pathlib import Path

import pytest

from swapproto.errors import ProfileError
from swapproto.provenance import Basis
from swapproto_conformance.requirement import Requirement, load_catalogue, parse_catalogue
from swapproto_conformance.verdict import NOTHING_EXAMINED, Verdict, weigh

ENTRY = """
[[requirement]]
id = "EX-2020/4.4/Hello-1s"
title = "Hello comes in time"
text = "The charger sends its hello within one second."
source = "an invented document, 4.4"
basis = "reported"
witnesses = 2
role = "charger"
text_zh = "充电机应在一秒内发送握手报文"
"""


def changed(old: str, new: str) -> str:
    assert old in ENTRY
    return "schema = 1\n" + ENTRY.replace(old, new)


def requirement(basis: Basis, witnesses: int) -> Requirement:
    return Requirement(
        id="EX/1/a", title="t", text="t", source="s", basis=basis, witnesses=witnesses, role="bms"
    )


def test_a_catalogue_is_read(tmp_path: Path) -> None:
    path = tmp_path / "example.toml"
    path.write_text("schema = 1\n" + ENTRY + ENTRY.replace("Hello-1s", "Hello-8"), encoding="utf-8")
    catalogue = load_catalogue(path)
    hello = catalogue["EX-2020/4.4/Hello-1s"]
    assert (hello.basis, hello.witnesses, hello.role) == (Basis.REPORTED, 2, "charger")
    assert hello.text_zh == "充电机应在一秒内发送握手报文"
    assert hello.title_zh is None
    assert [each.id for each in catalogue] == ["EX-2020/4.4/Hello-1s", "EX-2020/4.4/Hello-8"]
    assert len(catalogue) == 2
    assert hello.id in catalogue
    assert "EX-2020/4.4/Hello" not in catalogue


def test_an_unknown_id_names_near_ones() -> None:
    catalogue = parse_catalogue("schema = 1\n" + ENTRY, "example.toml")
    with pytest.raises(ProfileError, match=r"near matches: EX-2020/4\.4/Hello-1s"):
        catalogue["EX-2020/4.4/Hallo-1s"]
    with pytest.raises(ProfileError, match="the file holds 1 others"):
        catalogue["?"]


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("schema = ", "file", "not TOML"),
        ("", "requirement", "is missing"),
        ("schema = 1", "requirement", "is missing"),
        (ENTRY, "schema", "is missing"),
        ("schema = 2\n" + ENTRY, "schema", "2 is not supported"),
        ("schema = 1\nrequirement = []", "requirement", "expected one or more"),
        ("schema = 1\nrequirement = 3", "requirement", "expected one or more"),
        ("schema = 1\nrequirement = [3]", "requirement 1", "expected a"),
        ("schema = 1\nname = 1\n" + ENTRY, "name", "unknown key"),
        (changed("text_zh", "text_cn"), ".text_cn", "unknown key"),
        (changed('source = "an invented document, 4.4"', ""), ".source", "is missing"),
        (changed('id = "EX-2020/4.4/Hello-1s"', ""), "requirement 1.id", "is missing"),
        (changed('"EX-2020/4.4/Hello-1s"', "7"), ".id", "Expected `str`"),
        (changed('"EX-2020/4.4/Hello-1s"', '"hello"'), ".id", "expected DOCUMENT/CLAUSE/NAME"),
        (changed('"reported"', '"rumoured"'), ".basis", "Invalid enum value"),
        (changed('"reported"', '"assumed"'), ".witnesses", "has no witness"),
        (changed("witnesses = 2", "witnesses = 0"), ".witnesses", "at least one witness"),
        (changed("witnesses = 2", "witnesses = -1"), ".witnesses", "negative"),
        (changed("witnesses = 2", "witnesses = 2.5"), ".witnesses", "Expected `int`"),
        (changed('"charger"', '"plug"'), ".role", "Invalid enum value"),
        (changed('"Hello comes in time"', '" "'), ".title", "is empty"),
        ("schema = 1\n" + ENTRY + ENTRY, "EX-2020/4.4/Hello-1s", "stands twice"),
    ],
)
def test_what_is_wrong_is_named(text: str, key: str, reason: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse_catalogue(text, "example.toml")
    assert caught.value.path == "example.toml"
    assert caught.value.key.endswith(key)
    assert reason in caught.value.reason


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read"):
        load_catalogue(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(ProfileError, match="cannot be read"):
        load_catalogue(tmp_path / "latin.toml")


@pytest.mark.parametrize(("outcome", "basis", "witnesses"), list(product(Verdict, Basis, range(3))))
def test_findings_are_weighed(outcome: Verdict, basis: Basis, witnesses: int) -> None:
    finding = requirement(basis, witnesses).finding(
        outcome, expected="a", observed="b", examined=1, reason="seen", at_us=(5,), frames=(0,)
    )
    assert finding.outcome is outcome
    assert finding.verdict is weigh(outcome, basis, witnesses)
    assert finding.violated is (outcome is Verdict.FAIL)
    assert finding.reason.startswith("seen")
    assert (finding.reason == "seen") is (finding.verdict is outcome)
    assert (finding.at_us, finding.frames) == ((5,), (0,))


def test_a_pass_over_nothing_is_inconclusive() -> None:
    finding = requirement(Basis.REPORTED, 2).finding(Verdict.PASS, expected="a", observed="b", examined=0)
    assert (finding.verdict, finding.reason) == (Verdict.INCONCLUSIVE, NOTHING_EXAMINED)


@pytest.mark.parametrize(
    ("basis", "witnesses", "outcome", "words"),
    [
        (Basis.REPORTED, 1, Verdict.FAIL, "single witness"),
        (Basis.DERIVED, 2, Verdict.FAIL, "derived and cannot fail"),
        (Basis.ASSUMED, 0, Verdict.FAIL, "violated, but the requirement is assumed"),
        (Basis.UNSET, 0, Verdict.PASS, "holds, but the requirement is unset"),
    ],
)
def test_the_reason_names_the_weak_basis(basis: Basis, witnesses: int, outcome: Verdict, words: str) -> None:
    made = requirement(basis, witnesses).finding(outcome, expected="a", observed="b", examined=1)
    assert words in made.reason
