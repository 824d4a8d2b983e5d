"""Which pages make way for others, which of them are asked for, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.clock import now, to_text

if TYPE_CHECKING:
    from sqlite_utils.db import Database

SHARE = 0.9
"""The part of the budget that is filled ahead; the rest is for what answers read."""
MEMORY = timedelta(days=30)
"""How long it counts that a page was used."""
SPELL = timedelta(hours=1)
"""How long a page that was used is safe from others that are wanted as well."""
_WORTH = "(uses + 1.0) / (1.0 + max(0.0, julianday(?1) - julianday(used_at)))"
"""How often a page was used, by the days since then; that of a page wanted now is 2."""


@dataclass(frozen=True, slots=True)
class PageNumbers:
    """How many pages there are, and how well they serve."""

    pages: int = 0
    bytes: int = 0
    """On disk, the write-ahead log included."""
    hits: int = 0
    """How often a page was wanted and there."""
    misses: int = 0


def evict(db: Database, room: int) -> None:
    """Remove the pages of least worth until the others fit: worth is how often one was used, by the days since then.

    What was asked about a lot long ago makes way for what is asked about now. Its size does not count: what a page
    saves grows with the room that it takes.
    """
    up_to = f"sum(length) over (order by {_WORTH} desc, used_at desc, id desc rows unbounded preceding)"
    db.conn.execute(
        f"delete from pages where id in (select id from (select id, {up_to} up_to from pages) where up_to > ?2)",
        (to_text(now()), room),
    )


def make_way(db: Database, *, note_id: int | None, room: float, now: datetime) -> bool:
    """Remove pages until the others take no more than `room`; return whether that could be done.

    What is read ahead of any question, of the note `note_id`, never takes turns: a page that was used stays, and so
    does one of a note stored later. For what answers have wanted, where `note_id` is None, those of less worth go, but
    none that was used within the last hour: the questions of that hour would take each other's.
    """
    going = _going(db, note_id=note_id, room=room, now=now)
    db.conn.executemany("delete from pages where id = ?", [(id,) for id in going or ()])
    return going is not None


def has_way(db: Database, *, note_id: int | None, room: float, now: datetime) -> bool:
    """True if `make_way` could do it for a page of the usual size beside those in `room`."""
    (usual,) = db.conn.execute("select coalesce(avg(length), 0) from pages where note_id is not null").fetchone()
    return _going(db, note_id=note_id, room=room - usual, now=now) is not None


def _going(db: Database, *, note_id: int | None, room: float, now: datetime) -> list[int] | None:
    (taken,) = db.conn.execute("select coalesce(sum(length), 0) from pages").fetchone()
    over, going = taken - room, []
    query = f"""select id, length from pages where note_id is not null and iif(
                    uses, used_at < ?2 or (?4 is null and used_at < ?3 and {_WORTH} < 2), ?4 is null or note_id < ?4)
                order by uses > 0, iif(uses, {_WORTH}, 0), note_id, id"""
    moments = [to_text(now - age) for age in (timedelta(), MEMORY, SPELL)]
    for id, length in db.conn.execute(query, (*moments, note_id)).fetchall() if over > 0 else ():
        going.append(id)
        over -= length
        if over <= 0:
            break
    return None if over > 0 else going


def is_wanted(db: Database, note_id: int, source: bytes) -> bool:
    """True if an answer has wanted the page of a passage, and there was none."""
    query = "select 1 from wanted where note_id = ? and source = ?"
    return bool(db.conn.execute(query, (note_id, source)).fetchone())


def used_sources(db: Database) -> list[tuple[int, bytes]]:
    """Return (note, what stands for the text of its passage) of each passage that answers wanted.

    Those without a page come first, then those whose pages were used most.
    """
    query = """select note_id, source from wanted union all
               select * from (select note_id, source from pages where note_id is not null and uses > 0
                              group by note_id, source order by sum(uses) desc, max(used_at) desc)"""
    return list(dict.fromkeys((note_id, source) for note_id, source in db.conn.execute(query)))


def page_numbers(db: Database, path: Path) -> PageNumbers:
    """Return how many pages the file at `path` holds, and how well they serve."""
    query = "select (select count(*) from pages), hits, misses from totals"
    count, hits, misses = db.conn.execute(query).fetchone()
    files = [file for end in ("", "-wal") if (file := Path(f"{path}{end}")).exists()]
    return PageNumbers(count, sum(file.stat().st_size for file in files), hits, misses)
