"""Verdicts by requirement: what each case found about each obligation."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from swapproto_conformance.requirement import Requirement, Role
from swapproto_conformance.results import CaseResult, RunResult
from swapproto_conformance.verdict import Finding, Verdict, join


class Cell(msgspec.Struct, frozen=True, gc=False):
    """What one case found about one requirement."""

    case_id: str
    verdict: Verdict
    violated: bool
    """The requirement was broken, even where its basis is too weak for a fail."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """One requirement; `requirement` is None where findings name one that the run's catalogue lacks."""

    id: str
    requirement: Requirement | None
    cells: tuple[Cell, ...]

    @property
    def verdict(self) -> Verdict | None:
        """The worst of the cells, a fail before all else; None where no case exercised it."""
        return worst(cell.verdict for cell in self.cells) if self.cells else None


class Group(msgspec.Struct, frozen=True, gc=False):
    """The requirements of one role and one section of the document."""

    role: Role | None
    section: str
    rows: tuple[Row, ...]


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The join, except that no error stands before a fail."""
    verdicts = list(verdicts)
    return Verdict.FAIL if Verdict.FAIL in verdicts else join(*verdicts)


def section(requirement_id: str) -> str:
    """The id without its last part: document and section."""
    return requirement_id.rpartition("/")[0] or requirement_id


def grid(result: RunResult) -> tuple[Group, ...]:
    """Every requirement of the run in its order, grouped; cases of interoperation count for nothing here."""
    known = {each.id: each for each in result.run.requirements}
    cells = _cells(result.cases)
    rows = [Row(each.id, each, cells.pop(each.id, ())) for each in known.values()]
    rows += [Row(requirement_id, None, found) for requirement_id, found in cells.items()]
    groups: dict[tuple[Role | None, str], list[Row]] = {}
    for row in rows:
        role = None if row.requirement is None else row.requirement.role
        groups.setdefault((role, section(row.id)), []).append(row)
    by_role = sorted(groups.items(), key=lambda group: _ROLES.index(group[0][0]))
    return tuple(Group(role, name, tuple(rows)) for (role, name), rows in by_role)


_ROLES: tuple[Role | None, ...] = ("charger", "bms", None)


def _cells(cases: Sequence[CaseResult]) -> dict[str, tuple[Cell, ...]]:
    found: dict[str, list[Cell]] = {}
    for case in cases:
        by_requirement: dict[str, list[Finding]] = {}
        for finding in case.findings:
            by_requirement.setdefault(finding.requirement_id, []).append(finding)
        for requirement_id, findings in by_requirement.items():
            found.setdefault(requirement_id, []).append(_cell(case, findings))
    return {requirement_id: tuple(cells) for requirement_id, cells in found.items()}


def _cell(case: CaseResult, findings: Sequence[Finding]) -> Cell:
    """What a case found is worth nothing under an ERROR, save that a fail stays a fail."""
    verdicts = [finding.verdict for finding in findings]
    if case.verdict is Verdict.ERROR:
        verdicts.append(Verdict.ERROR)
    return Cell(case.id, worst(verdicts), any(finding.violated for finding in findings))


def held_back(cases: Iterable[CaseResult], known: Mapping[str, Requirement]) -> list[tuple[CaseResult, str]]:
    """Case and requirement of each violation that fails nobody, because too little stands behind it."""
    titles = {requirement_id: requirement.title for requirement_id, requirement in known.items()}
    return [
        (case, titles.get(finding.requirement_id, finding.requirement_id))
        for case in cases
        for finding in case.findings
        if finding.violated and finding.verdict is not Verdict.FAIL
    ]
