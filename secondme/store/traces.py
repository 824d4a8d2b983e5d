"""Looks for a word in every table of a database, and in the vocabulary of its word indexes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils.db import Database

_INDEXES = (("passage_words", "passages"), ("memory_words", "memories"), ("passage_trigrams", "passages"))
"""The word indexes, each with the table whose rows it finds."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at one table found."""

    table: str
    values: int
    found: int


def in_tables(db: Database, pattern: re.Pattern[bytes]) -> Iterator[Looked]:
    """Look through all values of all tables, those behind the indexes included."""
    query = "select name from sqlite_master where type = 'table' and sql not like 'create virtual%' order by name"
    for (table,) in db.conn.execute(query).fetchall():
        values = found = 0
        for row in db.conn.execute(f'select * from "{table}"'):
            for value in row:
                if isinstance(value, str | bytes):
                    values += 1
                    found += bool(pattern.search(value.encode() if isinstance(value, str) else value))
        yield Looked(table, values, found)


def in_words(db: Database, word: str) -> Iterator[Looked]:
    """Look for the terms of a word in the word indexes, where they stand for rows that are no longer there.

    Whether rows that are there have the word is seen in their text: an index knows only its stem.
    """
    for index, rows in _INDEXES:
        terms = f"look_{index}"
        db.conn.execute(f"create virtual table if not exists temp.{terms} using fts5vocab (main, {index}, instance)")
        (values,) = db.conn.execute(f"select count(*) from temp.{terms}").fetchone()
        wanted = sorted(_terms(db, word, index))
        marks = ", ".join("?" * len(wanted))
        query = f"select count(*) from temp.{terms} where term in ({marks}) and doc not in (select id from {rows})"
        (found,) = db.conn.execute(query, wanted).fetchone()
        yield Looked(f"the words of {index}", values, found)
        db.conn.execute(f"drop table temp.{terms}")


def _terms(db: Database, word: str, index: str) -> set[str]:
    if index == "passage_trigrams":
        folded = word.casefold()
        return {folded[start : start + 3] for start in range(len(folded) - 2)}
    # As the index cuts and stems words; `query_words` is the table that searches do that with.
    db.conn.execute("delete from temp.query_words")
    db.conn.execute("insert into temp.query_words (text) values (?)", (word,))
    found = {row[0] for row in db.conn.execute("select term from temp.query_terms")}
    db.conn.execute("delete from temp.query_words")
    return found
