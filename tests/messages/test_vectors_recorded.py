"""The bytes of the vectors are in the recordings that they name."""

import re
from pathlib import Path

import pytest

from swapproto.messages.gbt27930 import MESSAGES, ChargingMessage, edition2011

pytestmark = pytest.mark.captures

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "captures"
FILES = {
    "tyu05": "tyu05_charger_measured.log",
    "ru5t": "ru5t_candump1_20231225.log",
    "hybtalented": "hybtalented_input.log",
    "ontom": "ontom_bev150_20150424.log",
}
VECTORS = {
    f"{message.__name__}-{number}-{name}": (message, vector, name)
    for message in dict.fromkeys([*MESSAGES, *edition2011.MESSAGES])
    for number, vector in enumerate(message.VECTORS)
    for name in FILES
    if name in vector.at
}


def payloads(name: str, message: type[ChargingMessage]) -> set[str]:
    """Payloads of a message in a recording: single frames, and transfers by their packets in order.

    Packets are put together by hand here: the project's own transport is not asked.
    """
    path = CAPTURES / FILES[name]
    if not path.exists():
        pytest.skip(f"no recording {path.name}")
    frames = re.findall(
        r"([0-9A-F]{8})#([0-9A-F]*)", path.read_text(encoding="ascii", errors="replace").upper()
    )
    single = {f"{can_id:08X}" for can_id in message.identifiers()}
    found = {data for can_id, data in frames if can_id in single}
    size, packets = 0, list[str]()
    for can_id, data in frames:
        kind, source = can_id[2:4], int(can_id[6:], 16)
        if source != message.source_address:
            continue
        if kind == "EC" and data[:2] == "10":
            packets.clear()
            wanted = int.from_bytes(bytes.fromhex(data[10:16]), "little") == message.pgn
            size = int.from_bytes(bytes.fromhex(data[2:6]), "little") if wanted else 0
        elif kind == "EB" and size and int(data[:2], 16) == len(packets) + 1:
            packets.append(data[2:])
            found.add("".join(packets)[: 2 * size])
    return found


@pytest.mark.parametrize("key", list(VECTORS))
def test_the_vector_was_recorded(key: str) -> None:
    message, vector, name = VECTORS[key]
    assert vector.data.hex().upper() in payloads(name, message)
