"""A night that somebody asked for, in a process of its own: it may be watched, and stopped at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from secondme.daemon.working import told
from secondme.errors import SecondmeError
from secondme.keys import handed

NO_LIMIT = 10**9


class Nap:
    """One night under way."""

    def __init__(self) -> None:
        """Begin."""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "secondme.daemon.worker", "sleep", str(NO_LIMIT), str(NO_LIMIT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_WAIT_POLICY": "passive"},
        )
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # that it died at once is told by `run`
            self._process.stdin.write(handed())
            self._process.stdin.flush()

    def run(self, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Wait for the end; return what it did: state, why, and where one was made, run and passages."""
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        last: dict[str, Any] = {}
        with self._process.stdout, self._process.stdin:
            for line in self._process.stdout:
                last = told(line) or last
                if "total" in last:
                    progress(last["done"], last["total"])
            code = self._process.wait()
        if "state" not in last:
            raise SecondmeError(f"the night ended early (exit code {code})", hint="secondme sleep")
        return last

    def stop(self) -> None:
        """Have it end after the line in hand; what is decided stays."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        """Wait until it has ended."""
        self._process.wait()
