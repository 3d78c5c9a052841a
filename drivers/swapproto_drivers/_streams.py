"""Links over TCP: one connection at a time, made anew when it is lost."""

import socket
import time

from swapproto.frame import Instant
from swapproto.link import LinkCaps, LinkEventKind
from swapproto_drivers._framed import INBOX, READ_SIZE, FramedLink, StreamCodec, earliest, wait
from swapproto_drivers._sockets import Listener, Source, address_name


class StreamLink(FramedLink):
    """A link over one TCP connection at a time.

    While no peer is connected, frames are dropped, counted and told, as on a bus where nobody listens. A lost
    peer is a CLOSED event, the next one REOPENED; with reconnect=False the link ends with its first peer.
    """

    def __init__(
        self,
        caps: LinkCaps,
        codec: StreamCodec,
        source: Source,
        *,
        peer: socket.socket | None = None,
        reconnect: bool = True,
    ) -> None:
        super().__init__(caps, codec)
        self._stream = codec
        self._source = source
        self._reconnect = reconnect
        self._peer: socket.socket | None = None
        self._peer_name = ""
        self._rest = b""
        """What the peer has not taken yet of bytes whose beginning it has."""
        self._had_peer = False
        if peer is not None:
            self._meet(peer)

    @property
    def local_port(self) -> int | None:
        """The port that a listening link listens at, None for one that connects."""
        return self._source.port if isinstance(self._source, Listener) else None

    def wait_readable(self, until: Instant) -> None:
        """Wait until receive() may have something to do; the only method that a second thread may call."""
        peer = self._peer
        readers = [*self._source.readers, *(() if peer is None else (peer.fileno(),))]
        rest_due = None if peer is None else self._stream.next_timeout()
        until = earliest(until, rest_due, self._source.next_timeout())
        try:
            wait(readers, self._source.writers, until)
        except (OSError, ValueError):
            # Closed meanwhile by the thread that owns the link.
            return

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._source.close()
        if self._peer is not None:
            self._peer.close()
            self._peer = None

    def _offer(self, data: bytes) -> bool:
        if self._peer is None:
            self._look(time.monotonic_ns())
        if self._peer is None:
            self._drop("no peer is connected")
            return True
        try:
            if self._rest and not self._flush(self._peer):
                return False
            sent = self._peer.send(data)
        except BlockingIOError:
            return False
        except OSError as error:
            self._read_out(self._peer)
            self._lose(str(error))
            self._drop("the peer went away")
            return True
        self._rest = data[sent:]
        return True

    def _pump(self, until: Instant, *, writing: bool = False) -> None:
        source, codec, peer = self._source, self._stream, self._peer
        # What has come already costs no look at the descriptors.
        if peer is not None and not writing and not self._rest and self._read(peer):
            return
        readers, writers = [*source.readers], [*source.writers]
        if peer is not None:
            until = earliest(until, codec.next_timeout())
            if len(self._inbox) < INBOX:
                readers.append(peer.fileno())
            if writing or self._rest:
                writers.append(peer.fileno())
        can_read, can_write = wait(readers, writers, earliest(until, source.next_timeout()))
        now = time.monotonic_ns()
        if peer is not None:
            if peer.fileno() in can_read:
                self._read(peer)
            else:
                self._serve(now)
            if self._peer is peer and self._rest and peer.fileno() in can_write:
                try:
                    self._flush(peer)
                except OSError as error:
                    self._lose(str(error))
        if self._peer is None or not can_read.isdisjoint(source.readers):
            self._look(now)

    def _read(self, peer: socket.socket) -> bool:
        """Whether there was anything to read, be it the end."""
        try:
            data = peer.recv(READ_SIZE)
        except BlockingIOError:
            return False
        except OSError as error:
            self._lose(str(error))
            return True
        now = time.monotonic_ns()
        if not data:
            self._lose("closed by the peer")
            return True
        self._source.heard()
        self._take(self._stream.feed(data, now), now)
        if self._stream.broken is not None:
            self._lose(self._stream.broken)
        return True

    def _read_out(self, peer: socket.socket) -> None:
        """What a peer sent before it went away counts."""
        while self._peer is peer and wait((peer.fileno(),), (), 0)[0]:
            self._read(peer)

    def _serve(self, now: Instant) -> None:
        due = self._stream.next_timeout()
        if due is not None and now >= due:
            self._take(self._stream.handle_timeout(now), now)
            if self._stream.broken is not None:
                self._lose(self._stream.broken)

    def _flush(self, peer: socket.socket) -> bool:
        """Whether the peer has taken all that it was begun to be sent."""
        try:
            self._rest = self._rest[peer.send(self._rest) :]
        except BlockingIOError:
            return False
        return not self._rest

    def _look(self, now: Instant) -> None:
        peer = self._source.poll(now) if self._gone is None else None
        if peer is None:
            return
        if self._peer is not None:
            if not self._reconnect:
                peer.close()
                return
            self._read_out(self._peer)
            self._lose("replaced by a newer connection")
        self._meet(peer)

    def _meet(self, peer: socket.socket) -> None:
        peer.setblocking(False)
        try:
            self._peer_name = address_name(peer.getpeername())
            _keep_alive(peer)
        except OSError:
            # Gone between connecting and here.
            peer.close()
            self._source.lost(time.monotonic_ns())
            return
        self._peer = peer
        self._rest = self._stream.opening
        self._stream.begin(time.monotonic_ns())
        if self._had_peer:
            self._tell(LinkEventKind.REOPENED, self._peer_name)
        self._had_peer = True
        try:
            self._flush(peer)
        except OSError as error:
            self._lose(str(error))

    def _lose(self, why: str) -> None:
        if self._peer is None:
            return
        self._peer.close()
        self._peer, self._rest = None, b""
        now = time.monotonic_ns()
        self._stream.begin(now)
        self._take([], now)
        self._tell(LinkEventKind.CLOSED, f"{self._peer_name}: {why}")
        if self._reconnect:
            self._source.lost(now)
        else:
            self._gone = f"{self._peer_name}: {why}"


def _keep_alive(peer: socket.socket) -> None:
    """Send small frames at once, and notice within some 15 s a peer that vanished without a word."""
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 3), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
