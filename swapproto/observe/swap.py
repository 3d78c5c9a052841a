"""The steps of a battery swap, told from what truck and packs say on their buses and from nothing else.

    watch = SwapWatch()
    for record in records: watch.receive(record)     # of all channels, in the order of time
    found = watch.finish()

A listener: what it finds odd is an observation, no verdict. That tongues hold, that a pack hangs on the
hoist, that the truck is released: none of it is on these buses.
"""

from typing import Any

import msgspec

from swapproto.messages import gbt27930 as gb
from swapproto.messages.catalog import MessageSet, message_set
from swapproto.messages.pack_can import Unit
from swapproto.observe.pack import FAMILY, SILENT_US, PackHeard, PackWatch
from swapproto.observe.scene import Oddity, Scene, Step, StepKind
from swapproto.trace.record import Record

KEPT_CHANNELS = 64
KEPT_STEPS = 2000
KEPT_ODDITIES = 200
_LOOK_US = 100_000
"""How often the watch looks for packs that fell silent."""
_PAUSE_US = 200_000
"""A longer gap between two frames of all channels is no silence of a pack: the recorder may have paused."""
_CHARGE = {
    gb.BCL.identifier(): (StepKind.CHARGE_BEGINS, gb.BCL),
    **{cls.identifier(): (StepKind.CHARGE_ENDS, cls) for cls in (gb.BST, gb.CST, gb.BSD, gb.CSD)},
}


class SwapSurvey(msgspec.Struct, frozen=True):
    """What a recording tells of a swap; instants are absolute, in microseconds."""

    steps: tuple[Step, ...]
    """In the order of time."""
    oddities: tuple[Oddity, ...]
    packs: tuple[PackWatch, ...]
    """By channel: what was heard of the pack, and its stays."""
    dropped: dict[str, int]
    """What was left out to keep this object bounded, by kind."""


class _Channel:
    """A channel's pack, its scene, and when the pack was heard last in terms of recorded time."""

    __slots__ = ("heard_at", "scene", "watch")

    def __init__(self, watch: PackWatch, scene: Scene) -> None:
        self.watch = watch
        self.scene = scene
        self.heard_at = 0


class SwapWatch:
    """Takes the frames of all channels in the order of their stamps; a pack may move between them."""

    def __init__(self, messages: MessageSet[Any] | None = None) -> None:
        self._messages = message_set(FAMILY) if messages is None else messages
        self._channels: dict[str, _Channel] = {}
        self._charging: dict[str, bool] = {}
        self._steps: list[Step] = []
        self._oddities: dict[tuple[str, str, str], Oddity] = {}
        self._dropped = {"steps": 0, "oddities": 0, "channels": 0}
        self._last_us: int | None = None
        self._recorded = 0
        """Microseconds through which the recorder was surely awake."""
        self._next_look = _LOOK_US

    def receive(self, record: Record) -> PackHeard | None:
        """The pack CAN message that the frame is; steps and oddities come with finish()."""
        self._pass_time(record.at_us)
        if not record.extended:
            return None
        charge = _CHARGE.get(record.id)
        if charge is not None:
            self._charge(record, *charge)
            return None
        if record.id not in self._messages:
            return None
        channel = self._channels.get(record.channel) or self._open(record.channel)
        if channel is None:
            return None
        was_there = channel.watch.present is not None
        heard = channel.watch.receive(record)
        if heard is None:
            return None
        if heard.sender is Unit.BMS:
            channel.heard_at = self._recorded
            if not was_there:
                channel.scene.begins(heard)
        channel.scene.receive(heard)
        return heard

    def finish(self) -> SwapSurvey:
        """What was found; a pack that is heard up to the end of the recording is still there."""
        packs = tuple(channel.watch for channel in self._channels.values())
        dropped = {**self._dropped, "stays": sum(pack.dropped for pack in packs)}
        return SwapSurvey(
            steps=tuple(sorted(self._steps, key=lambda step: step.at_us)),
            oddities=tuple(sorted(self._oddities.values(), key=lambda odd: odd.first_us)),
            packs=packs,
            dropped={kind: count for kind, count in dropped.items() if count},
        )

    def _open(self, name: str) -> _Channel | None:
        if len(self._channels) >= KEPT_CHANNELS:
            self._dropped["channels"] += 1
            return None
        opened = _Channel(PackWatch(name, self._messages), Scene(name, self._step, self._odd))
        self._channels[name] = opened
        return opened

    def _pass_time(self, at_us: int) -> None:
        if self._last_us is not None and at_us > self._last_us:
            self._recorded += min(at_us - self._last_us, _PAUSE_US)
        self._last_us = at_us
        if self._recorded < self._next_look:
            return
        self._next_look = self._recorded + _LOOK_US
        for channel in self._channels.values():
            if channel.watch.present is not None and self._recorded - channel.heard_at > SILENT_US:
                stay = channel.watch.fall_silent()
                if stay is not None:
                    channel.scene.fell_silent(stay)

    def _charge(self, record: Record, kind: StepKind, cls: type[gb.ChargingMessage]) -> None:
        """The first demand of a charge, and the first message of its end."""
        begins = kind is StepKind.CHARGE_BEGINS
        if self._charging.get(record.channel, False) is begins:
            return
        if record.channel in self._charging or len(self._charging) < KEPT_CHANNELS:
            self._charging[record.channel] = begins
            text = f"{cls.__name__} of the {cls.sender.label}"
            self._step(Step(kind, record.at_us, record.line, record.channel, text, cls.source))

    def _step(self, step: Step) -> None:
        if len(self._steps) < KEPT_STEPS:
            self._steps.append(step)
        else:
            self._dropped["steps"] += 1

    def _odd(self, odd: Oddity) -> None:
        key = (odd.kind.name, odd.channel, odd.text)
        found = self._oddities.get(key)
        if found is not None:
            found.count += 1
            found.last_us, found.last_line = odd.last_us, odd.last_line
        elif len(self._oddities) < KEPT_ODDITIES:
            self._oddities[key] = odd
        else:
            self._dropped["oddities"] += 1
