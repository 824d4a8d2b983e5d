"""Ends what takes longer than it may."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

HOSTILE = 200_000
"""Characters of a line that somebody made to keep a reader busy: work that grows with the square takes minutes."""


class TooLong(AssertionError):
    """Work took longer than it may. No TimeoutError, which is an error of the system that readers live with."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TooLong where the work inside takes longer; for what takes a hundredth of that when all is well."""

    def end(number: int, frame: FrameType | None) -> None:
        raise TooLong(f"longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
