"""`swapproto decode`: what a recording holds, for people and for programs."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from swapproto.cli.report import as_json, as_text
from swapproto.cli.text import output
from swapproto.cli.values import fields, in_words, plain, units
from swapproto.messages.catalog import Catalogue
from swapproto.observe.dialogue import Dialogue, TimedMessage
from swapproto.observe.edition import EditionWatch, Recognition
from swapproto.observe.survey import survey
from swapproto.trace.files import FORMATS, Recording, RecordingError, open_recording
from swapproto.trace.reader import KEPT_CHANNELS
from swapproto.trace.record import Record

CSV_COLUMNS = ("time_s", "line", "sender", "message", "fields", "deviations", "error")


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording of any format below.")],
    as_object: Annotated[
        bool, typer.Option("--json", help="One JSON object; with --messages one a line.")
    ] = False,
    messages: Annotated[
        bool, typer.Option("--messages", help="Print every decoded message instead.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="With --messages: CSV with the fields as JSON in one column.")
    ] = False,
    channel: Annotated[
        str | None, typer.Option("--channel", help="Which channel; else the one with most of the dialogue.")
    ] = None,
    format_name: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help=f"Else seen from the file: {', '.join(FORMATS)}."),
    ] = None,
) -> None:
    """Say what a recording of a CAN bus holds.

    Edition, parties, phases, messages with their periods, transfers, deviations (how a message departs
    from its layout) and violations (how the traffic departs from order or time).

    Times are seconds from the first frame. A damaged line is counted and skipped. Exit 0 whenever the file
    could be read, whatever it holds; 4 if it could not.

    The columns of --csv are time_s, line, sender, message, fields (JSON), deviations (JSON) and error.
    """
    if as_csv and (as_object or not messages):
        raise RecordingError("--csv goes with --messages, and without --json")
    with open_recording(file, format_name) as recording, output() as out:
        chosen, recognition, resolution_us, others = _first_look(recording, channel)
        reader = recording.reader()
        records = (record for record in reader if record.channel == chosen)
        if messages:
            _print_messages(out, _messages(records, recognition), as_object, as_csv)
            return
        result = survey(records, recognition, resolution_us)
        if as_object:
            out.write(json.dumps(as_json(result, reader, str(file), chosen, others), indent=2) + "\n")
        else:
            for line in as_text(result, reader, str(file), chosen, others):
                out.write(line + "\n")


def _first_look(
    recording: Recording, wanted: str | None
) -> tuple[str, Recognition, int | None, dict[str, int]]:
    """The channel to show, its edition, the step of the stamps, and the frames on other channels."""
    reader = recording.reader()
    watches: dict[str, EditionWatch] = {}
    for record in reader:
        watch = watches.get(record.channel)
        if watch is None:
            if len(watches) >= KEPT_CHANNELS:
                continue
            watch = watches[record.channel] = EditionWatch()
        watch.receive(record)
    if wanted is not None and wanted not in watches:
        there = ", ".join(watches) or "none"
        raise RecordingError(f"there is no channel {wanted!r} in the recording; channels: {there}")
    chosen = wanted or max(watches, key=lambda name: watches[name].frames, default="")
    recognition = watches.get(chosen, EditionWatch()).result()
    others = {name: count for name, count in reader.channels.items() if name != chosen}
    return chosen, recognition, reader.resolution_us, others


def _messages(records: Iterable[Record], recognition: Recognition) -> Iterator[tuple[float, TimedMessage]]:
    """Every message with its seconds from the first frame."""
    first: list[int] = []

    def noted() -> Iterator[Record]:
        for record in records:
            if not first:
                first.append(record.at_us)
            yield record

    dialogue = Dialogue(Catalogue(recognition.edition.decoded_as))
    for heard in dialogue.listen(noted()):
        if isinstance(heard, TimedMessage):
            yield (heard.at_us - first[0]) / 1_000_000, heard


def _print_messages(
    out: TextIO, messages: Iterable[tuple[float, TimedMessage]], as_object: bool, as_csv: bool
) -> None:
    if as_csv:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        for seconds, heard in messages:
            row = _row(seconds, heard)
            inner = [json.dumps(row[name]) for name in ("fields", "deviations")]
            writer.writerow(
                [f"{seconds:.6f}", heard.line, row["sender"], heard.name, *inner, row["error"] or ""]
            )
    elif as_object:
        for seconds, heard in messages:
            out.write(json.dumps(_row(seconds, heard) | {"units": units(heard.cls.layout)}) + "\n")
    else:
        for seconds, heard in messages:
            out.write(_sentence(seconds, heard) + "\n")


def _row(seconds: float, heard: TimedMessage) -> dict[str, Any]:
    reading = heard.reading
    return {
        "time_s": seconds,
        "line": heard.line,
        "sender": heard.sender.label,
        "message": heard.name,
        "fields": fields(reading.message) if reading.message is not None else None,
        "deviations": [str(deviation) for deviation in reading.deviations],
        "error": None if reading.error is None else plain(str(reading.error)),
    }


def _sentence(seconds: float, heard: TimedMessage) -> str:
    reading = heard.reading
    told = f"cannot be read: {reading.error}" if reading.message is None else in_words(reading.message)
    odd = f"  [{'; '.join(str(each) for each in reading.deviations)}]" if reading.deviations else ""
    return f"{seconds:12.6f} {heard.line:7}  {heard.sender.label:<7}  {heard.name:<4} {told}{odd}".rstrip()
