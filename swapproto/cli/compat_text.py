"""Answers and the matrix as plain text and as JSON objects."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from swapproto.cli.text import plural, printable, table
from swapproto.compat.answer import Answer, Verdict
from swapproto.compat.descriptor import Declared, Descriptor
from swapproto.compat.matrix import Group, Matrix, Row, leading
from swapproto.compat.rules import Result, Rule
from swapproto.profile import Leaf

WIDTH = 100
SUPPOSED = "supposed: what would be if the values of the scenario held; invented ones count as declared"
_MARKS = {Verdict.COMPATIBLE: "ok", Verdict.INCOMPATIBLE: "-", Verdict.UNKNOWN: "?"}


def said(answer: Answer) -> str:
    """The verdict in a word or two."""
    return f"{answer.verdict.value} (supposed)" if answer.supposed else answer.verdict.value


def answer_text(answer: Answer) -> Iterator[str]:
    """The verdict, its reasons, what would settle it, and all rules."""
    for device in answer.devices:
        yield f"{device.kind.value:<8} {_name(device)}"
    if answer.profile is not None:
        items = sum(each.leaf is not None for each in answer.results)
        yield printable(f"profile  {answer.profile.id} ({plural(items, 'item')} asked)")
    yield f"answer   {said(answer)}"
    if answer.supposed:
        yield from _wrapped(SUPPOSED, "         ")
    if answer.reasons:
        yield ""
        yield "Because"
        for each in answer.reasons:
            yield from _reason(each)
    yield from _settled(answer, "")
    yield ""
    yield f"All that was asked: {_asked(answer)}"
    yield from table(
        ("rule", "outcome", "why"),
        ((each.rule.id, each.outcome.value, each.reason.en) for each in answer.results),
    )


def _asked(answer: Answer) -> str:
    items = sum(each.leaf is not None for each in answer.results)
    rules = plural(len(answer.results) - items, "rule")
    return rules if answer.profile is None else f"{rules}, {plural(items, 'item')} of the profile"


def matrix_text(matrix: Matrix) -> Iterator[str]:
    """The grid, its legend, and the reasons by pack; no line of the grid is wider than `WIDTH`."""
    yield printable(matrix.scenario.title.en)
    yield from _wrapped(matrix.scenario.text.en, "")
    if matrix.scenario.suppose:
        yield from _wrapped(f"Every answer is {SUPPOSED}.", "")
    labels = [f"{row.pack.id}  {row.truck.id if row.truck else '-'}" for row in matrix.rows]
    packs = max((len(row.pack.id) for row in matrix.rows), default=0)
    trucks = max((len(row.truck.id) if row.truck else 1 for row in matrix.rows), default=0)
    labels = [
        f"{row.pack.id:<{packs}}  {row.truck.id if row.truck else '-':<{trucks}}" for row in matrix.rows
    ]
    across = max((WIDTH - packs - trucks - 4) // 4, 1)
    for start in range(0, len(matrix.stations), across):
        columns = range(start, min(start + across, len(matrix.stations)))
        yield ""
        head = f"{'pack':<{packs}}  {'truck':<{trucks}}"
        yield (f"  {printable(head)}" + "".join(f"  {column + 1:>2}" for column in columns)).rstrip()
        for label, row in zip(labels, matrix.rows, strict=True):
            cells = "".join(f"  {_mark(matrix, row.cells[column]):>2}" for column in columns)
            yield f"  {printable(label)}{cells}"
    yield ""
    yield from _legend(matrix)
    yield ""
    for row in matrix.rows:
        yield from _row(matrix, row)


def answer_object(answer: Answer, *, rules: bool = True) -> dict[str, object]:
    """An answer for a machine; without `rules` only those that decide."""
    return {
        "devices": {each.kind.value: each.id for each in answer.devices},
        "profile": None if answer.profile is None else answer.profile.id,
        "verdict": answer.verdict.value,
        "supposed": answer.supposed,
        "rules": [_result(each) for each in (answer.results if rules else answer.reasons)],
        "settles": [
            {"how": each.how.value, "what": each.what, "text": each.text.en} for each in answer.settles
        ],
    }


def matrix_object(matrix: Matrix) -> dict[str, object]:
    """The matrix for a machine."""
    return {
        "scenario": matrix.scenario.id,
        "supposed": matrix.scenario.suppose,
        "stations": [each.id for each in matrix.stations],
        "counts": {verdict.value: matrix.count(verdict) for verdict in Verdict},
        "answers": [answer_object(cell, rules=False) for row in matrix.rows for cell in row.cells],
    }


def _mark(matrix: Matrix, answer: Answer) -> str:
    mark = _MARKS[answer.verdict]
    return mark + matrix.letters[leading(answer).en] if answer.reasons else mark


def _legend(matrix: Matrix) -> Iterator[str]:
    names = [f"{number} {each.name.en}" for number, each in enumerate(matrix.stations, 1)]
    yield from _wrapped("stations: " + ", ".join(names), "  ")
    counts = [f"{_MARKS[verdict]} {verdict.value}, {matrix.count(verdict)}" for verdict in Verdict]
    yield "  cells: " + "; ".join(counts) + "; the letter is the rule that decides first:"
    yield from _wrapped(", ".join(f"{letter} {title}" for title, letter in matrix.letters.items()), "    ")


def _row(matrix: Matrix, row: Row) -> Iterator[str]:
    on = f" on {row.truck.id}" if row.truck else ""
    yield printable(f"{row.pack.id}{on}: {_described(row.pack)}")
    for group in row.groups:
        yield f"  {_MARKS[group.answer.verdict]:<2} {said(group.answer)} at {_numbers(matrix, group)}"
        for each in group.answer.reasons:
            yield from _wrapped(f"{each.rule.id}: {each.reason.en}", "     ")
        yield from _settled(group.answer, "     ")


def _numbers(matrix: Matrix, group: Group) -> str:
    """Stations by number, runs as 1-4."""
    places = [matrix.stations.index(each) + 1 for each in group.stations]
    runs: list[list[int]] = []
    for each in places:
        if runs and runs[-1][-1] == each - 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _reason(result: Result) -> Iterator[str]:
    yield from _wrapped(f"{result.rule.id}: {result.reason.en}", "  ")
    yield from _wrapped(result.rule.text.en, "    ")
    if isinstance(result.rule, Rule) and result.rule.clause is not None:
        leaf = result.rule.clause.leaf
        value = leaf.text if leaf.is_set else leaf.source.why
        yield from _wrapped(f"item {result.rule.clause}: {leaf.source.basis.value}, {value}", "    ")


def _settled(answer: Answer, indent: str) -> Iterator[str]:
    if answer.settles:
        yield f"{indent}Would settle it:"
        for each in answer.settles:
            yield from _wrapped(f"{each.how.value}: {each.text.en}", f"{indent}  ")


def _result(result: Result) -> dict[str, object]:
    clause = result.rule.clause if isinstance(result.rule, Rule) else None
    return {
        "rule": result.rule.id,
        "outcome": result.outcome.value,
        "finding": result.finding,
        "reason": result.reason.en,
        "clause": None if clause is None else {"profile": clause.profile, "key": clause.key},
        "item": None if result.leaf is None else _item(result.leaf),
        "inputs": [_input(each) for each in result.inputs],
    }


def _input(given: Declared) -> dict[str, object]:
    return {
        "device": given.device,
        "key": given.key,
        "value": given.text.en or None,
        "basis": given.standing.value,
        "witnesses": given.witnesses,
        "at": given.at,
        "why": given.why,
    }


def _item(leaf: Leaf) -> dict[str, object]:
    return {
        "profile": leaf.profile,
        "key": leaf.key,
        "value": leaf.text if leaf.is_set else None,
        "basis": leaf.source.basis.value,
        "witnesses": leaf.source.witnesses,
        "at": leaf.source.at,
        "why": leaf.source.why,
        "file": leaf.file,
        "line": leaf.line,
    }


def _name(device: Descriptor) -> str:
    return printable(f"{device.id} ({_described(device)})")


def _described(device: Descriptor) -> str:
    return f"{device.maker}, {device.name.en}" if device.maker else device.name.en


def _wrapped(text: str, indent: str) -> Sequence[str]:
    lines = wrap(printable(text), WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False)
    return [indent + (line if not number else f"  {line}") for number, line in enumerate(lines)]
