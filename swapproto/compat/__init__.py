"""Can these two meet? Descriptors of packs, trucks and stations, rules, and a three-valued answer."""

from swapproto.compat.answer import Answer, Verdict, check
from swapproto.compat.conform import conforms
from swapproto.compat.descriptor import Declared, Descriptor, Device, Standing
from swapproto.compat.load import load_descriptor, load_scenario
from swapproto.compat.matrix import Matrix, Row, matrix
from swapproto.compat.requirement import REQUIREMENTS, Requirement
from swapproto.compat.rules import RULES, Outcome, Result, Rule
from swapproto.compat.scenario import Scenario

__all__ = [
    "REQUIREMENTS",
    "RULES",
    "Answer",
    "Declared",
    "Descriptor",
    "Device",
    "Matrix",
    "Outcome",
    "Requirement",
    "Result",
    "Row",
    "Rule",
    "Scenario",
    "Standing",
    "Verdict",
    "check",
    "conforms",
    "load_descriptor",
    "load_scenario",
    "matrix",
]
