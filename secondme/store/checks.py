"""Looks whether a database is whole: its pages, its rows, what finds them, and what they were made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from secondme.errors import IntegrityError

if TYPE_CHECKING:
    from sqlite_utils.db import Database

Counts = Mapping[str, int]
"""Rows by table."""

MOST = 5
"""So many problems of a kind are named."""


def counts_in(db: Database) -> Counts:
    """Return how many rows each table has; those in which the extensions keep theirs are not counted."""
    # How many rows a word index takes depends on when it was last tidied up.
    query = "select name from pragma_table_list where schema = 'main' and type = 'table' and name not like 'sqlite_%'"
    names = [row[0] for row in db.conn.execute(query).fetchall()]
    return {name: db.conn.execute(f'select count(*) from "{name}"').fetchone()[0] for name in names}


def damage_in(db: Database) -> Iterator[str]:
    """Yield what is wrong with the pages, the rows or the word indexes of a database, whatever tables it has."""
    yield from (row[0] for row in db.conn.execute(f"pragma integrity_check({MOST})") if row[0] != "ok")
    yield from (f"a row of {row[0]} lost what it belongs to" for row in db.conn.execute("pragma foreign_key_check"))
    query = "select name, instr(sql, 'content =') from sqlite_master where sql like '%using fts5 %'"
    for table, compared in db.conn.execute(query).fetchall():
        # One that has a text of its own is compared with itself.
        if not is_sound(db, table, compared=bool(compared)):
            yield f"{table} does not fit the text"


def is_sound(db: Database, table: str, *, compared: bool) -> bool:
    """True if a word index is whole and, where it is `compared`, fits the text that it is of."""
    try:
        db.conn.execute(f"insert into {table} ({table}, rank) values ('integrity-check', ?)", (int(compared),))
    except IntegrityError:
        return False
    return True
