"""Gives what is in a file its new place when the file was moved: same notes, same facts, nothing computed again."""

from __future__ import annotations

from secondme.store.store import Store


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
