"""The terminal: a line a case while the run goes on, a table at its end; readable without colour."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from swapproto_conformance.events import (
    CaseFinished,
    CaseStarted,
    Event,
    HarnessProblem,
    RunFinished,
    RunStarted,
)
from swapproto_conformance.results import MEANING, CaseResult, NotSelected, RunResult
from swapproto_conformance.verdict import Verdict

STYLE = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.ERROR: "bold magenta",
    Verdict.NOT_APPLICABLE: "dim",
}
WIDE = 140
"""Columns of the output where it goes to a file or a pipe."""


class Patient:
    """Standard output that a reader may close or a disk may fill: the run goes on, and nobody reads it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream
        self.encoding = stream.encoding

    def write(self, text: str) -> int:
        """All of it, or all of it lost."""
        return self._try(lambda stream: stream.write(text)) or len(text)

    def flush(self) -> None:
        """As far as possible."""
        self._try(lambda stream: stream.flush())

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        return sys.stdout.fileno()

    def _try(self, act: Callable[[TextIO], int | None]) -> int | None:
        if self._stream is None:
            return None
        try:
            return act(self._stream)
        except OSError:
            self._stream = None
            # What the interpreter flushes at its end must not fail again.
            with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), sys.stdout.fileno())
            return None


def console() -> Console:
    """For standard output; wide where nobody's window limits it, unless COLUMNS says how wide."""
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else WIDE
    return Console(file=cast("TextIO", Patient(sys.stdout)), width=width, highlight=False)


class Live:
    """Subscriber that shows how far the run is, and how long it may still take."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    def __str__(self) -> str:
        return "the terminal"

    def handle(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case RunStarted(run, selected):
                for device in run.devices:
                    self._console.print(f"{device.role}: {device.name} at {device.link}", markup=False)
                self._console.print(MEANING[run.kind], markup=False, style="bold")
                self._progress.start()
                self._task = self._progress.add_task("starting", total=len(selected))
            case CaseStarted(case):
                self._update(case.id, advance=0)
            case CaseFinished(result):
                self._update(result.id, advance=1)
                if not self._console.is_terminal:
                    self._console.print(f"{result.verdict.text:<14} {result.id}", markup=False)
            case HarnessProblem(text):
                self._console.print(f"harness problem: {text}", markup=False, style="bold magenta")
            case RunFinished():
                self.close()
            case _:
                pass

    def _update(self, text: str, advance: int) -> None:
        if self._task is not None:
            self._progress.update(self._task, description=text, advance=advance)

    def close(self) -> None:
        """Twice is harmless."""
        self._progress.stop()


def print_result(console: Console, result: RunResult) -> None:
    """The table by case, and the counts."""
    if result.cases:
        console.print(_table("Each device alone against the tester", result.cases))
    if result.interoperation:
        console.print(_table("Interoperation: no evidence for either device", result.interoperation))
    _print_left_out(console, result.run.not_selected)
    counts = result.counts
    console.print(
        f"{counts.total} cases: {counts.passed} pass, {counts.failed} fail, "
        f"{counts.inconclusive} inconclusive, {counts.errors} error, {counts.not_applicable} not applicable",
        markup=False,
        style="bold",
    )
    if result.interoperation:
        pairs = result.interoperation_counts
        console.print(
            f"{pairs.total} pair run, not among the cases: {pairs.passed} pass, {pairs.failed} fail, "
            f"{pairs.inconclusive} inconclusive, {pairs.errors} error",
            markup=False,
        )
    console.print(MEANING[result.run.kind], markup=False, style="bold")
    bench = result.run.bench
    late = "lateness not measured" if bench.lateness_us is None else f"at most {bench.lateness_us} µs late"
    console.print(f"Bench: {bench.name}; stamps resolve {bench.stamp_resolution_us} µs; {late}", markup=False)
    for standard in result.run.standards:
        console.print(f"Note: {standard.name}: {standard.state}.", markup=False)
    for problem in result.problems:
        console.print(f"harness problem: {problem}", markup=False, style="bold magenta")


def _print_left_out(console: Console, left_out: Sequence[NotSelected]) -> None:
    needs = [each for each in left_out if each.reason.startswith("needs")]
    if len(needs) < len(left_out):
        console.print(f"{len(left_out)} cases of these devices were not asked for.", markup=False)
    elif needs:
        console.print("Not decided on this bench, and not counted:", markup=False)
        for left in needs:
            console.print(f"  {left.id}: {left.reason}", markup=False)


def _table(title: str, cases: Sequence[CaseResult]) -> Table:
    table = Table(title=title, title_justify="left", expand=False)
    table.add_column("case", overflow="fold", ratio=3)
    table.add_column("verdict", no_wrap=True)
    table.add_column("requirement", overflow="fold", ratio=3)
    table.add_column("reason", overflow="fold", ratio=4)
    for case in cases:
        requirement, reason = _decisive(case)
        verdict = case.verdict.text + (
            " (and fail)" if case.failed and case.verdict is not Verdict.FAIL else ""
        )
        label = f"\n{' '.join(case.labels)}" if case.labels else ""
        table.add_row(case.id + label, verdict, requirement, reason, style=STYLE[case.verdict])
    return table


def _decisive(case: CaseResult) -> tuple[str, str]:
    """The requirement that made the verdict, and why; a pass names how many were examined."""
    worst = [each for each in case.findings if each.verdict is case.verdict]
    if case.verdict is Verdict.PASS:
        names = list(dict.fromkeys(each.requirement_id.partition("/")[2] for each in worst))
        names.sort(key=lambda name: name.startswith("message/"))
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return names[0] + more, f"{sum(each.examined for each in worst)} occasions examined"
    if not worst:
        return "", case.reason
    first = worst[0]
    reason = first.reason or f"expected {first.expected}; observed {first.observed}"
    return first.requirement_id.partition("/")[2], reason
