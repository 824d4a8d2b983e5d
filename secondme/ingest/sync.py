"""Keeps the memory in step with watched folders: what is on the disk is the truth, everything else is a hint.

Going through a folder compares what is known of each file with what it looks like now, and queues what differs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.clock import now
from secondme.ingest.documents import Stopped
from secondme.ingest.folder import is_read, is_text, left_out, unreadable, walk
from secondme.ingest.ignore import IGNORE_FILES
from secondme.ingest.reading import Reading, Result
from secondme.records import Skipped
from secondme.store.sources import File, Folder

if TYPE_CHECKING:
    from types import TracebackType

    from secondme.assistant import Assistant

TENTATIVE = timedelta(seconds=60)
"""How long a file has to be gone until it counts as deleted."""
SUSPICIOUS_SHARE, SUSPICIOUS_COUNT = 0.2, 20
"""More of a folder than this gone at once, and the user is asked."""
BATCH = 64
"""Files read in one turn and stored in one transaction."""
BATCH_SECONDS, BATCH_TEXT = 5.0, 8 << 20
"""After so much time or so many characters a turn ends early: what has been read is stored, and not in memory."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What going through a folder found."""

    queued: int = 0
    """New and changed files, to be read."""
    unchanged: int = 0
    missing: int = 0
    returned: int = 0
    """Files that had been missing."""
    skipped: tuple[Skipped, ...] = ()
    paused: str = ""
    """Why the folder is paused."""


class Sync:
    """Keeps the folders of one memory in step; everything it knows is in the database."""

    def __init__(self, me: Assistant, *, stop: Callable[[], bool] = lambda: False) -> None:
        """Work on the memory of `me`, until `stop` says True."""
        self._me = me
        self._stop = stop
        self._ignore, self._home = me.config.ingest.ignore, me.paths.data
        self._reading = Reading(me, stop=stop)

    def __enter__(self) -> Sync:
        """Return what keeps the folders in step."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process that reads documents."""
        self._reading.close()

    def rescan(self, folder: Folder, *, under: Path | None = None, accept: bool = False) -> Scan:
        """Go through a folder, or what is below a path in it. With `accept` losses are believed, however great."""
        root = Path(folder.path)
        if why := unreadable(root):
            return self._pause(folder, f"the folder cannot be read: {why}")
        looked = _Look(self._me.store.sources.files(folder.id, str(under) if under else ""))
        if not under or not left_out(under, root, ignore=self._ignore, home=self._home):
            for found in walk(root, ignore=self._ignore, home=self._home, below=under):
                if self._stop():
                    return Scan()
                looked.at(found, is_read=lambda path: is_read(path, self._me.plugins))
        return self._conclude(folder, looked, accept=accept, is_whole=under is None)

    def notice(self, paths: Iterable[Path]) -> None:
        """Look at paths that something happened to; what many files gave is stored at once."""
        looks: dict[int, tuple[Folder, _Look]] = {}
        seen: set[int] = set()
        """Folders that were gone through as a whole."""
        for path in filter(is_text, paths):
            if self._stop():
                break
            folder = self._me.store.sources.folder_of(str(path))
            if folder and folder.id not in seen and not self._notice(path, folder, looks):
                self.rescan(folder)
                seen.add(folder.id)
        for folder, looked in looks.values():
            if folder.id not in seen and self._conclude(folder, looked, accept=False, is_whole=False).paused:
                self.rescan(folder)

    def _notice(self, path: Path, folder: Folder, looks: dict[int, tuple[Folder, _Look]]) -> bool:
        """Look at one path that something happened to; False where that takes a look at the whole folder."""
        root = Path(folder.path)
        if path.name in IGNORE_FILES or path == root:
            return False
        if path.is_symlink() or not path.is_file():
            return not self.rescan(folder, under=path).paused
        if unreadable(root):
            return True
        _, looked = looks.setdefault(folder.id, (folder, _Look({})))
        if known := self._me.store.sources.file(str(path)):
            looked.known[known.path] = known
        if not left_out(path, root, ignore=self._ignore, home=self._home):
            looked.at(path, is_read=lambda one: is_read(one, self._me.plugins))
        return True

    def work(self, *, limit: int = BATCH) -> int:
        """Read files whose turn it is and store what is in them; return how many, 0 where none is due."""
        sources, folders = self._me.store.sources, {one.id: one for one in self._me.store.sources.folders()}
        jobs = sources.lease(limit, now())
        results: list[Result] = []
        size, end = 0, time.monotonic() + BATCH_SECONDS
        for job in jobs:
            if self._stop() or (results and (size >= BATCH_TEXT or time.monotonic() >= end)):
                break
            try:
                results.append(self._reading.read(job, folders[job.folder_id]))
            except Stopped:
                break
            size += sum(len(note.text) for note, _ in results[-1].notes)
        self._reading.store(results, unread=jobs[len(results) :])
        return len(results)

    def settle_missing(self) -> int:
        """Take files as deleted that have been gone for a while, and do what their folder says; return how many."""
        store, settled = self._me.store, 0
        store.sources.begin_missing(now())
        policies = {one.id: one.deleted for one in store.sources.folders()}
        for file in store.sources.missing(now() - TENTATIVE):
            if os.path.lexists(file.path):
                continue  # it is back, or another has its name: the next look tells
            if policies[file.folder_id] == "forget":
                self._reading.forget(store.sources.items(file.path))
            with store.writing():
                store.sources.save(replace(file, state="gone", missing_since=None))
            settled += 1
        return settled

    def next_due(self) -> datetime | None:
        """Return when there is something to do again, as far as is known now."""
        first = self._me.store.sources.first_missing()
        moments = [self._me.store.sources.next_job(), first and first + TENTATIVE]
        return min((moment for moment in moments if moment), default=None)

    def _conclude(self, folder: Folder, looked: _Look, *, accept: bool, is_whole: bool) -> Scan:
        """Store what a look found, in one transaction."""
        sources, moment = self._me.store.sources, now()
        missing = [file for file in looked.unseen() if not os.path.lexists(file.path)]
        lost = [file for file in missing if (file.size, file.mtime_ns, file.inode) not in looked.new]
        excluded = [file for file in looked.unseen() if file not in missing]
        if why := "" if accept else self._suspicion(folder, lost):
            # How many there are is known when the whole folder has been gone through.
            return self._pause(folder, why) if is_whole else Scan(paused=why)
        waiting = sources.queued(folder.id)
        # What waits already is read as it is then; queued anew, a file that kills its reader would be tried for ever.
        queued = [path for path in looked.changed if path not in waiting]
        with self._me.store.writing():
            sources.enqueue(queued, folder.id, moment)
            for file in missing:
                sources.save(replace(file, state="missing", missing_since=moment))
                sources.finish(file.path)
            for file in excluded:
                sources.save(replace(file, state="skipped", why="it is left out by a rule now; its notes stay"))
            for file in looked.returned:
                sources.save(replace(file, state="present", missing_since=None))
            if is_whole:
                sources.note_scan(folder.id, moment)
                if folder.state == "paused":
                    sources.activate(folder.id)
        return Scan(len(queued), looked.unchanged, len(missing), len(looked.returned), tuple(looked.skipped))

    def _suspicion(self, folder: Folder, missing: list[File]) -> str:
        """Return why so many missing files look like an accident, "" where they do not."""
        counts = self._me.store.sources.counts(folder.id)
        gone = len(missing) + counts.get("missing", 0)
        known = counts.get("present", 0) + counts.get("missing", 0)
        if not missing or gone <= max(SUSPICIOUS_COUNT, SUSPICIOUS_SHARE * known):
            return ""
        return f"{gone:,} of {known:,} files are gone at once"

    def _pause(self, folder: Folder, why: str) -> Scan:
        self._me.store.sources.pause(folder.id, why)
        self._me.store.sources.note_scan(folder.id, now())
        return Scan(paused=why)


class _Look:
    """What a look at files finds, against what is known of them."""

    def __init__(self, known: dict[str, File]) -> None:
        self.known = known
        self.changed: list[str] = []
        self.returned: list[File] = []
        self.skipped: list[Skipped] = []
        self.unchanged = 0
        self.new: set[tuple[int, int, int]] = set()
        """Size, time and inode of files not known by their path: a missing one may have moved there."""
        self._seen: set[str] = set()
        self._blocked: list[str] = []

    def at(self, found: Path | Skipped, *, is_read: Callable[[Path], bool]) -> None:
        """Look at what a walk came to."""
        if isinstance(found, Skipped):
            self._blocked.append(found.what)
            self.skipped.append(found)
            return
        path = os.fspath(found)
        known = self.known.get(path)
        if known is None and not is_read(found):
            return
        try:
            state = os.lstat(path)
        except FileNotFoundError:
            return  # it was there a moment ago: it is missing
        except OSError as error:
            self.at(Skipped(path, (error.strerror or "cannot be read").lower()), is_read=is_read)
            return
        self._seen.add(path)
        if known is None or not known.has_stat(state.st_size, state.st_mtime_ns, state.st_ino):
            self.changed.append(path)
            self.new.add((state.st_size, state.st_mtime_ns, state.st_ino))
        elif known.state in ("missing", "gone"):
            self.returned.append(known)
        elif known.why.startswith("it is left out"):
            self.changed.append(path)
        else:
            self.unchanged += 1

    def unseen(self) -> list[File]:
        """Return the files that should be there and were not seen, but for those behind what could not be looked at."""
        return [
            file
            for path, file in self.known.items()
            if path not in self._seen and file.state in ("present", "skipped", "quarantined") and not self._hides(path)
        ]

    def _hides(self, path: str) -> bool:
        return any(path == one or path.startswith(one + "/") for one in self._blocked)
