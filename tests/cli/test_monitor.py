"""`swapproto monitor` on a bus in virtual time."""

import io
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from swapproto.cli import monitor, run
from swapproto.cli.monitor import open_silently, watch
from swapproto.cli.monitor_state import MonitorState
from swapproto.errors import LinkUnavailable
from swapproto.frame import SECOND, CanFrame, Instant
from swapproto.link import Link
from swapproto.messages.gbt27930 import Party
from swapproto.models.charger import Charger, ChargerSpec
from swapproto.models.pack import Pack
from swapproto.runtime.virtual import VirtualBus
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto.trace.candump import read_candump
from swapproto_drivers.virtual import open_link

URL = "virtual:monitor"


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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def bus() -> Iterator[VirtualBus]:
    """A charge that is about to begin."""
    with closing(open_link("monitor", {})) as link:
        sessions = (
            ChargerSession(Charger(ChargerSpec(time_limit=20))),
            BmsSession(Pack(soc=0.5)),
        )
        for session in sessions:
            endpoint = Endpoint(session, session.party)
            endpoint.command(Command.START, 0)
            link.bus.attach(endpoint, "charger" if session.party is Party.CHARGER else "pack")
        yield link.bus


def after(bus: VirtualBus, seconds: float, do: Callable[[], object]) -> None:
    bus.attach(At(round(seconds * SECOND), do), f"at {seconds:g} s")


def test_a_whole_charge(bus: VirtualBus, capsys: pytest.CaptureFixture[str]) -> None:
    senders: set[str] = set()
    bus.tap(lambda frame, at, sender: senders.add(sender))
    assert run(["monitor", URL, "--for", "60"]) == 0
    assert senders == {"charger", "pack"}, "a monitor sends nothing"
    assert bus.now == 60 * SECOND
    out = capsys.readouterr().out.splitlines()
    told = [each.partition(" s  ")[2] for each in out]
    order = [
        "charger (56h) is heard, with CHM",
        "phase handshake start begins with CHM",
        "BMS (F4h) is heard, with BHM",
        "phase identification begins with CRM",
        "phase configuration begins with BCP",
        "phase charging begins with BCL",
        "phase end begins with CST",
        "charger sends CST: condition reached: yes",
    ]
    assert [text for text in told if text in order] == order
    lines = [
        found
        for each in out
        if (
            found := re.fullmatch(
                r" *([\d.]+) s  charging +([\d.]+) V +(-?[\d.]+) A  SOC +([\d.]+) %.*", each
            )
        )
    ]
    assert len(lines) >= 15
    assert all(float(b[1]) - float(a[1]) >= 0.9 for a, b in pairwise(lines)), "one a second at most"
    assert not any("violation" in each for each in told)
    summary = out[out.index("Session") :]
    assert any(re.match(r"  BCL +BMS +\d+ +50 +50\.\d ", each) for each in summary)
    assert "  parties charger 56h (silent for" in "\n".join(summary)


def test_lines_come_only_where_something_has_changed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["monitor", "virtual:desert", "--for", "100"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert len([each for each in out if "frames/s  load" in each and " s  -" in each]) == 1


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--for", "1000"], 130)])
def test_an_interrupt_ends_it_with_a_summary(
    options: list[str], code: int, bus: VirtualBus, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGINT)
    after(bus, 10, lambda: signal.raise_signal(signal.SIGINT))
    assert run(["monitor", URL, *options]) == code
    assert 10 * SECOND <= bus.now <= 11 * SECOND
    assert "Session" in capsys.readouterr().out.splitlines()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_link_that_closes(bus: VirtualBus) -> None:
    link = open_link("monitor", {})
    after(bus, 8, link.close)
    out = io.StringIO()
    assert watch(MonitorState(link.caps, link.now()), link, out, limit=None, plain=True) == 1
    lines = out.getvalue().splitlines()
    assert any(each.startswith("the link was lost: monitor.2: ") for each in lines)
    assert "Session" in lines


def test_a_terminal_gets_a_screen_of_its_own(bus: VirtualBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setenv("LINES", "60")
    out = Terminal()
    with closing(open_link("monitor", {})) as link:
        assert watch(MonitorState(link.caps, link.now()), link, out, limit=25 * SECOND, plain=False) == 0
    screen, _, rest = out.getvalue().rpartition("\x1b[?1049l")
    assert screen.startswith("\x1b[?1049h")
    for text in ("Session", "pack measures", "Messages", "phase charging begins with BCL"):
        assert text in screen
    assert "Session\n" in rest
    assert "\x1b" not in rest.replace("\x1b[?25h", "")


def test_plain_lines_on_a_terminal(bus: VirtualBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with closing(open_link("monitor", {})) as link:
        assert watch(MonitorState(link.caps, link.now()), link, out, limit=5 * SECOND, plain=True) == 0
    assert "\x1b" not in out.getvalue()


def test_what_is_heard_is_recorded(bus: VirtualBus, tmp_path: Path) -> None:
    heard: list[CanFrame] = []
    bus.tap(lambda frame, at, sender: heard.append(frame))
    file = tmp_path / "heard.log"
    assert run(["monitor", URL, "--for", "15", "--record", str(file)]) == 0
    trace = read_candump(file.read_bytes())
    assert [record.frame for record in trace.records] == heard
    assert run(["monitor", URL, "--for", "1", "--record", str(file)]) == 4, "a recording is never overwritten"


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("can:socketcan:can0", {"listen_only": "true"}),
        ("can:pcan:PCAN_USBBUS1?bitrate=auto", {"listen_only": "true"}),
        ("slcan:/dev/ttyUSB0", {"listen_only": "true"}),
        ("reconnect:can:socketcan:can0", {"listen_only": "true"}),
        ("somebodys:can0", {"listen_only": "true"}),
        ("can:socketcan:can0?listen_only=false", {}),
        ("virtual:x", {}),
        ("canet:tcp:192.168.0.178:4001", {}),
        ("reconnect:canet:tcp:192.168.0.178:4001", {}),
        ("replay:a.log", {}),
    ],
)
def test_a_port_is_opened_listen_only_where_it_has_a_controller(
    url: str, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, dict[str, str]]] = []
    with closing(open_link("options", {})) as link:

        def opened(url: str, **options: str) -> Link:
            seen.append((url, options))
            return link

        monkeypatch.setattr(monitor, "open_link", opened)
        open_silently(url, None, otherwise="")
        open_silently(url, Path("a.log"), otherwise="")
    assert seen == [(url, options), (f"tap:{url}", {"file": "a.log", **options})]


def test_a_port_that_cannot_be_silent_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["monitor", "can:serial:/dev/null"]) == 4
    said = capsys.readouterr().err
    assert "cannot open serial listen-only" in said
    assert "--acknowledge" in said
    assert run(["monitor", "can:virtual:monitored", "--for", "0.01"]) == 0


def test_acknowledge_asks_for_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(url: str, **options: str) -> Link:
        assert options == {}
        raise LinkUnavailable("as far as this")

    monkeypatch.setattr(monitor, "open_link", opened)
    assert run(["monitor", "can:socketcan:can0", "--acknowledge"]) == 4


@pytest.mark.parametrize(
    "arguments", [["--for", "0"], ["--for", "nan"], ["--edition", "1999"], ["--nonsense"]]
)
def test_bad_arguments(arguments: list[str]) -> None:
    assert run(["monitor", URL, *arguments]) == 4
    assert run(["monitor", "nothing"]) == 4
