"""Runs the process with the models: started at the first request, started again after a crash, ended when unused."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator
from itertools import count

from secondme import frames
from secondme.frames import Message
from secondme.keys import handed

MOST_WAITING = 64
"""Requests under way and waiting; more are turned away."""
QUICK_DEATH = 10.0
"""A process that lives no longer is started again only after a rest."""
LONGEST_REST = 60.0
CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
"""How a process ends that a model file or llama.cpp has led astray."""


class Host:
    """The process with the models, and the requests it is working on."""

    def __init__(self, *, keep_alive: int) -> None:
        """End the process when it was not used for `keep_alive` seconds."""
        self._keep_alive = keep_alive
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._inboxes: dict[int, asyncio.Queue[Message]] = {}
        self._ids = count(1)
        self._started = 0.0
        self._rest = 0.0
        self._last_death = 0.0
        self._used = 0.0
        self._expiry: asyncio.TimerHandle | None = None
        self._starting = asyncio.Lock()

    @property
    def is_loaded(self) -> bool:
        """True while there is a process that may hold models."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Its number."""
        return self._process.pid if self._process else None

    async def request(self, message: Message) -> AsyncIterator[Message]:
        """Yield the replies to a message; leaving before the last ends the work on it."""
        if len(self._inboxes) >= MOST_WAITING:
            yield _error("the daemon has too many questions waiting", "try again in a moment")
            return
        id, inbox = next(self._ids), asyncio.Queue[Message]()
        self._inboxes[id] = inbox
        try:
            if why := await self._start():
                yield _error(why, "secondme daemon logs")
                return
            self._write({**message, "id": id})
            while True:
                reply = await inbox.get()
                is_last = reply.pop("last", False) or reply["type"] == "error"
                if is_last:
                    del self._inboxes[id]
                yield reply
                if is_last:
                    return
        finally:
            if self._inboxes.pop(id, None):
                self._write({"op": "cancel", "id": id})
            self._expire_later()

    async def reset(self, *, keep_alive: int) -> None:
        """End the process, so that the next one has the settings of now."""
        self._keep_alive = keep_alive
        await self.stop()

    async def stop(self) -> None:
        """End the process; requests under way end with an error."""
        if self._expiry:
            self._expiry.cancel()
        process, reading = self._process, self._reading
        if process is None or reading is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()  # it holds nothing that could be lost
        await reading

    async def _start(self) -> str:
        """Make sure of a process; return why there can be none for now."""
        async with self._starting:
            if self._process is not None:
                return ""
            left = self._last_death + self._rest - time.monotonic()
            if left > 0:
                return f"the process with the models keeps dying; it is started again in {left:.0f} s"
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "secondme.daemon.host"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            assert self._process.stdin is not None
            self._process.stdin.write(handed())
            self._started = time.monotonic()
            self._reading = asyncio.create_task(self._read(self._process))
            return ""

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            while (reply := await frames.receive(process.stdout)) is not None:
                if inbox := self._inboxes.get(reply.pop("id")):
                    inbox.put_nowait(reply)
        except frames.BadFrame:
            process.kill()
        code = await process.wait()
        self._process = self._reading = None
        self._note_death()
        if self._inboxes:
            for inbox in self._inboxes.values():
                inbox.put_nowait(_death(code))

    def _note_death(self) -> None:
        now = time.monotonic()
        is_quick = now - self._started < QUICK_DEATH and bool(self._inboxes)
        self._rest = min(max(2 * self._rest, 1.0), LONGEST_REST) if is_quick else 0.0
        self._last_death = now

    def _write(self, message: Message) -> None:
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(frames.pack(message))

    def _expire_later(self) -> None:
        self._used = time.monotonic()
        if self._expiry:
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_later(self._keep_alive, self._expire)

    def _expire(self) -> None:
        if self._process is not None and not self._inboxes:
            self._process.kill()


def _death(code: int) -> Message:
    if -code in CRASHES:
        # Not something for the one who asks to try in a process of their own.
        what = f"a model crashed the process that runs it ({signal.Signals(-code).name})"
        return {**_error(what, "secondme model verify; or choose another: secondme model list"), "kind": "NoModel"}
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return _error(f"the process with the models died ({how})", "ask again: it is started anew")


def _error(message: str, hint: str) -> Message:
    return {"type": "error", "kind": "NoDaemon", "message": message, "hint": hint}
