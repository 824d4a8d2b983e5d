"""Looks whether a database is whole: its pages, its rows, what finds them, and what they were made of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from secondme.errors import IntegrityError, WrongKey
from secondme.store import chain
from secondme.store.connect import DRIVER_ERROR

if TYPE_CHECKING:
    from sqlite_utils.db import Database

Counts = Mapping[str, int]
"""Rows by table."""
Progress = Callable[[int, int], None]
"""Called with (notes done, all)."""

MOST = 5
"""So many of what is wrong are named."""
WITHOUT = "passages neither have vectors nor wait for them"
"""What is wrong with passages that were lost between the two."""
STEP = 100
"""Notes between two tellings of the progress."""
WORDS = {
    "passage_words": "word index",
    "memory_words": "word index of the facts",
    "passage_trigrams": "index of Chinese, Japanese and Korean",
}
DERIVED = ("passage_tokens", "memory_tokens", "passages_waiting", "topics")
"""Tables whose rows are made anew from the notes."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    looked_at: int
    """How many there are of it."""
    wrong: int
    ids: tuple[str, ...] = ()
    """The first of those that are wrong."""
    problem: str = ""
    is_derived: bool = False
    """True where `reindex` makes it anew, from the notes."""

    @property
    def ok(self) -> bool:
        """True where nothing is wrong."""
        return not self.wrong


def look_through(
    db: Database, *, quick: bool = False, with_texts: bool = True, progress: Progress | None = None
) -> Iterator[Check]:
    """Yield what was looked at, in order, without a word of any note.

    What is `quick` reads neither the word indexes nor the texts.
    """
    looks: dict[str, Callable[[], Iterable[Check]]] = {
        "pages": lambda: _pages(db, "quick_check" if quick else "integrity_check"),
        "tables": lambda: _tables(db),
        "rows": lambda: _rows(db),
        "word index": lambda: () if quick else _words(db),
        "vectors": lambda: _vectors(db),
        "journal": lambda: _journal(db),
        "notes": lambda: () if quick or not with_texts else _texts(db, progress),
    }
    for name, look in looks.items():
        try:
            yield from look()
        except (IntegrityError, WrongKey, DRIVER_ERROR, ValueError, TypeError) as error:
            # That one thing cannot be read does not keep others from being looked at.
            yield Check(name, 0, 1, problem=f"cannot be read: {_reason(error)}")


def counts_in(db: Database) -> Counts:
    """Return how many rows each table has; those in which the extensions keep theirs are not counted."""
    # How many rows a word index takes depends on when it was last tidied up.
    query = "select name from pragma_table_list where schema = 'main' and type = 'table' and name not like 'sqlite_%'"
    names = [row[0] for row in db.conn.execute(query).fetchall()]
    return {name: db.conn.execute(f'select count(*) from "{name}"').fetchone()[0] for name in names}


def damage_in(db: Database) -> list[str]:
    """Return what is wrong with the pages, rows and word indexes of a database, whatever tables it has."""
    found = [*_pages(db, "integrity_check"), *_rows(db), *_words(db)]
    return [f"{one.name}: {one.problem}" for one in found if not one.ok]


def _pages(db: Database, pragma: str) -> Iterator[Check]:
    (pages,) = db.conn.execute("pragma page_count").fetchone()
    found = [" ".join(row[0].split()) for row in db.conn.execute(f"pragma {pragma}({MOST})") if row[0] != "ok"]
    # What it says of word indexes is looked at by itself, and can be mended.
    found = [problem for problem in found if "FTS5 table" not in problem]
    yield Check("pages", pages, len(found), problem="; ".join(found))


def _tables(db: Database) -> Iterator[Check]:
    from secondme.store.schema import expected_statements, statements  # which copies, and so checks, before it changes

    expected, found = expected_statements(), statements(db)
    odd = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    yield _check("tables", len(expected), odd, "are not as this version makes them")


def _rows(db: Database) -> Iterator[Check]:
    counts = counts_in(db)
    odd = db.conn.execute('select "table", rowid from pragma_foreign_key_check').fetchall()
    for is_derived, kind in ((False, "rows"), (True, "rows of the indexes")):
        ids = [f"{table} {row}" for table, row in odd if (table in DERIVED) == is_derived]
        count = sum(count for table, count in counts.items() if (table in DERIVED) == is_derived)
        yield _check(kind, count, ids, "lost what they belong to", is_derived=is_derived)


def _words(db: Database) -> Iterator[Check]:
    query = "select name, instr(sql, 'content =') from sqlite_master where sql like '%using fts5 (%' order by rowid"
    for table, compared in db.conn.execute(query).fetchall():
        if table not in WORDS:  # nobody reads it, and that it is there is said of the tables
            continue
        (rows,) = db.conn.execute(f"select count(*) from {table}_docsize").fetchone()
        # One that has a text of its own is compared with itself.
        problem = _problem_of_words(db, table, compared=bool(compared))
        yield Check(WORDS[table], rows, int(bool(problem)), problem=problem, is_derived=True)


def _problem_of_words(db: Database, table: str, *, compared: bool) -> str:
    try:
        db.conn.execute(f"insert into {table} ({table}, rank) values ('integrity-check', ?)", (int(compared),))
    except IntegrityError:
        return "does not fit the text"
    return ""


def _vectors(db: Database) -> Iterator[Check]:
    row = db.conn.execute("select value from meta where key = 'embedder'").fetchone()
    width = int(row[0].rpartition(":")[2]) // 8 if row else 0
    if width:
        yield from _vectors_of(db, width)
    # A join of the two with what is made of both would compare each with each.
    lost = db.conn.execute(
        """select id from passages where id not in (select passage_id from passage_tokens)
               and id not in (select passage_id from passages_waiting)
           union select passage_id from passage_tokens where passage_id not in (select id from passages)
           union select passage_id from passages_waiting where passage_id not in (select id from passages)"""
    ).fetchall()
    (count,) = db.conn.execute("select count(*) from passages").fetchone()
    yield _check("passages", count, [f"passage {id}" for (id,) in lost], WITHOUT, is_derived=True)


def _vectors_of(db: Database, width: int) -> Iterator[Check]:
    """Yield whether vectors have the right length and belong to passages and facts; `width` is in bytes."""
    execute = db.conn.execute
    (count,) = execute("select count(*) from passage_tokens").fetchone()
    if odd := blocks_of_wrong_length(db, width):
        yield Check("vectors", count, odd, problem=f"{odd} blocks have the wrong length", is_derived=True)
        return
    rows = execute(
        """select coalesce(v.passage_id, t.passage_id) from passage_vectors v
           full join passage_tokens t on t.passage_id = v.passage_id
           where v.passage_id is null or t.passage_id is null"""
    ).fetchall()
    yield _check(
        "vectors", count, [f"passage {id}" for (id,) in rows], "vectors do not fit their passages", is_derived=True
    )
    for table, owner, name in (("passage_tokens", "passage", "codes"), ("memory_tokens", "memory", "codes of facts")):
        (count,) = execute(f"select count(*) from {table}").fetchone()
        query = f"select {owner}_id from {table} where length(codes) = 0 or length(codes) % ? order by 1"
        ids = [f"{owner} {id}" for (id,) in execute(query, (width,)).fetchall()]
        yield _check(name, count, ids, "have the wrong length", is_derived=True)


def blocks_of_wrong_length(db: Database, width: int) -> int:
    """Return how many blocks of vectors, of `width` bytes each, are not as long as the extension takes them to be.

    It trusts their lengths, so they are looked at in its own tables, before it reads them.
    """
    (count,) = db.conn.execute(
        """select count(*) from passage_vectors_chunks c left join passage_vectors_vector_chunks00 v
               on v.rowid = c.chunk_id
           where length(c.validity) is not c.size / 8 or length(c.rowids) is not c.size * 8
               or length(v.vectors) is not c.size * ?""",
        (width,),
    ).fetchone()
    return int(count)


def _journal(db: Database) -> Iterator[Check]:
    (count,) = db.conn.execute("select count(*) from changes").fetchone()
    yield _check("journal", count, [f"c{id}" for id in chain.broken(db)], "are not as they were written")


def _texts(db: Database, progress: Progress | None) -> Iterator[Check]:
    """Yield whether notes fit their digests, passages their notes, and lines of facts the hashes of their words."""
    execute = db.conn.execute
    notes, passages, lines = [], [], []
    counts = counts_in(db)
    total = counts["notes"]
    for done, (id, digest, text) in enumerate(_in_turn(db), start=1):
        if hashlib.sha256(text).hexdigest() != digest:
            notes.append(f"n{id}")
        query = "select position, byte_start, byte_end, cast(text as blob) from passages where note_id = ? order by 1"
        passages += [f"n{id}.{at + 1}" for at, a, z, own in execute(query, (id,)).fetchall() if text[a:z] != own]
        query = "select memory_id, byte_start, byte_end, quote_hash from evidence where note_id = ? order by 1"
        lines += [f"m{fact}" for fact, a, z, hash in execute(query, (id,)).fetchall() if _hash(text[a:z]) != hash]
        if progress and (done % STEP == 0 or done == total):
            progress(done, total)
    yield _check("notes", total, notes, "do not fit their digests")
    yield _check("texts of passages", counts["passages"], passages, "are not what stands in their notes")
    yield _check("lines of facts", counts["evidence"], lines, "are not the lines that the facts were made from")


def _in_turn(db: Database) -> Iterator[tuple[int, str, bytes]]:
    """Yield all notes one by one: others may write meanwhile."""
    last = -1
    query = "select id, digest, cast(text as blob) from notes where id > ? order by id limit 1"
    while row := db.conn.execute(query, (last,)).fetchone():
        last = row[0]
        yield row


def _hash(quote: bytes) -> str:
    return hashlib.sha256(quote).hexdigest()[:32]


def _check(name: str, looked_at: int, ids: list[str], problem: str, *, is_derived: bool = False) -> Check:
    if not ids:
        return Check(name, looked_at, 0, is_derived=is_derived)
    return Check(name, looked_at, len(ids), tuple(ids[:MOST]), f"{len(ids)} {problem}", is_derived)


def _reason(error: Exception) -> str:
    """Return what the driver says, which speaks of pages and never of what is in them."""
    return str(error.__cause__ or error)
