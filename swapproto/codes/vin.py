"""Vehicle identification numbers (ISO 3779, GB 16735) with their check digit."""

from typing import TypeAlias

import msgspec

from swapproto.codes.reading import Fault, FaultKind, Reading, alphabet, fields, wrong_length
from swapproto.errors import CodecError
from swapproto.provenance import Basis, Source

FORM = Source("ISO 3779 / GB 16735, characters", Basis.REPORTED, 2)
CHECK = Source(
    "GB 16735, check digit",
    Basis.REPORTED,
    2,
    "compulsory in China; a VIN from elsewhere may hold another character at position 9",
)

LENGTH = 17
CHECK_POSITION = 9
CHECK_DIGITS = "0123456789X"
WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
"""Weight of each position, modulo 11; the check digit itself weighs nothing [2+]."""
VALUES = dict(
    zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "012345678912345678123457923456789"), strict=True)
)
"""What each character counts; there is no I, O or Q [2+]."""

_LETTERS = alphabet("A-H J-N P R-Z 0-9")
VIN_LAYOUT = fields(
    ("before the check digit", 8, _LETTERS, FORM),
    ("check digit", 1, _LETTERS, CHECK),
    ("after the check digit", 8, _LETTERS, FORM),
)


class Vin(msgspec.Struct, frozen=True, gc=False):
    """A VIN of 17 characters, whether or not its check digit holds; another form is a CodecError."""

    text: str

    def __post_init__(self) -> None:
        _require_form(self.text, "Vin")

    def __str__(self) -> str:
        return self.text

    @classmethod
    def build(cls, before: str, after: str) -> "Vin":
        """Eight characters, the check digit that all call for, eight characters."""
        for name, part in (("before", before), ("after", after)):
            if len(part) != 8:
                raise CodecError("Vin", name, None, f"{part!r} has {len(part)} characters, not 8")
        return with_check_digit(f"{before}0{after}")

    @staticmethod
    def parse(text: str) -> "VinReading":
        """Read a VIN; a wrong check digit is a fault of its own kind and the VIN is still given."""
        if len(text) != LENGTH:
            reason = f"{len(text)} characters; a VIN has {LENGTH}"
            return Reading(text, None, wrong_length(text, LENGTH, VIN_LAYOUT, reason, FORM))
        faults = tuple(fault for field in VIN_LAYOUT for fault in field.faults(text))
        if faults:
            return Reading(text, None, faults)
        vin = Vin(text)
        if vin.check_digit_holds:
            return Reading(text, vin)
        called_for = check_digit(text)
        reason = f"the other characters call for the check digit {called_for}"
        found = text[CHECK_POSITION - 1]
        return Reading(
            text, vin, (Fault(FaultKind.CHECK_DIGIT, CHECK_POSITION, found, called_for, reason, CHECK),)
        )

    @property
    def check_digit_holds(self) -> bool:
        """Position 9 is the digit that the others call for.

        A change of one other character is seen unless both count the same (A, J and 1 do).
        """
        return self.text[CHECK_POSITION - 1] == check_digit(self.text)


VinReading: TypeAlias = Reading[Vin]


def check_digit(text: str) -> str:
    """The check digit that 17 characters call for, 0-9 or X; the ninth is left out of account."""
    _require_form(_without_check_digit(text), "check_digit")
    total = sum(weight * VALUES[character] for weight, character in zip(WEIGHTS, text, strict=True) if weight)
    return CHECK_DIGITS[total % 11]


def with_check_digit(text: str) -> Vin:
    """The VIN of 17 characters whose ninth, whatever it is, gives way to the check digit."""
    digit = check_digit(text)
    return Vin(text[: CHECK_POSITION - 1] + digit + text[CHECK_POSITION:])


def _without_check_digit(text: str) -> str:
    return text if len(text) < CHECK_POSITION else f"{text[: CHECK_POSITION - 1]}0{text[CHECK_POSITION:]}"


def _require_form(text: str, what: str) -> None:
    if len(text) != LENGTH:
        raise CodecError(what, "text", None, f"{text!r} has {len(text)} characters, not {LENGTH}")
    for fault in (fault for field in VIN_LAYOUT for fault in field.faults(text)):
        raise CodecError(what, "text", fault.position - 1, f"{fault.character!r}: {fault.reason}")
