"""Every timer of the role machines, with what it rests on.

A device with other timers is ``msgspec.structs.replace(NOMINAL, brm=8 * SECOND)``. Cyclic periods stand on
the message classes. Where two values rival each other, the note of the timer says when it applies.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, get_type_hints

import msgspec

from swapproto.frame import MILLISECOND, SECOND
from swapproto.provenance import Basis, Source

_TWO = Source("GB/T 27930-2015, timers", Basis.REPORTED, 2)
_ONE = Source("GB/T 27930-2015, timers", Basis.REPORTED, 1)
_GENERAL = Source("GB/T 27930-2015, general receive timeout of 5 s", Basis.REPORTED, 2)
_AMENDMENT = Source("GB/T 34658-2017, Amendment 1", Basis.REPORTED, 1)

RECONNECTS = 3
"""How often a session begins again after errors before the plug must be pulled [1]."""
CUT_OFF_CURRENT = 5.0
"""Amperes below which the charger's output counts as off [1]."""


def _derived(why: str) -> Source:
    return Source("GB/T 27930-2015, timers", Basis.DERIVED, 0, why)


def _assumed(why: str) -> Source:
    return Source("GB/T 27930-2015, timers", Basis.ASSUMED, 0, why)


class Timer(msgspec.Struct, frozen=True):
    """A time limit as data."""

    name: str
    value_ns: int
    source: Source
    note: str


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """The time limits that a session keeps, in nanoseconds; ``TIMERS`` says where each comes from."""

    # The charger waits.
    bhm: Annotated[int, _GENERAL, "reported and begun again: CEM has no field for BHM"] = 5 * SECOND
    handshake: Annotated[
        int,
        _derived("the pack has given up by then, see crm_from_start"),
        "the charger stops sending CHM to a pack that never answered",
    ] = 60 * SECOND
    insulation: Annotated[
        int,
        _derived("30 s until the pack sends BEM and 30 s in which it takes a new CRM"),
        "the pack listens no longer, so the charger ends a test that lasts longer",
    ] = 60 * SECOND
    brm: Annotated[int, _TWO, ""] = 5 * SECOND
    bcp: Annotated[int, _TWO, ""] = 5 * SECOND
    bro: Annotated[int, _TWO, "while no BRO has come at all"] = 5 * SECOND
    bro_not_ready: Annotated[
        int, _TWO, "from the first BRO(00), while no BRO(AA) comes; the pack stops waiting then too"
    ] = 60 * SECOND
    bro_silence: Annotated[
        int, _AMENDMENT, "from the last BRO(AA) received while the charger is at CRO(00)"
    ] = 5 * SECOND
    bcl: Annotated[int, _TWO, "first counted from CRO(AA)"] = 1 * SECOND
    bcs: Annotated[int, _TWO, "first counted from CRO(AA)"] = 5 * SECOND
    bst: Annotated[int, _ONE, "from the charger's first CST"] = 5 * SECOND
    bsd: Annotated[int, _TWO, "from the first CST that answers BST, or the BST that answers CST"] = (
        10 * SECOND
    )
    csd_repeat: Annotated[
        int,
        _derived("no pack waits longer for CSD, see csd"),
        "how long the charger sends CSD; recorded devices go on for seconds",
    ] = 10 * SECOND

    # The BMS waits.
    crm_from_start: Annotated[int, _ONE, "from system start, while no CHM has come"] = 60 * SECOND
    crm_after_chm: Annotated[int, _ONE, "from the first CHM; replaces crm_from_start"] = 30 * SECOND
    crm_recognised: Annotated[int, _GENERAL, "CRM(AA), from the first BRM"] = 5 * SECOND
    cml: Annotated[int, _GENERAL, "CML, from the first BCP; CTS is optional"] = 5 * SECOND
    cro: Annotated[int, _TWO, "while no CRO has come at all, from the first BRO(AA)"] = 5 * SECOND
    cro_not_ready: Annotated[
        int, _TWO, "from the first CRO(00), while BRO(AA) keeps coming and CRO(AA) does not"
    ] = 60 * SECOND
    ccs: Annotated[int, _TWO, "also from the begin of charging; observed as well"] = 1 * SECOND
    cst: Annotated[int, _ONE, "from the pack's first BST"] = 5 * SECOND
    csd: Annotated[int, _TWO, "from the first BSD"] = 10 * SECOND
    bst_repeat: Annotated[
        int,
        _assumed("the charger's time to cut the current, see current_after_cst; recorded: 0 to 85 ms"),
        "how long the pack answers CST with BST before it sends BSD",
    ] = 100 * MILLISECOND

    # Both.
    pause: Annotated[int, _ONE, "then the charge is stopped"] = 600 * SECOND
    new_crm: Annotated[int, _ONE, "the pack's wait for a new CRM(00), from its own BEM or a CEM"] = (
        30 * SECOND
    )
    error_repeat: Annotated[
        int,
        _assumed("no duration is public; the general receive timeout gives the pack time to hear one"),
        "how long the charger sends CEM before a new CRM(00)",
    ] = 5 * SECOND

    # Current below CUT_OFF_CURRENT.
    current_after_cst: Annotated[int, _ONE, "the charger stops of itself"] = 100 * MILLISECOND
    current_after_bst: Annotated[int, _ONE, "the pack stops and names no fault"] = 10 * SECOND
    current_after_fault: Annotated[int, _ONE, "the pack stops with a fault set in BST"] = 300 * MILLISECOND
    current_after_unplug: Annotated[int, _ONE, "check point 1 is lost"] = 50 * MILLISECOND

    # On the wire.
    packet_gap: Annotated[int, _ONE, "between transport packets of BRM; taken for all of the pack's"] = (
        10 * MILLISECOND
    )


NOMINAL = Timing()


def _timers() -> Mapping[str, Timer]:
    hints = get_type_hints(Timing, include_extras=True)
    return MappingProxyType(
        {
            name: Timer(name, getattr(NOMINAL, name), *hints[name].__metadata__)
            for name in Timing.__struct_fields__
        }
    )


TIMERS: Mapping[str, Timer] = _timers()
"""Every timer by its name in ``Timing``, with its nominal value."""
