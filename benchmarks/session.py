"""A session on its link, and a virtual hour of charging: simulated, kept frame by frame, and judged.

``python benchmarks/session.py`` prints the table; ``--check`` exits with 1 where a target is missed,
``--profile`` shows where the hour goes.
"""

import argparse
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from time import process_time
from types import FrameType
from typing import TYPE_CHECKING

from swapproto.frame import SECOND
from swapproto.messages.gbt27930 import Party
from swapproto.models.battery import BatterySpec
from swapproto.models.charger import Charger
from swapproto.models.pack import Pack
from swapproto.runtime.virtual import VirtualBus
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.charger import State as ChargerState
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto.trace.record import Record
from swapproto_conformance.bench import RECEIVE_JITTER, TIMER_JITTER
from swapproto_conformance.evidence import Evidence, Precision
from swapproto_conformance.pair import CHARGER, PACK

if TYPE_CHECKING:  # a script finds its neighbour by its bare name
    from benchmarks._ratio import Action, Rounds, conclude, interleave
else:
    from _ratio import Action, Rounds, conclude, interleave

HOUR = 3600
LEAST_FRAMES = 230_000
SLOW = BatterySpec(capacity=2000.0)
"""A pack that the charger cannot fill within the hour; the frames do not depend on its size."""
MICROSECONDS_A_FRAME = 8
SECONDS_AN_HOUR = 2


class Charge:
    """A charger and a pack on a virtual bus, started; frames are kept as records unless told otherwise."""

    def __init__(self, seed: int = 1, *, keep: bool = True) -> None:
        self.bus = VirtualBus(seed=seed, jitter=RECEIVE_JITTER, timer_jitter=TIMER_JITTER)
        self.records: list[Record] = []
        self.charger = Endpoint(ChargerSession(Charger()), Party.CHARGER)
        self.pack = Endpoint(BmsSession(Pack(SLOW, lists_cells=False)), Party.BMS)
        if keep:
            self.bus.tap(lambda frame, at, _: self.records.append(Record.of(frame, at)))
        for endpoint, name in ((self.charger, "charger"), (self.pack, "pack")):
            self.bus.attach(endpoint, name)
            endpoint.command(Command.START, self.bus.now)

    def run(self, seconds: int) -> "Charge":
        self.bus.run_until(self.bus.now + seconds * SECOND)
        return self


def judge(records: Sequence[Record]) -> int:
    """Each party by the judges of the pair run; how many of them spoke."""
    spoken = 0
    for party, judges in ((Party.CHARGER, CHARGER), (Party.BMS, PACK)):
        evidence = Evidence(records, party, Precision())
        spoken += len([each.judge(evidence) for each in judges])
    return spoken


class Link:
    """A charging session that is handed the pack's frames of ten seconds, again and again."""

    def __init__(self) -> None:
        charge = Charge().run(60)
        self._endpoint = charge.charger
        # The present moment stands still, so that no timer is due and only what frames cause is measured.
        self._now = charge.bus.now
        records = charge.records
        recent = [each for each in records if each.at_us * 1000 > self._now - 10 * SECOND]
        self.frames = [each.frame for each in recent if each.id & 0xFF == Party.BMS.value]

    def take(self) -> None:
        endpoint, now = self._endpoint, self._now
        for frame in self.frames:
            endpoint.receive(frame, now)
            while endpoint.poll_transmit() is not None:
                pass
            endpoint.next_timeout()

    @property
    def state(self) -> str:
        while self._endpoint.poll_event() is not None:
            pass
        session = self._endpoint.session
        assert isinstance(session, ChargerSession)
        return session.state


def hours(count: int) -> tuple[Rounds, int]:
    """So many hours one after another, in nanoseconds by part; the parts of one hour come from one round."""
    times: dict[str, list[float]] = {"simulate": [], "simulate and keep": [], "judge": [], "total": []}
    frames = 0
    for _ in range(count):
        begin = process_time()
        Charge(keep=False).run(HOUR)
        simulated = process_time()
        records = Charge().run(HOUR).records
        kept = process_time()
        judge(records)
        judged = process_time()
        frames = len(records)
        parts = (simulated - begin, kept - simulated, judged - kept, judged - simulated)
        for name, part in zip(times, parts, strict=True):
            times[name].append(part * 1e9)
    return Rounds(times), frames


def profile() -> None:
    """Where an hour's CPU time goes, by area and by function: sampled, so that calls are not made dearer."""
    areas: Counter[str] = Counter()
    functions: Counter[str] = Counter()

    def sample(_signal: int, frame: FrameType | None) -> None:
        if frame is not None:
            module = str(frame.f_globals.get("__name__", "generated codec")).split(".")
            areas[".".join(module[:2])] += 1
            functions[f"{module[-1]}.{frame.f_code.co_qualname}"] += 1

    signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    judge(Charge().run(HOUR).records)
    signal.setitimer(signal.ITIMER_PROF, 0)
    for title, counts in (("area", areas), ("function", functions)):
        print(f"per cent  {title}")
        for name, count in counts.most_common(25):
            print(f"{100 * count / counts.total():8.1f}  {name}")
        print()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--milliseconds", type=float, default=50, help="of the link in each round")
    parser.add_argument("--hours", type=int, default=3, help="how often the hour is run; at least 2")
    parser.add_argument("--profile", action="store_true", help="show where the hour goes, and nothing else")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    chosen = parser.parse_args(arguments)
    if chosen.profile:
        profile()
        return 0
    missed: list[str] = []
    link = Link()
    actions = {"link": Action("take()", {"take": link.take})}
    times = interleave(actions, chosen.rounds, chosen.milliseconds / 1000, trial=5)
    if link.state != ChargerState.CHARGING:
        raise SystemExit(f"the session fell out of charging: {link.state}")
    spent = times.microseconds("link", len(link.frames))
    print("Median CPU time (quartiles), the target, and ! where it is missed.\n")
    print(f"link to session, us a frame, transport included {spent}  {MICROSECONDS_A_FRAME:>3}", end="")
    if spent.middle > MICROSECONDS_A_FRAME:
        missed.append("link to session")
        print("!", end="")
    rounds, frames = hours(max(2, chosen.hours))
    if frames < LEAST_FRAMES:
        raise SystemExit(f"an hour of {frames} frames: the charge ended before its time")
    print(f"\n\na virtual hour of charging, {frames} frames  seconds                us a frame")
    for name in rounds.times:
        goal = ""
        if name == "total":
            late = rounds.ns(name) > SECONDS_AN_HOUR * 1e9
            goal = f"  {SECONDS_AN_HOUR:>3} s{'!' if late else ''}"
            missed += ["virtual hour"] * late
        seconds = rounds.microseconds(name, 1_000_000)
        print(f"{name:41}  {seconds.middle:5.2f} ({seconds.low:.2f}-{seconds.high:.2f})", end="")
        print(f"      {rounds.microseconds(name, frames).middle:5.1f}{goal}")
    return conclude(missed, chosen.check)


if __name__ == "__main__":
    sys.exit(main())
