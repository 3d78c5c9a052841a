"""Whole swaps in virtual time: how they end, and that the same arguments give the same frames."""

from hashlib import sha256

import msgspec
import pytest

from swapproto.frame import SECOND, CanFrame, Instant
from swapproto.messages.gbt27930 import BST, CSD
from swapproto.messages.pack_can import (
    Connection,
    HighVoltageCommand,
    LockState,
    PackCode1,
    SwapController,
    Unit,
    VehicleCommand,
)
from swapproto.models.truck import TRUCKS
from swapproto.session.swap.messages import bay
from swapproto.session.swap.orchestrator_table import State
from swapproto.session.swap.timing import NOMINAL
from swapproto.simulation.swap import Outcome, SwapResult, VirtualSwap
from swapproto.simulation.swap_faults import SWAP_FAULTS, BadSwapFault, SwapFault
from swapproto.simulation.swap_story import Note

NO_RETRY = "no retry left"
HASTY = msgspec.structs.replace(NOMINAL, retries=0, lidar_retries=1, person=20 * SECOND)
"""So that a swap that cannot go on is held soon."""


class Run:
    """A swap that has been run, with all that could be seen of it."""

    def __init__(
        self, kind: str = "tractor", *faults: str, seed: int = 1, charge_to: float | None = None
    ) -> None:
        parsed = [SwapFault.parse(text) for text in faults]
        timing = HASTY if faults else NOMINAL
        self.swap = VirtualSwap(TRUCKS[kind], seed=seed, charge_to=charge_to, faults=parsed, timing=timing)
        self.notes: list[Note] = []
        self.frames: list[tuple[str, CanFrame, Instant, str]] = []
        self.swap.buses.tap(lambda *seen: self.frames.append(seen))
        self.result: SwapResult = self.swap.run(self.notes.append)

    def sent(self, can_id: int, channel: str = "truck") -> list[tuple[bytes, Instant]]:
        return [
            (frame.data, at) for name, frame, at, _ in self.frames if (name, frame.id) == (channel, can_id)
        ]

    @property
    def digest(self) -> str:
        return sha256(repr(self.frames).encode()).hexdigest()


@pytest.fixture(scope="module")
def charged() -> Run:
    return Run(charge_to=0.22)


@pytest.mark.parametrize(("seed", "kind"), list(enumerate(TRUCKS)))
def test_every_truck_is_swapped_in_the_time_that_is_reported(kind: str, seed: int) -> None:
    run = Run(kind, seed=seed)
    result = run.result
    assert (result.outcome, result.reason, result.harm) == (Outcome.COMPLETE, "", ())
    assert result.duration is not None
    assert 3 * 60 <= result.duration <= 6 * 60  # as reported by two or more
    assert result.plan is not None
    stored = run.swap.station.bays[result.plan.store].pack
    assert stored is run.swap.brought
    assert run.swap.truck.pack is not None
    assert run.swap.truck.pack.code == result.taken != result.brought
    assert run.swap.truck.pack.soc >= 0.6
    assert [entry[1:] for entry in run.swap.station.records] == [(result.vin, result.plan)]


def test_the_steps_come_in_their_order(charged: Run) -> None:
    steps = [note.text for note in charged.notes if note.who == "station"]
    assert steps == [
        State.VEHICLE, State.PACK, State.LINK, State.PARKING, State.CONTROLLER, State.AUTHORISE_INCOMING,
        State.VEHICLE_STATE, State.DE_ENERGISE, State.SEPARATE, State.APPROACH, State.LAND, State.TONGUES,
        State.UNLOCK, State.LOAD, State.HOIST, State.CARRY_AWAY, State.STORE, State.LET_GO_STORED,
        State.WITHDRAW_STORED, State.SUPPLY, State.FETCH, State.BAY_SEPARATE, State.LAND_NEW,
        State.TONGUES_NEW, State.LOAD_NEW, State.PICK, State.AUTHORISE_OUTGOING, State.CARRY_BACK,
        State.PLACE, State.LOCK, State.LET_GO, State.WITHDRAW, State.CONNECT, State.REPORT, State.RELEASE,
        State.COMPLETE,
    ]  # fmt: skip
    assert [note.at for note in charged.notes] == sorted(note.at for note in charged.notes)


def test_the_stored_pack_is_charged_to_its_target_and_could_be_picked(charged: Run) -> None:
    assert charged.result.charged
    assert charged.result.soc == pytest.approx(0.22, abs=0.002)
    assert charged.result.plan is not None
    place = charged.result.plan.store
    assert place == bay(7)
    statistics = charged.sent(CSD.identifier(), "bay7")
    assert statistics
    stop = BST.decode(charged.sent(BST.identifier(), "bay7")[0][0])
    assert stop.soc_target
    station = charged.swap.station
    assert not station.bays[place].awake
    station.spec = type(station.spec)(ready=0.2)
    for other in station.bays.values():
        if other.place != place:
            other.pack = None
    station.plan("ANOTHER", charged.swap.now)
    plan = station.plan("ANOTHER", charged.swap.now + 10 * SECOND)
    assert plan is not None
    assert plan.pick == place


def test_frames_of_all_buses_come_in_order_of_time_and_again_the_same() -> None:
    first, second, other = Run(charge_to=0.201), Run(charge_to=0.201), Run(charge_to=0.201, seed=2)
    instants = [at for _, _, at, _ in first.frames]
    assert instants == sorted(instants)
    assert {name for name, *_ in first.frames} == set(first.swap.buses.names)
    assert first.digest == second.digest != other.digest
    assert first.notes == second.notes


def test_the_pack_is_silent_exactly_while_its_connector_is_apart(charged: Run) -> None:
    controller = [(SwapController.decode(data), at) for data, at in charged.sent(SwapController.identifier())]
    apart = [at for told, at in controller if told.swap_connector is Connection.NOT_CONNECTED]
    spoken = [
        at for name, frame, at, _ in charged.frames if name == "truck" and frame.id & 0xFF == Unit.BMS.value
    ]
    assert spoken[0] < apart[0] < apart[-1] < spoken[-1]
    assert not [at for at in spoken if apart[0] <= at <= apart[-1]]
    gone = [at for told, at in controller if told.lock is not LockState.LOCKED]
    assert apart[0] < gone[0] < gone[-1] < apart[-1]


def test_the_truck_comes_and_goes_energised_and_with_another_code(charged: Run) -> None:
    orders = [
        VehicleCommand.decode(data).high_voltage for data, _ in charged.sent(VehicleCommand.identifier())
    ]
    assert orders[0] is orders[-1] is HighVoltageCommand.ON
    assert HighVoltageCommand.OFF in orders
    codes = {PackCode1.decode(data).characters for data, _ in charged.sent(PackCode1.identifier())}
    assert len({charged.result.brought, charged.result.taken}) == 2
    assert codes == {"0ZZPB0"}


HELD = {
    "weld": (State.DE_ENERGISE, NO_RETRY, "no weld bit: reported yes"),
    "live-bus": (State.DE_ENERGISE, NO_RETRY, "bus voltage below 60 V: reported 7"),
    "connector": (State.SEPARATE, NO_RETRY, "discharge connector apart: reported connected"),
    "lock": (State.UNLOCK, NO_RETRY, "base unlocked: reported locked"),
    "lying-lock": (State.LOAD, NO_RETRY, "whole load taken"),
    "tongue": (State.TONGUES, NO_RETRY, "tongues locked: reported neither"),
    "key": (State.VEHICLE_STATE, NO_RETRY, "key off: reported no"),
    "parking": (State.PARKING, NO_RETRY, "truck in parking position: reported no"),
    "20s:silent": (State.LAND, "truck silent", ""),
    "60s:emergency-stop": (State.CARRY_AWAY, "emergency stop", ""),
    "36s:truck-stop": (State.UNLOCK, "emergency stop", ""),
    "13s:thermal": (State.SEPARATE, "thermal alarm", ""),
}
"""Where a fault holds the swap, and why."""


@pytest.mark.parametrize("fault", HELD)
def test_a_fault_holds_the_swap_where_it_shows_with_its_reason(fault: str) -> None:
    state, cause, evidence = HELD[fault]
    run = Run("tractor", fault)
    assert (run.result.outcome, run.result.harm) == (Outcome.HELD, ())
    assert run.swap.orchestrator.state is state
    assert run.result.reason.startswith(f"{state}: {cause}")
    assert evidence in run.result.reason
    assert run.result.duration is None
    assert [note.text for note in run.notes if note.who == "fault"] == [str(SwapFault.parse(fault))]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("unauthorised", "authorise the incoming pack: denied"),
        ("3s:emergency-stop", "parking position: emergency stop"),
    ],
)
def test_a_truck_with_which_nothing_has_been_done_leaves_with_its_own_pack(fault: str, reason: str) -> None:
    run = Run("mixer", fault, charge_to=1.0)
    assert (run.result.outcome, run.result.reason, run.result.harm) == (Outcome.ABORTED, reason, ())
    assert run.result.taken == run.result.brought
    assert run.result.charged is None
    assert run.notes[-1].text == "leaves"


def test_every_fault_has_a_run_here() -> None:
    shown = {SwapFault.parse(text).name for text in HELD} | {"unauthorised"}
    assert shown == set(SWAP_FAULTS)


@pytest.mark.parametrize("seconds", [24, 110, 215])
@pytest.mark.parametrize(
    "fault", ["emergency-stop", "truck-stop", "thermal", "silent", "connector", "lock", "tongue"]
)
def test_at_whatever_moment_a_fault_comes_nothing_is_harmed(fault: str, seconds: int) -> None:
    run = Run("tractor", f"{seconds}s:{fault}")
    assert run.result.harm == ()
    assert run.result.outcome is not Outcome.UNFINISHED
    assert run.result.reason or run.result.outcome is Outcome.COMPLETE


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("weld", SwapFault("weld")),
        ("1.5s:thermal", SwapFault("thermal", 1_500_000_000)),
        ("2min:silent", SwapFault("silent", 120 * SECOND)),
        ("0ms:tongue", SwapFault("tongue")),
    ],
)
def test_faults_are_read(text: str, fault: SwapFault) -> None:
    assert SwapFault.parse(text) == fault


@pytest.mark.parametrize("text", ["", "weldd", "5:weld", "5s weld", "-5s:weld", "5s:", "weld=1", "5h:weld"])
def test_a_fault_that_cannot_be_read_says_how_to_write_it(text: str) -> None:
    with pytest.raises(BadSwapFault, match="write NAME or 60s:NAME"):
        SwapFault.parse(text)
