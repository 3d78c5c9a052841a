"""Insulation monitoring handed over, and charging connectors changed, pulled and plugged under charge."""

from typing import Annotated, ClassVar

from swapproto.messages.station_charging.codes import (
    Completion,
    Contact,
    ContactFault,
    Feedback,
    FirstPair,
    Health,
    MonitorRequest,
    MonitorState,
    Plug,
    SecondPair,
    Standby,
)
from swapproto.messages.station_charging.parties import BY_HAND, FromPack, FromStation
from swapproto.provenance import Basis
from swapproto.wire.fields import State, U
from swapproto.wire.message import Vector


class InsulationRequest(FromStation, title="insulation request", pgn=0x5500, length=8):
    """The station wants to monitor insulation itself and asks the pack to stop."""

    request: Annotated[MonitorRequest, State(at=1.1)]

    VECTORS: ClassVar = (
        Vector("FE FF FF FF FF FF FF FF", {"request": MonitorRequest.OFF}, BY_HAND, Basis.DERIVED),
    )


class InsulationState(FromPack, title="insulation state", pgn=0x5600, length=8):
    """The pack's insulation monitor, and whether the request is carried out."""

    state: Annotated[MonitorState, State(at=1.1)]
    complete: Annotated[Completion, State(at=1.3)]
    fault: Annotated[Health, State(at=1.5)]

    VECTORS: ClassVar = (
        Vector(
            "D9 FF FF FF FF FF FF FF",
            {"state": MonitorState.OFF, "complete": Completion.DONE, "fault": Health.NORMAL},
            BY_HAND,
            Basis.DERIVED,
        ),
    )


class ConnectorChangeRequest(FromStation, title="connector change request", pgn=0x5700, length=8):
    """Which connectors the station wants to pull and to plug; invalid where none."""

    pull: Annotated[FirstPair, State(at=1.1)] = FirstPair.INVALID
    plug: Annotated[FirstPair, State(at=1.3)] = FirstPair.INVALID
    pull_second: Annotated[SecondPair, State(at=1.5)] = SecondPair.INVALID
    plug_second: Annotated[SecondPair, State(at=1.7)] = SecondPair.INVALID

    VECTORS: ClassVar = (
        Vector("F9 FF FF FF FF FF FF FF", {"pull": FirstPair.A, "plug": FirstPair.B}, BY_HAND, Basis.DERIVED),
    )


class ConnectorChangeState(FromPack, title="connector change state", pgn=0x5800, length=8):
    """The pack's word on the change, and each connector's contacts; what a pack does not have is invalid."""

    pull_feedback: Annotated[Feedback, State(at=1.1)] = Feedback.INVALID
    plug_feedback: Annotated[Feedback, State(at=1.3)] = Feedback.INVALID
    standby: Annotated[Standby, State(at=1.5)] = Standby.INVALID
    cc2_1: Annotated[Plug, State(at=2.1)] = Plug.INVALID
    cc2_2: Annotated[Plug, State(at=2.3)] = Plug.INVALID
    cc2_3: Annotated[Plug, State(at=2.5)] = Plug.INVALID
    cc2_4: Annotated[Plug, State(at=2.7)] = Plug.INVALID
    a_positive: Annotated[Contact, State(at=3.1)] = Contact.INVALID
    a_negative: Annotated[Contact, State(at=3.3)] = Contact.INVALID
    b_positive: Annotated[Contact, State(at=3.5)] = Contact.INVALID
    b_negative: Annotated[Contact, State(at=3.7)] = Contact.INVALID
    a_positive_fault: Annotated[ContactFault, State(at=4.1)] = ContactFault.INVALID
    a_negative_fault: Annotated[ContactFault, State(at=4.3)] = ContactFault.INVALID
    b_positive_fault: Annotated[ContactFault, State(at=4.5)] = ContactFault.INVALID
    b_negative_fault: Annotated[ContactFault, State(at=4.7)] = ContactFault.INVALID
    c_positive_fault: Annotated[ContactFault, State(at=5.1)] = ContactFault.INVALID
    c_negative_fault: Annotated[ContactFault, State(at=5.3)] = ContactFault.INVALID
    d_positive_fault: Annotated[ContactFault, State(at=5.5)] = ContactFault.INVALID
    d_negative_fault: Annotated[ContactFault, State(at=5.7)] = ContactFault.INVALID
    c_positive: Annotated[Contact, State(at=6.1)] = Contact.INVALID
    c_negative: Annotated[Contact, State(at=6.3)] = Contact.INVALID
    d_positive: Annotated[Contact, State(at=6.5)] = Contact.INVALID
    d_negative: Annotated[Contact, State(at=6.7)] = Contact.INVALID

    VECTORS: ClassVar = (
        Vector(
            "E9 F6 5A E4 FF FF FF FF",
            {
                "pull_feedback": Feedback.ALLOWED,
                "plug_feedback": Feedback.FORBIDDEN,
                "standby": Standby.READY,
                "cc2_1": Plug.PLUGGED,
                "cc2_2": Plug.UNPLUGGED,
                "a_positive": Contact.CLOSED,
                "a_negative": Contact.CLOSED,
                "b_positive": Contact.OPEN,
                "b_negative": Contact.OPEN,
                "a_positive_fault": ContactFault.RESERVED,
                "a_negative_fault": ContactFault.WELDED,
                "b_positive_fault": ContactFault.STUCK_OPEN,
            },
            BY_HAND,
            Basis.DERIVED,
        ),
    )


class ConnectorCurrents(FromStation, title="currents of the connectors", pgn=0x5900):
    """The current through each connector, which BCS and CCS cannot tell apart."""

    current_a: Annotated[float, U(16, at=1, scale=0.1, offset=-400, unit="A")]
    current_b: Annotated[float, U(16, at=3, scale=0.1, offset=-400, unit="A")]
    current_c: Annotated[float, U(16, at=5, scale=0.1, offset=-400, unit="A")]
    current_d: Annotated[float, U(16, at=7, scale=0.1, offset=-400, unit="A")]

    VECTORS: ClassVar = (
        Vector(
            "F0 0A 7B 0C A0 0F 88 13",
            {"current_a": -120.0, "current_b": -80.5, "current_c": 0.0, "current_d": 100.0},
            BY_HAND,
            Basis.DERIVED,
        ),
    )
