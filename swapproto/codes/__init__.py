"""Codes that identify packs and trucks: GB/T 34014 pack codes and VINs.

Reading never raises: what is wrong becomes faults with their positions, where sources disagree a doubt stays.
"""

from swapproto.codes.pack import (
    CHEMISTRIES,
    LAYOUT,
    SECOND_LIFE_LAYOUT,
    YEAR_TABLES,
    CodeReading,
    Meaning,
    PackCode,
    Product,
    YearTable,
)
from swapproto.codes.reading import Alphabet, CodeField, Doubt, Fault, FaultKind, Reading
from swapproto.codes.vin import VIN_LAYOUT, Vin, VinReading, check_digit, with_check_digit

__all__ = [
    "CHEMISTRIES",
    "LAYOUT",
    "SECOND_LIFE_LAYOUT",
    "VIN_LAYOUT",
    "YEAR_TABLES",
    "Alphabet",
    "CodeField",
    "CodeReading",
    "Doubt",
    "Fault",
    "FaultKind",
    "Meaning",
    "PackCode",
    "Product",
    "Reading",
    "Vin",
    "VinReading",
    "YearTable",
    "check_digit",
    "with_check_digit",
]
