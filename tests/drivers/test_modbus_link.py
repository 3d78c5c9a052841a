"""Modbus: our two ends with each other in a time of their own, and each with pymodbus' other end."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("pymodbus")
from pymodbus.client import ModbusTcpClient
from pymodbus.framer.rtu import FramerRTU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from swapproto.errors import LinkError, LinkUnavailable, LocalProtocolError
from swapproto.frame import SECOND, Instant
from swapproto.link import LinkEvent
from swapproto_drivers.byte_port import ListeningPort
from swapproto_drivers.framing.modbus import (
    LONGEST_RTU,
    Adu,
    Role,
    RtuFraming,
    TcpFraming,
    crc,
    encode_rtu,
    encode_tcp,
)
from swapproto_drivers.framing.reader import IDLE, Reader
from swapproto_drivers.modbus import ModbusClient, ModbusPort, SimulatedDevice, open_modbus
from swapproto_drivers.register_map import RegisterMap, Value, load_map
from swapproto_drivers.station_links import step

TEMPLATE = Path(__file__).parents[2] / "examples" / "registers.csv"
VALUES: dict[str, Value] = {
    "mains_voltage": 399.9,
    "mains_current": -12.5,
    "active_energy": 123456.78,
    "active_power": 1.5,
    "door_open": True,
    "fan_on": False,
    "target_temperature": -4.5,
}


class Bench:
    """A line in a time of its own: what is written reaches the device at once, through ``line`` both ways."""

    name = "bench"

    def __init__(self, device: SimulatedDevice, *, rtu: bool) -> None:
        self.time: Instant = 0
        self.incoming = b""
        self.requests = 0
        self.line: Callable[[bytes], bytes] = bytes
        self._device = device
        self._far = Reader(RtuFraming(Role.SERVER) if rtu else TcpFraming())
        self._encode = encode_rtu if rtu else encode_tcp

    def now(self) -> Instant:
        return self.time

    def read(self, *, deadline: Instant) -> bytes:
        data, self.incoming = self.incoming, b""
        if not data:
            self.time = max(self.time, deadline)
        return data

    def write(self, data: bytes, *, deadline: Instant) -> None:
        self.requests += 1
        for adu in self._far.feed(self.line(data), self.time):
            self._device.receive(adu, self.time)
        while (answer := self._device.poll_transmit()) is not None:
            self.incoming += self.line(self._encode(answer))

    def poll_event(self) -> LinkEvent | None:
        return None

    def close(self) -> None:
        pass


@pytest.fixture
def registers() -> RegisterMap:
    return load_map(TEMPLATE)


@pytest.fixture
def device(registers: RegisterMap) -> SimulatedDevice:
    device = SimulatedDevice(registers)
    device.set(VALUES)
    return device


@pytest.fixture(params=[True, False], ids=["rtu", "tcp"])
def bench(request: pytest.FixtureRequest, device: SimulatedDevice) -> Bench:
    return Bench(device, rtu=request.param)


@pytest.fixture
def client(bench: Bench, registers: RegisterMap) -> ModbusClient:
    rtu = isinstance(bench._far._framing, RtuFraming)
    return ModbusClient(ModbusPort(bench, Role.CLIENT, rtu=rtu), registers)


def test_every_value_is_read(client: ModbusClient, bench: Bench) -> None:
    readings = client.read(deadline=SECOND)
    assert {name: reading.value for name, reading in readings.items()} == VALUES
    assert bench.requests == 4
    assert list(client.read("door_open", "mains_current", deadline=SECOND)) == ["door_open", "mains_current"]


@pytest.mark.parametrize(("name", "value"), [("fan_on", True), ("target_temperature", 21.5)])
def test_what_may_be_written_is(
    client: ModbusClient, device: SimulatedDevice, name: str, value: Value
) -> None:
    client.write(name, value, deadline=SECOND)
    assert device.get(name) == value
    assert client.read(name, deadline=SECOND)[name].value == value


def test_what_may_not_be_written_is_not(client: ModbusClient, bench: Bench) -> None:
    for name, value in (("mains_voltage", 1.0), ("nope", 1), ("fan_on", 2), ("target_temperature", 4000.0)):
        with pytest.raises(LocalProtocolError, match=name):
            client.write(name, value, deadline=SECOND)
    assert bench.requests == 0


def test_a_reading_is_asked_for_again_until_its_deadline(client: ModbusClient, bench: Bench) -> None:
    def deaf_for_two(data: bytes) -> bytes:
        return b"" if bench.requests <= 2 else data

    bench.line = deaf_for_two
    assert client.read("door_open", deadline=10 * SECOND)["door_open"].value is True
    assert bench.requests == 3
    bench.line = lambda _: b""
    start = bench.time
    with pytest.raises(LinkError, match="unit 1 did not answer in time: mains_voltage"):
        client.read("mains_voltage", deadline=start + 5 * SECOND)
    assert bench.time == start + 5 * SECOND


def test_a_value_is_written_once(client: ModbusClient, bench: Bench) -> None:
    bench.line = lambda _: b""
    with pytest.raises(LinkError, match="may be written"):
        client.write("fan_on", True, deadline=5 * SECOND)
    assert bench.requests == 1


def test_a_late_answer_is_not_taken_for_the_next(client: ModbusClient, bench: Bench) -> None:
    client.read("mains_voltage", deadline=SECOND)
    late = Bench(bench._device, rtu=isinstance(bench._far._framing, RtuFraming))
    late.write(
        encode_rtu(Adu(1, bytes.fromhex("0400010001")))
        if isinstance(bench._far._framing, RtuFraming)
        else encode_tcp(Adu(1, bytes.fromhex("0400010001"), 1)),
        deadline=0,
    )
    bench.incoming = late.incoming
    assert client.read("mains_voltage", deadline=2 * SECOND)["mains_voltage"].value == 399.9


@pytest.mark.parametrize(
    ("pdu", "answer"),
    [
        ("0400000001", "04020f9f"),
        ("0400050002", "8402"),
        ("0400000000", "8403"),
        ("04ffff0002", "8402"),
        ("0500 00ff00", "050000ff00"),
        ("0500010000", "8502"),
        ("0600000064", "0600000064"),
        ("1000000001020064", "1000000001"),
        ("10000000010200", "9003"),
        ("1000000000 00", "9003"),
        ("0f00000001 0101", "0f00000001"),
        ("0700", "8701"),
        ("03", "8303"),
        ("0200000001", "020101"),
    ],
)
def test_a_device_answers(device: SimulatedDevice, pdu: str, answer: str) -> None:
    device.receive(Adu(1, bytes.fromhex(pdu), 77), 0)
    assert device.poll_transmit() == Adu(1, bytes.fromhex(answer), 77)
    device.receive(Adu(2, bytes.fromhex(pdu)), 0)
    assert device.poll_transmit() is None


def test_a_refusal_says_which(registers: RegisterMap, tmp_path: Path) -> None:
    path = tmp_path / "less.csv"
    path.write_text("".join(TEMPLATE.read_text().splitlines(keepends=True)[:2]))
    bench = Bench(SimulatedDevice(load_map(path)), rtu=True)
    client = ModbusClient(ModbusPort(bench, Role.CLIENT, rtu=True), registers)
    with pytest.raises(LinkError, match=r"refuses: illegal data address \(2\)"):
        client.read("fan_on", deadline=SECOND)


def test_values_are_due_by_their_periods(client: ModbusClient, bench: Bench) -> None:
    assert client.next_due() == 0
    assert set(client.read_due(deadline=SECOND)) == set(VALUES) - {"fan_on", "target_temperature"}
    assert client.read_due(deadline=SECOND) == {}
    bench.time = SECOND // 10
    assert client.next_due() == bench.time
    assert set(client.read_due(deadline=SECOND)) == {"door_open"}
    bench.time = 65 * SECOND
    assert len(client.read_due(deadline=70 * SECOND)) == 5
    assert client.next_due() == 65 * SECOND + SECOND // 10


adus = st.one_of(
    st.builds(
        Adu,
        st.integers(0, 255),
        st.tuples(st.sampled_from([1, 2, 3, 4, 5, 6]), st.binary(min_size=4, max_size=4)).map(
            lambda p: bytes([p[0]]) + p[1]
        ),
    ),
    st.builds(
        Adu,
        st.integers(0, 255),
        st.tuples(st.sampled_from([15, 16]), st.binary(min_size=4, max_size=4), st.binary(max_size=246)).map(
            lambda p: bytes([p[0]]) + p[1] + bytes([len(p[2])]) + p[2]
        ),
    ),
)


@given(
    st.binary(max_size=4096) | st.lists(adus.map(encode_rtu).map(lambda f: f[:-1]), max_size=9).map(b"".join),
    adus,
)
@settings(max_examples=100, deadline=None)
def test_a_request_behind_any_prefix_is_found(prefix: bytes, adu: Adu) -> None:
    reader = Reader(RtuFraming(Role.SERVER))
    found = reader.feed(prefix, 0)
    assert reader.pending < LONGEST_RTU
    found += reader.feed(encode_rtu(adu), 0) + reader.handle_timeout(IDLE)
    frame = encode_rtu(adu)
    assert sum(len(encode_rtu(one)) for one in found) + reader.dropped.total() == len(prefix) + len(frame)
    if found[-1:] != [adu]:
        # Only a piece with a right CRC that reaches into the frame may hide it; it is a frame to any reader.
        data, false = prefix + frame, encode_rtu(found[-1])
        assert any(
            data[n : n + len(false)] == false for n in range(len(prefix) - len(false) + 1, len(prefix))
        )


@given(adus)
def test_frames_are_those_of_pymodbus(adu: Adu) -> None:
    frame = encode_rtu(adu)
    assert FramerRTU.compute_CRC(frame[:-2]) == int.from_bytes(frame[-2:], "big")
    assert crc(frame) == 0
    numbered = Adu(adu.unit, adu.pdu, 0x1234)
    assert Reader(TcpFraming()).feed(encode_tcp(numbered), 0) == [numbered]


def test_the_check_value_of_the_crc() -> None:
    assert crc(b"123456789") == 0x4B37


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ascii:x", "tcp:HOST:PORT or rtu:DEVICE"),
        ("tcp:", "tcp:HOST:PORT"),
        ("tcp:127.0.0.1:1", "nobody listens"),
        ("rtu:/no/such?baud=9600&parity=even", "no such device"),
    ],
)
def test_what_cannot_be_opened_says_why(url: str, says: str) -> None:
    with pytest.raises(LinkUnavailable, match=says):
        open_modbus(url)


def test_without_pymodbus_the_extra_is_named(registers: RegisterMap, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise ModuleNotFoundError("No module named 'pymodbus'")

    monkeypatch.setattr("swapproto_drivers.modbus.import_module", missing)
    with pytest.raises(LinkUnavailable, match=r"pip install 'swapproto\[modbus\]'"):
        SimulatedDevice(registers)


@contextmanager
def _served(device: SimulatedDevice) -> Iterator[int]:
    """The device behind a TCP port, in a thread that ends with the block."""
    server = ListeningPort("127.0.0.1", 0)
    port, stop = ModbusPort(server, Role.SERVER, rtu=False), threading.Event()

    def run() -> None:
        while not stop.is_set():
            step(port, device, deadline=port.now() + SECOND // 50)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield server.port
    finally:
        stop.set()
        thread.join()
        port.close()


def test_pymodbus_reads_and_writes_our_device(device: SimulatedDevice) -> None:
    with _served(device) as port:
        client: Any = ModbusTcpClient("127.0.0.1", port=port, timeout=2, retries=0)
        assert client.connect()
        try:
            assert client.read_input_registers(0, count=2).registers == [3999, 0xFFFF - 124]
            assert client.read_discrete_inputs(0, count=1).bits[0] is True
            client.write_coil(0, True)
            client.write_register(0, 215)
            client.write_registers(0, [216])
            assert client.read_holding_registers(9, count=1).exception_code == 2
        finally:
            client.close()
    assert (device.get("fan_on"), device.get("target_temperature")) == (True, 21.6)


def test_over_tcp_with_our_own_device(device: SimulatedDevice, registers: RegisterMap) -> None:
    with (
        _served(device) as port,
        closing(ModbusClient(open_modbus(f"tcp:127.0.0.1:{port}"), registers)) as client,
    ):
        readings = client.read(deadline=client._port.now() + 5 * SECOND)
        assert {name: reading.value for name, reading in readings.items()} == VALUES
        client.write("fan_on", True, deadline=client._port.now() + 5 * SECOND)
    assert device.get("fan_on") is True


def test_we_read_and_write_a_device_of_pymodbus(registers: RegisterMap) -> None:
    cells: dict[str, list[Any]] = {
        "input": [value for name in list(VALUES)[:4] for value in registers[name].encode(VALUES[name])],
        "holding": registers["target_temperature"].encode(-4.5),
    }
    simulated = SimDevice(
        id=1,
        simdata=(
            [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
            [SimData(0, values=[True] * 16, datatype=DataType.BITS)],
            [SimData(0, values=cells["holding"], datatype=DataType.REGISTERS)],
            [SimData(0, values=cells["input"], datatype=DataType.REGISTERS)],
        ),
    )
    ready, found = threading.Event(), {"port": 0}

    async def run() -> None:
        server: Any = ModbusTcpServer(simulated, address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        assert server.transport is not None
        found["port"] = server.transport.sockets[0].getsockname()[1]
        found_server.append((server, asyncio.get_running_loop()))
        ready.set()
        await server.serving

    found_server: list[tuple[Any, asyncio.AbstractEventLoop]] = []
    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(5)
    server, loop = found_server[0]
    try:
        with closing(ModbusClient(open_modbus(f"tcp:127.0.0.1:{found['port']}"), registers)) as client:
            deadline = client._port.now() + 5 * SECOND
            readings = client.read(deadline=deadline)
            assert {name: reading.value for name, reading in readings.items()} == VALUES
            client.write("target_temperature", 21.5, deadline=deadline)
            client.write("fan_on", True, deadline=deadline)
            again = client.read("target_temperature", "fan_on", deadline=deadline)
            assert [reading.value for reading in again.values()] == [21.5, True]
    finally:
        asyncio.run_coroutine_threadsafe(server.shutdown(), loop).result(5)
        thread.join(5)
    assert not thread.is_alive()
