"""Units, sources and enumerations of the D0/F3 family.

Where the source calls the value 0 reserved, it is named NOT_GIVEN: a device without the function leaves
its bits at zero (assumed), and remarks on every such frame would bury those that matter. It is as little
a state as INVALID: ``given`` is False for both, and for every value without a name. Other reserved values
have no name and are reported as unknown.
"""

from enum import Enum

from swapproto.provenance import Basis, Source
from swapproto.wire.fields import Code

ONE_DBC = Source("pack DBC v4.6 (D0/F3 family)", Basis.OBSERVED, 1)
"""Identifier, positions and scales that one file shows and nobody else confirms."""
DECODERS = Source("several decoders and the pack DBC v4.6", Basis.OBSERVED, 2)
"""Identifier, positions and scales that independent decoders share."""


def doubtful(why: str) -> Source:
    """The source of a field that has a doubt of its own."""
    return Source(ONE_DBC.at, Basis.OBSERVED, 1, why)


class Unit(Enum):
    """Who sends or receives; the value is the J1939 address."""

    BMS = 0xF3
    VEHICLE = 0xD0
    SWAP_CONTROLLER = 0xA7
    CLOCK = 0xD3
    STORAGE = 0xD2
    BMS_THERMAL = 0xF4
    THERMAL_UNIT = 0x3A

    @property
    def label(self) -> str:
        return self.name.lower().replace("_", " ").replace("bms", "BMS")


class PackValue(Code):
    """Base of the family's enumerations."""

    @property
    def given(self) -> bool:
        """Whether this is a state: neither reserved nor invalid, nor a value without a name."""
        return self.known and not self.name.startswith(("NOT_GIVEN", "INVALID"))


class RelayState(PackValue):
    """A contactor as reported: the command or the coil says it, a weld shows elsewhere."""

    NOT_GIVEN = 0
    OPEN = 1
    CLOSED = 2
    INVALID = 3


class Contact(PackValue):
    """A contact in one bit."""

    OPEN = 0
    CLOSED = 1


class RelayFault(PackValue):
    """What is wrong with a contactor of the vehicle."""

    OK = 0
    STUCK_OPEN = 1
    WELDED = 2
    INVALID = 3


class Fault(PackValue):
    """A fault in one bit."""

    OK = 0
    FAULT = 1


class AlarmLevel(PackValue):
    """The source calls level 1 an alarm and level 2 ordinary; level 3 is the gravest."""

    NONE = 0
    LEVEL_1 = 1
    LEVEL_2 = 2
    LEVEL_3 = 3


class SocketAlarm(PackValue):
    """The alarm of the charge socket, which has two levels."""

    NONE = 0
    LEVEL_1 = 1
    LEVEL_2 = 2


class PackAlarm(PackValue):
    """The gravest alarm of the pack, with a fourth level that the source calls severe."""

    NONE = 0
    LEVEL_1 = 1
    LEVEL_2 = 2
    LEVEL_3 = 3
    LEVEL_4 = 4


class Connection(PackValue):
    """A plug, a loop or a supply line."""

    NOT_CONNECTED = 0
    CONNECTED = 1


class PlugState(PackValue):
    """The state of a charge connector by its CC2 contact."""

    NOT_CONNECTED = 0
    CONNECTED = 1
    ABNORMAL = 2
    INVALID = 3


class LockState(PackValue):
    """The pins that hold the pack on the truck's base."""

    NEITHER = 0
    UNLOCKED = 1
    LOCKED = 2


class HighVoltageRequest(PackValue):
    """The pack's request to the vehicle."""

    NOT_GIVEN = 0
    OFF = 1
    NONE = 2
    INVALID = 3


class FullChargeRequest(PackValue):
    """Whether the pack asks to be charged up to its end."""

    NOT_GIVEN = 0
    FULL_CHARGE = 1
    NONE = 2
    INVALID = 3


class MonitorSwitch(PackValue):
    """The pack's insulation monitor."""

    NOT_GIVEN = 0
    ON = 1
    OFF = 2
    FAULT = 3


class SpecialMode(PackValue):
    """Charging and discharging other than by plug and drive."""

    NOT_GIVEN = 0
    B2X_DISCHARGE = 1
    B2X_CHARGE = 2
    STORAGE_DISCHARGE = 3
    STORAGE_CHARGE = 4


class TelematicsEdition(PackValue):
    """The edition of GB/T 32960 that the pack's data are made for."""

    NOT_GIVEN = 0
    EDITION_2025 = 1


class Support(PackValue):
    """Whether a function is there."""

    NOT_GIVEN = 0
    UNSUPPORTED = 1
    SUPPORTED = 2
    INVALID = 3


class WorkState(PackValue):
    """What the pack is doing with its contactors."""

    HIGH_VOLTAGE_OFF = 0
    PRECHARGE = 1
    HIGH_VOLTAGE_ON = 2
    HIGH_VOLTAGE_FAULT = 3


class Balancing(PackValue):
    """Whether cells are being balanced."""

    IDLE = 0
    BALANCING = 1


class ChargeMode(PackValue):
    """The current by which the pack is charged."""

    NOT_GIVEN = 0
    DC = 1
    AC = 2
    OTHER = 3


class ChargeState(PackValue):
    """How far the charge is."""

    CAN_CHARGE = 0
    CHARGING = 1
    FINISHED = 2
    FAULT = 3


class BaseType(PackValue):
    """The base (tray) on which the pack stands."""

    LOW_POWER = 0
    HIGH_POWER = 1
