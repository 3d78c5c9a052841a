"""Serial ports by URL, through pyserial, and the TCP port that waits for its peer.

`serial:/dev/ttyUSB0?baud=115200&rs485=true`, `loop://`, `socket://HOST:PORT`, `rfc2217://HOST:PORT`, and
`listen://HOST:PORT` for the end that is called. With `reconnect=true` a port whose device goes away comes
back: both are events, read() waits meanwhile and write() is refused.
"""

import errno
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

import serial
from serial.rs485 import RS485Settings

from swapproto.errors import LinkUnavailable
from swapproto_drivers._options import integer, known_only
from swapproto_drivers.byte_port import BytePort, Device, DevicePort, ListeningPort

OPTIONS = ("baud", "parity", "bytesize", "stopbits", "rs485", "rtscts", "xonxoff", "reconnect")
"""What a serial port takes after its question mark."""
_PARITIES = {
    "none": serial.PARITY_NONE,
    "even": serial.PARITY_EVEN,
    "odd": serial.PARITY_ODD,
    "mark": serial.PARITY_MARK,
    "space": serial.PARITY_SPACE,
}
_WRITE_TIMEOUT = 1.0
"""Seconds for one write where the system cannot tell when there is room."""
_SYSTEM_TELLS = ("serial:", "socket://")
_ADVICE = {
    errno.ENOENT: "no such device; see: python -m serial.tools.list_ports",
    errno.ENXIO: "no such device; see: python -m serial.tools.list_ports",
    errno.EACCES: "no permission; on Linux: usermod -a -G dialout USER, then log in again",
    errno.EBUSY: "another program has it open",
    errno.EAGAIN: "another program has it open",
    errno.ECONNREFUSED: "nobody listens there",
}


def open_port(url: str, **options: str | float | bool) -> BytePort:
    """Open a port by URL; keywords are options as in the query. LinkUnavailable tells what to do."""
    address, question, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    if question and not pairs:
        raise LinkUnavailable(f"{url}: write options as ?name=value&name=value")
    given = dict(pairs) | {name: str(value).lower() for name, value in options.items()}
    if len(given) < len(pairs) + len(options):
        raise LinkUnavailable(f"{url}: an option is given twice")
    if address.startswith("listen://"):
        known_only(address, given, ())
        return _listen(address)
    return open_serial(address, given)


def open_serial(address: str, options: Mapping[str, str]) -> DevicePort:
    """Open a device as `serial:DEVICE` or one of pyserial's URLs, with OPTIONS."""
    if not address.startswith(("serial:", "loop://", "socket://", "rfc2217://")):
        raise LinkUnavailable(
            f"{address} is no port: write serial:DEVICE, loop://, socket://HOST:PORT, rfc2217://HOST:PORT "
            "or listen://HOST:PORT"
        )
    known_only(address, options, OPTIONS)
    parity = options.get("parity", "none")
    if parity not in _PARITIES:
        raise LinkUnavailable(f"{address}: option parity={parity} must be one of {', '.join(_PARITIES)}")
    rs485 = switch(address, options, "rs485")
    try:
        port = serial.serial_for_url(
            address.removeprefix("serial:"),
            do_not_open=True,
            baudrate=integer(address, options, "baud", 115_200),
            bytesize=integer(address, options, "bytesize", 8),
            stopbits=integer(address, options, "stopbits", 1),
            parity=_PARITIES[parity],
            rtscts=switch(address, options, "rtscts"),
            xonxoff=switch(address, options, "xonxoff"),
            timeout=0,
            write_timeout=_write_timeout(address),
            exclusive=True,
        )
    except ValueError as error:
        raise LinkUnavailable(f"{address}: {error}") from error

    def opened() -> Device:
        _open(address, port, rs485=rs485)
        return port

    return DevicePort(address, opened, reconnect=switch(address, options, "reconnect"))


def switch(link: str, options: Mapping[str, str], name: str) -> bool:
    """An option that is on or off, as true, false, 1 or 0."""
    text = options.get(name, "false").lower()
    if text not in {"true", "false", "1", "0"}:
        raise LinkUnavailable(f"{link}: option {name}={text} must be true or false")
    return text in {"true", "1"}


def _write_timeout(address: str) -> float | None:
    if address.startswith("rfc2217://"):
        # It knows none, and waits as long as its TCP connection does.
        return None
    return 0 if address.startswith(_SYSTEM_TELLS) else _WRITE_TIMEOUT


def _open(address: str, port: serial.Serial, *, rs485: bool) -> None:
    try:
        port.open()
        if rs485:
            port.rs485_mode = RS485Settings()
    except Exception as error:
        advice = _ADVICE.get(_errno(error))
        if rs485 and port.is_open:
            advice = (
                "this port cannot switch an RS-485 driver; many adapters do it themselves: leave rs485 out"
            )
        with suppress(Exception):
            # A port that opened by half may be unable to close.
            port.close()
        raise LinkUnavailable(f"{address}: {error}" + (f"; {advice}" if advice else "")) from error


def _errno(error: BaseException | None) -> int:
    """The system's number, which pyserial keeps only in what it caught."""
    while error is not None:
        if isinstance(error, OSError) and error.errno is not None:
            return error.errno
        error = error.__context__
    return 0


def _listen(address: str) -> ListeningPort:
    parts = urlsplit(address)
    try:
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise LinkUnavailable(f"{address}: {error}") from error
    if not host or port is None:
        raise LinkUnavailable(f"{address}: write listen://HOST:PORT, as in listen://0.0.0.0:4001")
    return ListeningPort(host, port)
