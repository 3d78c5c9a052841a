"""The JSON Schema of a profile file, made from the registry, so that editors complete and check."""

import json
from typing import Any, TypeAlias

import msgspec

from swapproto.profile.declared import CHANGEABLE, CHANGEABLE_OF_FIELD, ON_EVENT
from swapproto.profile.keys import KEYS, SECTIONS
from swapproto.profile.kinds import Form, Key, Listing
from swapproto.profile.model import Clause, Document, Read
from swapproto.profile.values import units_in
from swapproto.provenance import Basis

Schema: TypeAlias = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_NUMBER = r"[+-]?[0-9]+(\.[0-9]+)?"
_TEXT: Schema = {"type": "string", "minLength": 1}
_TEXTS: Schema = {"type": "array", "items": _TEXT, "uniqueItems": True}
_WHOLE: Schema = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^[0-9]+$"}]}


def schema() -> Schema:
    """The schema as plain dictionaries; dates are those that TOML has."""
    return {
        "$schema": _DRAFT,
        "title": "swapproto profile",
        "description": "A battery-swap specification: each value with its unit, its source and its basis.",
        **_object(
            {
                "schema": {"const": 1},
                "profile": _object(
                    {
                        "id": {"type": "string", "pattern": r"^[a-z0-9]+([.-][a-z0-9]+)*$"},
                        "title": _TEXT,
                        "title_zh": _TEXT,
                        "scope": _TEXT,
                        "extends": _TEXTS,
                        "messages": _TEXTS,
                    },
                    ("id", "title", "scope"),
                ),
                "document": {"type": "object", "additionalProperties": _struct(Document, leave=("id",))},
                "clause": {"type": "array", "items": _struct(Clause)},
                "message": {"type": "object", "additionalProperties": _message()},
                **{section: _section(section) for section in SECTIONS},
            },
            ("schema", "profile"),
        ),
        "$defs": {
            "basis": _basis_rules(),
            "change": _leaf(_TEXT, replaces=True),
            **{_kind(key): _leaf(_value(key)) for key in KEYS.values()},
        },
    }


def text() -> str:
    """The schema as the file that is shipped."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _object(properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    made: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return made | ({"required": list(required)} if required else {})


def _struct(kind: type[Document | Clause], leave: tuple[str, ...] = ()) -> Schema:
    fields = [field for field in msgspec.structs.fields(kind) if field.name not in leave]
    required = tuple(field.name for field in fields if field.required)
    return _object({field.name: _of_field(field) for field in fields}, required)


def _of_field(field: msgspec.structs.FieldInfo) -> Schema:
    if field.type is Read:
        return {"enum": [each.value for each in Read]}
    if field.name == "keys":
        return {"type": "array", "items": {"enum": list(KEYS)}, "uniqueItems": True}
    if field.name == "facts":
        return _TEXTS
    return _TEXT if field.type is str else {"type": "string", "format": "date"}


def _section(section: str) -> Schema:
    keys = [key for key in KEYS.values() if key.section == section]
    return _object({key.item: _item(key) for key in keys})


def _item(key: Key) -> Schema:
    return {"description": f"{key.title} ({key.title_zh}); {key.kind}", "$ref": f"#/$defs/{_kind(key)}"}


def _kind(key: Key) -> str:
    """The name under which all items of this kind share a definition."""
    words = (*key.dimensions, *key.words) or (key.form.name.lower(),)
    return " or ".join((*words, key.listing.name.lower())).replace(" ", "-")


def _message() -> Schema:
    kinds: dict[str, Schema] = {
        "period": {"anyOf": [_quantity("time"), {"const": ON_EVENT}]},
        "priority": {"type": "integer", "minimum": 0, "maximum": 7},
        "optional": {"type": "boolean"},
    }
    change: Schema = {"$ref": "#/$defs/change"}
    fields = _object(dict.fromkeys(CHANGEABLE_OF_FIELD, change))
    changes = {name: _leaf(kinds[name], replaces=True) for name in CHANGEABLE}
    return _object({**changes, "field": {"type": "object", "additionalProperties": fields}})


def _leaf(value: Schema, *, replaces: bool = False) -> Schema:
    made = _object(
        {
            "value": value,
            "at": _TEXT,
            "basis": {"enum": [each.value for each in Basis]},
            "witnesses": {"type": "integer", "minimum": 0},
            "why": _TEXT,
            "replaces": {"anyOf": [value, {"const": Basis.UNSET.value}]},
        },
        ("at", "basis", "replaces") if replaces else ("at", "basis"),
    )
    return made | {"$ref": "#/$defs/basis"}


def _basis_rules() -> Schema:
    def where(*bases: Basis) -> Schema:
        return {"properties": {"basis": {"enum": [each.value for each in bases]}}}

    return {
        "allOf": [
            {
                "if": where(Basis.UNSET),
                "then": {"properties": {"value": False}},
                "else": {"required": ["value"]},
            },
            {"if": where(Basis.STATED), "else": {"required": ["why"]}},
            {
                "if": where(Basis.REPORTED, Basis.OBSERVED),
                "then": {"required": ["witnesses"], "properties": {"witnesses": {"minimum": 1}}},
            },
            {
                "if": where(Basis.ASSUMED, Basis.UNSET),
                "then": {"properties": {"witnesses": {"maximum": 0}}},
            },
        ]
    }


def _value(key: Key) -> Schema:
    one = _one(key)
    many: Schema = {"type": "array", "minItems": 1, "items": one}
    return {"anyOf": [one, many | ({} if key.listing is Listing.STEPS else {"uniqueItems": True})]}


def _one(key: Key) -> Schema:
    match key.form:
        case Form.QUANTITY:
            return _quantity(*key.dimensions)
        case Form.COUNT:
            return {"anyOf": [*_WHOLE["anyOf"], _string(r"([0-9]+)? *\.\. *([0-9]+)?")]}
        case Form.OUTLINE:
            side = f"{_NUMBER} *{_units('length')}"
            return _string(rf"{side}( +[x×] +{side}){{2}}")
        case Form.ADDRESS:
            return {
                "anyOf": [
                    {"type": "integer", "minimum": 0, "maximum": 255},
                    _string("0x[0-9A-Fa-f]{1,2}|[0-9]{1,3}"),
                ]
            }
        case Form.WORD:
            return {"enum": list(key.words)}
        case Form.TEXT:
            return _TEXT


def _quantity(*dimensions: str) -> Schema:
    number = f"{_NUMBER} *{_units(*dimensions)}"
    return _string(rf"{number}|({number})? *\.\. *({number})?")


def _units(*dimensions: str) -> str:
    return f"({'|'.join(units_in(*dimensions))})"


def _string(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^ *({pattern}) *$"}
