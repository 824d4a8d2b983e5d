"""Whose words a note holds: the user's own, or quoted ones, of which nothing is learned about the user."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from secondme.clock import to_text
from secondme.records import HELD_REASONS

if TYPE_CHECKING:
    from sqlite_utils.db import Database

    from secondme.config import Config
    from secondme.records import Origin, Passage, Trust
    from secondme.store.store import Store

REPEATED = "known from your own words"
ZONED = (*HELD_REASONS, REPEATED)
"""Reasons that hold only while a text is not the user's own."""
WHOLE = ("mcp", "clip")
"""Origins of which nothing at all becomes a fact before the note is released."""

_OWN_CHAT = re.compile(r"chat:\d+")


@dataclass(frozen=True, slots=True)
class Owner:
    """Who the user is, and where nobody else writes."""

    name: str = "me"
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A line of which nothing was learned, because it speaks of the user and is not the user's."""

    note_id: int
    uri: str
    line: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class HeldNote:
    """A note of which nothing is learned before it is released."""

    note_id: int
    uri: str
    origin: Origin
    author: str
    title: str


def owner_of(config: Config) -> Owner:
    """Return who the user is and which folders are the user's own, as the settings say it."""
    folders = (os.path.realpath(os.path.expanduser(folder)) for folder in config.trust.own)
    return Owner(config.me.name, tuple(folders))


def owned(store: Store, config: Config) -> Store:
    """Return the store, told who the user is."""
    store.facts.owner = owner_of(config)
    return store


class Zones:
    """Tells own notes from quoted ones, by the folders and releases of one moment."""

    def __init__(self, db: Database, owner: Owner) -> None:
        """Read which folders are the user's own, and what was released."""
        self.me = owner.name
        watched = db.conn.execute("select path from folders where kind = 'own'").fetchall()
        self._below = tuple(f"{folder.rstrip(os.sep)}{os.sep}" for folder in (*owner.folders, *(p for (p,) in watched)))
        self._released = {id for (id,) in db.conn.execute("select note_id from releases")}

    def is_own(self, note_id: int, *, origin: str, author: str, thread: str, uri: str) -> bool:
        """True if what stands in a note is the user's own word."""
        match origin:
            case _ if note_id in self._released:
                return True
            case "typed":
                return True
            case "chat":
                return author in ("", self.me) or bool(_OWN_CHAT.fullmatch(thread))
            case "file":
                return uri.startswith(self._below)
        return False

    def trust_in(self, passage: Passage) -> Trust:
        """Return whose words a passage is."""
        named = {"author": passage.author, "thread": passage.thread, "uri": passage.uri}
        return "own" if self.is_own(passage.note_id, origin=passage.origin, **named) else "quoted"


def reopen(db: Database, zones: Zones) -> int:
    """Let the next night read again what was held of notes that are the user's own by now; return how many notes.

    Call it within a transaction.
    """
    rows = db.conn.execute(
        f"""select distinct n.id, n.origin, n.author, n.thread, n.uri from rejections r join notes n on n.id = r.note_id
            where r.reason in ({", ".join("?" * len(ZONED))})""",
        ZONED,
    ).fetchall()
    own = [row[0] for row in rows if zones.is_own(row[0], origin=row[1], author=row[2], thread=row[3], uri=row[4])]
    for id in own:
        db.conn.execute(
            f"delete from rejections where note_id = ? and reason in ({', '.join('?' * len(ZONED))})", (id, *ZONED)
        )
        unread(db, id)
    return len(own)


def unread(db: Database, note_id: int) -> None:
    """Let the next night read a note again. Call it within a transaction."""
    db.conn.execute("delete from digested where passage_id in (select id from passages where note_id = ?)", (note_id,))


def release(db: Database, note_id: int, *, now: datetime) -> None:
    """Take a note for the user's own word. Call it within a transaction."""
    db.conn.execute("insert or ignore into releases values (?, ?)", (note_id, to_text(now)))
    unread(db, note_id)


def hold(db: Database, note_id: int) -> None:
    """Take a release back. Call it within a transaction."""
    db.conn.execute("delete from releases where note_id = ?", (note_id,))
    unread(db, note_id)


def held_lines(db: Database, *, source: str = "") -> list[Held]:
    """Return the lines that are held of notes that are current, those of one note together."""
    rows = db.conn.execute(
        f"""select n.id, n.uri, cast(n.text as blob), r.byte_start, r.byte_end, r.reason
            from rejections r join notes n on n.id = r.note_id
            where r.reason in (?, ?) and n.replaced_at is null and {_IN_SOURCE}
            order by n.id, r.byte_start""",
        (*HELD_REASONS, source, source, source),
    ).fetchall()
    return [_held(*row) for row in rows]


def _held(id: int, uri: str, text: bytes, start: int, end: int, why: str) -> Held:
    return Held(id, uri, text.count(b"\n", 0, start) + 1, text[start:end].decode(), why)


def held_notes(db: Database, *, source: str = "") -> list[HeldNote]:
    """Return the current notes that are held as a whole, those of programs first."""
    rows: Sequence[Any] = db.conn.execute(
        f"""select n.id, n.uri, n.origin, n.author, n.title from notes n
            where n.origin in (?, ?) and n.replaced_at is null and {_IN_SOURCE}
            and not exists (select 1 from releases r where r.note_id = n.id)
            order by n.origin = 'clip', n.id""",
        (*WHOLE, source, source, source),
    ).fetchall()
    return [HeldNote(*row) for row in rows]


def released(db: Database, *, source: str = "") -> list[int]:
    """Return the ids of the notes that were released."""
    rows = db.conn.execute(
        f"select n.id from releases r join notes n on n.id = r.note_id where {_IN_SOURCE} order by n.id",
        (source, source, source),
    )
    return [id for (id,) in rows]


_IN_SOURCE = "(? = '' or instr(n.uri, ?) or instr(n.thread, ?))"
