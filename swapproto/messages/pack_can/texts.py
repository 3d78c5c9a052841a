"""Pack code and VIN out of frames that carry a part of each; their meaning is for ``swapproto.codes``."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

from swapproto.frame import Instant
from swapproto.messages.pack_can.command import VehicleIdentity
from swapproto.messages.pack_can.identity import Maker, PackCode1, PackCode2, PackCode3, PackCode4
from swapproto.messages.pack_can.series import Heard

CodeFrame: TypeAlias = PackCode1 | PackCode2 | PackCode3 | PackCode4
CODE_FRAMES: tuple[type[CodeFrame], ...] = (PackCode1, PackCode2, PackCode3, PackCode4)
CODE_SLOTS = (6, 7, 7, 7)
VIN_FRAMES = 3
VIN_LENGTH = 17


class Assembled(msgspec.Struct, frozen=True, gc=False):
    """A text over several frames, characters as received; None until every frame of it was heard."""

    text: str | None = None
    gaps: tuple[int, ...] = ()
    """Numbers of the frames that were not heard."""
    oldest: Instant | None = None
    latest: Instant | None = None
    length: int | None = None
    """How many characters the pack's code has by its own account; a VIN does not say."""
    maker: Maker | None = None

    def missing(self, what: str) -> Iterator[str]:
        """In words, what was not heard of it."""
        if self.latest is None:
            yield f"{what}: not heard"
        elif self.gaps:
            yield f"{what}: frames {', '.join(map(str, self.gaps))} not heard"
        if self.length is not None and not 0 < self.length <= sum(CODE_SLOTS):
            yield f"{what}: a length of {self.length}, where 1 to {sum(CODE_SLOTS)} characters have room"


def assemble_code(frames: Mapping[int, Heard[CodeFrame]]) -> Assembled:
    """The pack's code out of its frames 1 to 4; its length says how many of them there have to be."""
    head = frames.get(1)
    first = head.message if head is not None and isinstance(head.message, PackCode1) else None
    length = sum(CODE_SLOTS) if first is None else first.length
    starts = [sum(CODE_SLOTS[:number]) for number in range(len(CODE_SLOTS))]
    wanted = [number for number, start in enumerate(starts, 1) if number == 1 or start < length]
    gaps = tuple(number for number in wanted if number not in frames)
    text = None
    if not gaps and length:
        parts = (frames[number].message.characters.ljust(CODE_SLOTS[number - 1]) for number in wanted)
        text = "".join(parts)[:length]
    instants = [heard.at for heard in frames.values()]
    return Assembled(
        text,
        gaps,
        min(instants, default=None),
        max(instants, default=None),
        None if first is None else length,
        None if first is None else first.maker,
    )


def assemble_vin(frames: Mapping[int, Heard[VehicleIdentity]]) -> Assembled:
    """The VIN; frames are counted from 0 where a 0 was heard, and from 1 otherwise (assumed)."""
    first = 0 if 0 in frames else 1
    wanted = range(first, first + VIN_FRAMES)
    gaps = tuple(number for number in wanted if number not in frames)
    text = None
    if not gaps:
        text = "".join(frames[number].message.characters.ljust(7) for number in wanted)[:VIN_LENGTH].rstrip()
    instants = [heard.at for heard in frames.values()]
    return Assembled(text, gaps, min(instants, default=None), max(instants, default=None))
