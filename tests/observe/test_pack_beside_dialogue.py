"""A transfer of charger and BMS amid the frames of a pack, on one channel."""

from functools import partial

from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import BMS_ADDRESS, BRM, CHARGER_ADDRESS, Chemistry
from swapproto.messages.pack_can import PackVoltages
from swapproto.observe.dialogue import Dialogue, TimedMessage
from swapproto.observe.pack import PackHeard, PackWatch, listen_to_both
from swapproto.trace.record import Record
from swapproto.transport import frames as tp

VOLTAGES = PackVoltages(
    insulation_positive=5000, insulation_negative=5000, pack_voltage=620.0, bus_voltage=3.0
)


def records_of_both() -> list[Record]:
    """A transfer whose acknowledgement never comes, amid the frames of a pack."""
    put = partial(Record, channel="truck")
    brm = BRM(
        version_minor=1, version_major=1, chemistry=Chemistry.LFP, rated_capacity=1.0, rated_voltage=1.0
    )
    packets = tp.data_packets(brm.encode())
    made = [
        put(1000, tp.cm_id(CHARGER_ADDRESS, BMS_ADDRESS), tp.rts(BRM.pgn, 49)),
        put(2000, tp.cm_id(BMS_ADDRESS, CHARGER_ADDRESS), tp.cts(BRM.pgn, len(packets), 1)),
        *(
            put(3000 + 1000 * n, tp.dt_id(CHARGER_ADDRESS, BMS_ADDRESS), packet)
            for n, packet in enumerate(packets)
        ),
    ]
    made += [put(100_000 * n + 5, VOLTAGES.identifier(), VOLTAGES.encode()) for n in range(80)]
    return sorted(made, key=lambda each: each.at_us)


def test_dialogue_and_pack_are_heard_together_in_order() -> None:
    heard = list(listen_to_both(records_of_both(), Dialogue(Catalogue()), PackWatch("truck")))
    instants = [each.at_us for each in heard]
    assert instants == sorted(instants)
    assert sum(isinstance(each, PackHeard) for each in heard) == 80
    assert [each.name for each in heard if isinstance(each, TimedMessage)] == ["BRM"]
