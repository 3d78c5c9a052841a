"""`udp:HOST:PORT?local=PORT`: lines of `ID#DATA` in datagrams, one or several each."""

from collections.abc import Mapping

from swapproto.errors import LinkUnavailable
from swapproto.frame import MILLISECOND
from swapproto.link import LinkCaps
from swapproto_drivers._options import integer, known_only
from swapproto_drivers._sockets import DatagramLink, host_port
from swapproto_drivers.lines import Lines


def open_link(rest: str, options: Mapping[str, str]) -> DatagramLink:
    """Open `HOST:PORT`; option local is the port that the other side sends to, or any free one."""
    link = f"udp:{rest}"
    known_only(link, options, ("local",))
    host, port = host_port(link, rest, like="udp:HOST:PORT?local=PORT")
    local = integer(link, options, "local", 0)
    if not 0 <= local <= 0xFFFF:
        raise LinkUnavailable(f"{link}: option local={local} is no port: 0 to 65535")
    return DatagramLink(LinkCaps(name=link, stamp_resolution=MILLISECOND), Lines(), host, port, local)
