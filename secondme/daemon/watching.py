"""Watches folders for changes: what the system tells is only a hint where to look, handed on when it has settled."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.events import (
    FileClosedNoWriteEvent,
    FileOpenedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from secondme.ingest.ignore import base_rules

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver, ObservedWatch

QUIET = 2.0
"""Seconds without a further event after which a path is handed on."""
LONGEST = 30.0
"""Seconds after which it is handed on even if events go on."""
MOST_WATCHES = 32
"""Folders below a root that are watched one by one, to leave out the others; each takes a thread."""
LOOK = 30.0
"""Seconds after which it is noticed at the latest that a root was moved away, or another put in its place."""
RETRY = 300.0
"""Seconds after which a folder that could not be watched is tried again."""


class Watcher:
    """Watches a changing set of folders, and tells which paths are to be looked at."""

    def __init__(
        self,
        on_paths: Callable[[str, list[Path]], None],
        on_lost: Callable[[str, str], None],
        *,
        quiet: float = QUIET,
        longest: float = LONGEST,
        look: float = LOOK,
    ) -> None:
        """Call `on_paths` with a root and paths in it, `on_lost` with a root that has to be gone through and why."""
        self._on_paths, self._on_lost = on_paths, on_lost
        self._quiet, self._longest, self._look = quiet, longest, look
        self._ignore: Sequence[str] = ()
        self._watches: dict[str, list[ObservedWatch]] = {}
        self._places: dict[str, tuple[int, int]] = {}
        """Device and inode of each watched root: the system watches these, whatever their name is now."""
        self._polled: dict[str, tuple[str, float]] = {}
        self._pending: dict[str, tuple[str, float, float]] = {}
        """By path: its root, and when the first and the last event came."""
        self._changed = threading.Condition()
        self._closing = False
        self._observer: BaseObserver | None = None
        """Made with the first folder: the system may have no place for one more."""
        self._alarm = _Alarm(self._overflowed)
        logging.getLogger("watchdog").addHandler(self._alarm)
        self._thread = threading.Thread(target=self._hand_on, name="debounce")
        self._thread.start()

    def set_folders(self, roots: Collection[str], *, ignore: Sequence[str]) -> None:
        """Watch exactly these folders. One that cannot be watched is in `polled`, and tried again later."""
        changed, self._ignore = list(ignore) != list(self._ignore), ignore
        for root in [root for root in self._watches if root not in roots or changed]:
            self._unwatch(root)
        for root in [root for root in self._polled if root not in roots]:
            del self._polled[root]
        for root in roots:
            tried = self._polled.get(root, ("", -RETRY))[1]
            if root not in self._watches and time.monotonic() - tried >= RETRY:
                self._watch(root)

    def polled(self) -> dict[str, str]:
        """Return the folders that cannot be watched, and why: they have to be gone through again and again."""
        return {root: why for root, (why, _) in self._polled.items()}

    def close(self) -> None:
        """Stop watching; nothing is handed on any more."""
        logging.getLogger("watchdog").removeHandler(self._alarm)
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
        self._thread.join()

    def _watch(self, root: str) -> None:
        handler = _Handler(root, self._note)
        watches: list[ObservedWatch] = []
        try:
            self._places[root] = _place(root)
            observer, plan, before = self._observing(), self._plan(root), watched_by_system()
            for folder, recursive in plan:
                watches.append(observer.schedule(handler, folder, recursive=recursive))
            _check_watched(plan, before)
        except OSError as error:
            for watch in watches:
                observer.unschedule(watch)
            why = (error.strerror or str(error)).lower()
            self._polled[root] = why, time.monotonic()
            self._on_lost(root, why)
            return
        self._polled.pop(root, None)
        self._watches[root] = watches

    def _observing(self) -> BaseObserver:
        """Return what watches, started. Raises OSError where the system allows no more of these."""
        if self._observer is None:
            observer = Observer()
            observer.start()
            self._observer = observer
        return self._observer

    def _unwatch(self, root: str) -> None:
        for watch in self._watches.pop(root, []):
            self._observing().unschedule(watch)

    def _plan(self, root: str) -> list[tuple[str, bool]]:
        """Return the folders to be watched, each with all below it or alone, so that few ignored ones are."""
        rules = base_rules(Path(root), self._ignore)
        with os.scandir(root) as entries:
            folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        kept = [path for path in folders if not rules.ignores(path, is_folder=True)]
        if len(kept) == len(folders) or len(kept) > MOST_WATCHES:
            return [(root, True)]
        return [(root, False), *((path, True) for path in kept)]

    def _note(self, root: str, paths: Collection[str], *, is_new_folder: bool) -> None:
        now = time.monotonic()
        with self._changed:
            for path in paths:
                _, first, _ = self._pending.get(path, (root, now, now))
                self._pending[path] = root, first, now
            self._changed.notify()
        if is_new_folder and len(self._watches.get(root, [])) > 1:
            # Only the root itself is watched for new folders: what is below this one would go unnoticed.
            self._unwatch(root)
            self._watch(root)
        if root in paths:
            self._look_for_roots()

    def _look_for_roots(self) -> None:
        """Give up watching what is no longer where it was."""
        for root in [*self._watches]:
            try:
                why = "" if _place(root) == self._places[root] else "another folder has its place"
            except OSError as error:
                why = (error.strerror or str(error)).lower()
            if why:
                self._unwatch(root)
                self._on_lost(root, why)

    def _overflowed(self) -> None:
        for root in list(self._watches):
            self._on_lost(root, "more happened than could be told")

    def _hand_on(self) -> None:
        while True:
            with self._changed:
                is_quiet = False
                while not self._closing and not is_quiet and (wait := self._seconds_until_due()) != 0:
                    is_quiet = not self._changed.wait(wait) and not self._pending
                if self._closing:
                    return
                due = [path for path in self._pending if self._is_due(path)]
                found: dict[str, list[Path]] = {}
                for path in due:
                    found.setdefault(self._pending.pop(path)[0], []).append(Path(path))
            for root, paths in found.items():
                self._on_paths(root, paths)
            if is_quiet:
                self._look_for_roots()

    def _is_due(self, path: str) -> bool:
        _, first, last = self._pending[path]
        return time.monotonic() >= min(last + self._quiet, first + self._longest)

    def _seconds_until_due(self) -> float:
        """Return how long to wait, until the next look at the roots where nothing happens."""
        if not self._pending:
            return self._look
        due = min(min(last + self._quiet, first + self._longest) for _, first, last in self._pending.values())
        return max(due - time.monotonic(), 0)


def watched_by_system() -> int | None:
    """Return how many folders the system watches for this process, None where it does not tell."""
    count = 0
    try:
        for number in os.listdir("/proc/self/fdinfo"):
            with contextlib.suppress(FileNotFoundError):  # it was closed in this very moment
                text = Path("/proc/self/fdinfo", number).read_text(encoding="ascii", errors="replace")
                count += text.count("inotify wd:")
    except OSError:
        return None
    return count


def _check_watched(plan: Collection[tuple[str, bool]], before: int | None) -> None:
    """Raise OSError where the system did not take all folders, which watchdog passes over for all but the first."""
    after = watched_by_system()
    if before is None or after is None:
        return
    wanted = sum(1 + (_folders_below(folder) if recursive else 0) for folder, recursive in plan)
    if after - before < wanted:
        raise OSError(errno.ENOSPC, "the system watches no more folders (fs.inotify.max_user_watches)")


def _folders_below(folder: str) -> int:
    return sum(not os.path.islink(os.path.join(place, name)) for place, names, _ in os.walk(folder) for name in names)


def _place(root: str) -> tuple[int, int]:
    found = os.stat(root)
    return found.st_dev, found.st_ino


class _Handler(FileSystemEventHandler):
    """Takes what the system tells of one root."""

    def __init__(self, root: str, note: Callable[..., None]) -> None:
        self._root, self._note = root, note

    def on_any_event(self, event: FileSystemEvent) -> None:
        # Reading a file changes nothing, and we read all of them. A folder is modified whenever something in it is.
        if isinstance(event, FileOpenedEvent | FileClosedNoWriteEvent):
            return
        if event.is_directory and event.event_type in ("modified", "attrib"):
            return
        paths = {os.fsdecode(path) for path in (event.src_path, event.dest_path) if path}
        is_new = event.is_directory and event.event_type in ("created", "moved")
        self._note(self._root, paths, is_new_folder=is_new and any(Path(p).parent == Path(self._root) for p in paths))


class _Alarm(logging.Handler):
    """Notices when watchdog says that events were lost, which it only says in its log."""

    def __init__(self, on_loss: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._on_loss = on_loss

    def emit(self, record: logging.LogRecord) -> None:
        self._on_loss()
