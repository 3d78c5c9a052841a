"""A station's computer and its PLC talk over a serial line: a truck's pack is unlocked and locked again.

Without an argument, two pseudo-terminals are joined and both ends run here (Linux, macOS). With a port, this
is the station's end, and a PLC is expected at the other:

    python examples/station_serial.py "serial:/dev/ttyUSB0?baud=115200&rs485=true"
    python examples/station_serial.py socket://192.0.2.1:4001

The structs are one vendor's, observed; the bytes of its commands are not public and are left out here.
"""

import os
import select
import sys

from swapproto.errors import LinkClosed
from swapproto.frame import MILLISECOND, SECOND
from swapproto_drivers.framing.plc_link import PLCW6, Side
from swapproto_drivers.serial_port import open_port
from swapproto_drivers.station_links import PlcLinkPort, serve, step
from swapproto_drivers.station_simulation import Phase, SimulatedPlc, SimulatedStation


def both_ends() -> None:
    """One swap between a simulated station and a simulated PLC, on two pseudo-terminals."""
    import tty

    terminals = [os.openpty() for _ in range(2)]
    for _, slave in terminals:
        tty.setraw(slave)
    paths = [f"serial:{os.ttyname(slave)}" for _, slave in terminals]
    wires = [master for master, _ in terminals]
    station_port = PlcLinkPort(open_port(paths[0]), Side.STATION)
    plc_port = PlcLinkPort(open_port(paths[1]), Side.PLC)

    begin = station_port.now()
    station = SimulatedStation(begin)
    plc = SimulatedPlc(begin, exchange=SECOND // 2)
    station.truck_connected(begin)
    phase = None
    while plc.phase is not Phase.DONE and station_port.now() < begin + 20 * SECOND:
        soon = station_port.now() + 5 * MILLISECOND
        step(station_port, station, deadline=soon)
        step(plc_port, plc, deadline=soon)
        # The cable between the two terminals.
        for source, sink in (wires, wires[::-1]):
            while select.select([source], [], [], 0)[0]:
                os.write(sink, os.read(source, 4096))
        if plc.phase is not phase:
            phase = plc.phase
            print(f"{(station_port.now() - begin) / SECOND:5.2f} s  {phase.value}")

    for port in (station_port, plc_port):
        reader = port.reader
        print(f"{port.side.value}: {reader.units} structs, {reader.dropped.total()} bytes dropped")
        port.close()
    for each in (*wires, *(slave for _, slave in terminals)):
        os.close(each)
    if plc.phase is not Phase.DONE:
        sys.exit("the swap did not end")


def one_end(url: str) -> None:
    """The station's end on a port, until it goes away or the program is stopped."""
    port = PlcLinkPort(open_port(url), Side.STATION)
    station = SimulatedStation(port.now())
    station.truck_connected(port.now())
    try:
        while True:
            serve(port, station, until=port.now() + SECOND)
            locks = station.heard.get(PLCW6)
            late = ", ".join(kind.__name__ for kind in station.overdue(port.now())) or "nothing"
            print(f"locks: {locks and locks.message}; overdue: {late}")
    except LinkClosed as gone:
        print(gone)
    except KeyboardInterrupt:
        print("stopped")
    finally:
        port.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one_end(sys.argv[1])
    else:
        both_ends()
