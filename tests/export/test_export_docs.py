"""The reference: every field with place and basis, and its printed rows read back against the vectors."""

import re
from html.parser import HTMLParser

import pytest

from swapproto import __version__
from swapproto.export.docs import files
from swapproto.export.docs.model import pages, view
from swapproto.export.source import declaration
from swapproto.messages.catalog import SETS
from swapproto.messages.gbt27930 import BCL, CCS
from swapproto.wire.fields import Code, Integer
from swapproto.wire.layout import Field
from swapproto.wire.message import Message

DECLARED = {name: declaration(name) for name in SETS}
FILES = {name: {path: made.decode() for path, made in files(each).items()} for name, each in DECLARED.items()}
every_profile = pytest.mark.parametrize("name", SETS)
CLASSES = [
    pytest.param(name, cls, id=f"{name}-{cls.__name__}")
    for name, declared in DECLARED.items()
    for cls in declared.messages
]
_VOID = {"meta", "link", "br", "rect", "path"}


class WellFormed(HTMLParser):
    """Every tag is closed by its own, every id is there once, and nothing is asked of any network."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "img", "iframe", "object")
        for key, content in attrs:
            assert not key.startswith("on")
            if key == "id":
                self.ids.append(content or "")
            if key in ("href", "src"):
                self.targets.append(content or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag


@every_profile
def test_pages_are_whole_and_ask_nothing_of_a_network(name: str) -> None:
    made = FILES[name]
    for path, page in made.items():
        if not path.endswith(".html"):
            continue
        read = WellFormed(page)
        assert len(read.ids) == len(set(read.ids))
        for target in read.targets:
            file, _, anchor = target.partition("#")
            assert file in made or target == "data:,"
            assert not anchor or f'id="{anchor}"' in made[file]
        assert "http:" not in page
        assert "https:" not in page
        assert "@import" not in page


@every_profile
def test_links_in_markdown_lead_somewhere(name: str) -> None:
    made = FILES[name]
    assert {path.rpartition(".")[0] for path in made} == {
        path.removesuffix(".md") for path in made if path.endswith(".md")
    }
    for path, page in made.items():
        if path.endswith(".md"):
            for target in re.findall(r"\]\(([^)]+)\)", page):
                file, _, anchor = target.partition("#")
                assert file in made
                heads = re.findall(r"^## (\w+)$", made[file], re.MULTILINE)
                assert not anchor or anchor in [head.lower() for head in heads]


@every_profile
def test_each_page_says_what_it_is_and_is_the_same_each_time(name: str) -> None:
    declared = DECLARED[name]
    for page in FILES[name].values():
        head = page[: page.find("<nav") if "<nav" in page else 1000]
        assert f"swapproto {__version__}" in head
        assert declared.profile.id in head
        assert declared.digest in head
        assert declared.header[-1] in page
    assert {path: made.decode() for path, made in files(declaration(name)).items()} == FILES[name]


def test_pages_follow_phases_and_modules() -> None:
    names = [page.name for page in pages(DECLARED["gbt27930-2015"])]
    assert names == [
        "phase-handshake-start", "phase-identification", "phase-configuration", "phase-charging",
        "phase-end", "phase-error",
    ]  # fmt: skip
    assert "relays" in [page.name for page in pages(DECLARED["pack-can-d0f3"])]
    for name in SETS:
        shown = [message.cls for page in pages(DECLARED[name]) for message in page.messages]
        assert sorted(cls.__name__ for cls in shown) == sorted(
            cls.__name__ for cls in DECLARED[name].messages
        )


def section(name: str, cls: type[Message], suffix: str) -> str:
    page = next(page for page in pages(DECLARED[name]) if cls in [each.cls for each in page.messages])
    text = FILES[name][f"{page.name}.{suffix}"]
    if suffix == "html":
        begin = text.index(f'<section id="{cls.__name__.lower()}">')
        return text[begin : text.index("</section>", begin)]
    begin = text.index(f"\n## {cls.__name__}\n")
    end = text.find("\n## ", begin + 1)
    return text[begin : None if end < 0 else end]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def table(text: str) -> dict[str, list[str]]:
    """Rows of the table of fields in Markdown, by the field's name."""
    rows = [cells(line) for line in text.splitlines() if line.startswith("| ")]
    return {row[1].strip("`"): row for row in rows if len(row) == 13}


@pytest.mark.parametrize(("name", "cls"), CLASSES)
def test_every_field_stands_there_with_its_place_and_basis(name: str, cls: type[Message]) -> None:
    markdown, html = section(name, cls, "md"), section(name, cls, "html")
    rows = table(markdown)
    shown = html.replace("&#39;", "'").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
    for field in cls.layout.fields:
        source = field.marker.source or cls.source
        row = rows[field.name]
        place = field.place if field.order == "little" or field.bits >= 8 else inside_a_byte(field)
        assert row[2] == place
        assert row[3] == str(field.bits)
        assert source.at in row[11]
        assert source.basis.value in row[11]
        name_cell = f"<code>{field.name}</code>"
        block = shown[shown.index(name_cell) :]
        block = block[: block.index("</tr>")]
        assert f'data-label="Place" class="nowrap">{place}<' in block
        assert source.at in block
        assert source.basis.value in block
        if source.witnesses:
            assert f"{source.witnesses} witness" in block
        for member in field.code or ():
            assert member.label in block
    tail = cls.layout.tail
    if tail is not None:
        inner = () if tail.item is None else tail.item.fields
        wanted = {tail.name} if not inner else {
            f"{tail.name}[]" if tail.scalar else f"{tail.name}[].{field.name}" for field in inner
        }  # fmt: skip
        assert wanted <= rows.keys()
    for vector in cls.VECTORS:
        assert vector.data.hex(" ").upper() in html
    for can_id, sender in cls.identifiers().items():
        assert f"{can_id:08X}" in html
        assert f"{can_id:08X}" in markdown
        assert sender.name.lower().replace("_", " ") in html.lower()


def inside_a_byte(field: Field) -> str:
    """Byte and lowest bit of what the codec sets."""
    payload = bytearray(8)
    field.insert(payload, field.mask)
    (byte,) = (number for number, each in enumerate(payload, 1) if each)
    lowest = payload[byte - 1] & -payload[byte - 1]
    return f"{byte}.{lowest.bit_length()}"


def read_back(text: str, field: str, payload: bytes) -> float | None:
    """What the row of a field makes of a payload: place, bits, kind, scale and offset as they are printed."""
    _, _, place, bits, kind, _, scale, *_ = table(text)[field]
    first, _, last = place.partition("-")
    byte, _, bit = first.partition(".")
    end = int(last) if last else (int(byte) * 8 - 8 + int(bit or 1) - 1 + int(bits) - 1) // 8 + 1
    order = "big" if "highest byte first" in kind else "little"
    word = int.from_bytes(payload[int(byte) - 1 : end], order)  # type: ignore[arg-type]  # one of the two
    raw = word >> (int(bit or 1) - 1) & (1 << int(bits)) - 1
    if kind.startswith("signed") and raw >> (int(bits) - 1):
        raw -= 1 << int(bits)
    factor, offset = (float(part) for part in scale.split(", ")) if scale else (1.0, 0.0)
    return raw * factor + offset


def disagreements(text: str, cls: type[Message]) -> list[str]:
    """Fields whose printed row reads something else out of a vector than the vector has."""
    wrong: list[str] = []
    for vector in cls.VECTORS:
        for field in cls.layout.fields:
            value = vector.values.get(field.name)
            if not isinstance(field.marker, Integer) and not isinstance(value, Code):
                continue
            if isinstance(value, int | float):
                found = read_back(text, field.name, vector.data)
                if found != pytest.approx(float(value), abs=1e-9):
                    wrong.append(f"{field.name}: {found}, not {value}")
    return wrong


@pytest.mark.parametrize(("name", "cls"), CLASSES)
def test_the_printed_rows_read_the_vectors(name: str, cls: type[Message]) -> None:
    assert disagreements(section(name, cls, "md"), cls) == []


PLANTED = {
    "scale": ("| 0.1, -400 |", "| 0.2, -400 |"),
    "offset": ("| 0.1, -400 |", "| 0.1, -399 |"),
    "place": ("| `current` | 3-4 | 16 |", "| `current` | 2-3 | 16 |"),
    "length": ("| `current` | 3-4 | 16 |", "| `current` | 3-4 | 11 |"),
    "order": ("| 3-4 | 16 | number |", "| 3-4 | 16 | number, highest byte first |"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_error_is_seen(planted: str) -> None:
    text = section("gbt27930-2015", BCL, "md")
    right, wrong = PLANTED[planted]
    assert right in text
    assert disagreements(text.replace(right, wrong), BCL)


def test_lengths_periods_and_filler_are_told() -> None:
    assert view(CCS).length == "7 bytes; 8 are read as well"
    assert view(CCS).period == "50 ms"
    assert view(CCS).filler == "ones"
    assert "up to 256 items of 2 bytes" in FILES["gbt27930-2015"]["phase-charging.md"]
