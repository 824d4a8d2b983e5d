"""Which pages make way for one that nobody has asked for yet, and which of them are asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from secondme.clock import to_text

if TYPE_CHECKING:
    from sqlite_utils.db import Database

SHARE = 0.9
"""The part of the budget that is filled ahead; the rest is for what answers read."""
MEMORY = timedelta(days=30)
"""How long it counts that a page was used."""


def make_way(db: Database, *, note_id: int, room: float, now: datetime) -> bool:
    """Remove pages until the others take no more than `room`; return whether that could be done.

    A page that was used stays, and so does one of a note stored later: what is read ahead never takes turns.
    """
    (taken,) = db.conn.execute("select coalesce(sum(length), 0) from pages").fetchone()
    over, going = taken - room, []
    query = """select id, length from pages where note_id is not null and iif(uses, used_at < ?, note_id < ?)
               order by uses > 0, note_id, id"""
    for id, length in db.conn.execute(query, (to_text(now - MEMORY), note_id)).fetchall():
        if over <= 0:
            break
        going.append((id,))
        over -= length
    if over > 0:
        return False
    db.conn.executemany("delete from pages where id = ?", going)
    return True


def used_sources(db: Database) -> list[tuple[int, bytes]]:
    """Return (note, what stands for the text of its passage) of each passage with a page that was used, most first."""
    query = """select note_id, source from pages where note_id is not null and uses > 0
               group by note_id, source order by sum(uses) desc, max(used_at) desc"""
    return [(note_id, source) for note_id, source in db.conn.execute(query)]
