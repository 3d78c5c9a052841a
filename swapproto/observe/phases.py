"""The phases of a session, told from the messages on the bus; joining in the middle works."""

import msgspec

from swapproto.frame import MICROSECOND
from swapproto.messages.catalog import EDITIONS
from swapproto.messages.gbt27930 import BEM, CEM, CHM, CRM, Phase, Recognition
from swapproto.messages.gbt27930.timers import RECEIVE
from swapproto.observe.dialogue import TimedMessage

ERRORS = (BEM.pgn, CEM.pgn)
KEPT_SPANS = 1000
ORDER = (Phase.HANDSHAKE, Phase.IDENTIFICATION, Phase.CONFIGURATION, Phase.CHARGING, Phase.END)
RANKS = {
    cls.pgn: ORDER.index(cls.phase)
    for messages in EDITIONS.values()
    for cls in messages
    if cls.phase in ORDER
}
"""Place of each PGN's phase in the session; errors and diagnosis have none."""


class PhaseSpan(msgspec.Struct):
    """A phase from its first to its last message. Error spans run beside the others: a charge can go on."""

    phase: Phase
    start_us: int
    end_us: int
    line: int
    """Of the first message."""
    attempt: int
    """Which handshake or identification it belongs to, counted from zero."""


class PhaseTracker:
    """Follows the phase: a later one begins with its first message, an earlier one by starting again."""

    def __init__(self) -> None:
        self.spans: list[PhaseSpan] = []
        self.dropped = 0
        """Spans beyond the number that is kept."""
        self.attempt = 0
        self.current: PhaseSpan | None = None
        self.rank = -1
        """Place of the current phase in the session."""
        self.error: PhaseSpan | None = None

    @property
    def phase(self) -> Phase | None:
        """Where the session stands, errors aside."""
        return None if self.current is None else self.current.phase

    def receive(self, heard: TimedMessage) -> None:
        """Take a message; in the order of time."""
        if heard.cls.pgn in ERRORS:
            self._error(heard)
            return
        rank = RANKS.get(heard.cls.pgn)
        if rank is None:
            return
        if rank == self.rank and self.current is not None:
            self.current.end_us = max(self.current.end_us, heard.at_us)
        elif rank > self.rank:
            self.current = self._begin(ORDER[rank], heard)
            self.rank = rank
        elif _starts_again(heard):
            self.attempt += 1
            self.error = None
            self.current = self._begin(ORDER[rank], heard)
            self.rank = rank

    def _error(self, heard: TimedMessage) -> None:
        if self.error is None or heard.at_us - self.error.end_us > RECEIVE.value // MICROSECOND:
            self.error = self._begin(Phase.ERROR, heard)
        self.error.end_us = max(self.error.end_us, heard.at_us)

    def _begin(self, phase: Phase, heard: TimedMessage) -> PhaseSpan:
        span = PhaseSpan(phase, heard.at_us, heard.at_us, heard.line, self.attempt)
        if len(self.spans) < KEPT_SPANS:
            self.spans.append(span)
        else:
            self.dropped += 1
        return span


def _starts_again(heard: TimedMessage) -> bool:
    """Whether a message of an earlier phase is the charger going back: CHM or CRM(00)."""
    if heard.cls.pgn != CRM.pgn:
        return heard.cls.pgn == CHM.pgn
    return heard.message is not None and heard.message.result == Recognition.NOT_RECOGNISED
