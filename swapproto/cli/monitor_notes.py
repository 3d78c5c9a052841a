"""What happens on a bus while it is watched, folded so that a storm of repetitions stays readable."""

from collections import deque

import msgspec

from swapproto.frame import SECOND, Instant

KEPT = 200
"""Notes that a view can still show."""
UNSEEN = 1000
"""Notes that wait for whoever prints them; the oldest go first."""
TEXTS = 256
"""Texts whose repetitions are folded."""
QUIET: Instant = 10 * SECOND
"""How soon the same text is told again at the earliest."""


class Note(msgspec.Struct, frozen=True):
    """Something that happened, or how often it has since it was told last."""

    at: Instant
    text: str
    times: int = 1
    alarming: bool = False


class _Repeated(msgspec.Struct):
    told: Instant
    alarming: bool
    more: int = 0


class Notes:
    """Takes notes in, tells each text at once and its repetitions together."""

    def __init__(self) -> None:
        self.kept: deque[Note] = deque(maxlen=KEPT)
        self._unseen: deque[Note] = deque(maxlen=UNSEEN)
        self._repeated: dict[str, _Repeated] = {}

    def add(self, at: Instant, text: str, *, times: int = 1, alarming: bool = False) -> None:
        found = self._repeated.get(text)
        if found is not None and at - found.told < QUIET:
            found.more += times
            return
        times += 0 if found is None else found.more
        self._tell(Note(at, text, times, alarming))

    def pass_time(self, now: Instant) -> None:
        """Tell how often that came again which has waited long enough."""
        due = [(text, each) for text, each in self._repeated.items() if now - each.told >= QUIET]
        for text, each in due:
            if each.more:
                self._tell(Note(now, text, each.more, each.alarming))
            else:
                del self._repeated[text]

    def take(self) -> list[Note]:
        """Those that were not taken yet."""
        taken = list(self._unseen)
        self._unseen.clear()
        return taken

    def _tell(self, note: Note) -> None:
        self._repeated.pop(note.text, None)
        if len(self._repeated) >= TEXTS:
            del self._repeated[next(iter(self._repeated))]
        self._repeated[note.text] = _Repeated(note.at, note.alarming)
        self.kept.append(note)
        self._unseen.append(note)
