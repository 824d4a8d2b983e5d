"""What the driver and the system say about a database file, told so that people can act on it."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from secondme.errors import IntegrityError, Locked, SecondmeError, WrongKey
from secondme.keys import WAYS, Key
from secondme.store.damage import damaged, was_ours

LEAST_ROOM = 65_536
"""Bytes on the disk below which the files beside the database cannot be made."""

PAGE = 4096


def is_full(error: Exception, path: Path) -> bool:
    """True if an error came from a disk without room, where `path` lies on that disk."""
    name = str(getattr(error.__cause__, "sqlite_errorname", ""))
    return name.startswith("SQLITE_FULL") or (
        name.startswith("SQLITE_IOERR") and shutil.disk_usage(path.parent).free < LEAST_ROOM
    )


def explain(error: Exception, path: Path) -> SecondmeError | None:
    """Return the error people can act on, None where the file itself is not to blame."""
    if isinstance(error, OSError):
        name = "FULL" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "CANTOPEN"
    else:
        name = str(getattr(error, "sqlite_errorname", "")).removeprefix("SQLITE_").partition("_")[0]
        # The driver may fail to read what SQLite says of a damaged table.
        if isinstance(error, UnicodeDecodeError) or str(error).startswith("Could not decode"):
            return damaged(path, "a text is none")
        # Even a reader needs a little room, and what it is told without any does not name the disk.
        if name == "IOERR" and shutil.disk_usage(path.parent).free < LEAST_ROOM:
            name = "FULL"
    match name:
        case "BUSY" | "LOCKED":
            return Locked(f"{path}: another process is writing", hint="try again in a moment")
        case "NOTADB" if not was_ours(path):
            found = WrongKey(f"{path}: not a secondme database, or encrypted with another key")
            found.needs_key = True
            return found
        case "FULL":
            return IntegrityError(
                f"{path}: no space left on the disk; nothing of this was stored", hint="free some space and try again"
            )
        case "CORRUPT" | "NOTADB":
            return damaged(path, str(error))
        case "READONLY" | "CANTOPEN" | "IOERR" | "PERM" | "AUTH":
            return IntegrityError(
                f"{path}: cannot be read or written ({error})", hint="check the folder, its owner and its disk"
            )
    return None


def explain_key(path: Path, key: Key | None) -> WrongKey:
    """Return why the file cannot be read with this key, as well as its beginning tells; another key may help."""
    if key:
        found = WrongKey(
            f"{path}: the key does not fit, or the beginning of the file is damaged",
            hint="try the key again; what a key file or command gives is its first line",
        )
    else:
        if not looks_encrypted(path):
            return WrongKey(f"{path}: not a secondme database, or damaged at its beginning")
        found = WrongKey(f"{path}: encrypted, and no key was given", hint=WAYS)
    found.needs_key = True
    return found


def looks_encrypted(path: Path) -> bool:
    """True if a file that is no database of ours may be an encrypted one: it looks like chance, in whole pages."""
    with path.open("rb") as file:
        beginning = file.read(64)
    return bool(beginning) and not path.stat().st_size % PAGE and any(byte > 127 for byte in beginning)
