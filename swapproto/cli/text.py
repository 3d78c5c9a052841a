"""Plain text for terminals and pipes: tables without colour, and text from outside made harmless."""

import os
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

import typer


@contextmanager
def output() -> Generator[TextIO]:
    """Standard output; a reader that has seen enough (``| head``) ends the command quietly."""
    out = sys.stdout
    try:
        yield out
        out.flush()
    except BrokenPipeError:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  (a device, not a path of ours)
            os.dup2(nowhere.fileno(), out.fileno())
        raise typer.Exit(0) from None


def printable(text: str) -> str:
    """Control characters, line ends and stray bytes as escapes, so that a payload cannot drive a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escape(each) for each in text)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def table(header: Sequence[str], rows: Iterable[Sequence[object]], *, indent: int = 2) -> Iterator[str]:
    """Lines of a table; a column whose heading ends in ``>`` stands to the right."""
    right = [title.endswith(">") for title in header]
    cells = [
        [title.rstrip(">") for title in header],
        *([printable(str(cell)) for cell in row] for row in rows),
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        parts = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ]
        yield (" " * indent + "  ".join(parts)).rstrip()


def plural(count: int, noun: str) -> str:
    """The count with its noun: 1 frame, 2 frames."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
