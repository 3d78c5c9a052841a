"""`swapproto certify` as a user meets it: exit codes, the report folder, counts that agree."""

import base64
import contextlib
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from swapproto.cli import run
from swapproto_conformance.cases import CASES
from swapproto_conformance.mutants import MUTANTS
from swapproto_conformance.results import MEANING, read_results


class Ran(msgspec.Struct):
    code: int
    out: str
    err: str
    folder: Path

    def results(self) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads((self.folder / "results.json").read_text(encoding="utf-8")))

    def certificate(self) -> dict[str, Any]:
        envelope = json.loads((self.folder / "certificate.json").read_text(encoding="utf-8"))
        return cast("dict[str, Any]", json.loads(base64.b64decode(envelope["payload"]))["predicate"])

    def junit(self) -> ET.Element:
        return ET.parse(self.folder / "junit.xml").getroot()


def certify(folder: Path, *arguments: str) -> Ran:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["certify", "--out", str(folder), *arguments])
    return Ran(code, out.getvalue(), err.getvalue(), folder)


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return certify(tmp_path_factory.mktemp("certify") / "report")


def agree(ran: Ran) -> None:
    """Terminal, results.json, junit.xml and the certificate tell the same counts."""
    counts = ran.results()["counts"]
    line = (
        f"{counts['total']} cases: {counts['passed']} pass, {counts['failed']} fail, "
        f"{counts['inconclusive']} inconclusive, {counts['errors']} error, "
        f"{counts['not_applicable']} not applicable"
    )
    assert line in ran.out
    assert ran.certificate()["counts"] == counts
    assert len(ran.certificate()["cases"]) == counts["total"]
    suites = [suite for suite in ran.junit() if suite.get("name") in ("charger", "bms")]
    tests = [case for suite in suites for case in suite.iter("testcase")]
    assert len(tests) == counts["total"]
    assert sum(case.find("failure") is not None for case in tests) == counts["failed"]
    assert sum(case.find("error") is not None for case in tests) == counts["errors"]
    skipped = sum(case.find("skipped") is not None for case in tests)
    assert skipped == counts["inconclusive"] + counts["not_applicable"]
    assert read_results(ran.folder / "results.json").exit_code() == ran.certificate()["exit_code"]


def test_without_arguments_the_reference_devices_pass(default: Ran) -> None:
    assert (default.code, default.err) == (0, "")
    agree(default)
    counts = default.results()["counts"]
    assert counts["total"] == counts["passed"] == len([case for case in CASES if not case.needs])


def test_the_report_folder_holds_the_report_and_nothing_else(default: Ran) -> None:
    names = sorted(path.name for path in default.folder.iterdir())
    assert names == ["certificate.json", "index.html", "junit.xml", "results.json", "traces"]
    traces = {path.name for path in (default.folder / "traces").iterdir()}
    assert traces == {f"{case.id}.log" for case in CASES if not case.needs} | {"pair.charge.log"}
    assert run(["cert", "verify", str(default.folder / "certificate.json")]) == 0


def test_a_self_test_says_so_everywhere(default: Ran) -> None:
    said = MEANING["self-test"]
    assert said in default.out
    assert default.results()["run"]["kind"] == "self-test"
    assert default.certificate()["kind"] == "self-test"
    assert default.certificate()["meaning"] == said
    assert default.certificate()["key"]["key_class"] == "demonstration"
    assert "self-test" in (default.folder / "junit.xml").read_text(encoding="utf-8")
    assert "elf-test" in (default.folder / "index.html").read_text(encoding="utf-8")


def test_superseded_standards_are_named(default: Ran) -> None:
    for text in ("withdrawn 2024-04-01", "replaced 2026-03-01"):
        assert text in default.out
        assert text in (default.folder / "index.html").read_text(encoding="utf-8")


def test_the_pair_stands_apart(default: Ran) -> None:
    assert "Interoperation: no evidence for either device" in default.out
    assert [case["id"] for case in default.results()["interoperation"]] == ["pair.charge"]
    assert "pair.charge" not in [case["id"] for case in default.results()["cases"]]
    assert "pair.charge" not in [case["id"] for case in default.certificate()["cases"]]


def test_what_this_bench_cannot_decide_is_listed_apart(default: Ran) -> None:
    for case in CASES:
        if case.needs:
            assert f"{case.id}: needs {case.needs}" in default.out
    left_out = default.certificate()["not_selected"]
    assert {each["id"] for each in left_out} == {case.id for case in CASES if case.needs}


def test_every_case_has_a_line_with_requirement_and_reason(default: Ran) -> None:
    for case in CASES:
        if not case.needs:
            assert re.search(rf"{re.escape(case.id)} +│ pass +│ \w+/", default.out), case.id


def test_a_mutant_fails_with_requirement_expected_and_observed(tmp_path: Path) -> None:
    ran = certify(tmp_path, "--iut-charger", "mutant:ccs-slow", "--case", "charger.charging.*")
    assert ran.code == 1
    agree(ran)
    failed = [
        each for case in ran.results()["cases"] for each in case["findings"] if each["verdict"] == "fail"
    ]
    assert failed
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    for each in failed:
        for text in (each["requirement_id"], each["expected"], each["observed"]):
            assert text in page
        assert each["frames"]
    assert "message/CCS-period" in ran.out
    assert ran.results()["run"]["devices"][0]["name"] == "mutant:ccs-slow"


def test_a_mutant_that_waits_in_vain_is_failed_by_the_silence(tmp_path: Path) -> None:
    ran = certify(tmp_path, "--iut-charger", "mutant:cem-silent", "--case", "charger.handshake.brm-missing")
    assert ran.code == 1, ran.out


@pytest.mark.parametrize(("extra", "code"), [((), 2), (("--fail-on", "fail"), 0)])
def test_what_stays_open_is_exit_2_unless_only_fails_count(
    tmp_path: Path, extra: tuple[str, ...], code: int
) -> None:
    ran = certify(tmp_path, "--case", "charger.end.current-falls", *extra)
    assert ran.code == code
    agree(ran)
    assert not list((tmp_path / "traces").iterdir())


def test_a_harness_error_is_exit_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the judge tripped")

    monkeypatch.setattr("swapproto_conformance.runner.judge_case", broken)
    ran = certify(tmp_path, "--case", "pack.handshake.bhm")
    assert ran.code == 3
    assert "the judge tripped" in ran.out
    agree(ran)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--case", "nosuch"), "'nosuch'"),
        (("--case", "pack.end.bst", "--case", "nosuch"), "'nosuch'"),
        (("--iut-pack", "reference", "--case", "charger.end.csd"), "'charger.end.csd'"),
        (("--iut-charger", "mutant:nosuch"), "--list"),
        (("--iut-pack", "nosuch"), "--list"),
        (("--iut-pack", "nosuch:thing"), "no driver 'nosuch'"),
        (("--iut-pack", "can:nosuch:x"), "can:nosuch:x"),
        (("--fail-on", "never"), "--fail-on 'never'"),
        (("--key", "nosuch.pem"), "nosuch.pem"),
        (("--seed", "one"), "--seed"),
        (("--reset", "wait:-1"), "--reset"),
        (("--reset", "sometimes"), "wait:SECONDS"),
        (("--reset", "command:"), "PROGRAM"),
        (("--on-stop", "'"), "no command"),
        (("--nosuch",), "--nosuch"),
    ],
)
def test_bad_arguments_are_exit_4_with_a_clear_text(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = certify(tmp_path / "report", *arguments)
    assert ran.code == 4
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert not (tmp_path / "report" / "results.json").exists()


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_that_cannot_be_is_exit_4(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    ran = certify(tmp_path / place, "--case", "pack.handshake.bhm")
    assert ran.code == 4
    assert "cannot hold a report" in ran.err


def test_a_run_that_cannot_start_leaves_the_last_report_alone(tmp_path: Path) -> None:
    assert certify(tmp_path, "--case", "pack.handshake.bhm").code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert certify(tmp_path, "--iut-pack", "nosuch:thing").code == 4
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_second_run_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    assert certify(tmp_path, "--case", "pack.handshake.bhm").code == 0
    assert certify(tmp_path, "--case", "pack.end.bst").code == 0
    assert [path.name for path in (tmp_path / "traces").iterdir()] == ["pack.end.bst.log"]


def test_the_list_names_devices_with_their_faults_and_cases(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["certify", "--list"]) == 0
    text = capsys.readouterr().out
    for mutant in MUTANTS:
        assert re.search(rf"{mutant.party.label} +{mutant.name} +{re.escape(mutant.description)}", text)
    for case in CASES:
        assert case.id in text
        for label in case.labels:
            assert case.needs or label in text
    assert text.index("Cases that can only be inconclusive") > text.index("pack.end.csd-missing")


def test_one_seed_gives_one_result(tmp_path: Path) -> None:
    one, two, other = (
        certify(tmp_path / name, "--case", "pack.charging.bc?", "--seed", seed)
        for name, seed in (("a", "5"), ("b", "5"), ("c", "6"))
    )
    assert one.results()["cases"] == two.results()["cases"] != other.results()["cases"]
