"""Notes in which something was masked, and masking what was stored before it was known to be a secret."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from secondme.records import Note, Span
from secondme.store import borrowed, removal
from secondme.store.elsewhere import looked_through
from secondme.store.schema import is_current
from secondme.store.store import NOTE_COLUMNS, note_of

if TYPE_CHECKING:
    from secondme.store.store import Store

Mask = Callable[[str], str]
Cut = Callable[[Note], Sequence[Span]]


def notes_with(store: Store, part: str) -> Iterator[tuple[Note, bool]]:
    """Yield the notes whose text or title has this part, earlier versions too, each with whether it is current."""
    query = f"""select replaced_at is null, {NOTE_COLUMNS} from notes
                where instr(text, ?1) or instr(title, ?1) order by id"""
    for is_newest, *row in store.db.conn.execute(query, (part,)):
        yield note_of(row), bool(is_newest)


def unmasked(store: Store, mask: Mask) -> list[str]:
    """Return the ids of the notes that hold what would be masked today."""
    rows = store.db.conn.execute("select id, text, title from notes order by id")
    return [f"n{id}" for id, text, title in rows if mask(text) != text or mask(title) != title]


def mask_stored(store: Store, mask: Mask, cut: Cut) -> tuple[int, list[str]]:
    """Mask what is stored, here and in every copy; return how many notes were changed, and copies out of reach.

    Facts in the words of what was masked go, and the next night reads the notes again.
    """
    changed = _mask_in(store, mask, cut)

    def look(copy: Store) -> int:
        if not is_current(copy.db):
            return -1
        copy.db.conn.execute("pragma journal_mode = delete")
        return _mask_in(copy, mask, cut)

    found = list(looked_through(store, look))
    return changed, [
        f"{path}: {held if isinstance(held, str) else 'its tables are older'}"
        for path, held in found
        if isinstance(held, str) or held < 0
    ]


def _mask_in(store: Store, mask: Mask, cut: Cut) -> int:
    db = store.db
    with store.writing():
        # The current version comes first: of two that are the same without their secrets, it stays.
        rows = db.conn.execute(
            f"select replaced_at is null, {NOTE_COLUMNS} from notes order by replaced_at is not null, id desc"
        ).fetchall()
        changed = [
            _mask_note(store, note_of(row), mask, cut, is_newest=bool(is_newest))
            for is_newest, *row in rows
            if mask(row[3]) != row[3] or mask(row[2]) != row[2]
        ]
        facts = db.conn.execute("select id, text from memories").fetchall()
        removal.remove(db, [id for id, text in facts if mask(text) != text])
        for table, column in (("turns", "text"), ("turns", "answer"), ("chats", "name"), ("rejections", "text")):
            texts = db.conn.execute(f"select id, {column} from {table}").fetchall()
            masked = [(mask(text), id) for id, text in texts if mask(text) != text]
            db.conn.executemany(f"update {table} set {column} = ? where id = ?", masked)
    return len(changed)


def _mask_note(store: Store, note: Note, mask: Mask, cut: Cut, *, is_newest: bool) -> Note:
    execute, id = store.db.conn.execute, int(note.id[1:])
    masked = Note(
        mask(note.text), note.uri, note.thread, note.author, note.happened_at, note.origin, mask(note.title), note.id
    )
    removal.remove(store.db, sorted(borrowed.facts_worded_by(store.db, [id])))
    execute("delete from evidence where note_id = ?", (id,))
    execute("delete from rejections where note_id = ?", (id,))
    store.remove_passages([id])
    digest = hashlib.sha256(masked.text.encode()).hexdigest()
    if execute("select 1 from notes where uri = ? and digest = ? and id <> ?", (note.uri, digest, id)).fetchone():
        removal.remove_notes(store.db, [id], [])
        return masked
    execute("update notes set text = ?, title = ?, digest = ? where id = ?", (masked.text, masked.title, digest, id))
    if is_newest:
        store.add_passages(id, masked, cut(masked))
    return masked
