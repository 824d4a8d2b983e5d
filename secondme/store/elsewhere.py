"""The copies of a memory: forgetting looks into each, removes what was forgotten there too, or says why it cannot."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from secondme.errors import SecondmeError
from secondme.records import Copy, Note
from secondme.store.connect import open_copy
from secondme.store.copies import backups, drafts_of, let_go, unfinished
from secondme.store.pruning import matching, prune
from secondme.store.schema import is_current
from secondme.store.tombstones import Fingerprints, has_text

if TYPE_CHECKING:
    from secondme.store.store import Store

Found = TypeVar("Found")


def copies_of(store: Store) -> list[Path]:
    """Return the copies that there are or should be: automatic ones, and those the user had made elsewhere."""
    made = [Path(row[0]) for row in store.db.conn.execute("select path from copies order by path")]
    return list(dict.fromkeys([*backups(store.path), *made]))


def copies_with(store: Store, hashes: Fingerprints, uris: Collection[str]) -> list[Copy]:
    """Return what would become of the copies that hold what is about to be forgotten: items of these names."""

    def is_kept(note: Note) -> bool:
        return note.uri not in uris and has_text(store.db, note)

    return _through(store, lambda copy: len(matching(copy, hashes, but=is_kept)))


def clean_copies(store: Store, hashes: Fingerprints | None = None) -> list[Copy]:
    """Remove from all copies what has these hashes or was ever forgotten; return those that held some of it.

    One whose tables are older is deleted, and one that cannot be looked into now is named: what it holds goes the next
    time that something is forgotten while it is there.
    """
    for rest in [*unfinished(store.path), *(draft for copy in copies_of(store) for draft in drafts_of(copy))]:
        rest.unlink(missing_ok=True)
    known = store.tombstones.all()
    if hashes:
        known = Fingerprints(known.salts, {**known.since, **hashes.since})
    if not known.since:
        return []

    def is_kept(note: Note) -> bool:
        return has_text(store.db, note)

    def clean(copy: Store) -> int:
        found = matching(copy, known, but=is_kept)
        if not found:
            return 0
        if not is_current(copy.db):
            let_go(copy.path)
            return len(found)
        # No log may stay beside a copy.
        copy.db.conn.execute("pragma journal_mode = delete")
        return prune(copy, found)

    return _through(store, clean)


def looked_through(store: Store, look: Callable[[Store], Found]) -> Iterator[tuple[Path, Found | str]]:
    """Yield what a look into each copy gives, or why it cannot be looked into."""
    from secondme.store.store import Store

    for path in copies_of(store):
        try:
            before = path.stat()
            with Store.over(open_copy(path), path) as copy:
                found = look(copy)
            if path.exists() and path.stat().st_mtime_ns != before.st_mtime_ns:
                # Its time tells how new its content is.
                os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        except OSError as error:
            yield path, (error.strerror or str(error)).lower()
        except SecondmeError as error:
            yield path, str(error)
        else:
            yield path, found


def _through(store: Store, look: Callable[[Store], int]) -> list[Copy]:
    found = []
    for path, held in looked_through(store, lambda copy: (look(copy), is_current(copy.db))):
        if isinstance(held, str):
            found.append(Copy(str(path), "out of reach", why=held))
        elif held[0]:
            found.append(Copy(str(path), "cleaned" if held[1] else "deleted", held[0]))
    return found
