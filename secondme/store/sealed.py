"""An export in an encrypted file: a SQLCipher database with one table, `export`, that has one line in each row."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from secondme.errors import UsageError
from secondme.store.connect import open_file, storage_errors
from secondme.store.copies import sync
from secondme.store.damage import APPLICATION_ID
from secondme.store.failures import looks_encrypted

if TYPE_CHECKING:
    from sqlite_utils.db import Database

    from secondme.keys import Key

EXPORT_ID = 0x53324558
"""What such a file has in its head, where a memory has another."""


class _Lines(io.RawIOBase):
    """Each line that is written is a row; what is read are the rows, one after the other."""

    def __init__(self, db: Database) -> None:
        super().__init__()
        self._db = db
        self._rows: Iterator[tuple[bytes]] | None = None
        self._left = b""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def write(self, line: bytes) -> int:  # type: ignore[override]
        self._db.conn.execute("insert into export (line) values (?)", (line.decode(),))
        return len(line)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._rows is None:
            self._rows = iter(self._db.conn.execute("select cast(line as blob) from export order by id"))
        if not self._left:
            self._left = next(self._rows, (b"",))[0]
        part, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


@contextmanager
def writing_sealed(path: Path, key: Key) -> Iterator[IO[bytes]]:
    """Yield an encrypted file, to be written line by line, that takes the name `path` once it is whole."""
    with storage_errors(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
    try:
        with closing(open_file(Path(name), key)) as db:
            db.conn.execute(f"pragma application_id = {EXPORT_ID}")
            db.conn.execute("begin")
            db.conn.execute("create table export (id integer primary key, line text not null) strict")
            yield cast(IO[bytes], _Lines(db))
            db.conn.execute("commit")
        with storage_errors(path):
            sync(Path(name))
            os.replace(name, path)
            sync(path.parent)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def reading_sealed(path: Path, key: Key) -> Iterator[IO[bytes]]:
    """Yield the lines of an encrypted export. Raises WrongKey, and UsageError where it is another file."""
    with closing(open_file(path, key)) as db:
        (found,) = db.conn.execute("pragma application_id").fetchone()
        if found != EXPORT_ID:
            hint = f"secondme restore {path}" if found == APPLICATION_ID else "secondme export --encrypt FILE makes one"
            raise UsageError(f"{path}: no export", hint=hint)
        yield cast(IO[bytes], io.BufferedReader(_Lines(db)))


def is_sealed_export(path: Path) -> bool:
    """True if the file may be an encrypted export: it is no text."""
    return path.is_file() and looks_encrypted(path)
