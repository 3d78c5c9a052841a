"""`swapproto code`: what a pack code or a VIN says, and where it is wrong."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from swapproto.cli.text import output, plural, table
from swapproto.codes import VIN_LAYOUT, CodeField, Doubt, Fault, PackCode, Vin, check_digit
from swapproto.codes.pack import DAYS
from swapproto.codes.vin import LENGTH as VIN_LENGTH
from swapproto.provenance import Source

FAULTY = 1

Read = PackCode | Vin


def command(
    codes: Annotated[list[str], typer.Argument(metavar="CODE...", help="GB/T 34014 codes or VINs.")],
    as_object: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what pack codes and VINs mean, and where they are wrong.

    Seventeen characters are read as a VIN, all else as a GB/T 34014 code of a pack, module or cell: 24
    characters, or 19 in its second life. Faults stand under the places they concern; doubts are what
    the public sources leave open, and no faults.

    Exit 0 if all are valid, 1 with a fault.
    """
    readings = [_Reading(text) for text in codes]
    with output() as out:
        if as_object:
            out.write(json.dumps({"codes": [reading.as_json() for reading in readings]}, indent=2) + "\n")
        else:
            out.write("\n".join("".join(f"{line}\n" for line in reading.lines()) for reading in readings))
    if any(reading.faults for reading in readings):
        raise typer.Exit(FAULTY)


class _Reading:
    """Either kind of code, ready to be printed."""

    def __init__(self, text: str) -> None:
        self.is_vin = len(text) == VIN_LENGTH
        reading = Vin.parse(text) if self.is_vin else PackCode.parse(text)
        self.text = text
        self.code: Read | None = reading.code
        self.faults, self.doubts = reading.faults, reading.doubts
        self.fields = _fields(reading.code) if reading.code is not None else []

    @property
    def title(self) -> str:
        name = "VIN" if self.is_vin else "GB/T 34014 code"
        if self.faults:
            return f"not a valid {name}, {plural(len(self.faults), 'fault')}"
        if isinstance(self.code, PackCode):
            now = self.code.second_life
            again = "" if now is None else f", in its second life a {now.label}"
            return f"{name} of a {self.code.product.label}{again}"
        return name

    def lines(self) -> Iterator[str]:
        shown = [_shown(character) for character in self.text]
        yield f"{''.join(shown)}: {self.title}"
        if self.faults:
            yield ""
            yield f"  {''.join(shown)}"
            yield f"  {_carets(shown, self.faults)}"
            yield from (f"  {fault} [{fault.source}]" for fault in self.faults)
        if self.fields:
            yield ""
            yield from table(
                ("place", "field", "text", "meaning", "basis"),
                [
                    (field.place, field.name.replace("_", " "), field.of(self.text), meaning, source)
                    for field, meaning, source in self.fields
                ],
            )
        if isinstance(self.code, PackCode):
            yield ""
            yield f"  made on {' or '.join(map(str, self.code.dates)) or 'no known day'}"
        yield from (f"  doubt: {doubt} [{'; '.join(map(str, doubt.sources))}]" for doubt in self.doubts)

    def as_json(self) -> dict[str, Any]:
        """The reading as an object; a VIN has no dates."""
        code = self.code
        return {
            "text": self.text,
            "kind": "VIN" if self.is_vin else "GB/T 34014",
            "valid": not self.faults,
            "fields": [
                {
                    "name": field.name,
                    "position": field.first,
                    "text": field.of(self.text),
                    "meaning": meaning or None,
                    "source": _source(source),
                }
                for field, meaning, source in self.fields
            ],
            "dates": [str(day) for day in code.dates] if isinstance(code, PackCode) else [],
            "faults": [_fault(fault) for fault in self.faults],
            "doubts": [_doubt(doubt) for doubt in self.doubts],
        }


def _fields(code: Read) -> list[tuple[CodeField, str, Source]]:
    if isinstance(code, PackCode):
        return [(field, *_meaning(code, field)) for field in code.layout]
    verdict = "holds" if code.check_digit_holds else f"should be {check_digit(code.text)}"
    return [(field, verdict if field.length == 1 else "", field.source) for field in VIN_LAYOUT]


def _meaning(code: PackCode, field: CodeField) -> tuple[str, Source]:
    match field.name:
        case "product":
            return code.product.label, field.source
        case "chemistry":
            known = code.chemistry_meaning
            return ("not public", field.source) if known is None else (known.label, known.source)
        case "year":
            return " or ".join(map(str, code.years)), field.source
        case "month":
            return str(code.month_number), field.source
        case "day":
            return "none" if code.day_number is None else str(code.day_number), DAYS
        case "mark":
            return "second life", field.source
        case "second_life":
            return code.second_life.label if code.second_life is not None else "", field.source
        case _:
            return "", field.source


def _shown(character: str) -> str:
    return character if character.isascii() and character.isprintable() else ascii(character)[1:-1]


def _carets(shown: list[str], faults: tuple[Fault, ...]) -> str:
    """A mark under each faulty place; a missing character is marked behind the last."""
    wrong = {fault.position for fault in faults}
    marks = [
        ("^" if position in wrong else " ") * len(text) for position, text in enumerate([*shown, " "], 1)
    ]
    return "".join(marks).rstrip()


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "kind": fault.kind.value,
        "position": fault.position,
        "character": fault.character,
        "expected": fault.expected,
        "reason": fault.reason,
        "source": _source(fault.source),
    }


def _doubt(doubt: Doubt) -> dict[str, Any]:
    sources = [_source(source) for source in doubt.sources]
    return {"position": doubt.position, "reason": doubt.reason, "sources": sources}


def _source(source: Source) -> dict[str, Any]:
    return {
        "at": source.at,
        "basis": source.basis.value,
        "witnesses": source.witnesses,
        "why": source.why,
    }
