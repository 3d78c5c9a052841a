"""All that Markdown and HTML print of a message and its fields, read back and held against the layout."""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from html.parser import HTMLParser
from math import ceil, floor
from typing import Annotated, Any, NamedTuple

import msgspec
import pytest

from swapproto.export.docs import files
from swapproto.export.source import Declaration, declaration
from swapproto.messages.catalog import SETS, MessageSet
from swapproto.messages.gbt27930 import BCL, Phase
from swapproto.messages.gbt27930.codes import ChargeMode
from swapproto.messages.gbt27930.parties import FromBms
from swapproto.messages.pack_can import ThermalRequest
from swapproto.provenance import Source
from swapproto.wire.fields import BcdTime, Choice, Integer, Marker, Raw, Text, U
from swapproto.wire.layout import Field
from swapproto.wire.message import Message

every_profile = pytest.mark.parametrize("name", SETS)
both_forms = pytest.mark.parametrize("suffix", ["md", "html"])


class Row(NamedTuple):
    """A row of the table of fields."""

    name: str
    place: str
    bits: str
    kind: str
    unit: str
    scale: str
    limits: str
    values: str
    absent: str
    spn: str
    source: str
    note: str


class Printed(NamedTuple):
    """A message as it is printed."""

    title: str
    facts: Mapping[str, str]
    rows: tuple[Row, ...]


# What has to be printed.


def source_text(source: Source) -> str:
    plural = "" if source.witnesses == 1 else "es"
    by = f", {source.witnesses} witness{plural}" if source.witnesses else ""
    return one_line(f"{source.at} ({source.basis.value}{by}{': ' + source.why if source.why else ''})")


def one_line(text: str) -> str:
    return " ".join(text.split())


def place(field: Field) -> str:
    """From byte.bit in the declaration where it is there; inside a byte the lowest bit."""
    marker, start = field.marker, field.start
    if marker.at is not None:
        byte, _, bit = str(marker.at).partition(".")
        default = 1 if field.order == "little" else 8
        start = int(byte) * 8 - 8 + (default if isinstance(marker.at, int) else int(bit)) - 1
    first, high = divmod(start, 8)
    if field.order == "little":
        last, lowest = (start + field.bits - 1) // 8, start % 8
    else:
        last, lowest = first + (7 - high + field.bits - 1) // 8, (high - field.bits + 1) % 8
    if field.bits % 8 == 0 and lowest == 0:
        return f"{first + 1}" if first == last else f"{first + 1}-{last + 1}"
    return f"{first + 1}.{lowest + 1}" if first == last else f"{first + 1}.{high + 1}"


def kind(field: Field) -> str:
    names: dict[type[Marker], str] = {Choice: "code", Text: "text", Raw: "bytes", BcdTime: "BCD time"}
    signed = isinstance(field.marker, Integer) and field.marker.signed
    name = names.get(type(field.marker), "signed number" if signed else "number")
    crosses = field.order == "big" and "-" in place(field)
    return f"{name}, highest byte first" if crosses else name


def plain(number: Fraction) -> str:
    return str(number.numerator) if number.denominator == 1 else repr(float(number))


def exact(number: float) -> Fraction:
    return Fraction(str(number))


def limits(marker: Integer, *, optional: bool) -> str:
    half = 1 << marker.bits - 1
    low, high = (-half, half - 1) if marker.signed else (0, 2 * half - 1)
    absent = marker.absent
    if optional and absent is None:
        absent = -1 if marker.signed else high
    scale, offset = exact(marker.scale), exact(marker.offset)
    if marker.low is not None:
        low = max(low, ceil((exact(marker.low) - offset) / scale))
    if marker.high is not None:
        high = min(high, floor((exact(marker.high) - offset) / scale))
    low, high = low + (absent == low), high - (absent == high)
    return f"{plain(low * scale + offset)} to {plain(high * scale + offset)}"


def number_text(value: int, bits: int) -> str:
    return f"{value:0{bits}b}b" if bits < 8 else f"{value:0{(bits + 3) // 4}X}h"


def absent_text(field: Field) -> str:
    marker = field.marker
    if not field.optional:
        return "mandatory"
    if not isinstance(marker, Integer | Choice):
        return "all ones"
    ones = (1 << marker.bits) - 1
    special = marker.absent if isinstance(marker, Integer) else None
    return number_text(ones if special is None else special & ones, marker.bits)


def expected_row(cls: type[Message], field: Field, name: str, more: str) -> Row:
    marker = field.marker
    number = marker if isinstance(marker, Integer) else None
    codes = [f"{number_text(int(code), field.bits)} {code.label}" for code in field.code or ()]
    unit = marker.unit if isinstance(marker, Integer | Raw) else ""
    return Row(
        name, place(field), str(field.bits), kind(field), unit,
        f"{plain(exact(number.scale))}, {plain(exact(number.offset))}" if number else "",
        limits(number, optional=field.optional) if number else "",
        ", ".join(codes), absent_text(field), str(marker.spn or ""), source_text(marker.source or cls.source),
        one_line(". ".join(part for part in (marker.note, more) if part)),
    )  # fmt: skip


def expected_rows(cls: type[Message]) -> Iterator[Row]:
    for field in cls.layout.fields:
        yield expected_row(cls, field, field.name, "")
    tail = cls.layout.tail
    if tail is None:
        return
    marker = tail.marker
    if tail.item is None:
        absent = "empty" if tail.optional else "mandatory"
        yield Row(
            tail.name, f"{tail.offset + 1}-", "", "bytes", "", "", "", "", absent, str(marker.spn or ""),
            source_text(marker.source or cls.source), one_line(marker.note),
        )  # fmt: skip
        return
    for field in tail.item.fields:
        name = f"{tail.name}[]" if tail.scalar else f"{tail.name}[].{field.name}"
        yield expected_row(cls, field, name, marker.note)


def length(cls: type[Message]) -> str:
    layout, tail = cls.layout, cls.layout.tail
    if tail is None:
        others = ", ".join(str(each) for each in layout.lengths if each != layout.length)
        return f"{layout.length} bytes" + (f"; {others} are read as well" if others else "")
    fixed = f"{layout.length} bytes, then " if layout.length else ""
    if tail.item is None:
        return f"{fixed}any number of bytes"
    size = "1 byte" if tail.item.length == 1 else f"{tail.item.length} bytes"
    return f"{fixed}up to {tail.max_items} items of {size}"


def expected(cls: type[Message]) -> Printed:
    senders = [
        f"{can_id:08X} from {getattr(sender, 'label', sender.name)}"
        for can_id, sender in cls.identifiers().items()
    ]
    period = "on an event" if cls.period_ms is None else f"every {cls.period_ms} ms"
    facts = {
        "identifier": ", ".join(senders),
        "pgn": f"{cls.pgn:04X}h ({cls.pgn}), priority {cls.priority}",
        "sent": period + (", optional" if cls.optional else ""),
        "length": length(cls),
        "reserved bits": f"sent as {'ones' if cls.layout.reserved_bit else 'zeros'}",
        "source": source_text(cls.source),
    }
    return Printed(cls.title, facts, tuple(expected_rows(cls)))


# What is printed.


def unescaped(text: str) -> str:
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text.replace("&lt;", "<"))


def from_markdown(page: str) -> dict[str, Printed]:
    found: dict[str, Printed] = {}
    for section in re.split(r"^## (?=\w+$)", page, flags=re.MULTILINE)[1:]:
        name, _, text = section.partition("\n")
        facts = dict(re.findall(r"^- (\w+):? (.*)$", text, re.MULTILINE))
        if "identifier" not in facts:
            continue
        facts["identifier"] = facts["identifier"].replace("`", "")
        facts["pgn"] = facts.pop("PGN")
        facts["length"], _, facts["reserved bits"] = facts["length"].partition("; reserved bits are ")
        rows: list[Row] = []
        for line in text.splitlines():
            cells = [unescaped(cell.strip().replace("`", "")) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if len(cells) == 13 and re.fullmatch("[a-z]+", cells[0]):
                rows.append(Row(*cells[1:]))
        title = re.search(r"^\*\*(.*)\.\*\*", text, re.MULTILINE)
        found[name] = Printed(unescaped(title[1]) if title else "", facts, tuple(rows))
    return found


class Sections(HTMLParser):
    """Cells and facts by their labels, section by section; lists and line breaks become lines."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sections: dict[str, list[dict[str, str]]] = {}
        self.rows: list[dict[str, str]] = []
        self.label: str | None = None
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        match tag:
            case "section":
                self.rows = [{}]
                self.sections[dict(attrs)["id"] or ""] = self.rows
            case "tr":
                self.rows.append({})
            case "h2" | "h3" | "th" | "td" | "dt" | "dd":
                self.text = ""
                self.label = dict(attrs).get("data-label") or tag
            case "br" | "p" | "li":
                self.text += "\n"
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        if not self.rows:
            return
        text = "\n".join(filter(None, map(one_line, self.text.splitlines())))
        match tag:
            case "td" | "th":
                self.rows[-1][self.label or ""] = text
            case "h2" | "dt":
                self.rows[0]["title" if tag == "h2" else "dt"] = text
            case "dd":
                self.rows[0][self.rows[0].pop("dt").lower()] = text
            case _:
                pass

    def handle_data(self, data: str) -> None:
        self.text += data


def with_brackets(source: str) -> str:
    at, _, trust = source.partition("\n")
    return f"{at} ({trust})"


def html_row(cells: Mapping[str, str]) -> Row:
    head = re.fullmatch(r"[a-z]+ (\S+)(?: SPN (\d+))?(?:\n(.*))?", cells["th"], re.DOTALL)
    assert head is not None
    bits = re.fullmatch(r"(\d*) ?(.*)", cells["Bits"])
    assert bits is not None
    return Row(
        head[1], cells["Place"], bits[1], bits[2], cells["Unit"], cells["Scale, offset"], cells["Range"],
        cells["Values"].replace("\n", ", "), cells["Absent"], head[2] or "", with_brackets(cells["Source"]),
        head[3] or "",
    )  # fmt: skip


def from_html(page: str) -> dict[str, Printed]:
    found: dict[str, Printed] = {}
    for head, *rows in Sections(page).sections.values():
        name, _, title = head.pop("title").partition(" ")
        head["identifier"] = head["identifier"].replace("\n", ", ")
        head["source"] = with_brackets(head["source"])
        found[name] = Printed(title, head, tuple(html_row(row) for row in rows if "Place" in row))
    return found


READERS = {"md": from_markdown, "html": from_html}


def printed(made: Mapping[str, str], suffix: str) -> dict[str, Printed]:
    found: dict[str, Printed] = {}
    for path, page in made.items():
        if path.endswith(f".{suffix}") and not path.startswith("index."):
            found |= READERS[suffix](page)
    return found


def differences(cls: type[Message], found: Printed | None) -> list[str]:
    ours = expected(cls)
    if found is None:
        return [f"{cls.__name__} is not there"]
    wrong = [] if found.title == ours.title else [f"title {found.title!r}"]
    if found.facts != ours.facts:
        wrong.append(f"{found.facts} is not {ours.facts}")
    if [row.name for row in found.rows] != [row.name for row in ours.rows]:
        return [*wrong, f"fields {[row.name for row in found.rows]}"]
    for is_, should in zip(found.rows, ours.rows, strict=True):
        for column, left, right in zip(Row._fields, is_, should, strict=True):
            if left != right:
                wrong.append(f"{cls.__name__}.{should.name} {column}: {left!r}, not {right!r}")
    return wrong


def written(declared: Declaration) -> dict[str, str]:
    return {path: page.decode() for path, page in files(declared).items()}


@both_forms
@every_profile
def test_everything_that_is_printed_is_as_declared(name: str, suffix: str) -> None:
    declared = declaration(name)
    found = printed(written(declared), suffix)
    assert found.keys() == {cls.__name__ for cls in declared.messages}
    assert [odd for cls in declared.messages for odd in differences(cls, found[cls.__name__])] == []


SOME = {
    "BCL": Declaration(declaration("gbt27930-2015").profile, (MessageSet("some", [BCL]),)),
    "ThermalRequest": Declaration(
        declaration("pack-can-d0f3").profile, (MessageSet("some", [ThermalRequest]),)
    ),
}
CLASSES: dict[str, type[Message]] = {"BCL": BCL, "ThermalRequest": ThermalRequest}
MARKDOWN_PLANTED = {
    "place": ("BCL", "`current` | 3-4 |", "`current` | 2-3 |"),
    "bits": ("BCL", "| 3-4 | 16 |", "| 3-4 | 15 |"),
    "unit": ("BCL", "| number | A |", "| number | mA |"),
    "scale": ("BCL", "| 0.1, -400 |", "| 0.2, -400 |"),
    "offset": ("BCL", "| 0.1, -400 |", "| 0.1, -399 |"),
    "lower limit": ("BCL", "-400 to 6153.5", "-399 to 6153.5"),
    "upper limit": ("BCL", "-400 to 6153.5", "-400 to 6153.4"),
    "value": ("BCL", "`01h`", "`03h`"),
    "mandatory": ("BCL", "-400 to 6153.5 |  | mandatory", "-400 to 6153.5 |  | FFFFh"),
    "source": ("BCL", "(reported, 2 witnesses)", "(observed, 2 witnesses)"),
    "period": ("BCL", "every 50 ms", "every 60 ms"),
    "PGN": ("BCL", "PGN 1000h (4096)", "PGN 1100h (4352)"),
    "priority": ("BCL", "priority 6", "priority 4"),
    "identifier": ("BCL", "- identifier `181056F4`", "- identifier `1810F456`"),
    "length": ("BCL", "- length 5 bytes", "- length 6 bytes"),
    "filler": ("BCL", "sent as ones", "sent as zeros"),
    "order": ("ThermalRequest", "number, highest byte first", "number"),
    "note": ("ThermalRequest", "the algorithm is not public", "the algorithm is public"),
}
HTML_PLANTED = {
    "place": ("BCL", 'class="nowrap">3-4<', 'class="nowrap">2-3<'),
    "bits": ("BCL", "<span>16 ", "<span>15 "),
    "unit": ("BCL", '"Unit">A<', '"Unit">mA<'),
    "scale": ("BCL", ">0.1, -400<", ">0.2, -400<"),
    "offset": ("BCL", ">0.1, -400<", ">0.1, -399<"),
    "lower limit": ("BCL", "-400 to 6153.5", "-399 to 6153.5"),
    "upper limit": ("BCL", "-400 to 6153.5", "-400 to 6153.4"),
    "value": ("BCL", "<code>01h</code>", "<code>03h</code>"),
    "mandatory": ("BCL", ">mandatory<", ">FFFFh<"),
    "source": ("BCL", "reported, 2 witnesses", "observed, 2 witnesses"),
    "period": ("BCL", "every 50 ms", "every 60 ms"),
    "PGN": ("BCL", "1000h (4096), priority", "1100h (4352), priority"),
    "priority": ("BCL", "priority 6", "priority 4"),
    "identifier": ("BCL", "<code>181056F4</code> from", "<code>1810F456</code> from"),
    "length": ("BCL", "<dd>5 bytes</dd>", "<dd>6 bytes</dd>"),
    "filler": ("BCL", "sent as ones", "sent as zeros"),
    "order": ("ThermalRequest", "number, highest byte first", "number"),
    "note": ("ThermalRequest", "the algorithm is not public", "the algorithm is public"),
}
PLANTED = [
    pytest.param(suffix, *change, id=f"{suffix}-{planted}")
    for suffix, table in (("md", MARKDOWN_PLANTED), ("html", HTML_PLANTED))
    for planted, change in table.items()
]


@pytest.mark.parametrize(("suffix", "name", "right", "wrong"), PLANTED)
def test_an_error_planted_into_a_page_is_seen(suffix: str, name: str, right: str, wrong: str) -> None:
    made = written(SOME[name])
    assert differences(CLASSES[name], printed(made, suffix)[name]) == []
    assert any(right in page for path, page in made.items() if path.endswith(f".{suffix}"))
    bad = {path: page.replace(right, wrong) for path, page in made.items()}
    assert differences(CLASSES[name], printed(bad, suffix).get(name))


CURRENT = U(16, at=3, scale=0.1, offset=-400, unit="A", spn=3073)
VARIANTS: dict[str, tuple[Integer, dict[str, Any]]] = {
    "scale": (msgspec.structs.replace(CURRENT, scale=0.2), {}),
    "offset": (msgspec.structs.replace(CURRENT, offset=-399), {}),
    "length": (msgspec.structs.replace(CURRENT, bits=15), {}),
    "order": (msgspec.structs.replace(CURRENT, at=3.8, order="big"), {}),
    "unit": (msgspec.structs.replace(CURRENT, unit="mA"), {}),
    "upper limit": (msgspec.structs.replace(CURRENT, high=400), {}),
    "sign": (msgspec.structs.replace(CURRENT, signed=True), {}),
    "period": (CURRENT, {"period_ms": 60}),
    "priority": (CURRENT, {"priority": 4}),
    "PGN": (CURRENT, {"pgn": 0x1100}),
    "length of the message": (CURRENT, {"length": 6}),
}


@both_forms
@pytest.mark.parametrize("error", [None, *VARIANTS])
def test_an_error_planted_into_the_declaration_is_seen(error: str | None, suffix: str) -> None:
    """The pages of a class that is declared otherwise are not those of the right one."""
    marker, keys = (CURRENT, {}) if error is None else VARIANTS[error]
    make: Any = type(FromBms)
    spec = {"title": BCL.title, "pgn": BCL.pgn, "priority": 6, "period_ms": 50, "phase": Phase.CHARGING}
    variant = make(
        "BCL",
        (FromBms,),
        {
            "__annotations__": {
                "voltage": Annotated[float, U(16, at=1, scale=0.1, unit="V", spn=3072)],
                "current": Annotated[float, marker],
                "mode": Annotated[ChargeMode, Choice(at=5, spn=3074)],
            },
            "__module__": BCL.__module__,
        },
        **spec | keys,
    )
    declared = Declaration(declaration("gbt27930-2015").profile, (MessageSet("changed", [variant]),))
    found = differences(BCL, printed(written(declared), suffix)["BCL"])
    assert bool(found) == (error is not None)


@both_forms
@every_profile
def test_the_index_tells_the_same_as_the_pages(name: str, suffix: str) -> None:
    declared = declaration(name)
    index = written(declared)[f"index.{suffix}"]
    found: dict[str, list[str]] = {}
    if suffix == "md":
        for line in index.splitlines():
            cells = [unescaped(cell.strip().replace("`", "")) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if len(cells) == 7 and (link := re.match(r"\[(\w+)\]", cells[0])):
                found[link[1]] = cells[2:]
    else:
        sections = Sections(index.replace("<main>", '<section id="">', 1))
        for row in sections.rows:
            if "PGN" in row:
                labels = ("PGN", "Identifier", "Sender", "Period", "Length")
                found[row["th"].partition(" ")[0]] = [row[label] for label in labels]
    assert found == {
        cls.__name__: [
            f"{cls.pgn:04X}h ({cls.pgn})",
            " ".join(f"{can_id:08X}" for can_id in cls.identifiers()),
            ", ".join(str(getattr(sender, "label", sender.name)) for sender in cls.identifiers().values()),
            "on an event" if cls.period_ms is None else f"{cls.period_ms} ms",
            length(cls),
        ]
        for cls in declared.messages
    }


def test_text_of_a_profile_is_text_in_markdown() -> None:
    """What a profile file says cannot make headings, links, tags or emphasis."""
    declared = declaration("gbt27930-2015")
    wild = "# *bold* [link](x) <b>tag</b>\n\n- `code` a_b_c | &amp; \\"
    profile = msgspec.structs.replace(declared.profile, title=wild, scope=f"{wild}\n## heading")
    page = written(Declaration(profile, declared.sets))["index.md"]
    assert one_line(wild) in [unescaped(line) for line in page.splitlines()]
    assert one_line(f"{wild} ## heading") in [unescaped(line) for line in page.splitlines()]
    for line in page.splitlines():
        assert not re.search(r"(?<!\\)[*_<`\[]", line) or "bold" not in line
        assert not line.startswith(("# \\*", "## heading"))
