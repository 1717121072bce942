# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C as a request, so that it never falls into the middle of a step."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType


@dataclass
class Interrupt:
    """Whether the user pressed Ctrl-C."""

    requested: bool = False


@contextlib.contextmanager
def graceful_interrupt() -> Iterator[Interrupt]:
    """Turn the first Ctrl-C into a flag; the second raises KeyboardInterrupt as usual.

    Only in the main thread, where Python delivers signals, and only if the program has not
    arranged its own handling of Ctrl-C.
    """
    interrupt = Interrupt()

    def request(number: int, frame: FrameType | None) -> None:
        if interrupt.requested:
            signal.default_int_handler(number, frame)
        interrupt.requested = True

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupt
        return
    signal.signal(signal.SIGINT, request)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
