"""Where TCP peers come from, and links over UDP."""

import errno
import os
import socket
import time
from typing import Protocol

from swapproto.errors import LinkUnavailable
from swapproto.frame import MILLISECOND, SECOND, Instant
from swapproto.link import LinkCaps, LinkEventKind
from swapproto_drivers._framed import INBOX, READ_SIZE, DatagramCodec, FramedLink, wait

FIRST_RETRY = 100 * MILLISECOND
"""From a lost connection to the first attempt to make it again; each further one waits twice as long."""
LAST_RETRY = 5 * SECOND
"""The longest wait between two attempts."""
_ATTEMPT = 3 * SECOND
_ADVICE = {
    errno.ECONNREFUSED: "nothing listens there: is the converter a TCP server, and is this its port?",
    errno.EADDRINUSE: "another program has this port",
    errno.EADDRNOTAVAIL: "this machine has no such address: see ip address",
    errno.EHOSTUNREACH: "is the converter powered, and in this network?",
    errno.ENETUNREACH: "is the converter in a network that this machine reaches?",
    errno.ETIMEDOUT: "is the converter powered, and is this its address?",
}


class Source(Protocol):
    """Where the peers of a stream come from."""

    readers: tuple[int, ...]
    writers: tuple[int, ...]

    def poll(self, now: Instant, /) -> socket.socket | None:
        """A new peer, if there is one; never waits."""
        ...

    def next_timeout(self) -> Instant | None: ...

    def lost(self, now: Instant, /) -> None:
        """The peer went away."""
        ...

    def heard(self) -> None:
        """The peer sent something."""
        ...

    def close(self) -> None: ...


class Dialler:
    """Connects, and after a loss tries again and again, with growing pauses."""

    def __init__(self, link: str, host: str, port: int, within: Instant) -> None:
        self.readers: tuple[int, ...] = ()
        self.writers: tuple[int, ...] = ()
        self._trying: socket.socket | None = None
        self._due: Instant | None = None
        self._pause = FIRST_RETRY
        try:
            self.first = socket.create_connection((host, port), within / SECOND)
        except OSError as error:
            raise unavailable(link, error) from error
        self._family = self.first.family
        self._address = self.first.getpeername()

    def poll(self, now: Instant) -> socket.socket | None:
        if self._due is None or (self._trying is None and now < self._due):
            return None
        if self._trying is None:
            self._trying = socket.socket(self._family, socket.SOCK_STREAM)
            self._trying.setblocking(False)
            self._due = now + _ATTEMPT
            begun = self._trying.connect_ex(self._address)
            if begun not in {0, errno.EINPROGRESS, errno.EWOULDBLOCK}:
                self._fail(now)
                return None
            self.writers = (self._trying.fileno(),)
        if not wait((), self.writers, 0)[1]:
            if now >= self._due:
                self._fail(now)
            return None
        if self._trying.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._fail(now)
            return None
        if self._trying.getsockname() == self._trying.getpeername():
            # On one machine a port that nobody listens at can, by chance, be connected to itself.
            self._fail(now)
            return None
        peer, self._trying, self._due, self.writers = self._trying, None, None, ()
        return peer

    def next_timeout(self) -> Instant | None:
        return self._due

    def lost(self, now: Instant) -> None:
        self._due = now + self._pause
        self._pause = min(2 * self._pause, LAST_RETRY)

    def heard(self) -> None:
        self._pause = FIRST_RETRY

    def close(self) -> None:
        if self._trying is not None:
            self._trying.close()
            self._trying = None
        self._due, self.writers = None, ()

    def _fail(self, now: Instant) -> None:
        self.close()
        self.lost(now)


class Listener:
    """Waits to be connected; the newest peer replaces the one before, which may be gone without a word."""

    def __init__(self, link: str, host: str, port: int) -> None:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            self._socket = socket.socket(family, kind, protocol)
        except OSError as error:
            raise unavailable(link, error) from error
        try:
            if os.name == "posix":
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
            self._socket.listen(4)
        except OSError as error:
            self._socket.close()
            raise unavailable(link, error) from error
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self.readers: tuple[int, ...] = (self._socket.fileno(),)
        self.writers: tuple[int, ...] = ()

    def poll(self, _now: Instant, /) -> socket.socket | None:
        newest: socket.socket | None = None
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return newest
            if newest is not None:
                newest.close()
            newest = peer

    def next_timeout(self) -> Instant | None:
        return None

    def lost(self, _now: Instant, /) -> None:
        """Nothing to do: the next peer may come."""

    def heard(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        self.readers = ()
        self._socket.close()


class DatagramLink(FramedLink):
    """A link over UDP with one host, whichever port it sends from; strangers' datagrams are dropped."""

    def __init__(self, caps: LinkCaps, codec: DatagramCodec, host: str, port: int, local: int = 0) -> None:
        super().__init__(caps, codec)
        self._datagrams = codec
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
            family, kind, protocol, _, address = found[0]
            self._socket = socket.socket(family, kind, protocol)
        except OSError as error:
            raise unavailable(caps.name, error) from error
        try:
            self._socket.bind(("", local))
        except OSError as error:
            self._socket.close()
            raise unavailable(caps.name, error) from error
        self._socket.setblocking(False)
        self._address = address
        self.local_port: int = self._socket.getsockname()[1]

    def close(self) -> None:
        self._closed = True
        self._socket.close()

    def wait_readable(self, until: Instant) -> None:
        """Wait until receive() may have something to do; the only method that a second thread may call."""
        try:
            wait((self._socket.fileno(),), (), until)
        except (OSError, ValueError):
            return

    def _offer(self, data: bytes) -> bool:
        try:
            self._socket.sendto(data, self._address)
        except BlockingIOError:
            return False
        except OSError as error:
            self._drop(str(error))
        return True

    def _pump(self, until: Instant, *, writing: bool = False) -> None:
        # What has come already costs no look at the descriptor.
        if not writing and self._read():
            return
        here = (self._socket.fileno(),)
        can_read, _ = wait(here if len(self._inbox) < INBOX else (), here if writing else (), until)
        if can_read:
            self._read()

    def _read(self) -> bool:
        """Whether there was a datagram."""
        try:
            data, sender = self._socket.recvfrom(READ_SIZE)
        except OSError:
            # None has come, or one of ours was refused: nobody listens there, yet.
            return False
        now = time.monotonic_ns()
        if sender[0] == self._address[0]:
            self._take(self._datagrams.datagram(data, now), now)
        else:
            self._tell(LinkEventKind.DROPPED, f"a datagram of a stranger, {address_name(sender)}", len(data))
        return True


def host_port(link: str, text: str, *, like: str, any_host: bool = False) -> tuple[str, int]:
    """`HOST:PORT`, an IPv6 address in brackets; with ``any_host`` it may be left out for every address."""
    host, colon, port = text.rpartition(":")
    whole = colon and port.isascii() and port.isdigit() and int(port) <= 0xFFFF
    if not whole or not (host or any_host):
        raise LinkUnavailable(f"{link}: write {like}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def unavailable(link: str, error: OSError) -> LinkUnavailable:
    """What a link that cannot be opened raises, with advice."""
    if isinstance(error, socket.gaierror):
        return LinkUnavailable(f"{link}: {error}: is the name right?")
    number = errno.ETIMEDOUT if isinstance(error, TimeoutError) else error.errno
    text = f"{link}: {error}"
    if number in _ADVICE:
        text += f"; {_ADVICE[number]}"
    return LinkUnavailable(text) if number is None else LinkUnavailable(number, text)


def address_name(address: tuple[object, ...]) -> str:
    host = f"[{address[0]}]" if ":" in str(address[0]) else str(address[0])
    return f"{host}:{address[1]}"
