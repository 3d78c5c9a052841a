"""Where a value comes from and how far it can be trusted."""

from enum import Enum

import msgspec


class Basis(Enum):
    """What a value rests on; the order of the members is the order of trust."""

    STATED = "stated"
    """The text of the standard itself was read."""
    REPORTED = "reported"
    """Others report the text."""
    OBSERVED = "observed"
    """Seen on devices, in recordings, in DBC files."""
    DERIVED = "derived"
    """Follows from other values by arithmetic or comparison."""
    ASSUMED = "assumed"
    """Chosen by us, because something had to be."""
    UNSET = "unset"
    """Not public."""


class Weight(Enum):
    """What something that rests on a basis can decide about a device."""

    FULL = "can pass and fail"
    PASS_ONLY = "can pass, cannot fail"  # noqa: S105 - a verdict
    NONE = "decides nothing"


def weight(basis: Basis, witnesses: int) -> Weight:
    """The text or two independent witnesses decide; one witness, or an inference, can only pass."""
    if basis is Basis.STATED:
        return Weight.FULL
    if basis in (Basis.ASSUMED, Basis.UNSET):
        return Weight.NONE
    if basis is Basis.DERIVED:
        return Weight.PASS_ONLY
    if witnesses >= 2:
        return Weight.FULL
    return Weight.PASS_ONLY if witnesses == 1 else Weight.NONE


class Source(msgspec.Struct, frozen=True):
    """A place in a document and the trust that the value read there deserves."""

    at: str
    """Document and clause."""
    basis: Basis = Basis.REPORTED
    witnesses: int = 1
    """Independent witnesses; 2 stands for two or more."""
    why: str = ""

    def __str__(self) -> str:
        by = f", {self.witnesses} witness{'es' if self.witnesses != 1 else ''}" if self.witnesses else ""
        return f"{self.at} ({self.basis.value}{by})"
