import json
import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from swapproto.profile import KEYS, shipped
from swapproto.profile.schema import schema, text

VALIDATOR = Draft202012Validator(schema())
FOLDER = files("swapproto.profile")
OVERLAYS = sorted((Path(__file__).parents[2] / "examples").rglob("*overlay*.toml"))


def plain(value: Any) -> Any:
    """As an editor's TOML plug-in shows it to the schema: dates are strings."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def faults(toml: str) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(plain(tomllib.loads(toml)))]


def test_the_schema_is_one_and_the_file_is_its_text() -> None:
    Draft202012Validator.check_schema(schema())
    assert (FOLDER / "profile.schema.json").read_text(encoding="utf-8") == text()
    assert json.loads(text()) == schema()


@pytest.mark.parametrize("name", shipped())
def test_shipped_profiles_keep_to_it(name: str) -> None:
    assert faults((FOLDER / "data" / f"{name}.toml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.name)
def test_the_worked_overlay_keeps_to_it(path: Path) -> None:
    assert faults(path.read_text(encoding="utf-8")) == []


HEAD = """schema = 1
profile = { id = "x", title = "X", scope = "a test" }
"""
GOOD = 'mass = { value = "3.2 t", at = "d", basis = "stated" }'


def test_every_item_is_in_it() -> None:
    properties = schema()["properties"]
    assert {
        f"{section}.{item}" for section in properties for item in properties[section].get("properties", ())
    } >= set(KEYS)


@pytest.mark.parametrize(
    "leaf",
    [
        'mas = { value = "3.2 t", at = "d", basis = "stated" }',
        'mass = { value = "3.2", at = "d", basis = "stated" }',
        'mass = { value = "3.2 V", at = "d", basis = "stated" }',
        'mass = { value = 3.2, at = "d", basis = "stated" }',
        'mass = { value = [], at = "d", basis = "stated" }',
        'mass = { at = "d", basis = "stated" }',
        'mass = { value = "3.2 t", basis = "stated" }',
        'mass = { value = "3.2 t", at = "d", basis = "sure" }',
        'mass = { value = "3.2 t", at = "d", basis = "derived" }',
        'mass = { value = "3.2 t", at = "d", basis = "observed", why = "w" }',
        'mass = { value = "3.2 t", at = "d", basis = "assumed", why = "w", witnesses = 1 }',
        'mass = { value = "3.2 t", at = "d", basis = "unset", why = "w" }',
        'outline = { value = "1 m x 1 m", at = "d", basis = "stated" }',
        'guide_pins = { value = "4.5", at = "d", basis = "stated" }',
    ],
)
def test_what_the_loader_refuses_the_editor_marks(leaf: str) -> None:
    assert faults(f"{HEAD}[pack]\n{GOOD}\n") == []
    assert faults(f"{HEAD}[pack]\n{leaf}\n") != []


@pytest.mark.parametrize(
    ("section", "leaf"),
    [
        (
            "pack",
            'mass = { value = [".. 3 t", "4 t .. 5 t"], replaces = "unset", at = "d", basis = "stated" }',
        ),
        ("pack", 'outline = { value = "1 m x 20 cm x 3 mm", at = "d", basis = "stated" }'),
        ("bus", 'address_bms = { value = [0xF3, "0xF4"], at = "d", basis = "stated" }'),
        ("message.X", 'period = { value = "1 s", replaces = "on event", at = "d", basis = "stated" }'),
        ("message.X.field.y", 'scale = { value = "1 A", replaces = "2 A", at = "d", basis = "stated" }'),
    ],
)
def test_what_the_loader_takes_the_editor_takes(section: str, leaf: str) -> None:
    assert faults(f"{HEAD}[{section}]\n{leaf}\n") == []
