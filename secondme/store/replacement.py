"""Puts a copy in the place of the memory: looked through first, brought up to date, and the present file kept aside."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.errors import Damaged, NoDatabase, SecondmeError, UsageError
from secondme.store import checks
from secondme.store.connect import DRIVER_ERROR, open_copy, storage_errors, writing
from secondme.store.copies import BESIDE, note_copy, sync
from secondme.store.forgetting import forget_again
from secondme.store.page_file import no_pages
from secondme.store.presence import alone
from secondme.store.schema import bring_up_to_date
from secondme.store.store import Store

if TYPE_CHECKING:
    from sqlite_utils.db import Database

    from secondme.store.tombstones import Fingerprints

    _Known = tuple[list[tuple[str, str]], Fingerprints]


@dataclass(frozen=True, slots=True)
class Replacement:
    """A copy that is ready to take the place of the memory, and what that means."""

    draft: Path
    notes: int
    """Versions of notes in it."""
    present: int | None
    """Versions of notes in the present file; None where it is absent or cannot be read."""
    only_present: int
    """Those of them that the copy has not."""
    newer: int
    """Those of the copy that the present file has not."""
    is_present: bool
    aside: Path | None = None
    """Where the former file is, once it was replaced."""


@contextmanager
def prepared(given: Path, path: Path, *, progress: checks.Progress | None = None) -> Iterator[Replacement]:
    """Look through the copy at `given` and bring it up to date, in a file of its own beside the memory at `path`.

    Neither of the two is touched. Raises NoDatabase, WrongKey, NewerDatabase, and Damaged where it is not sound.
    """
    if not given.is_file():
        raise NoDatabase(f"{given}: no such file", hint="secondme backup --list")
    if path.exists() and given.samefile(path):
        raise UsageError(f"{given} is the memory itself", hint="name a copy of it: secondme backup --list")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for rest in path.parent.glob(".restoring-*"):
            rest.unlink(missing_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".restoring-")
        os.close(handle)
    draft = Path(name)
    try:
        with storage_errors(path):
            for end in ("", "-wal", "-journal"):
                if (part := Path(f"{given}{end}")).exists():
                    shutil.copyfile(part, f"{draft}{end}")
        try:
            _make_ready(draft, progress)
        except SecondmeError as error:
            said = str(error).replace(str(draft), str(given))
            raise type(error)(said, hint="it stays as it is; other copies: secondme backup --list") from error
        yield _compared(draft, path)
    finally:
        for end in ("", *BESIDE):
            Path(f"{draft}{end}").unlink(missing_ok=True)


def _make_ready(draft: Path, progress: checks.Progress | None) -> None:
    with closing(open_copy(draft)) as db:
        problems = checks.damage_in(db)
        if not problems:
            bring_up_to_date(db)
            found = checks.look_through(db, progress=progress)
            problems = [f"{one.name}: {one.problem}" for one in found if not one.ok and not one.is_derived]
        if problems:
            raise Damaged(f"{draft}: not restored, because it is damaged: {'; '.join(problems)}")
        # Folders are gone through again, and what changed since comes back.
        db.conn.execute("update folders set scanned_at = null")


def _compared(draft: Path, path: Path) -> Replacement:
    """Carry over what the present file knows of copies and of what was forgotten, and count what differs."""
    theirs: set[str] | None = None
    known: _Known | None = None
    if path.exists():
        # What it cannot tell keeps nothing from being restored.
        with suppress(SecondmeError, DRIVER_ERROR), closing(open_copy(path)) as former:
            known = _known_to(former, path)
            theirs = _versions(former)
    with closing(open_copy(draft)) as db:
        if known:
            _bring_over(known, db, path)
        ours = _versions(db)
    both = len(ours & (theirs or set()))
    present = None if theirs is None else len(theirs)
    return Replacement(draft, len(ours), present, (present or 0) - both, len(ours) - both, path.exists())


def _versions(db: Database) -> set[str]:
    return {row[0] for row in db.conn.execute("select uri || char(10) || digest from notes")}


def _known_to(former: Database, path: Path) -> _Known | None:
    """Return what has to be known of more than the notes: where copies are, and what was forgotten since."""
    if not former.conn.execute("select 1 from sqlite_master where name = 'copies'").fetchone():
        return None
    rows = former.conn.execute("select path, made_at from copies").fetchall()
    return rows, Store.over(former, path).tombstones.all()


def _bring_over(known: _Known, db: Database, path: Path) -> None:
    copies, forgotten = known
    with writing(db):
        db.conn.executemany("insert or ignore into copies values (?, ?)", copies)
    forget_again(Store.over(db, path), forgotten)


def swap(ready: Replacement, path: Path, *, now: datetime) -> Replacement:
    """Put what is `prepared` in the place of the memory, and keep the former file aside.

    At any moment one of the two is there, whole. Raises Locked where somebody has the memory open.
    """
    with alone(path), no_pages(path), storage_errors(path):
        aside = _free_name(path, now) if path.exists() else None
        with closing(open_copy(ready.draft)) as db:
            if aside:
                # What is forgotten from now on has to go there too.
                note_copy(db, aside, now=now)
            db.conn.execute("pragma wal_checkpoint(truncate)").fetchone()
        sync(ready.draft)
        if aside:
            _keep(path, aside)
        for end in BESIDE:
            # The log of the former file would be taken for one of the new file; it is kept beside the former.
            Path(f"{path}{end}").unlink(missing_ok=True)
        os.replace(ready.draft, path)
        sync(path.parent)
    return replace(ready, aside=aside)


def _free_name(path: Path, now: datetime) -> Path:
    moment = now.astimezone(UTC)
    while (aside := path.with_name(f"{path.name}.aside-{moment:%Y%m%dT%H%M%SZ}")).exists():
        moment += timedelta(seconds=1)
    return aside


def _keep(path: Path, aside: Path) -> None:
    """Give the present file a second name, with its log where that cannot be moved into the file."""
    with suppress(SecondmeError), closing(open_copy(path)) as db:
        db.conn.execute("pragma wal_checkpoint(truncate)").fetchone()
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size:
        os.link(log, f"{aside}-wal")
    os.link(path, aside)
    sync(path.parent)
