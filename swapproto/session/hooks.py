"""Where a device can be made to deviate: the suite's faulty devices and experiments on a bench use these."""

from collections.abc import Callable, Sequence

import msgspec

from swapproto.frame import CanFrame, Instant
from swapproto.messages.gbt27930 import ChargingMessage


class Hooks(msgspec.Struct, frozen=True, kw_only=True):
    """Functions that an Endpoint asks on the way; each is optional.

    Other time limits and periods need no hook: they are parameters of the session.
    """

    outgoing: Callable[[ChargingMessage, Instant], ChargingMessage | None] | None = None
    """What to send in place of a message of the session; None sends nothing."""
    incoming: Callable[[ChargingMessage, Instant], ChargingMessage | None] | None = None
    """What the session shall take for a message that arrived; None keeps it deaf."""
    payloads: Callable[[ChargingMessage, bytes], bytes] | None = None
    """The bytes of a message, before a long one is cut into packets."""
    frames: Callable[[CanFrame, Instant], Sequence[tuple[CanFrame, int]]] | None = None
    """What goes on the bus in place of a frame: frames, each with a delay in ns; transport included."""
