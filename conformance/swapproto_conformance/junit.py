"""The run as JUnit XML, for build servers."""

import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from swapproto_conformance.results import MEANING, CaseResult, RunResult
from swapproto_conformance.verdict import Verdict


def printable(text: str) -> str:
    """The text with control, format and unpaired surrogate characters as escapes; line breaks stay."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character)[0] != "C"
        else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )


def to_junit(result: RunResult) -> bytes:
    """One suite a role, pairs and harness problems each in their own.

    A fail is a <failure>, a harness fault an <error>, and a case with both carries both; what is inconclusive
    or not applicable is <skipped>, and says which.
    """
    root = ET.Element("testsuites", name=f"swapproto {printable(result.run.profile)}")
    roles = dict.fromkeys(case.role for case in result.cases)
    for role in roles:
        _suite(root, result, role, [case for case in result.cases if case.role == role])
    if result.interoperation:
        _suite(root, result, "interoperation", result.interoperation)
    if result.problems:
        _harness(root, result.problems)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml + b"\n"


def _suite(root: ET.Element, result: RunResult, name: str, cases: Sequence[CaseResult]) -> None:
    suite = ET.SubElement(root, "testsuite", name=name, timestamp=result.run.created)
    _properties(suite, result)
    for case in cases:
        _case(suite, name, case)
    _totals(suite)
    suite.set("time", _seconds(sum(case.duration_us for case in cases)))


def _properties(suite: ET.Element, result: RunResult) -> None:
    run = result.run
    values = [
        ("kind", f"{run.kind}: {MEANING[run.kind]}"),
        ("profile", run.profile),
        ("suite version", run.suite_version),
        *((f"device {device.role}", device.name) for device in run.devices),
        *((standard.name, standard.state) for standard in run.standards),
    ]
    properties = ET.SubElement(suite, "properties")
    for name, value in values:
        ET.SubElement(properties, "property", name=printable(name), value=printable(value))


def _case(suite: ET.Element, suite_name: str, case: CaseResult) -> None:
    element = ET.SubElement(
        suite,
        "testcase",
        name=f"{printable(case.id)} {printable(case.title)}",
        classname=suite_name,
        time=_seconds(case.duration_us),
    )
    if case.failed:
        _outcome(element, "failure", case.reason if case.verdict is Verdict.FAIL else _failing(case), case)
    if case.verdict is Verdict.ERROR:
        _outcome(element, "error", case.reason, case)
    elif not case.failed and case.verdict is not Verdict.PASS:
        _outcome(element, "skipped", f"{case.verdict.text}: {case.reason}", case)


def _failing(case: CaseResult) -> str:
    return ", ".join(each.requirement_id for each in case.findings if each.verdict is Verdict.FAIL)


def _outcome(element: ET.Element, tag: str, message: str, case: CaseResult) -> None:
    outcome = ET.SubElement(element, tag, message=printable(message), type=case.verdict.value)
    lines: list[str] = []
    for finding in case.findings:
        if finding.verdict is Verdict.PASS:
            continue
        lines += [
            f"{finding.requirement_id}: {finding.verdict.text}",
            f"  expected {finding.expected}",
            f"  observed {finding.observed}",
        ]
        lines += [f"  {finding.reason}"] if finding.reason else []
    outcome.text = printable("\n".join(lines)) or None


def _harness(root: ET.Element, problems: Sequence[str]) -> None:
    suite = ET.SubElement(root, "testsuite", name="harness", time="0.000000")
    for number, text in enumerate(problems, 1):
        case = ET.SubElement(
            suite, "testcase", name=f"problem {number}", classname="harness", time="0.000000"
        )
        ET.SubElement(case, "error", message=printable(text), type="error")
    _totals(suite)


def _totals(suite: ET.Element) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))


def _seconds(duration_us: int) -> str:
    return f"{duration_us // 1_000_000}.{duration_us % 1_000_000:06d}"
