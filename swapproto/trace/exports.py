"""The CSV that SavvyCAN and the Chinese adapters' programs write, ZCANPRO and CANTest among them.

Both begin with a line of column names. SavvyCAN's own writer gives ``Time Stamp,ID,Extended,Dir,Bus,LEN``
and ``D1`` to ``D8``: integer microseconds, 8 hexadecimal digits of identifier, eight data columns that are
always filled; an older version has no ``Dir``. The Chinese programs name the same columns differently, in GBK
or UTF-8, and write the stamp as seconds, as time of day or as hexadecimal ticks: published files are the
source (reported), and the tick of 0.1 ms is derived from such a file, in which frames of eight bytes follow
each other in 5 or 6 ticks, as they do at 250 kbit/s.
"""

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping

from swapproto.trace.reader import BadFrame, FrameReader, OtherFrame
from swapproto.trace.record import Record

_Parse = Callable[[list[str]], Record]

SAVVYCAN_HEAD = "timestamp,id,extended"
TICK_US = 100
DAY_US = 86_400_000_000

_HEX_BYTES = re.compile(r"(?:[0-9A-Fa-f]{2})*")
_ID = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{1,8})[hH]?")
_SECONDS = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?", re.ASCII)
_TICKS = re.compile(r"0[xX]([0-9A-Fa-f]{1,12})")
_CLOCK = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[ T]?)?(\d{1,2}):(\d{2}):(\d{2})(?:[.:](\d{1,6})(?:\.(\d{1,3}))?)?",
    re.ASCII,
)

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "time": ("时间标识", "时间戳", "相对时间", "时间", "系统时间", "timestamp", "time"),
    "clock": ("系统时间", "systemtime"),
    "id": ("帧id", "id号", "canid", "id", "frameid"),
    "data": ("数据", "data"),
    "length": ("数据长度", "长度", "dlc", "length", "len"),
    "direction": ("传输方向", "方向", "direction", "dir"),
    "channel": ("can通道", "第几路can", "通道", "源通道", "通道号", "channel"),
    "kind1": ("帧类型", "类型", "frametype", "type"),
    "kind2": ("帧格式", "格式", "frameformat", "format"),
    "kind3": ("can类型", "协议", "protocol"),
}
"""What a column is called, in the order of preference, without brackets and spaces."""


class _ExportReader(FrameReader):
    def _records(self) -> Iterator[Record]:
        parse: _Parse | None = None
        encoding, separator = "utf-8", ","
        for line in self._each_line():
            if parse is None:
                encoding = encoding_of(line)
                text = line.decode(encoding, "replace").removeprefix("\ufeff")
                if not text.strip():
                    continue
                separator = "\t" if "\t" in text and "," not in text else ","
                parse = self._parser([_column(cell) for cell in text.split(separator)])
                if parse is None:
                    self._skip(text, "no line of column names that is known")
                continue
            text = line.decode(encoding, "replace")
            if not text.strip():
                continue
            try:
                record = parse([cell.strip().strip('="').strip() for cell in text.split(separator)])
            except (BadFrame, OtherFrame) as odd:
                self._leave_out(odd, text)
            else:
                yield record

    @abstractmethod
    def _parser(self, head: list[str]) -> _Parse | None:
        """How the rows below these column names are read; None where they are not known."""


class SavvyCanReader(_ExportReader):
    """SavvyCAN's native CSV (GVRET); the channel is the bus number."""

    def _parser(self, head: list[str]) -> _Parse | None:
        if not ",".join(head).startswith(SAVVYCAN_HEAD):
            return None
        directed = "dir" in head
        first = 6 if directed else 5

        def parse(row: list[str]) -> Record:
            if len(row) < first:
                raise BadFrame(f"{len(row)} columns; at least {first} are expected")
            if not (row[0].isascii() and row[0].isdigit()) or len(row[0]) > 18:
                raise BadFrame("stamp is no number of microseconds")
            if not row[first - 1].isdecimal():
                raise BadFrame("length is no number")
            length = int(row[first - 1][:3])
            if length > 8:
                raise OtherFrame("FD")
            cells = row[first : first + length]
            if len(cells) < length:
                raise BadFrame(f"{len(cells)} bytes of data where {length} were announced")
            if not all(cells):
                raise BadFrame("a byte of data is missing")
            return self._data_frame(
                int(row[0]),
                _identifier(row[1]),
                _bytes("".join(cell.zfill(2) for cell in cells)),
                extended=row[2].lower() == "true",
                channel=row[first - 2],
                sent=row[3][:1] in ("T", "t") if directed else None,
            )

        return parse


class ZcanproReader(_ExportReader):
    """The export of ZCANPRO and of programs like it: columns are found by their names, in any order."""

    _last_clock = 0
    _days = 0

    def _parser(self, head: list[str]) -> _Parse | None:
        at = {
            meaning: next((head.index(name) for name in names if name in head), None)
            for meaning, names in _COLUMNS.items()
        }
        time, identifier, data = at["time"], at["id"], at["data"]
        if time is None or identifier is None or data is None:
            return None
        needed = max(time, identifier, data)

        def cell(row: list[str], meaning: str) -> str:
            index = at[meaning]
            return row[index] if index is not None and index < len(row) else ""

        def parse(row: list[str]) -> Record:
            if len(row) <= needed:
                raise BadFrame(f"{len(row)} columns; at least {needed + 1} are expected")
            kind = "".join(cell(row, meaning) for meaning in ("kind1", "kind2", "kind3")).lower()
            if "fd" in kind:
                raise OtherFrame("FD")
            if "错误" in kind or "error" in kind:
                raise OtherFrame("error")
            if "远程" in kind or "remote" in kind:
                raise OtherFrame("remote")
            content = _bytes(row[data].removeprefix("x|").replace("0x", ""))
            length = cell(row, "length")
            announced = _ID.fullmatch(length)
            if length and (announced is None or int(announced[1], 16) != len(content)):
                raise BadFrame(f"{len(content)} bytes of data where {length} were announced")
            number = _identifier(row[identifier])
            direction = cell(row, "direction").lower()
            return self._data_frame(
                self._stamp(row[time], cell(row, "clock")),
                number,
                content,
                extended=_extended(kind, number),
                channel=cell(row, "channel"),
                sent=None if not direction else direction.startswith(("发", "t", "s")),
            )

        return parse

    def _stamp(self, text: str, clock: str) -> int:
        if match := _SECONDS.fullmatch(text):
            whole, fraction = match[1], match[2] or ""
            self.cut_stamps += fraction[6:].strip("0") != ""
            return int(whole) * 1_000_000 + int(fraction[:6].ljust(6, "0"))
        if match := _TICKS.fullmatch(text):
            return int(match[1], 16) * TICK_US
        if match := _CLOCK.fullmatch(text) or _CLOCK.fullmatch(clock):
            hours, minutes, seconds = (int(part) for part in match.groups()[:3])
            fraction = (match[4] or "") + (match[5] or "")
            self.cut_stamps += fraction[6:].strip("0") != ""
            at_us = (hours * 3600 + minutes * 60 + seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0"))
            if at_us < self._last_clock - DAY_US // 2:
                self._days += 1
            self._last_clock = at_us
            return self._days * DAY_US + at_us
        raise BadFrame("stamp is neither seconds, ticks nor a time of day")


def encoding_of(head: bytes) -> str:
    """UTF-8 where the bytes are such, else what GBK has grown into."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def is_zcanpro(head: str) -> bool:
    """Whether a line is the column names of such an export."""
    names = {_column(cell) for cell in re.split(r"[,\t]", head)}
    return any(not name.isascii() for name in names) and all(
        names.intersection(_COLUMNS[meaning]) for meaning in ("time", "id", "data")
    )


def is_savvycan(head: str) -> bool:
    """Whether a line is the column names that SavvyCAN writes."""
    return ",".join(_column(cell) for cell in head.split(",")).startswith(SAVVYCAN_HEAD)


def _column(cell: str) -> str:
    return re.split(r"[(（]", re.sub(r"[\s\"']", "", cell))[0].lower()


def _identifier(text: str) -> int:
    match = _ID.fullmatch(text.replace(" ", ""))
    if match is None:
        raise BadFrame("identifier is not hexadecimal")
    return int(match[1], 16)


def _bytes(text: str) -> bytes:
    digits = text.replace(" ", "")
    if not _HEX_BYTES.fullmatch(digits):
        raise BadFrame("data is no run of hexadecimal bytes")
    return bytes.fromhex(digits)


def _extended(kind: str, number: int) -> bool:
    if "扩展" in kind or "ext" in kind:
        return True
    if "标准" in kind or "std" in kind or "standard" in kind:
        return False
    return number > 0x7FF
