"""What sleep has read and what it has turned down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from secondme.records import Passage
from secondme.store.facts import Place

if TYPE_CHECKING:
    from sqlite_utils.db import Database

TRUSTED = ("typed", "file", "chat", "import")
"""Origins that may become facts; what was clipped, handed in by a program or derived does not before its release."""
_TRUSTED_NOTE = f"""(n.origin in ({", ".join(repr(origin) for origin in TRUSTED)})
    or exists (select 1 from releases r where r.note_id = n.id))"""
_WAITS = f"not exists (select 1 from digested d where d.passage_id = p.id) and {_TRUSTED_NOTE}"


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a line that was judged before, in this or an earlier version of its note."""

    memory_id: int | None
    """The fact that rests on it."""
    reason: str
    """Why it was rejected, where it was."""


class Digestion:
    """What is read and turned down in one database."""

    def __init__(self, db: Database) -> None:
        """Use the tables of `db`."""
        self.db = db

    def waiting(self) -> int:
        """Return how many passages sleep has not read."""
        query = f"select count(*) from passages p join notes n on n.id = p.note_id where {_WAITS}"
        (count,) = self.db.conn.execute(query).fetchone()
        return int(count)

    def queue(self) -> list[int]:
        """Return the ids of the passages that sleep has not read, in the order things happened."""
        rows = self.db.conn.execute(
            f"""select p.id from passages p join notes n on n.id = p.note_id where {_WAITS}
                order by n.happened_at, n.id, p.position"""
        )
        return [row[0] for row in rows.fetchall()]

    def is_waiting(self, passage: Passage) -> bool:
        """True if the passage is still there as it was, and unread. Call it in the transaction that decides on it."""
        query = f"select p.text from passages p join notes n on n.id = p.note_id where p.id = ? and {_WAITS}"
        row = self.db.conn.execute(query, (passage.id,)).fetchone()
        return bool(row) and row[0] == passage.span.text

    def finish(self, passage: Passage, run: int) -> None:
        """Note that a passage has been read. Call it within a transaction."""
        self.db.conn.execute("insert into digested values (?, ?)", (passage.id, run))

    def reject(self, place: Place, text: str, reason: str, run: int | None) -> None:
        """Keep why a line did not become a fact. Call it within a transaction."""
        own = "" if text == place.quote else text
        self.db.conn.execute(
            """insert or ignore into rejections (note_id, byte_start, byte_end, quote_hash, text, reason, run_id)
               values (?, ?, ?, ?, ?, ?, ?)""",
            (place.note_id, place.start, place.end, place.quote_hash, own, reason, run),
        )

    def judged(self, uri: str, places: Iterable[Place]) -> dict[int, Judged]:
        """Return what became of these lines of a note before, by their first byte.

        What counts is the line itself, and one of the same words in another version of the note.
        """
        found: dict[int, Judged] = {}
        for place in places:
            # Of several facts that rest on a line, the newest has taken the place of the others.
            row = self.db.conn.execute(
                """select e.memory_id, '' from evidence e join notes n on n.id = e.note_id
                   where e.quote_hash = ?1 and n.uri = ?2 and (n.id <> ?3 or e.byte_start = ?4)
                   union all
                   select null, r.reason from rejections r join notes n on n.id = r.note_id
                   where r.quote_hash = ?1 and n.uri = ?2 and (n.id <> ?3 or r.byte_start = ?4)
                   order by 1 desc limit 1""",
                (place.quote_hash, uri, place.note_id, place.start),
            ).fetchone()
            if row:
                found[place.start] = Judged(*row)
        return found
