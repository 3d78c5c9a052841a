"""How full a bus is, from the bits of its frames."""

from collections import deque

import msgspec

from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.runtime.wire_time import INTERMISSION, frame_bits

SLICE: Instant = 100 * MILLISECOND
WINDOW: Instant = SECOND
_SLICES = WINDOW // SLICE


class Load(msgspec.Struct, frozen=True):
    """Over the last second; bits are those on the wire, intermission and stuff bits included."""

    frames_per_second: float
    bits_per_second: float
    share: float | None
    """Of the bit rate, None where that is not known."""
    peak: float | None
    """The highest share of any second so far."""
    average: float | None
    """Since the first frame."""


class _Slice(msgspec.Struct):
    number: int
    frames: int = 0
    bits: int = 0


class LoadMeter:
    """Counts frames in slices of 100 ms; a stamp that goes back counts where the bus is by now."""

    def __init__(self, bitrate: int | None, began: Instant) -> None:
        self._bitrate = bitrate
        self._began = began
        self._slices: deque[_Slice] = deque([_Slice(began // SLICE)])
        self._bits = 0
        self._peak = 0

    def add(self, frame: CanFrame, at: Instant) -> None:
        self._advance(at)
        last = self._slices[-1]
        bits = frame_bits(frame) + INTERMISSION
        last.frames += 1
        last.bits += bits
        self._bits += bits

    def load(self, now: Instant) -> Load:
        self._advance(now)
        since = max(self._began, self._slices[-1].number * SLICE - WINDOW)
        window = max(SLICE, now - since) / SECOND
        frames = sum(each.frames for each in self._slices) / window
        bits = sum(each.bits for each in self._slices) / window
        elapsed = max(SLICE, now - self._began) / SECOND
        if not self._bitrate:
            return Load(frames, bits, None, None, None)
        return Load(
            frames,
            bits,
            bits / self._bitrate,
            self._peak * SECOND / WINDOW / self._bitrate,
            self._bits / elapsed / self._bitrate,
        )

    def _advance(self, at: Instant) -> None:
        number, last = at // SLICE, self._slices[-1].number
        if number <= last:
            return
        # The last slice is whole now, and ends a second that may be the fullest.
        bits = sum(each.bits for each in self._slices if each.number > last - _SLICES)
        self._peak = max(self._peak, bits)
        while self._slices and self._slices[0].number < number - _SLICES:
            self._slices.popleft()
        self._slices.append(_Slice(number))
