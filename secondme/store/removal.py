"""Removing notes and facts for good: what rests on them goes too, and what they had taken the place of holds again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from secondme.store.borrowed import AMONG

if TYPE_CHECKING:
    from sqlite_utils.db import Database


def remove_notes(db: Database, note_ids: Sequence[int], turns: Sequence[int]) -> None:
    """Remove notes with their marks, and turns of conversations. Call it within a transaction."""
    ids = (json.dumps(note_ids),)
    db.conn.execute("delete from turns where id in (select value from json_each(?))", (json.dumps(turns),))
    db.conn.execute(f"delete from pinned_notes where uri in (select uri from notes where id in {AMONG})", ids)
    db.conn.execute(f"delete from notes where id in {AMONG}", ids)
    # Where all that was said in one is gone, so is the conversation, whose name may say what it was about.
    db.conn.execute("delete from chats where id not in (select chat_id from turns)")


def remove_traces_of_files(db: Database, uris: Sequence[str], why: str) -> None:
    """Know no more of the files of these items than that they are left out. Call it within a transaction."""
    files = """select distinct f.id, f.path from files f join file_items i on i.file_id = f.id
               where i.uri in (select value from json_each(?))"""
    found = db.conn.execute(files, (json.dumps(uris),)).fetchall()
    db.conn.execute("delete from file_items where uri in (select value from json_each(?))", (json.dumps(uris),))
    for id, path in found:
        db.conn.execute("update jobs set error = '' where path = ?", (path,))
        if db.conn.execute("select 1 from file_items where file_id = ?", (id,)).fetchone():
            continue
        if os.path.lexists(path):
            db.conn.execute("update files set state = 'skipped', why = ?, digest = '' where id = ?", (why, id))
        else:
            db.conn.execute("delete from files where id = ?", (id,))
            db.conn.execute("delete from jobs where path = ?", (path,))


def pass_on(db: Database, heirs: Mapping[int, int]) -> None:
    """Let other lines, by fact, be those whose words a fact has. Call it within a transaction."""
    db.conn.executemany("update evidence set is_wording = 1 where id = ?", [(id,) for id in heirs.values()])


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
