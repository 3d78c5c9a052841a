"""Transport exchanges: what two parties put on the bus, and what each makes of it.

Where one party is scripted it stands for a peer that departs from the rules; the other is our endpoint.
"""

from collections.abc import Iterator, Sequence

import msgspec

from swapproto.export.source import Declaration
from swapproto.export.vectors.bench import Bench, Endpoint, Scripted, ordered
from swapproto.export.vectors.values import Entry, hexadecimal
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.j1939 import GLOBAL_ADDRESS
from swapproto.transport import frames as f
from swapproto.transport.frames import AbortReason, Control
from swapproto.transport.tp import Transport
from swapproto.wire.layout import Layout
from swapproto.wire.message import Message

_SIZES = (9, 49, 252, 1785)
_LIMIT = 10 * SECOND


class Pair(msgspec.Struct, frozen=True):
    """The sender of a long message and its receiver, with the message's PGN."""

    sender: str
    receiver: str
    source: int
    destination: int
    pgn: int

    def turned(self) -> "Pair":
        return Pair(self.receiver, self.sender, self.destination, self.source, self.pgn)


def exchanges(declared: Declaration) -> Iterator[Entry]:
    """None where no message of the profile is longer than a frame."""
    pair = next((_pair(cls) for cls in declared.messages if _long(cls.layout)), None)
    if pair is None:
        return
    for way in (pair, pair.turned()):
        for size in _SIZES:
            yield _sent(f"{size} bytes, {way.sender} to {way.receiver}", way, size)
    yield _sent("two packets a CTS", pair, 49, receiver_window=2)
    yield _sent("sixteen packets a CTS", pair, 252, receiver_window=16)
    yield _sent("the RTS allows five packets a CTS", pair, 252, sender_window=5)
    yield _sent("10 ms between packets", pair, 49, gap=10 * MILLISECOND)
    yield _sent("broadcast", pair, 49, broadcast=True)
    yield _sent("a packet is lost and sent again", pair, 49, receiver_deaf=(4,))
    yield _sent("the last packet is lost and sent again", pair, 49, receiver_deaf=(8,))
    yield _sent("a packet is lost again and again", pair, 49, receiver_deaf=(4, 9, 10, 11))
    yield _sent("the CTS is lost", pair, 49, sender_deaf=(1,))
    yield _sent("the EndOfMsgAck is lost", pair, 49, sender_deaf=(2,))
    yield _sent("a packet of a broadcast is lost", pair, 49, broadcast=True, receiver_deaf=(4,))
    yield from _odd_senders(pair)
    yield from _odd_receivers(pair)


def pattern(size: int) -> bytes:
    """A payload in which no two neighbouring packets are alike."""
    return bytes((number * 7 + size) & 0xFF for number in range(size))


def _long(layout: Layout) -> bool:
    return layout.length > 8


def _pair(cls: type[Message]) -> Pair:
    parties = {int(party.value): party.name for party in type(cls.sender)}
    return Pair(
        parties[cls.source_address], parties[cls.destination_address],
        cls.source_address, cls.destination_address, cls.pgn,
    )  # fmt: skip


def _sent(
    name: str,
    pair: Pair,
    size: int,
    *,
    broadcast: bool = False,
    sender_window: int = f.MAX_PACKETS,
    receiver_window: int = f.MAX_PACKETS,
    gap: int = 0,
    sender_deaf: Sequence[int] = (),
    receiver_deaf: Sequence[int] = (),
) -> Entry:
    bench = Bench()
    sender = Transport(pair.source, window=sender_window, packet_gap=gap)
    ours = Endpoint(bench, pair.sender, sender, sender_deaf)
    theirs = Endpoint(
        bench, pair.receiver, Transport(pair.destination, window=receiver_window), receiver_deaf
    )
    sends = _send(ours, pair, size, broadcast=broadcast)
    bench.bus.run_until(_LIMIT)
    return _exchange(name, bench, (ours, theirs), (), sends)


def _send(endpoint: Endpoint, pair: Pair, size: int, *, broadcast: bool = False) -> list[Entry]:
    payload = pattern(size)
    destination = GLOBAL_ADDRESS if broadcast else pair.destination
    endpoint.transport.send(pair.pgn, payload, destination, 0)
    return [
        {
            "at_us": 0, "party": pair.sender, "pgn": pair.pgn, "destination": destination,
            "payload": hexadecimal(payload),
        }
    ]  # fmt: skip


def _exchange(
    name: str,
    bench: Bench,
    endpoints: Sequence[Endpoint],
    scripted: Sequence[str],
    sends: list[Entry],
) -> Entry:
    events = [event for endpoint in endpoints for event in endpoint.events]
    return {
        "name": name,
        "scripted": list(scripted),
        "sends": sends,
        "frames": bench.frames,
        "events": ordered(events),
    }


def _odd_senders(pair: Pair) -> Iterator[Entry]:
    """The sender is scripted."""
    payload = pattern(49)
    packets = f.data_packets(payload)
    rts, bam = f.rts(pair.pgn, 49), f.bam(pair.pgn, 49)

    def told(name: str, *steps: bytes, to_all: bool = False) -> Entry:
        bench = Bench()
        theirs = Endpoint(bench, pair.receiver, Transport(pair.destination))
        destination = GLOBAL_ADDRESS if to_all else pair.destination
        Scripted(bench, pair.sender, _script(steps, pair.source, destination))
        bench.bus.run_until(_LIMIT)
        return _exchange(name, bench, (theirs,), (pair.sender,), [])

    yield told("no packet follows the RTS", rts)
    yield told("the sender falls silent after three packets", rts, *packets[:3])
    yield told("the sender gives up", rts, *packets[:3], f.abort(pair.pgn, AbortReason.RESOURCES))
    yield told("a packet is left out", rts, *packets[:2], *packets[3:])
    yield told("two packets change places", rts, *packets[:2], packets[3], packets[2], *packets[4:])
    yield told("a packet comes twice", rts, *packets[:3], packets[2], *packets[3:])
    yield told("packet number 0", rts, b"\x00" + packets[0][1:], *packets)
    yield told("packet number beyond the last", rts, packets[0], b"\x08" + packets[1][1:], *packets[1:])
    yield told("the last packet is padded with zeros", f.rts(pair.pgn, 9), *_zero_padded(pattern(9)))
    yield told("a packet of seven bytes", rts, packets[0][:7], *packets)
    yield told("a new RTS in the middle", rts, *packets[:3], rts, *packets)
    yield told("RTS for 8 bytes", f.rts(pair.pgn, 8))
    yield told("RTS for 1786 bytes", f.rts(pair.pgn, 1786, 255))
    yield told("RTS with a wrong packet count", f.rts(pair.pgn, 49, 8))
    yield told("RTS that allows no packet a CTS", f.rts(pair.pgn, 49, limit=0), *packets)
    yield told("packets without an RTS", *packets[:2])
    yield told("unknown control byte", b"\x12" + rts[1:])
    yield told("broadcast with a packet left out", bam, *packets[:2], *packets[3:], to_all=True)
    yield told("broadcast that falls silent", bam, *packets[:3], to_all=True)
    yield told("RTS to all", rts, to_all=True)


def _odd_receivers(pair: Pair) -> Iterator[Entry]:
    """The receiver is scripted."""
    pgn = pair.pgn

    def told(name: str, *steps: bytes) -> Entry:
        bench = Bench()
        ours = Endpoint(bench, pair.sender, Transport(pair.source))
        Scripted(bench, pair.receiver, _script(steps, pair.destination, pair.source))
        sends = _send(ours, pair, 49)
        bench.bus.run_until(_LIMIT)
        return _exchange(name, bench, (ours,), (pair.receiver,), sends)

    yield told("no answer to the RTS")
    yield told("no EndOfMsgAck", f.cts(pgn, 7, 1))
    yield told("a CTS that holds, and then none", f.cts_hold(pgn))
    yield told("a CTS that holds, then one that lets go", f.cts_hold(pgn), f.cts(pgn, 7, 1))
    yield told("the receiver refuses", f.abort(pgn, AbortReason.RESOURCES))
    yield told("the receiver gives up with a reason outside the list", f.cts(pgn, 2, 1), f.abort(pgn, 255))
    yield told("CTS for packet 0", f.cts(pgn, 7, 0))
    yield told("CTS for more packets than remain", f.cts(pgn, 9, 1))
    yield told("CTS that skips packets", f.cts(pgn, 2, 5))
    yield told("CTS for another PGN", f.cts(pgn ^ 0x100, 7, 1))
    yield told("EndOfMsgAck before all packets", f.cts(pgn, 2, 1), f.end_of_msg_ack(pgn, 49))
    yield told("EndOfMsgAck with another size", f.cts(pgn, 7, 1), f.end_of_msg_ack(pgn, 50))
    acknowledged = f.end_of_msg_ack(pgn, 49)
    yield told("a second EndOfMsgAck", f.cts(pgn, 7, 1), acknowledged, acknowledged)
    again = (f.cts(pgn, 1, 7),)
    yield told("packets asked for again and again", f.cts(pgn, 7, 1), *again * 4)


def _script(steps: Sequence[bytes], source: int, destination: int) -> list[tuple[Instant, CanFrame]]:
    """A frame every 10 ms: a control frame where the first byte says so, else a data packet."""
    script: list[tuple[Instant, CanFrame]] = []
    for number, data in enumerate(steps, 1):
        control = data[0] in _CONTROLS and len(data) == 8
        can_id = f.cm_id(destination, source) if control else f.dt_id(destination, source)
        script.append((number * 10 * MILLISECOND, CanFrame(can_id, data)))
    return script


_CONTROLS = frozenset({*(control.value for control in Control), 0x12})


def _zero_padded(payload: bytes) -> list[bytes]:
    packets = f.data_packets(payload)
    used = 1 + len(payload) - 7 * (len(packets) - 1)
    return [*packets[:-1], packets[-1][:used].ljust(8, b"\x00")]
