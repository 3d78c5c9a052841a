"""What one swap station's charger speaks with the packs in its bays: GB/T 27930-2015 and a maker's additions.

All of it is known from one DBC file. CCS, BEM and CEM are those of that file; the other messages of the
standard are shared with ``swapproto.messages.gbt27930``.
"""

from swapproto.messages.gbt27930 import ChargingMessage
from swapproto.messages.station_charging import standard
from swapproto.messages.station_charging.codes import (
    Channels,
    ChargeType,
    Completion,
    Contact,
    ContactFault,
    Feedback,
    FirstPair,
    Health,
    MonitorRequest,
    MonitorState,
    Plug,
    Scene,
    SecondPair,
    Standby,
)
from swapproto.messages.station_charging.connectors import (
    ConnectorChangeRequest,
    ConnectorChangeState,
    ConnectorCurrents,
    InsulationRequest,
    InsulationState,
)
from swapproto.messages.station_charging.delivery import (
    BCPP,
    BCSP,
    BDC,
    BFC,
    CCD,
    CDC,
    CFC,
    CMLP,
    CSDP,
    SpecialRequest,
    SpecialResponse,
)
from swapproto.messages.station_charging.parties import FromPack, FromStation, StationMessage
from swapproto.messages.station_charging.standard import BEM, CCS, CEM

EXTENSIONS: tuple[type[StationMessage], ...] = (
    InsulationRequest, InsulationState, ConnectorChangeRequest, ConnectorChangeState, ConnectorCurrents,
    SpecialRequest, SpecialResponse, CFC, BFC, BCPP, CMLP, CCD, CSDP, BCSP, BDC, CDC,
)  # fmt: skip
"""What the maker added."""

MESSAGES: tuple[type[ChargingMessage], ...] = (*standard.MESSAGES, *EXTENSIONS)
"""All that station and pack speak."""

__all__ = [
    "BCPP", "BCSP", "BDC", "BEM", "BFC", "CCD", "CCS", "CDC", "CEM", "CFC", "CMLP", "CSDP", "EXTENSIONS",
    "MESSAGES", "Channels", "ChargeType", "Completion", "ConnectorChangeRequest", "ConnectorChangeState",
    "ConnectorCurrents", "Contact", "ContactFault", "Feedback", "FirstPair", "FromPack", "FromStation",
    "Health", "InsulationRequest", "InsulationState", "MonitorRequest", "MonitorState", "Plug", "Scene",
    "SecondPair", "SpecialRequest", "SpecialResponse", "Standby", "StationMessage",
]  # fmt: skip
