"""Departures from the order of a session: what came too early, out of its phase, or despite an error."""

from swapproto.frame import MICROSECOND
from swapproto.messages import gbt27930 as gb
from swapproto.messages.gbt27930.timers import RECEIVE
from swapproto.observe.dialogue import TimedMessage
from swapproto.observe.findings import Findings, ViolationKind
from swapproto.observe.phases import ERRORS, ORDER, RANKS, PhaseTracker
from swapproto.provenance import Basis, Source
from swapproto.wire.fields import Code

FLOW = Source("GB/T 27930-2015, flow of the session", Basis.REPORTED, 2)
STRAGGLING = Source(
    "our decision rule", Basis.DERIVED, 2, "the general receive timeout (5 s) after the next phase began"
)
_PATIENCE_US = RECEIVE.value // MICROSECOND

_STEPS = {
    gb.Party.CHARGER: ("CHM", "CRM(00)", "CRM(AA)", "CML", "CRO(00)", "CRO(AA)"),
    gb.Party.BMS: ("BHM", "BRM", "BCP", "BRO(00)", "BRO(AA)"),
}
"""What each party sends on the way to charging, in its order."""
_SOONER = {step: steps[:index] for steps in _STEPS.values() for index, step in enumerate(steps)}
_NEEDS = {
    gb.BHM.pgn: "CHM",
    gb.BRM.pgn: "CRM(00)",
    gb.BCP.pgn: "CRM(AA)",
    gb.CTS.pgn: "BCP",
    gb.CML.pgn: "BCP",
    gb.BRO.pgn: "CML",
    gb.CRO.pgn: "BRO(AA)",
    gb.BCL.pgn: "CRO(AA)",
    gb.BCS.pgn: "CRO(AA)",
    gb.BSM.pgn: "CRO(AA)",
    gb.CCS.pgn: "CRO(AA)",
}
"""What must have been heard before a message; of CRM it depends on the answer."""
_CHARGING = (gb.BCL.pgn, gb.BCS.pgn, gb.BSM.pgn, gb.CCS.pgn)


class OrderCheck:
    """Fed with every message after the tracker has seen it."""

    def __init__(self, phases: PhaseTracker, findings: Findings) -> None:
        self._phases = phases
        self._findings = findings
        self._heard: set[str] = set()
        self._attempt = 0
        self._stopped = False
        self._error_party: gb.Party | None = None
        """Who complains; None again once the charger begins anew."""

    def receive(self, heard: TimedMessage) -> None:
        phases = self._phases
        if phases.attempt != self._attempt:
            self._attempt = phases.attempt
            self._heard.clear()
            self._stopped = False
        if heard.priority is not None and heard.priority != heard.cls.priority:
            text = f"priority {heard.priority} instead of {heard.cls.priority}"
            self._report(ViolationKind.PRIORITY, heard, text, heard.cls.source)
        if heard.cls.pgn in ERRORS:
            self._error(heard)
            return
        self._order(heard)
        self._answer(heard)
        self._phase(heard)
        self._after_error(heard)

    def _order(self, heard: TimedMessage) -> None:
        pgn = heard.cls.pgn
        step = _step(heard)
        if pgn in (gb.BSD.pgn, gb.CSD.pgn):
            if not self._stopped and "CRO(AA)" in self._heard:
                self._report(ViolationKind.ORDER, heard, "before BST or CST", FLOW)
        elif pgn in (gb.BST.pgn, gb.CST.pgn):
            self._stopped = True
        else:
            needed = "BRM" if step == "CRM(AA)" else _NEEDS.get(pgn)
            if needed is not None and self._misses(needed):
                self._report(ViolationKind.ORDER, heard, f"{step or heard.name} before {needed}", FLOW)
        if step is not None:
            self._heard.add(step)
        if step in ("CHM", "CRM(00)"):
            self._error_party = None

    def _misses(self, needed: str) -> bool:
        """Whether a step is missing although its sender was heard before it: a late listener cannot tell."""
        return needed not in self._heard and any(step in self._heard for step in _SOONER[needed])

    def _answer(self, heard: TimedMessage) -> None:
        """A result byte that is neither of its two answers."""
        message = heard.message
        if message is None:
            return
        value: Code
        answers: tuple[Code, ...]
        if heard.cls.pgn == gb.CRM.pgn:
            value, answers = message.result, (gb.Recognition.NOT_RECOGNISED, gb.Recognition.RECOGNISED)
        elif heard.cls.pgn in (gb.BRO.pgn, gb.CRO.pgn):
            value, answers = message.ready, (gb.Ready.NOT_READY, gb.Ready.READY)
        else:
            return
        if value not in answers:
            self._report(ViolationKind.RESERVED, heard, f"answers {int(value):02X}h", heard.cls.source)

    def _phase(self, heard: TimedMessage) -> None:
        span, rank = self._phases.current, RANKS.get(heard.cls.pgn)
        if span is None or rank is None or rank >= self._phases.rank:
            return
        if heard.started_us - span.start_us > _PATIENCE_US:
            text = f"a message of {ORDER[rank].value}, in phase {span.phase.value}"
            self._report(ViolationKind.PHASE, heard, text, STRAGGLING)

    def _error(self, heard: TimedMessage) -> None:
        phase = self._phases.phase
        where = f"in phase {phase.value}" if phase is not None else "before any other message"
        self._report(ViolationKind.ERROR, heard, f"{timed_out(heard)}, {where}", heard.cls.source)
        self._error_party = heard.sender

    def _after_error(self, heard: TimedMessage) -> None:
        error = self._phases.error
        if error is None or self._error_party is None or heard.cls.pgn not in _CHARGING:
            return
        patience = 0 if heard.sender is self._error_party else _PATIENCE_US
        if heard.started_us - error.start_us > patience:
            text = f"still sent after {'BEM' if self._error_party is gb.Party.BMS else 'CEM'}"
            self._report(ViolationKind.AFTER_ERROR, heard, text, FLOW)

    def _report(self, kind: ViolationKind, heard: TimedMessage, text: str, source: Source) -> None:
        self._findings.violation(kind, heard.name, text, source, at_us=heard.at_us, line=heard.line)


def _step(heard: TimedMessage) -> str | None:
    """The step that a message makes, with its answer where that matters."""
    name, message = heard.name, heard.message
    if heard.cls.pgn in (gb.CHM.pgn, gb.BHM.pgn, gb.BRM.pgn, gb.BCP.pgn, gb.CML.pgn):
        return name
    if message is None:
        return None
    if heard.cls.pgn == gb.CRM.pgn:
        return {gb.Recognition.NOT_RECOGNISED: "CRM(00)", gb.Recognition.RECOGNISED: "CRM(AA)"}.get(
            message.result
        )
    if heard.cls.pgn in (gb.BRO.pgn, gb.CRO.pgn):
        return f"{name}(AA)" if message.ready == gb.Ready.READY else f"{name}(00)"
    return None


def timed_out(heard: TimedMessage) -> str:
    """What a BEM or CEM complains of, by SPN and field."""
    if heard.message is None:
        return "cannot be read"
    fields = [
        f"SPN {field.marker.spn} ({field.name})"
        for field in heard.cls.layout.fields
        if field.code is gb.Timeout and getattr(heard.message, field.name) == gb.Timeout.TIMEOUT
    ]
    return f"timeout of {', '.join(fields)}" if fields else "no timeout named"
