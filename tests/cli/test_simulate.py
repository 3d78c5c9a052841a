"""Simulated parties on a bus in virtual time: whole charges, faults, ends, and what is said of them."""

import io
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import pairwise

import pytest

from swapproto.cli import run
from swapproto.cli.simulate import run_on
from swapproto.cli.simulate_settings import settings
from swapproto.cli.simulate_words import Screen
from swapproto.frame import SECOND, CanFrame, Instant
from swapproto.link import Node
from swapproto.messages.gbt27930 import CML, Party
from swapproto.models.charger import Charger, ChargerSpec
from swapproto.models.pack import Pack
from swapproto.runtime.virtual import VirtualBus
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto_drivers.virtual import open_link

URL = "virtual:simulate"
CHARGING = "-> charging ("


class At:
    """A silent node that does something once."""

    def __init__(self, at: Instant, do: Callable[[], object]) -> None:
        self._at: Instant | None = at
        self._do = do

    def receive(self, frame: CanFrame, now: Instant) -> None: ...

    def handle_timeout(self, now: Instant) -> None:
        if self._at is not None and self._at <= now:
            self._at = None
            self._do()

    def next_timeout(self) -> Instant | None:
        return self._at

    def poll_transmit(self) -> CanFrame | None:
        return None


class Parrot:
    """Sends CML every 100 ms, whatever the pack does."""

    def __init__(self) -> None:
        self._due: Instant = 0
        self._out: list[CanFrame] = []

    def receive(self, frame: CanFrame, now: Instant) -> None: ...

    def handle_timeout(self, now: Instant) -> None:
        self._due = now + SECOND // 10
        self._out.append(CanFrame(CML.identifier(), CML.VECTORS[0].data))

    def next_timeout(self) -> Instant | None:
        return self._due

    def poll_transmit(self) -> CanFrame | None:
        return self._out.pop() if self._out else None


class Terminal(io.StringIO):
    """A stream that refreshes in place."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def bus() -> Iterator[VirtualBus]:
    with closing(open_link("simulate", {})) as link:
        yield link.bus


def pack(bus: VirtualBus) -> Endpoint:
    return _started(Endpoint(BmsSession(Pack(soc=0.9)), Party.BMS), bus)


def charger(bus: VirtualBus, time_limit: float = 60) -> Endpoint:
    spec = ChargerSpec(time_limit=time_limit)
    return _started(Endpoint(ChargerSession(Charger(spec)), Party.CHARGER), bus)


def _started(endpoint: Endpoint, bus: VirtualBus) -> Endpoint:
    endpoint.command(Command.START, bus.now)
    return endpoint


def after(bus: VirtualBus, seconds: float, do: Callable[[], object]) -> None:
    at = bus.now + round(seconds * SECOND)
    bus.attach(At(at, do), f"at {seconds:g} s, {len(bus.ports)}")


PEERS: Mapping[str, Callable[[VirtualBus], Node]] = {"pack": charger, "charger": pack}


@pytest.mark.parametrize(
    ("role", "options", "stop"),
    [
        ("charger", ["--time-limit", "3"], "sends CST: SPN 3521 condition reached: yes"),
        ("charger", ["--energy-limit", "0.02", "--no-clock"], "sends CST: SPN 3521 condition reached: yes"),
        ("pack", ["--soc", "90", "--soc-target", "90"], "sends BST: SPN 3511 soc target: yes"),
        ("pack", ["--soc", "90", "--no-list-cells"], "receives CST: SPN 3521 condition reached: yes"),
    ],
)
def test_a_charge_is_completed(
    role: str, options: list[str], stop: str, bus: VirtualBus, capsys: pytest.CaptureFixture[str]
) -> None:
    bus.attach(PEERS[role](bus), "peer")
    assert run(["simulate", role, "--link", URL, *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{role} on {URL}; Ctrl-C stops the charge and ends"
    assert lines[1].endswith("(start)")
    told = [line.partition(" s  ")[2] for line in lines]
    charging = next(index for index, text in enumerate(told) if CHARGING in text)
    stopped = told.index(stop)
    assert charging < stopped
    assert told[-2].startswith("session complete: ")
    assert lines[-1] == f"{role} ends: 1 session complete; timers at most 0.0 ms late"


def test_status_lines_come_every_five_seconds(bus: VirtualBus, capsys: pytest.CaptureFixture[str]) -> None:
    bus.attach(charger(bus), "peer")
    assert run(["simulate", "pack", "--link", URL, "--soc", "50"]) == 0
    shown = [
        found
        for line in capsys.readouterr().out.splitlines()
        if (found := re.fullmatch(r" *([\d.]+) s  charging +([\d.]+) V +([\d.]+) A  SOC (\d+) %", line))
    ]
    times = [float(found[1]) for found in shown]
    assert len(times) >= 11
    assert all(4.9 <= later - earlier <= 5.3 for earlier, later in pairwise(times))
    assert float(shown[-1][3]) > 300
    assert {found[4] for found in shown} <= {"50", "51", "52"}


@pytest.mark.parametrize(
    ("role", "told", "ends"),
    [
        ("pack", "sends BEM: SPN 3905 ccs: timeout", "no new CRM(00)"),
        ("charger", "sends CEM: SPN 3925 bcl: timeout", "no reconnect left"),
    ],
)
def test_a_peer_that_dies(
    role: str, told: str, ends: str, bus: VirtualBus, capsys: pytest.CaptureFixture[str]
) -> None:
    bus.attach(At(1 << 60, bool), "listener")
    peer = bus.attach(PEERS[role](bus), "peer")
    after(bus, 10, lambda: bus.detach(peer))
    assert run(["simulate", role, "--link", URL]) == 1
    out = capsys.readouterr().out
    assert out.index(CHARGING) < out.index("timeout: ") < out.index(told)
    assert f"session ended before it was complete: {ends}" in out
    assert "1 session ended in an error" in out.splitlines()[-1]


@pytest.mark.parametrize(
    ("role", "fault", "told", "code"),
    [
        ("pack", "drop=BCL", "receives CEM: SPN 3925 bcl: timeout", 1),
        ("pack", "drop=bcs", "receives CEM: SPN 3924 bcs: timeout", 1),
        ("pack", "silent", "receives CEM: SPN 3925 bcl: timeout", 1),
        ("pack", "ignore=CCS", "sends BEM: SPN 3905 ccs: timeout", 1),
        ("pack", "deaf", "sends BEM: SPN 3905 ccs: timeout", 1),
        ("pack", "stop", "sends BST: no reason set", 0),
        ("pack", "unplug", "session ended before it was complete: unplug", 1),
        ("pack", "delay=100ms", "fault: delay=100ms", 0),
        ("charger", "drop=CCS", "receives BEM: SPN 3905 ccs: timeout", 1),
        ("charger", "ignore=BCS", "sends CEM: SPN 3924 bcs: timeout", 1),
        ("charger", "stop", "sends CST: SPN 3521 manual: yes", 0),
        ("charger", "unplug", "session ended before it was complete: unplug", 1),
    ],
)
def test_a_fault(
    role: str, fault: str, told: str, code: int, bus: VirtualBus, capsys: pytest.CaptureFixture[str]
) -> None:
    bus.attach(At(1 << 60, bool), "listener")
    bus.attach(PEERS[role](bus), "peer")
    faults = ["--fault", f"15s:{fault}", "--fault", "40s:stop"]
    assert run(["simulate", role, "--link", URL, *faults]) == code
    out = capsys.readouterr().out
    assert out.index(CHARGING) < out.index("   15.00 s  fault: ")
    assert out.index("   15.00 s  fault: ") <= out.index(told)


def test_a_fault_that_is_over_in_time(bus: VirtualBus, capsys: pytest.CaptureFixture[str]) -> None:
    bus.attach(charger(bus, time_limit=20), "peer")
    faults = ["--fault", "10s:drop=BCL", "--fault", "10500ms:clear"]
    assert run(["simulate", "pack", "--link", URL, *faults]) == 0
    out = capsys.readouterr().out
    assert "fault: clear" in out
    assert "CEM" not in out


def test_a_fault_that_has_no_effect(bus: VirtualBus, capsys: pytest.CaptureFixture[str]) -> None:
    bus.attach(charger(bus, time_limit=3), "peer")
    faults = ["--fault", "1s:unplug", "--fault", "1s:stop", "--fault", "1s:silent"]
    assert run(["simulate", "pack", "--link", URL, *faults]) == 1
    assert "the fault had no effect: stop is not possible while idle" in capsys.readouterr().out


def test_violations_of_the_peer_are_counted(bus: VirtualBus, capsys: pytest.CaptureFixture[str]) -> None:
    bus.attach(Parrot(), "parrot")
    after(bus, 10, lambda: signal.raise_signal(signal.SIGINT))
    assert run(["simulate", "pack", "--link", URL]) == 130
    out = capsys.readouterr().out
    text = "the peer sent CML, which has no place while listening"
    assert out.count(text) == 2
    (count,) = re.findall(rf"(\d+) more times: {text}", out)
    assert 95 <= int(count) <= 105


def test_repeated_until_interrupted(bus: VirtualBus, capsys: pytest.CaptureFixture[str]) -> None:
    spec = ["--time-limit", "2", "--gap", "5"]
    first = bus.attach(pack(bus), "peer")

    def replace() -> None:
        bus.detach(first)
        bus.attach(pack(bus), "next peer")

    after(bus, 25, replace)
    after(bus, 55, lambda: signal.raise_signal(signal.SIGINT))
    assert run(["simulate", "charger", "--link", URL, "--repeat", *spec]) == 130
    out = capsys.readouterr().out
    assert "    0.00 s  session 2 begins\n    0.00 s  idle -> handshake (start)" in out
    assert "session 3 begins" in out
    assert out.splitlines()[-1].startswith(
        "charger ends: 2 sessions complete, 1 session stopped before it was complete;"
    )


def test_interrupted_while_the_plug_is_out(bus: VirtualBus, capsys: pytest.CaptureFixture[str]) -> None:
    bus.attach(charger(bus, time_limit=2), "peer")
    after(bus, 40, lambda: signal.raise_signal(signal.SIGINT))
    assert run(["simulate", "pack", "--link", URL, "--repeat", "--gap", "100"]) == 0
    assert "session 2" not in capsys.readouterr().out


@pytest.mark.parametrize("role", ["pack", "charger"])
def test_the_first_interrupt_ends_in_order(
    role: str, bus: VirtualBus, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGINT)
    bus.attach(PEERS[role](bus), "peer")
    after(bus, 10, lambda: signal.raise_signal(signal.SIGINT))
    assert run(["simulate", role, "--link", URL]) == 0
    out = capsys.readouterr().out
    assert out.index("stopping; Ctrl-C again ends at once") < out.index("session complete")
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_in_an_error_does_not_hide_it(
    bus: VirtualBus, capsys: pytest.CaptureFixture[str]
) -> None:
    bus.attach(At(1 << 60, bool), "listener")
    peer = bus.attach(charger(bus), "peer")
    after(bus, 10, lambda: bus.detach(peer))
    after(bus, 15, lambda: signal.raise_signal(signal.SIGINT))
    assert run(["simulate", "pack", "--link", URL]) == 1
    assert "1 session ended in an error" in capsys.readouterr().out.splitlines()[-1]


def test_the_second_interrupt_ends_at_once(bus: VirtualBus, capsys: pytest.CaptureFixture[str]) -> None:
    bus.attach(At(1 << 60, bool), "listener")
    peer = bus.attach(charger(bus), "peer")
    after(bus, 10, lambda: bus.detach(peer))
    for seconds in (10, 10.5):
        after(bus, seconds, lambda: signal.raise_signal(signal.SIGINT))
    assert run(["simulate", "pack", "--link", URL]) == 130
    assert capsys.readouterr().out.splitlines()[-1] == "pack ends: interrupted; no session ended"


def test_a_bus_on_which_nobody_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "charger", "--link", "virtual:desert"]) == 1
    last = capsys.readouterr().out.splitlines()[-2:]
    assert last[0].startswith("the link was lost: desert.1: 64 frames wait")
    assert last[1] == "charger ends: no session ended"


def test_a_link_that_closes(bus: VirtualBus) -> None:
    out = Terminal()
    bus.attach(charger(bus), "peer")
    link = open_link("simulate", {})
    after(bus, 8, link.close)
    assert run_on(settings(Party.BMS, None, {"link": URL}), link, Screen(out)) == 1
    assert "\nthe link was lost: simulate.2: this link was closed\n" in out.getvalue().replace(
        "\r\x1b[K", "\n"
    )


def test_the_line_is_refreshed_on_a_terminal(bus: VirtualBus) -> None:
    out = Terminal()
    bus.attach(pack(bus), "peer")
    with closing(open_link("simulate", {})) as link:
        assert run_on(settings(Party.CHARGER, None, {"link": URL, "time_limit": 3}), link, Screen(out)) == 0
    writes = out.getvalue().split("\r\x1b[K")
    shown = [text for text in writes if re.fullmatch(r" +[\d.]+ s  \w.* SOC [\d.-]+ %", text)]
    assert len(shown) >= 15
    assert shown[-1].split()[-2] == "90"
    assert not any("-0.0 A" in text for text in shown)
    ended = [text for text in shown if " statistics " in text]
    assert len(ended) >= 40
    assert all(" - V      - A " in text for text in ended), "nothing flows any more"
    assert re.fullmatch(r"charger ends: 1 session complete; .*\n", writes[-1])
