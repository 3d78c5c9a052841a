"""Packs with one fault each."""

from collections.abc import Callable
from functools import partial

from swapproto.frame import MILLISECOND, SECOND
from swapproto.messages.gbt27930 import (
    BCL,
    BCP,
    BCS,
    BEM,
    BHM,
    BMT,
    BMV,
    BRM,
    BRO,
    BSD,
    BSM,
    BST,
    CEM,
    CHM,
    CRM,
    CST,
    ChargeMode,
    ChargingMessage,
    Party,
    Ready,
    Recognition,
)
from swapproto.session.hooks import Hooks
from swapproto.session.timing import NOMINAL
from swapproto_conformance.devices import pack
from swapproto_conformance.faults import (
    after_the_first,
    beside,
    byte,
    deaf_in_pauses,
    drop,
    frames,
    mutant,
    payload,
    priority,
    replace,
    second_packets_lost,
    slow,
    zero_reserved,
)

_PACK = Party.BMS
EARLY_BCL = BCL(voltage=600.0, current=-10.0, mode=ChargeMode.CONSTANT_CURRENT)
EARLY_BSD = BSD(soc=41, min_cell_voltage=3.3, max_cell_voltage=3.35, min_temperature=25, max_temperature=27)
NOT_RECOGNISED = CRM(result=Recognition.NOT_RECOGNISED, charger_number=1)
RECOGNISED = CRM(result=Recognition.RECOGNISED, charger_number=1)
_DAMAGE: tuple[tuple[type[ChargingMessage], str, str, Callable[[bytes], bytes]], ...] = (
    (BRM, "short", "leaves out the last two bytes of", lambda data: data[:-2]),
    (BCP, "long", "adds two bytes to", lambda data: data + bytes(2)),
    (BCS, "long", "adds two bytes to", lambda data: data + bytes(2)),
    (BMV, "odd", "adds half a cell to", lambda data: data + bytes(1)),
    (BSD, "short", "leaves out the last byte of", lambda data: data[:-1]),
)
PACKS = (
    slow(_PACK, BHM, 1000),
    slow(_PACK, BRM, 1000),
    slow(_PACK, BCP, 1500),
    slow(_PACK, BRO, 1000),
    slow(_PACK, BCL, 100),
    slow(_PACK, BCS, 1000, "rare"),
    slow(_PACK, BSM, 1000),
    slow(_PACK, BMV, 1000, "often"),
    slow(_PACK, BST, 50),
    slow(_PACK, BSD, 1000),
    slow(_PACK, BEM, 1000),
    mutant(
        "bhm-wrong-address",
        _PACK,
        "sends BHM from address F5",
        partial(pack, hooks=frames(BHM.identifier(), lambda frame: [replace(frame, id=frame.id + 1)])),
    ),
    mutant(
        "bhm-wrong-destination",
        _PACK,
        "sends BHM to address 57",
        partial(pack, hooks=frames(BHM.identifier(), lambda frame: [replace(frame, id=frame.id + 0x100)])),
    ),
    mutant(
        "bhm-long",
        _PACK,
        "pads BHM to 8 bytes",
        partial(
            pack,
            hooks=frames(BHM.identifier(), lambda frame: [replace(frame, data=frame.data.ljust(8, b"\xff"))]),
        ),
    ),
    mutant(
        "brm-early",
        _PACK,
        "sends BRM before CRM(00)",
        lambda: pack(hooks=Hooks(incoming=after_the_first(CHM, NOT_RECOGNISED))),
    ),
    mutant(
        "bcp-early",
        _PACK,
        "sends BCP before CRM(AA)",
        lambda: pack(hooks=Hooks(incoming=after_the_first(CRM, RECOGNISED))),
    ),
    mutant("bcp-missing", _PACK, "never sends BCP", partial(pack, hooks=Hooks(outgoing=drop(BCP)))),
    mutant("bro-missing", _PACK, "never sends BRO", partial(pack, hooks=Hooks(outgoing=drop(BRO)))),
    mutant(
        "bro-early",
        _PACK,
        "sends BRO(00) with BHM, before CML",
        partial(pack, hooks=beside(BHM, BRO(ready=Ready.NOT_READY))),
    ),
    mutant("bro-undefined", _PACK, "sends 55 in BRO", partial(pack, hooks=byte(BRO, 1, 0x55))),
    mutant(
        "bcl-early",
        _PACK,
        "demands current while it waits for CRO(AA)",
        partial(pack, hooks=beside(BRO, EARLY_BCL)),
    ),
    mutant("bcl-missing", _PACK, "never sends BCL", partial(pack, hooks=Hooks(outgoing=drop(BCL)))),
    mutant("bcl-undefined-mode", _PACK, "sends 3 as the mode in BCL", partial(pack, hooks=byte(BCL, 5, 3))),
    mutant(
        "bcl-after-stop", _PACK, "goes on with BCL beside BSD", partial(pack, hooks=beside(BSD, EARLY_BCL))
    ),
    mutant(
        "bsm-short",
        _PACK,
        "sends BSM without its last byte",
        partial(pack, hooks=frames(BSM.identifier(), lambda frame: [replace(frame, data=frame.data[:6])])),
    ),
    mutant("bsm-wrong-priority", _PACK, "sends BSM with priority 3", partial(pack, hooks=priority(BSM, 3))),
    mutant("cst-ignored", _PACK, "does not hear CST", partial(pack, hooks=Hooks(incoming=drop(CST)))),
    mutant("bst-unasked", _PACK, "sends BST beside BCL", partial(pack, hooks=beside(BCL, BST()))),
    mutant(
        "bst-reserved-zero",
        _PACK,
        "sends the reserved bits of BST as zeros",
        partial(pack, hooks=zero_reserved(BST)),
    ),
    mutant("bsd-missing", _PACK, "never sends BSD", partial(pack, hooks=Hooks(outgoing=drop(BSD)))),
    mutant("bsd-early", _PACK, "sends BSD beside BCL", partial(pack, hooks=beside(BCL, EARLY_BSD))),
    mutant(
        "cml-timer-long",
        _PACK,
        "waits 8.5 s for CML instead of 5 s",
        partial(pack, timing=replace(NOMINAL, cml=8500 * MILLISECOND)),
    ),
    mutant(
        "cro-timer-short",
        _PACK,
        "waits 2 s for CRO instead of 5 s",
        partial(pack, timing=replace(NOMINAL, cro=2 * SECOND)),
    ),
    mutant(
        "ccs-timer-short",
        _PACK,
        "gives CCS 0.2 s instead of 1 s",
        partial(pack, timing=replace(NOMINAL, ccs=200 * MILLISECOND)),
    ),
    mutant(
        "csd-timer-long",
        _PACK,
        "waits 30 s for CSD instead of 10 s",
        partial(pack, timing=replace(NOMINAL, csd=30 * SECOND)),
    ),
    mutant(
        "bem-reserved-zero",
        _PACK,
        "sends the reserved bits of BEM as zeros",
        partial(pack, hooks=zero_reserved(BEM)),
    ),
    mutant("bem-silent", _PACK, "never sends BEM", partial(pack, hooks=Hooks(outgoing=drop(BEM)))),
    mutant(
        "transfers-broken",
        _PACK,
        "leaves out the second packet of every transfer",
        partial(pack, hooks=second_packets_lost()),
    ),
    *(
        mutant(
            f"{kind.__name__.lower()}-{name}",
            _PACK,
            f"{wrong} {kind.__name__}",
            partial(pack, hooks=payload(kind, change)),
        )
        for kind, name, wrong, change in _DAMAGE
    ),
    mutant(
        "bmt-impossible",
        _PACK,
        "lists temperatures of 205 degC in BMT",
        partial(pack, hooks=payload(BMT, lambda data: b"\xff" * len(data))),
    ),
    slow(_PACK, BMT, 1000, "often"),
    mutant("cem-ignored", _PACK, "does not hear CEM", partial(pack, hooks=Hooks(incoming=drop(CEM)))),
    mutant(
        "pause-unheard",
        _PACK,
        "takes CCS without permission for silence",
        partial(pack, hooks=Hooks(incoming=deaf_in_pauses)),
    ),
    mutant(
        "brm-patience-short",
        _PACK,
        "waits 2 s for CRM(AA) instead of 5 s",
        partial(pack, timing=replace(NOMINAL, crm_recognised=2 * SECOND)),
    ),
    mutant(
        "crm-patience-short",
        _PACK,
        "waits 2 s for CRM after CHM instead of 30 s",
        partial(pack, timing=replace(NOMINAL, crm_after_chm=2 * SECOND)),
    ),
    mutant(
        "cml-timer-short",
        _PACK,
        "waits 2 s for CML instead of 5 s",
        partial(pack, timing=replace(NOMINAL, cml=2 * SECOND)),
    ),
    mutant(
        "cro-patience-short",
        _PACK,
        "waits 25 s at CRO(00) instead of 60 s",
        partial(pack, timing=replace(NOMINAL, cro_not_ready=25 * SECOND)),
    ),
    mutant(
        "csd-timer-short",
        _PACK,
        "waits 1 s for CSD instead of 10 s",
        partial(pack, timing=replace(NOMINAL, csd=SECOND)),
    ),
    mutant(
        "start-timer-long",
        _PACK,
        "waits 120 s for CHM instead of 60 s",
        partial(pack, timing=replace(NOMINAL, crm_from_start=120 * SECOND)),
    ),
    mutant(
        "cst-timer-long",
        _PACK,
        "waits 20 s for CST instead of 5 s",
        partial(pack, timing=replace(NOMINAL, cst=20 * SECOND)),
    ),
)
