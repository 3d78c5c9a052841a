"""`swapproto decode`: what a recording holds, for people and for programs."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, TypeAlias, Union

import msgspec
import typer

from swapproto.cli.report import as_json, as_text
from swapproto.cli.text import output
from swapproto.cli.values import fields, in_words, plain, units
from swapproto.messages.catalog import SETS, Catalogue, MessageSet
from swapproto.messages.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS
from swapproto.observe.dialogue import KEPT_IDENTIFIERS, Dialogue, TimedMessage, TransferEnd, TransportFault
from swapproto.observe.edition import EditionWatch, Recognition
from swapproto.observe.survey import survey
from swapproto.trace.files import FORMATS, Recording, RecordingError, open_recording
from swapproto.trace.reader import KEPT_CHANNELS, RecordReader
from swapproto.trace.record import Record

if TYPE_CHECKING:
    from swapproto.observe.pack import PackHeard
    from swapproto.observe.swap import SwapWatch

_Message: TypeAlias = Union[TimedMessage, "PackHeard"]

PACK_CAN = "pack-can-d0f3"
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
    profile: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Read messages as a profile has them: its id, or a profile file."),
    ] = None,
) -> None:
    """Say what a recording of a CAN bus holds.

    Edition, a maker's station extensions, parties, phases, messages with their periods, transfers,
    deviations (how a message departs from its layout) and violations (how the traffic departs from order or
    time). Where a truck's pack CAN is on any channel, also the steps of the swap and a snapshot of each
    pack, over all channels.

    Times are seconds from the first frame of the channel, or of the recording where it has pack CAN.
    A damaged line is counted and skipped. Exit 0 whenever the file could be read, whatever it holds; 4 if
    it could not.

    The columns of --csv are time_s, line, sender, message, fields (JSON), deviations (JSON) and error.
    """
    if as_csv and (as_object or not messages):
        raise RecordingError("--csv goes with --messages, and without --json")
    spoken = _Spoken() if profile is None else _spoken(profile)
    with open_recording(file, format_name) as recording, output() as out:
        look = _first_look(recording, channel, spoken)
        reader = recording.reader()
        if messages:
            records = (record for record in reader if record.channel == look.chosen)
            _print_messages(out, _messages(records, look), as_object, as_csv)
            return
        _report(out, reader, str(file), look, as_object)


class _Spoken(msgspec.Struct, frozen=True):
    """The messages that a profile names; None where it is silent and the recording decides."""

    charging: Catalogue | None = None
    packs: MessageSet[Any] | None = None


def _spoken(profile: str) -> _Spoken:
    from swapproto.profile import load
    from swapproto.profile.bind import bind

    found = load(profile)
    sets = dict(zip(found.messages, bind(found), strict=True))
    catalogues = [each for each in sets.values() if isinstance(each, Catalogue)]
    charging = max(catalogues, key=lambda each: each.extended, default=None)
    packs = sets.get(PACK_CAN)
    if charging is None and packs is None:
        raise RecordingError(
            f"profile {found.id} names no messages that can be decoded here: one of "
            f"{', '.join(SETS)} is wanted in messages = [...]"
        )
    return _Spoken(charging, packs)


class _Look(msgspec.Struct, frozen=True):
    """What the first pass over the recording tells."""

    spoken: _Spoken

    chosen: str
    """The channel to show."""
    recognition: Recognition
    resolution_us: int | None
    others: dict[str, int]
    """Frames on the other channels."""
    pack_channels: frozenset[str]
    """Where frames of a truck's pack CAN are."""
    first_us: int


class _Glance:
    """One channel in the first pass: what tells the edition, and the identifiers."""

    __slots__ = ("edition", "identifiers")

    def __init__(self) -> None:
        self.edition = EditionWatch()
        self.identifiers: set[int] = set()

    @property
    def of_dialogue(self) -> tuple[int, int]:
        """How much charger and BMS say that tells the edition, and beyond the standard."""
        return self.edition.frames, self.edition.others


def _first_look(recording: Recording, wanted: str | None, spoken: _Spoken) -> _Look:
    reader = recording.reader()
    glances: dict[str, _Glance] = {}
    first_us: int | None = None
    for record in reader:
        if first_us is None:
            first_us = record.at_us
        glance = glances.get(record.channel)
        if glance is None:
            if len(glances) >= KEPT_CHANNELS:
                continue
            glance = glances[record.channel] = _Glance()
        if record.extended and len(glance.identifiers) < KEPT_IDENTIFIERS:
            glance.identifiers.add(record.id)
        glance.edition.receive(record)
    if wanted is not None and wanted not in glances:
        there = ", ".join(glances) or "none"
        raise RecordingError(f"there is no channel {wanted!r} in the recording; channels: {there}")
    chosen = wanted or max(glances, key=lambda name: glances[name].of_dialogue, default="")
    return _Look(
        spoken=spoken,
        chosen=chosen,
        recognition=glances.get(chosen, _Glance()).edition.result(),
        resolution_us=reader.resolution_us,
        others={name: count for name, count in reader.channels.items() if name != chosen},
        pack_channels=frozenset(name for name, glance in glances.items() if _has_packs(glance.identifiers)),
        first_us=first_us or 0,
    )


def _has_packs(identifiers: set[int]) -> bool:
    """Whether truck, pack or swap controller of the pack CAN are among the senders."""
    others = {each for each in identifiers if each & 0xFF not in (CHARGER_ADDRESS, BMS_ADDRESS)}
    if not others:
        return False
    from swapproto.observe.pack import SENDERS

    return not others.isdisjoint(SENDERS)


def _report(out: TextIO, reader: RecordReader, file: str, look: _Look, as_object: bool) -> None:
    """Survey the channel, and where there is pack CAN all channels for a swap."""
    watch = _swap_watch(look.spoken.packs) if look.pack_channels else None
    records = reader if watch is None else _overheard(reader, watch)
    result = survey(
        (record for record in records if record.channel == look.chosen),
        look.recognition,
        look.resolution_us,
        look.spoken.charging,
    )
    sections: Iterable[str] = ()
    keys: dict[str, Any] = {}
    if watch is not None:
        from swapproto.cli.report_swap import one_zero, swap_json, swap_text

        swap = watch.finish()
        result = one_zero(result, swap, look.chosen, look.first_us)
        sections, keys = swap_text(swap, look.first_us, look.chosen), swap_json(swap, look.first_us)
    if as_object:
        found = as_json(result, reader, file, look.chosen, look.others) | keys
        out.write(json.dumps(found, indent=2) + "\n")
    else:
        out.writelines(
            line + "\n" for line in as_text(result, reader, file, look.chosen, look.others, sections)
        )


def _swap_watch(messages: MessageSet[Any] | None) -> "SwapWatch":
    """Imported only where there is pack CAN: its message classes take a while to be made."""
    from swapproto.observe.swap import SwapWatch

    return SwapWatch(messages)


def _overheard(records: Iterable[Record], watch: "SwapWatch") -> Iterator[Record]:
    for record in records:
        watch.receive(record)
        yield record


def _messages(records: Iterable[Record], look: _Look) -> Iterator[tuple[float, _Message]]:
    """Every message with its seconds from the first frame."""
    first: list[int] = [look.first_us] if look.pack_channels else []

    def noted() -> Iterator[Record]:
        for record in records:
            if not first:
                first.append(record.at_us)
            yield record

    dialogue = Dialogue(look.spoken.charging or look.recognition.catalogue())
    if look.chosen in look.pack_channels:
        from swapproto.observe.pack import PackWatch, listen_to_both

        listening = listen_to_both(noted(), dialogue, PackWatch(look.chosen, look.spoken.packs))
    else:
        listening = dialogue.listen(noted())
    for heard in listening:
        if not isinstance(heard, TransferEnd | TransportFault):
            yield (heard.at_us - first[0]) / 1_000_000, heard


def _print_messages(
    out: TextIO, messages: Iterable[tuple[float, _Message]], as_object: bool, as_csv: bool
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


def _row(seconds: float, heard: _Message) -> dict[str, Any]:
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


def _sentence(seconds: float, heard: _Message) -> str:
    reading = heard.reading
    told = f"cannot be read: {reading.error}" if reading.message is None else in_words(reading.message)
    odd = f"  [{'; '.join(str(each) for each in reading.deviations)}]" if reading.deviations else ""
    return f"{seconds:12.6f} {heard.line:7}  {heard.sender.label:<7}  {heard.name:<4} {told}{odd}".rstrip()
