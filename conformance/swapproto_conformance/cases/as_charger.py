"""The tester in the charger's place: messages and steps that the pack cases are put together from."""

from swapproto.frame import MILLISECOND, SECOND
from swapproto.messages.gbt27930 import (
    BCL,
    BCP,
    BHM,
    BRM,
    BRO,
    BSD,
    BST,
    CCS,
    CHM,
    CML,
    CRM,
    CRO,
    CSD,
    CST,
    CTS,
    Permission,
    Reached,
    Ready,
    Recognition,
)
from swapproto_conformance.script import Script, Step, seen

NUMBER = 1
HELLO = CHM(version_minor=1, version_major=1)
UNKNOWN_PACK = CRM(result=Recognition.NOT_RECOGNISED, charger_number=NUMBER)
KNOWN_PACK = CRM(result=Recognition.RECOGNISED, charger_number=NUMBER)
CLOCK = CTS()
CAPABILITY = CML(max_voltage=1000.0, min_voltage=200.0, max_current=-250.0, min_current=0.0)
NOT_READY, READY = CRO(ready=Ready.NOT_READY), CRO(ready=Ready.READY)
OUTPUT = CCS(voltage=640.0, current=-20.0, elapsed_time=0, permission=Permission.ALLOWED)
STOP = CST(manual=Reached.YES)
STATISTICS = CSD(total_time=1, energy=0.2, charger_number=NUMBER)


def greet(settle: int = 0) -> Script:
    """To BHM."""
    return (Step(title="handshake", send=(HELLO,), until=seen(BHM), settle=settle),)


def identify(settle: int = 0) -> Script:
    """To BRM."""
    return (
        *greet(settle=600 * MILLISECOND),
        Step(title="not recognised", send=(UNKNOWN_PACK,), until=seen(BRM), settle=settle),
    )


def recognise(settle: int = 0) -> Script:
    """To BCP."""
    return (*identify(), Step(title="recognised", send=(KNOWN_PACK,), until=seen(BCP), settle=settle))


def offer(settle: int = 0) -> Script:
    """To BRO(AA)."""
    return (
        *recognise(),
        Step(
            title="offer",
            send=(CLOCK, CAPABILITY),
            until=seen(BRO, ready=Ready.READY),
            at_most=60 * SECOND,
            settle=settle,
        ),
    )


def become_ready() -> Script:
    """To the first BCL."""
    return (
        *offer(),
        Step(title="not ready yet", send=(NOT_READY,), lasts=600 * MILLISECOND),
        Step(title="ready", send=(READY,), until=seen(BCL)),
    )


def charge(seconds: float = 3) -> Script:
    """To a charge that has run for some seconds."""
    return (*become_ready(), Step(title="charge", send=(OUTPUT,), lasts=round(seconds * SECOND)))


def stop() -> Script:
    """To the pack's answer to CST."""
    return (*charge(), Step(title="stop", send=(STOP,), until=seen(BST), settle=500 * MILLISECOND))


def finish() -> Script:
    """The whole session to BSD."""
    return (
        *stop(),
        Step(title="wait for BSD", until=seen(BSD), at_most=18 * SECOND, settle=1200 * MILLISECOND),
        Step(title="statistics", send=(STATISTICS,), lasts=2 * SECOND),
    )
