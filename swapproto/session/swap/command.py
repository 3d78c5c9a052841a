"""What an operator can ask of the orchestrator."""

from enum import StrEnum


class Command(StrEnum):
    """A wish; LocalProtocolError where the state does not allow it."""

    START = "start"
    """A truck is in the lane."""
    RESUME = "resume"
    """Go on with the step that is held."""
    GIVE_UP = "give up"
    """End the swap with the truck's own pack on it: possible until that pack hangs."""
    QUARANTINE = "quarantine"
    """Bring the hanging pack to the place for burning packs; only while held."""
    RESET = "reset"
    """Ready for the next truck, after an end."""
