"""What goes with notes that are forgotten, and its removal from one database."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from secondme.clock import now
from secondme.records import Note
from secondme.store import borrowed, removal
from secondme.store.tombstones import Fingerprints, forgotten_on

if TYPE_CHECKING:
    from secondme.store.store import Store

_COLUMNS = "id, uri, title, text, thread, author, origin, happened_at"


@dataclass(frozen=True, slots=True)
class Going:
    """What goes."""

    notes: Sequence[Note]
    ids: Sequence[int]
    words: set[str]
    heirs: dict[int, int]
    """By fact, the line whose words it has from now on."""
    facts: Sequence[int]
    turns: Sequence[int]


def going_with(store: Store, note_ids: Sequence[int]) -> Going:
    """Return what goes when these notes do: all versions of them, and what rests on them or tells of them."""
    rows = store.db.conn.execute(
        f"""select {_COLUMNS} from notes
            where uri in (select uri from notes where id in {borrowed.AMONG}) order by id""",
        (json.dumps(note_ids),),
    ).fetchall()
    notes, ids = [_note_of(row) for row in rows], [row[0] for row in rows]
    words = {word for note in notes for word in borrowed.words_of(f"{note.text} {note.title} {note.author}")}
    heirs = borrowed.heirs(store.db, ids)
    others = borrowed.borrowed_facts(store.db, ids, words)
    facts = sorted((borrowed.facts_worded_by(store.db, ids) - set(heirs)) | others)
    turns = borrowed.turns_with(store.db, ids, [note.text for note in notes])
    return Going(notes, ids, words, {k: v for k, v in heirs.items() if k not in others}, facts, turns)


def remove(store: Store, going: Going) -> int:
    """Remove what goes; return how many conversations lost their name with it. Call it within a transaction."""
    db = store.db
    removal.pass_on(db, going.heirs)
    removal.remove(db, going.facts)
    borrowed.drop_borrowed_drafts(db, going.ids, going.words)
    store.remove_passages(going.ids)
    removal.remove_notes(db, going.ids, going.turns)
    removal.remove_traces_of_files(db, [note.uri for note in going.notes], forgotten_on(now()))
    names = borrowed.names_telling(db, going.words)
    db.conn.executemany("update chats set name = '' where id = ?", [(id,) for id in names])
    return len(names)


def matching(store: Store, hashes: Fingerprints, *, but: Callable[[Note], bool]) -> list[int]:
    """Return the notes that have one of these hashes, but for some."""
    rows = store.db.conn.execute(f"select {_COLUMNS} from notes")
    return [row[0] for row in rows if hashes.has(note := _note_of(row)) and not but(note)]


def prune(store: Store, ids: Sequence[int]) -> int:
    """Remove notes with what goes with them; return how many versions there were."""
    if not ids:
        return 0
    with store.writing():
        going = going_with(store, ids)
        remove(store, going)
    return len(going.ids)


def _note_of(row: Sequence[object]) -> Note:
    from secondme.store.store import note_of

    return note_of(row)
