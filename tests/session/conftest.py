"""Plants that do nothing but answer; a session alone with a clock; a pair of parties on one virtual bus."""

from enum import StrEnum
from typing import Any

import msgspec

from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
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
    CCS,
    CEM,
    CHM,
    CML,
    CRM,
    CRO,
    CSD,
    CST,
    CTS,
    CellVoltage,
    ChargeMode,
    ChargingMessage,
    Chemistry,
    Condition,
    Level,
    Party,
    Permission,
    Ready,
    Recognition,
)
from swapproto.runtime.virtual import VirtualBus
from swapproto.session import bms, charger
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto.session.events import EndpointEvent, ErrorReported, SessionEvent, TimedOut
from swapproto.session.hooks import Hooks

STATUS = BSM(
    max_voltage_cell=1,
    max_temperature=25,
    max_temperature_probe=1,
    min_temperature=24,
    min_temperature_probe=2,
    cell_voltage=Level.NORMAL,
    soc=Level.NORMAL,
    over_current=Condition.NORMAL,
    over_temperature=Condition.NORMAL,
    insulation=Condition.NORMAL,
    output_connector=Condition.NORMAL,
    permission=Permission.ALLOWED,
)
IDENTITY = BRM(
    version_minor=1, version_major=1, chemistry=Chemistry.LFP, rated_capacity=280.0, rated_voltage=540.0
)
PARAMETERS = BCP(
    max_cell_voltage=3.65,
    max_current=-300.0,
    nominal_energy=150.0,
    max_voltage=600.0,
    max_temperature=60,
    soc=20.0,
    voltage=530.0,
)
DEMAND = BCL(voltage=600.0, current=-200.0, mode=ChargeMode.CONSTANT_CURRENT)
MEASURED = BCS(
    voltage=540.0, current=-200.0, max_cell_voltage=3.4, max_cell_group=1, soc=50, remaining_time=60
)
CAPABILITY = CML(max_voltage=750.0, min_voltage=200.0, max_current=-250.0, min_current=0.0)


class StillPack:
    """A pack that remembers what it was told."""

    def __init__(self) -> None:
        self.is_ready = True
        self.state = STATUS
        self.stop: BST | None = None
        self.told: list[str] = []
        self.delivered: CCS | None = None

    def permitted_voltage(self) -> BHM:
        return BHM(max_voltage=600.0)

    def identity(self) -> BRM:
        return IDENTITY

    def parameters(self, now: Instant) -> BCP:
        return PARAMETERS

    def charger_offers(self, capability: CML, now: Instant) -> None:
        self.told.append("offer")

    def ready(self, now: Instant) -> bool:
        return self.is_ready

    def begin(self, now: Instant) -> None:
        self.told.append("begin")

    def demand(self, now: Instant) -> BCL:
        return DEMAND

    def measured(self, now: Instant) -> BCS:
        return MEASURED

    def status(self, now: Instant) -> BSM:
        return self.state

    def cell_voltages(self, now: Instant) -> BMV | None:
        return BMV(cells=tuple(CellVoltage(voltage=3.4, group=1) for _ in range(126)))

    def temperatures(self, now: Instant) -> BMT | None:
        return BMT(temperatures=(25,) * 16)

    def charger_delivers(self, state: CCS, now: Instant) -> None:
        self.delivered = state

    def stop_wanted(self, now: Instant) -> BST | None:
        return self.stop

    def end(self, now: Instant) -> None:
        self.told.append("end")

    def statistics(self, now: Instant) -> BSD:
        return BSD(soc=90, min_cell_voltage=3.4, max_cell_voltage=3.5, min_temperature=24, max_temperature=30)


class StillCharger:
    """A charger that remembers what it was told."""

    def __init__(self) -> None:
        self.is_ready = True
        self.is_tested = True
        self.current = 200.0
        self.stop: CST | None = None
        self.told: list[str] = []
        self.demanded: BCL | None = None
        self.measured: BCS | None = None

    def identification(self, *, recognised: bool) -> CRM:
        result = Recognition.RECOGNISED if recognised else Recognition.NOT_RECOGNISED
        return CRM(result=result, charger_number=1)

    def insulation_tested(self, permitted: BHM, now: Instant) -> bool:
        return self.is_tested

    def clock(self, now: Instant) -> CTS | None:
        return CTS()

    def capability(self) -> CML:
        return CAPABILITY

    def pack_presents(self, parameters: BCP, now: Instant) -> None:
        self.told.append("parameters")

    def ready(self, now: Instant) -> bool:
        return self.is_ready

    def begin(self, now: Instant) -> None:
        self.told.append("begin")

    def pack_demands(self, demand: BCL, now: Instant) -> None:
        self.demanded = demand

    def pack_measures(self, state: BCS, now: Instant) -> None:
        self.measured = state

    def pause(self, now: Instant, *, paused: bool) -> None:
        self.told.append("pause" if paused else "resume")

    def delivers(self, now: Instant) -> CCS:
        return CCS(voltage=540.0, current=-self.current, elapsed_time=1, permission=Permission.ALLOWED)

    def stop_wanted(self, now: Instant) -> CST | None:
        return self.stop

    def end(self, now: Instant) -> None:
        self.told.append("end")
        self.current = 0.0

    def statistics(self, now: Instant) -> CSD:
        return CSD(total_time=1, energy=1.0, charger_number=1)


C, B = charger.State, bms.State
BRO_00, BRO_AA = BRO(ready=Ready.NOT_READY), BRO(ready=Ready.READY)
CRO_00, CRO_AA = CRO(ready=Ready.NOT_READY), CRO(ready=Ready.READY)
CRM_00 = CRM(result=Recognition.NOT_RECOGNISED, charger_number=1)
CRM_AA = CRM(result=Recognition.RECOGNISED, charger_number=1)
CHM_ = CHM(version_minor=1, version_major=1)
ALLOWED = CCS(voltage=540.0, current=-200.0, elapsed_time=1, permission=Permission.ALLOWED)
BHM_ = BHM(max_voltage=600.0)


class Alone:
    """A session with a clock; notes what it sends and when."""

    def __init__(self, session: ChargerSession | BmsSession) -> None:
        self.session = session
        self.now: Instant = 0
        self.sent: list[tuple[Instant, ChargingMessage]] = []
        self.events: list[SessionEvent] = []
        session.command(Command.START, 0)
        self.collect()

    def state(self) -> StrEnum:
        return self.session.state

    def collect(self) -> None:
        while (message := self.session.poll_transmit()) is not None:
            self.sent.append((self.now, message))
        while (event := self.session.poll_event()) is not None:
            self.events.append(event)

    def hear(self, *messages: ChargingMessage) -> None:
        for message in messages:
            self.session.receive(message, self.now)
            self.collect()

    def pass_time(self, duration: int) -> None:
        end = self.now + duration
        while (due := self.session.next_timeout()) is not None and due <= end:
            self.now = max(self.now, due)
            self.session.handle_timeout(self.now)
            self.collect()
        self.now = end

    def until(self, state: object, limit: int = 700 * SECOND) -> int:
        """How long it takes to get to a state in silence."""
        begun = self.now
        while self.session.state is not state:
            due = self.session.next_timeout()
            assert due is not None
            assert due <= begun + limit, f"still {self.session.state}"
            self.pass_time(due - self.now)
        return self.now - begun

    def instants(self, kind: type[ChargingMessage]) -> list[Instant]:
        return [at for at, message in self.sent if type(message) is kind]

    def reported(self) -> list[CEM | BEM]:
        return [event.message for event in self.events if isinstance(event, ErrorReported)]

    def timed_out(self) -> list[str]:
        return [event.timer for event in self.events if isinstance(event, TimedOut)]


def at_charger(state: charger.State, plant: StillCharger | None = None, **options: Any) -> Alone:
    """A charger led to a state by the messages of a pack; nothing but CRO and insulation takes time."""
    plant = StillCharger() if plant is None else plant
    bench = Alone(ChargerSession(plant, **options))
    steps: tuple[tuple[charger.State, tuple[ChargingMessage, ...], int], ...] = (
        (C.HANDSHAKE, (), 0),
        (C.INSULATION_TEST, (BHM_,), 0),
        (C.IDENTIFICATION, (), 250),
        (C.RECOGNISED, (IDENTITY,), 0),
        (C.CONFIGURATION, (PARAMETERS,), 0),
        (C.PACK_PREPARING, (BRO_00,), 0),
        (C.PREPARING, (BRO_AA,), 0),
        (C.READY, (), 250),
        (C.DEMANDED, (DEMAND,), 0),
        (C.CHARGING, (MEASURED,), 0),
    )
    for reached, messages, wait in steps:
        if wait:
            bench.pass_time(wait * MILLISECOND)
        bench.hear(*messages)
        assert bench.session.state is reached
        if reached is state:
            return bench
    if state is C.PAUSED:
        bench.hear(msgspec.structs.replace(STATUS, permission=Permission.FORBIDDEN))
    elif state is C.STOPPING:
        bench.session.command(Command.STOP, bench.now)
        bench.collect()
    else:
        bench.hear(BST())
    assert bench.session.state is state
    return bench


def at_bms(state: bms.State, plant: StillPack | None = None, **options: Any) -> Alone:
    """A BMS led to a state by the messages of a charger."""
    plant = StillPack() if plant is None else plant
    bench = Alone(BmsSession(plant, **options))
    steps: tuple[tuple[bms.State, tuple[ChargingMessage, ...], int], ...] = (
        (B.LISTENING, (), 0),
        (B.HANDSHAKE, (CHM_,), 0),
        (B.IDENTIFICATION, (CRM_00,), 0),
        (B.PARAMETERS, (CRM_AA,), 0),
        (B.PREPARING, (CAPABILITY,), 0),
        (B.READY, (), 250),
        (B.CHARGER_PREPARING, (CRO_00,), 0),
        (B.CHARGING, (CRO_AA,), 0),
    )
    for reached, messages, wait in steps:
        if wait:
            bench.pass_time(wait * MILLISECOND)
        bench.hear(*messages)
        assert bench.session.state is reached
        if reached is state:
            return bench
    bench.session.command(Command.STOP, bench.now)
    bench.collect()
    if state is B.STATISTICS:
        bench.hear(CST())
    assert bench.session.state is state
    return bench


class Bench:
    """A charger and a pack on one bus, with every message that either session was given."""

    def __init__(
        self,
        *,
        loss: float = 0.0,
        seed: int = 0,
        charger_hooks: Hooks = Hooks(),  # noqa: B008
        pack_hooks: Hooks = Hooks(),  # noqa: B008
    ) -> None:
        self.pack_plant = StillPack()
        self.charger_plant = StillCharger()
        self.charger = ChargerSession(self.charger_plant)
        self.bms = BmsSession(self.pack_plant)
        self.charger_end = Endpoint(self.charger, Party.CHARGER, hooks=charger_hooks)
        self.pack_end = Endpoint(self.bms, Party.BMS, hooks=pack_hooks)
        self.bus = VirtualBus(seed=seed, loss=loss)
        self.bus.attach(self.charger_end, "charger")
        self.bus.attach(self.pack_end, "pack")
        self.frames: list[tuple[Instant, CanFrame]] = []
        self.events: list[EndpointEvent] = []
        self.bus.tap(lambda frame, at, _: self.frames.append((at, frame)))

    def start(self) -> None:
        self.charger_end.command(Command.START, self.bus.now)
        self.pack_end.command(Command.START, self.bus.now)

    def run(self, seconds: float) -> None:
        self.bus.run_until(self.bus.now + round(seconds * SECOND))
        for end in (self.charger_end, self.pack_end):
            while (event := end.poll_event()) is not None:
                self.events.append(event)

    def charge(self) -> None:
        """Start, and get as far as to let current flow."""
        self.start()
        self.run(5)

    def sent(self, kind: type[ChargingMessage]) -> list[tuple[Instant, bytes]]:
        """The single frames of one message."""
        return [(at, frame.data) for at, frame in self.frames if frame.id == kind.identifier()]

    def ends(self) -> tuple[Endpoint, Endpoint]:
        return self.charger_end, self.pack_end
