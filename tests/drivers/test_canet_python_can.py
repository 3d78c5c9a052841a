"""Converters as interfaces of python-can: the same links behind can.BusABC."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from threading import Event
from typing import Any

import can
import pytest
from can.interfaces import BACKENDS
from can.typechecking import CanFilter

from swapproto.frame import CanFrame
from swapproto_drivers.canet_units import UNIT, pack_unit, read_unit
from swapproto_drivers.cannelloni import HELLO
from swapproto_drivers.python_can_plugins import CanetBus, CannelloniBus

HERE = "127.0.0.1"
FRAME = CanFrame(0x1801F456, b"\x01\x02")


@pytest.fixture
def converter() -> Iterator[socket.socket]:
    with socket.create_server((HERE, 0)) as server:
        server.settimeout(5)
        yield server


def _channel(converter: socket.socket) -> str:
    return f"tcp:{HERE}:{converter.getsockname()[1]}"


def _accept(converter: socket.socket) -> socket.socket:
    peer, _ = converter.accept()
    peer.settimeout(5)
    return peer


def test_messages_out_and_in(converter: socket.socket) -> None:
    with CanetBus(_channel(converter), bitrate=250_000) as bus, _accept(converter) as peer:
        for message in (
            can.Message(arbitration_id=0x1801F456, data=b"\x01\x02"),
            can.Message(arbitration_id=0x123, is_extended_id=False, data=bytes(8)),
            can.Message(arbitration_id=0x123, is_extended_id=False, is_remote_frame=True, dlc=5),
        ):
            bus.send(message)
            unit = peer.recv(UNIT)
            assert isinstance(read_unit(unit), CanFrame)
            before = time.time()
            peer.sendall(unit)
            came = bus.recv(5)
            assert came is not None
            assert came.equals(message, timestamp_delta=None, check_channel=False)
            # The wall clock may be read in another order than the monotonic one, by a little.
            assert before - 0.1 < came.timestamp < time.time() + 0.1
        assert bus.recv(0) is None
        assert bus.recv(0.01) is None
        assert str(bus).startswith("canet:tcp:")


def test_can_bus_finds_it_by_name(converter: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKENDS, "canet", ("swapproto_drivers.python_can_plugins", "CanetBus"))
    arguments: dict[str, Any] = {"bitrate": 500_000, "idle": 1, "fd": False, "receive_own_messages": False}
    with (
        can.Bus(_channel(converter), "canet", ignore_config=True, **arguments) as bus,
        _accept(converter) as peer,
    ):
        assert isinstance(bus, CanetBus)
        peer.sendall(pack_unit(FRAME))
        assert bus.recv(5) is not None


def test_cannelloni_too(converter: socket.socket) -> None:
    with CannelloniBus(_channel(converter).removeprefix("tcp:")) as bus, _accept(converter) as peer:
        peer.sendall(HELLO + bytes.fromhex("9801F456 02 0102"))
        came = bus.recv(5)
        assert came is not None
        assert (came.arbitration_id, bytes(came.data)) == (0x1801F456, b"\x01\x02")
        assert peer.recv(100) == HELLO


def test_udp_too() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as device:
        device.bind((HERE, 0))
        device.settimeout(5)
        with CanetBus(f"udp:{HERE}:{device.getsockname()[1]}") as bus:
            bus.send(can.Message(arbitration_id=1))
            unit, sender = device.recvfrom(100)
            assert unit == pack_unit(CanFrame(1))
            device.sendto(unit, sender)
            assert bus.recv(5) is not None


def test_filters_hold(converter: socket.socket) -> None:
    only = [CanFilter(can_id=0x7FF, can_mask=0x7FF, extended=True)]
    with CanetBus(_channel(converter), can_filters=only) as bus, _accept(converter) as peer:
        peer.sendall(pack_unit(FRAME) + pack_unit(CanFrame(0x7FF)))
        came = bus.recv(5)
        assert came is not None
        assert came.arbitration_id == 0x7FF


def test_a_notifier_reads_while_another_thread_sends(converter: socket.socket) -> None:
    came = Event()
    with CanetBus(_channel(converter)) as bus, _accept(converter) as peer:
        notifier = can.Notifier(bus, [lambda _: came.set()], timeout=0.05)
        try:
            bus.send(can.Message(arbitration_id=3), timeout=5)
            assert peer.recv(UNIT) == pack_unit(CanFrame(3))
            peer.sendall(pack_unit(FRAME))
            assert came.wait(5)
        finally:
            notifier.stop()


def test_asyncio_reads_through_its_thread(converter: socket.socket) -> None:
    async def first() -> can.Message:
        reader = can.AsyncBufferedReader()
        notifier = can.Notifier(bus, [reader], timeout=0.1, loop=asyncio.get_running_loop())
        peer.sendall(pack_unit(FRAME))
        message = await asyncio.wait_for(reader.get_message(), 5)
        notifier.stop()
        return message

    with CanetBus(_channel(converter)) as bus, _accept(converter) as peer:
        assert asyncio.run(first()).arbitration_id == FRAME.id


def test_it_reconnects_and_logs(converter: socket.socket, caplog: pytest.LogCaptureFixture) -> None:
    with CanetBus(_channel(converter)) as bus:
        _accept(converter).close()
        while "the device is back" not in caplog.text:
            assert bus.recv(0.05) is None
        with _accept(converter) as peer:
            peer.sendall(pack_unit(FRAME))
            assert bus.recv(5) is not None
    assert "the device went away" in caplog.text


def test_errors_are_python_can_s(converter: socket.socket) -> None:
    bus = CanetBus(_channel(converter), reconnect=False)
    peer = _accept(converter)
    with peer:
        for bad in (can.Message(is_fd=True), can.Message(is_error_frame=True)):
            with pytest.raises(can.CanOperationError, match="classic"):
                bus.send(bad)
        with pytest.raises(ValueError, match="29 bits"):
            bus.send(can.Message(arbitration_id=1 << 29))
    with pytest.raises(can.CanOperationError, match="closed by the peer"):
        bus.recv(5)
    with pytest.raises(can.CanOperationError, match="closed by the peer"):
        bus.send(can.Message())
    bus.shutdown()
    bus.shutdown()
    with pytest.raises(can.CanOperationError, match="was closed"):
        bus.recv(0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"receive_own_messages": True}, "receive_own_messages"),
        ({"fd": True}, "knows no fd"),
        ({"speed": 9}, "unknown option speed"),
    ],
)
def test_what_a_converter_cannot_do_is_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(can.CanInitializationError, match=says):
        CanetBus(f"listen:{HERE}:0", None, **options)
    with pytest.raises(can.CanInitializationError, match="write cannelloni:HOST:PORT"):
        CannelloniBus("here")
