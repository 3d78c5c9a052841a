"""Both role machines against each other, over frames, transport and virtual time."""

from itertools import pairwise

import msgspec
import pytest

from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.messages.gbt27930 import (
    BCL,
    BCP,
    BEM,
    BHM,
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
    ChargingMessage,
    Condition,
    Party,
    Permission,
    Reached,
    Timeout,
)
from swapproto.session import bms, charger
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import MAX_EVENTS, Endpoint
from swapproto.session.events import (
    ErrorReported,
    Paused,
    PeerViolation,
    Resumed,
    SessionEnded,
    TimedOut,
    Undecodable,
)
from swapproto.session.hooks import Hooks
from swapproto.transport.events import TransferAborted
from tests.session.conftest import DEMAND, STATUS, Bench, StillCharger, StillPack

C, B = charger.State, bms.State


def ends(bench: Bench) -> tuple[charger.State, bms.State]:
    return bench.charger.state, bench.bms.state


def found(bench: Bench, kind: type) -> list[object]:
    return [event for event in bench.events if isinstance(event, kind)]


def found_reports(bench: Bench) -> list[CEM | BEM]:
    return [event.message for event in bench.events if isinstance(event, ErrorReported)]


class TestNormalCharge:
    def test_from_chm_to_csd(self) -> None:
        bench = Bench()
        bench.charge()
        assert ends(bench) == (C.CHARGING, B.CHARGING)
        bench.run(60)
        bench.pack_plant.stop = BST(soc_target=Reached.YES)
        bench.run(20)
        assert ends(bench) == (C.COMPLETE, B.COMPLETE)
        assert (
            found(bench, PeerViolation) == found(bench, TransferAborted) == found(bench, ErrorReported) == []
        )
        assert len(found(bench, SessionEnded)) == 2
        assert bench.charger_end.counts == bench.pack_end.counts == {}
        order = [
            next(at for at, frame in bench.frames if frame.id == kind.identifier())
            for kind in (CHM, BHM, CRM, CML, BRO, CRO, BCL, CCS, BST, CST, BSD, CSD)
        ]
        assert order == sorted(order)
        assert bench.charger_plant.told == ["parameters", "begin", "end"]
        assert list(dict.fromkeys(bench.pack_plant.told)) == ["offer", "begin", "end"]
        assert bench.charger_plant.demanded == DEMAND
        assert bench.pack_plant.delivered is not None

    def test_its_periods(self) -> None:
        bench = Bench()
        bench.charge()
        bench.frames.clear()
        bench.run(60)
        for kind, tolerance in ((BCL, 5), (CCS, 5), (BSM, 25)):
            instants = [at for at, _ in bench.sent(kind)]
            period = kind.period()
            assert period is not None
            assert len(instants) == pytest.approx(60 * SECOND / period, abs=1)
            assert all(abs(b - a - period) <= tolerance * MILLISECOND for a, b in pairwise(instants)), kind

    @pytest.mark.parametrize("party", list(Party))
    def test_stopped_by_hand(self, party: Party) -> None:
        bench = Bench()
        bench.charge()
        end = bench.charger_end if party is Party.CHARGER else bench.pack_end
        end.command(Command.STOP, bench.bus.now)
        bench.run(20)
        assert ends(bench) == (C.COMPLETE, B.COMPLETE)
        first_byte = bench.sent(CST)[0][1][0]
        assert first_byte == (0b00_00_01_00 if party is Party.CHARGER else 0b01_00_00_00)
        assert len(bench.sent(BST)) >= 1
        assert found(bench, PeerViolation) == []

    def test_the_charger_stops_of_itself(self) -> None:
        bench = Bench()
        bench.charge()
        bench.charger_plant.stop = CST(condition_reached=Reached.YES)
        bench.run(20)
        assert ends(bench) == (C.COMPLETE, B.COMPLETE)
        assert bench.sent(CST)[0][1][0] == 1
        assert len(bench.sent(BST)) == 10
        assert bench.sent(BST)[0][1] == BST(charger_stopped=Reached.YES).encode()

    def test_a_fault_of_the_pack(self) -> None:
        bench = Bench()
        bench.charge()
        bench.pack_plant.state = msgspec.structs.replace(STATUS, over_current=Condition.FAULT)
        bench.run(20)
        assert bench.sent(CST)[0][1][0] == 0b00_01_00_00
        assert ends(bench) == (C.COMPLETE, B.COMPLETE)

    def test_a_pause_and_its_end(self) -> None:
        bench = Bench()
        bench.charge()
        bench.pack_plant.state = msgspec.structs.replace(STATUS, permission=Permission.FORBIDDEN)
        bench.run(5)
        assert ends(bench) == (C.PAUSED, B.PAUSED)
        assert bench.pack_plant.delivered is not None
        assert bench.pack_plant.delivered.permission is Permission.FORBIDDEN
        bench.pack_plant.state = STATUS
        bench.run(5)
        assert ends(bench) == (C.CHARGING, B.CHARGING)
        assert len(found(bench, Paused)) == len(found(bench, Resumed)) == 2
        assert bench.charger_plant.told == ["parameters", "begin", "pause", "resume"]

    def test_ten_minutes_of_pause_end_in_a_regular_stop(self) -> None:
        bench = Bench()
        bench.charge()
        bench.pack_plant.state = msgspec.structs.replace(STATUS, permission=Permission.FORBIDDEN)
        bench.run(630)
        assert ends(bench) == (C.COMPLETE, B.COMPLETE)

    def test_the_next_pack_comes_to_the_same_charger(self) -> None:
        bench = Bench()
        for _ in range(2):
            bench.charge()
            assert ends(bench) == (C.CHARGING, B.CHARGING)
            bench.pack_plant.stop = BST(soc_target=Reached.YES)
            bench.run(20)
            assert ends(bench) == (C.COMPLETE, B.COMPLETE)
            bench.pack_plant.stop = None
            for end in bench.ends():
                end.command(Command.UNPLUG, bench.bus.now)

    def test_parties_that_take_their_time(self) -> None:
        bench = Bench()
        bench.pack_plant.is_ready = bench.charger_plant.is_ready = bench.charger_plant.is_tested = False
        bench.start()
        bench.run(10)
        assert ends(bench) == (C.INSULATION_TEST, B.HANDSHAKE)
        bench.charger_plant.is_tested = True
        bench.run(40)
        assert ends(bench) == (C.PACK_PREPARING, B.PREPARING)
        bench.pack_plant.is_ready = True
        bench.run(40)
        assert ends(bench) == (C.PREPARING, B.CHARGER_PREPARING)
        bench.charger_plant.is_ready = True
        bench.run(5)
        assert ends(bench) == (C.CHARGING, B.CHARGING)
        assert found(bench, PeerViolation) == []


class TestWhatIsMissing:
    """A device made silent through its hooks; the other says so and tries three times again."""

    @staticmethod
    def mute(*kinds: type[ChargingMessage]) -> Hooks:
        return Hooks(outgoing=lambda message, _: None if isinstance(message, kinds) else message)

    @pytest.mark.parametrize(
        ("kind", "field"),
        [(BRM, "brm"), (BCP, "bcp"), (BRO, "bro"), (BCL, "bcl"), (BSD, "bsd"), (BST, "bst")],
    )
    def test_of_the_pack(self, kind: type[ChargingMessage], field: str) -> None:
        missing = (BST, BSD) if kind is BST else (kind,)
        bench = Bench(pack_hooks=self.mute(*missing))
        bench.charge()
        if bench.charger.state is C.CHARGING:
            bench.charger_end.command(Command.STOP, bench.bus.now)
        bench.run(120)
        cems = [message for message in found_reports(bench) if isinstance(message, CEM)]
        assert cems
        assert cems[0] == CEM(**{field: Timeout.TIMEOUT})
        assert bench.charger.state is C.ABORTED
        assert bench.bms.state in (B.ABORTED, B.COMPLETE)
        assert all(data == cems[0].encode() for _, data in bench.sent(CEM)[:4])

    @pytest.mark.parametrize(
        ("kind", "field"),
        [
            (CHM, "crm_not_recognised"),
            (CML, "cts_cml"),
            (CRO, "cro"),
            (CCS, "ccs"),
            (CST, "cst"),
            (CSD, "csd"),
        ],
    )
    def test_of_the_charger(self, kind: type[ChargingMessage], field: str) -> None:
        muted = (CHM, CRM) if kind is CHM else (kind,)
        bench = Bench(charger_hooks=self.mute(*muted))
        # A charger that takes itself for ready would miss BCL before the pack misses CRO.
        bench.charger_plant.is_ready = kind is not CRO
        bench.charge()
        if kind in (CST, CSD):
            bench.pack_end.command(Command.STOP, bench.bus.now)
        bench.run(240)
        bems = [message for message in found_reports(bench) if isinstance(message, BEM)]
        assert bems
        assert bems[0] == BEM(**{field: Timeout.TIMEOUT})
        assert bench.sent(BEM)[0][1] == bems[0].encode()
        assert bench.bms.state is B.ABORTED
        assert bench.charger.state in (C.ABORTED, C.COMPLETE)

    def test_an_error_in_the_middle_of_a_charge_is_recovered_from(self) -> None:
        deaf_until: list[Instant] = [0]

        def incoming(message: ChargingMessage, now: Instant) -> ChargingMessage | None:
            return None if isinstance(message, CCS) and now < deaf_until[0] else message

        bench = Bench(pack_hooks=Hooks(incoming=incoming))
        bench.charge()
        deaf_until[0] = bench.bus.now + 2 * SECOND
        bench.run(30)
        assert ends(bench) == (C.CHARGING, B.CHARGING)
        assert bench.charger.reconnects == bench.bms.reconnects == 1
        assert bench.charger_plant.told.count("end") == bench.pack_plant.told.count("end") == 1

    @pytest.mark.parametrize("alone", list(Party))
    def test_a_party_without_the_other_gives_up(self, alone: Party) -> None:
        bench = Bench()
        end = bench.charger_end if alone is Party.CHARGER else bench.pack_end
        end.command(Command.START, 0)
        bench.run(100)
        assert C.ABORTED in ends(bench) or B.ABORTED in ends(bench)
        assert end.next_timeout() is None


@pytest.mark.parametrize("seed", range(6))
def test_with_two_per_cent_of_the_frames_lost_it_still_ends(seed: int) -> None:
    bench = Bench(loss=0.02, seed=seed)
    bench.start()
    for _ in range(20):
        bench.run(10)
        if bench.charger.state is C.CHARGING:
            break
    bench.run(60)
    if bench.bms.state is B.CHARGING:
        bench.pack_end.command(Command.STOP, bench.bus.now)
    bench.pack_plant.stop = BST(soc_target=Reached.YES)
    bench.run(300)
    assert bench.charger.ended
    assert bench.bms.ended
    assert bench.bus.lost


class TestEndpoint:
    def test_messages_of_more_than_eight_bytes_go_over_the_transport(self) -> None:
        bench = Bench()
        bench.charge()
        assert {frame.id for _, frame in bench.frames if frame.id >> 16 & 0xFF in (0xEB, 0xEC)} == {
            0x1CECF456, 0x1CEC56F4, 0x1CEB56F4,
        }  # fmt: skip
        data = [at for at, frame in bench.frames if frame.id == 0x1CEB56F4][:7]
        assert all(later - before >= 9 * MILLISECOND for before, later in pairwise(data))

    def test_frames_have_the_exact_length(self) -> None:
        bench = Bench()
        bench.charge()
        lengths: tuple[tuple[type[ChargingMessage], int], ...] = (
            (CHM, 3), (BHM, 2), (CRM, 8), (CTS, 7), (CML, 8), (BRO, 1), (CRO, 1), (BCL, 5), (CCS, 7),
            (BSM, 7),
        )  # fmt: skip
        for kind, length in lengths:
            assert {len(data) for _, data in bench.sent(kind)} == {length}, kind

    def test_what_cannot_be_read_is_an_event(self) -> None:
        bench = Bench()
        bench.charge()
        bench.charger_end.receive(CanFrame(BCL.identifier(), b"\x01"), bench.bus.now)
        event = bench.charger_end.poll_event()
        assert isinstance(event, Undecodable)
        assert (event.kind, event.payload, event.field, event.at) == (BCL, b"\x01", "voltage", bench.bus.now)
        assert "ends after 1 byte" in event.reason
        assert bench.charger_end.counts == {"undecodable": 1}

    def test_foreign_frames_are_counted(self) -> None:
        end = Endpoint(ChargerSession(StillCharger()), Party.CHARGER)
        for frame in (
            CanFrame(0x18F0_0401),
            CanFrame(0x123, extended=False),
            CanFrame(BCL.identifier(), remote=True),
            CanFrame(CCS.identifier(), b"\x00" * 7),
            CanFrame(0x1810_56F3, b"\x00" * 5),
        ):
            end.receive(frame, 0)
        assert end.counts == {"foreign": 5}
        assert end.poll_event() is None

    def test_a_padded_frame_is_taken_and_counted(self) -> None:
        session = ChargerSession(StillCharger())
        end = Endpoint(session, Party.CHARGER)
        end.command(Command.START, 0)
        end.receive(CanFrame(BHM.identifier(), BHM(max_voltage=600.0).encode().ljust(8, b"\xff")), 0)
        assert end.counts == {"deviating": 1}
        assert session.state is C.INSULATION_TEST

    def test_another_priority_does_not_matter(self) -> None:
        session = ChargerSession(StillCharger())
        end = Endpoint(session, Party.CHARGER)
        end.command(Command.START, 0)
        end.receive(CanFrame(BHM.identifier() & 0x3FF_FFFF, BHM(max_voltage=600.0).encode()), 0)
        assert session.state is C.INSULATION_TEST

    def test_only_the_latest_of_a_kind_waits_for_a_bus_that_takes_nothing(self) -> None:
        end = Endpoint(BmsSession(StillPack()), Party.BMS)
        end.command(Command.START, 0)
        end.receive(CanFrame(CHM.identifier(), b"\x01\x01\x00"), 0)
        for step in range(100):
            end.handle_timeout(step * 250 * MILLISECOND)
        assert end.poll_transmit() == CanFrame(BHM.identifier(), BHM(max_voltage=600.0).encode())
        assert end.poll_transmit() is None

    def test_what_the_new_state_does_not_send_waits_no_longer(self) -> None:
        end = Endpoint(BmsSession(StillPack()), Party.BMS)
        end.command(Command.START, 0)
        end.receive(CanFrame(CHM.identifier(), b"\x01\x01\x00"), 0)
        end.receive(CanFrame(CRM.identifier(), b"\x00" + b"\xff" * 7), 1)
        frame = end.poll_transmit()
        assert frame is not None
        assert (frame.id, frame.data[:3]) == (0x1CEC56F4, b"\x10\x31\x00")
        assert end.poll_transmit() is None

    def test_the_log_is_bounded(self) -> None:
        end = Endpoint(ChargerSession(StillCharger()), Party.CHARGER)
        frame = CanFrame(BCL.identifier(), DEMAND.encode())
        for now in range(MAX_EVENTS + 10):
            end.receive(frame, now)
        assert end.counts == {"lost events": 10}
        assert isinstance(end.poll_event(), PeerViolation)

    def test_a_wish_that_is_not_allowed_raises(self) -> None:
        end = Endpoint(ChargerSession(StillCharger()), Party.CHARGER)
        with pytest.raises(Exception, match="only start, unplug"):
            end.command(Command.STOP, 0)


class TestHooks:
    def test_outgoing_changes_a_message(self) -> None:
        def wrong(message: ChargingMessage, _: Instant) -> ChargingMessage:
            if isinstance(message, CCS):
                return msgspec.structs.replace(message, voltage=1.0)
            return message

        bench = Bench(charger_hooks=Hooks(outgoing=wrong))
        bench.charge()
        assert {data[:2] for _, data in bench.sent(CCS)} == {b"\x0a\x00"}

    def test_outgoing_may_send_another_message(self) -> None:
        def wrong(message: ChargingMessage, _: Instant) -> ChargingMessage:
            return BHM(max_voltage=1.0) if isinstance(message, BRO) else message

        bench = Bench(pack_hooks=Hooks(outgoing=wrong))
        bench.charge()
        bench.run(5)
        assert CEM(bro=Timeout.TIMEOUT) in found_reports(bench)

    def test_frames_drops_delays_and_doubles(self) -> None:
        def faults(frame: CanFrame, _: Instant) -> list[tuple[CanFrame, int]]:
            if frame.id == CTS.identifier():
                return []
            if frame.id == CML.identifier():
                return [(frame, 0), (frame, 0)]
            if frame.id == CRO.identifier():
                return [(frame, 40 * MILLISECOND)]
            return [(frame, 0)]

        bench = Bench(charger_hooks=Hooks(frames=faults))
        bench.charge()
        plain = Bench()
        plain.charge()
        assert bench.charger.state is C.CHARGING
        assert bench.sent(CTS) == []
        assert len(bench.sent(CML)) == 2 * len(plain.sent(CML))
        late, early = bench.sent(CRO)[0][0], plain.sent(CRO)[0][0]
        assert late - early == pytest.approx(40 * MILLISECOND, abs=2 * MILLISECOND)

    def test_a_broken_transport_is_a_missing_brm(self) -> None:
        def short(frame: CanFrame, _: Instant) -> list[tuple[CanFrame, int]]:
            lost = frame.id == 0x1CEB56F4 and frame.data[0] == 3
            return [] if lost else [(frame, 0)]

        bench = Bench(pack_hooks=Hooks(frames=short))
        bench.start()
        bench.run(6)
        assert CEM(brm=Timeout.TIMEOUT) in found_reports(bench)
        assert found(bench, TransferAborted)


def test_an_unplugged_session_says_so() -> None:
    bench = Bench()
    bench.charge()
    bench.events.clear()
    bench.charger_end.command(Command.UNPLUG, bench.bus.now)
    bench.run(1)
    ended = found(bench, SessionEnded)
    assert [(event.complete, event.reason) for event in ended if isinstance(event, SessionEnded)] == [
        (False, charger.Input.UNPLUG)
    ]
    assert not any(
        isinstance(event, TimedOut) and event.timer.startswith("current") for event in bench.events
    )
