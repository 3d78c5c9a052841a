"""Modbus messages, written and read by pymodbus: its PDUs, and nothing else of it."""

from collections.abc import Sequence

import msgspec
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadCoilsResponse,
    ReadDiscreteInputsRequest,
    ReadDiscreteInputsResponse,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from swapproto_drivers.register_map import Table

READ = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}
TABLES = {
    **{function: table for table, function in READ.items()},
    5: Table.COIL,
    6: Table.HOLDING,
    15: Table.COIL,
    16: Table.HOLDING,
}
"""Functions that are known, and the table that each is about."""

_READ_REQUESTS: dict[Table, type[ModbusPDU]] = {
    Table.COIL: ReadCoilsRequest,
    Table.DISCRETE: ReadDiscreteInputsRequest,
    Table.HOLDING: ReadHoldingRegistersRequest,
    Table.INPUT: ReadInputRegistersRequest,
}
_READ_RESPONSES: dict[int, type[ModbusPDU]] = {
    1: ReadCoilsResponse,
    2: ReadDiscreteInputsResponse,
    3: ReadHoldingRegistersResponse,
    4: ReadInputRegistersResponse,
}
_requests, _responses = DecodePDU(True), DecodePDU(False)


class Request(msgspec.Struct, frozen=True, gc=False):
    """What a client wants; ``values`` are what it writes, nothing where it reads."""

    function: int
    address: int
    count: int
    values: tuple[int, ...]

    @property
    def reads(self) -> bool:
        return self.function in _READ_RESPONSES


class Response(msgspec.Struct, frozen=True, gc=False):
    """What a device answers: bits padded to whole bytes, registers, or the code of its refusal."""

    values: tuple[int, ...]
    refusal: int | None = None


def read_request(table: Table, address: int, count: int) -> bytes:
    return _encode(_READ_REQUESTS[table](address=address, count=count))


def write_request(table: Table, address: int, values: Sequence[int]) -> bytes:
    if table.bits:
        return _encode(WriteSingleCoilRequest(address=address, bits=[bool(values[0])]))
    kind = WriteSingleRegisterRequest if len(values) == 1 else WriteMultipleRegistersRequest
    return _encode(kind(address=address, registers=values))


def read_response(function: int, values: Sequence[int]) -> bytes:
    kind = _READ_RESPONSES[function]
    if TABLES[function].bits:
        return _encode(kind(bits=[bool(each) for each in values]))
    return _encode(kind(registers=values))


def decode_request(pdu: bytes) -> Request | None:
    """A request of a known function, or None where it is none or contradicts itself."""
    message = _requests.decode(pdu)
    if message is None or message.function_code not in TABLES:
        return None
    values = tuple(int(each) for each in (*message.bits, *message.registers))
    count = message.count or len(values)
    request = Request(message.function_code, message.address, count, values)
    return request if request.reads or len(values) == count > 0 else None


def decode_response(pdu: bytes) -> Response | None:
    """An answer, or None where it is none."""
    message = _responses.decode(pdu)
    if message is None:
        return None
    values = tuple(int(each) for each in (*message.bits, *message.registers))
    return Response(values, message.exception_code if message.isError() else None)


def _encode(message: ModbusPDU) -> bytes:
    return bytes([message.function_code]) + message.encode()
