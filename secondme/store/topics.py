"""Which passages belong to one topic: streams of a thread that were cut where they turn to something else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from secondme.clock import from_text

if TYPE_CHECKING:
    from sqlite_utils.db import Database


@dataclass(frozen=True, slots=True)
class Stream:
    """The passages of one thread in reading order."""

    ids: Sequence[int]
    moments: Sequence[datetime]
    sizes: Sequence[int]
    """Characters."""
    first_new: int
    """Place of the first passage that belongs to no topic yet."""


class Topics:
    """The topics of one database; a topic has the number of its first passage."""

    def __init__(self, db: Database) -> None:
        """Use the tables of `db`."""
        self.db = db

    def waiting(self) -> list[str]:
        """Return the threads with passages that have vectors but no topic."""
        rows = self.db.conn.execute(
            """select distinct n.thread from passages p join notes n on n.id = p.note_id where p.id in (
                   select id from passages except select passage_id from topics
                   except select passage_id from passages_waiting)"""
        )
        return [row[0] for row in rows.fetchall()]

    def stream(self, thread: str) -> Stream:
        """Return the passages of a thread that have vectors."""
        rows = self.db.conn.execute(
            """select p.id, n.happened_at, length(p.text), t.topic is null
               from notes n join passages p on p.note_id = n.id left join topics t on t.passage_id = p.id
               where n.thread = ? and n.replaced_at is null
                   and not exists (select 1 from passages_waiting w where w.passage_id = p.id)
               order by n.happened_at, n.id, p.position""",
            (thread,),
        ).fetchall()
        ids, moments, sizes, is_new = zip(*rows, strict=True) if rows else ((), (), (), ())
        first = is_new.index(1) if 1 in is_new else len(ids)
        return Stream(ids, [from_text(moment) for moment in moments], sizes, first)

    def save(self, rows: Iterable[tuple[int, int]]) -> None:
        """Store (passage, topic). Call it within a transaction."""
        self.db.conn.executemany("insert or replace into topics values (?, ?)", rows)

    def of(self, passage_ids: Sequence[int]) -> dict[int, int]:
        """Return the topics of those of these passages that have one."""
        marks = ", ".join("?" * len(passage_ids))
        query = f"select passage_id, topic from topics where passage_id in ({marks})"
        return dict(self.db.conn.execute(query, list(passage_ids)).fetchall())
