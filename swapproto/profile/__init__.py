"""Specifications as data: every value with its unit, its source and what it can decide."""

from swapproto.profile.keys import KEYS, key_of
from swapproto.profile.kinds import Form, Governs, Key, Listing
from swapproto.profile.load import load, shipped
from swapproto.profile.model import Clause, Document, Leaf, Profile, Read
from swapproto.profile.values import (
    BadValue,
    Outline,
    Quantity,
    Range,
    Scalar,
    Value,
    admits,
    in_text,
    parse_measure,
    parse_outline,
    parse_quantity,
    parse_range,
)

__all__ = [
    "KEYS", "BadValue", "Clause", "Document", "Form", "Governs", "Key", "Leaf", "Listing", "Outline",
    "Profile", "Quantity", "Range", "Read", "Scalar", "Value", "admits", "in_text", "key_of", "load",
    "parse_measure", "parse_outline", "parse_quantity", "parse_range", "shipped",
]  # fmt: skip
