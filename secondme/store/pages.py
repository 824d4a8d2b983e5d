"""Pages: what the language model has read of single passages, kept in a file of its own beside the memory.

It is a cache: it may be lost at any time, and what goes wrong with it is never an error to whoever asks.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.clock import now, to_text
from secondme.errors import Locked, SecondmeError
from secondme.locks import page_lock
from secondme.store.connect import DRIVER_ERROR, key_of, open_cache, open_copy, writing
from secondme.store.page_file import Unfit, beside, digest, is_damage, no_pages, prepare
from secondme.store.page_room import SHARE, PageNumbers, evict, has_way, is_wanted, make_way, page_numbers, used_sources
from secondme.store.traces import Looked, in_tables

if TYPE_CHECKING:
    import re
    from types import TracebackType

    from sqlite_utils.db import Database

    from secondme.keys import Key
    from secondme.store.store import Store

PATIENCE = 0.2
"""Seconds to wait for another process that writes; reading a passage again takes longer."""
REMOVING_PATIENCE = 3.0
"""Seconds to wait for others where pages have to go."""

Source = tuple[int, str]
"""A passage: the number of its note, and its text as it is stored."""

_LOG = logging.getLogger("secondme")


class PageStore:
    """The pages of one memory. It belongs to the thread that uses it first, and opens its file only then."""

    def __init__(self, database: Path, key: Key | None, *, budget_bytes: int = 0) -> None:
        """Use the pages beside the memory at `database`, which has this key; without a budget none is kept."""
        self.path = beside(database)
        self.budget_bytes = budget_bytes
        self._database, self._key = database, key
        self._db: Database | None = None
        self._memory: Database | None = None
        self._salt = b""
        self._held = ExitStack()

    @classmethod
    def of(cls, store: Store, *, budget_bytes: int = 0) -> PageStore:
        """Return the pages of an open memory."""
        return cls(store.path, key_of(store.db), budget_bytes=budget_bytes)

    def close(self) -> None:
        """Close the file; it is opened again where it is needed."""
        self._db = self._memory = None
        self._held.close()

    def __enter__(self) -> PageStore:
        """Return the pages."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def load(self, key: str) -> bytes | None:
        """Return the state that was kept under this key; None where there is none, or it is not as it was written."""
        state: bytes | None = None
        if self.budget_bytes <= 0:
            return None
        with self._guarded():
            db = self._begun()
            found = db.conn.execute(
                "select id, state, length, digest from pages where name = ?", (self._hashed(key),)
            ).fetchone()
            if found and len(found[1]) == found[2] and digest(found[1]) == found[3]:
                state = found[1]
            self._count(db, found[0] if found else None, is_hit=state is not None)
        return state

    def keep(self, key: str, state: bytes, *, of: Sequence[Source] = (), is_ahead: bool = False) -> bool:
        """Keep what was read of a passage, the first of `of`, behind the others; return whether it is kept.

        It is not where the memory has one of them not (any more), nor `is_ahead` of a question where others would have
        to go that are more likely to serve. A page of no passage never goes with one: it must hold nothing of the
        memory, as the beginning of every prompt does.
        """
        is_kept = False
        note_id, source = of[0] if of else (None, "")
        if not 0 < len(state) <= self.budget_bytes:
            return False
        with self._guarded():
            db = self._begun()
            with writing(db):
                # Whoever removes passages sweeps afterwards, and has to wait for this: no page is overlooked.
                if not all(self._is_there(*one) for one in of):
                    return False
                uses = 1
                if is_ahead and note_id is not None:
                    uses = int(is_wanted(db, note_id, self._hashed(source)))
                    room = SHARE * self.budget_bytes - len(state)
                    if not make_way(db, note_id=None if uses else note_id, room=room, now=now()):
                        return False
                db.conn.execute("delete from pages where name = ?", (self._hashed(key),))
                evict(db, self.budget_bytes - len(state))
                row = (note_id, self._hashed(source), uses, to_text(now()), len(state), digest(state))
                columns = "name, note_id, source, uses, used_at, length, digest, state"
                values = (self._hashed(key), *row, state)
                added = db.conn.execute(f"insert into pages ({columns}) values (?, ?, ?, ?, ?, ?, ?, ?)", values)
                behind = [(added.lastrowid, note, self._hashed(text)) for note, text in of[1:]]
                db.conn.executemany("insert into behind (page, note_id, source) values (?, ?, ?)", behind)
                db.conn.execute("delete from wanted where note_id = ? and source = ?", row[:2])
            is_kept = True
        return is_kept

    def has(self, key: str) -> bool:
        """True if there is a page under this key; it is neither read nor counted."""
        if self.budget_bytes <= 0:
            return False
        with self._guarded():
            if db := self._opened():
                return bool(db.conn.execute("select 1 from pages where name = ?", (self._hashed(key),)).fetchone())
        return False

    def has_room(self, of: Source) -> bool:
        """True if a page of this passage would be kept that is read ahead and of the usual size."""
        with self._guarded():
            if db := self._opened():
                room, is_used = SHARE * self.budget_bytes, is_wanted(db, of[0], self._hashed(of[1]))
                return has_way(db, note_id=None if is_used else of[0], room=room, now=now())
        return self.budget_bytes > 0

    def want(self, passages: Sequence[Source]) -> None:
        """Take note that these passages should have had a page."""
        if self.budget_bytes <= 0 or not passages:
            return
        with self._guarded():
            db = self._begun()
            with writing(db):
                rows = [(note_id, self._hashed(text)) for note_id, text in passages]
                db.conn.executemany("insert or ignore into wanted (note_id, source) values (?, ?)", rows)

    def used(self, store: Store) -> list[int]:
        """Return the numbers of the passages that answers wanted to have read: those without a page come first.

        Then those with a page, for this model or another, that was used most.
        """
        sources: list[tuple[int, bytes]] = []
        with self._guarded():
            if db := self._opened():
                sources = used_sources(db)
        among = json.dumps([note_id for note_id, _ in sources])
        query = "select id, note_id, text from passages where note_id in (select value from json_each(?))"
        named = {(note, self._hashed(text)): id for id, note, text in store.db.conn.execute(query, (among,))}
        return [named[source] for source in sources if source in named]

    def sweep(self, store: Store) -> int:
        """Remove each page whose passage is not there any more in the very words; return how many there were.

        No byte of them stays in the file or its log. Raises Locked where others keep that from being done.
        """
        removed = 0
        try:
            db = self._opened()
            if db is None:
                return 0
            db.conn.execute(f"pragma busy_timeout = {int(REMOVING_PATIENCE * 1000)}")
            with writing(db):
                outdated = self._outdated(db, store)
                db.conn.executemany("delete from pages where id = ?", [(id,) for id in outdated])
                self._forget_wanted(db, store)
                removed = len(outdated)
                if self.budget_bytes > 0:
                    evict(db, self.budget_bytes)
            db.conn.execute("pragma incremental_vacuum").fetchall()
            # Also where nothing was removed: one that was killed may have left it to us.
            (busy, _, _) = db.conn.execute("pragma wal_checkpoint(truncate)").fetchone()
        except (DRIVER_ERROR, OSError, UnicodeDecodeError, Unfit):
            # Better no page than one too many.
            self._begin_anew(seconds=REMOVING_PATIENCE)
            return removed
        if busy:
            raise Locked("another process reads the pages, so what was removed stays in their log until that ends")
        return removed

    def outdated(self, store: Store, going: Collection[int] = ()) -> int:
        """Return how many pages a sweep would remove, once the notes that are `going` have gone."""
        with self._guarded():
            if db := self._opened():
                return len(self._outdated(db, store, going))
        return 0

    def statistics(self) -> PageNumbers:
        """Return how many there are, and how well they serve."""
        with self._guarded():
            if db := self._opened():
                return page_numbers(db, self.path)
        return PageNumbers()

    def look(self, pattern: re.Pattern[bytes]) -> list[Looked] | None:
        """Look through all that is stored for some bytes; None where it cannot be read now."""
        found: list[Looked] | None = None if self.path.exists() else []
        with self._guarded():
            if db := self._opened():
                found = list(in_tables(db, pattern))
        return found

    def _begun(self) -> Database:
        db = self._opened(create=True)
        assert db is not None
        return db

    def _opened(self, *, create: bool = False) -> Database | None:
        """Return the file, open; None where there is none. Raises Locked, and what the driver says."""
        if self._db is None and (create or self.path.exists()):
            with ExitStack() as held:
                held.enter_context(page_lock(self._database, is_shared=True, seconds=PATIENCE))
                db = open_cache(self.path, self._key, seconds=PATIENCE)
                held.callback(db.close)
                self._salt = prepare(db)
                self._db, self._held = db, held.pop_all()
        return self._db

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Keep what goes wrong from whoever asks; what is damaged is begun anew."""
        try:
            yield
        except (DRIVER_ERROR, OSError, UnicodeDecodeError, SecondmeError, Unfit) as error:
            if is_damage(error):
                with suppress(SecondmeError):
                    self._begin_anew()
            else:
                _LOG.debug("the pages are out of reach: %s", getattr(error, "sqlite_errorname", type(error).__name__))

    def _begin_anew(self, *, seconds: float = 0.0) -> None:
        """Throw the file away. Raises Locked where another process has it open, which will see the same damage."""
        self.close()
        with suppress(OSError), no_pages(self._database, seconds=seconds):
            _LOG.info("the pages could not be read, and are begun anew")

    def _count(self, db: Database, id: int | None, *, is_hit: bool) -> None:
        with writing(db):
            if is_hit:
                db.conn.execute("update pages set uses = uses + 1, used_at = ? where id = ?", (to_text(now()), id))
            elif id is not None:
                db.conn.execute("delete from pages where id = ?", (id,))
            db.conn.execute("update totals set hits = hits + ?1, misses = misses + 1 - ?1", (int(is_hit),))

    def _outdated(self, db: Database, store: Store, going: Collection[int] = ()) -> list[int]:
        query = """select id, note_id, source from pages where note_id is not null
                   union all select page, note_id, source from behind"""
        rows = db.conn.execute(query).fetchall()
        living = self._living(store, {note for _, note, _ in rows} - set(going))
        return sorted({id for id, note, source in rows if (note, source) not in living})

    def _forget_wanted(self, db: Database, store: Store) -> None:
        rows = db.conn.execute("select note_id, source from wanted").fetchall()
        gone = set(rows) - self._living(store, {note for note, _ in rows})
        db.conn.executemany("delete from wanted where note_id = ? and source = ?", sorted(gone))

    def _living(self, store: Store, notes: Collection[int]) -> set[tuple[int, bytes]]:
        """Return what stands for the passages of some notes."""
        query = "select note_id, text from passages where note_id in (select value from json_each(?))"
        rows = store.db.conn.execute(query, (json.dumps(sorted(notes)),))
        return {(note, self._hashed(text)) for note, text in rows}

    def _is_there(self, note_id: int, source: str) -> bool:
        if not self._database.exists():
            return False
        if self._memory is None:
            self._memory = open_copy(self._database, self._key)
            self._held.callback(self._memory.close)
        query = "select 1 from passages where note_id = ? and text = ?"
        return bool(self._memory.conn.execute(query, (note_id, source)).fetchone())

    def _hashed(self, text: str) -> bytes:
        """Return what stands for a text: it tells nothing to whoever does not have this very file and that text."""
        return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=32, key=self._salt).digest()
