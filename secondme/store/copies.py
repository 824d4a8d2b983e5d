"""Copies of the whole memory: made while others work, checked before they count; the automatic ones go as they age."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.clock import from_text, to_text
from secondme.errors import IntegrityError, SecondmeError
from secondme.privacy import make_folder
from secondme.store.checks import Counts, counts_in, damage_in
from secondme.store.connect import DRIVER_ERROR, key_of, open_copy, storage_errors, writing
from secondme.store.failures import is_full

if TYPE_CHECKING:
    from sqlite_utils.db import Database

Progress = Callable[[int, int], None]
"""Called with (bytes done, all)."""

NEWEST, DAYS, WEEKS = 3, 7, 4
"""How many automatic copies are kept: so many of the newest, one of so many days, one of so many weeks."""

UNFINISHED = ".unfinished-"
"""How the name of a copy begins that is being written."""

BESIDE = ("-journal", "-wal", "-shm")
"""What SQLite has beside a file that is being changed, and what a crash leaves there."""

ABANDONED = 3600.0
"""Seconds after which a copy that nobody has finished is let go."""

STEPS = 1000
"""Steps of SQLite between two looks at how far a copy is, and at whether somebody wants it to end."""

LARGE, REST = 100_000_000, timedelta(hours=12)
"""Bytes from which a memory is copied before a night only where the last copy is older than this."""

_NAME = re.compile(r"memory-(\d{8}T\d{6}Z)-\w+\.db")
_MOMENT = "%Y%m%dT%H%M%SZ"


def backups(path: Path) -> list[Path]:
    """Return the automatic copies of the memory at `path`, oldest first."""
    return sorted(one for one in (path.parent / "backups").glob("memory-*.db") if _NAME.fullmatch(one.name))


def unfinished(path: Path) -> list[Path]:
    """Return what is being written, or was left by a crash, of copies: forgetting has to end that too."""
    folder = path.parent / "backups"
    beside = [one for end in BESIDE for one in folder.glob(f"memory-*.db{end}") if not _file_of(one, end).exists()]
    return sorted([*folder.glob(f"{UNFINISHED}*"), *path.parent.glob(".restoring-*"), *beside])


def drafts_of(copy: Path) -> list[Path]:
    """Return what a crash has left of the writing of a copy elsewhere."""
    return sorted(copy.parent.glob(f"{UNFINISHED}{escape(copy.name)}.*"))


def let_go(copy: Path) -> None:
    """Remove a copy with what is beside it."""
    for end in ("", *BESIDE):
        Path(f"{copy}{end}").unlink(missing_ok=True)


def _file_of(beside: Path, end: str) -> Path:
    return beside.with_name(beside.name.removesuffix(end))


def made_at(backup: Path) -> datetime:
    """Return when an automatic copy was made, as its name says."""
    found = _NAME.fullmatch(backup.name)
    assert found
    return datetime.strptime(found[1], _MOMENT).replace(tzinfo=UTC)


def superfluous(moments: Sequence[datetime]) -> set[datetime]:
    """Return the moments whose copies are not kept: of a day or week with several, the last one stands for it."""
    ordered = sorted(set(moments), reverse=True)
    days, weeks = _last_of(ordered, "%Y-%m-%d"), _last_of(ordered, "%G-%V")
    return set(ordered) - {*ordered[:NEWEST], *days[:DAYS], *weeks[:WEEKS]}


def _last_of(ordered: Sequence[datetime], period: str) -> list[datetime]:
    last: dict[str, datetime] = {}
    for moment in ordered:
        last.setdefault(moment.strftime(period), moment)
    return list(last.values())


def note_copy(db: Database, copy: Path, *, now: datetime) -> None:
    """Remember a copy that lies elsewhere: forgetting looks into it too. Call it before the copy has its name."""
    with writing(db):
        db.conn.execute("insert or replace into copies values (?, ?)", (str(copy), to_text(now)))


def noted(db: Database) -> dict[Path, datetime]:
    """Return the copies that lie elsewhere, as far as they are there still, with the moments they were made."""
    rows = db.conn.execute("select path, made_at from copies order by made_at, path").fetchall()
    return {Path(path): from_text(moment) for path, moment in rows if Path(path).exists()}


def back_up(db: Database, path: Path, why: str, *, now: datetime) -> Path:
    """Return an automatic copy of the memory as it is: a new one, or the last one where nothing was written since.

    Raises IntegrityError where there is no room for it, or where it does not stand the check.
    """
    earlier = backups(path)
    if earlier and not _is_changed(path, since=earlier[-1]):
        return earlier[-1]
    moment = now.replace(microsecond=0)
    taken = {made_at(one) for one in earlier}
    while moment in taken:
        moment += timedelta(seconds=1)
    folder = path.parent / "backups"
    make_folder(folder)
    copy = folder / f"memory-{moment.astimezone(UTC).strftime(_MOMENT)}-{why}.db"
    write_copy(db, copy)
    _rotate(path)
    return copy


def back_up_for_night(db: Database, path: Path, *, now: datetime) -> None:
    """Make a copy of the memory as it is before a night changes it; a large memory is spared what it has had today."""
    if not db.conn.execute("select file from pragma_database_list where name = 'main'").fetchone()[0]:
        return  # a rehearsal, which lives in RAM only
    last = [made_at(one) for one in backups(path)[-1:]]
    if path.stat().st_size < LARGE or not last or not timedelta(0) <= now - last[0] < REST:
        back_up(db, path, "night", now=now)


def way_back(path: Path) -> str:
    """Return what to do where the memory at `path` is damaged: which copy is the newest good one."""
    for copy in reversed(backups(path)):
        if is_good(copy):
            return f"nothing was changed; the newest good copy: secondme restore {copy}"
    return (
        "keep the file; a copy of it would be restored with: secondme restore FILE; without one, move it away, "
        "with the folder backups where there is one, and what was read from files is read again: "
        "secondme watch add, secondme add"
    )


def is_good(copy: Path) -> bool:
    """True if a copy can be opened, and all of its pages read."""
    try:
        db = open_copy(copy)
    except SecondmeError:
        return False
    try:
        return not damage_in(db)
    except SecondmeError:
        return False
    finally:
        db.close()


def _is_changed(path: Path, *, since: Path) -> bool:
    # A copy has the time at which it was begun, until something is forgotten in it.
    begun = min(since.stat().st_mtime_ns, int(made_at(since).timestamp()) * 10**9)
    log = path.with_name(f"{path.name}-wal")
    return any(file.stat().st_mtime_ns >= begun for file in (path, log) if file.exists() and file.stat().st_size)


def _rotate(path: Path) -> None:
    copies = backups(path)
    gone = superfluous([made_at(copy) for copy in copies])
    for copy in copies:
        if made_at(copy) in gone:
            let_go(copy)
    for rest in unfinished(path):
        if time.time() - rest.stat().st_mtime > ABANDONED:
            rest.unlink(missing_ok=True)


def write_copy(
    db: Database, target: Path, *, noted_at: datetime | None = None, progress: Progress | None = None
) -> None:
    """Write the memory as it is to `target`, which it replaces once the copy is whole, checked and on the disk.

    One elsewhere is `noted_at` a moment: forgetting looks into it too. Others may read and write meanwhile, but not
    forget. Raises IntegrityError where the copy does not stand the check.
    """
    with storage_errors(target):
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f"{UNFINISHED}{target.name}.")
        begun = os.fstat(handle).st_mtime_ns
        os.close(handle)
    draft = Path(name)
    try:
        before, known = counts_in(db), _notes_up_to(db)
        with _copying(db, draft, target, progress):
            db.conn.execute("vacuum into ?", (name,))
            _unless_forgotten(draft.exists(), target)
        _check(open_copy(draft, key_of(db)), target, between=(before, counts_in(db)))
        with storage_errors(target):
            sync(draft)
            os.utime(draft, ns=(begun, begun))
        if noted_at:
            note_copy(db, target, now=noted_at)
        _unless_forgotten(draft.exists() and _notes_up_to(db, known[0]) == known, target)
        with storage_errors(target):
            _settle(target)
            os.replace(draft, target)
            sync(target.parent)
        if _notes_up_to(db, known[0]) != known:
            # It may hold what is not to be anywhere any more.
            target.unlink()
            _unless_forgotten(False, target)
    finally:
        draft.unlink(missing_ok=True)


def _unless_forgotten(is_whole: bool, target: Path) -> None:
    if not is_whole:
        raise IntegrityError(f"{target}: notes were forgotten meanwhile, so no copy was made", hint="try again")


def _settle(target: Path) -> None:
    """Have SQLite end what a crash left half done in `target`: its journal would be taken for that of the new file."""
    if any(Path(f"{target}{end}").exists() for end in BESIDE):
        is_good(target)
        for end in BESIDE:
            Path(f"{target}{end}").unlink(missing_ok=True)


def _notes_up_to(db: Database, last: int | None = None) -> tuple[int, int]:
    """Return the highest number of a note, or `last`, and how many notes there are up to it."""
    query = "select ?1, count(*) from notes where id <= ?1"
    if last is None:
        (last,) = db.conn.execute("select coalesce(max(id), 0) from notes").fetchone()
    found: tuple[int, int] = db.conn.execute(query, (last,)).fetchone()
    return found


def sync(path: Path) -> None:
    """Make sure that a file, or what a folder lists, is on the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def _copying(db: Database, draft: Path, target: Path, progress: Progress | None) -> Iterator[None]:
    """Tell how far a copy is, let it be interrupted, and name the disk that has no room for it."""
    (pages,), (size,) = db.conn.execute("pragma page_count").fetchone(), db.conn.execute("pragma page_size").fetchone()
    interrupted = False

    def look() -> bool:
        nonlocal interrupted
        try:
            if progress:
                progress(min(draft.stat().st_size, pages * size), pages * size)
        except KeyboardInterrupt:
            interrupted = True
        return interrupted

    db.conn.set_progress_handler(look, STEPS)
    try:
        yield
    except (IntegrityError, DRIVER_ERROR) as error:
        if interrupted:
            # Raised here, where signals are met; the driver would drop it.
            raise KeyboardInterrupt from None
        _unless_forgotten(draft.exists(), target)
        if is_full(error, target):
            raise IntegrityError(
                f"{target}: no space left on the disk; no copy was made", hint="free some space and try again"
            ) from error
        raise
    finally:
        db.conn.set_progress_handler(None, 0)


def _check(draft: Database, target: Path, *, between: Sequence[Counts]) -> None:
    """Raise IntegrityError where a copy is not whole; `between` are the rows that there were before and after it."""
    try:
        problems = list(damage_in(draft))
        before, after = between
        for table, count in counts_in(draft).items():
            low, high = sorted((before.get(table, 0), after.get(table, 0)))
            problems += [] if low <= count <= high else [f"{table} has {count:,} rows, not {low:,}"]
    finally:
        draft.close()
    if problems:
        raise IntegrityError(
            f"{target}: a copy of the memory is not sound, so none was made: {'; '.join(problems)}",
            hint="secondme verify",
        )
