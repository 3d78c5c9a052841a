"""Chargers with one fault each."""

from functools import partial

from swapproto.frame import MILLISECOND, SECOND
from swapproto.messages.gbt27930 import (
    BST,
    CCS,
    CEM,
    CHM,
    CML,
    CRM,
    CRO,
    CSD,
    CST,
    CTS,
    Party,
    Permission,
    Ready,
    Recognition,
)
from swapproto.session.hooks import Hooks
from swapproto.session.timing import NOMINAL
from swapproto_conformance.devices import SLOW, charger
from swapproto_conformance.faults import (
    always_allowed,
    beside,
    byte,
    confused_cem,
    drop,
    frames,
    instead,
    manual_as_fault,
    mutant,
    never_faulty,
    once_forbidden,
    payload,
    priority,
    replace,
    slow,
    zero_reserved,
)

_CHARGER = Party.CHARGER
EARLY_CCS = CCS(voltage=600.0, current=-10.0, elapsed_time=0, permission=Permission.ALLOWED)
EARLY_CSD = CSD(total_time=1, energy=0.2, charger_number=1)
NOT_RECOGNISED = CRM(result=Recognition.NOT_RECOGNISED, charger_number=1)
RECOGNISED = CRM(result=Recognition.RECOGNISED, charger_number=1)
CHARGERS = (
    slow(_CHARGER, CHM, 1000),
    slow(_CHARGER, CRM, 1000),
    slow(_CHARGER, CTS, 2000),
    slow(_CHARGER, CML, 100, "fast"),
    slow(_CHARGER, CRO, 1000),
    slow(_CHARGER, CCS, 100),
    slow(_CHARGER, CST, 50),
    slow(_CHARGER, CSD, 1000),
    slow(_CHARGER, CEM, 1000),
    mutant(
        "chm-short",
        _CHARGER,
        "sends CHM with one byte too few",
        partial(charger, hooks=frames(CHM.identifier(), lambda frame: [replace(frame, data=frame.data[:2])])),
    ),
    mutant(
        "crm-first",
        _CHARGER,
        "sends CRM(00) with CHM, before the pack said anything",
        partial(charger, hooks=beside(CHM, NOT_RECOGNISED)),
    ),
    mutant(
        "crm-unasked",
        _CHARGER,
        "sends CRM(AA) with CHM, before BRM",
        partial(charger, hooks=beside(CHM, RECOGNISED)),
    ),
    mutant("crm-missing", _CHARGER, "never sends CRM", partial(charger, hooks=Hooks(outgoing=drop(CRM)))),
    mutant(
        "crm-never-recognised",
        _CHARGER,
        "stays at CRM(00) whatever BRM says",
        partial(charger, hooks=Hooks(outgoing=instead(CRM, NOT_RECOGNISED))),
    ),
    mutant(
        "crm-undefined-result",
        _CHARGER,
        "sends 55 as the result in CRM",
        partial(charger, hooks=byte(CRM, 1, 0x55)),
    ),
    mutant("cml-missing", _CHARGER, "never sends CML", partial(charger, hooks=Hooks(outgoing=drop(CML)))),
    mutant(
        "cml-early",
        _CHARGER,
        "sends CML with CRM, before BCP",
        partial(
            charger,
            hooks=beside(CRM, CML(max_voltage=750.0, min_voltage=200.0, max_current=-250.0, min_current=0.0)),
        ),
    ),
    mutant(
        "cro-early",
        _CHARGER,
        "sends CRO(AA) with CML, whatever BRO says",
        partial(charger, hooks=beside(CML, CRO(ready=Ready.READY))),
    ),
    mutant(
        "cro-never-ready",
        _CHARGER,
        "stays at CRO(00)",
        partial(charger, hooks=Hooks(outgoing=instead(CRO, CRO(ready=Ready.NOT_READY)))),
    ),
    mutant("cro-undefined", _CHARGER, "sends 55 in CRO", partial(charger, hooks=byte(CRO, 1, 0x55))),
    mutant(
        "ccs-early",
        _CHARGER,
        "sends CCS with CML, before CRO(AA)",
        partial(charger, hooks=beside(CML, EARLY_CCS)),
    ),
    mutant(
        "ccs-reserved-zero",
        _CHARGER,
        "sends the reserved bits of CCS as zeros",
        partial(charger, hooks=zero_reserved(CCS)),
    ),
    mutant(
        "ccs-wrong-priority", _CHARGER, "sends CCS with priority 3", partial(charger, hooks=priority(CCS, 3))
    ),
    mutant(
        "ccs-after-stop",
        _CHARGER,
        "goes on with CCS beside CSD",
        partial(charger, hooks=beside(CSD, EARLY_CCS)),
    ),
    mutant(
        "ccs-after-error",
        _CHARGER,
        "goes on with CCS beside CEM",
        partial(charger, hooks=beside(CEM, EARLY_CCS)),
    ),
    mutant(
        "pause-ignored",
        _CHARGER,
        "charges on when BSM withdraws permission",
        partial(charger, hooks=Hooks(incoming=always_allowed)),
    ),
    mutant(
        "resume-refused",
        _CHARGER,
        "never leaves a pause",
        lambda: charger(hooks=Hooks(outgoing=once_forbidden())),
    ),
    mutant(
        "bsm-fault-ignored",
        _CHARGER,
        "charges on when BSM reports a fault",
        partial(charger, hooks=Hooks(incoming=never_faulty)),
    ),
    mutant("bst-ignored", _CHARGER, "does not hear BST", partial(charger, hooks=Hooks(incoming=drop(BST)))),
    mutant("cst-unasked", _CHARGER, "sends CST beside CCS", partial(charger, hooks=beside(CCS, CST()))),
    mutant("csd-missing", _CHARGER, "never sends CSD", partial(charger, hooks=Hooks(outgoing=drop(CSD)))),
    mutant("csd-early", _CHARGER, "sends CSD beside CCS", partial(charger, hooks=beside(CCS, EARLY_CSD))),
    mutant(
        "brm-timer-long",
        _CHARGER,
        "waits 8.5 s for BRM instead of 5 s",
        partial(charger, timing=replace(NOMINAL, brm=8500 * MILLISECOND)),
    ),
    mutant(
        "bcp-timer-short",
        _CHARGER,
        "waits 2 s for BCP instead of 5 s",
        partial(charger, timing=replace(NOMINAL, bcp=2 * SECOND)),
    ),
    mutant(
        "bro-timer-short",
        _CHARGER,
        "waits 2 s for BRO instead of 5 s",
        partial(charger, timing=replace(NOMINAL, bro=2 * SECOND)),
    ),
    mutant(
        "bro-patience-short",
        _CHARGER,
        "waits 25 s at BRO(00) instead of 60 s",
        partial(charger, timing=replace(NOMINAL, bro_not_ready=25 * SECOND)),
    ),
    mutant(
        "bcl-timer-long",
        _CHARGER,
        "waits 5 s for BCL instead of 1 s",
        partial(charger, timing=replace(NOMINAL, bcl=5 * SECOND)),
    ),
    mutant(
        "bcs-timer-short",
        _CHARGER,
        "waits 1 s for BCS instead of 5 s",
        partial(charger, timing=replace(NOMINAL, bcs=SECOND)),
    ),
    mutant(
        "bsd-timer-long",
        _CHARGER,
        "waits 30 s for BSD instead of 10 s",
        partial(charger, timing=replace(NOMINAL, bsd=30 * SECOND)),
    ),
    mutant(
        "cem-reserved-zero",
        _CHARGER,
        "sends the reserved bits of CEM as zeros",
        partial(charger, hooks=zero_reserved(CEM)),
    ),
    mutant(
        "cst-reserved-zero",
        _CHARGER,
        "sends the reserved bits of CST as zeros",
        partial(charger, hooks=zero_reserved(CST)),
    ),
    mutant(
        "cml-short",
        _CHARGER,
        "sends CML without its last two bytes",
        partial(charger, hooks=frames(CML.identifier(), lambda frame: [replace(frame, data=frame.data[:6])])),
    ),
    mutant(
        "cts-no-time", _CHARGER, "sends FF as the second in CTS", partial(charger, hooks=byte(CTS, 1, 0xFF))
    ),
    mutant(
        "cem-wrong-field",
        _CHARGER,
        "reports a missing BRM as BCP",
        partial(charger, hooks=Hooks(outgoing=confused_cem)),
    ),
    mutant("cem-silent", _CHARGER, "never sends CEM", partial(charger, hooks=Hooks(outgoing=drop(CEM)))),
    mutant(
        "csd-short",
        _CHARGER,
        "sends CSD without its last byte",
        partial(charger, hooks=payload(CSD, lambda data: data[:-1])),
    ),
    mutant(
        "bro-silence-long",
        _CHARGER,
        "waits 30 s after the last BRO(AA) and is ready after 60 s only",
        partial(
            charger,
            spec=replace(SLOW, readiness_delay=60.0),
            timing=replace(NOMINAL, bro_silence=30 * SECOND),
        ),
    ),
    mutant(
        "manual-stop-as-fault",
        _CHARGER,
        "reports a stop by hand as a fault",
        partial(charger, hooks=Hooks(outgoing=manual_as_fault)),
    ),
    mutant(
        "bst-timer-long",
        _CHARGER,
        "waits 20 s for BST instead of 5 s",
        partial(charger, timing=replace(NOMINAL, bst=20 * SECOND)),
    ),
)
