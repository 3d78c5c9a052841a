"""Authorisation of the pack by its battery bank; the ciphers are not public."""

from typing import Annotated, ClassVar

from swapproto.j1939 import GLOBAL_ADDRESS
from swapproto.messages.pack_can.codes import (
    AlarmLevel,
    PackValue,
    doubtful,
)
from swapproto.messages.pack_can.parties import FromPack, FromVehicle, by_hand
from swapproto.wire.fields import Choice, Raw, State, U

CIPHER = "the cipher is not public"
SAME_LIST = doubtful("the source gives this field the value list of its neighbour, which looks like an error")


class AuthorisationAction(PackValue):
    """The source gives the same list for the action after a failure and for the last result."""

    NONE = 0
    HIGH_VOLTAGE_FORBIDDEN = 1
    NO_LIMIT = 2


class AuthorisationState(PackValue):
    """How far the authorisation by the battery bank is."""

    NOT_GIVEN = 0
    WAITING = 1
    AUTHORISED = 2
    SILENT = 3
    """No frame within 60 s."""
    UNDECIPHERED = 4
    """Frames within 60 s, none of which could be deciphered."""


class Validity(PackValue):
    """Whether the authorisation counts."""

    NOT_GIVEN = 0
    VALID = 1
    INVALID = 2


class DischargeLimit(PackValue):
    """Discharge power that the battery bank leaves."""

    PERCENT_0 = 0
    PERCENT_25 = 25
    PERCENT_50 = 50
    PERCENT_75 = 75
    UNLIMITED = 100
    LIMP = 101
    INVALID = 255


class RegenerationLimit(PackValue):
    """Regeneration power that the battery bank leaves."""

    PERCENT_0 = 0
    PERCENT_25 = 25
    PERCENT_50 = 50
    PERCENT_75 = 75
    UNLIMITED = 100
    INVALID = 255


class ChargeLimit(PackValue):
    """Whether the battery bank lets the pack be charged."""

    FORBIDDEN = 0
    UNLIMITED = 100
    INVALID = 255


class LimitReason(PackValue):
    """Why the battery bank limits the pack."""

    NONE = 0
    CLOUD_AUTHORISATION = 1
    ARREARS = 2
    OVER_QUOTA_1 = 3
    OVER_QUOTA_2 = 4
    RATING = 5
    GEOFENCE_1 = 6
    GEOFENCE_2 = 7
    GEOFENCE_3 = 8
    REMOTE_LIMIT = 9
    REMOTE_LOCK = 10
    INVALID = 31


class Execution(PackValue):
    """Whether an order of the battery bank was carried out."""

    NOT_EXECUTED = 0
    EXECUTED = 1


class AuthorisationRequest(
    FromPack, title="authorisation request", pgn=0x8900, period_ms=1000, sealed_field="cipher"
):
    """The pack's serial number for the authorisation, plain and enciphered."""

    plain: Annotated[int, U(32, at=1)]
    cipher: Annotated[int, U(32, at=5, note=CIPHER)] = 0

    VECTORS: ClassVar = (
        by_hand(
            "78 56 34 12 F1 DE BC 9A",
            {
                "plain": 0x12345678, "cipher": 0x9ABCDEF1,
            },
        ),
    )  # fmt: skip


class AuthorisationReply(FromPack, title="authorisation reply", pgn=0x8A00, period_ms=1000):
    """How the authorisation stands, and which limits the battery bank has set."""

    failure_action: Annotated[AuthorisationAction, State(at=1.1, source=SAME_LIST)]
    last_result: Annotated[AuthorisationAction, Choice(bits=3, at=1.3, source=SAME_LIST)]
    state: Annotated[AuthorisationState, Choice(bits=3, at=1.6)]
    discharge_limit: Annotated[DischargeLimit, Choice(at=2)] = DischargeLimit.INVALID
    regeneration_limit: Annotated[RegenerationLimit, Choice(at=3)] = RegenerationLimit.INVALID
    charge_limit: Annotated[ChargeLimit, Choice(at=4)] = ChargeLimit.INVALID
    validity: Annotated[Validity, State(at=5.7)]
    code_reply: Annotated[int, U(8, at=6, note="no values are public")] = 0
    risk_level: Annotated[AlarmLevel, Choice(bits=3, at=7.1)] = AlarmLevel.NONE
    reason: Annotated[LimitReason, Choice(bits=5, at=7.4)] = LimitReason.NONE
    grid_discharge_prohibited: Annotated[Execution, Choice(bits=1, at=8.3)] = Execution.NOT_EXECUTED
    high_voltage_prohibited: Annotated[Execution, Choice(bits=1, at=8.4)] = Execution.NOT_EXECUTED
    high_voltage_off_requested: Annotated[Execution, Choice(bits=1, at=8.5)] = Execution.NOT_EXECUTED
    charge_limited: Annotated[Execution, Choice(bits=1, at=8.6)] = Execution.NOT_EXECUTED
    regeneration_limited: Annotated[Execution, Choice(bits=1, at=8.7)] = Execution.NOT_EXECUTED
    discharge_limited: Annotated[Execution, Choice(bits=1, at=8.8)] = Execution.NOT_EXECUTED

    VECTORS: ClassVar = (
        by_hand(
            "89 65 19 64 40 5A 53 7C",
            {
                "failure_action": AuthorisationAction.HIGH_VOLTAGE_FORBIDDEN,
                "last_result": AuthorisationAction.NO_LIMIT, "state": AuthorisationState.UNDECIPHERED,
                "discharge_limit": DischargeLimit.LIMP, "regeneration_limit": RegenerationLimit.PERCENT_25,
                "charge_limit": ChargeLimit.UNLIMITED, "validity": Validity.VALID, "code_reply": 0x5A,
                "risk_level": AlarmLevel.LEVEL_3, "reason": LimitReason.REMOTE_LOCK,
                "grid_discharge_prohibited": Execution.EXECUTED,
                "high_voltage_prohibited": Execution.EXECUTED,
                "high_voltage_off_requested": Execution.EXECUTED, "charge_limited": Execution.EXECUTED,
                "regeneration_limited": Execution.EXECUTED,
            },
        ),
    )  # fmt: skip


class AuthorisationCipher(
    FromVehicle, title="authorisation cipher", pgn=0x0300, period_ms=1000, sealed_field="cipher"
):
    """The battery bank's enciphered answer."""

    cipher: Annotated[bytes, Raw(size=8, at=1)] = bytes(8)

    VECTORS: ClassVar = (
        by_hand(
            "1F 2E 3D 4C 5B 6A 79 88",
            {
                "cipher": bytes.fromhex("1F 2E 3D 4C 5B 6A 79 88"),
            },
        ),
    )  # fmt: skip


class AuthorisationNumber(
    FromVehicle,
    title="authorisation number",
    pgn=0xFDF3,
    period_ms=1000,
    destination_address=GLOBAL_ADDRESS,
    length=8,
):
    """The serial number that the battery bank has understood."""

    serial_number: Annotated[int, U(32, at=1)]

    VECTORS: ClassVar = (
        by_hand(
            "78 56 34 12 00 00 00 00",
            {
                "serial_number": 0x12345678,
            },
        ),
    )  # fmt: skip
