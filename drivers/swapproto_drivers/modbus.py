"""Modbus RTU and TCP with the register map as data: a client, and a simulated device made from the same map.

`tcp:HOST:PORT`, `rtu:/dev/ttyUSB0?baud=9600&parity=even&rs485=true`, `rtu:socket://HOST:PORT`. The PDUs are
pymodbus' (extra `modbus`); lines and framing are ours, so that a damaged or foreign frame hides no good one.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from importlib import import_module

import msgspec

from swapproto.errors import LinkError, LinkUnavailable, LocalProtocolError
from swapproto.frame import SECOND, Instant
from swapproto_drivers.byte_port import BytePort
from swapproto_drivers.framing.modbus import Adu, Role, RtuFraming, TcpFraming, encode_rtu, encode_tcp
from swapproto_drivers.register_map import Block, RegisterMap, Table, Value
from swapproto_drivers.serial_port import open_port
from swapproto_drivers.station_links import Arrived, MessagePort

PATIENCE = SECOND
"""How long a device may take to answer before a reading is asked for again; our choice."""
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _ILLEGAL_VALUE = 1, 2, 3
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, it takes long",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target does not respond",
}


class Reading(msgspec.Struct, frozen=True, gc=False):
    """A value of a device and when its answer came."""

    value: Value
    at: Instant


class ModbusPort(MessagePort[Adu]):
    """Modbus frames over a byte port, of RTU or of TCP, as one role hears them."""

    def __init__(self, port: BytePort, role: Role, *, rtu: bool) -> None:
        framing = RtuFraming(role) if rtu else TcpFraming()
        super().__init__(port, framing, encode_rtu if rtu else encode_tcp)
        self.numbered = not rtu
        """Whether answers carry the number of their request."""


def open_modbus(url: str, role: Role = Role.CLIENT) -> ModbusPort:
    """Open `tcp:HOST:PORT`, where a server listens, or `rtu:DEVICE` with the options of a serial port."""
    kind, _, rest = url.partition(":")
    if kind not in {"tcp", "rtu"} or not rest:
        raise LinkUnavailable(f"{url}: write tcp:HOST:PORT or rtu:DEVICE, as in rtu:/dev/ttyUSB0?baud=9600")
    if kind == "tcp":
        address = f"{'listen' if role is Role.SERVER else 'socket'}://{rest}"
    else:
        address = rest if "://" in rest else f"serial:{rest}"
    return ModbusPort(open_port(address), role, rtu=kind == "rtu")


class ModbusClient:
    """Reads and writes the values of one device; units count from 0 to 255.

    A reading is asked for again until its deadline; a value is written once, for it may have arrived though
    its answer did not.
    """

    def __init__(
        self, port: ModbusPort, registers: RegisterMap, *, unit: int = 1, patience: Instant = PATIENCE
    ) -> None:
        _need_pymodbus()
        if not 0 <= unit <= 255:
            raise LocalProtocolError(f"unit {unit} is not within 0 to 255")
        self._port = port
        self._map = registers
        self._unit = unit
        self._patience = patience
        self._transaction = 0
        self._due: dict[str, Instant] = {
            each.name: port.now() for each in registers if each.period is not None
        }

    def read(self, *names: str, deadline: Instant) -> dict[str, Reading]:
        """These values, or all of the map; LinkError where the device refuses one or does not answer."""
        wanted = names or tuple(self._map.registers)
        found: dict[str, Reading] = {}
        for block in self._map.blocks(wanted):
            found |= self._read(block, deadline)
        return {name: found[name] for name in wanted}

    def read_due(self, *, deadline: Instant) -> dict[str, Reading]:
        """The values whose period is over; call it again at next_due()."""
        now = self._port.now()
        names = [name for name, due in self._due.items() if due <= now]
        for name in names:
            period = self._map[name].period or 0
            self._due[name] += ((now - self._due[name]) // period + 1) * period
        return self.read(*names, deadline=deadline) if names else {}

    def next_due(self) -> Instant | None:
        """When a value's period is over next, None if none has one."""
        return min(self._due.values(), default=None)

    def write(self, name: str, value: Value, *, deadline: Instant) -> None:
        """Write a value that the map allows to be written; LinkError if the device did not confirm it."""
        register = self._map[name]
        if not register.writable:
            raise LocalProtocolError(f"{name}: the map does not let it be written")
        from swapproto_drivers import modbus_pdu

        request = modbus_pdu.write_request(register.table, register.address, register.encode(value))
        if self._ask(request, deadline) is None:
            raise LinkError(f"{self._port.name}: unit {self._unit} did not confirm {name}: it may be written")

    def close(self) -> None:
        self._port.close()

    def _read(self, block: Block, deadline: Instant) -> dict[str, Reading]:
        from swapproto_drivers import modbus_pdu

        request = modbus_pdu.read_request(block.table, block.address, block.count)
        while True:
            until = min(deadline, self._port.now() + self._patience)
            answer = self._ask(request, until)
            if answer is not None and len(answer.message) >= block.count:
                return _readings(block, answer.message, answer.at)
            if self._port.now() >= deadline:
                which = ", ".join(each.name for each in block.registers)
                raise LinkError(f"{self._port.name}: unit {self._unit} did not answer in time: {which}")

    def _ask(self, request: bytes, deadline: Instant) -> Arrived[Sequence[int]] | None:
        """The values of the answer, None if none came; LinkError if it is a refusal."""
        from swapproto_drivers import modbus_pdu

        while self._port.receive(deadline=0) is not None:
            # A late answer to an earlier request must not pass for this one's.
            pass
        self._transaction = (self._transaction + 1) & 0xFFFF
        self._port.send(Adu(self._unit, request, self._transaction), deadline=deadline)
        while (arrived := self._port.receive(deadline=deadline)) is not None:
            adu = arrived.message
            ours = adu.unit == self._unit and adu.pdu[0] & 0x7F == request[0]
            answer = modbus_pdu.decode_response(adu.pdu) if ours else None
            if answer is None or (self._port.numbered and adu.transaction != self._transaction):
                continue
            if answer.refusal is not None:
                why = f"{_EXCEPTIONS.get(answer.refusal, 'unknown reason')} ({answer.refusal})"
                raise LinkError(f"{self._port.name}: unit {self._unit} refuses: {why}")
            return Arrived(answer.values, arrived.at)
        return None


class SimulatedDevice:
    """A device that has the registers of a map, sans-I/O; serve() runs it on a port."""

    def __init__(self, registers: RegisterMap, *, unit: int = 1) -> None:
        _need_pymodbus()
        self._map = registers
        self._unit = unit
        self._cells: dict[tuple[Table, int], int] = {}
        self._writable: set[tuple[Table, int]] = set()
        self._outbox: deque[Adu] = deque()
        for each in registers:
            cells = [(each.table, each.address + n) for n in range(each.count)]
            self._cells.update(dict.fromkeys(cells, 0))
            self._writable.update(cells if each.writable else ())

    def set(self, values: Mapping[str, Value]) -> None:
        """Give registers values, whether a client may write them or not."""
        for name, value in values.items():
            register = self._map[name]
            for n, cell in enumerate(register.encode(value)):
                self._cells[register.table, register.address + n] = cell

    def get(self, name: str) -> Value:
        """A register's value."""
        register = self._map[name]
        return register.decode(
            [self._cells[register.table, register.address + n] for n in range(register.count)]
        )

    def receive(self, message: Adu, now: Instant) -> None:  # noqa: ARG002
        if message.unit == self._unit and message.pdu:
            self._outbox.append(msgspec.structs.replace(message, pdu=self._answer(message.pdu)))

    def handle_timeout(self, now: Instant) -> None:
        """Nothing is ever due."""

    def next_timeout(self) -> Instant | None:
        return None

    def poll_transmit(self) -> Adu | None:
        """The next answer, or None. Poll after receive()."""
        return self._outbox.popleft() if self._outbox else None

    def _answer(self, pdu: bytes) -> bytes:
        from swapproto_drivers import modbus_pdu

        table = modbus_pdu.TABLES.get(pdu[0])
        if table is None:
            return bytes([pdu[0] | 0x80, _ILLEGAL_FUNCTION])
        request = modbus_pdu.decode_request(pdu)
        if request is None:
            return bytes([pdu[0] | 0x80, _ILLEGAL_VALUE])
        cells = [(table, request.address + n) for n in range(request.count)]
        if not all(cell in (self._cells if request.reads else self._writable) for cell in cells):
            return bytes([pdu[0] | 0x80, _ILLEGAL_ADDRESS])
        if request.reads:
            return modbus_pdu.read_response(request.function, [self._cells[cell] for cell in cells])
        self._cells.update(zip(cells, request.values, strict=True))
        # What was written, or where and how much: the beginning of the request.
        return pdu[:5]


def _readings(block: Block, values: Sequence[int], at: Instant) -> dict[str, Reading]:
    found: dict[str, Reading] = {}
    for each in block.registers:
        start = each.address - block.address
        found[each.name] = Reading(each.decode(values[start : start + each.count]), at)
    return found


def _need_pymodbus() -> None:
    try:
        import_module("pymodbus.pdu")
    except ImportError as error:
        raise LinkUnavailable(f"modbus: {error}; try: pip install 'swapproto[modbus]'") from error
