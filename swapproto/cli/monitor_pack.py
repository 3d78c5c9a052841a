"""The pack's own bus as a monitor sees it: snapshot, steps of a swap, and what is odd about them."""

from collections.abc import Hashable, Iterator

from swapproto.cli.monitor_charge import Extreme, Reading
from swapproto.cli.monitor_notes import Notes
from swapproto.cli.monitor_periods import Periods, Rhythm
from swapproto.frame import MICROSECOND
from swapproto.messages.pack_can import PackMessage, Unit
from swapproto.messages.pack_can.snapshot import SINGLE, PackSnapshot
from swapproto.observe.pack import SILENT_US, PackHeard, PackWatch
from swapproto.observe.scene import Oddity, Scene, Step
from swapproto.trace.record import Record

_PARTS = frozenset({"frame_number", "pack_number"})
"""A message that begins with such a field comes once for each of its parts."""


class PackSide:
    """Follows the pack CAN of one channel, live: time passes also while nothing is heard."""

    def __init__(self, notes: Notes, periods: Periods, channel: str) -> None:
        self.watch = PackWatch(channel)
        self.scene = Scene(channel, self._step, self._odd)
        self._notes = notes
        self._periods = periods
        self._last: dict[Unit, int] = {}
        self._silent_since = 0
        self._stays = 0

    @property
    def parties(self) -> tuple[tuple[Unit, int], ...]:
        """Who was heard, and when last in microseconds."""
        return tuple(self._last.items())

    @property
    def coming(self) -> frozenset[Hashable]:
        """Keys of the messages that may not stop now: those of a pack that is there."""
        if self.watch.present is None:
            return frozenset()
        return frozenset(SINGLE)

    @property
    def snapshot(self) -> PackSnapshot | None:
        """Of the pack that is there, else of the one that was there last."""
        stay = self.watch.present or (self.watch.stays[-1] if self.watch.stays else None)
        return None if stay is None else stay.assembly.snapshot()

    def receive(self, record: Record) -> bool:
        """Whether the frame is of the family."""
        was_there = self.watch.present is not None
        heard = self.watch.receive(record)
        if heard is None:
            return False
        if heard.sender not in self._last:
            name = heard.sender.label
            self._notes.add(
                heard.at_us * MICROSECOND, f"{name} ({heard.sender.value:02X}h) is heard, with {heard.name}"
            )
        self._last[heard.sender] = heard.at_us
        if heard.sender is Unit.BMS:
            self._silent_since = heard.at_us
            if not was_there:
                self._stays += 1
                self.scene.begins(heard)
        self.scene.receive(heard)
        self._period(heard)
        return True

    def pass_time(self, now_us: int) -> None:
        """See whether the pack has fallen silent."""
        if self.watch.present is not None and now_us - self._silent_since > SILENT_US:
            stay = self.watch.fall_silent()
            if stay is not None:
                self.scene.fell_silent(stay)

    def interrupt(self, now_us: int) -> None:
        """The port was away: until now nobody could have heard the pack."""
        self._silent_since = max(self._silent_since, now_us)

    def readings(self, snapshot: PackSnapshot) -> Iterator[Reading]:
        state, volts = snapshot.state, snapshot.voltages
        if state is not None or volts is not None:
            yield Reading(
                "pack reports",
                " and ".join(type(each.message).__name__ for each in (volts, state) if each is not None),
                max(each.at for each in (volts, state) if each is not None),
                None if volts is None else volts.message.pack_voltage,
                None if state is None else state.message.current,
                None if state is None else state.message.soc,
            )
        if volts is not None:
            yield Reading("behind the contactors", "PackVoltages", volts.at, volts.message.bus_voltage)

    def extremes(self, snapshot: PackSnapshot) -> Iterator[Extreme]:
        high, low, heat = snapshot.cell_maximum, snapshot.cell_minimum, snapshot.extremes
        if high is not None or low is not None:
            yield Extreme(
                "cells",
                "V",
                " and ".join(type(each.message).__name__ for each in (high, low) if each is not None),
                max(each.at for each in (high, low) if each is not None),
                None if high is None else high.message.voltage,
                None if high is None else f"cell {high.message.cell_number}, unit {high.message.unit_number}",
                None if low is None else low.message.voltage,
                None if low is None else f"cell {low.message.cell_number}, unit {low.message.unit_number}",
            )
        if heat is not None:
            told = heat.message
            yield Extreme(
                "temperatures", "degC", "TemperatureExtremes", heat.at,
                told.maximum, f"probe {told.maximum_probe}, unit {told.maximum_unit}",
                told.minimum, f"probe {told.minimum_probe}, unit {told.minimum_unit}",
            )  # fmt: skip

    def facts(self, snapshot: PackSnapshot) -> Iterator[tuple[str, str]]:
        """What else is known of the pack and of the truck, as name and text."""
        if snapshot.code.text is not None:
            yield "pack", snapshot.code.text
        if snapshot.vin.text is not None:
            yield "in the truck", snapshot.vin.text
        scene = self.scene
        for name, state in (("energy", scene.energy), ("connectors", scene.connectors)):
            if state is not None:
                yield name, state.value
        if scene.lock is not None:
            yield "base", scene.lock.label
        if snapshot.closed is not None:
            yield "contactors closed", ", ".join(snapshot.closed) or "none"

    def _period(self, heard: PackHeard) -> None:
        self._periods.heard(
            heard.cls,
            Rhythm(heard.name, heard.sender.label, _nominal(heard.cls)),
            heard.at_us,
            at=heard.at_us,
            group=self._stays,
            readable=heard.message is not None,
        )

    def _step(self, step: Step) -> None:
        self._notes.add(step.at_us * MICROSECOND, f"{step.kind.value}: {step.text}")

    def _odd(self, odd: Oddity) -> None:
        self._notes.add(odd.last_us * MICROSECOND, f"odd: {odd.kind.value}: {odd.text}", alarming=True)


def _nominal(cls: type[PackMessage]) -> int | None:
    if cls.period_ms is None or cls.layout.names[0] in _PARTS:
        return None
    return cls.period_ms * 1000
