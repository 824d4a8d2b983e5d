"""The derived indexes: words (FTS5), vectors (vec0), token codes. All of it can be rebuilt from the passages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from secondme.clock import to_text
from secondme.errors import IntegrityError
from secondme.records import Filters
from secondme.store.checks import blocks_of_wrong_length, look_through
from secondme.store.hiding import hides

if TYPE_CHECKING:
    from sqlite_utils.db import Database

Ints = NDArray[np.int64]

CJK = "぀-ヿ㐀-鿿가-힯"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where every passage stands, in reading order: by thread, then time, then note, then position."""

    ids: Ints
    """Passage ids in reading order; the other arrays are aligned with it."""
    notes: Ints
    threads: Ints
    """A number for the thread; rows of one thread are consecutive."""
    authors: Ints
    """Index into `author_names`."""
    lengths: Ints
    """Characters."""
    asks: NDArray[np.bool_]
    """True where the passage ends in a question mark."""
    in_dialogue: NDArray[np.bool_]
    """True in threads where several people speak."""
    author_names: tuple[str, ...]
    by_id: Ints
    """Rows in the order of their passage ids."""

    def rows(self, ids: Ints) -> Ints:
        """Return the rows of passage ids, which all have to be there."""
        return self.by_id[np.searchsorted(self.ids[self.by_id], ids)]


class Index:
    """What finds passages in one database."""

    def __init__(self, db: Database) -> None:
        """Use the tables of `db`."""
        self.db = db
        # FTS5's own tokenizer is the only one that cuts and stems words exactly as they were indexed.
        db.conn.execute(
            "create virtual table temp.query_words using fts5 (text, tokenize = 'porter unicode61 remove_diacritics 2')"
        )
        db.conn.execute("create virtual table temp.query_terms using fts5vocab (temp, query_words, instance)")

    def terms(self, text: str) -> list[str]:
        """Return the words of `text` as the word index knows them, in order."""
        self.db.conn.execute("insert into temp.query_words (rowid, text) values (1, ?)", (text,))
        # FTS5 cuts a word of more than 32,768 bytes, and may cut it within a character.
        query = "select term from temp.query_terms where octet_length(term) < 32768 order by offset"
        found = [row[0] for row in self.db.conn.execute(query)]
        self.db.conn.execute("delete from temp.query_words")
        return found

    def postings(self, term: str, *, limit: int) -> tuple[Ints, Ints]:
        """Return the ids of the passages with this term, ascending, and how often it stands in each.

        A term that occurs `limit` times or more says too little to be read: it has no postings.
        """
        rows = self.db.conn.execute("select doc from passage_terms where term = ? limit ?", (term, limit)).fetchall()
        docs = [row[0] for row in rows] if len(rows) < limit else []
        return np.unique(np.array(docs, dtype=np.int64), return_counts=True)

    def has(self, term: str) -> bool:
        """Return whether the term stands in any passage."""
        return bool(self.db.conn.execute("select 1 from passage_terms where term = ? limit 1", (term,)).fetchone())

    def completions(self, beginning: str, *, limit: int) -> list[str]:
        """Return the terms with this beginning that stand in most passages, the most frequent first."""
        # Counts by term, where `passage_terms` has a row for each place; it lives as long as this connection.
        self.db.conn.execute(
            "create virtual table if not exists temp.vocabulary using fts5vocab ('main', 'passage_words', 'row')"
        )
        query = "select term from temp.vocabulary where term >= ? and term < ? order by doc desc, term limit ?"
        low = beginning.lower()
        return [row[0] for row in self.db.conn.execute(query, (low, low + chr(0x10FFFF), limit))]

    def holding(self, characters: str) -> Ints:
        """Return the ids of the passages with this run of Chinese, Japanese or Korean characters."""
        if len(characters) < 3:
            query, value = "text like ? escape '\\'", f"%{characters}%"
        else:
            query, value = "passage_trigrams match ?", '"' + characters.replace('"', '""') + '"'
        # Both this index and the vectors know of passages that are hidden from a connection.
        shown = "rowid in (select id from passages)"
        rows = self.db.conn.execute(
            f"select rowid from passage_trigrams where {query} and {shown} order by rowid", (value,)
        )
        return np.array([row[0] for row in rows], dtype=np.int64)

    def layout(self) -> Layout:
        """Return where every passage stands."""
        rows = self.db.conn.execute(
            """select p.id, p.note_id, n.thread, n.author, length(p.text), substr(rtrim(p.text), -1) = '?'
               from notes n join passages p on p.note_id = n.id where n.replaced_at is null
               order by n.thread, n.happened_at, n.id, p.position"""
        ).fetchall()
        threads: dict[str, int] = {}
        authors: dict[str, int] = {}
        numbers = [
            (id, note, threads.setdefault(thread, len(threads)), authors.setdefault(author, len(authors)), length, asks)
            for id, note, thread, author, length, asks in rows
        ]
        table = np.array(numbers, dtype=np.int64).reshape(len(rows), 6)
        ids, notes, thread, author, length, asks = (np.ascontiguousarray(column) for column in table.T)
        speakers = np.bincount(np.unique(np.stack([thread, author]), axis=1)[0], minlength=len(threads))
        in_dialogue = speakers[thread] > 1
        return Layout(ids, notes, thread, author, length, asks > 0, in_dialogue, tuple(authors), np.argsort(ids))

    def passages_with(self, where: str, values: Sequence[object]) -> Ints:
        """Return the ids of the passages whose note fits a condition on the columns of notes `n`."""
        query = f"select p.id from passages p join notes n on n.id = p.note_id where {where} order by p.id"
        return np.array([row[0] for row in self.db.conn.execute(query, values)], dtype=np.int64)

    @property
    def width(self) -> int:
        """Dimensions of the stored vectors; 0 where there are none yet."""
        return int((self.embedder or ":0").rpartition(":")[2])

    @property
    def embedder(self) -> str | None:
        """Name and width of the embedder whose vectors are stored, `name:width`."""
        row = self.db.conn.execute("select value from meta where key = 'embedder'").fetchone()
        return row[0] if row else None

    def start_vectors(self, embedder: str, width: int) -> None:
        """Drop all vectors and begin anew for this embedder. Call it within a transaction."""
        self.db.conn.execute("drop table if exists passage_vectors")
        self.db.conn.execute("delete from passage_tokens")
        self.db.conn.execute("delete from memory_tokens")
        self.db.conn.execute("delete from topics")
        self.db.conn.execute("insert or ignore into passages_waiting select id from passages")
        self.db.conn.execute(
            f"create virtual table passage_vectors using vec0 (passage_id integer primary key, pooled bit[{width}])"
        )
        self.db.conn.execute("insert or replace into meta values ('embedder', ?)", (f"{embedder}:{width}",))

    def without_vectors(self, limit: int) -> list[tuple[int, str, str]]:
        """Return (id, label, text) of passages that wait for vectors, oldest first."""
        return self.db.conn.execute(
            """select p.id, p.label, p.text from passages_waiting w join passages p on p.id = w.passage_id
               order by p.id limit ?""",
            (limit,),
        ).fetchall()

    def waiting(self) -> int:
        """Return how many passages wait for vectors."""
        (count,) = self.db.conn.execute("select count(*) from passages_waiting").fetchone()
        return int(count)

    def save_vectors(self, rows: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Store (passage id, token codes, code of the pooled vector). Call it within a transaction."""
        for id, codes, pooled in rows:
            # The passage may have been forgotten while its vectors were computed.
            if self.db.conn.execute("select 1 from passages where id = ?", (id,)).fetchone():
                self.db.conn.execute("insert or replace into passage_tokens values (?, ?)", (id, codes))
                # vec0 has no upsert: replacing a vector is a delete and an insert.
                self.db.conn.execute("delete from passage_vectors where passage_id = ?", (id,))
                self.db.conn.execute("insert into passage_vectors values (?, vec_bit(?))", (id, pooled))
                self.db.conn.execute("delete from passages_waiting where passage_id = ?", (id,))

    def remove_vectors(self, ids: Sequence[int]) -> None:
        """Remove the vectors of passages that are about to go. Call it within a transaction."""
        if self.embedder:
            self.db.conn.executemany("delete from passage_vectors where passage_id = ?", [(id,) for id in ids])

    def nearest(self, code: bytes, *, k: int, among: Ints | None = None) -> tuple[Ints, NDArray[np.float64]]:
        """Return the ids of the `k` passages whose pooled vectors differ from `code` in the fewest bits, and how close.

        Closeness is 1 where all bits agree and 0 where half of them do. `among` restricts the passages.
        """
        query, values = "", [code, k]
        if among is not None:
            query, values = "and passage_id in (select value from json_each(?))", [code, k, json.dumps(among.tolist())]
        elif hides(self.db):
            # What is hidden must not take the place of what is shown.
            query = "and passage_id in (select id from passages)"
        rows: list[tuple[int, float]] = []
        if self.embedder:
            nearest = (
                f"select passage_id, distance from passage_vectors where pooled match vec_bit(?) and k = ? {query}"
            )
            rows = self.db.conn.execute(nearest, values).fetchall()
        ids = np.array([id for id, _ in rows], dtype=np.int64)
        distances = np.array([distance for _, distance in rows], dtype=np.float64)
        return ids, 1 - distances / (len(code) * 4)

    def pooled(self, ids: Sequence[int]) -> list[bytes]:
        """Return the codes of the pooled vectors of these passages, which all have to have one."""
        query = "select pooled from passage_vectors where passage_id = ?"
        return [self.db.conn.execute(query, (id,)).fetchone()[0] for id in ids]

    def codes(self, ids: Ints) -> dict[int, bytes]:
        """Return the token codes of those passages that have them."""
        found: dict[int, bytes] = {}
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500].tolist()
            marks = ", ".join("?" * len(some))
            query = f"select passage_id, codes from passage_tokens where passage_id in ({marks})"
            found.update(self.db.conn.execute(query, some).fetchall())
        return found

    def rebuild_words(self) -> None:
        """Rebuild the word indexes from the passages, and let go of vectors without their partner.

        Call it within a transaction.
        """
        self._drop_odd_vectors()
        self.db.conn.execute("insert into passage_words (passage_words) values ('rebuild')")
        self.db.conn.execute("insert into memory_words (memory_words) values ('rebuild')")
        self.db.conn.execute("delete from passage_trigrams")
        self.db.conn.execute(
            f"insert into passage_trigrams (rowid, text) select id, text from passages where text glob '*[{CJK}]*'"
        )

    def _drop_odd_vectors(self) -> None:
        if self.embedder:
            # A block of the wrong length would be read past its end.
            if blocks_of_wrong_length(self.db, self.width // 8):
                name, _, width = self.embedder.rpartition(":")
                self.start_vectors(name, int(width))
            for table in ("passage_tokens", "memory_tokens"):
                self.db.conn.execute(
                    f"delete from {table} where length(codes) = 0 or length(codes) % ?", (self.width // 8,)
                )
            pooled, tokens = "select passage_id from passage_vectors", "select passage_id from passage_tokens"
            self.db.conn.execute(f"delete from passage_tokens where passage_id not in ({pooled})")
            odd = self.db.conn.execute(f"{pooled} where passage_id not in ({tokens})").fetchall()
            self.db.conn.executemany("delete from passage_vectors where passage_id = ?", odd)
        self.db.conn.execute("delete from passages_waiting")
        self.db.conn.execute(
            """insert into passages_waiting
               select id from passages where id not in (select passage_id from passage_tokens)"""
        )

    def check(self) -> None:
        """Raise IntegrityError where pages, rows or indexes are not whole, or do not fit each other."""
        odd = [one for one in look_through(self.db, with_texts=False) if not one.ok]
        if odd:
            problems = "; ".join(f"{one.name}: {one.problem}" for one in odd)
            raise IntegrityError(problems, hint="secondme reindex; restore a backup if that does not help")


def conditions(filters: Filters) -> tuple[str, list[str]]:
    """Return the filters as a condition on the current rows of notes `n`, with its values.

    Whether facts are wanted is not among them: facts are found by the notes they rest on.
    """
    parts, values = ["n.replaced_at is null"], []
    for condition, value in (
        ("n.happened_at >= ?", to_text(filters.since) if filters.since else ""),
        ("n.happened_at < ?", to_text(filters.until) if filters.until else ""),
        ("instr(lower(n.uri || char(10) || n.thread), lower(?))", filters.source),
        ("lower(n.author) = lower(?)", filters.author),
    ):
        if value:
            parts.append(condition)
            values.append(value.encode(errors="replace").decode())  # SQLite takes no halves of characters
    if filters.as_of:
        # What was told later counts where it tells of then, with an end.
        parts.append(
            """(n.happened_at <= ? or exists (select 1 from evidence e join memories m on m.id = e.memory_id
                where e.note_id = n.id and (m.valid_from is null or m.valid_from <= ?) and m.valid_to > ?))"""
        )
        values += [to_text(filters.as_of)] * 3
    return " and ".join(parts), values
