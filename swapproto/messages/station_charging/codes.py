"""Enumerations of the station charging extensions; in fields of two bits 3 is invalid and 0 reserved."""

from swapproto.wire.fields import Code


class MonitorRequest(Code):
    """What the station wants of the pack's insulation monitor."""

    NONE = 1
    OFF = 2
    INVALID = 3


class MonitorState(Code):
    """The pack's insulation monitor."""

    OFF = 1
    ON = 2
    INVALID = 3


class Completion(Code):
    """Whether the pack has done what was requested."""

    NOT_DONE = 1
    DONE = 2
    INVALID = 3


class Health(Code):
    """Whether the insulation monitor is sound."""

    NORMAL = 1
    FAULT = 2
    INVALID = 3


class FirstPair(Code):
    """Which of the first two charging connectors."""

    A = 1
    B = 2
    INVALID = 3


class SecondPair(Code):
    """Which of the charging connectors three and four."""

    C = 1
    D = 2
    INVALID = 3


class Feedback(Code):
    """The pack's word on pulling or plugging a connector."""

    ALLOWED = 1
    FORBIDDEN = 2
    INVALID = 3


class Standby(Code):
    """Whether the pack stands by for the change of a connector."""

    NOT_READY = 1
    READY = 2
    INVALID = 3


class Plug(Code):
    """What the pack reads on the CC2 contact of a connector."""

    UNPLUGGED = 1
    PLUGGED = 2
    INVALID = 3


class Contact(Code):
    """A charging relay of the pack."""

    OPEN = 1
    CLOSED = 2
    INVALID = 3


class ContactFault(Code):
    """A fault of a charging relay. No value for a sound one is public; what remains for it is reserved."""

    RESERVED = 0
    WELDED = 1
    STUCK_OPEN = 2
    INVALID = 3


class Scene(Code):
    """The special operation that is asked for."""

    MINE_TRUCK_DELIVERY = 1
    STORAGE_V2G = 2
    INVALID = 7


class Channels(Code):
    """Over how many CAN channels the station charges."""

    MULTIPLE = 1
    SINGLE = 2
    INVALID = 7


class ChargeType(Code):
    """Over how many CAN channels the pack is charged."""

    FOUR_CHANNELS = 1
    ONE_CHANNEL = 2
