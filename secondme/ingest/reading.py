"""Reads files that are due and stores what is in them: notes, what is known of the file, and the end of the job."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.clock import now
from secondme.ingest.documents import ChildDied, Documents, digest_of, stat_of
from secondme.ingest.folder import CHANGED, notes_in, read_bytes
from secondme.ingest.prepare import prepare
from secondme.records import Note, Skipped, Span
from secondme.store.moving import move_items, rename_note
from secondme.store.sources import File, FileState, Folder, Job

if TYPE_CHECKING:
    from secondme.assistant import Assistant

DEATHS = 2
"""A file that killed its reader so often is not read again until it changes."""
INTERRUPTIONS = 5
"""Nor is one that was being read so often when this process died: it may have been the reason."""
AGAIN = timedelta(seconds=30)
"""When a file that killed its reader is tried once more."""
SETTLE = timedelta(seconds=3)
"""When a file that was being written is looked at again."""
DIED = "its reader died: "


@dataclass(frozen=True, slots=True)
class Result:
    """What reading a file gave."""

    job: Job
    file: File | None = None
    """What is known of it now; None where it is gone or is read later."""
    notes: Sequence[tuple[Note, list[Span]]] = ()
    uris: frozenset[str] | None = None
    """What is in the file now; None where that did not change."""
    later: timedelta | None = None
    """When it is to be read again."""
    error: str = ""
    is_whole: bool = True
    """False where something that is in the file could not be read."""


class Reading:
    """Reads the files of one memory."""

    def __init__(self, me: Assistant, *, stop: Callable[[], bool]) -> None:
        """Read until `stop` says True."""
        self._me = me
        self._documents = Documents(me.config.ingest, stop=stop)

    def close(self) -> None:
        """End the process that reads documents."""
        self._documents.close()

    def read(self, job: Job, folder: Folder) -> Result:
        """Return what is in a file; nothing is stored yet. Raises Stopped."""
        path, config = Path(job.path), self._me.config.ingest
        is_document = self._me.plugins.reads_document(path)
        state = stat_of(path, config.max_document_bytes if is_document else config.max_file_bytes)
        if isinstance(state, Skipped):
            return self._refused(job, folder, state.why)
        file = File(job.path, folder.id, state.st_size, state.st_mtime_ns, state.st_ino, "", "present")
        if job.attempts > INTERRUPTIONS:
            return Result(
                job, replace(file, state="quarantined", why="the daemon died again and again while it was read")
            )
        data = b"" if is_document else read_bytes(path, config.max_file_bytes)
        if isinstance(data, Skipped):
            return Result(job, later=SETTLE) if data.why == CHANGED else Result(job, _skipped(file, data.why))
        try:
            file = replace(file, digest=digest_of(path) if is_document else hashlib.sha256(data).hexdigest())
        except OSError as error:
            return Result(job, _skipped(file, (error.strerror or "cannot be read").lower()))
        known = self._me.store.sources.file(job.path)
        if known and known.digest == file.digest and known.state in ("present", "missing", "gone"):
            return Result(job, replace(file, why=known.why))
        try:
            found = list(self._documents.read(path)) if is_document else notes_in(path, data, self._me.plugins)
        except ChildDied as error:
            return self._died(job, file, str(error))
        if is_document and not file.has_stat(*_stat(path)):
            return Result(job, later=SETTLE)
        return self._prepared(job, file, found, is_clip=folder.kind == "clips")

    def store(self, results: Sequence[Result], *, unread: Iterable[Job] = ()) -> None:
        """Store results in one transaction; files that were not read after all are read another time."""
        store, moment = self._me.store, now()
        forgotten = {job.path: self._vanished(result) for result in results if (job := result.job)}
        for uris in forgotten.values():
            self.forget(uris)
        with store.writing():
            for result in results:
                job = result.job
                if result.later is not None:
                    store.sources.put_off(job, moment + result.later, result.error, is_counted=bool(result.error))
                    continue
                if result.file:
                    self._store(result.file, result)
                store.sources.finish(job.path)
            for job in unread:
                store.sources.put_off(job, moment, "", is_counted=False)

    def _store(self, file: File, result: Result) -> None:
        """Store what is in a file, but for what was forgotten: it may have been while the file was read."""
        store, uris = self._me.store, result.uris
        is_moved = self._move(file)
        kept, forgotten = store.tombstones.keep_out(result.notes)
        store.add_notes(kept, now=now())
        for note, _ in kept if is_moved else ():
            rename_note(store, note)
        if forgotten:
            uris = frozenset(note.uri for note, _ in kept)
            file = file if kept else replace(_skipped(file, forgotten[0].why), digest="")
        store.sources.save(file, uris)

    def forget(self, uris: Sequence[str]) -> None:
        """Remove for good what of the memory has these names; a file that has them again brings them back."""
        if ids := self._me.store.sources.notes_at(uris):
            self._me.store.forget(ids, dry_run=False, is_lasting=False)

    def _prepared(self, job: Job, file: File, found: Sequence[Note | Skipped], *, is_clip: bool) -> Result:
        notes, skipped = [], []
        for item in found:
            note = replace(item, origin="clip") if is_clip and isinstance(item, Note) else item
            ready = prepare(note, self._me.config) if isinstance(note, Note) else note
            if isinstance(ready, Skipped):
                skipped.append(ready)
            else:
                notes.append(ready)
        problems = [item for item in skipped if not item.is_harmless]
        if not notes:
            why = (problems or skipped)[0].why if skipped else "nothing in it"
            return Result(job, _skipped(file, why), uris=frozenset(), is_whole=not problems)
        file = replace(file, why=_left_out(problems, file.path))
        return Result(job, file, notes, frozenset(note.uri for note, _ in notes), is_whole=not problems)

    def _vanished(self, result: Result) -> list[str]:
        """Return what is no longer in a file whose folder wants that forgotten, where the file could be read whole."""
        if result.uris is None or not result.is_whole or not result.uris:
            return []
        folder = self._me.store.sources.folder_of(result.job.path)
        is_kept = folder is None or folder.deleted == "keep"
        return [] if is_kept else sorted(set(self._me.store.sources.items(result.job.path)) - result.uris)

    def _move(self, file: File) -> bool:
        """Take a new file for one that has gone elsewhere, where the content is the same; return whether it is."""
        sources = self._me.store.sources
        if not file.digest or sources.file(file.path):
            return False
        for old in sources.with_content(file.digest):
            if not os.path.lexists(old.path) and move_items(self._me.store, old.path, file.path):
                sources.drop(old.path)
                return True
        return False

    def _refused(self, job: Job, folder: Folder, why: str) -> Result:
        try:
            found = _stat(Path(job.path))
        except OSError:
            return Result(job)  # it is gone, and the next look at its folder notes that
        return Result(job, File(job.path, folder.id, *found, "", "skipped", why))

    def _died(self, job: Job, file: File, why: str) -> Result:
        if job.attempts >= DEATHS:
            return Result(job, replace(file, state="quarantined", why=f"{DIED}{why}"))
        return Result(job, later=AGAIN, error=f"{DIED}{why}")


def _left_out(problems: Sequence[Skipped], path: str) -> str:
    """Return what of a file could not be read, "" where all of it could."""
    for problem in problems:
        if problem.what == path:
            return problem.why
    if not problems:
        return ""
    return f"{len(problems):,} of its items could not be read: {problems[0].why}"


def _skipped(file: File, why: str) -> File:
    state: FileState = "skipped"
    return replace(file, state=state, why=why)


def _stat(path: Path) -> tuple[int, int, int]:
    found = os.lstat(path)
    return found.st_size, found.st_mtime_ns, found.st_ino
