"""What tells that a file is a memory no more, and the way back from there."""

from __future__ import annotations

from pathlib import Path

from secondme.errors import Damaged, SecondmeError

APPLICATION_ID = 0x53324D45
"""What a database of ours has in its head, four bytes after the 68th."""

MAGIC, HEAD = b"SQLite format 3\0", 100


def damaged(path: Path, why: str) -> Damaged:
    """Return the error of a database that is not as it was written, with the way back."""
    from secondme.store.copies import way_back  # which opens databases itself

    return Damaged(f"{path}: the database is damaged ({why})", hint=way_back(path))


def find_damage(path: Path) -> Damaged | None:
    """Return what is wrong with the memory at `path`, where something is: mistakes may come from there."""
    from contextlib import closing

    from secondme.store.checks import look_through
    from secondme.store.connect import open_copy

    if not path.exists():
        return None
    try:
        with closing(open_copy(path)) as db:
            wrong = [one for one in look_through(db) if not one.ok]
    except Damaged as error:
        return error
    except SecondmeError:
        return None
    return damaged(path, f"{wrong[0].name}: {wrong[0].problem}") if wrong else None


def was_ours(path: Path) -> bool:
    """True if the file at `path`, which is no database, was a memory, as far as its beginning tells."""
    with path.open("rb") as file:
        beginning = file.read(HEAD)
    is_named = beginning[68:72] == APPLICATION_ID.to_bytes(4, "big")
    return is_named or not any(beginning) or (len(beginning) < HEAD and beginning.startswith(MAGIC))


def has_copies(path: Path) -> bool:
    """True if copies were made of the memory at `path`: then it was not always empty."""
    return any((path.parent / "backups").glob("memory-*.db"))
