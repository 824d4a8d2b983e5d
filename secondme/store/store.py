"""Notes and their passages: add, read, list, forget. Every change is one transaction."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from secondme.clock import from_text, to_text
from secondme.keys import Key
from secondme.records import Filters, Forgotten, Note, Passage, Span
from secondme.store.chats import Chats
from secondme.store.connect import copy_database, open_database, writing
from secondme.store.digestion import Digestion
from secondme.store.facts import Facts
from secondme.store.forgetting import forget
from secondme.store.index import Index, conditions
from secondme.store.journal import Journal
from secondme.store.passages import PASSAGE_QUERY, passage_of
from secondme.store.pins import Pins
from secondme.store.schema import migrate
from secondme.store.sources import Sources
from secondme.store.tombstones import Tombstones
from secondme.store.topics import Topics

if TYPE_CHECKING:
    from sqlite_utils.db import Database

NOTE_COLUMNS = "id, uri, title, text, thread, author, origin, happened_at"


class Store:
    """The database of one memory. It belongs to the thread that opened it."""

    def __init__(self, path: Path, *, create: bool = True, key: Key | None = None) -> None:
        """Open the file at `path`; raises NoDatabase where it is absent and `create` is false, and WrongKey."""
        self.path = path
        self.copied_to: Path | None = None
        """The copy of the memory as it was before this version changed its tables, where that happened now."""
        self.db = open_database(path, create=create, key=key)
        try:
            self.copied_to = migrate(self.db, path)
        except BaseException:
            self.db.close()
            raise
        self._use(self.db)

    def _use(self, db: Database) -> None:
        self.db = db
        self._changes = 0
        self.index = Index(db)
        self.facts = Facts(db)
        self.journal = Journal(db)
        self.digestion = Digestion(db)
        self.topics = Topics(db)
        self.sources = Sources(db)
        self.chats = Chats(db)
        self.pins = Pins(db)
        self.tombstones = Tombstones(db)

    def copy(self) -> Store:
        """Return a copy that lives in RAM only."""
        return Store.over(copy_database(self.db, self.path), self.path)

    @classmethod
    def over(cls, db: Database, path: Path) -> Store:
        """Return the store over an open database, with the tables it has."""
        store = cls.__new__(cls)
        store.path, store.copied_to = path, None
        store._use(db)
        return store

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def __enter__(self) -> Store:
        """Return the open store."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock for one decision: all of it is stored when this ends, or nothing is."""
        with writing(self.db):
            yield
        self._changes += 1

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Show one state of the file to all reads inside, whatever other processes write meanwhile."""
        self.db.conn.execute("begin")
        try:
            # The state is chosen at the first read, not at "begin".
            self.db.conn.execute("select 1 from meta").fetchone()
            yield
        finally:
            # An error of the disk may have ended it.
            if self.db.conn.in_transaction:
                self.db.conn.execute("rollback")

    def version(self) -> tuple[int, int]:
        """Return a value that changes whenever the content may have changed, here or in another process."""
        (elsewhere,) = self.db.conn.execute("pragma data_version").fetchone()
        return elsewhere, self._changes

    def add_notes(self, notes: Iterable[tuple[Note, Sequence[Span]]], *, now: datetime) -> list[tuple[int, bool]]:
        """Store notes with their passages in one transaction; return (id, was it already known) for each.

        A note whose uri is known with another text becomes the current version of that item.
        """
        given = list(notes)
        last = {note.uri: place for place, (note, _) in enumerate(given)}
        with self.writing():
            return [
                self._add_note(note, spans, to_text(now), is_latest=last[note.uri] == place)
                for place, (note, spans) in enumerate(given)
            ]

    def _add_note(self, note: Note, spans: Sequence[Span], now: str, *, is_latest: bool) -> tuple[int, bool]:
        digest = hashlib.sha256(note.text.encode()).hexdigest()
        execute = self.db.conn.execute
        found = execute("select id, replaced_at from notes where uri = ? and digest = ?", (note.uri, digest)).fetchone()
        # An earlier text of an item comes back where that is what the item says now, not where a log tells both.
        if found and (found[1] is None or not is_latest):
            return found[0], True
        for (earlier,) in execute("select id from notes where uri = ? and replaced_at is null", (note.uri,)).fetchall():
            self.retire(earlier, now)
        if found:
            note_id = found[0]
            execute("update notes set replaced_at = null where id = ?", (note_id,))
        else:
            assert note.happened_at is not None
            row = (note.uri, digest, note.title, note.text, note.thread, note.author, note.origin)
            note_id = execute(
                """insert into notes (uri, digest, title, text, thread, author, origin, happened_at, added_at)
                   values (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (*row, to_text(note.happened_at), now),
            ).lastrowid
        self.add_passages(note_id, note, spans)
        return note_id, False

    def uris_in(self, thread: str) -> list[str]:
        """Return the names of the items in a conversation."""
        query = "select uri from notes where thread = ? and replaced_at is null"
        return [row[0] for row in self.db.conn.execute(query, (thread,))]

    def is_current(self, uri: str, text: str) -> bool:
        """True if this text is what the item of that name says now."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        found = self.db.conn.execute(
            "select 1 from notes where uri = ? and digest = ? and replaced_at is null", (uri, digest)
        )
        return found.fetchone() is not None

    def retire(self, note_id: int, moment: str) -> None:
        """Keep a version as an earlier one that is no longer found. Call it within a transaction."""
        self.remove_passages([note_id])
        self.db.conn.execute("update notes set replaced_at = max(?, added_at) where id = ?", (moment, note_id))

    def add_passages(self, note_id: int, note: Note, spans: Sequence[Span]) -> None:
        """Store the passages of a version that becomes the current one. Call it within a transaction."""
        rows = [
            (at, s.start, s.end, s.line_start, s.line_end, s.heading, label(note, s.heading), s.text)
            for at, s in enumerate(spans)
        ]
        # One statement for all of them: after each, the word index writes what it has gathered to the file.
        columns = "note_id, position, byte_start, byte_end, line_start, line_end, heading, label, text"
        values = ", ".join(f"value ->> {at}" for at in range(8))
        query = f"insert into passages ({columns}) select ?, {values} from json_each(?) order by key"
        self.db.conn.execute(query, (note_id, json.dumps(rows, ensure_ascii=False)))

    def remove_passages(self, note_ids: Sequence[int]) -> None:
        """Remove the passages of notes with their index rows. Call it within a transaction."""
        among, values = "note_id in (select value from json_each(?))", (json.dumps(note_ids),)
        ids = [row[0] for row in self.db.conn.execute(f"select id from passages where {among}", values)]
        self.index.remove_vectors(ids)
        self.db.conn.execute(f"delete from passages where {among}", values)

    def note(self, note_id: int) -> Note | None:
        """Return the note, or None where there is none."""
        row = self.db.conn.execute(f"select {NOTE_COLUMNS} from notes where id = ?", (note_id,)).fetchone()
        return note_of(row) if row else None

    def versions(self, uri: str) -> list[Note]:
        """Return all versions of a source item, newest first."""
        rows = self.db.conn.execute(
            f"select {NOTE_COLUMNS} from notes where uri = ? order by replaced_at is not null, replaced_at desc", (uri,)
        )
        return [note_of(row) for row in rows]

    def notes(self, filters: Filters | None = None, *, limit: int = -1) -> Iterator[Note]:
        """Yield current notes, newest event first; a negative limit is none."""
        where, values = conditions(filters or Filters())
        query = f"select {NOTE_COLUMNS} from notes n where {where} order by happened_at desc, id desc limit ?"
        return map(note_of, self.db.conn.execute(query, (*values, limit)))

    def passages(self, ids: Sequence[int]) -> list[Passage]:
        """Return the passages with these ids, in the order given; unknown ids are left out."""
        found: dict[int, Passage] = {}
        for start in range(0, len(ids), 500):
            some = list(ids[start : start + 500])
            marks = ", ".join("?" * len(some))
            rows = self.db.conn.execute(f"{PASSAGE_QUERY} where p.id in ({marks})", some)
            found.update((row[0], passage_of(row)) for row in rows)
        return [found[id] for id in ids if id in found]

    def newest_passages(self, k: int, *, before: int | None = None) -> list[Passage]:
        """Return `k` passages, those stored last first, or those stored before the passage with this id."""
        query = f"{PASSAGE_QUERY} where p.id < coalesce(?, p.id + 1) order by p.id desc limit ?"
        return [passage_of(row) for row in self.db.conn.execute(query, (before, k))]

    def first_passages(self, moment: datetime, *, before: int) -> Iterator[tuple[int, int, int, dict[str, str]]]:
        """Yield the first passage of each note before the note `before`, which happened at `moment`, latest first.

        Each is its number and how many characters it has, and the number, origin, author, thread and uri of its note.
        """
        query = """select p.id, length(p.text), n.id, n.origin, n.author, n.thread, n.uri
                   from notes n join passages p on p.note_id = n.id and p.position = 0
                   where n.happened_at <= ?1 and (n.happened_at < ?1 or n.id < ?2) and n.replaced_at is null
                   order by n.happened_at desc, n.id desc"""
        for id, length, note_id, *names in self.db.conn.execute(query, (to_text(moment), before)):
            yield id, length, note_id, dict(zip(("origin", "author", "thread", "uri"), names, strict=True))

    def passage_number(self, note_id: int, position: int | None) -> int | None:
        """Return the number of the passage with this name, None where there is none."""
        query = "select id from passages where note_id = ? and position = ?"
        row = self.db.conn.execute(query, (note_id, (position or 1) - 1)).fetchone()
        return row[0] if row else None

    def passages_of(self, note_id: int) -> list[Passage]:
        """Return the passages of a note, in their order."""
        rows = self.db.conn.execute(f"{PASSAGE_QUERY} where p.note_id = ? order by p.position", (note_id,))
        return [passage_of(row) for row in rows]

    def passage_at(self, note_id: int, byte: int) -> Passage | None:
        """Return the passage that holds a byte of a note; None where the note has been replaced."""
        query = f"{PASSAGE_QUERY} where p.note_id = ? and p.byte_start <= ? and p.byte_end > ?"
        row = self.db.conn.execute(query, (note_id, byte, byte)).fetchone()
        return passage_of(row) if row else None

    def forget(self, note_ids: Sequence[int], *, dry_run: bool, is_lasting: bool = True) -> Forgotten:
        """Remove notes with all that tells of them, here and in all copies; files do not bring back what is lasting."""
        return forget(self, note_ids, dry_run=dry_run, is_lasting=is_lasting)

    def checkpoint(self) -> bool:
        """Move the write-ahead log into the file and empty it; False where another process reads, which keeps it."""
        (busy, _, _) = self.db.conn.execute("pragma wal_checkpoint(truncate)").fetchone()
        return not busy

    def meta(self, key: str) -> str | None:
        """Return a stored setting of the file itself."""
        row = self.db.conn.execute("select value from meta where key = ?", (key,)).fetchone()
        return row[0] if row else None

    def set_meta(self, key: str, value: str) -> None:
        """Store a setting of the file itself."""
        with self.writing():
            self.db.conn.execute("insert or replace into meta values (?, ?)", (key, value))

    def counts(self) -> dict[str, int]:
        """Return how much is stored: notes, earlier versions, passages, those with vectors, facts, bytes on disk."""
        one = self.db.conn.execute(
            """select (select count(*) from notes where replaced_at is null),
                      (select count(*) from notes where replaced_at is not null),
                      (select count(*) from passages),
                      (select count(*) from passages) - (select count(*) from passages_waiting),
                      (select count(*) from memories where retired_at is null),
                      (select count(*) from memories where retired_at is not null)"""
        ).fetchone()
        files = [self.path, self.path.with_name(self.path.name + "-wal")]
        size = sum(os.path.getsize(path) for path in files if path.exists())
        names = ("notes", "earlier_versions", "passages", "with_vectors", "facts", "retired_facts", "bytes")
        return dict(zip(names, (*one, size), strict=True))


def label(note: Note, heading: str) -> str:
    """Return what names the passage's context in the indexes: who said it, or the title and headings above it."""
    parts = [note.author] if note.author else [note.title, *heading.split(" > ")]
    return " > ".join(dict.fromkeys(part for part in parts if part))


def note_of(row: Sequence[Any]) -> Note:
    """Return the record of a row of NOTE_COLUMNS."""
    id, uri, title, text, thread, author, origin, happened_at = row
    return Note(text, uri, thread, author, from_text(happened_at), origin, title, f"n{id}")
