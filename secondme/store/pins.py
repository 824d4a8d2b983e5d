"""What the user pinned: shown first, and left alone by every night."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secondme.ids import is_id, number_in, parse_id

if TYPE_CHECKING:
    from sqlite_utils.db import Database


class Pins:
    """The pinned notes and facts of one database."""

    def __init__(self, db: Database) -> None:
        """Use the tables of `db`."""
        self.db = db

    def ids(self) -> list[str]:
        """Return the ids of the current facts and notes that are pinned, the newest first."""
        facts = self.db.conn.execute(
            """select m.id from pinned_facts p join memories m on m.id = p.memory_id
               where m.retired_at is null order by m.id desc"""
        ).fetchall()
        notes = self.db.conn.execute(
            """select n.id from pinned_notes p join notes n on n.uri = p.uri
               where n.replaced_at is null order by n.id desc"""
        ).fetchall()
        return [*(f"m{id}" for (id,) in facts), *(f"n{id}" for (id,) in notes)]

    def facts(self) -> set[int]:
        """Return the numbers of the pinned facts, those that another has taken the place of included."""
        return {row[0] for row in self.db.conn.execute("select memory_id from pinned_facts")}

    def pin(self, id: str) -> None:
        """Pin a note or fact that is there. Call it within a transaction."""
        if is_id(id, "m"):
            self.db.conn.execute("insert or ignore into pinned_facts values (?)", (number_in(id, "m"),))
        else:
            query = "insert or ignore into pinned_notes select uri from notes where id = ?"
            self.db.conn.execute(query, (parse_id(id)[0],))

    def unpin(self, id: str) -> None:
        """Let go of a note or fact. Call it within a transaction."""
        if is_id(id, "m"):
            self.db.conn.execute("delete from pinned_facts where memory_id = ?", (number_in(id, "m"),))
        else:
            query = "delete from pinned_notes where uri in (select uri from notes where id = ?)"
            self.db.conn.execute(query, (parse_id(id)[0],))
