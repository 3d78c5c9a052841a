"""Which case kills which mutant: every faulty device against every case of its role."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from zlib import crc32

import msgspec

from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import Party
from swapproto_conformance.bench import VirtualBench
from swapproto_conformance.case import Case
from swapproto_conformance.cases import CASES
from swapproto_conformance.devices import press
from swapproto_conformance.judge import judge_case, read_trace, trace_of
from swapproto_conformance.mutants import MUTANTS
from swapproto_conformance.requirements import gbt27930_2015
from swapproto_conformance.tester import Tester
from swapproto_conformance.verdict import Verdict, conclude

WORKERS = 2
SEED = 1
REASONS = Path(__file__).with_name("kill_reasons.toml")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One mutant and what the cases of its role said."""

    name: str
    role: str
    wrong: str
    killed_by: tuple[str, ...]
    suspected_by: tuple[str, ...]
    """Cases that ended inconclusive."""
    errors: tuple[str, ...]
    """Cases in which the harness broke; there should be none."""


class KillTable(msgspec.Struct, frozen=True, kw_only=True):
    """All rows, and what is left over on either side with the reasons that are known."""

    rows: tuple[Row, ...]
    survivors: dict[str, str]
    idle_cases: dict[str, str]


def runnable(party: Party) -> list[Case]:
    """The cases of a role that a CAN bench can decide."""
    return [case for case in CASES if case.iut is party and not case.needs]


def row_of(index: int) -> Row:
    """The mutant with this place in MUTANTS against all cases of its role."""
    mutant, messages, catalogue = MUTANTS[index], Catalogue(), gbt27930_2015()
    found: dict[Verdict, list[str]] = {verdict: [] for verdict in Verdict}
    for case in runnable(mutant.party):
        tester = Tester(
            case.script, case.iut.peer, catalogue=messages, answer_transport=case.answer_transport
        )
        try:
            run = VirtualBench(mutant.build, press).run(tester, case.limit, SEED + crc32(case.id.encode()))
            findings = judge_case(case, read_trace(trace_of(run)), catalogue)
        except Exception:  # noqa: BLE001  (the next case runs)
            found[Verdict.ERROR].append(case.id)
            continue
        found[conclude(findings, error=run.fault).verdict].append(case.id)
    return Row(
        name=mutant.name,
        role=mutant.party.label,
        wrong=mutant.description,
        killed_by=tuple(found[Verdict.FAIL]),
        suspected_by=tuple(found[Verdict.INCONCLUSIVE]),
        errors=tuple(found[Verdict.ERROR]),
    )


def kill_table(workers: int = WORKERS) -> KillTable:
    """Takes about a minute on two cores; the order of MUTANTS, whatever finishes first."""
    with ProcessPoolExecutor(min(workers, os.cpu_count() or 1)) as pool:
        rows = tuple(pool.map(row_of, range(len(MUTANTS)), chunksize=4))
    return summarise(rows, read_reasons())


def read_reasons() -> dict[str, str]:
    """Why a mutant survives or a case kills none, by its name; a name without a reason is not there."""
    document = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    return msgspec.convert(document, dict[str, str])


def summarise(rows: Sequence[Row], reasons: Mapping[str, str]) -> KillTable:
    killing = {case_id for each in rows for case_id in each.killed_by}
    idle = [case.id for party in Party for case in runnable(party) if case.id not in killing]
    unknown = "no reason is known: a gap"
    return KillTable(
        rows=tuple(rows),
        survivors={each.name: reasons.get(each.name, unknown) for each in rows if not each.killed_by},
        idle_cases={case_id: reasons.get(case_id, unknown) for case_id in idle},
    )


def to_json(table: KillTable) -> bytes:
    return msgspec.json.format(msgspec.json.encode(table), indent=2) + b"\n"


def to_markdown(table: KillTable) -> bytes:
    killed = sum(bool(each.killed_by) for each in table.rows)
    what = (
        "Every faulty device of the suite against every case of its role, on the virtual bus: "
        "`swapproto certify --kill-table docs/kill-table.md` makes this page."
    )
    count = (
        f"{len(table.rows)} mutants, {killed} killed, {len(table.survivors)} survive. A case kills a mutant "
        "when its verdict is fail; inconclusive is no kill."
    )
    lines = [
        "# Kill table",
        "",
        what,
        "",
        count,
        "",
        "| mutant | role | what is wrong | killed by |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {each.name} | {each.role} | {each.wrong} | {', '.join(each.killed_by) or '-'} |"
        for each in table.rows
    ]
    lines += ["", "## Survivors", ""]
    lines += [f"- {name}: {reason}" for name, reason in table.survivors.items()] or ["None."]
    lines += ["", "## Cases that kill no mutant", ""]
    lines += [f"- {name}: {reason}" for name, reason in table.idle_cases.items()] or ["None."]
    return ("\n".join(lines) + "\n").encode()
