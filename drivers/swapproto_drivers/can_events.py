"""Error frames of SocketCAN as events; other interfaces only say that there was one."""

import can

from swapproto.frame import Instant
from swapproto.link import LinkEvent, LinkEventKind

_LOST_ARBITRATION, _CONTROLLER, _PROTOCOL, _TRANSCEIVER, _NO_ACK, _BUS_OFF, _RESTARTED = (
    0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x100,
)  # fmt: skip
"""Classes in the identifier of an error frame (linux/can/error.h)."""
_OVERFLOW_RX, _OVERFLOW_TX, _WARNING, _PASSIVE, _ACTIVE = 0x01, 0x02, 0x0C, 0x30, 0x40
"""What the second byte says of the controller."""
_BYTES = 8


def event_of(message: can.Message, at: Instant) -> LinkEvent:
    """What an error frame tells; the gravest where it tells several things."""
    kind, text = _read(message)
    return LinkEvent(kind, at, text)


def _read(message: can.Message) -> tuple[LinkEventKind, str]:
    what, data = message.arbitration_id, bytes(message.data).ljust(_BYTES, b"\0")
    if what & _BUS_OFF:
        return LinkEventKind.BUS_OFF, "the controller left the bus"
    if what & _CONTROLLER:
        counters = f"transmit errors {data[6]}, receive errors {data[7]}"
        if data[1] & (_OVERFLOW_RX | _OVERFLOW_TX):
            side = "receive" if data[1] & _OVERFLOW_RX else "transmit"
            return LinkEventKind.OVERRUN, f"the controller's {side} buffer was full"
        if data[1] & _PASSIVE:
            return LinkEventKind.ERROR_PASSIVE, counters
        if data[1] & _WARNING:
            return LinkEventKind.ERROR_WARNING, counters
        if data[1] & _ACTIVE:
            return LinkEventKind.ERROR_ACTIVE, counters
    if what & _RESTARTED:
        return LinkEventKind.ERROR_ACTIVE, "the controller was restarted"
    causes = (
        (_NO_ACK, "nobody acknowledged: is another node there, at the same bit rate?"),
        (_PROTOCOL, f"protocol violation {data[2]:02X} at {data[3]:02X}"),
        (_TRANSCEIVER, f"transceiver status {data[4]:02X}"),
        (_LOST_ARBITRATION, f"arbitration lost in bit {data[0]}"),
    )
    told = [text for bit, text in causes if what & bit]
    return LinkEventKind.ERROR_FRAME, "; ".join(told) or "error frame"
