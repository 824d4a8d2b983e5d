"""Runs a real daemon for a test, and ends it whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import Ran, Run

PATIENCE = 20.0
QUICK = {"SECONDME_DAEMON_MAX_LOAD": "100"}
"""So that what else the machine does has no say in a test."""


def wait_for(condition: Callable[[], Any], *, seconds: float = PATIENCE) -> Any:
    """Return what `condition` returns once that is true; fail when it never is."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
    return found


class Background:
    """The daemon of a test, and commands that have the same settings."""

    def __init__(self, run: Run, home: Path) -> None:
        self._run = run
        self.home = home
        self.replies: Sequence[str] | None = None
        self.env: dict[str, str] = dict(QUICK)

    def run(self, *arguments: str | Path, stdin: str | None = None, env: Mapping[str, str] | None = None) -> Ran:
        """Run `secondme` with the settings of the daemon."""
        return self._run(*arguments, stdin=stdin, replies=self.replies, env={**self.env, **(env or {})})

    def start(self, **env: str) -> int:
        """Start the daemon and return the number of its process."""
        self.env.update(env)
        started = self.run("daemon", "start")
        assert started.code == 0, started.stderr
        return self.pid()

    def pid(self) -> int:
        """Return the number of the process that holds the lock."""
        words = (self.home / "daemon.lock").read_text(encoding="utf-8").split()
        return int(words[1].rstrip(","))

    def status(self) -> dict[str, Any]:
        """Return what the daemon says of itself."""
        found = self.run("daemon", "status", "--json").json
        assert isinstance(found, dict)
        return found

    def wait(self, condition: Callable[[dict[str, Any]], Any], *, seconds: float = PATIENCE) -> dict[str, Any]:
        """Return the status once it is as wanted."""
        found: dict[str, Any] = {}

        def holds() -> Any:
            found.clear()
            found.update(self.status())
            return condition(found)

        wait_for(holds, seconds=seconds)
        return found

    def end(self) -> None:
        """Kill the daemon and all its children."""
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.NoSuchProcess):
            process = psutil.Process(self.pid())
            if "secondme" in " ".join(process.cmdline()):
                family = [process, *process.children(recursive=True)]
                for one in family:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        one.send_signal(signal.SIGKILL)
                psutil.wait_procs(family, timeout=5)


@pytest.fixture
def background(run: Run, own_home: Path) -> Iterator[Background]:
    """A daemon that runs once `start` was called, and not after the test."""
    found = Background(run, own_home)
    yield found
    found.end()


def is_alive(pid: int) -> bool:
    """True while there is such a process that has not ended."""
    try:
        os.kill(pid, 0)
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False
