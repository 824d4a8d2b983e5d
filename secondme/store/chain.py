"""The chain of the journal: a hash over each change and the hash before it, so that none is altered unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils.db import Database

COLUMNS = "id, run_id, verb, memory_id, reason, operations, made_at"
"""What of a change never alters: that it was undone or looked at is noted later."""

BEGINNING = ""
"""What stands for the hash before the first."""


def extend(db: Database) -> None:
    """Add the hashes of the changes that have none yet. Call it in the transaction that made them."""
    last = db.conn.execute("select change_id, hash from chain order by change_id desc limit 1").fetchone()
    number, hash = last or (0, BEGINNING)
    rows = db.conn.execute(f"select {COLUMNS} from changes where id > ? order by id", (number,)).fetchall()
    for row in rows:
        hash = _link(hash, row)
        db.conn.execute("insert into chain values (?, ?)", (row[0], hash))


def broken(db: Database) -> Iterator[int]:
    """Yield the changes that are not as they were written, are missing, or were put in from outside."""
    changes = db.conn.execute(f"select {COLUMNS} from changes order by id").fetchall()
    chain = db.conn.execute("select change_id, hash from chain order by change_id").fetchall()
    before = BEGINNING
    for row, link in zip_longest(changes, chain):
        if row is None or link is None or row[0] != link[0] or _link(before, row) != link[1]:
            # All that follow rest on this one.
            yield min(one[0] for one in (row, link) if one is not None)
            return
        before = link[1]
    (last,) = db.conn.execute("select coalesce((select seq from sqlite_sequence where name = 'changes'), 0)").fetchone()
    if last != (chain[-1][0] if chain else 0):
        yield last


def _link(before: str, row: tuple[object, ...]) -> str:
    return hashlib.sha256(json.dumps([before, *row], ensure_ascii=False).encode()).hexdigest()
