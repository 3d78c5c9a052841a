"""GB/T 34014 codes of packs, modules and cells: 24 characters, 19 for a product in its second life."""

import datetime as dt
from calendar import monthrange
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from swapproto.codes.reading import Alphabet, CodeField, Doubt, Reading, alphabet, fields, wrong_length
from swapproto.errors import CodecError
from swapproto.provenance import Basis, Source

PATTERN = Source(
    "GB/T 34014-2017, code structure",
    Basis.REPORTED,
    1,
    "the pattern of the Catena-X model TractionBatteryCode; no second full source",
)
PRODUCT_LETTERS = Source("GB/T 34014-2017, product type", Basis.REPORTED, 2)
SECOND_LIFE_19 = Source(
    "GB/T 34014-2017, echelon use: 19 characters",
    Basis.REPORTED,
    2,
    "the pattern of the Catena-X model, and CellScanner",
)
SECOND_LIFE_18 = Source(
    "GB/T 34014-2017, echelon use: 18 characters",
    Basis.REPORTED,
    1,
    "the text of the Catena-X model, against its own pattern; it gives no layout",
)
YEARS_SKIPPING = Source(
    "GB/T 34014-2017, year: letters without I, O, Q", Basis.REPORTED, 1, "agrees with the published pattern"
)
YEARS_CONTIGUOUS = Source(
    "GB/T 34014-2017, year: letters without gaps", Basis.REPORTED, 1, "against the published pattern"
)
YEARS = Source("GB/T 34014-2017, year", Basis.REPORTED, 1, "what either of the public tables knows")
DAYS = Source(
    "GB/T 34014-2017, day",
    Basis.DERIVED,
    0,
    "1-9 and the letters of the pattern in their order are exactly 31; the 0 of the pattern has no meaning",
)
CALENDAR = Source("calendar", Basis.DERIVED, 0, "a date that no year has")

_YEAR_SOURCES = (YEARS_SKIPPING, YEARS_CONTIGUOUS)
_LENGTH_DOUBT = Doubt(
    None, "a second-life code has 19 characters or 18: the sources disagree", (SECOND_LIFE_19, SECOND_LIFE_18)
)

_ANY = alphabet("A-Z 0-9")
_PRODUCTS = alphabet("P M C")
_CHEMISTRIES = alphabet("A-G Z")
_MONTHS = alphabet("1-9 A-C")
_DAYS = alphabet("1-9 A-H J-N P R-Y")
_DIGITS = alphabet("0-9")


class YearTable(msgspec.Struct, frozen=True):
    """One source's table of year characters, from `FIRST_YEAR` on."""

    letters: Alphabet
    source: Source

    def year(self, character: str) -> int | None:
        number = self.letters.number(character)
        return None if number is None else FIRST_YEAR + number


FIRST_YEAR = 2011
YEAR_TABLES = (
    YearTable(alphabet("1-9 A-H J-N P R-Y"), YEARS_SKIPPING),
    YearTable(alphabet("1-9 A-Z"), YEARS_CONTIGUOUS),
)
"""The two tables that are public; they agree up to H (2027)."""

_HEAD = (
    ("manufacturer", 3, _ANY, PATTERN),
    ("product", 1, _PRODUCTS, PRODUCT_LETTERS),
    ("chemistry", 1, _CHEMISTRIES, PATTERN),
    ("specification", 2, _ANY, PATTERN),
)
_PRODUCTION = (
    ("year", 1, YEAR_TABLES[1].letters, YEARS),
    ("month", 1, _MONTHS, PATTERN),
    ("day", 1, alphabet("0-9 A-H J-N P R-Y"), PATTERN),
    ("serial", 7, _DIGITS, PATTERN),
)
LAYOUT = fields(*_HEAD, ("traceability", 7, _ANY, PATTERN), *_PRODUCTION)
"""The 24 characters; a year is what either table knows."""
SECOND_LIFE_LAYOUT = fields(
    *_HEAD,
    *_PRODUCTION,
    ("mark", 1, alphabet("R"), SECOND_LIFE_19),
    ("second_life", 1, _PRODUCTS, SECOND_LIFE_19),
)
"""The 19 characters of the pattern: no traceability, then R and what the product is now."""
_ANYWHERE = fields(("any field", 24, _ANY, PATTERN))


class Product(Enum):
    """What the code is on."""

    PACK = "P"
    MODULE = "M"
    CELL = "C"

    @property
    def label(self) -> str:
        return self.name.lower()


class Meaning(msgspec.Struct, frozen=True):
    """What a character stands for, and who says so."""

    label: str
    source: Source


CHEMISTRIES = MappingProxyType(
    {
        "B": Meaning("lithium iron phosphate", Source("GB/T 34014-2017, chemistry B", Basis.REPORTED, 2)),
        "E": Meaning("ternary", Source("GB/T 34014-2017, chemistry E", Basis.REPORTED, 1)),
    }
)
"""The chemistry letters whose meaning is public; A, C, D, F, G and Z exist without one."""


class PackCode(msgspec.Struct, frozen=True, gc=False):
    """A code by its characters; building one that breaks the layout is a CodecError that names the field."""

    manufacturer: str
    product: Product
    chemistry: str
    specification: str
    traceability: str | None
    """None in the second-life form, and only there."""
    year: str
    month: str
    day: str
    serial: str
    second_life: Product | None = None
    """What the product has become; None in the 24-character form."""

    def __post_init__(self) -> None:
        if (self.traceability is None) != (self.second_life is not None):
            reason = "stands in the 24-character form and not in the second-life form"
            raise CodecError("PackCode", "traceability", None, reason)
        for field in self.layout:
            value = self.part(field)
            if len(value) != field.length:
                reason = f"{value!r} has {len(value)} characters, not {field.length}"
                raise CodecError("PackCode", field.name, None, reason)
            for character in value:
                if character not in field.alphabet:
                    reason = f"{character!r} in {value!r} is none of {field.alphabet.words}"
                    raise CodecError("PackCode", field.name, None, reason)

    def __str__(self) -> str:
        return "".join(map(self.part, self.layout))

    @property
    def layout(self) -> tuple[CodeField, ...]:
        """The fields of the form that this code has."""
        return LAYOUT if self.second_life is None else SECOND_LIFE_LAYOUT

    def part(self, field: CodeField) -> str:
        """The characters of a field of the layout."""
        value: str | Product = "R" if field.name == "mark" else getattr(self, field.name)
        return value.value if isinstance(value, Product) else value

    @classmethod
    def build(
        cls,
        *,
        manufacturer: str,
        product: Product,
        chemistry: str,
        specification: str,
        traceability: str | None,
        made: dt.date,
        serial: int,
        second_life: Product | None = None,
    ) -> "PackCode":
        """A code for a day of production; from 2028 on the tables disagree and the letters must be chosen."""
        return cls(
            manufacturer=manufacturer,
            product=product,
            chemistry=chemistry,
            specification=specification,
            traceability=traceability,
            year=_year_letter(made.year),
            month=_MONTHS.members[made.month - 1],
            day=_DAYS.members[made.day - 1],
            serial=f"{serial:07d}",
            second_life=second_life,
        )

    @staticmethod
    def parse(text: str) -> "CodeReading":
        """Read a code, as from a label or from the bus, which carries up to 27 characters of any kind.

        What is no GB/T 34014 code keeps its text in the reading. A second-life code of 18 characters stays
        unread: no source has a layout of that length.
        """
        if len(text) == 18:
            reason = "one source gives a second-life code 18 characters but no layout; its pattern has 19"
            faults = wrong_length(text, 19, _ANYWHERE, reason, SECOND_LIFE_19)
            return Reading(text, None, faults, (_LENGTH_DOUBT,))
        if len(text) not in (19, 24):
            reason = f"{len(text)} characters; a code has 24, or 19 in its second life"
            return Reading(text, None, wrong_length(text, 24, _ANYWHERE, reason, PATTERN))
        second_life = len(text) == 19
        layout = SECOND_LIFE_LAYOUT if second_life else LAYOUT
        faults = tuple(fault for field in layout for fault in field.faults(text))
        if faults:
            return Reading(text, None, faults, (_LENGTH_DOUBT,) if second_life else ())
        parts = {field.name: field.of(text) for field in layout}
        code = PackCode(
            manufacturer=parts["manufacturer"],
            product=Product(parts["product"]),
            chemistry=parts["chemistry"],
            specification=parts["specification"],
            traceability=parts.get("traceability"),
            year=parts["year"],
            month=parts["month"],
            day=parts["day"],
            serial=parts["serial"],
            second_life=Product(parts["second_life"]) if second_life else None,
        )
        return Reading(text, code, (), code.doubts)

    @property
    def chemistry_meaning(self) -> Meaning | None:
        """None for a letter whose meaning is not public."""
        return CHEMISTRIES.get(self.chemistry)

    @property
    def years(self) -> tuple[int, ...]:
        """What the tables make of the year, in order of `YEAR_TABLES`; one where they agree."""
        found = (table.year(self.year) for table in YEAR_TABLES)
        return tuple(dict.fromkeys(year for year in found if year is not None))

    @property
    def month_number(self) -> int:
        """1 to 12."""
        return _MONTHS.members.index(self.month) + 1

    @property
    def day_number(self) -> int | None:
        """1 to 31; None for the 0 that the pattern admits."""
        number = _DAYS.number(self.day)
        return None if number is None else number + 1

    @property
    def dates(self) -> tuple[dt.date, ...]:
        """The days of production that the readings of the year leave; empty if the calendar has none."""
        month, day = self.month_number, self.day_number
        if day is None:
            return ()
        return tuple(dt.date(year, month, day) for year in self.years if day <= monthrange(year, month)[1])

    @property
    def date(self) -> dt.date | None:
        """The day of production, where only one is possible."""
        dates = self.dates
        return dates[0] if len(dates) == 1 else None

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """What the sources leave open about this code.

        A date that the calendar lacks is a doubt and no fault: the pattern admits it, and a pack is known by
        its code whatever was marked as its day.
        """
        return tuple(self._doubts())

    def _doubts(self) -> "list[Doubt]":
        found = [_LENGTH_DOUBT] if self.second_life is not None else []
        place = {field.name: field.first for field in self.layout}
        years = " or ".join(map(str, self.years))
        if len(self.years) > 1:
            reason = f"year {self.year} is {years}: the tables disagree"
            found.append(Doubt(place["year"], reason, _YEAR_SOURCES))
        elif any(self.year not in table.letters for table in YEAR_TABLES):
            reason = f"year {self.year} is {years} in one table and unknown to the other"
            found.append(Doubt(place["year"], reason, _YEAR_SOURCES))
        if self.day not in _DAYS:
            found.append(
                Doubt(place["day"], f"day {self.day} is in the pattern and is no day", (PATTERN, DAYS))
            )
        elif not self.dates:
            reason = f"the calendar has no day {self.day} in month {self.month} of that year"
            found.append(Doubt(place["day"], reason, (DAYS, CALENDAR)))
        return found


CodeReading: TypeAlias = Reading[PackCode]


def _year_letter(year: int) -> str:
    letters = [table.letters.character(year - FIRST_YEAR) for table in YEAR_TABLES]
    first = letters[0]
    if first is None or letters != [first] * len(letters):
        known = " or ".join(letter for letter in letters if letter is not None)
        reason = (
            f"{year} is {known}, the tables disagree: choose the letter with PackCode(year=...)"
            if known
            else f"{year} has no letter in either table; the first year is {FIRST_YEAR}"
        )
        raise CodecError("PackCode", "year", None, reason)
    return first
