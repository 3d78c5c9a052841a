"""A pack whose long messages are held, refused, taken piece by piece or acknowledged wrongly."""

from swapproto.frame import MILLISECOND, SECOND
from swapproto.messages.gbt27930 import BCL, BCP, BCS, BRM, CRM, Phase, timers
from swapproto_conformance.anchor import first
from swapproto_conformance.cases import as_charger as charger
from swapproto_conformance.cases.common import R, pack_case
from swapproto_conformance.cases.pack_late import NO_ERROR
from swapproto_conformance.cases.pack_positive import RECOGNISED
from swapproto_conformance.judges import Follows, Layout, Periodic, Transferred
from swapproto_conformance.script import Conduct, Script, Step, seen

BRM_COMES = Follows(requirement=f"{R}flow/BRM-answers-CRM", cls=BRM, after=first(CRM), within=timers.RECEIVE)
BCP_COMES = Follows(requirement=f"{R}flow/BCP-answers-CRM", cls=BCP, after=RECOGNISED, within=timers.RECEIVE)


def _identify(conduct: Conduct) -> Script:
    """CRM(00), with trouble for the first 1.5 s."""
    return (
        *charger.greet(settle=600 * MILLISECOND),
        Step(title="trouble", send=(charger.UNKNOWN_PACK,), lasts=1500 * MILLISECOND, transport=conduct),
        Step(title="no trouble", send=(charger.UNKNOWN_PACK,), until=seen(BRM), settle=SECOND),
    )


def _recognise(conduct: Conduct) -> Script:
    """CRM(AA), with trouble for the first 1.5 s."""
    return (
        *charger.identify(),
        Step(title="trouble", send=(charger.KNOWN_PACK,), lasts=1500 * MILLISECOND, transport=conduct),
        Step(title="no trouble", send=(charger.KNOWN_PACK,), until=seen(BCP), settle=SECOND),
    )


def _charge(conduct: Conduct) -> Script:
    """A charge with trouble for 3 s."""
    return (
        *charger.charge(),
        Step(title="trouble", send=(charger.OUTPUT,), lasts=3 * SECOND, transport=conduct),
        Step(title="no trouble", send=(charger.OUTPUT,), lasts=5 * SECOND),
    )


CASES = (
    pack_case(
        "identification.brm-held",
        "BRM held by CTS of zero packets",
        "CTS要求等待时的BRM",
        Phase.IDENTIFICATION,
        _identify("hold"),
        (BRM_COMES, Transferred(BRM), Layout(BRM), NO_ERROR),
    ),
    pack_case(
        "identification.brm-refused",
        "BRM aborted, then taken",
        "BRM传输被中止后重发",
        Phase.IDENTIFICATION,
        _identify("abort"),
        (BRM_COMES, Layout(BRM), NO_ERROR),
    ),
    pack_case(
        "identification.brm-misquoted",
        "EndOfMsgAck of another size after BRM",
        "BRM结束应答错误",
        Phase.IDENTIFICATION,
        (
            *charger.greet(settle=600 * MILLISECOND),
            Step(
                title="wrong acknowledgement",
                send=(charger.UNKNOWN_PACK,),
                lasts=1500 * MILLISECOND,
                transport="wrong acknowledgement",
            ),
            Step(title="recognised", send=(charger.KNOWN_PACK,), until=seen(BCP), settle=SECOND),
        ),
        (BCP_COMES, NO_ERROR),
    ),
    pack_case(
        "configuration.bcp-piecemeal",
        "BCP by one packet a CTS",
        "BCP逐包传输",
        Phase.CONFIGURATION,
        _recognise("one by one"),
        (BCP_COMES, Transferred(BCP), Layout(BCP), NO_ERROR),
    ),
    pack_case(
        "configuration.bcp-refused",
        "BCP aborted, then taken",
        "BCP传输被中止后重发",
        Phase.CONFIGURATION,
        _recognise("abort"),
        (BCP_COMES, Layout(BCP), NO_ERROR),
    ),
    pack_case(
        "charging.bcs-unanswered",
        "RTS of BCS is not answered for 3 s",
        "充电中不应答RTS",
        Phase.CHARGING,
        _charge("silent"),
        (Periodic(BCL, to_the_end=True), Layout(BCS), NO_ERROR),
    ),
    pack_case(
        "charging.bcs-piecemeal",
        "BCS by one packet a CTS",
        "BCS逐包传输",
        Phase.CHARGING,
        _charge("one by one"),
        (Periodic(BCL, to_the_end=True), Transferred(BCS), NO_ERROR),
    ),
    pack_case(
        "charging.bcs-refused",
        "BCS aborted for 3 s",
        "BCS传输被中止",
        Phase.CHARGING,
        _charge("abort"),
        (Periodic(BCL, to_the_end=True), Layout(BCS), NO_ERROR),
    ),
)
