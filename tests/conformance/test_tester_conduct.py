"""What a script can want besides messages: transfers treated badly, a hand at the button, two lawful ends."""

from collections.abc import Callable

import pytest

from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import BRM, CHM, CRM, Party
from swapproto.runtime.virtual import VirtualBus
from swapproto.transport import frames as tp
from swapproto_conformance.bench import VirtualBench
from swapproto_conformance.case import Case
from swapproto_conformance.cases import CASES
from swapproto_conformance.cases import as_charger as charger
from swapproto_conformance.devices import REFERENCE_PACK, press
from swapproto_conformance.script import Conduct, Script, Step, seen
from swapproto_conformance.tester import Tester as ScriptedSide

CATALOGUE = Catalogue()
CONTROLS = (tp.Control.CTS, tp.Control.END_OF_MSG_ACK, tp.Control.ABORT)


def controls(conduct: Conduct) -> list[bytes]:
    """What the tester says to the reference pack's transfers of BRM in three seconds."""
    script = (
        *charger.greet(settle=600 * MILLISECOND),
        Step(title="not recognised", send=(charger.UNKNOWN_PACK,), lasts=3 * SECOND, transport=conduct),
    )
    return [frame.data for frame in sent(script) if tp.is_transport(frame)]


def sent(script: Script) -> list[CanFrame]:
    tester = ScriptedSide(script, Party.CHARGER, catalogue=CATALOGUE)
    bus = VirtualBus()
    frames: list[CanFrame] = []

    def note(frame: CanFrame, _: Instant, name: str) -> None:
        if name == "tester":
            frames.append(frame)

    bus.tap(note)
    bus.attach(tester, "tester")
    bus.attach(REFERENCE_PACK.build(), "device")
    bus.run(lambda: tester.done, limit=60 * SECOND)
    return frames


def of(kind: tp.Control, said: list[bytes]) -> list[bytes]:
    return [data for data in said if data[0] == kind]


def all_taken(said: list[bytes]) -> bool:
    return bool(of(tp.Control.END_OF_MSG_ACK, said)) and not of(tp.Control.ABORT, said)


EXPECTED: dict[Conduct, Callable[[list[bytes]], bool]] = {
    "answer": all_taken,
    "silent": lambda said: said == [],
    "hold": lambda said: bool(said) and all(data[:2] == b"\x11\x00" for data in said),
    "abort": lambda said: bool(said) and all(data[0] == tp.Control.ABORT for data in said),
    "one by one": lambda said: all_taken(said) and all(data[1] == 1 for data in of(tp.Control.CTS, said)),
    # BRM has 49 bytes.
    "wrong acknowledgement": lambda said: (
        all_taken(said) and {data[1] for data in of(tp.Control.END_OF_MSG_ACK, said)} == {49 + 7}
    ),
}


@pytest.mark.parametrize("conduct", EXPECTED)
def test_transfers_are_treated_as_the_step_says(conduct: Conduct) -> None:
    said = controls(conduct)
    assert EXPECTED[conduct](said), said
    assert {data[0] for data in said} <= set(CONTROLS)


def test_a_transfer_that_was_held_is_taken_in_the_next_step() -> None:
    script = (
        *charger.greet(settle=600 * MILLISECOND),
        Step(title="held", send=(charger.UNKNOWN_PACK,), lasts=SECOND, transport="hold"),
        Step(title="taken", send=(charger.UNKNOWN_PACK,), until=seen(BRM), settle=100 * MILLISECOND),
    )
    said = [frame.data for frame in sent(script) if tp.is_transport(frame)]
    assert of(tp.Control.END_OF_MSG_ACK, said)
    assert not of(tp.Control.ABORT, said)


def scripted(script: Script) -> ScriptedSide:
    return ScriptedSide(script, Party.BMS, catalogue=CATALOGUE)


WAIT = Step(title="wait", until=seen(CHM), unless=seen(CRM), at_most=5 * SECOND, settle=SECOND)
AFTER = Step(title="after", lasts=SECOND)


@pytest.mark.parametrize(
    ("heard", "ends", "gave_up"),
    [
        (charger.HELLO.frame(), 3 * SECOND, None),
        (charger.UNKNOWN_PACK.frame(), 2 * SECOND, None),
        (CanFrame(0x123, b"", extended=False), 5 * SECOND, "wait"),
    ],
)
def test_another_lawful_message_ends_the_script(heard: CanFrame, ends: Instant, gave_up: str | None) -> None:
    node = scripted((WAIT, AFTER))
    node.handle_timeout(0)
    node.receive(heard, SECOND)
    last = SECOND
    while not node.done and (due := node.next_timeout()) is not None:
        node.handle_timeout(due)
        last = due
    assert (last, node.gave_up) == (ends, gave_up)


def test_an_action_is_told_once_as_its_step_begins() -> None:
    node = scripted((AFTER, Step(title="stop", lasts=SECOND, action="stop"), AFTER))
    node.handle_timeout(0)
    assert node.poll_action() is None
    node.handle_timeout(SECOND)
    assert [node.poll_action(), node.poll_action()] == ["stop", None]
    node.handle_timeout(2 * SECOND)
    assert node.poll_action() is None


def test_a_step_says_what_it_wants() -> None:
    step = Step(title="x", until=seen(CHM), unless=seen(CRM), action="stop", transport="hold")
    assert str(step) == "x: send nothing, stop by hand (transport: hold) until CHM or CRM, at most 8 s"


BY_HAND = [case for case in CASES if case.actions]


def test_some_cases_need_a_hand() -> None:
    labels = {label for case in BY_HAND for label in case.labels}
    assert labels == {"DP.3007", "DN.3009", "DN.3010", "DN.4003", "DN.4004"}


@pytest.mark.parametrize("case", BY_HAND, ids=lambda case: str(case.id))
def test_a_bench_without_a_hand_says_so(case: Case) -> None:
    assert VirtualBench(REFERENCE_PACK.build).lacks(case.actions)
    assert not VirtualBench(REFERENCE_PACK.build, press).lacks(case.actions)
    assert not VirtualBench(REFERENCE_PACK.build).lacks(())
