"""The real-time class of the operating system, for a thread that must not be late."""

import os

PRIORITY = 10
"""Above every ordinary thread, below the kernel's own interrupt threads (50)."""


def ask_for_realtime(priority: int = PRIORITY) -> str:
    """Ask for SCHED_FIFO for the calling thread; "" where it is granted, else why not and what to do."""
    if not hasattr(os, "sched_setscheduler"):
        return "this system has no SCHED_FIFO"
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except (OSError, ValueError) as error:
        return f"SCHED_FIFO: {error}; try: setcap cap_sys_nice+ep, or LimitRTPRIO={priority} in its service"
    return ""
