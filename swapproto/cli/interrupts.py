"""Ctrl-C for commands that run until somebody has seen enough."""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether the user asked for the end."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def interrupts(tell: Callable[[], None] | None = None) -> Generator[Interrupt]:
    """The first Ctrl-C is only noted and told, so no call is torn; the second raises KeyboardInterrupt."""
    interrupt = Interrupt()

    def asked(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupt.asked = True
        if tell is not None:
            tell()

    before = signal.signal(signal.SIGINT, asked)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
