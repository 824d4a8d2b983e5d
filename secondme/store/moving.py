"""Gives what is in a file its new place when the file was moved: same notes, same facts, nothing computed again."""

from __future__ import annotations

from secondme.clock import to_text
from secondme.records import Note
from secondme.store.store import Store, label


def move_items(store: Store, old: str, new: str) -> bool:
    """Name all versions of `old`, and of items `old#...` in it, after `new`; return False where `new` has notes.

    Call it within a transaction.
    """
    execute = store.db.conn.execute
    inside = "(uri = ?1 or substr(uri, 1, length(?1) + 1) = ?1 || '#')"
    if execute(f"select 1 from notes where {inside} limit 1", (new,)).fetchone():
        return False
    execute(f"update notes set uri = ?2 || substr(uri, length(?1) + 1) where {inside}", (old, new))
    execute("update notes set thread = ?2 where thread = ?1", (old, new))
    return True


def rename_note(store: Store, note: Note) -> None:
    """Give the current version of an item the title and time that `note`, of the same name and text, has.

    What a passage is found by holds the title: its words follow at once, its vectors are computed anew. Call it within
    a transaction.
    """
    execute = store.db.conn.execute
    assert note.happened_at is not None
    query = "select id, title from notes where uri = ? and replaced_at is null"
    id, title = execute(query, (note.uri,)).fetchone()
    execute("update notes set title = ?, happened_at = ? where id = ?", (note.title, to_text(note.happened_at), id))
    if title == note.title:
        return
    passages = execute("select id, label, text, heading from passages where note_id = ?", (id,)).fetchall()
    for passage, old, text, heading in passages:
        new = label(note, heading)
        execute(
            "insert into passage_words (passage_words, rowid, label, text) values ('delete', ?, ?, ?)",
            (passage, old, text),
        )
        execute("update passages set label = ? where id = ?", (new, passage))
        execute("insert into passage_words (rowid, label, text) values (?, ?, ?)", (passage, new, text))
        execute("insert or ignore into passages_waiting values (?)", (passage,))
