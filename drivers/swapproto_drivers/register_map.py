"""Register maps as data: a table that opens in a spreadsheet, read strictly.

One row a value, in columns: name, table (coil, discrete, input or holding), address from zero, type, words
(ABCD with the high word first or CDAB with the low word first, where a value has several), scale, unit,
period (as 500 ms; empty is only when asked), access (r or rw), meaning. Commas, semicolons or tabs separate.
"""

import csv
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from io import StringIO
from pathlib import Path
from typing import TypeAlias

import msgspec

from swapproto.errors import LocalProtocolError, ProfileError
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, Instant

Value: TypeAlias = int | float | bool

COLUMNS = ("name", "table", "address", "type", "words", "scale", "unit", "period", "access", "meaning")
_FORMATS = {
    "u16": ">H",
    "i16": ">h",
    "u32": ">I",
    "i32": ">i",
    "f32": ">f",
    "u64": ">Q",
    "i64": ">q",
    "f64": ">d",
}
_UNITS = {"us": MICROSECOND, "ms": MILLISECOND, "s": SECOND, "min": 60 * SECOND}


class Table(Enum):
    """The four tables of Modbus."""

    COIL = "coil"
    DISCRETE = "discrete"
    INPUT = "input"
    HOLDING = "holding"

    @property
    def bits(self) -> bool:
        return self in {Table.COIL, Table.DISCRETE}

    @property
    def read_only(self) -> bool:
        return self in {Table.DISCRETE, Table.INPUT}

    @property
    def most(self) -> int:
        """Values that one request may read, by the Modbus specification."""
        return 2000 if self.bits else 125


class Register(msgspec.Struct, frozen=True, gc=False):
    """One value of a device; ``period`` is None where it is read only when asked for."""

    name: str
    table: Table
    address: int
    type: str
    low_word_first: bool
    scale: Decimal
    unit: str
    period: Instant | None
    writable: bool
    meaning: str

    @property
    def count(self) -> int:
        """Registers or bits that it takes."""
        return 1 if self.table.bits else struct.calcsize(_FORMATS[self.type]) // 2

    def decode(self, raw: Sequence[int]) -> Value:
        """The value of these registers, or of one bit: a float where the type or the scale makes it one."""
        if self.table.bits:
            return bool(raw[0])
        words = tuple(reversed(raw)) if self.low_word_first else tuple(raw)
        (number,) = struct.unpack(_FORMATS[self.type], struct.pack(f">{self.count}H", *words))
        if isinstance(number, float):
            return number * float(self.scale)
        return int(number) if self.scale == 1 else float(number * self.scale)

    def encode(self, value: Value) -> list[int]:
        """Registers, or one bit; LocalProtocolError where the value does not fit."""
        if self.table.bits:
            if value not in {0, 1}:
                raise LocalProtocolError(f"{self.name}: {value} is no bit")
            return [int(value)]
        form = _FORMATS[self.type]
        try:
            scaled = Decimal(str(value)) / self.scale if self.type[0] != "f" else value / float(self.scale)
            number = float(scaled) if self.type[0] == "f" else round(scaled)
            packed = struct.pack(form, number)
        except (struct.error, OverflowError, ValueError, InvalidOperation) as error:
            raise LocalProtocolError(f"{self.name}: {value} {self.unit} does not fit {self.type}") from error
        words = list(struct.unpack(f">{self.count}H", packed))
        return words[::-1] if self.low_word_first else words


class Block(msgspec.Struct, frozen=True):
    """Neighbours of one table that one request reads."""

    table: Table
    address: int
    count: int
    registers: tuple[Register, ...]


class RegisterMap:
    """The values of a device by name, in the order of the table."""

    def __init__(self, registers: Iterable[Register]) -> None:
        self.registers: Mapping[str, Register] = {each.name: each for each in registers}

    def __getitem__(self, name: str) -> Register:
        if name not in self.registers:
            raise LocalProtocolError(f"no register {name!r}; there are: {', '.join(self.registers)}")
        return self.registers[name]

    def __iter__(self) -> Iterator[Register]:
        return iter(self.registers.values())

    def blocks(self, names: Iterable[str]) -> list[Block]:
        """Requests that read these values and nothing else: gaps are not read, for devices refuse them."""
        wanted = {each.name: each for each in map(self.__getitem__, names)}
        blocks: list[Block] = []
        for each in sorted(wanted.values(), key=lambda one: (one.table.value, one.address)):
            last = blocks[-1] if blocks else None
            if (
                last is not None
                and (last.table, last.address + last.count) == (each.table, each.address)
                and last.count + each.count <= each.table.most
            ):
                registers = (*last.registers, each)
                blocks[-1] = Block(last.table, last.address, last.count + each.count, registers)
            else:
                blocks.append(Block(each.table, each.address, each.count, (each,)))
        return blocks


def load_map(path: Path) -> RegisterMap:
    """Read a table; ProfileError with the line and column of what cannot be used."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProfileError(str(path), "encoding", "not UTF-8: save it as CSV UTF-8") from error
    except OSError as error:
        raise ProfileError(str(path), "file", str(error)) from error
    first, _, _ = text.partition("\n")
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    seen: dict[str, Register] = {}
    owners: dict[tuple[Table, int], str] = {}
    try:
        header = tuple(name.strip() for name in next(rows, ()))
        if header != COLUMNS:
            raise ProfileError(str(path), "columns", f"must be {', '.join(COLUMNS)}", 1)
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            row = _Row(str(path), rows.line_num, cells)
            register = row.register()
            if register.name in seen:
                raise row.error("name", f"{register.name} is there already")
            for address in range(register.address, register.address + register.count):
                owner = owners.setdefault((register.table, address), register.name)
                if owner != register.name:
                    raise row.error("address", f"{address} belongs to {owner}")
            seen[register.name] = register
    except csv.Error as error:
        raise ProfileError(str(path), "row", str(error), rows.line_num) from error
    if not seen:
        raise ProfileError(str(path), "rows", "there are none")
    return RegisterMap(seen.values())


class _Row:
    """One line of a table."""

    def __init__(self, path: str, line: int, cells: list[str]) -> None:
        self._path = path
        self._line = line
        if len(cells) != len(COLUMNS):
            raise self.error("row", f"has {len(cells)} cells instead of {len(COLUMNS)}")
        self._cells: dict[str, str] = dict(zip(COLUMNS, (cell.strip() for cell in cells), strict=True))

    def error(self, column: str, reason: str) -> ProfileError:
        return ProfileError(self._path, column, reason, self._line)

    def register(self) -> Register:
        cells = self._cells
        if not cells["name"].isidentifier():
            raise self.error("name", f"{cells['name']!r} must be of letters, digits and _")
        table = Table(self._one_of("table", [each.value for each in Table]))
        kind = self._one_of("type", ["bool"] if table.bits else list(_FORMATS))
        several = not table.bits and struct.calcsize(_FORMATS[kind]) > 2
        words = self._one_of("words", ["ABCD", "CDAB"] if several else [""])
        writable = self._one_of("access", ["r"] if table.read_only else ["r", "rw"]) == "rw"
        register = Register(
            cells["name"],
            table,
            self._address(),
            kind,
            words == "CDAB",
            self._scale(table),
            cells["unit"],
            self._period(),
            writable,
            cells["meaning"],
        )
        if register.address + register.count > 1 << 16:
            raise self.error("address", f"{register.address} leaves no room for {kind}")
        return register

    def _one_of(self, column: str, allowed: Sequence[str]) -> str:
        text = self._cells[column]
        if text not in allowed:
            raise self.error(column, f"{text!r} must be {' or '.join(each or 'empty' for each in allowed)}")
        return text

    def _address(self) -> int:
        text = self._cells["address"]
        try:
            address = int(text, 0)
        except ValueError:
            raise self.error("address", f"{text!r} must be a whole number, as 40 or 0x28") from None
        if not 0 <= address < 1 << 16:
            raise self.error("address", f"{address} must be from 0 to 65535, counted from zero")
        return address

    def _scale(self, table: Table) -> Decimal:
        text = self._cells["scale"]
        if not text:
            return Decimal(1)
        try:
            scale = Decimal(text)
        except InvalidOperation:
            scale = Decimal(0)
        if table.bits or not scale.is_finite() or scale == 0:
            raise self.error("scale", f"{text!r} must be a number other than 0, as 0.1; empty for a bit")
        return scale

    def _period(self) -> Instant | None:
        text = self._cells["period"]
        if not text:
            return None
        number, _, unit = text.partition(" ")
        try:
            period = int(Decimal(number) * _UNITS[unit.strip()])
        except (KeyError, InvalidOperation, ValueError, OverflowError):
            period = 0
        if period <= 0:
            raise self.error("period", f"{text!r} must be a time, as 500 ms or 1 s; empty for none")
        return period
