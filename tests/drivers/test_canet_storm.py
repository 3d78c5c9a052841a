"""Converters that misbehave at random: the link lives, hears the next good peer, and leaves nothing open."""

import gc
import os
import socket
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from swapproto.errors import LinkError
from swapproto.frame import MILLISECOND, SECOND, CanFrame
from swapproto.link import LinkEventKind
from swapproto_drivers import canet, cannelloni
from swapproto_drivers._streams import StreamLink
from swapproto_drivers.canet_units import pack_unit
from swapproto_drivers.cannelloni import HELLO, Cannelloni

HERE = "127.0.0.1"
DESCRIPTORS = Path("/proc/self/fd")
FRAME = CanFrame(0x18FF50E5, b"the last")


def _reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    peer.close()


class Storm:
    """One peer after another, each of which may do anything."""

    def __init__(self, seed: int, link: StreamLink, good: bytes) -> None:
        self.random = Random(seed)
        self.link = link
        self.good = good
        self.peers: list[socket.socket] = []

    def step(self) -> None:
        act = self.random.choice(
            (self.call, self.say, self.say, self.leave, self.send, self.receive, self.receive)
        )
        act()
        while (event := self.link.poll_event()) is not None:
            assert event.count > 0

    def call(self) -> None:
        assert self.link.local_port is not None
        peer = socket.create_connection((HERE, self.link.local_port), 5)
        peer.setblocking(False)
        self.peers.append(peer)
        # A reader that never comes lets the kernel turn callers away.
        while self.link.receive(deadline=0) is not None:
            pass

    def say(self) -> None:
        if not self.peers:
            return
        words = self.random.choice(
            (self.random.randbytes(self.random.randrange(200)), self.good, self.good[:-3], self.good * 40)
        )
        try:
            self.random.choice(self.peers).send(words)
        except (BlockingIOError, ConnectionError):
            return

    def leave(self) -> None:
        if self.peers:
            peer = self.peers.pop(self.random.randrange(len(self.peers)))
            self.random.choice((_reset, socket.socket.close))(peer)

    def send(self) -> None:
        try:
            self.link.send(CanFrame(self.random.randrange(1 << 29)), deadline=self.link.now() + MILLISECOND)
        except LinkError as error:
            assert "no room" in str(error)  # noqa: PT017 - whether it comes depends on the storm

    def receive(self) -> None:
        for _ in range(self.random.randrange(20)):
            self.link.receive(deadline=self.link.now() + self.random.choice((-1, MILLISECOND // 10)))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("kind", ["canet", "cannelloni"])
def test_the_next_good_peer_is_heard(kind: str, seed: int) -> None:
    gc.collect()
    before = len(os.listdir(DESCRIPTORS)) if DESCRIPTORS.is_dir() else 0  # noqa: PTH208
    if kind == "canet":
        link = canet.open_link(f"listen:{HERE}:0", {"idle": "0.001"})
        good = pack_unit(CanFrame(0x18FF50E5, b"a storm!"))
        last = pack_unit(FRAME)
    else:
        link = cannelloni.open_link(f"listen:{HERE}:0", {"idle": "0.001"})
        good = HELLO + Cannelloni().encode(CanFrame(0x18FF50E5, b"a storm!"))
        last = HELLO + Cannelloni().encode(FRAME)
    assert isinstance(link, StreamLink)
    with closing(link):
        storm = Storm(seed, link, good)
        for _ in range(150):
            storm.step()
        for peer in storm.peers:
            peer.close()
        assert link.local_port is not None
        with socket.create_connection((HERE, link.local_port), 5) as peer:
            peer.sendall(last)
            limit = link.now() + 5 * SECOND
            heard = None
            while heard != FRAME and link.now() < limit:
                received = link.receive(deadline=limit)
                heard = None if received is None else received.frame
            assert heard == FRAME
            kinds = set()
            while (event := link.poll_event()) is not None:
                kinds.add(event.kind)
            assert kinds <= {
                LinkEventKind.DROPPED,
                LinkEventKind.CLOSED,
                LinkEventKind.REOPENED,
                LinkEventKind.ERROR_FRAME,
            }
    if before:
        assert len(os.listdir(DESCRIPTORS)) == before  # noqa: PTH208
