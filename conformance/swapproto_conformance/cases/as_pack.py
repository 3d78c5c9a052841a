"""The tester in the pack's place: messages and steps that the charger cases are put together from."""

from swapproto.frame import MILLISECOND, SECOND, CanFrame
from swapproto.j1939 import identifier
from swapproto.messages.gbt27930 import (
    BCL,
    BCP,
    BCS,
    BHM,
    BMS_ADDRESS,
    BRM,
    BRO,
    BSD,
    BSM,
    BST,
    CCS,
    CHARGER_ADDRESS,
    CHM,
    CML,
    CRM,
    CRO,
    CSD,
    CST,
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
from swapproto.transport import frames as tp
from swapproto_conformance.script import RawCyclic, Script, Step, seen

HELLO = BHM(max_voltage=750.0)
IDENTITY = BRM(
    version_minor=1, version_major=1, chemistry=Chemistry.LFP, rated_capacity=400.0, rated_voltage=614.4
)
PARAMETERS = BCP(
    max_cell_voltage=3.65,
    max_current=-200.0,
    nominal_energy=245.8,
    max_voltage=700.8,
    max_temperature=55,
    soc=40.0,
    voltage=633.6,
)
NOT_READY, READY = BRO(ready=Ready.NOT_READY), BRO(ready=Ready.READY)
DEMAND = BCL(voltage=700.0, current=-50.0, mode=ChargeMode.CONSTANT_CURRENT)
STATE = BCS(voltage=640.0, current=-50.0, max_cell_voltage=3.35, max_cell_group=0, soc=41, remaining_time=120)
STATUS = BSM(
    max_voltage_cell=1,
    max_temperature=27,
    max_temperature_probe=1,
    min_temperature=25,
    min_temperature_probe=2,
    cell_voltage=Level.NORMAL,
    soc=Level.NORMAL,
    over_current=Condition.NORMAL,
    over_temperature=Condition.NORMAL,
    insulation=Condition.NORMAL,
    output_connector=Condition.NORMAL,
    permission=Permission.ALLOWED,
)
STOP = BST(soc_target=Reached.YES)
ANSWER_STOP = BST(charger_stopped=Reached.YES)
STATISTICS = BSD(soc=41, min_cell_voltage=3.3, max_cell_voltage=3.35, min_temperature=25, max_temperature=27)
CHARGING = (DEMAND, STATE, STATUS)

CRM_00 = seen(CRM, result=Recognition.NOT_RECOGNISED)
CRM_AA = seen(CRM, result=Recognition.RECOGNISED)
START = 50 * SECOND
"""Longest wait for a device to begin: a real insulation test takes its time, and past 45 s it is too long."""
READY_WAIT = 70 * SECOND
"""Longest wait for a charger to be ready, where that is not what is judged."""


def greet(settle: int = 0) -> Script:
    """To CRM(00)."""
    return (
        Step(title="wait for CHM", until=seen(CHM), at_most=START, settle=500 * MILLISECOND),
        Step(title="handshake", send=(HELLO,), until=CRM_00, at_most=START, settle=settle),
    )


def identify(settle: int = 0) -> Script:
    """To CRM(AA)."""
    return (*greet(), Step(title="identify", send=(IDENTITY,), until=CRM_AA, settle=settle))


def configure(settle: int = 0) -> Script:
    """To CML."""
    return (*identify(), Step(title="parameters", send=(PARAMETERS,), until=seen(CML), settle=settle))


def become_ready(settle: int = 0, at_most: int = READY_WAIT) -> Script:
    """To CRO(AA)."""
    return (
        *configure(settle=600 * MILLISECOND),
        Step(title="not ready yet", send=(NOT_READY,), lasts=600 * MILLISECOND),
        Step(
            title="ready",
            send=(READY,),
            until=seen(CRO, ready=Ready.READY),
            at_most=at_most,
            settle=settle,
        ),
    )


def charge(seconds: float = 3) -> Script:
    """To a charge that has run for some seconds."""
    return (
        *become_ready(),
        Step(title="charge", send=CHARGING, until=seen(CCS), settle=round(seconds * SECOND)),
    )


def stop() -> Script:
    """To the charger's answer to BST."""
    return (*charge(), Step(title="stop", send=(STOP,), until=seen(CST), settle=500 * MILLISECOND))


def finish() -> Script:
    """The whole session to CSD."""
    return (
        *stop(),
        Step(title="statistics", send=(STATISTICS,), until=seen(CSD), at_most=18 * SECOND, settle=2 * SECOND),
    )


def broken(message: ChargingMessage, period: int = 250 * MILLISECOND) -> RawCyclic:
    """The message by a transfer that skips its second packet each time."""
    payload = message.encode()
    packets = tp.data_packets(payload)
    control = identifier(0xEC00, 7, CHARGER_ADDRESS, BMS_ADDRESS)
    data = identifier(0xEB00, 7, CHARGER_ADDRESS, BMS_ADDRESS)
    frames = [CanFrame(control, tp.rts(message.pgn, len(payload)))]
    frames += [CanFrame(data, packet) for number, packet in enumerate(packets, 1) if number != 2]
    return RawCyclic(f"{type(message).__name__} without its second packet", tuple(frames), period)
