"""The sections of a monitor on a terminal, redrawn in place; readable without colour."""

from collections.abc import Iterator, Sequence
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from swapproto.cli.monitor_state import MonitorSnapshot
from swapproto.cli.monitor_text import Row, Section, heading, sections
from swapproto.cli.text import printable


class LiveView:
    """A screen of its own while the monitor runs; what was on the terminal before comes back."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, screen=True, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, shown: MonitorSnapshot) -> None:
        self._live.update(render(shown, self._console.height), refresh=True)


def render(shown: MonitorSnapshot, height: int) -> RenderableType:
    """The whole picture in so many lines."""
    found = [section for section in sections(shown) if section.rows]
    return Group(Text(heading(shown), style="bold"), *_fitting(found, height - 3))


def _fitting(found: list[Section], room: int) -> Iterator[Table]:
    """Long sections give way to the others; what is left out is counted."""
    wanted = [len(section.rows) for section in found]
    given = [min(section.least, len(section.rows)) for section in found]
    spare = room - sum(given) - sum(1 + any(section.header) for section in found)
    for index, rows in enumerate(wanted):
        more = max(0, min(rows - given[index], spare))
        given[index] += more
        spare -= more
    for section, rows in zip(found, given, strict=True):
        yield _table(section, rows)


def _table(section: Section, rows: int) -> Table:
    left_out = len(section.rows) - rows
    title = f"{section.title}, {left_out} more" if left_out else section.title
    drawn = Table(
        title=Text(title, style="bold cyan"), title_justify="left", box=None, pad_edge=False,
        show_header=any(section.header), padding=(0, 2, 0, 0), header_style="dim", title_style="",
    )  # fmt: skip
    for name in section.header:
        drawn.add_column(name.rstrip(">"), justify="right" if name.endswith(">") else "left", no_wrap=True)
    for row in _shown(section, rows):
        drawn.add_row(*(Text(printable(cell), overflow="ellipsis") for cell in row.cells), style=_style(row))
    return drawn


def _shown(section: Section, rows: int) -> Sequence[Row]:
    if section.last:
        return section.rows[-rows:]
    if rows < len(section.rows):
        return sorted(section.rows, key=lambda row: not row.alarming)[:rows]
    return section.rows


def _style(row: Row) -> str:
    return "bold red" if row.alarming else "dim" if row.stale else ""
