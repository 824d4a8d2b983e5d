"""What was forgotten, as salted hashes: they tell nothing, and keep files and imports from bringing it back."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from secondme.clock import from_text, to_text
from secondme.records import Note, Skipped, Span
from secondme.store.connect import writing

if TYPE_CHECKING:
    from sqlite_utils.db import Database

TELLING = 40
"""A text of fewer characters is said again by chance: the "yes" of tomorrow is not the one that was forgotten."""

_NUMBERED = re.compile(r"#L\d+$")
"""The name of what is only counted: with a line more above it, another item has that name."""
_FILES = ("file", "clip")
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """The hashes of what was forgotten, with the salts to make them of other notes."""

    salts: tuple[str, ...]
    since: dict[str, str]
    """When each was forgotten, as it is stored."""

    def of(self, note: Note) -> list[str]:
        """Return the hashes of a note: of its name, and of its text where that tells one note from another."""
        return [_hash(salt, one) for salt in self.salts for one in _marks(note)]

    def has(self, note: Note) -> bool:
        """True if a note was forgotten."""
        return any(one in self.since for one in self.of(note))


class Tombstones:
    """The tombstones of one database."""

    def __init__(self, db: Database) -> None:
        """Use the tables of `db`."""
        self.db = db

    def salts(self) -> tuple[str, ...]:
        """Return the salts of the hashes, the one for new ones first."""
        (found,) = self.db.conn.execute("select value from meta where key = 'salt'").fetchone()
        return tuple(found.split())

    def all(self) -> Fingerprints:
        """Return all there are."""
        return Fingerprints(self.salts(), dict(self.db.conn.execute("select * from tombstones").fetchall()))

    def made_for(self, notes: Iterable[Note], *, now: datetime) -> Fingerprints:
        """Return the hashes of notes that are about to be forgotten."""
        salt, moment = self.salts()[0], to_text(now)
        return Fingerprints((salt,), {_hash(salt, mark): moment for note in notes for mark in _marks(note)})

    def bury(self, forgotten: Fingerprints) -> None:
        """Keep what has these hashes out from now on. Call it within a transaction."""
        self.db.conn.executemany("insert or replace into tombstones values (?, ?)", forgotten.since.items())

    def take_over(self, others: Fingerprints) -> None:
        """Keep out what another memory has forgotten too."""
        with writing(self.db):
            salts = dict.fromkeys([*others.salts, *self.salts()])
            self.db.conn.execute("update meta set value = ? where key = 'salt'", (" ".join(salts),))
            self.db.conn.executemany("insert or ignore into tombstones values (?, ?)", others.since.items())

    def since(self, note: Note) -> datetime | None:
        """Return when a note was forgotten, as it will be stored; None where it was not, or is kept all the same."""
        return next(iter(self._since([note]).values()), None)

    def keep_out(
        self, given: Sequence[tuple[Note, Sequence[Span]]]
    ) -> tuple[list[tuple[Note, Sequence[Span]]], list[Skipped]]:
        """Return what was not forgotten, and what was. Call it in the transaction that stores the former."""
        since = self._since([note for note, _ in given])
        kept = [item for place, item in enumerate(given) if place not in since]
        return kept, [Skipped(given[place][0].uri, forgotten_on(moment), True) for place, moment in since.items()]

    def _since(self, notes: Sequence[Note]) -> dict[int, datetime]:
        """Return by their places which of these notes were forgotten, and when."""
        if not self.db.conn.execute("select 1 from tombstones limit 1").fetchone():
            return {}
        salts = self.salts()
        found: dict[int, datetime] = {}
        for start in range(0, len(notes), _BATCH):
            hashes: dict[str, list[int]] = {}
            for place in range(start, min(start + _BATCH, len(notes))):
                for salt in salts:
                    for mark in _marks(notes[place]):
                        hashes.setdefault(_hash(salt, mark), []).append(place)
            marks = ", ".join("?" * len(hashes))
            query = f"select fingerprint, forgotten_at from tombstones where fingerprint in ({marks})"
            for hash, moment in self.db.conn.execute(query, list(hashes)).fetchall():
                found.update(dict.fromkeys(hashes[hash], from_text(moment)))
        # What is still here is not what was forgotten: another item has the same text.
        return {place: moment for place, moment in sorted(found.items()) if not has_text(self.db, notes[place])}

    def lift(self, notes: Iterable[Note]) -> None:
        """Let notes in again that the user typed or named himself. Call it within a transaction."""
        salts = self.salts()
        for note in notes:
            hashes = [_hash(salt, mark) for salt in salts for mark in _marks(note)]
            marks = ", ".join("?" * len(hashes))
            self.db.conn.execute(f"delete from tombstones where fingerprint in ({marks})", hashes)
            # The next look at the file that it is in finds it changed.
            self.db.conn.execute(
                "update files set size = -1 where path = ? and why like 'forgotten on %'", (note.uri.partition("#")[0],)
            )


def has_text(db: Database, note: Note) -> bool:
    """True if an item of this name has this text in a memory, in its current version or an earlier one."""
    digest = hashlib.sha256(note.text.encode()).hexdigest()
    found = db.conn.execute("select 1 from notes where uri = ? and digest = ?", (note.uri, digest))
    return found.fetchone() is not None


def forgotten_on(moment: datetime) -> str:
    """Return why something is kept out."""
    return f"forgotten on {moment.astimezone().date().isoformat()}"


def _marks(note: Note) -> list[str]:
    """Return what of a note is hashed, each with its kind."""
    marks = []
    if not _NUMBERED.search(note.uri):
        marks.append(f"uri\0{note.uri}")
        if "#" in note.uri:
            # The same chat or mailbox, exported again, is another file with the same items in the same conversation.
            marks.append(f"item\0{note.thread}\0{note.uri.rpartition('#')[2]}")
    if len(note.text) >= TELLING:
        marks.append(f"text\0{note.text}")
    elif note.origin in _FILES:
        marks.append(f"file\0{note.text}")
    return marks


def _hash(salt: str, mark: str) -> str:
    return hmac.new(salt.encode(), mark.encode(), hashlib.sha256).hexdigest()
