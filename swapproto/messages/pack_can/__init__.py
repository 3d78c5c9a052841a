"""The pack CAN family D0/F3: what swap heavy trucks and their packs say to each other.

Observed practice, not a published standard: identifiers, positions and scales of the basic messages are
shared by independent decoders, everything else rests on one file. No recording is public.

Beside the messages: ``PackAssembly`` puts the frames of a pack together into a ``PackSnapshot``, and a
``Seal`` makes and checks what makers keep to themselves, checksums and ciphers (``sealed``, ``seal_state``).
"""

from swapproto.messages.pack_can.authorisation import (
    AuthorisationCipher,
    AuthorisationNumber,
    AuthorisationReply,
    AuthorisationRequest,
)
from swapproto.messages.pack_can.cells import (
    CellVoltages,
    CellVoltagesFurther,
    PackCellVoltages,
    PackElectrical,
    PackTemperatures,
    Temperatures,
)
from swapproto.messages.pack_can.codes import (
    AlarmLevel,
    BaseType,
    ChargeMode,
    ChargeState,
    Connection,
    Fault,
    LockState,
    PackValue,
    RelayFault,
    RelayState,
    Unit,
    WorkState,
)
from swapproto.messages.pack_can.command import (
    Clock,
    HighVoltageCommand,
    InsulationCommand,
    SwapController,
    VehicleCommand,
    VehicleIdentity,
)
from swapproto.messages.pack_can.energy import (
    Energy1,
    Energy2,
    Energy3,
    Energy4,
    Energy5,
    Energy6,
    Energy7,
    Energy8,
    Energy9,
    Energy10,
)
from swapproto.messages.pack_can.identity import (
    Chemistry,
    Cooling,
    Counts,
    Maker,
    PackCode1,
    PackCode2,
    PackCode3,
    PackCode4,
    Ratings,
    SinglePackCode,
    Versions,
)
from swapproto.messages.pack_can.measured import (
    BranchCurrents,
    CellMaximum,
    CellMinimum,
    ConnectorTemperatures,
    CoolantTemperatures,
    PackState,
    PackVoltages,
    TemperatureExtremes,
)
from swapproto.messages.pack_can.parties import FromPack, FromVehicle, PackMessage
from swapproto.messages.pack_can.relays import FurtherRelays, RelayStatus
from swapproto.messages.pack_can.seal import Seal, SealState, seal_state, sealed
from swapproto.messages.pack_can.series import Heard, Series
from swapproto.messages.pack_can.snapshot import Alarm, PackAssembly, PackSnapshot
from swapproto.messages.pack_can.status import (
    InsulationStatus,
    PackRequest,
    WorkStatus,
)
from swapproto.messages.pack_can.storage import StorageFaults
from swapproto.messages.pack_can.thermal import ThermalRequest, ThermalState

MESSAGES: tuple[type[PackMessage], ...] = (
    PackRequest, VehicleCommand, Clock, AuthorisationCipher, RelayStatus, StorageFaults, WorkStatus,
    PackState, PackVoltages, TemperatureExtremes, CellMaximum, CellMinimum, ConnectorTemperatures, Versions,
    AuthorisationRequest, AuthorisationReply, BranchCurrents, CoolantTemperatures, FurtherRelays,
    InsulationStatus, InsulationCommand, CellVoltages, Temperatures, CellVoltagesFurther, PackCellVoltages,
    PackTemperatures, PackElectrical, PackCode1, VehicleIdentity, PackCode2, PackCode3, PackCode4, Ratings,
    Counts, SinglePackCode, Energy1, Energy2, Energy3, Energy4, Energy5, Energy6, Energy7, Energy8, Energy9,
    Energy10, AuthorisationNumber, ThermalRequest, ThermalState, SwapController,
)  # fmt: skip
"""Every message of the family, by identifier; diagnostics aside."""

__all__ = [
    "MESSAGES",
    "Alarm",
    "AlarmLevel",
    "AuthorisationCipher",
    "AuthorisationNumber",
    "AuthorisationReply",
    "AuthorisationRequest",
    "BaseType",
    "BranchCurrents",
    "CellMaximum",
    "CellMinimum",
    "CellVoltages",
    "CellVoltagesFurther",
    "ChargeMode",
    "ChargeState",
    "Chemistry",
    "Clock",
    "Connection",
    "ConnectorTemperatures",
    "CoolantTemperatures",
    "Cooling",
    "Counts",
    "Energy1",
    "Energy2",
    "Energy3",
    "Energy4",
    "Energy5",
    "Energy6",
    "Energy7",
    "Energy8",
    "Energy9",
    "Energy10",
    "Fault",
    "FromPack",
    "FromVehicle",
    "FurtherRelays",
    "Heard",
    "HighVoltageCommand",
    "InsulationCommand",
    "InsulationStatus",
    "LockState",
    "Maker",
    "PackAssembly",
    "PackCellVoltages",
    "PackCode1",
    "PackCode2",
    "PackCode3",
    "PackCode4",
    "PackElectrical",
    "PackMessage",
    "PackRequest",
    "PackSnapshot",
    "PackState",
    "PackTemperatures",
    "PackValue",
    "PackVoltages",
    "Ratings",
    "RelayFault",
    "RelayState",
    "RelayStatus",
    "Seal",
    "SealState",
    "Series",
    "SinglePackCode",
    "StorageFaults",
    "SwapController",
    "TemperatureExtremes",
    "Temperatures",
    "ThermalRequest",
    "ThermalState",
    "Unit",
    "VehicleCommand",
    "VehicleIdentity",
    "Versions",
    "WorkState",
    "WorkStatus",
    "seal_state",
    "sealed",
]
