"""Something that moves: a lock, a connector carriage, hoist tongues, an axis of a gantry."""

from swapproto.frame import SECOND, Instant


class Drive:
    """Goes at one speed to where it is sent; acceleration is left out.

    Ends of a lock or carriage are 0 and 1, an axis counts metres. It has no deadlines: whoever wants to
    know asks for the position at an instant.
    """

    def __init__(self, speed: float, position: float = 0.0) -> None:
        """Speed in units a second."""
        self.speed = speed
        self._jam: float | None = None
        self._from = self.target = position
        self._since: Instant = 0

    def go(self, target: float, now: Instant) -> None:
        """Set out; to be told the same again changes nothing."""
        if target != self.target:
            self._from = self.position(now)
            self._since = now
            self.target = target

    def stop(self, now: Instant) -> None:
        self.go(self.position(now), now)

    def jam(self, place: float, now: Instant) -> None:
        """From now on it cannot pass a place, whatever it is told."""
        self._from, self._since, self._jam = self.position(now), now, place

    def position(self, now: Instant) -> float:
        start, end = self._from, self.target
        if self._jam is not None and min(start, end) <= self._jam <= max(start, end):
            end = self._jam
        if now >= self.arrives:
            return end
        travelled = self.speed * (now - self._since) / SECOND
        return min(start + travelled, end) if end >= start else max(start - travelled, end)

    @property
    def arrives(self) -> Instant:
        """When it is where it was sent; long ago where it is there, and never mind what jams it."""
        return self._since + round(abs(self.target - self._from) / self.speed * SECOND)

    def at(self, place: float, now: Instant) -> bool:
        """Whether it stands there."""
        return self.target == place and self.position(now) == place
