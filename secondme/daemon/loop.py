"""The background process: serves clients, keeps watched folders in step, and sleeps when nobody asks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from secondme.clock import now
from secondme.config import Config, load_config
from secondme.daemon import wire
from secondme.daemon.governor import MINUTE, Meter, Readings, budget_left, why_not_idle, why_not_sleep, why_not_work
from secondme.daemon.hosting import Host
from secondme.daemon.ingesting import Ingesting
from secondme.daemon.logs import event
from secondme.daemon.pausing import paused
from secondme.daemon.server import Server
from secondme.daemon.units import notify
from secondme.daemon.working import Work, Working
from secondme.errors import ConfigError
from secondme.keys import open_store
from secondme.laying import takes_pages
from secondme.locks import is_inhibited
from secondme.paths import Paths

WHILE_IDLE = ("sleep", "pages")
"""Work that makes way for anybody who wants anything."""
TICK = 5.0
"""Seconds between looks at whether something may be begun or has to end."""
ASKING_REST = 5.0
"""Seconds after an answer in which vectors are not computed: the next question may follow."""
READING_SECONDS = 300
"""For which pages are made at once, before it is looked whether something else comes first."""
QUICK_END = 3.5
"""Seconds in which everything has to end when the daemon is told to."""


class Daemon:
    """One daemon over one memory; it holds the lock and the socket while `run` lasts."""

    def __init__(self, paths: Paths, config: Config) -> None:
        self.paths = paths
        self.config = config
        self.started = now()
        self.store = open_store(paths, config)
        self.host = Host(keep_alive=config.daemon.keep_alive)
        self.working = Working(self._ended)
        self.ingesting = Ingesting(lambda: self.config, on_stored=self._stored)
        self.asking = 0
        """How many answers are being given."""
        self.last_request = time.monotonic()
        """When a client last wanted something, on the monotonic clock; whoever starts the daemon is there too."""
        self.errors: list[str] = []
        """What failed last, newest at the end."""
        self._meter = Meter()
        self._machine = self._meter.read(self._own())
        self._answered = float("-inf")
        self._wake = asyncio.Event()
        self._end = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._waiting: tuple[tuple[int, int], int, int] | None = None
        self._reading: tuple[int, int] | None = None
        """The version of the memory as pages were last begun to be made."""
        self._read: tuple[int, int] | None = None
        """The version of which all pages are made that there is room for."""

    async def run(self) -> bool:
        """Work until told to end; return whether all of it has ended, which a large file in hand may keep it from."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self.end)
        self._loop.add_signal_handler(signal.SIGHUP, self._reload_soon)
        with wire.bound_socket(self.paths) as listening:
            server = await asyncio.start_unix_server(Server(self).serve, sock=listening)
            self.ingesting.start()
            notify("READY=1")
            event("started", pid=os.getpid())
            try:
                await self._tick_until_end()
            finally:
                has_ended = await self._finish(server)
        return has_ended

    def end(self) -> None:
        """Stop taking requests and end; called a second time, end at once."""
        if self._end.is_set():
            os._exit(1)
        self._end.set()
        self._wake.set()

    async def reload(self) -> None:
        """Read the settings again; unusable ones change nothing and are noted."""
        try:
            config = load_config(self.paths.config)
        except ConfigError as error:
            self.note_error(str(error))
            return
        if config != self.config:
            if config.models.endpoint and not self.config.models.endpoint:
                self.note_error("models.endpoint is out of reach of this daemon: secondme daemon stop, then start")
            self.config = config
            await self.host.reset(keep_alive=config.daemon.keep_alive)
            self.working.forget_failures()
            self._read = None
            self.ingesting.wake()
        self.wake()

    def wake(self) -> None:
        """Look at once whether something may be begun or has to end."""
        self._wake.set()

    def begin_request(self, op: str) -> None:
        """Make way for somebody who waits."""
        self.last_request = time.monotonic()
        if op == "ask":
            self.asking += 1
        if self.working.kind in WHILE_IDLE or op == "ask":
            # It ends its line meanwhile, at the lowest priority: evidence is looked for, and read, without waiting.
            self._making_way = self._loop.create_task(self.working.stop())

    def end_request(self, op: str) -> None:
        """Note that nobody waits for this any more."""
        self.last_request = time.monotonic()
        if op == "ask":
            self.asking -= 1
            self._answered = time.monotonic()

    def note_error(self, what: str) -> None:
        """Keep what failed, for `status`."""
        self.errors = [*self.errors, f"{now().astimezone():%H:%M} {what}"][-5:]

    def readings(self) -> Readings:
        """Return what decides on whether work may be done."""
        seconds, tokens = budget_left(self.store.journal.runs(), self.config.daemon, now=now())
        _, waiting, _ = self._counts()
        return Readings(
            machine=self._machine,
            idle_seconds=0.0 if self.asking else time.monotonic() - self.last_request,
            is_inhibited=is_inhibited(self.paths),
            paused=paused(self.store, now()),
            waiting=waiting,
            seconds_left=seconds,
            tokens_left=tokens,
        )

    def why_not_sleep(self, readings: Readings) -> list[str]:
        """Return what keeps a night from beginning."""
        found = why_not_sleep(readings, self.config.daemon)
        rest = self.working.why_not("sleep")
        return [*found, rest] if rest else found

    def _reload_soon(self) -> None:
        self._reloading = asyncio.create_task(self.reload())

    async def _tick_until_end(self) -> None:
        while not self._end.is_set():
            await self._look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), TICK)
            self._wake.clear()

    async def _look(self) -> None:
        """Begin and end background work as the governor says."""
        self._machine = self._meter.read(self._own())
        readings = self.readings()
        hindered = why_not_work(readings)
        self.ingesting.pause(bool(hindered))
        kind = self.working.kind
        if kind and (hindered or (kind in WHILE_IDLE and self._must_wake(readings))):
            await self.working.stop()
        if self.working.kind or hindered or self._is_answering():
            return
        _, waiting, without_vectors = self._counts()
        if without_vectors and self.config.models.embedder and not self.working.why_not("embed"):
            is_idle = readings.idle_seconds >= self.config.daemon.idle_minutes * MINUTE
            await self._begin("embed", is_idle=is_idle)
        elif waiting and not self.why_not_sleep(readings):
            await self._begin("sleep", int(readings.seconds_left), int(readings.tokens_left), is_idle=True)
        elif self._may_read_ahead(readings):
            self._reading = self.store.version()
            await self._begin("pages", READING_SECONDS, is_idle=True)

    def _own(self) -> list[int]:
        worker = self.working.progress
        return [os.getpid(), *filter(None, [self.host.pid, worker.pid if worker else None])]

    async def _begin(self, kind: Work, *limits: int, is_idle: bool) -> None:
        event("work_begun", kind=kind)
        await self.working.start(kind, *limits, is_idle=is_idle)

    def _ended(self, kind: Work, last: Mapping[str, Any]) -> None:
        event("work_ended", kind=kind, state=last["state"], error=last.get("error", "none"))
        if last["state"] == "failed":
            self.note_error(f"{kind}: {last['why']}")
        if kind == "pages" and not last.get("pages", 1):
            self._read = self._reading
        self._wake.set()

    def _stored(self) -> None:
        # The loop may have ended while a large file was being stored: there is nobody to be told.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._wake.set)

    def _may_read_ahead(self, readings: Readings) -> bool:
        """True if passages may be read that answers may want, and there may be some."""
        if self.working.why_not("pages") or self._read == self.store.version():
            return False
        try:
            return takes_pages(self.config.models) and not why_not_idle(readings, self.config.daemon)
        except ConfigError:
            return False  # whoever asks is told

    def _must_wake(self, readings: Readings) -> bool:
        """True if a night or the like has to end that is under way: somebody came back, or the machine is needed."""
        # That nothing waits, or little of the budget is left, is what the night itself finds out.
        return bool(why_not_sleep(readings.during_a_night(), self.config.daemon))

    def _is_answering(self) -> bool:
        return self.asking > 0 or time.monotonic() - self._answered < ASKING_REST

    def _counts(self) -> tuple[tuple[int, int], int, int]:
        """Return how many passages wait for a night, and how many for vectors; counted again when something changed."""
        version = self.store.version()
        if self._waiting is None or self._waiting[0] != version:
            self._waiting = version, self.store.digestion.waiting(), self.store.index.waiting()
        return self._waiting

    async def _finish(self, server: asyncio.Server) -> bool:
        notify("STOPPING=1")
        server.close()
        self.ingesting.stop()
        await asyncio.gather(self.working.stop(), self.host.stop())
        has_ended = await asyncio.to_thread(self.ingesting.join, QUICK_END)
        # Another process may be reading, which keeps the log of the database from being emptied: it does no harm.
        self.store.checkpoint()
        self.store.close()
        event("ended", in_time=has_ended)
        return has_ended


async def run(paths: Paths, config: Config) -> bool:
    """Be the daemon of the memory at `paths` until told to end; return what `Daemon.run` does.

    The caller holds the lock.
    """
    return await Daemon(paths, config).run()
