"""Parties, phases, editions and enumerations of GB/T 27930 (facts reported by two or more readers)."""

from enum import Enum

from swapproto.provenance import Basis, Source
from swapproto.wire.fields import Code

CHARGER_ADDRESS = 0x56
BMS_ADDRESS = 0xF4

LAYOUT_2015 = Source("GB/T 27930-2015, clause 9", Basis.REPORTED, 2)
"""Length, period, priority and field positions of the 2015 edition."""
LAYOUT_2011 = Source(
    "GB/T 27930-2011", Basis.DERIVED, 2, "from the 2015 tables and recordings of 2011 devices"
)
CONTENT_2023 = Source("GB/T 27930-2023", Basis.REPORTED, 1)
DRAFT_2023 = Source("ChaoJi CD1 draft", Basis.REPORTED, 1, "a draft, not the standard")


class Party(Enum):
    """The two ends of the conversation; the value is the J1939 address."""

    CHARGER = CHARGER_ADDRESS
    BMS = BMS_ADDRESS

    @property
    def peer(self) -> "Party":
        return Party.BMS if self is Party.CHARGER else Party.CHARGER

    @property
    def label(self) -> str:
        return "charger" if self is Party.CHARGER else "BMS"


class Phase(Enum):
    """The phase in which a message has its place."""

    HANDSHAKE = "handshake start"
    IDENTIFICATION = "identification"
    CONFIGURATION = "configuration"
    CHARGING = "charging"
    END = "end"
    ERROR = "error"


class Edition(Enum):
    """Editions whose messages are declared here; the A-type system of 2023 keeps those of 2015."""

    GBT_2011 = "2011"
    GBT_2015 = "2015"
    GBT_2023A = "2023 A-type"


class Recognition(Code):
    """SPN 2560."""

    NOT_RECOGNISED = 0x00
    RECOGNISED = 0xAA


class Chemistry(Code):
    """SPN 2566."""

    LEAD_ACID = 0x01
    NIMH = 0x02
    LFP = 0x03
    LMO = 0x04
    LCO = 0x05
    TERNARY = 0x06
    POLYMER = 0x07
    LTO = 0x08
    OTHER = 0xFF


class Ownership(Code):
    """SPN 2573."""

    LEASED = 0
    OWNED = 1


class Ready(Code):
    """SPN 2829 and 2830."""

    NOT_READY = 0x00
    READY = 0xAA
    INVALID = 0xFF


class ChargeMode(Code):
    """SPN 3074."""

    CONSTANT_VOLTAGE = 1
    CONSTANT_CURRENT = 2


class Level(Code):
    """SPN 3090 and 3091: a quantity too high or too low."""

    NORMAL = 0
    HIGH = 1
    LOW = 2


class Condition(Code):
    """A fault bit pair with its "untrusted"."""

    NORMAL = 0
    FAULT = 1
    UNTRUSTED = 2


class Reached(Code):
    """A stop reason: applies or not, or cannot be trusted."""

    NO = 0
    YES = 1
    UNTRUSTED = 2


class Timeout(Code):
    """BEM and CEM: whether a message failed to come in time."""

    NORMAL = 0
    TIMEOUT = 1
    UNTRUSTED = 2


class Permission(Code):
    """SPN 3096 (BSM) and 3929 (CCS)."""

    FORBIDDEN = 0
    ALLOWED = 1


class NegotiationResult(Code):
    """Version negotiation of the 2023 draft."""

    CONTINUE = 0
    AGREED = 1
    FAILED = 2
