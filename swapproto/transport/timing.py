"""The timers of J1939-21."""

import msgspec

from swapproto.frame import MILLISECOND


class TpTiming(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Transport timers under their J1939 names, in nanoseconds. Basis of the defaults: reported."""

    Tr: int = 200 * MILLISECOND
    """Response time: the longest a node may take to answer."""
    Th: int = 500 * MILLISECOND
    """The longest time between two CTS that hold the sender."""
    T1: int = 750 * MILLISECOND
    """Receiver: silence after a packet when more are to come."""
    T2: int = 1250 * MILLISECOND
    """Receiver: silence after a CTS."""
    T3: int = 1250 * MILLISECOND
    """Sender: no CTS or EndOfMsgAck after the last packet asked for."""
    T4: int = 1050 * MILLISECOND
    """Sender: no CTS after one that held it."""
    bam_gap_min: int = 50 * MILLISECOND
    """The shortest time between packets of a broadcast."""
    bam_gap_max: int = 200 * MILLISECOND

    @property
    def silence(self) -> int:
        """The longest pause that a listener may overhear in a live transfer: a timer, and Tr to act on it."""
        return max(self.Th, self.T1, self.T2, self.T3, self.T4, self.bam_gap_max) + self.Tr


J1939_21 = TpTiming()
