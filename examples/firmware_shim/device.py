"""The same device as device.c, as a model in Python: `swapproto monitor "exec:python device.py"`.

The first half is the shim, the second the device.
"""

import os
import re
import select
import sys
import time

CHM, BHM = 0x1826F456, 0x182756F4
LINE = re.compile(rb"([0-9A-Fa-f]{8})#((?:[0-9A-Fa-f]{2}){0,8})\r?")


def can_send(can_id: int, data: bytes) -> None:
    print(f"{can_id:08X}#{data.hex().upper()}", flush=True)


def run(device: "Pack") -> None:
    """Serve frames and time until the input ends."""
    rest = b""
    while True:
        if select.select([0], [], [], 0.01)[0]:
            if not (data := os.read(0, 4096)):
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if (match := LINE.fullmatch(line)) is not None:
                    device.receive(int(match[1], 16), bytes.fromhex(match[2].decode()))
        device.tick(time.monotonic())


class Pack:
    """Answers the charger's CHM with BHM, 750.0 V, every 250 ms."""

    due: float | None = None

    def receive(self, can_id: int, data: bytes) -> None:
        if can_id == CHM and len(data) >= 3 and self.due is None:
            self.due = 0
            print(f"charger of version {data[1] | data[2] << 8}.{data[0]}", file=sys.stderr)

    def tick(self, now: float) -> None:
        if self.due is not None and now >= self.due:
            self.due = now + 0.25
            can_send(BHM, (7500).to_bytes(2, "little"))


if __name__ == "__main__":
    run(Pack())
