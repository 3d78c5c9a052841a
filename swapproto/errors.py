"""One tree of errors.

    SwapError
    ├── CodecError              a value or payload that cannot be written or read
    ├── ProtocolError
    │   └── LocalProtocolError  our own caller asked for something illegal
    ├── ProfileError            a specification file that cannot be used
    └── LinkError (OSError)
        ├── LinkUnavailable     the port cannot be opened: what is missing, what to do
        └── LinkClosed          the port is gone

What a peer does wrong is an event, never an exception: bytes from the wire do not raise.
"""


class SwapError(Exception):
    """Base of all errors of this library."""


class CodecError(SwapError, ValueError):
    """A payload that cannot be read, or a value that cannot be written."""

    def __init__(self, message: str, field: str | None, offset: int | None, reason: str) -> None:
        where = message if field is None else f"{message}.{field}"
        at = "" if offset is None else f" (byte {offset + 1})"
        super().__init__(f"{where}{at}: {reason}")
        self.message = message
        """Name of the message."""
        self.field = field
        """Name of the field at fault, None where the whole payload is."""
        self.offset = offset
        """Zero-based byte offset in the payload, None where it has no place."""
        self.reason = reason


class ProtocolError(SwapError):
    """A rule of the protocol was broken."""


class LocalProtocolError(ProtocolError):
    """The caller asked for something that the protocol forbids now."""


class ProfileError(SwapError):
    """A specification file that cannot be used."""

    def __init__(self, path: str, key: str, reason: str, line: int | None = None) -> None:
        where = path if line is None else f"{path}:{line}"
        super().__init__(f"{where}: {key}: {reason}")
        self.path = path
        self.key = key
        self.reason = reason
        self.line = line
        """Line of the key, from one; None where the file has no such place."""


class LinkError(SwapError, OSError):
    """A port failed."""


class LinkUnavailable(LinkError):
    """A port cannot be opened here; the text says what is missing and what to do."""


class LinkClosed(LinkError):
    """The port was closed or its device went away."""
