"""Programs as links: what they write, what they tell, and how they end."""

import os
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import MILLISECOND, SECOND, CanFrame
from swapproto.link import Link, LinkEvent, LinkEventKind
from swapproto.runtime.blocking import drive
from swapproto_drivers import lines_udp, program
from swapproto_drivers.contract import LinkContract
from swapproto_drivers.lines import MAX_LINE
from swapproto_drivers.program import ProgramLink, open_link

HERE = "127.0.0.1"
FRAME = CanFrame(0x1801F456, b"\x01\x02")
LINE = "1801F456#0102"
RELAY = """
import os, select, socket
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line.bind(("127.0.0.1", {local}))
line.connect(("127.0.0.1", {port}))
while True:
    for ready in select.select([0, line], [], [])[0]:
        if ready is line:
            os.write(1, line.recv(65536))
        elif data := os.read(0, 4096):
            line.send(data)
        else:
            raise SystemExit
"""
ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"


def _program(code: str, **options: str) -> ProgramLink:
    return open_link(shlex.join([sys.executable, "-I", "-S", "-u", "-c", code]), options)


def _next(link: Link) -> CanFrame | None:
    received = link.receive(deadline=link.now() + 5 * SECOND)
    return None if received is None else received.frame


def _send(link: Link, frame: CanFrame = FRAME) -> None:
    link.send(frame, deadline=link.now() + 5 * SECOND)


def _send_without_end(link: Link, within: int) -> None:
    while True:
        link.send(FRAME, deadline=link.now() + within)


def _events(link: Link) -> list[LinkEvent]:
    events: list[LinkEvent] = []
    while (event := link.poll_event()) is not None:
        events.append(event)
    return events


def _until_closed(link: Link) -> list[CanFrame]:
    frames: list[CanFrame] = []
    while True:
        try:
            frame = _next(link)
        except LinkClosed:
            return frames
        assert frame is not None
        frames.append(frame)


class TestProgram(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        with (
            closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as one,
            closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as two,
        ):
            one.bind((HERE, 0))
            two.bind((HERE, 0))
            local, port = one.getsockname()[1], two.getsockname()[1]
        other = lines_udp.open_link(f"{HERE}:{local}", {"local": str(port)})
        return _program(RELAY.format(local=local, port=port)), other


def test_lines_go_in_and_out() -> None:
    with closing(_program(ECHO)) as link:
        for frame in (FRAME, CanFrame(0x123, bytes(8), extended=False), CanFrame(5, bytes(3), remote=True)):
            _send(link, frame)
            assert _next(link) == frame


def test_standard_error_is_told_line_by_line() -> None:
    code = f"import sys; sys.stderr.write('one\\n\\n\\x1b[2Jtwo ' + 'x' * 5000); print('{LINE}')"
    with closing(_program(code)) as link:
        assert _until_closed(link) == [FRAME]
        one, two, closed = _events(link)
        assert (one.kind, one.text) == (LinkEventKind.TOLD, "one")
        assert two.text.startswith("\\x1b[2Jtwo xxx")
        assert len(two.text) < MAX_LINE + 10
        assert closed.kind is LinkEventKind.CLOSED


@pytest.mark.parametrize(
    ("code", "how"),
    [
        (f"print('{LINE}'); raise SystemExit(3)", "ended with exit status 3"),
        (f"print('{LINE}')", "ended with exit status 0"),
        (f"import os; print('{LINE}'); os.kill(os.getpid(), 9)", "was ended by SIGKILL"),
        (f"import os, time; print('{LINE}'); os.close(1); time.sleep(600)", "closed its output"),
    ],
)
def test_the_end_of_a_program_is_told(code: str, how: str) -> None:
    with closing(_program(code)) as link:
        assert _next(link) == FRAME, "what it said before counts"
        with pytest.raises(LinkClosed, match=how):
            _next(link)
        (event,) = _events(link)
        assert event.kind is LinkEventKind.CLOSED
        assert event.gap
        assert how in event.text
        with pytest.raises(LinkClosed, match=how):
            _send(link)
        with pytest.raises(ChildProcessError):
            os.waitpid(link.pid, 0)


def test_a_driven_node_is_told_of_the_end() -> None:
    class Mute:
        def receive(self, frame: CanFrame, now: int) -> None: ...
        def handle_timeout(self, now: int) -> None: ...
        def next_timeout(self) -> int | None: ...
        def poll_transmit(self) -> CanFrame | None: ...

    told: list[LinkEvent] = []
    with closing(_program("raise SystemExit(2)")) as link:
        driven = drive(Mute(), link, limit=link.now() + 10 * SECOND, events=told.append)
    assert driven.closed is not None
    assert [event.kind for event in told] == [LinkEventKind.CLOSED]


def test_what_a_program_leaves_behind_ends_with_it() -> None:
    with socket.create_server((HERE, 0)) as server:
        server.settimeout(5)
        code = f"""
import socket, subprocess, sys
line = socket.create_connection(("{HERE}", {server.getsockname()[1]}))
line.set_inheritable(True)
subprocess.Popen([sys.executable, "-I", "-c", "import time; time.sleep(600)"], close_fds=False)
"""
        with closing(_program(code)) as link:
            peer, _ = server.accept()
            with peer:
                peer.settimeout(5)
                assert _until_closed(link) == []
                assert "exit status 0" in _events(link)[-1].text
                assert peer.recv(1) == b"", "the child had held this connection open"


def test_silence_is_told_once_until_it_speaks_again() -> None:
    with closing(_program(ECHO, silent="0.02")) as link:
        _send(link)
        assert _next(link) == FRAME
        _events(link)
        assert link.receive(deadline=link.now() + 100 * MILLISECOND) is None
        (event,) = _events(link)
        assert event.kind is LinkEventKind.SILENT
        _send(link)
        assert _next(link) == FRAME
        assert link.receive(deadline=link.now() + 100 * MILLISECOND) is None
        assert [event.kind for event in _events(link)] == [LinkEventKind.SILENT]


def test_rubbish_is_told_and_counted() -> None:
    code = f"print('boot'); print('x' * 100_000); print('{LINE}'); import sys; sys.stdout.write('{LINE}')"
    with closing(_program(code)) as link:
        assert _until_closed(link) == [FRAME]
        *dropped, closed = _events(link)
        assert {event.kind for event in dropped} == {LinkEventKind.DROPPED}
        assert sum(event.count for event in dropped) == 3
        assert "had no end" in dropped[-1].text
        assert closed.kind is LinkEventKind.CLOSED


def test_a_program_that_does_not_read_is_an_error_at_the_deadline() -> None:
    with closing(_program(f"import time; print('{LINE}'); time.sleep(600)")) as link:
        assert _next(link) == FRAME
        with pytest.raises(LinkError, match="no room") as caught:
            _send_without_end(link, 5 * MILLISECOND)
        assert not isinstance(caught.value, LinkClosed)


def test_a_program_that_writes_before_it_reads_is_no_deadlock() -> None:
    count = 12_000
    code = (
        f"import sys\nfor n in range({count}): print('{LINE}')\nfor n in range({count}): sys.stdin.readline()"
    )
    with closing(_program(code)) as link:
        for _ in range(count):
            _send(link)
        assert _until_closed(link) == [FRAME] * count


def test_a_program_that_closed_its_input_may_speak_on() -> None:
    code = f"import os, sys, time; os.close(0); print('{LINE}'); time.sleep(600)"
    with closing(_program(code)) as link:
        assert _next(link) == FRAME
        for _ in range(3):
            _send(link)
        (event,) = _events(link)
        assert (event.kind, event.count) == (LinkEventKind.DROPPED, 3)
        assert "closed its input" in event.text


@pytest.mark.parametrize(
    "code",
    [
        ECHO,
        "import time; print('x', flush=True); time.sleep(600)",
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('x', flush=True); time.sleep(600)",
    ],
)
def test_close_ends_it_and_leaves_nothing(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "GRACE", 0.05)
    descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None  # noqa: PTH112, PTH208
    link = _program(code)
    if code != ECHO:
        # Only behind its first line it has taken its measures against SIGTERM.
        while not link.poll_event():
            assert link.receive(deadline=link.now() + MILLISECOND) is None
    link.close()
    link.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(link.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.killpg(link.pid, 0)
    if descriptors is not None:
        assert len(os.listdir("/proc/self/fd")) == descriptors  # noqa: PTH208
    with pytest.raises(LinkClosed, match="was closed"):
        link.receive(deadline=0)


def test_signals_without_a_name() -> None:
    assert program._how(-signal.SIGTERM) == "was ended by SIGTERM"
    assert program._how(-200) == "was ended by signal 200"


@pytest.mark.parametrize(
    ("rest", "options", "says"),
    [
        ("no-such-program --fast", {}, "is it installed, executable"),
        ("/", {}, "is it installed, executable"),
        ("'unclosed", {}, "quote as for a shell"),
        ("  ", {}, "write exec:COMMAND"),
        ("cat", {"silent": "0"}, "above 0"),
        ("cat", {"timeout": "1"}, "takes: silent"),
        ("a\0b", {}, "null byte"),
    ],
)
def test_what_cannot_be_started_says_why(rest: str, options: dict[str, str], says: str) -> None:
    with pytest.raises(LinkUnavailable, match=says):
        open_link(rest, options)


def test_who_only_sends_learns_of_the_end_too() -> None:
    with closing(_program(f"print('{LINE}')")) as link:
        with pytest.raises(LinkClosed, match="exit status 0"):
            _send_without_end(link, 5 * SECOND)
        assert _next(link) == FRAME
        assert _events(link)[0].kind is LinkEventKind.CLOSED


def test_no_shell_is_asked() -> None:
    with closing(open_link(f"{shlex.quote(sys.executable)} -c \"print('$HOME;|')\"", {})) as link:
        assert _until_closed(link) == []
        assert "$HOME;|" in _events(link)[0].text


def test_elsewhere_than_on_posix_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("started")

    monkeypatch.setattr(subprocess, "Popen", never)
    monkeypatch.setattr(os, "name", "nt")
    with pytest.raises(LinkUnavailable, match="POSIX"):
        ProgramLink(["cat"])
