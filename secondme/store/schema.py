"""The tables, as migrations in order. A released migration is never edited."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlite_utils
from sqlite_utils import Migrations

from secondme.clock import now
from secondme.errors import NewerDatabase
from secondme.store import chain
from secondme.store.connect import writing
from secondme.store.copies import back_up
from secondme.store.copies import backups as backups  # one place lists what forgetting has to look into
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
    chain.extend(db)


def migrate(db: Database, path: Path) -> Path | None:
    """Bring the tables up to date, and return the copy that was made of a memory before it was changed.

    A file that a newer secondme has written is refused.
    """
    pending = _pending(db)
    if not pending:
        return None
    copy = back_up(db, path, pending[0], now=now()) if migrations.applied(db) else None
    bring_up_to_date(db)
    return copy


def bring_up_to_date(db: Database) -> None:
    """Make all changes of the tables that this version has and the database has not. Raises NewerDatabase."""
    if not _pending(db):
        return
    with writing(db):
        # Another process may have brought them up to date while this one waited for the lock.
        if _pending(db):
            migrations.apply(db)


def is_current(db: Database) -> bool:
    """True if the tables are those of this version, False if they are older. Raises NewerDatabase."""
    return not _pending(db)


def statements(db: Database) -> dict[str, str]:
    """Return what made each table, index and trigger of a database, by their names, as far as versions tell."""
    # Vectors have a width of their own, and the list of what was applied has been made in several ways.
    rows = db.conn.execute(
        """select cast(name as text), cast(sql as text) from sqlite_master where sql is not null
           and tbl_name not like '%passage_vectors%' and tbl_name not like '%migrations'"""
    )
    return dict(rows.fetchall())


def expected_statements() -> dict[str, str]:
    """Return what `statements` returns of a database that has the tables of this version."""
    db = sqlite_utils.Database(memory=True)
    migrations.apply(db)
    found = statements(db)
    db.close()
    return found


def _pending(db: Database) -> list[str]:
    known = [migration.name for migration in migrations._migrations]
    applied = {migration.name for migration in migrations.applied(db)}
    if newer := sorted(applied - set(known)):
        raise NewerDatabase(
            f"this memory was written by a newer secondme (it has {newer[-1]})", hint="pip install --upgrade secondme"
        )
    return [name for name in known if name not in applied]
