"""The time limits of the role machines: those of the standard, and what a device must choose besides.

A device with other limits is ``msgspec.structs.replace(NOMINAL, brm=8 * SECOND)``. Cyclic periods stand on
the message classes. Where two values rival each other, the note of the timer says when it applies.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, get_type_hints

import msgspec

from swapproto.frame import MILLISECOND, SECOND
from swapproto.messages.gbt27930 import timers
from swapproto.messages.gbt27930.timers import CUT_OFF_CURRENT, RECONNECTS, Timer
from swapproto.provenance import Basis, Source

__all__ = ["CUT_OFF_CURRENT", "NOMINAL", "RECONNECTS", "TIMERS", "Timer", "Timing"]


def _chosen(value: int, basis: Basis, why: str, note: str) -> Timer:
    """A duration that no source gives and a device needs nevertheless."""
    return Timer("our choice", value, Source("role machine", basis, 0, why), note)


_HANDSHAKE = _chosen(
    60 * SECOND,
    Basis.DERIVED,
    "the pack has given up by then, see crm_from_start",
    "the charger stops sending CHM to a pack that never answered",
)
_INSULATION = _chosen(
    60 * SECOND,
    Basis.DERIVED,
    "30 s until the pack sends BEM and 30 s in which it takes a new CRM",
    "the pack listens no longer, so the charger ends a test that lasts longer",
)
_CSD_REPEAT = _chosen(
    10 * SECOND,
    Basis.DERIVED,
    "no pack waits longer for CSD, see csd",
    "how long the charger sends CSD; recorded devices go on for seconds",
)
_BST_REPEAT = _chosen(
    100 * MILLISECOND,
    Basis.ASSUMED,
    "the charger's time to cut the current, see current_after_cst; recorded: 0 to 85 ms",
    "how long the pack answers CST with BST before it sends BSD",
)
_ERROR_REPEAT = _chosen(
    5 * SECOND,
    Basis.ASSUMED,
    "no duration is public; the general receive timeout gives the pack time to hear one",
    "how long the charger sends CEM before a new CRM(00)",
)


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """The time limits that a session keeps, in nanoseconds; ``TIMERS`` says where each comes from."""

    # The charger waits.
    bhm: Annotated[int, timers.BHM_AT_CHARGER] = timers.BHM_AT_CHARGER.value
    handshake: Annotated[int, _HANDSHAKE] = _HANDSHAKE.value
    insulation: Annotated[int, _INSULATION] = _INSULATION.value
    brm: Annotated[int, timers.BRM_AT_CHARGER] = timers.BRM_AT_CHARGER.value
    bcp: Annotated[int, timers.BCP_AT_CHARGER] = timers.BCP_AT_CHARGER.value
    bro: Annotated[int, timers.READY_NEVER_RECEIVED] = timers.READY_NEVER_RECEIVED.value
    bro_not_ready: Annotated[int, timers.READY_NEVER_AA] = timers.READY_NEVER_AA.value
    bro_silence: Annotated[int, timers.BRO_AA_SILENT] = timers.BRO_AA_SILENT.value
    bcl: Annotated[int, timers.BCL_AT_CHARGER] = timers.BCL_AT_CHARGER.value
    bcs: Annotated[int, timers.BCS_AT_CHARGER] = timers.BCS_AT_CHARGER.value
    bst: Annotated[int, timers.STOP_ANSWER] = timers.STOP_ANSWER.value
    """From the charger's first CST."""
    bsd: Annotated[int, timers.STATISTICS] = timers.STATISTICS.value
    """From the first CST that answers BST, or the BST that answers CST."""
    csd_repeat: Annotated[int, _CSD_REPEAT] = _CSD_REPEAT.value

    # The BMS waits.
    crm_from_start: Annotated[int, timers.CRM_FROM_START] = timers.CRM_FROM_START.value
    crm_after_chm: Annotated[int, timers.FIRST_CRM] = timers.FIRST_CRM.value
    crm_recognised: Annotated[int, timers.CRM_RECOGNISED_AT_BMS] = timers.CRM_RECOGNISED_AT_BMS.value
    cml: Annotated[int, timers.CML_AT_BMS] = timers.CML_AT_BMS.value
    cro: Annotated[int, timers.READY_NEVER_RECEIVED] = timers.READY_NEVER_RECEIVED.value
    """From the first BRO(AA)."""
    cro_not_ready: Annotated[int, timers.READY_NEVER_AA] = timers.READY_NEVER_AA.value
    ccs: Annotated[int, timers.CCS_AT_BMS] = timers.CCS_AT_BMS.value
    cst: Annotated[int, timers.STOP_ANSWER] = timers.STOP_ANSWER.value
    """From the pack's first BST."""
    csd: Annotated[int, timers.STATISTICS] = timers.STATISTICS.value
    """From the first BSD."""
    bst_repeat: Annotated[int, _BST_REPEAT] = _BST_REPEAT.value

    # Both.
    pause: Annotated[int, timers.LONGEST_PAUSE] = timers.LONGEST_PAUSE.value
    new_crm: Annotated[int, timers.NEW_CRM_AFTER_ERROR] = timers.NEW_CRM_AFTER_ERROR.value
    """The pack's wait for a new CRM(00), from its own BEM or a CEM."""
    error_repeat: Annotated[int, _ERROR_REPEAT] = _ERROR_REPEAT.value

    # Current below CUT_OFF_CURRENT.
    current_after_cst: Annotated[int, timers.CURRENT_AFTER_CST] = timers.CURRENT_AFTER_CST.value
    current_after_bst: Annotated[int, timers.CURRENT_AFTER_BST] = timers.CURRENT_AFTER_BST.value
    current_after_fault: Annotated[int, timers.CURRENT_AFTER_FAULT] = timers.CURRENT_AFTER_FAULT.value
    current_after_unplug: Annotated[int, timers.CURRENT_AFTER_UNPLUG] = timers.CURRENT_AFTER_UNPLUG.value

    # On the wire.
    packet_gap: Annotated[int, timers.PACKET_GAP] = timers.PACKET_GAP.value


NOMINAL = Timing()


def _timers() -> Mapping[str, Timer]:
    hints = get_type_hints(Timing, include_extras=True)
    return MappingProxyType({name: hints[name].__metadata__[0] for name in Timing.__struct_fields__})


TIMERS: Mapping[str, Timer] = _timers()
"""Every timer by its name in ``Timing``, with its nominal value."""
