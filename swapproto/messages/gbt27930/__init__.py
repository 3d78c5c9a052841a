"""GB/T 27930: the conversation of charger and BMS, as swap stations use it to charge packs in their bays.

The classes here are those of the 2015 edition; ``edition2011`` and ``edition2023`` hold what differs.
"""

from swapproto.messages.gbt27930.charging import BCL, BCS, BMT, BMV, BSM, BSP, CCS, CellVoltage
from swapproto.messages.gbt27930.codes import (
    BMS_ADDRESS,
    CHARGER_ADDRESS,
    ChargeMode,
    Chemistry,
    Condition,
    Edition,
    Level,
    Ownership,
    Party,
    Permission,
    Phase,
    Reached,
    Ready,
    Recognition,
    Timeout,
)
from swapproto.messages.gbt27930.diagnosis import DM1, DM2, DM3, DM4, DM5, DM6
from swapproto.messages.gbt27930.ending import BEM, BSD, BST, CEM, CSD, CST
from swapproto.messages.gbt27930.parties import ChargingMessage
from swapproto.messages.gbt27930.setup import BCP, BHM, BRM, BRO, CHM, CML, CRM, CRO, CTS

MESSAGES: tuple[type[ChargingMessage], ...] = (
    CHM, BHM, CRM, BRM, BCP, CTS, CML, BRO, CRO, BCL, BCS, CCS, BSM, BMV, BMT, BSP,
    BST, CST, BSD, CSD, BEM, CEM, DM1, DM2, DM3, DM4, DM5, DM6,
)  # fmt: skip
"""Every message of the 2015 edition, in the order of its tables."""

__all__ = [
    "BCL", "BCP", "BCS", "BEM", "BHM", "BMS_ADDRESS", "BMT", "BMV", "BRM", "BRO", "BSD", "BSM", "BSP",
    "BST", "CCS", "CEM", "CHARGER_ADDRESS", "CHM", "CML", "CRM", "CRO", "CSD", "CST", "CTS", "DM1", "DM2",
    "DM3", "DM4", "DM5", "DM6", "MESSAGES", "CellVoltage", "ChargeMode", "ChargingMessage", "Chemistry",
    "Condition", "Edition", "Level", "Ownership", "Party", "Permission", "Phase", "Reached", "Ready",
    "Recognition", "Timeout",
]  # fmt: skip
