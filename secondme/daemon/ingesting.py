"""Keeps watched folders in step: one thread takes hints from the watcher and goes through the folders now and then."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.clock import now
from secondme.errors import SecondmeError
from secondme.plugins import Plugins, load_plugins

if TYPE_CHECKING:
    from secondme.config import Config
    from secondme.daemon.watching import Watcher
    from secondme.ingest.sync import Sync
    from secondme.store.sources import Folder

POLLED = timedelta(seconds=30)
"""How often a folder is gone through whose changes cannot be watched."""
PAUSED = timedelta(minutes=5)
"""How often a paused folder is looked at: what it lost may be back."""
READER = timedelta(seconds=10)
"""How often it is looked whether others read no more, who keep what was forgotten in the log of the database."""
AFTER_ERROR = 30.0
"""Seconds until work that failed is tried again."""


@dataclass(slots=True)
class State:
    """What the thread is doing, as others may read it at any time."""

    doing: str = "starting"
    stored: int = 0
    """Files read since the start."""
    error: str = ""
    """What failed last; empty while all is well."""
    folders: int = 0


class Ingesting:
    """The thread that brings changes in watched folders into the memory; everything it knows is in the database."""

    def __init__(self, config: Callable[[], Config], *, on_stored: Callable[[], None]) -> None:
        """Call `on_stored` from the thread whenever something was stored; `config` gives the settings in force."""
        self._config = config
        self._on_stored = on_stored
        self.state = State()
        self.polled: dict[str, str] = {}
        """Folders whose changes cannot be watched, and why."""
        self._changed = threading.Condition()
        self._hints: dict[str, set[Path]] = {}
        self._rescan: set[str] = set()
        self._all = True
        self._retry = False
        self._is_first = True
        """What was being read when the last daemon ended is still leased to it."""
        self._paused = False
        self._stopping = False
        self._plugins: tuple[Config, Plugins] | None = None
        self._thread = threading.Thread(target=self._run, name="ingest")

    def start(self) -> None:
        """Begin with going through all folders."""
        self._thread.start()

    def notice(self, root: str, paths: Iterable[Path]) -> None:
        """Have a look at these paths below a watched folder."""
        with self._changed:
            self._hints.setdefault(root, set()).update(paths)
            self._changed.notify()

    def lost(self, root: str, why: str) -> None:
        """Go through a folder that can no longer be relied on to tell what changes."""
        with self._changed:
            self._rescan.add(root)
            self._changed.notify()

    def wake(self) -> None:
        """Go through all folders; the list of them may have changed."""
        with self._changed:
            self._all = True
            self._changed.notify()

    def pause(self, paused: bool) -> None:
        """Read nothing until this is called with False."""
        with self._changed:
            self._paused = paused
            self._changed.notify()

    def stop(self) -> None:
        """End after the file in hand."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def join(self, seconds: float) -> bool:
        """Wait for the end; return whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        from secondme.daemon.watching import Watcher

        watcher = Watcher(self.notice, self.lost)
        try:
            wait = 0.0
            while self._wait(wait):
                wait = self._round(watcher)
        finally:
            watcher.close()

    def _wait(self, seconds: float) -> bool:
        """Wait for something to do; return False when it is time to end."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not self._stopping:
                left = deadline - time.monotonic()
                if not self._paused and (left <= 0 or self._all or self._hints or self._rescan):
                    break
                self.state.doing = "paused" if self._paused else "waiting"
                self._changed.wait(None if self._paused else left)
            return not self._stopping

    def _round(self, watcher: Watcher) -> float:
        """Do all there is to do; return the seconds until the next time."""
        try:
            wait = self._work(watcher)
            self.state.error = ""
        except SecondmeError as error:
            self._failed(str(error))
            return AFTER_ERROR
        except Exception as error:  # noqa: BLE001  whatever one file or the machine does, the daemon goes on and says so
            place = traceback.extract_tb(error.__traceback__)[-1]
            self._failed(f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}")
            return AFTER_ERROR
        return wait

    def _failed(self, what: str) -> None:
        self.state.error = what
        logging.getLogger("secondme").error("ingest failed: %s", what)
        # What was to be looked at when it failed is found again by going through everything.
        self._retry = True

    def _work(self, watcher: Watcher) -> float:
        from secondme.assistant import Assistant
        from secondme.ingest.sync import Sync
        from secondme.store.forgetting import finish, is_unfinished

        with self._changed:
            hints, lost, everything = self._hints, self._rescan, self._all or self._retry
            self._hints, self._rescan, self._all, self._retry = {}, set(), False, False
        config = self._config()
        # Closed again after each round, so that what was read for it takes no memory while nothing happens.
        with (
            Assistant.open(config=config, plugins=self._plugins_for(config)) as me,
            Sync(me, stop=self._is_to_end) as sync,
        ):
            if self._is_first:
                me.store.sources.end_leases()
                self._is_first = False
            folders = me.store.sources.folders()
            watcher.set_folders([folder.path for folder in folders], ignore=config.ingest.ignore)
            self.polled, self.state.folders = watcher.polled(), len(folders)
            for folder in folders:
                if everything or folder.path in lost or self._due(folder) <= now():
                    self.state.doing = "looking through a folder"
                    sync.rescan(folder)
                elif folder.path in hints:
                    sync.notice(sorted(hints[folder.path]))
                self._read(sync)
            sync.settle_missing()
            if self._paused:
                # It may have been in the middle of something, which is found again by going through everything.
                self._all = True
            moments = [*map(self._due, me.store.sources.folders()), *filter(None, [sync.next_due()])]
            if is_unfinished(me.store) and finish(me.store).left:
                moments.append(now() + READER)
        return max((min(moments) - now()).total_seconds(), 0.2) if moments else 3600.0

    def _read(self, sync: Sync) -> None:
        self.state.doing = "reading files"
        while not self._is_to_end() and (done := sync.work()):
            self.state.stored += done
            self._on_stored()

    def _is_to_end(self) -> bool:
        return self._stopping or self._paused

    def _due(self, folder: Folder) -> datetime:
        """Return when a folder is to be gone through again."""
        moment = now()
        if folder.scanned_at is None or folder.scanned_at > moment:  # the latter by a clock that was wrong
            return moment
        usual = timedelta(minutes=self._config().daemon.rescan_minutes)
        if folder.state == "paused":
            usual = PAUSED
        return folder.scanned_at + (POLLED if folder.path in self.polled else usual)

    def _plugins_for(self, config: Config) -> Plugins:
        if self._plugins is None or self._plugins[0] is not config:
            self._plugins = config, load_plugins(config.plugins.disabled)
        return self._plugins[1]
