"""Puts a copy of a database with another key, or without one, in its place: whole, checked, and in one step."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.errors import IntegrityError, Locked, WrongKey
from secondme.keys import is_sealed
from secondme.store.checks import damage_in
from secondme.store.connect import open_copy, storage_errors
from secondme.store.copies import sync
from secondme.store.index import Index
from secondme.store.presence import alone

if TYPE_CHECKING:
    from sqlite_utils.db import Database

    from secondme.keys import Key

FOLDER = ".sealing"
"""Where the new file is made, beside the database; after a crash it holds what has to be erased."""
BLOCK = 1 << 20


def reseal(path: Path, old: Key | None, new: Key | None, *, folder: Path) -> None:
    """Replace the file at `path` by one with the key `new`; at any instant, either the old or the new one is whole.

    The caller is `alone` with it; `folder` is on the same disk. The old bytes are overwritten. Raises WrongKey and
    IntegrityError, and then nothing has changed.
    """
    with storage_errors(path):
        _clear(folder)
        folder.mkdir(mode=0o700)
    fresh = folder / "new"
    try:
        log = path.with_name(path.name + "-wal")
        with storage_errors(path):
            if log.exists():
                # SQLite removes it in a moment, and does not overwrite it.
                os.link(log, folder / "log")
        rows = _export(path, fresh, old, new)
        _check(fresh, new, rows)
        with storage_errors(path):
            sync(fresh)
            os.link(path, folder / "old")
            os.replace(fresh, path)
            sync(path.parent)
    finally:
        with storage_errors(path):
            _clear(folder)


def fits(path: Path, key: Key | None) -> bool:
    """True if the file at `path` has this key, or none where that is None."""
    if key is None or not is_sealed(path):
        return key is None and not is_sealed(path)
    try:
        open_copy(path, key).close()
    except WrongKey:
        return False
    return True


def sweep(path: Path) -> None:
    """Erase what a crash left of changing the key of the database at `path`, unless that is under way."""
    folder = path.parent / FOLDER
    if folder.exists():
        with suppress(Locked), alone(path, seconds=0.0), storage_errors(path):
            _clear(folder)


def _export(path: Path, fresh: Path, old: Key | None, new: Key | None) -> dict[str, int]:
    """Copy all there is into the new file; return how many rows each table has."""
    with closing(open_copy(path, old)) as db:
        with storage_errors(path):
            os.close(os.open(fresh, os.O_CREAT | os.O_EXCL, 0o600))
        execute = db.conn.execute
        execute("attach ? as fresh key ?", (str(fresh), new.value if new else ""))
        execute("select sqlcipher_export('fresh')").fetchall()
        for pragma in ("application_id", "user_version"):
            (value,) = execute(f"pragma main.{pragma}").fetchone()
            execute(f"pragma fresh.{pragma} = {value}")
        execute("detach fresh")
        return _rows(db)


def _check(path: Path, key: Key | None, rows: dict[str, int]) -> None:
    """Raise IntegrityError where a copy is not whole."""
    with closing(open_copy(path, key)) as db:
        execute = db.conn.execute
        if key and execute("pragma cipher_integrity_check").fetchall():
            raise _differs("its pages are damaged")
        if _rows(db) != rows:
            raise _differs("rows are missing")
        if found := damage_in(db):
            raise _differs("; ".join(found))
        if "passage_words_data" in rows and not _finds(db):
            raise _differs("words are not found")


def _rows(db: Database) -> dict[str, int]:
    # Those without pages are virtual: what they hold is in tables of their own.
    names = db.conn.execute("select name from sqlite_master where type = 'table' and rootpage > 0").fetchall()
    return {name: db.conn.execute(f'select count(*) from "{name}"').fetchone()[0] for (name,) in names}


def _finds(db: Database) -> bool:
    """True if the last passage can be found by its first word, or there is none."""
    found = db.conn.execute("select text from passages order by id desc limit 1").fetchone()
    index = Index(db)
    words = index.terms(found[0]) if found else []
    return not words or index.has(words[0])


def _differs(why: str) -> IntegrityError:
    return IntegrityError(f"the copy is not as the memory is: {why}; nothing was changed", hint="secondme doctor")


def _clear(folder: Path) -> None:
    """Overwrite and remove the files of a folder, and the folder."""
    if not folder.exists():
        return
    for path in folder.iterdir():
        erase(path)
    folder.rmdir()
    sync(folder.parent)


def erase(path: Path) -> None:
    """Overwrite and remove a file; one that has another name too is in use, and loses only this one."""
    found = path.stat()
    # Killed at the wrong moment, the file that is to be replaced has two.
    left = found.st_size if found.st_nlink == 1 else 0
    with path.open("r+b", buffering=0) as file:
        while left > 0:
            left -= file.write(b"\0" * min(left, BLOCK))
        os.fsync(file.fileno())
    path.unlink()
