"""Faulty devices, made from the reference devices through their public hooks: each must be caught."""

from swapproto_conformance.devices import BuiltIn
from swapproto_conformance.faulty_chargers import CHARGERS
from swapproto_conformance.faulty_packs import PACKS

MUTANTS: tuple[BuiltIn, ...] = (*CHARGERS, *PACKS)
