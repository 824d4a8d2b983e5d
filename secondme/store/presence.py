"""Who has the database files of a folder open: many at once, or one alone who puts another file in their place."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from secondme.errors import Locked

MOMENT = 0.5
"""Seconds for which whoever wants to be alone waits: commands that are about to end may do so."""


class Presence:
    """The claim of one connection that the file stays in its place; it ends with the process at the latest."""

    def __init__(self, path: Path, *, seconds: float) -> None:
        """Raises Locked where somebody is alone with it for longer than `seconds`."""
        # The folder is locked, not the file: whoever waits must find the file that is in its place afterwards.
        self._file: int | None = os.open(path.parent, os.O_RDONLY)
        if not _lock(self._file, alone=False, seconds=seconds):
            self.end()
            raise Locked(f"{path}: another file is being put in its place", hint="try again in a moment")

    def end(self) -> None:
        """Let others be alone."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __del__(self) -> None:
        """Let go where nobody closed the connection."""
        self.end()


@contextmanager
def alone(path: Path, *, seconds: float = MOMENT) -> Iterator[None]:
    """Let nobody have the file at `path` open meanwhile. Raises Locked where somebody has."""
    file = os.open(path.parent, os.O_RDONLY)
    try:
        if not _lock(file, alone=True, seconds=seconds):
            raise Locked(f"{path}: another secondme has it open", hint="end it (chat, sleep, daemon), then try again")
        yield
    finally:
        os.close(file)


def _lock(file: int, *, alone: bool, seconds: float) -> bool:
    import fcntl  # not on every system

    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        except OSError:
            # Some network disks do not lock folders: there, nobody can be alone.
            return not alone
