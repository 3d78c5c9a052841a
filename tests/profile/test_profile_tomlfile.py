import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.errors import ProfileError
from swapproto.tomlfile import dotted, parse_toml, read_toml

TEXT = '''# a comment with [brackets] and = signs
schema = 1 # and another

[profile]
"a key" = "x # no comment"
b.c = """
many [lines]
key = "of \\"text\\""
"""
lit = \'\'\'raw ' "text"
\'\'\'
list = [
  "one", # [first]
  { two = 2, "three.4" = [ 3 ] },
]
[[clause]]
number = '1'
[clause.more]
x = 1
[[clause]]
number = "2"
[message."A.b".field]
f = { value = "1 V",   at = "x" }
day = 2022-12-01 10:00:00
'''
PLACES = {
    ("schema",): 2,
    ("profile",): 4,
    ("profile", "a key"): 5,
    ("profile", "b", "c"): 6,
    ("profile", "lit"): 10,
    ("profile", "list"): 12,
    ("profile", "list", "0"): 13,
    ("profile", "list", "1", "two"): 14,
    ("profile", "list", "1", "three.4", "0"): 14,
    ("clause", "0"): 16,
    ("clause", "0", "number"): 17,
    ("clause", "0", "more", "x"): 19,
    ("clause", "1", "number"): 21,
    ("message", "A.b", "field", "f", "at"): 23,
    ("message", "A.b", "field", "day"): 24,
}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_every_key_has_its_line(ends: str) -> None:
    file = parse_toml(TEXT.replace("\n", ends), "x.toml")
    assert {path: file.lines.get(path) for path in PLACES} == PLACES
    assert file.line(("profile", "list", "1", "none", "deeper")) == 14
    assert file.line(("none",)) is None


def test_an_error_names_file_line_and_key() -> None:
    error = parse_toml(TEXT, "x.toml").wrong(("message", "A.b", "field", "f"), "is bad")
    assert str(error) == 'x.toml:23: message."A.b".field.f: is bad'
    assert (error.path, error.key, error.line) == ("x.toml", dotted(("message", "A.b", "field", "f")), 23)
    assert str(ProfileError("p", "k", "r")) == "p: k: r"


def test_what_is_no_toml_has_its_line() -> None:
    with pytest.raises(ProfileError, match=r"^x\.toml:2: file: this is no TOML"):
        parse_toml("a = 1\nb = \n", "x.toml")
    for name in ("a", "a.b", '"a b".c'):
        with pytest.raises(ProfileError, match=r"^x\.toml:2: .* the key stands twice in one table") as caught:
            parse_toml(f"{name} = 1\n  {name} = 2\n", "x.toml")
        assert caught.value.key == name
    with pytest.raises(ProfileError, match=r"^x\.toml:4: file: this is no TOML"):
        parse_toml('a = 1\na = """\n\n"""\n', "x.toml")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert read_toml(tmp_path / "x.toml").table == {"a": 1}


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "[" * 5000 + "]" * 5000])
def test_what_is_nested_too_deeply_is_refused(text: str) -> None:
    with pytest.raises(ProfileError, match=r"^x\.toml: file: cannot be read: .* nested too deeply"):
        parse_toml(text, "x.toml")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read: No such file"):
        read_toml(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(ProfileError, match="no UTF-8 at byte 6"):
        read_toml(tmp_path / "bad.toml")


names = st.text(st.sampled_from("ab-_ .\"'#=[]{}é"), min_size=1, max_size=4)
strings = st.text(st.sampled_from("ab \"'\\\n#=,[]{}é"), max_size=8)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def block(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"""{escaped}"""'


scalars = st.one_of(
    strings.map(quoted),
    strings.map(block),
    st.sampled_from(["1", "-1.5", "true", "1979-05-27", "'lit # #'", "'''a\n'b'''", "0xFF", "inf"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[ # note ]\n" + ",\n".join(items) + "\n]"),
        st.dictionaries(names, scalars, max_size=2).map(
            lambda table: "{ " + ", ".join(f"{quoted(key)} = {value}" for key, value in table.items()) + " }"
        ),
    ),
    max_leaves=6,
)


@given(st.dictionaries(names, values, max_size=5))
def test_the_scanner_finds_every_key_of_any_table(table: dict[str, str]) -> None:
    text, lines = "", {}
    for key, value in table.items():
        lines[("t", key)] = (text + "[t]\n").count("\n") + 1
        text += f"{quoted(key)} = {value}  # end\n"
    text = "[t]\n" + text
    file = parse_toml(text, "x")
    assert {path: line for path, line in file.lines.items() if len(path) == 2} == lines
    assert set(tomllib.loads(text)["t"]) == {path[1] for path in lines}
