"""What an application can ask of a session."""

from enum import StrEnum


class Command(StrEnum):
    """A wish; LocalProtocolError where the session's state does not allow it."""

    START = "start"
    """The plug is in and the low-voltage supply is up."""
    STOP = "stop"
    """Somebody presses the button."""
    UNPLUG = "unplug"
    """The plug is out; allowed at any time."""
