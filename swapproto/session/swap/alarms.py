"""What is alarmed, and what of it has been answered."""

from collections.abc import Hashable

from swapproto.session.swap.messages import Place


class Alarms:
    """Alarms of one kind. Each belongs to what stands in a place, not to the place.

    When that changes the alarm is forgotten, and one that is reported on is a new one.
    """

    def __init__(self) -> None:
        self._answered: dict[tuple[Hashable, Place | None], bool] = {}

    def __len__(self) -> int:
        """How many last, answered or not."""
        return len(self._answered)

    @property
    def unanswered(self) -> bool:
        return not all(self._answered.values())

    def follow(self, source: Hashable, place: Place | None, *, lasts: bool | None) -> None:
        """Take note of what a source says; None leaves it as it was."""
        if lasts:
            self._answered.setdefault((source, place), False)
        elif lasts is False:
            self._answered.pop((source, place), None)

    def answer(self) -> None:
        """Somebody has decided; that counts for the alarms that there are."""
        self._answered = dict.fromkeys(self._answered, True)

    def forget(self, place: Place | None, source: Hashable | None = None) -> None:
        """Something else stands in the place: forget its alarms, or that of one source."""
        for each, at in list(self._answered):
            if at == place and source in (None, each):
                del self._answered[each, at]
