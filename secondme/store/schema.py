"""The tables, as migrations in order. A released migration is never edited."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sqlite_utils import Migrations

from secondme.errors import NewerDatabase
from secondme.store.connect import writing
from secondme.store.more_tables import CHATS, TRUST
from secondme.store.tables import FACTS, FOLDERS, NOTES

if TYPE_CHECKING:
    from sqlite_utils.db import Database

migrations = Migrations("secondme")


@migrations()
def m001_notes(db: Database) -> None:
    """Create notes, passages and their word indexes."""
    for statement in NOTES:
        db.conn.execute(statement)


@migrations()
def m002_facts(db: Database) -> None:
    """Create facts with their evidence, and the journal of the nights that made them."""
    for statement in FACTS:
        db.conn.execute(statement)


@migrations()
def m003_folders(db: Database) -> None:
    """Create watched folders, what is known of their files, and the queue of those to be read."""
    for statement in FOLDERS:
        db.conn.execute(statement)


@migrations()
def m004_chats(db: Database) -> None:
    """Create conversations with their turns, and what is pinned."""
    for statement in CHATS:
        db.conn.execute(statement)


@migrations()
def m005_trust(db: Database) -> None:
    """Create what was forgotten, what was released, copies elsewhere, and the chain of the journal."""
    for statement in TRUST:
        db.conn.execute(statement)


def migrate(db: Database, path: Path) -> Path | None:
    """Bring the tables up to date, and return the copy that was made of a memory before it was changed.

    A file that a newer secondme has written is refused.
    """
    pending = _pending(db)
    if not pending:
        return None
    copy = _back_up(db, path, pending[0]) if migrations.applied(db) else None
    with writing(db):
        # Another process may have brought them up to date while this one waited for the lock.
        if _pending(db):
            migrations.apply(db)
    return copy


def backups(path: Path) -> list[Path]:
    """Return the copies that migrations made of the memory at `path`."""
    return sorted(path.parent.glob(f"{path.name}.before-*"))


def _back_up(db: Database, path: Path, name: str) -> Path:
    copy = path.with_name(f"{path.name}.before-{name}")
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f"{copy.name}.")
    os.close(handle)
    try:
        db.conn.execute("vacuum into ?", (unfinished,))
        os.replace(unfinished, copy)
    finally:
        Path(unfinished).unlink(missing_ok=True)
    return copy


def _pending(db: Database) -> list[str]:
    known = [migration.name for migration in migrations._migrations]
    applied = {migration.name for migration in migrations.applied(db)}
    if newer := sorted(applied - set(known)):
        raise NewerDatabase(
            f"this memory was written by a newer secondme (it has {newer[-1]})", hint="pip install --upgrade secondme"
        )
    return [name for name in known if name not in applied]
