"""Open the database file: driver, extension, pragmas, and errors people can act on. Alone imports a driver."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlcipher3
from sqlcipher3 import dbapi2

from secondme.errors import IntegrityError, Locked, NoDatabase, WrongKey
from secondme.keys import Key, known
from secondme.privacy import make_file
from secondme.store.damage import APPLICATION_ID, damaged, has_copies
from secondme.store.failures import explain, explain_key
from secondme.store.presence import Presence

# sqlite-utils uses the driver registered under this name; it has to be there before the first import.
sys.modules.setdefault("pysqlite3", sqlcipher3)
sys.modules.setdefault("pysqlite3.dbapi2", dbapi2)

import sqlite_utils  # noqa: E402
import sqlite_vec  # noqa: E402

if TYPE_CHECKING:
    from sqlite_utils.db import Database

DRIVER_ERROR: type[Exception] = dbapi2.DatabaseError
SAFE_SQLITE = (3, 51, 3)
"""Older ones can corrupt a WAL file under several connections."""

PATIENCE = 5.0
"""Seconds to wait for another process that writes."""

PRAGMAS = """
    pragma synchronous = full;
    pragma foreign_keys = on;
    pragma secure_delete = on;
    pragma trusted_schema = off;
    pragma cell_size_check = on;
    pragma mmap_size = 0;
    pragma cache_size = -65536;
    pragma temp_store = memory;
"""


def open_database(path: Path, *, create: bool, key: Key | None = None) -> Database:
    """Return an open database in autocommit mode; writes go through `writing`. It stays in its place until closed.

    What the driver says about the file itself is raised as an error people can act on. Raises NoDatabase where the file
    is absent and `create` is false, and WrongKey.
    """
    _check_version()
    if not create and not path.exists():
        raise NoDatabase(f"{path}: no memory here yet", hint='add something first: secondme add "..."')
    with storage_errors(path):
        make_file(path)
        presence = Presence(path, seconds=PATIENCE)
    return _open(path, _prepare, key, presence)


def open_copy(path: Path, key: Key | None = None) -> Database:
    """Return a copy of the memory, open to be looked through; looking writes nothing, not even beside the file.

    Without a key, those that this process has are tried: a copy has the key of its memory. Raises WrongKey where it is
    no copy of a memory, or of one with another key.
    """
    for one in () if key else (None, *known()):
        try:
            return _open(path, _prepare_copy, one)
        except WrongKey as error:
            if not error.needs_key:
                raise
    return _open(path, _prepare_copy, key)


def open_file(path: Path, key: Key) -> Database:
    """Return an encrypted database of any kind, open; an empty file becomes one. Raises WrongKey."""
    return _open(path, lambda connection, _: _application(connection), key)


def open_cache(path: Path, key: Key | None, *, seconds: float) -> Database:
    """Return a database that may be lost at any time, open; what the driver says of it is raised as it is."""
    _check_version()
    make_file(path)
    connection = dbapi2.connect(str(path), timeout=seconds, isolation_level=None)
    _use_key(connection, key)
    return sqlite_utils.Database(connection)


def key_of(db: Database) -> Key | None:
    """Return the key that a database was opened with; what is copied from it has the same one."""
    connection: Any = db.conn
    found: Key | None = connection.key
    return found


def _open(
    path: Path, prepare: Callable[[Any, Path], object], key: Key | None, presence: Presence | None = None
) -> Database:
    with storage_errors(path):
        connection = dbapi2.connect(str(path), timeout=PATIENCE, isolation_level=None, factory=_Connection)
    connection.path, connection.presence, connection.key = path, presence, key
    try:
        _use_key(connection, key)
        _load_vectors(connection)
        prepare(connection, path)
    except WrongKey as error:
        connection.close()
        if error.needs_key:
            raise explain_key(path, key) from error
        raise
    except BaseException:
        connection.close()
        raise
    return sqlite_utils.Database(connection)


def copy_database(db: Database, path: Path) -> Database:
    """Return a copy of the database in RAM; errors speak of `path`."""
    copy = dbapi2.connect(":memory:", isolation_level=None, factory=_Connection)
    source: Any = db.conn
    # Pages of an encrypted file fit into an encrypted copy only, whatever its key.
    copy.path, copy.key = path, source.key and Key(secrets.token_hex(32))
    _use_key(copy, copy.key)
    _load_vectors(copy)
    with storage_errors(path):
        source.backup(copy)
    copy.executescript(PRAGMAS)
    return sqlite_utils.Database(copy)


def _use_key(connection: Any, key: Key | None) -> None:
    if key:
        # Its own log would go to stderr.
        connection.execute("pragma cipher_log_level = none")
        quoted = key.value.replace("'", "''")
        connection.execute(f"pragma key = '{quoted}'")


def versions() -> dict[str, str]:
    """Return the versions of the driver and of what is in it. Raises IntegrityError where a part of it is missing."""
    _check_version()
    connection = dbapi2.connect(":memory:")
    try:
        connection.enable_load_extension(True)
        sqlite_vec.load(connection)
        (vectors,) = connection.execute("select vec_version()").fetchone()
        connection.execute("create virtual table words using fts5 (text, tokenize = 'porter unicode61')")
        (cipher,) = connection.execute("pragma cipher_version").fetchone()
    except (dbapi2.DatabaseError, AttributeError) as error:
        raise IntegrityError(f"the database driver lacks something: {error}", hint="install secondme again") from error
    finally:
        connection.close()
    sqlite = {"sqlcipher3": metadata.version("sqlcipher3"), "SQLite": dbapi2.sqlite_version, "SQLCipher": cipher}
    return {**sqlite, "sqlite-vec": vectors, "FTS5": "there"}


@contextmanager
def writing(db: Database) -> Iterator[None]:
    """Hold the write lock for one decision: all of it is stored when this ends, or nothing is."""
    nested = db.conn.in_transaction
    if nested:
        with db.atomic():
            yield
        return
    # Taking the lock at once avoids the failure of a reader that turns into a writer too late.
    db.conn.execute("begin immediate")
    try:
        yield
        db.conn.execute("commit")
    except BaseException:
        # A full disk has undone the transaction already.
        if db.conn.in_transaction:
            db.conn.execute("rollback")
        raise


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn errors of the driver and of the system about the file itself into ones that say what to do."""
    try:
        yield
    except (dbapi2.DatabaseError, OSError, UnicodeDecodeError) as error:
        known = explain(error, path)
        if known is None:
            raise
        raise known from error


class _Cursor(dbapi2.Cursor):  # type: ignore[misc]  # the driver has no types
    """A cursor whose errors about the file say what to do, wherever rows are read."""

    def execute(self, *arguments: Any) -> Any:
        with storage_errors(self.connection.path):
            return super().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        with storage_errors(self.connection.path):
            return super().executemany(*arguments)

    def executescript(self, *arguments: Any) -> Any:
        with storage_errors(self.connection.path):
            return super().executescript(*arguments)

    def fetchone(self) -> Any:
        with storage_errors(self.connection.path):
            return super().fetchone()

    def fetchall(self) -> Any:
        with storage_errors(self.connection.path):
            return super().fetchall()

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except (dbapi2.DatabaseError, UnicodeDecodeError) as error:
            # Spelled out, because this runs once for each row.
            raise (explain(error, self.connection.path) or error) from error


class _Connection(dbapi2.Connection):  # type: ignore[misc]  # the driver has no types
    """A connection that knows its file."""

    path: Path
    presence: Presence | None = None
    key: Key | None = None

    def close(self) -> None:
        """Close, and let others be alone with the file."""
        super().close()
        if self.presence:
            self.presence.end()

    def cursor(self, factory: type[_Cursor] = _Cursor) -> Any:
        return super().cursor(factory)


def _load_vectors(connection: Any) -> None:
    connection.enable_load_extension(True)
    try:
        sqlite_vec.load(connection)
    except dbapi2.OperationalError as error:
        raise IntegrityError(f"sqlite-vec cannot be loaded: {error}", hint="install secondme again") from error
    connection.enable_load_extension(False)


def _check_version() -> None:
    if dbapi2.sqlite_version_info < SAFE_SQLITE:
        raise IntegrityError(
            f"SQLite {dbapi2.sqlite_version} can corrupt a database that two processes use",
            hint="pip install --upgrade sqlcipher3",
        )


def _prepare(connection: Any, path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            _check_owner(connection, path)
            connection.execute("pragma journal_mode = wal")
            connection.executescript(PRAGMAS)
            return
        except Locked:
            # Processes that turn a new file into a WAL file at once are told so without having waited for each other.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _prepare_copy(connection: Any, path: Path) -> None:
    if _application(connection) != APPLICATION_ID:
        raise WrongKey(f"{path}: not a copy of a memory")
    connection.executescript(PRAGMAS)


def _check_owner(connection: Any, path: Path) -> None:
    """Refuse a database of another program; mark an empty one as ours."""
    found = _application(connection)
    (tables,) = connection.execute("select count(*) from sqlite_master").fetchone()
    if tables and found != APPLICATION_ID:
        query = "select 1 from sqlite_master where name = 'passages_waiting'"
        if connection.execute(query).fetchone():
            raise damaged(path, "its name is another")
        raise WrongKey(f"{path}: this SQLite file belongs to another program")
    if not tables and has_copies(path):
        raise damaged(path, "it is empty")
    if not tables:
        connection.execute(f"pragma application_id = {APPLICATION_ID}")


def _application(connection: Any) -> int:
    (found,) = connection.execute("pragma application_id").fetchone()
    return int(found)
