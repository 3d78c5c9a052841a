"""What the specifications of the models share: their error, and curves through points."""

from bisect import bisect_right
from math import isfinite

import msgspec

from swapproto.errors import SwapError


class SpecError(SwapError, ValueError):
    """A parameter with which a model would be no device."""

    def __init__(self, spec: str, field: str, reason: str) -> None:
        super().__init__(f"{spec}.{field}: {reason}")
        self.spec = spec
        self.field = field
        self.reason = reason


def require_range(spec: msgspec.Struct, low: float, high: float, *names: str) -> None:
    """SpecError for a field that is not within low to high; None passes."""
    for name in names:
        value: float | None = getattr(spec, name)
        if value is not None and not low <= value <= high:
            raise SpecError(type(spec).__name__, name, f"{value} is not within {low:g} to {high:g}")


class Curve(msgspec.Struct, frozen=True, gc=False):
    """Straight lines through points of rising x, level beyond both ends."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.x) < 2 or len(self.x) != len(self.y):
            raise SpecError("Curve", "x", "at least two points, and one y for each x")
        if not all(map(isfinite, self.x + self.y)):
            raise SpecError("Curve", "y", "points must be finite")
        if any(right <= left for left, right in zip(self.x, self.x[1:], strict=False)):
            raise SpecError("Curve", "x", "must rise from point to point")

    def __call__(self, at: float) -> float:
        right = bisect_right(self.x, at)
        if right == 0:
            return self.y[0]
        if right == len(self.x):
            return self.y[-1]
        left = right - 1
        share = (at - self.x[left]) / (self.x[right] - self.x[left])
        return self.y[left] + share * (self.y[right] - self.y[left])

    @property
    def rising(self) -> bool:
        """Whether y never falls."""
        return all(left <= right for left, right in zip(self.y, self.y[1:], strict=False))
