"""Watched folders, what is known of their files, and the queue of files to be read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from secondme.clock import from_text, to_text
from secondme.errors import UsageError
from secondme.store.connect import writing

if TYPE_CHECKING:
    from sqlite_utils.db import Database

Kind = Literal["own", "notes", "clips"]
Deleted = Literal["keep", "forget"]
FileState = Literal["present", "missing", "gone", "skipped", "quarantined"]

LEASE = timedelta(minutes=10)
"""How long a file may take to be read before another process may try."""
ATTEMPTS = 2
"""A file that kills its reader so often is not read again until it changes."""

_FOLDER = "id, path, kind, deleted, state, why, added_at, scanned_at"
_FILE = "path, folder_id, size, mtime_ns, inode, digest, state, why, missing_since"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is kept in step."""

    id: int
    path: str
    kind: Kind
    """In "own" only the user writes; of "notes" facts about others are learned; "clips" are found, and that is all."""
    deleted: Deleted
    """What happens to notes whose file is deleted."""
    state: Literal["active", "paused"]
    why: str
    """Why it is paused."""
    added_at: datetime
    scanned_at: datetime | None
    """When it was last gone through as a whole."""


@dataclass(frozen=True, slots=True)
class File:
    """What is known of a file."""

    path: str
    folder_id: int
    size: int
    mtime_ns: int
    inode: int
    digest: str
    """SHA-256 of its bytes when it was read, in hex; empty where it was not."""
    state: FileState
    why: str = ""
    """Why it was skipped or quarantined; of one that is present, what of it could not be read."""
    missing_since: datetime | None = None

    def has_stat(self, size: int, mtime_ns: int, inode: int) -> bool:
        """True if the file looks as it did when it was read."""
        return (self.size, self.mtime_ns, self.inode) == (size, mtime_ns, inode)


@dataclass(frozen=True, slots=True)
class Job:
    """A file to be read."""

    path: str
    folder_id: int
    attempts: int
    """How often it was begun, this time included."""


class Sources:
    """The watched folders of one database."""

    def __init__(self, db: Database) -> None:
        """Use the tables of `db`."""
        self.db = db

    def add_folder(self, path: str, *, kind: Kind, deleted: Deleted, now: datetime) -> Folder:
        """Watch a folder from now on, or change how. Raises UsageError where it overlaps another."""
        with writing(self.db):
            for other in self.folders():
                if other.path != path and (_is_below(path, other.path) or _is_below(other.path, path)):
                    raise UsageError(f"{path} overlaps {other.path}, which is watched", hint="secondme watch list")
            self.db.conn.execute(
                """insert into folders (path, kind, deleted, state, why, added_at) values (?, ?, ?, 'active', '', ?)
                   on conflict (path) do update set kind = excluded.kind, deleted = excluded.deleted""",
                (path, kind, deleted, to_text(now)),
            )
        [found] = [folder for folder in self.folders() if folder.path == path]
        return found

    def remove_folder(self, id: int) -> None:
        """Watch a folder no longer; what was read from it stays."""
        with writing(self.db):
            self.db.conn.execute("delete from folders where id = ?", (id,))

    def folders(self) -> list[Folder]:
        """Return all folders, by path."""
        rows = self.db.conn.execute(f"select {_FOLDER} from folders order by path").fetchall()
        return [_folder(*row) for row in rows]

    def folder_of(self, path: str) -> Folder | None:
        """Return the folder that holds this path, or is it."""
        return next((one for one in self.folders() if path == one.path or _is_below(path, one.path)), None)

    def pause(self, id: int, why: str) -> None:
        """Take nothing from a folder as deleted until this is cleared up."""
        self._set_state(id, "paused", why)

    def activate(self, id: int) -> None:
        """Keep a folder in step again."""
        self._set_state(id, "active", "")

    def _set_state(self, id: int, state: str, why: str) -> None:
        with writing(self.db):
            self.db.conn.execute("update folders set state = ?, why = ? where id = ?", (state, why, id))

    def note_scan(self, id: int, now: datetime) -> None:
        """Note that a folder was gone through."""
        with writing(self.db):
            self.db.conn.execute("update folders set scanned_at = ? where id = ?", (to_text(now), id))

    def counts(self, folder_id: int | None = None) -> dict[str, int]:
        """Return how many files there are in each state, and how many are "waiting" to be read."""
        where, values = ("where folder_id = ?", (folder_id,)) if folder_id else ("", ())
        files = self.db.conn.execute(f"select state, count(*) from files {where} group by state", values).fetchall()
        (waiting,) = self.db.conn.execute(f"select count(*) from jobs {where}", values).fetchone()
        return {**dict(files), "waiting": waiting}

    def problems(self, limit: int = 20, folder_id: int | None = None) -> list[File]:
        """Return files that could not be read, the quarantined first, and then those that could not be read whole.

        What was forgotten is left out on purpose, and no problem.
        """
        return self._files(
            """where why not like 'forgotten on %'
               and (state in ('quarantined', 'skipped') or (state = 'present' and why != ''))
               and folder_id = coalesce(?, folder_id) order by state = 'present', state, path limit ?""",
            (folder_id, limit),
        )

    def files(self, folder_id: int, under: str = "") -> dict[str, File]:
        """Return what is known of the files of a folder, or of those at or below a path, by path."""
        where, values = "where folder_id = ?", list[Any]([folder_id])
        if under:
            # What is below has the path with a slash behind it as its beginning: "0" comes right after "/".
            where += " and (path = ? or (path > ? and path < ?))"
            values += [under, f"{under.rstrip('/')}/", f"{under.rstrip('/')}0"]
        return {one.path: one for one in self._files(where, values)}

    def file(self, path: str) -> File | None:
        """Return what is known of a file."""
        return next(iter(self._files("where path = ?", (path,))), None)

    def with_content(self, digest: str) -> list[File]:
        """Return the files with this content, those that are gone included."""
        return self._files("where digest = ?", (digest,))

    def begin_missing(self, now: datetime) -> None:
        """Count from now what is missing since later than that: the clock was wrong then."""
        with writing(self.db):
            self.db.conn.execute(
                "update files set missing_since = ?1 where state = 'missing' and missing_since > ?1", (to_text(now),)
            )

    def missing(self, before: datetime) -> list[File]:
        """Return the files that have been missing since before a moment, of folders that are not paused."""
        return self._files(
            """where state = 'missing' and missing_since <= ?
               and folder_id in (select id from folders where state = 'active')""",
            (to_text(before),),
        )

    def first_missing(self) -> datetime | None:
        """Return since when the file that is missing longest is missing."""
        query = """select min(missing_since) from files where state = 'missing'
                   and folder_id in (select id from folders where state = 'active')"""
        (found,) = self.db.conn.execute(query).fetchone()
        return from_text(found) if found else None

    def _files(self, where: str, values: Sequence[Any]) -> list[File]:
        rows = self.db.conn.execute(f"select {_FILE} from files {where}", values).fetchall()
        return [_file(*row) for row in rows]

    def save(self, file: File, uris: Iterable[str] | None = None) -> None:
        """Store what is known of a file and, where given, what of the memory is in it. Call it within a transaction."""
        since = to_text(file.missing_since) if file.missing_since else None
        values = (file.folder_id, file.size, file.mtime_ns, file.inode, file.digest, file.state, file.why, since)
        (id,) = self.db.conn.execute(
            """insert into files (folder_id, size, mtime_ns, inode, digest, state, why, missing_since, path)
               values (?, ?, ?, ?, ?, ?, ?, ?, ?)
               on conflict (path) do update set folder_id = excluded.folder_id, size = excluded.size,
                   mtime_ns = excluded.mtime_ns, inode = excluded.inode, digest = excluded.digest,
                   state = excluded.state, why = excluded.why, missing_since = excluded.missing_since
               returning id""",
            (*values, file.path),
        ).fetchone()
        if uris is not None:
            self.db.conn.execute("delete from file_items where file_id = ?", (id,))
            self.db.conn.executemany("insert into file_items values (?, ?)", [(id, uri) for uri in dict.fromkeys(uris)])

    def drop(self, path: str) -> None:
        """Know nothing of a file any more. Call it within a transaction."""
        self.db.conn.execute("delete from files where path = ?", (path,))

    def items(self, path: str) -> list[str]:
        """Return the uris of what of the memory is in a file."""
        query = "select uri from file_items i join files f on f.id = i.file_id where f.path = ? order by uri"
        return [row[0] for row in self.db.conn.execute(query, (path,))]

    def notes_at(self, uris: Collection[str]) -> list[int]:
        """Return the numbers of the current notes with these uris."""
        query = "select id from notes where uri = ? and replaced_at is null"
        found = [self.db.conn.execute(query, (uri,)).fetchone() for uri in uris]
        return [row[0] for row in found if row]

    def enqueue(self, paths: Iterable[str], folder_id: int, now: datetime) -> None:
        """Have files read: at once, with all attempts before them. Call it within a transaction."""
        self.db.conn.executemany(
            """insert into jobs (path, folder_id, attempts, not_before, error) values (?, ?, 0, ?, '')
               on conflict (path) do update set folder_id = excluded.folder_id, attempts = 0,
                   not_before = excluded.not_before, lease_until = null""",
            [(path, folder_id, to_text(now)) for path in paths],
        )

    def queued(self, folder_id: int) -> set[str]:
        """Return the files of a folder that wait to be read or are being read."""
        return {row[0] for row in self.db.conn.execute("select path from jobs where folder_id = ?", (folder_id,))}

    def lease(self, limit: int, now: datetime) -> list[Job]:
        """Return files to be read now; that each was begun once more is stored before this returns.

        One that was begun before comes alone, so that nothing else suffers when it kills its reader again. No file
        waits longer than a lease: a moment beyond that is of a clock that was wrong, and counts as over.
        """
        with writing(self.db):
            rows = self.db.conn.execute(
                """select path, folder_id, attempts + 1 from jobs
                   where not_before not between ?1 and ?2 and coalesce(lease_until, '') not between ?1 and ?2
                   order by attempts, rowid limit ?3""",
                (to_text(now + timedelta(seconds=1)), to_text(now + LEASE), limit),
            ).fetchall()
            first = rows[:1] if rows and rows[0][2] > 1 else [row for row in rows if row[2] == 1]
            self.db.conn.executemany(
                "update jobs set attempts = ?, lease_until = ? where path = ?",
                [(attempts, to_text(now + LEASE), path) for path, _, attempts in first],
            )
        return [Job(*row) for row in first]

    def finish(self, path: str) -> None:
        """End a job. Call it within a transaction."""
        self.db.conn.execute("delete from jobs where path = ?", (path,))

    def put_off(self, job: Job, until: datetime, error: str, *, is_counted: bool) -> None:
        """Have a file read later. Call it within a transaction."""
        attempts = job.attempts if is_counted else job.attempts - 1
        self.db.conn.execute(
            "update jobs set lease_until = null, not_before = ?, error = ?, attempts = ? where path = ?",
            (to_text(until), error, attempts, job.path),
        )

    def end_leases(self) -> None:
        """Let files be read that a process which is gone had begun."""
        with writing(self.db):
            self.db.conn.execute("update jobs set lease_until = null")

    def next_job(self) -> datetime | None:
        """Return when the next file is to be read."""
        (found,) = self.db.conn.execute("select min(max(not_before, coalesce(lease_until, ''))) from jobs").fetchone()
        return from_text(found) if found else None


def _folder(*row: Any) -> Folder:
    found = dict(zip(_FOLDER.split(", "), row, strict=True))
    scanned = found["scanned_at"]
    return Folder(**{**found, "added_at": from_text(found["added_at"]), "scanned_at": scanned and from_text(scanned)})


def _file(*row: Any) -> File:
    found = dict(zip(_FILE.split(", "), row, strict=True))
    since = found["missing_since"]
    return File(**{**found, "missing_since": since and from_text(since)})


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")
