"""Locks between processes: what only one of them may do at a time. The system lets go of them when a process ends."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from secondme import __version__
from secondme.errors import Locked
from secondme.paths import Paths
from secondme.privacy import make_folder

MOMENT = 0.5
"""Seconds for which a lock may be held by somebody who only looks whether another has it."""


@contextmanager
def sleep_lock(paths: Paths) -> Iterator[None]:
    """Be the only one that sleeps or takes a night back. Raises Locked where another process does."""
    with _held(paths.state / "sleep.lock") as file:
        if file is None:
            raise Locked("another secondme is asleep over this memory", hint="secondme sleep status")
        yield


@contextmanager
def daemon_lock(paths: Paths) -> Iterator[None]:
    """Be the daemon of this memory. Raises Locked where another process is."""
    path = paths.data / "daemon.lock"
    with _held(path, seconds=MOMENT) as file:
        if file is None:
            owner = path.read_text(encoding="utf-8", errors="replace").strip() or "a process"
            raise Locked(f"a daemon runs already over this memory ({owner})", hint="secondme daemon status")
        os.ftruncate(file, 0)
        os.pwrite(file, f"process {os.getpid()}, secondme {__version__}\n".encode(), 0)
        yield


def daemon_of(paths: Paths) -> str:
    """Return what the daemon of this memory says it is, "" where no process is one."""
    path = paths.data / "daemon.lock"
    if not path.exists():
        return ""
    with _held(path) as file:
        return "" if file is not None else path.read_text(encoding="utf-8", errors="replace").strip()


@contextmanager
def page_lock(database: Path, *, is_shared: bool, seconds: float = MOMENT) -> Iterator[None]:
    """Use the pages that lie beside a memory, or be alone with them. Raises Locked where others keep one from it."""
    with _held(database.with_name("pages.lock"), is_shared=is_shared, seconds=seconds) as file:
        if file is None:
            raise Locked("another secondme has the pages open", hint="end it (chat, sleep, daemon), then try again")
        yield


@contextmanager
def inhibiting(paths: Paths) -> Iterator[None]:
    """Keep the daemon from working in the background as long as this lasts; several processes may. Raises Locked."""
    with _held(_inhibit_path(paths), is_shared=True, seconds=MOMENT) as file:
        if file is None:
            raise Locked("the lock that keeps the daemon from working cannot be had", hint="try again")
        yield


def is_inhibited(paths: Paths) -> bool:
    """True while a process is `inhibiting`."""
    if not _inhibit_path(paths).exists():
        return False
    with _held(_inhibit_path(paths)) as file:
        return file is None


def _inhibit_path(paths: Paths) -> Path:
    return paths.state / "inhibit.lock"


@contextmanager
def _held(path: Path, *, is_shared: bool = False, seconds: float = 0.0) -> Iterator[int | None]:
    """Hold the lock of the file at `path` and yield its number, or None where another process has it for so long."""
    import fcntl  # not on every system, and only what runs for long needs it

    make_folder(path.parent)
    file, deadline = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600), time.monotonic() + seconds
    held: int | None = None
    try:
        while held is None:
            try:
                fcntl.flock(file, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                held = file
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    break
                time.sleep(0.02)
        yield held
    finally:
        os.close(file)
