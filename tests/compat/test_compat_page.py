"""The page of the matrix: complete, self-contained, in two languages."""

from html.parser import HTMLParser

from swapproto.compat import load_scenario, matrix
from swapproto.compat.load import parse_scenario
from swapproto.compat.page import render

VOID = {"meta", "link", "input", "br"}
MATRIX = matrix(load_scenario())
PAGE = render(MATRIX)


class Reader(HTMLParser):
    """Text by language and by element with an id, and all tags."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.by_id: dict[str, dict[str, str]] = {}
        self._open: list[tuple[str, str | None, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if "id" in found and found["id"] is not None:
            assert found["id"] not in self.by_id, "an id stands twice"
            self.by_id[found["id"]] = {"en": "", "zh-CN": ""}
        if tag not in VOID:
            self._open.append((tag, found.get("id"), found.get("lang")))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        languages = [lang for tag, _, lang in self._open if lang and tag != "html"]
        for _, name, _ in self._open:
            if name is not None:
                for language, text in self.by_id[name].items():
                    if not languages or languages[-1] == language:
                        self.by_id[name][language] = text + data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader._open
    return reader


def test_every_cell_leads_to_its_reasons() -> None:
    reader = read(PAGE)
    buttons = [
        attrs
        for tag, attrs in reader.tags
        if tag == "button" and (attrs.get("class") or "").startswith("cell ")
    ]
    assert len(buttons) == len(MATRIX.rows) * len(MATRIX.stations)
    cells = [cell for row in MATRIX.rows for cell in row.cells]
    for button, cell in zip(buttons, cells, strict=True):
        assert (button["class"] or "").split() == ["cell", cell.verdict.value]
        behind = reader.by_id[button["popovertarget"] or ""]
        for each in cell.reasons:
            assert each.reason.en in behind["en"]
            assert each.rule.id in behind["en"]
            assert each.reason.zh in behind["zh-CN"]
            assert each.reason.en in (button["title"] or "") or each is not cell.reasons[0]
        for settle in cell.settles:
            assert settle.text.en in behind["en"]
            assert settle.text.zh in behind["zh-CN"]


def test_the_reasons_stand_in_a_table_too() -> None:
    reasons = read(PAGE).by_id["reasons"]
    for row in MATRIX.rows:
        for cell in row.cells:
            for each in cell.reasons:
                assert each.reason.en in reasons["en"]
                assert each.reason.zh in reasons["zh-CN"]


def test_the_page_says_what_is_invented() -> None:
    reader = read(PAGE)
    text = PAGE[: PAGE.index('id="grid"')]
    assert "invented" in text
    assert "虚构" in text
    assert "Supposed" in text
    assert "(supposed)" in " ".join(reader.by_id["reasons"]["en"].split())
    assert "assumed" in reader.by_id["devices"]["en"]
    for fact in MATRIX.scenario.facts:
        assert fact.text.en in reader.by_id["facts"]["en"]
        assert fact.at in reader.by_id["facts"]["en"]


def test_the_page_asks_nothing_of_anybody() -> None:
    reader = read(PAGE)
    assert not [tag for tag, _ in reader.tags if tag in ("script", "img", "iframe", "form", "object")]
    for _, attrs in reader.tags:
        for name in ("href", "src"):
            assert (attrs.get(name) or "#").startswith(("#", "data:"))
        assert not any(name.startswith("on") for name in attrs)
    assert "url(" not in PAGE
    targets = {(attrs["href"] or "")[1:] for tag, attrs in reader.tags if tag == "a"}
    assert targets <= set(reader.by_id)


def test_rules_and_their_items_are_explained() -> None:
    rules = read(PAGE).by_id["rules"]["en"]
    assert "cn-js-hdt-2022 pack.outline" in rules
    assert "The station's hoist carries the pack." in rules


def test_what_a_scenario_says_is_text_and_never_markup() -> None:
    scenario = """schema = 1
[scenario]
id = "s"
title = "<script>alert(1)</script>"
[pack.one]
name = "<b>one</b>"
[pack.one.mechanical]
handling = { basis = "unset", why = "\\"><img src=x>" }
[station.s]
name = "'\\"><i>"
"""
    page = render(matrix(parse_scenario(scenario, "s.toml")))
    reader = read(page)
    assert {tag for tag, _ in reader.tags}.isdisjoint({"script", "img", "i"})
    assert "&lt;b&gt;one&lt;/b&gt;" in page
    assert "Supposed" not in page


def test_a_scenario_without_devices_makes_a_page() -> None:
    read(render(matrix(parse_scenario('schema = 1\n[scenario]\nid = "s"\ntitle = "t"\n', "s.toml"))))
