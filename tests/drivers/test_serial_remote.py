"""A serial port of another machine, by RFC 2217, with pyserial's own server side as the peer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import serial
from serial.rfc2217 import PortManager

from swapproto.errors import LinkClosed
from swapproto.frame import MILLISECOND, SECOND
from swapproto.link import LinkEventKind
from swapproto_drivers.serial_port import open_port


class _Line:
    """The telnet side of a port manager."""

    def __init__(self, peer: socket.socket) -> None:
        self.peer = peer

    def write(self, data: bytes) -> None:
        self.peer.sendall(data)


@contextmanager
def _server() -> Iterator[tuple[int, threading.Event]]:
    """A loop:// offered to one client; setting the event hangs up. The thread ends with the block."""
    listener, hang_up = socket.create_server(("127.0.0.1", 0)), threading.Event()
    far = serial.serial_for_url("loop://", timeout=0)

    def run() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.settimeout(0.01)
            manager: Any = PortManager(far, _Line(peer))  # type: ignore[arg-type]  # its types name clients
            while not hang_up.is_set():
                try:
                    data = peer.recv(1024)
                except TimeoutError:
                    continue
                if not data:
                    return
                far.write(b"".join(manager.filter(data)))
                peer.sendall(b"".join(manager.escape(far.read(1024))))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield listener.getsockname()[1], hang_up
    finally:
        hang_up.set()
        thread.join()
        far.close()
        listener.close()


# pyserial 3.5 names its reader thread, and makes it a daemon, in the old way.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_bytes_come_back_and_a_hang_up_is_noticed() -> None:
    with _server() as (tcp, hang_up):
        port = open_port(f"rfc2217://127.0.0.1:{tcp}?baud=9600")
        sent = bytes(range(256))
        port.write(sent, deadline=port.now() + SECOND)
        got = b""
        while len(got) < len(sent):
            more = port.read(deadline=port.now() + 2 * SECOND)
            assert more
            got += more
        assert got == sent
        assert port.read(deadline=port.now() + 5 * MILLISECOND) == b""
        hang_up.set()
        with pytest.raises(LinkClosed):
            port.read(deadline=port.now() + 5 * SECOND)
        event = port.poll_event()
        assert event is not None
        assert event.kind is LinkEventKind.CLOSED
        port.close()
