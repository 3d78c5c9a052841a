"""The recordings that `swapproto diff` reads, with the channel that each speaks on."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from swapproto.cli.text import plural, printable
from swapproto.observe.edition import recognise
from swapproto.trace.files import RecordingError, open_recording
from swapproto.trace.reader import RecordReader
from swapproto.trace.record import Record


class Recorded(msgspec.Struct, frozen=True):
    """One channel of a file."""

    file: str
    channel: str
    records: tuple[Record, ...]
    resolution_us: int | None
    skipped_lines: int
    notes: tuple[str, ...]


def load(file: Path, wanted: str | None) -> Recorded:
    """Read a recording; without a wish the channel with most of the dialogue is taken.

    RecordingError for a file that cannot be opened, has no frame, or lacks the channel.
    """
    by_channel: dict[str, list[Record]] = {}
    with open_recording(file) as recording:
        reader = recording.reader()
        for record in reader:
            by_channel.setdefault(record.channel, []).append(record)
    if not by_channel:
        why = "; ".join(reader.notes) or "it is empty"
        raise RecordingError(f"{printable(str(file))}: no frame can be read: {printable(why)}")
    if wanted is not None and wanted not in by_channel:
        there = ", ".join(printable(each) for each in by_channel)
        raise RecordingError(
            f"{printable(str(file))}: there is no channel {wanted!r} in the recording; channels: {there}"
        )
    chosen = wanted
    if chosen is None:
        chosen = max(by_channel, key=lambda name: recognise(by_channel[name]).frames)
    return Recorded(
        str(file),
        chosen,
        tuple(by_channel[chosen]),
        reader.resolution_us,
        reader.skipped_lines,
        tuple(_notes(reader, by_channel)),
    )


def _notes(reader: RecordReader, by_channel: Mapping[str, list[Record]]) -> Iterator[str]:
    yield from reader.notes
    if reader.skipped_lines:
        yield f"{plural(reader.skipped_lines, 'line')} could not be read"
    if len(by_channel) > 1:
        yield f"{len(by_channel)} channels, of which one is compared"
