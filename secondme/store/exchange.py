"""Whole notes, out of the tables and back in, with every version and its moments."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from secondme.clock import from_text, to_text
from secondme.records import Note, Skipped, Span
from secondme.store.store import NOTE_COLUMNS, Store, note_of
from secondme.store.tombstones import forgotten_on


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a source item."""

    note: Note
    added_at: datetime
    replaced_at: datetime | None
    """When a later version took its place; None for the current one."""


def read_versions(store: Store) -> Iterator[Version]:
    """Yield every version of every note in the order they were stored, as of now."""
    query = f"select added_at, replaced_at, {NOTE_COLUMNS} from notes order by id"
    for added, replaced, *row in store.db.conn.execute(query):
        yield Version(note_of(row), from_text(added), from_text(replaced) if replaced else None)


def add_versions(
    store: Store, versions: Iterable[tuple[Version, Sequence[Span]]]
) -> tuple[list[tuple[int, bool]], list[Skipped]]:
    """Store versions with their passages in one transaction; return (id, was it already known) for each.

    What was forgotten stays out, and is returned as well.

    Of two that claim to be current the one added later is; the other is kept as replaced at that moment.
    """
    with store.writing():
        stored, skipped = [], []
        for version, spans in versions:
            if moment := store.tombstones.since(version.note):
                skipped.append(Skipped(version.note.uri, forgotten_on(moment), True))
            else:
                stored.append(_add_version(store, version, spans))
        return stored, skipped


def _add_version(store: Store, version: Version, spans: Sequence[Span]) -> tuple[int, bool]:
    note, execute = version.note, store.db.conn.execute
    digest = hashlib.sha256(note.text.encode()).hexdigest()
    known = execute("select id, replaced_at from notes where uri = ? and digest = ?", (note.uri, digest)).fetchone()
    current = execute(
        "select id, added_at, digest from notes where uri = ? and replaced_at is null", (note.uri,)
    ).fetchone()
    if known and (current or version.replaced_at):
        return known[0], True
    added = to_text(version.added_at)
    replaced = to_text(version.replaced_at) if version.replaced_at else None
    if current and replaced is None:
        # The digest decides between versions of the same second, so that two memories agree whichever imports.
        if (added, digest) > current[1:]:
            store.retire(current[0], added)
        else:
            replaced = current[1]
    if known:
        note_id = known[0]
        execute("update notes set replaced_at = null where id = ?", (note_id,))
    else:
        note_id = _insert(store, note, (digest, added, replaced))
    if replaced is None:
        store.add_passages(note_id, note, spans)
    return note_id, False


def _insert(store: Store, note: Note, moments: tuple[str, str, str | None]) -> int:
    assert note.happened_at is not None
    digest, added, replaced = moments
    row = (note.uri, digest, note.title, note.text, note.thread, note.author, note.origin, to_text(note.happened_at))
    inserted = store.db.conn.execute(
        """insert into notes (uri, digest, title, text, thread, author, origin, happened_at, added_at, replaced_at)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (*row, added, replaced),
    )
    assert inserted.lastrowid is not None
    return inserted.lastrowid
