"""The file of the pages: how it is begun, what its errors mean, and how it is removed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from secondme.locks import MOMENT, page_lock
from secondme.store.connect import DRIVER_ERROR, storage_errors, writing
from secondme.store.copies import BESIDE
from secondme.store.sealing import erase

if TYPE_CHECKING:
    from sqlite_utils.db import Database

VERSION = 2
"""Of the tables. A file with other ones is begun anew."""

_PRAGMAS = """
    pragma auto_vacuum = incremental;
    pragma journal_mode = wal;
    pragma synchronous = normal;
    pragma secure_delete = on;
    pragma trusted_schema = off;
    pragma cell_size_check = on;
    pragma mmap_size = 0;
    pragma temp_store = memory;
"""
# The state comes last: the other columns are read without it.
_TABLES = (
    """create table pages (
        id integer primary key, name blob not null unique, note_id integer, source blob not null,
        uses integer not null default 0, used_at text not null, length integer not null, digest blob not null,
        state blob not null
    ) strict""",
    # What else a page has read: the passages that its own one stands behind.
    """create table behind (page integer not null, note_id integer not null, source blob not null) strict""",
    "create index behind_page on behind (page)",
    "create trigger behind_goes after delete on pages begin delete from behind where page = old.id; end",
    # Passages whose pages were wanted and missing.
    """create table wanted (
        note_id integer not null, source blob not null, primary key (note_id, source)
    ) strict, without rowid""",
    """create table totals (
        salt blob not null, hits integer not null default 0, misses integer not null default 0
    ) strict""",
    f"pragma user_version = {VERSION}",
)
_OUT_OF_REACH = (
    *("BUSY", "LOCKED", "FULL", "READONLY", "CANTOPEN", "IOERR", "PERM", "AUTH", "NOMEM", "TOOBIG", "PROTOCOL"),
)
"""What the driver says where the file itself may be whole."""


class Unfit(Exception):
    """The file has other tables than ours."""


def beside(database: Path) -> Path:
    """Return the file of the pages of a memory."""
    return database.with_name("pages.db")


@contextmanager
def no_pages(database: Path, *, seconds: float = MOMENT) -> Iterator[None]:
    """Remove the pages beside a memory, and let nobody make any meanwhile. Raises Locked where others use them."""
    path = beside(database)
    if not path.exists() and not path.with_suffix(".lock").exists():
        yield
        return
    with page_lock(database, is_shared=False, seconds=seconds):
        with storage_errors(path):
            # The log goes first: it would be taken for that of the next file.
            for one in (Path(f"{path}{end}") for end in (*BESIDE, "")):
                if one.exists():
                    erase(one)
        yield


def prepare(db: Database) -> bytes:
    """Make the tables where there are none, and return the salt. Raises Unfit."""
    db.conn.executescript(_PRAGMAS)
    execute = db.conn.execute
    if not execute("select 1 from sqlite_master").fetchone():
        with writing(db):
            # Another process may have been faster.
            if not execute("select 1 from sqlite_master").fetchone():
                for statement in _TABLES:
                    execute(statement)
                execute("insert into totals (salt) values (?)", (secrets.token_bytes(32),))
    (version,) = execute("pragma user_version").fetchone()
    if version != VERSION:
        raise Unfit
    found: Any = execute("select salt from totals").fetchone()
    if not found:
        raise Unfit
    salt: bytes = found[0]
    return salt


def is_damage(error: Exception) -> bool:
    """True if the file is not as it was written; False where it cannot be used now. Raises mistakes of ours."""
    if not isinstance(error, DRIVER_ERROR):
        return isinstance(error, Unfit | UnicodeDecodeError)
    name = str(getattr(error, "sqlite_errorname", ""))
    # The driver has no name for a text that it cannot read.
    if not name and not str(error).startswith("Could not decode"):
        raise error
    return name == "SQLITE_IOERR_SHORT_READ" or name.removeprefix("SQLITE_").partition("_")[0] not in _OUT_OF_REACH


def digest(state: bytes) -> bytes:
    """Return what tells a state that was damaged from the one that was written."""
    return hashlib.blake2b(state, digest_size=32).digest()
