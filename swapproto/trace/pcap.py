"""Packet captures of SocketCAN interfaces: pcap and pcapng, in both byte orders.

Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng and the tcpdump group's list of link-layer types.
"""

import struct
from abc import abstractmethod
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from swapproto.trace.reader import BadFrame, FrameReader, OtherFrame
from swapproto.trace.record import Record

MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
}
"""Byte order and units a second, by the first bytes of a pcap file."""
NG_MAGIC = b"\x0a\x0d\x0d\x0a"
CAN_SOCKETCAN = 227
LINUX_SLL = 113
MAX_PACKET = 1 << 18
"""Bytes; the largest snapshot that capture tools take."""
MAX_BLOCK = 1 << 24
MAX_INTERFACES = 1024

_SECTION = 0x0A0D0D0A
_INTERFACE = 1
_SIMPLE = 3
_ENHANCED = 6
_OPT_NAME = 2
_OPT_FLAGS = 2
_OPT_RESOLUTION = 9
_OPT_OFFSET = 14
_EXTENDED = 0x8000_0000
_REMOTE = 0x4000_0000
_ERROR = 0x2000_0000
_FDF = 0x04
_XLF = 0x80
_FD_MTU = 72
_ARPHRD_CAN = 280
_SLL_CAN = 0x000C
_SLL_CAN_FD = 0x000D
_SLL_OUTGOING = 4


class Interface(msgspec.Struct, frozen=True, gc=False):
    """Where packets were captured, and how their stamps count."""

    link: int
    name: str = ""
    units: int = 1_000_000
    """Units of a stamp in a second."""
    offset_s: int = 0


class _Damaged(Exception):
    """The rest of the file cannot be read."""


class _PacketReader(FrameReader):
    unit = "packet"

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self._order = "<"
        """Of the machine that captured."""

    def _records(self) -> Iterator[Record]:
        try:
            yield from self._packets()
        except _Damaged as damage:
            self.lines += 1
            self._skip(b"", str(damage))
            self._remark(f"reading ends at packet {self.lines}: {damage}")

    @abstractmethod
    def _packets(self) -> Iterator[Record]:
        """Every data frame; _Damaged where reading cannot go on."""

    def _exactly(self, size: int) -> bytes:
        """Empty at the end of the file."""
        content = self._stream.read(size)
        if content and len(content) < size:
            raise _Damaged("the file is cut off here")
        return content

    def _stamp(self, ticks: int, interface: Interface) -> int:
        at_us, rest = divmod(ticks * 1_000_000, interface.units)
        self.cut_stamps += rest != 0
        return at_us + interface.offset_s * 1_000_000

    def _packet(self, at_us: int, packet: bytes, interface: Interface, sent: bool | None) -> Record:
        if at_us < 0:
            raise BadFrame("stamp lies before 1970")
        order = ">"
        if interface.link == LINUX_SLL:
            order = self._order  # as Wireshark reads cooked CAN: the identifier was never turned round
            if len(packet) < 16:
                raise BadFrame(f"{len(packet)} bytes are too few for a cooked packet")
            kind, hardware, protocol = struct.unpack_from(">HH10xH", packet)
            if hardware != _ARPHRD_CAN or protocol not in (_SLL_CAN, _SLL_CAN_FD):
                raise OtherFrame("foreign")
            sent = kind == _SLL_OUTGOING
            packet = packet[16:]
        elif interface.link != CAN_SOCKETCAN:
            raise OtherFrame(f"link type {interface.link}")
        if len(packet) < 8:
            raise BadFrame(f"{len(packet)} bytes are too few for the head of a CAN frame")
        word, length, flags = struct.unpack_from(f"{order}IBB", packet)
        if length & _XLF:
            raise OtherFrame("XL")
        if flags & _FDF or len(packet) == _FD_MTU:
            raise OtherFrame("FD")
        if word & _ERROR:
            raise OtherFrame("error")
        if word & _REMOTE:
            raise OtherFrame("remote")
        if length > 8 or len(packet) < 8 + length:
            raise BadFrame(f"frame of {length} bytes in a packet of {len(packet)}")
        return self._data_frame(
            at_us,
            word & 0x1FFF_FFFF,
            packet[8 : 8 + length],
            extended=bool(word & _EXTENDED),
            channel=interface.name,
            sent=sent,
        )


class PcapReader(_PacketReader):
    """A pcap file, stamps in micro- or nanoseconds. It names no interface: the channel is empty."""

    def _packets(self) -> Iterator[Record]:
        head = self._exactly(24)
        if head[:4] not in MAGICS:
            raise _Damaged("the file does not begin as pcap does")
        self._order, units = MAGICS[head[:4]]
        interface = Interface(struct.unpack_from(f"{self._order}I", head, 20)[0] & 0xFFFF, "", units)
        packet_head = struct.Struct(f"{self._order}IIII")
        while head := self._exactly(16):
            seconds, fraction, size, _ = packet_head.unpack(head)
            if size > MAX_PACKET:
                raise _Damaged(f"a packet of {size} bytes")
            packet = self._exactly(size)
            if len(packet) < size:
                raise _Damaged("the file is cut off here")
            self.lines += 1
            try:
                at_us = self._stamp(seconds * units + fraction, interface)
                record = self._packet(at_us, packet, interface, None)
            except (BadFrame, OtherFrame) as odd:
                self._leave_out(odd, packet)
            else:
                yield record


class PcapngReader(_PacketReader):
    """A pcapng file; the channel is the interface's name, or its number in the section."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self._interfaces: list[Interface] = []

    def _packets(self) -> Iterator[Record]:
        while head := self._exactly(8):
            kind, body = self._block(head)
            if kind == _INTERFACE:
                self._add_interface(body)
            elif kind == _ENHANCED:
                self.lines += 1
                try:
                    record = self._enhanced(body)
                except (BadFrame, OtherFrame) as odd:
                    self._leave_out(odd, body[20:])
                else:
                    yield record
            elif kind == _SIMPLE:
                self.lines += 1
                self._skip(body[4:], "a simple packet block carries no stamp")

    def _block(self, head: bytes) -> tuple[int, bytes]:
        """Type and body; a section header sets the byte order and forgets the interfaces."""
        start = b""
        if head[:4] == NG_MAGIC:
            start = self._exactly(4)
            if start not in (b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"):
                raise _Damaged("a section whose byte order cannot be told")
            self._order = "<" if start[0] == 0x4D else ">"
            self._interfaces.clear()
        kind, size = struct.unpack(f"{self._order}II", head)
        rest = size - 8 - len(start)
        if size % 4 or rest < 4 or size > MAX_BLOCK:
            raise _Damaged(f"a block of {size} bytes")
        body = self._exactly(rest)
        if len(body) < rest:
            raise _Damaged("the file is cut off here")
        if struct.unpack_from(f"{self._order}I", body, rest - 4)[0] != size:
            raise _Damaged("a block whose two lengths differ")
        return kind, start + body[:-4]

    def _add_interface(self, body: bytes) -> None:
        if len(body) < 8 or len(self._interfaces) >= MAX_INTERFACES:
            raise _Damaged("an interface that cannot be described")
        name, units, offset_s = str(len(self._interfaces)), 1_000_000, 0
        for code, value in self._options(body[8:]):
            if code == _OPT_NAME:
                name = value[:64].decode("utf-8", "backslashreplace")
            elif code == _OPT_RESOLUTION and value:
                units = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
            elif code == _OPT_OFFSET and len(value) == 8:
                offset_s = struct.unpack(f"{self._order}q", value)[0]
        link = struct.unpack_from(f"{self._order}H", body)[0]
        self._interfaces.append(Interface(link, name, units, offset_s))

    def _enhanced(self, body: bytes) -> Record:
        if len(body) < 20:
            raise BadFrame(f"{len(body)} bytes are too few for a packet block")
        number, high, low, size, _ = struct.unpack_from(f"{self._order}IIIII", body)
        if number >= len(self._interfaces):
            raise BadFrame(f"interface {number} was not described before")
        if size > len(body) - 20:
            raise BadFrame(f"a packet of {size} bytes in a block of {len(body)}")
        interface = self._interfaces[int(number)]
        sent: bool | None = None
        for code, value in self._options(body[20 + (size + 3 & ~3) :]):
            if code == _OPT_FLAGS and len(value) == 4:
                direction = struct.unpack(f"{self._order}I", value)[0] & 3
                sent = None if direction in (0, 3) else direction == 2
        at_us = self._stamp(high << 32 | low, interface)
        return self._packet(at_us, body[20 : 20 + size], interface, sent)

    def _options(self, content: bytes) -> Iterator[tuple[int, bytes]]:
        at = 0
        while at + 4 <= len(content):
            code, size = struct.unpack_from(f"{self._order}HH", content, at)
            if code == 0:
                return
            yield code, content[at + 4 : at + 4 + size]
            at += 4 + (size + 3 & ~3)
