"""Converters as interfaces of python-can and of all its tools: `can.Bus("tcp:HOST:4001", "canet")`."""

import logging
import time
from collections.abc import Callable, Mapping
from threading import RLock

import can
from can.typechecking import CanFilters, Channel

from swapproto.errors import LinkError, LinkUnavailable, LocalProtocolError
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Received
from swapproto_drivers import canet, cannelloni
from swapproto_drivers._sockets import DatagramLink
from swapproto_drivers._streams import StreamLink

_log = logging.getLogger(__name__)
_SLICE = 50 * MILLISECOND
"""How long a reader waits before it looks again whether another thread has changed the connection."""
_FOREVER = 1 << 62


class _ConverterBus(can.BusABC):
    """A bus over a link; options are those of the link. Reading and sending may be done by two threads."""

    def __init__(
        self,
        name: str,
        open_link: Callable[[str, Mapping[str, str]], StreamLink | DatagramLink],
        channel: Channel,
        can_filters: CanFilters | None,
        options: Mapping[str, object],
    ) -> None:
        texts = {key: str(value).lower() for key, value in options.items() if value is not None}
        for asked in ("fd", "receive_own_messages"):
            if texts.pop(asked, "false") != "false":
                raise can.CanInitializationError(f"{name}:{channel}: a converter knows no {asked}")
        try:
            self._link = open_link(str(channel), texts)
        except LinkUnavailable as error:
            raise can.CanInitializationError(str(error), error.errno) from error
        self._lock = RLock()
        self.channel_info = self._link.caps.name
        super().__init__(channel=channel, can_filters=can_filters)

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        if msg.is_fd or msg.is_error_frame:
            raise can.CanOperationError(f"{self.channel_info}: only frames of classic CAN can be sent")
        data = bytes(msg.dlc) if msg.is_remote_frame else bytes(msg.data)
        frame = CanFrame(msg.arbitration_id, data, msg.is_extended_id, msg.is_remote_frame)
        with self._lock:
            now = self._link.now()
            deadline = _FOREVER if timeout is None else now + round(timeout * SECOND)
            try:
                self._link.send(frame, deadline=deadline)
            except LocalProtocolError as error:
                raise ValueError(str(error)) from error
            except LinkError as error:
                raise can.CanOperationError(str(error), error.errno) from error

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        deadline = _FOREVER if timeout is None else self._link.now() + round(timeout * SECOND)
        while True:
            try:
                with self._lock:
                    received = self._link.receive(deadline=0)
                    while (event := self._link.poll_event()) is not None:
                        _log.warning("%s: %s: %s (%d)", self, event.kind.value, event.text, event.count)
            except LinkError as error:
                raise can.CanOperationError(str(error), error.errno) from error
            now = self._link.now()
            if received is not None:
                return self._message(received), False
            if now >= deadline:
                return None, False
            self._link.wait_readable(min(deadline, now + _SLICE))

    def shutdown(self) -> None:
        super().shutdown()
        with self._lock:
            self._link.close()

    def _message(self, received: Received) -> can.Message:
        frame = received.frame
        age = self._link.now() - received.at
        return can.Message(
            timestamp=(time.time_ns() - age) / SECOND,
            arbitration_id=frame.id,
            is_extended_id=frame.extended,
            is_remote_frame=frame.remote,
            dlc=len(frame.data),
            data=None if frame.remote else frame.data,
            channel=self.channel_info,
        )


class CanetBus(_ConverterBus):
    """`interface="canet"`: channel `tcp:HOST:PORT`, `listen:HOST:PORT` or `udp:HOST:PORT`."""

    def __init__(self, channel: Channel, can_filters: CanFilters | None = None, **kwargs: object) -> None:
        super().__init__("canet", canet.open_link, channel, can_filters, kwargs)


class CannelloniBus(_ConverterBus):
    """`interface="cannelloni"`: channel `HOST:PORT` or `listen:HOST:PORT`."""

    def __init__(self, channel: Channel, can_filters: CanFilters | None = None, **kwargs: object) -> None:
        super().__init__("cannelloni", cannelloni.open_link, channel, can_filters, kwargs)
