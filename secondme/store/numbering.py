"""What the numbers in an export are in this memory: the same where it is empty, higher ones where it is not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils.db import Database


class Numbers:
    """The numbers of one table."""

    def __init__(self, db: Database, table: str, *, is_rising: bool = False) -> None:
        """Begin after the highest number that was ever given here; each new one is above it where `is_rising`."""
        self._db, self._table, self._is_rising = db, table, is_rising
        self._base = self._last()
        self._known: dict[int, int] = {}
        self._used: set[int] = set()
        self._highest = 0

    def known(self, number: int) -> int | None:
        """Return the number here of what the file has named so far, None where it has not."""
        return self._known.get(number)

    def match(self, number: int, rows: Sequence[tuple[int]]) -> int | None:
        """Take the first of these that nothing else in the file is for the one meant; None where there is none."""
        for (here,) in rows:
            if here not in self._used:
                self._keep(number, here)
                return here
        return None

    def new(self, number: int) -> int:
        """Return the number that is to be given to what is not here."""
        here = self._base + number
        query = f"select 1 from {self._table} where {'id >= ?' if self._is_rising else 'id = ?'} limit 1"
        if not number or self._db.conn.execute(query, (here,)).fetchone():
            # Given meanwhile by another process, or out of order.
            here = max(self._last(), self._highest + self._base) + 1
        self._keep(number, here)
        return here

    def of(self, number: int) -> int:
        """Return a number that may name what is gone: such a one is never given to anything else."""
        if (here := self._known.get(number)) is not None:
            return here
        self._highest = max(self._highest, number)
        return self._base + number

    def reserve(self) -> None:
        """Give no number from now on that the file has named. Call it within a transaction."""
        if self._highest + self._base > self._last():
            self._db.conn.execute("delete from sqlite_sequence where name = ?", (self._table,))
            row = (self._table, self._highest + self._base)
            self._db.conn.execute("insert into sqlite_sequence (name, seq) values (?, ?)", row)

    def _keep(self, number: int, here: int) -> None:
        self._known[number] = here
        self._used.add(here)
        self._highest = max(self._highest, number)

    def _last(self) -> int:
        row = self._db.conn.execute("select seq from sqlite_sequence where name = ?", (self._table,)).fetchone()
        return int(row[0]) if row else 0


def claimed(db: Database) -> tuple[set[int], set[int]]:
    """Return the facts and lines that standing changes of this memory have added: to undo another leaves them."""
    facts: set[int] = set()
    lines: set[int] = set()
    for (text,) in db.conn.execute("select operations from changes where undone_at is null"):
        added = json.loads(text)["added"]
        facts.update(added["memories"])
        lines.update(added["evidence"])
    return facts, lines
