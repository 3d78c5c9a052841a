"""A charging session made from the message classes, with odd stamps as a real clock gives them."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from swapproto.messages.gbt27930 import (
    BCL,
    BCP,
    BCS,
    BHM,
    BRM,
    BRO,
    BSD,
    BSM,
    BST,
    CCS,
    CHM,
    CML,
    CRM,
    CRO,
    CSD,
    CST,
    CTS,
    ChargeMode,
    ChargingMessage,
    Chemistry,
    Condition,
    Level,
    Permission,
    Reached,
    Ready,
    Recognition,
)
from swapproto.trace.record import Record
from swapproto.transport import frames as tp

START_US = 1_700_000_000_000_003
CHARGE_US = 6_000_000
HERE = Path(__file__).resolve().parent


class Script:
    """Records in the making: single frames and whole transfers at given milliseconds."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._odd = 0

    def at(self, ms: float, can_id: int, data: bytes) -> None:
        self._odd = (self._odd * 7 + 13) % 401
        self.records.append(Record(START_US + round(ms * 1000) + self._odd, can_id, data, channel="can0"))

    def message(self, ms: float, message: ChargingMessage) -> None:
        payload = message.encode()
        if len(payload) <= 8:
            self.at(ms, message.identifier(), payload)
            return
        source, target = message.source_address, message.destination_address
        self.at(ms, tp.cm_id(target, source), tp.rts(message.pgn, len(payload)))
        packets = tp.data_packets(payload)
        self.at(ms + 2, tp.cm_id(source, target), tp.cts(message.pgn, len(packets), 1))
        for number, packet in enumerate(packets):
            self.at(ms + 4 + number, tp.dt_id(target, source), packet)
        end = tp.end_of_msg_ack(message.pgn, len(payload))
        self.at(ms + 6 + len(packets), tp.cm_id(source, target), end)

    def repeat(self, start: float, stop: float, period: float, message: ChargingMessage) -> None:
        while start < stop:
            self.message(start, message)
            start += period

    def sorted(self) -> list[Record]:
        ordered = sorted(self.records, key=lambda record: record.at_us)
        return [
            Record(r.at_us, r.id, r.data, r.extended, line, r.channel)
            for line, r in enumerate(ordered, start=1)
        ]


def charging(script: Script, start: float, stop: float) -> None:
    bcl = BCL(voltage=597.0, current=-3.0, mode=ChargeMode.CONSTANT_CURRENT)
    ccs = CCS(voltage=590.0, current=-3.0, elapsed_time=0, permission=Permission.ALLOWED)
    bcs = BCS(voltage=590.0, current=-3.0, max_cell_voltage=3.32, max_cell_group=1, soc=77, remaining_time=30)
    bsm = BSM(
        max_voltage_cell=67,
        max_temperature=25,
        max_temperature_probe=2,
        min_temperature=24,
        min_temperature_probe=28,
        cell_voltage=Level.NORMAL,
        soc=Level.NORMAL,
        over_current=Condition.NORMAL,
        over_temperature=Condition.NORMAL,
        insulation=Condition.NORMAL,
        output_connector=Condition.NORMAL,
        permission=Permission.ALLOWED,
    )
    script.repeat(start, stop, 50, bcl)
    script.repeat(start + 20, stop, 50, ccs)
    script.repeat(start + 8, stop, 250, bcs)
    script.repeat(start + 30, stop, 250, bsm)


def session() -> Script:
    script = Script()
    script.repeat(0, 1000, 250, CHM(version_minor=1, version_major=1))
    script.repeat(15, 1000, 250, BHM(max_voltage=603.0))
    script.message(1100, CRM(result=Recognition.NOT_RECOGNISED, charger_number=1, region="123"))
    brm = BRM(
        version_minor=1,
        version_major=1,
        chemistry=Chemistry.LFP,
        rated_capacity=152.0,
        rated_voltage=364.8,
        vin="L1NSPGH98NA000000",
    )
    script.message(1120, brm)
    script.message(1200, CRM(result=Recognition.RECOGNISED, charger_number=1, region="123"))
    bcp = BCP(
        max_cell_voltage=3.7,
        max_current=-250.0,
        nominal_energy=55.4,
        max_voltage=603.0,
        max_temperature=65,
        soc=77.6,
        voltage=590.0,
    )
    script.message(1230, bcp)
    script.message(1300, CTS())
    script.repeat(
        1310, 1900, 250, CML(max_voltage=950.0, min_voltage=38.0, max_current=-250.0, min_current=0.0)
    )
    script.message(1350, BRO(ready=Ready.NOT_READY))
    script.repeat(1600, 2200, 250, BRO(ready=Ready.READY))
    script.message(1620, CRO(ready=Ready.NOT_READY))
    script.message(1900, CRO(ready=Ready.READY))
    stop = 2200 + CHARGE_US / 1000
    charging(script, 2200, stop)
    script.repeat(stop + 10, stop + 110, 10, BST(soc_target=Reached.YES))
    script.repeat(stop + 15, stop + 115, 10, CST(bms_stopped=Reached.YES))
    bsd = BSD(soc=78, min_cell_voltage=3.33, max_cell_voltage=3.34, min_temperature=20, max_temperature=25)
    script.repeat(stop + 120, stop + 1120, 250, bsd)
    script.repeat(stop + 125, stop + 1125, 250, CSD(total_time=1, energy=0.1, charger_number=1))
    return script


@pytest.fixture
def whole_session() -> list[Record]:
    """A session of 2015 from CHM to CSD without a fault."""
    return session().sorted()


@pytest.fixture
def build() -> Callable[[], Script]:
    """The same as a script, to be changed before it is sorted."""
    return session


@pytest.fixture
def captures() -> Path:
    """Where the recordings are kept; the test is skipped where they are not."""
    directory = Path(os.environ.get("SWAPPROTO_CAPTURES", HERE.parents[2] / "shared" / "captures"))
    if not directory.is_dir():
        pytest.skip("no recordings here")
    return directory


@pytest.fixture
def without() -> Callable[[Iterable[Record], int], list[Record]]:
    """Records without those of an identifier."""
    return lambda records, can_id: [record for record in records if record.id != can_id]
