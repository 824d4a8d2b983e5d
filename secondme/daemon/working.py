"""Starts and stops the background worker: one at a time, a process of its own that may be killed at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from secondme.keys import handed

Work = Literal["embed", "sleep", "pages"]

GRACE = 0.7
"""Seconds a worker has to end the line in hand; nothing is lost when it has to be killed."""
ONE_THREAD = {"SECONDME_MODELS_THREADS": "1"}
"""How a worker takes part of the machine only."""
FIRST_REST, LONGEST_REST = 60.0, 3600.0
"""Seconds after which work that failed is tried again; twice as many each time."""
AFTER_NIGHT = 1800.0
"""Seconds after which the next night may begin where one has ended by itself."""


@dataclass(slots=True)
class Progress:
    """What a worker is doing."""

    kind: Work
    pid: int
    since: float
    """Seconds since 1970."""
    done: int = 0
    total: int = 0


@dataclass(slots=True)
class _Rest:
    until: float = 0.0
    """On the monotonic clock."""
    length: float = FIRST_REST
    why: str = ""


def _no_rests() -> dict[Work, _Rest]:
    return {kind: _Rest() for kind in get_args(Work)}


@dataclass(slots=True)
class Working:
    """The worker of a daemon."""

    on_end: Callable[[Work, Mapping[str, Any]], None]
    """Told the kind of work and what the worker said last."""
    progress: Progress | None = None
    _task: asyncio.Task[None] | None = None
    _process: asyncio.subprocess.Process | None = None
    _told_to_stop: bool = False
    _rests: dict[Work, _Rest] = field(default_factory=_no_rests)

    @property
    def kind(self) -> Work | None:
        """What is being done now."""
        return self.progress.kind if self.progress else None

    def why_not(self, kind: Work) -> str:
        """Return why this work failed or ended and is not begun again yet, "" where it may be."""
        rest = self._rests[kind]
        return rest.why if time.monotonic() < rest.until else ""

    def forget_failures(self) -> None:
        """Let everything be tried again: the settings have changed."""
        self._rests = _no_rests()

    async def start(self, kind: Work, *limits: int, is_idle: bool) -> None:
        """Begin, with one thread unless the machine is idle; there must be no worker."""
        assert self._task is None
        command = [sys.executable, "-P", "-m", "secondme.daemon.worker", kind, *map(str, limits)]
        self._told_to_stop = False
        self._process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            # Threads that wait by spinning would take the processor from whoever needs it.
            env={**os.environ, **({} if is_idle else ONE_THREAD), "OMP_WAIT_POLICY": "passive"},
        )
        assert self._process.stdin is not None
        self._process.stdin.write(handed())
        self.progress = Progress(kind, self._process.pid, time.time())
        self._task = asyncio.create_task(self._follow(self._process, self.progress))

    async def stop(self) -> None:
        """End the worker, if there is one, within a second."""
        process, task = self._process, self._task
        if process is None or task is None:
            return
        self._told_to_stop = True
        _signal(process, signal.SIGTERM)
        try:
            await asyncio.wait_for(asyncio.shield(task), GRACE)
        except TimeoutError:
            _signal(process, signal.SIGKILL)
            await task

    async def _follow(self, process: asyncio.subprocess.Process, progress: Progress) -> None:
        assert process.stdout is not None
        last: dict[str, Any] = {}
        async for line in process.stdout:
            last = told(line) or last
            progress.done, progress.total = last.get("done", progress.done), last.get("total", progress.total)
        code = await process.wait()
        if "state" not in last:
            last = {"state": "failed", "why": f"the worker died (exit code {code})", "error": "died"}
        if self._told_to_stop:
            last["state"] = "interrupted"
        self._note(progress.kind, last)
        self._process = self._task = self.progress = None
        self.on_end(progress.kind, last)

    def _note(self, kind: Work, last: Mapping[str, Any]) -> None:
        rest = self._rests[kind]
        if last["state"] == "failed":
            rest.why, rest.until = str(last["why"]), time.monotonic() + rest.length
            rest.length = min(2 * rest.length, LONGEST_REST)
        elif last["state"] == "interrupted":
            rest.until = 0.0
        else:
            wait = AFTER_NIGHT if kind == "sleep" else 0.0
            self._rests[kind] = _Rest(time.monotonic() + wait, why=str(last["why"]) or "the last night has just ended")


def told(line: bytes) -> dict[str, Any]:
    """Return what a worker says in a line, nothing for one that a library of it printed."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # It may have ended by itself in this very moment.
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
