"""Locks between processes: what only one of them may do at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from secondme.errors import Locked
from secondme.paths import Paths


@contextmanager
def sleep_lock(paths: Paths) -> Iterator[None]:
    """Be the only one that sleeps or takes a night back. Raises Locked where another process does."""
    import fcntl  # not on every system, and only sleep needs it

    paths.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(paths.state / "sleep.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        # The system lets go of it when the process ends, however it ends.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Locked("another secondme is asleep over this memory", hint="secondme sleep status") from error
    else:
        yield
    finally:
        os.close(file)
