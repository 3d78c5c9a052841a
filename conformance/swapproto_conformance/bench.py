"""Benches: a device and a tester on one bus, and the record of what went over it."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

import msgspec

from swapproto.errors import LinkError, SwapError
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, CanFrame, Instant
from swapproto.link import LinkCaps, Node
from swapproto.messages.gbt27930 import CHM, Party
from swapproto.plugins import open_link
from swapproto.runtime.blocking import drive
from swapproto.runtime.figures import Figures
from swapproto.runtime.virtual import VirtualBus
from swapproto.trace.record import Record
from swapproto_conformance.evidence import Precision
from swapproto_conformance.pixit import PRESS_LIMIT, RESET_LIMIT, Errand, Pixit, PixitError
from swapproto_conformance.results import Bench
from swapproto_conformance.script import Action
from swapproto_conformance.tester import Tester

GRACE = 2 * SECOND
"""What a run may last beyond its script: the tester's own timers end it long before."""
RECEIVE_JITTER = 300 * MICROSECOND
TIMER_JITTER = 2 * MILLISECOND
"""A device's own unsteadiness on the virtual bus, drawn from the seed [assumed]."""

RETURN_LIMIT = 150 * SECOND
"""How long a live device may go on with the case before; three reconnects last about two minutes."""
_ADDRESSES = frozenset(party.value for party in Party)
_CHM = CHM.identifier()
BATCHED = 60 * SECOND
"""What a stamp of a port that batches frames is taken to be worth: nothing that times a charge [assumed]."""
QUIET = 5 * SECOND
"""Silence after which a pair is taken to have finished."""


class Run(msgspec.Struct, frozen=True):
    """What one case left behind."""

    records: tuple[Record, ...]
    duration_us: int
    precision: Precision
    fault: str | None = None
    """What broke in the bench, None where nothing did."""
    unready: str | None = None
    """Why the device could not be judged: it did not come back to its beginning."""


class Runner(Protocol):
    """Puts a fresh device under test and a tester on a bus."""

    def run(self, tester: Tester, limit: Instant, seed: int) -> Run: ...

    def lacks(self, actions: Iterable[Action]) -> str:
        """Why a case that asks for the actions could say nothing about the device now; empty: it can."""
        ...

    def describe(self) -> Bench: ...


class VirtualBench:
    """A device inside the bench, on the virtual bus: repeatable to the microsecond."""

    def __init__(
        self, build: Callable[[], Node], press: Callable[[Node, Action, Instant], None] | None = None
    ) -> None:
        """Where somebody is at the device's buttons, ``press`` is his hand."""
        self._build = build
        self._press = press

    def run(self, tester: Tester, limit: Instant, seed: int) -> Run:
        bus = VirtualBus(seed=seed)
        records: list[Record] = []
        bus.tap(lambda frame, at, _: records.append(Record.of(frame, at)))
        bus.attach(tester, "tester")
        device = self._build()
        port = bus.attach(device, "device", jitter=RECEIVE_JITTER, timer_jitter=TIMER_JITTER)

        def over() -> bool:
            wish = tester.poll_action()
            if wish is not None and self._press is not None:
                self._press(device, wish, bus.now)
                port.wake()
            return tester.done

        bus.run(over, limit=limit + GRACE)
        fault = None if tester.done else f"the tester was not done {limit / SECOND:g} s after its begin"
        return Run(tuple(records), bus.now // MICROSECOND, Precision(), fault=fault)

    def lacks(self, actions: Iterable[Action]) -> str:
        return "somebody at the device's buttons" if self._press is None and any(actions) else ""

    def describe(self) -> Bench:
        return Bench(name="virtual CAN bus, 250 kbit/s", stamp_resolution_us=1, lateness_us=0)


def run_pair(charger: Node, pack: Node, *, limit: Instant, seed: int) -> Run:
    """Two devices on the virtual bus without a tester, until both have nothing more to say."""
    bus = VirtualBus(seed=seed)
    records: list[Record] = []
    bus.tap(lambda frame, at, _: records.append(Record.of(frame, at)))
    for node, name in ((charger, "charger"), (pack, "pack")):
        bus.attach(node, name, jitter=RECEIVE_JITTER, timer_jitter=TIMER_JITTER)
    heard = -1
    while bus.now < limit and heard < len(records):
        heard = len(records)
        bus.run_until(bus.now + QUIET)
    fault = None if bus.now < limit else f"the devices were still talking after {limit / SECOND:g} s"
    return Run(tuple(records), bus.now // MICROSECOND, Precision(), fault=fault)


class NotAtBeginning(SwapError):
    """A live device goes on with what the case before left behind."""


def _in_session(frame: CanFrame) -> bool:
    """Whether charger or BMS say more than the CHM with which a charger waits for a pack."""
    return frame.extended and frame.id & 0xFF in _ADDRESSES and frame.id != _CHM


class LinkBench:
    """A device on the other side of a link, in real time, reset and stopped as its operator said."""

    def __init__(
        self,
        url: str,
        *,
        pixit: Pixit = Pixit(),  # noqa: B008  (frozen)
        figures: Figures | None = None,
    ) -> None:
        """Figures measured at this port make its verdicts less sure, never surer."""
        self._url = url
        self._figures = figures
        self._link = open_link(url)
        self._pixit = pixit
        self._used = False
        self._errands: list[Errand] = []
        self._lateness: Instant = 0

    def run(self, tester: Tester, limit: Instant, seed: int) -> Run:  # noqa: ARG002  (no seed)
        records: list[Record] = []
        caps = self._link.caps
        try:
            self._reset()
            began = self._link.now()
            tester.handle_timeout(began)

            def tap(frame: CanFrame, at: Instant, own: bool) -> None:
                stamp = max(0, at - began) // MICROSECOND
                records.append(Record(stamp, frame.id, frame.data, frame.extended, sent=own))

            def over(_: Instant) -> bool:
                if tester.poll_action() is not None:
                    self._errands.append(Errand(self._pixit.on_stop, PRESS_LIMIT))
                return tester.done

            driven = drive(tester, self._link, until=over, limit=began + limit + GRACE, tap=tap)
            self._finish_errands()
        except NotAtBeginning as error:
            return Run((), 0, Precision(), unready=str(error))
        except PixitError as error:
            return Run(_in_order(records), 0, Precision(), fault=str(error))
        except LinkError as error:
            with suppress(PixitError):
                self._finish_errands()
            return Run(_in_order(records), 0, Precision(), fault=f"{self._url}: {error}")
        self._lateness = max(self._lateness, driven.lateness.max)
        precision = _precision(caps, driven.lateness.p99, self._figures)
        fault = None
        if driven.closed is not None:
            fault = f"{self._url}: {driven.closed}"
        elif not tester.done:
            fault = f"the tester was not done {limit / SECOND:g} s after its begin"
        return Run(_in_order(records), (driven.ended - began) // MICROSECOND, precision, fault=fault)

    def lacks(self, actions: Iterable[Action]) -> str:
        if self._used and self._pixit.reset.kind == "none":
            return "a reset of the device after the case before (--reset none)"
        if any(actions) and not self._pixit.on_stop:
            return "somebody, or a command (--on-stop), at the device's stop button"
        return ""

    def _reset(self) -> None:
        """PixitError where the operator's command failed."""
        again, self._used = self._used, True
        kind = self._pixit.reset.kind
        if kind == "command":
            Errand(self._pixit.reset.argv, RESET_LIMIT).finish()
        elif kind == "reopen" and again:
            self._link.close()
            self._link = open_link(self._url)
        self._leave_alone(again=again and kind != "reopen")

    def _finish_errands(self) -> None:
        while self._errands:
            self._errands.pop().finish()

    def _leave_alone(self, *, again: bool) -> None:
        """Listen for the time; after another case until neither party has said more than CHM in it.

        What a case broke off lives on in the device: its errors and reconnects belong to no later case.
        """
        link, settle = self._link, self._pixit.reset.settle
        began = link.now()
        quiet_until = began + settle
        while True:
            received = link.receive(deadline=quiet_until)
            if link.now() >= quiet_until and (received is None or received.at >= quiet_until):
                return
            if again and received is not None and _in_session(received.frame):
                quiet_until = received.at + settle
                if received.at > began + RETURN_LIMIT:
                    raise NotAtBeginning(
                        f"needs a device at its beginning: {RETURN_LIMIT / SECOND:g} s after the case before "
                        f"it still sends {received.frame}; a longer wait or a command (--reset) may help"
                    )

    def describe(self) -> Bench:
        caps, figures = self._link.caps, self._figures
        name = f"{caps.name}, stamps by {caps.stamp_source}"
        if figures is not None:
            error = _ceil_us(figures.stamp_error)
            name += f", wrong by up to {error} us as measured {figures.created}"
        return Bench(
            name=name,
            stamp_resolution_us=_precision(caps, 0, figures).resolution_us,
            lateness_us=self._lateness // MICROSECOND,
        )

    def close(self) -> None:
        """Twice is harmless."""
        self._link.close()


def _precision(caps: LinkCaps, late: Instant, figures: Figures | None) -> Precision:
    """What the driver states and the run shows, and whatever was measured to be worse."""
    stated = Precision(_resolution_us(caps), late // MICROSECOND)
    if figures is None:
        return stated
    measured = 0 if figures.lateness is None else figures.lateness.p99
    return Precision(
        max(stated.resolution_us, _ceil_us(figures.resolution)),
        max(stated.lateness_us, _ceil_us(measured)) + _ceil_us(figures.stamp_error),
    )


def _ceil_us(nanoseconds: int) -> int:
    return -(-nanoseconds // MICROSECOND)


def _resolution_us(caps: LinkCaps) -> int:
    """How well a stamp is known; a port that batches frames knows too little of any time to judge it."""
    return BATCHED // MICROSECOND if caps.batched else max(1, caps.stamp_resolution // MICROSECOND)


def _in_order(records: list[Record]) -> tuple[Record, ...]:
    """Own frames are stamped when they are given to the link, received ones by it: sort them by stamp."""
    return tuple(sorted(records, key=lambda record: record.at_us))
