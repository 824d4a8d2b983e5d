"""Removing notes and facts for good: what rests on them goes too, and what they had taken the place of holds again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils.db import Database


def forgotten_with(db: Database, note_ids: Sequence[int]) -> list[int]:
    """Return the facts whose wording comes from these notes: they go when the notes do."""
    marks = ", ".join("?" * len(note_ids))
    query = f"select distinct memory_id from evidence where is_wording and note_id in ({marks}) order by 1"
    return [row[0] for row in db.conn.execute(query, list(note_ids))]


def turns_with(db: Database, note_ids: Sequence[int]) -> list[int]:
    """Return the turns of conversations that said these notes, or whose answer was drawn from them."""
    marks = ", ".join("?" * len(note_ids))
    query = f"""select id from turns where note_id in ({marks})
                union select turn_id from turn_sources where note_id in ({marks}) order by 1"""
    return [row[0] for row in db.conn.execute(query, [*note_ids, *note_ids])]


def remove_notes(db: Database, note_ids: Sequence[int], turns: Sequence[int]) -> None:
    """Remove notes with their marks, and turns of conversations. Call it within a transaction."""
    db.conn.executemany("delete from turns where id = ?", [(id,) for id in turns])
    db.conn.executemany(
        "delete from pinned_notes where uri = (select uri from notes where id = ?)", [(id,) for id in note_ids]
    )
    db.conn.executemany("delete from notes where id = ?", [(id,) for id in note_ids])
    # Where all that was said in one is gone, so is the conversation, whose name may say what it was about.
    db.conn.execute("delete from chats where id not in (select chat_id from turns)")


def remove(db: Database, ids: Sequence[int]) -> None:
    """Remove facts; lines of other notes that said the same are read again. Call it within a transaction."""
    for id in ids:
        db.conn.execute(
            """delete from digested where passage_id in (
                   select p.id from evidence e join passages p on p.note_id = e.note_id
                   where e.memory_id = ? and e.byte_start >= p.byte_start and e.byte_start < p.byte_end)""",
            (id,),
        )
        release(db, id)
        db.conn.execute("delete from memories where id = ?", (id,))


def release(db: Database, id: int) -> None:
    """Let what a fact took the place of hold again, up to what took its own place. Call it before removing the fact."""
    earlier = db.conn.execute("select id from memories where superseded_by = ?", (id,)).fetchall()
    if not earlier:
        return
    query = "select retired_at, valid_to, superseded_by from memories where id = ?"
    retired, until, by = db.conn.execute(query, (id,)).fetchone()
    for (one,) in earlier:
        if by is None:
            restore(db, one)
        else:
            db.conn.execute(
                "update memories set retired_at = ?, valid_to = coalesce(?, valid_to), superseded_by = ? where id = ?",
                (retired, until, by, one),
            )


def restore(db: Database, id: int) -> None:
    """Let a fact hold as it did before any other took its place. Call it within a transaction."""
    found = db.conn.execute(
        """select json_extract(s.value, '$[1].valid_to[0]') from changes c, json_each(c.operations, '$.set') s
           where c.undone_at is null and json_extract(s.value, '$[0]') = ?
           and json_type(s.value, '$[1].valid_to') is not null order by c.id limit 1""",
        (id,),
    ).fetchone()
    db.conn.execute("update memories set retired_at = null, superseded_by = null where id = ?", (id,))
    if found:
        db.conn.execute("update memories set valid_to = ? where id = ?", (found[0], id))
