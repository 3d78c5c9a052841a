"""The one stream of events that a run gives off; every report is a subscriber, so their counts agree."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec

from swapproto.atomic import write_atomically
from swapproto.errors import LocalProtocolError
from swapproto_conformance.results import Bench, CaseHead, CaseResult, RunInfo, RunResult, finish
from swapproto_conformance.verdict import Verdict


class RunStarted(msgspec.Struct, frozen=True):
    """First event. `selected` lists the cases that will run, so that one which does not is missed."""

    run: RunInfo
    selected: tuple[CaseHead, ...]


class CaseStarted(msgspec.Struct, frozen=True):
    """A case begins."""

    case: CaseHead


class Progress(msgspec.Struct, frozen=True):
    """How far the running case is, for whoever watches; `at_us` is on the bench's clock."""

    case_id: str
    text: str
    at_us: int


class CaseFinished(msgspec.Struct, frozen=True):
    """A case has its verdict; a case of role "pair" belongs to interoperation."""

    result: CaseResult


class HarnessProblem(msgspec.Struct, frozen=True):
    """Something failed outside of any case; the run goes on."""

    text: str


class RunFinished(msgspec.Struct, frozen=True):
    """Last event; `bench` replaces the one announced where it was measured during the run."""

    bench: Bench | None = None


Event: TypeAlias = RunStarted | CaseStarted | Progress | CaseFinished | HarnessProblem | RunFinished


class Subscriber(Protocol):
    """Takes every event in order."""

    def handle(self, event: Event) -> None:
        """An exception ends this subscriber's part and is reported as a harness problem."""
        ...


class EventStream:
    """Hands each event to all subscribers; one that raises is cut off and harms neither run nor others."""

    def __init__(self, *subscribers: Subscriber) -> None:
        self._subscribers = list(subscribers)
        self.problems: list[str] = []
        """Harness problems so far, in order."""

    def emit(self, event: Event) -> None:
        """Deliver to everybody, then report whoever failed to those who are left."""
        if isinstance(event, HarnessProblem):
            self.problems.append(event.text)
        failed: list[str] = []
        for subscriber in tuple(self._subscribers):
            try:
                subscriber.handle(event)
            except Exception as error:  # noqa: BLE001 - whatever a report does, the run must not be lost
                self._subscribers.remove(subscriber)
                failed.append(
                    f"{subscriber} stopped at {type(event).__name__}: {type(error).__name__}: {error}"
                )
        for text in failed:
            self.emit(HarnessProblem(text))


class Collector:
    """Folds the events into a result, at any time: what was lost on the way shows as an error."""

    def __init__(self) -> None:
        self._started: RunStarted | None = None
        self._running: dict[str, CaseHead] = {}
        self._results: dict[str, CaseResult] = {}
        self._problems: list[str] = []
        self._bench: Bench | None = None
        self._finished = False

    def __str__(self) -> str:
        return "the collector of results"

    def handle(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case RunStarted():
                self._started = event
            case CaseStarted(case):
                self._running[case.id] = case
            case CaseFinished(result):
                self._take(result)
            case HarnessProblem(text):
                self._problems.append(text)
            case RunFinished(bench):
                self._bench, self._finished = bench, True
            case Progress():
                pass

    def _take(self, result: CaseResult) -> None:
        """Of two results for one case the worse one stands: a second try never paints over a fail."""
        self._running.pop(result.id, None)
        earlier = self._results.setdefault(result.id, result)
        if earlier is result:
            return
        self._problems.append(
            f"{result.id} was reported twice: {earlier.verdict.text}, then {result.verdict.text}"
        )
        if (result.failed, result.verdict.rank) > (earlier.failed, earlier.verdict.rank):
            self._results[result.id] = result

    def result(self) -> RunResult:
        """The run as far as it is known; LocalProtocolError before RunStarted."""
        if self._started is None:
            raise LocalProtocolError("no run has started, so there is no result yet")
        run, problems = self._started.run, list(self._problems)
        if self._bench is not None:
            run = msgspec.structs.replace(run, bench=self._bench)
        results = self._results | {head.id: _unfinished(head) for head in self._running.values()}
        if not self._finished:
            problems.append("the run did not finish")
        missing = [head.id for head in self._started.selected if head.id not in results]
        if missing:
            problems.append(f"selected but not run: {', '.join(missing)}")
        return finish(
            run,
            [each for each in results.values() if each.role != "pair"],
            [each for each in results.values() if each.role == "pair"],
            problems,
        )


def _unfinished(head: CaseHead) -> CaseResult:
    return CaseResult(
        id=head.id,
        title=head.title,
        role=head.role,
        polarity=head.polarity,
        phase=head.phase,
        labels=head.labels,
        verdict=Verdict.ERROR,
        reason="the case did not finish",
    )


class FileReport:
    """Writes one report when the run ends."""

    def __init__(self, path: Path, render: Callable[[RunResult], bytes]) -> None:
        self._path = path
        self._render = render
        self._collector = Collector()

    def __str__(self) -> str:
        return f"the report {self._path.name}"

    def handle(self, event: Event) -> None:
        """Collect, and write at RunFinished."""
        self._collector.handle(event)
        if isinstance(event, RunFinished):
            write_atomically(self._path, self._render(self._collector.result()))
