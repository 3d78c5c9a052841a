"""The pair run: a pack charged by a charger until it has enough. Interoperation, evidence for neither."""

from swapproto.frame import SECOND
from swapproto.messages.gbt27930 import BCL, BCS, BEM, BSD, BSM, BST, CCS, CEM, CSD, CST, Party, timers
from swapproto.trace.record import Trace
from swapproto_conformance.anchor import first, last
from swapproto_conformance.judge import judge
from swapproto_conformance.judges import Follows, Judge, Layout, Never, Periodic
from swapproto_conformance.requirement import Catalogue
from swapproto_conformance.results import CaseHead
from swapproto_conformance.verdict import Finding

R = "GBT27930-2015/"
LIMIT = 3600 * SECOND
HEAD = CaseHead(
    id="pair.charge",
    title="A pack is charged until it has enough",
    role="pair",
    polarity="positive",
    phase="all",
)
STIMULUS = ("plug in: both devices begin by themselves, and no tester takes part",)
CHARGER: tuple[Judge, ...] = (
    Layout(CCS),
    Periodic(CCS, before=first(BST)),
    Follows(requirement=f"{R}flow/CSD-after-stop", cls=CSD, after=first(BST), within=timers.STATISTICS),
    Never(requirement=f"{R}flow/no-CEM-in-order", cls=CEM, before=last(CSD)),
)
PACK: tuple[Judge, ...] = (
    Layout(BSM),
    Periodic(BCL, before=first(BST)),
    Periodic(BCS, before=first(BST)),
    Follows(requirement=f"{R}flow/BSD-after-stop", cls=BSD, after=first(CST), within=timers.STATISTICS),
    Never(requirement=f"{R}flow/no-BEM-in-order", cls=BEM, before=last(BSD)),
)


def judge_pair(trace: Trace, catalogue: Catalogue) -> tuple[Finding, ...]:
    """Each party by its own judges, over the one trace."""
    return judge(trace, Party.CHARGER, CHARGER, catalogue) + judge(trace, Party.BMS, PACK, catalogue)
