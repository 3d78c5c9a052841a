"""Charges across the kernel: between two processes and recorded by candump, and through a serial adapter."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkProcess
from typing import TextIO

import pytest

from swapproto.cli import main
from swapproto.frame import SECOND
from swapproto.models.charger import Charger, ChargerSpec
from swapproto.models.pack import Pack
from swapproto.observe.edition import recognise
from swapproto.observe.survey import survey
from swapproto.runtime.station import StationRunner
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto.trace.record import Record
from swapproto_drivers import can_bus, slcan

pytestmark = pytest.mark.lab

PHASES = ["handshake start", "identification", "configuration", "charging", "end"]
LIMIT = 120 * SECOND
"""A charge takes 20 s."""


class Party:
    """`swapproto simulate` in a process of its own: forked, for in the guest imports take long."""

    def __init__(self, *arguments: str) -> None:
        reading, writing = os.pipe()
        self.said: list[str] = []
        self._output: TextIO = os.fdopen(reading)
        self._process: ForkProcess = multiprocessing.get_context("fork").Process(
            target=self._run, args=(writing, arguments)
        )
        self._process.start()
        os.close(writing)

    @staticmethod
    def _run(writing: int, arguments: tuple[str, ...]) -> None:
        sys.stdout = sys.stderr = os.fdopen(writing, "w", buffering=1)
        main(["simulate", *arguments])

    def wait_for(self, wanted: str) -> None:
        for line in self._output:
            self.said.append(line)
            if wanted in line:
                return
        raise AssertionError(f"{wanted!r} was not said:\n{''.join(self.said)}")

    def end(self) -> str:
        """All it said, with the exit status at the end."""
        self.said += self._output
        self._process.join()
        return "".join([*self.said, f"exit status {self._process.exitcode}"])

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self._output.close()


@pytest.fixture
def party() -> Iterator[Callable[..., Party]]:
    parties: list[Party] = []

    def start(*arguments: str) -> Party:
        parties.append(Party(*arguments))
        return parties[-1]

    yield start
    for each in parties:
        each.close()


def check(records: list[Record], *, periods: bool) -> None:
    """What candump recorded is a whole charge without fault."""
    found = survey(records, recognise(records), 1)
    assert [span.phase.value for span in found.phases] == PHASES
    assert found.deviations == ()
    assert found.foreign_frames == 0
    assert found.transfers.complete > 0
    assert found.transfers.aborted == found.transfers.incomplete == 0
    if periods:
        assert found.violations == ()


def test_a_charge_between_two_processes(
    party: Callable[..., Party],
    interfaces: tuple[str, str],
    record: Callable[[str], Callable[[], list[Record]]],
    virtual_time: bool,
) -> None:
    ours, theirs = (f"can:socketcan:{name}" for name in interfaces)
    recording = record(interfaces[1])
    pack = party("pack", "--soc", "90", "--link", ours)
    pack.wait_for("idle -> listening")
    charger = party("charger", "--time-limit", "3", "--link", theirs)
    for each in (pack, charger):
        told = each.end()
        assert "1 session complete" in told
        assert told.endswith("exit status 0")
    check(recording(), periods=virtual_time)


def test_a_charge_through_a_serial_adapter(
    serial_line: tuple[str, str], record: Callable[[str], Callable[[], list[Record]]]
) -> None:
    path, interface = serial_line
    recording = record(interface)
    pack = BmsSession(Pack(soc=0.9))
    charger = ChargerSession(Charger(ChargerSpec(time_limit=3)))
    with StationRunner() as runner:
        for session, link in (
            (pack, slcan.open_link(path, {"bitrate": "250000", "answers": "false"})),
            (charger, can_bus.open_link(f"socketcan:{interface}", {})),
        ):
            end = Endpoint(session, session.party)
            end.command(Command.START, link.now())
            runner.add(end, link, session.party.label)
        # Both stay until the end, for a serial line that nobody reads stands still.
        runner.run(lambda: pack.ended and charger.ended, duration=LIMIT)
    assert (pack.state.value, charger.state.value) == ("complete", "complete")
    check(recording(), periods=False)
