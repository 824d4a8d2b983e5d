"""Open the database file: the driver, its extension, the pragmas, and errors people can act on. Alone imports a driver."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlcipher3
from sqlcipher3 import dbapi2

from secondme.errors import IntegrityError, Locked, NoDatabase, SecondmeError, WrongKey

# sqlite-utils uses the driver registered under this name; it has to be there before the first import.
sys.modules.setdefault("pysqlite3", sqlcipher3)
sys.modules.setdefault("pysqlite3.dbapi2", dbapi2)

import sqlite_utils  # noqa: E402
import sqlite_vec  # noqa: E402

if TYPE_CHECKING:
    from sqlite_utils.db import Database

APPLICATION_ID = 0x53324D45
SAFE_SQLITE = (3, 51, 3)
"""Older ones can corrupt a WAL file under several connections."""

PRAGMAS = """
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma foreign_keys = on;
    pragma secure_delete = on;
    pragma trusted_schema = off;
    pragma cell_size_check = on;
    pragma mmap_size = 0;
    pragma cache_size = -65536;
    pragma temp_store = memory;
"""


def open_database(path: Path, *, create: bool) -> Database:
    """Return an open database in autocommit mode; writes go through `writing`.

    Raises NoDatabase where the file is absent and `create` is false.
    """
    if dbapi2.sqlite_version_info < SAFE_SQLITE:
        raise IntegrityError(
            f"SQLite {dbapi2.sqlite_version} can corrupt a database that two processes use",
            hint="pip install --upgrade sqlcipher3",
        )
    if not create and not path.exists():
        raise NoDatabase(f"{path}: no memory here yet", hint='add something first: secondme add "..."')
    with storage_errors(path):
        _make_private(path)
        connection = dbapi2.connect(str(path), timeout=5.0, isolation_level=None)
        connection.execute("pragma busy_timeout = 5000")
        _check_owner(connection, path)
        connection.enable_load_extension(True)
        sqlite_vec.load(connection)
        connection.enable_load_extension(False)
        connection.executescript(PRAGMAS)
    return sqlite_utils.Database(connection)


@contextmanager
def writing(db: Database, path: Path) -> Iterator[None]:
    """Hold the write lock for one decision: all of it is stored when this ends, or nothing is."""
    with storage_errors(path):
        if db.conn.in_transaction:
            with db.atomic():
                yield
            return
        # Taking the lock at once avoids the failure of a reader that turns into a writer too late.
        db.conn.execute("begin immediate")
        try:
            yield
            db.conn.execute("commit")
        except BaseException:
            if db.conn.in_transaction:
                db.conn.execute("rollback")
            raise


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn the driver's errors about the file itself into ones that say what to do."""
    try:
        yield
    except (dbapi2.OperationalError, dbapi2.DatabaseError, PermissionError) as error:
        known = _explain(error, path)
        if known is None:
            raise
        raise known from error


def _explain(error: Exception, path: Path) -> SecondmeError | None:
    text = str(error).lower()
    if "locked" in text or "busy" in text:
        return Locked(f"{path}: another process is writing", hint="try again in a moment")
    if "not a database" in text or "file is encrypted" in text:
        return WrongKey(f"{path}: not a secondme database, or encrypted with another key")
    if "full" in text:
        return IntegrityError(f"{path}: no space left on the disk; nothing of this was stored", hint="free some space")
    if "malformed" in text or "corrupt" in text:
        return IntegrityError(f"{path}: the database is damaged ({text})", hint="keep the file; restore a backup")
    if isinstance(error, PermissionError) or "readonly" in text or "unable to open" in text or "disk i/o" in text:
        return IntegrityError(f"{path}: cannot be written ({text})", hint="check the folder, its owner and its disk")
    return None


def _make_private(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _check_owner(connection: Any, path: Path) -> None:
    """Refuse a database of another program; mark an empty one as ours."""
    (found,) = connection.execute("pragma application_id").fetchone()
    (tables,) = connection.execute("select count(*) from sqlite_master").fetchone()
    if tables and found != APPLICATION_ID:
        raise WrongKey(f"{path}: this SQLite file belongs to another program")
    if not tables:
        connection.execute(f"pragma application_id = {APPLICATION_ID}")
