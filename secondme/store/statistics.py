"""What is stored, in numbers and by days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from secondme.clock import from_text
from secondme.store.store import Store

FIRST_WORDS = 200
"""Characters of a text that are read to tell what it is."""
EventKind = Literal["note", "fact", "question"]


@dataclass(frozen=True, slots=True)
class Statistics:
    """The numbers of one memory."""

    notes: int
    earlier_versions: int
    passages: int
    with_vectors: int
    facts: int
    """Those that hold now."""
    retired_facts: int
    bytes: int
    """On disk, the write-ahead log included."""
    embedder: str
    """Name and width of the embedder whose vectors are stored; empty where there are none."""
    by_origin: Mapping[str, int]
    by_month: Mapping[str, int]
    """Notes by the month they happened in (UTC), the oldest first."""
    oldest: datetime | None
    newest: datetime | None

    @property
    def bytes_per_passage(self) -> float:
        """Return what one passage takes on disk, all indexes included; 0 where there are none."""
        return self.bytes / self.passages if self.passages else 0.0


def measure(store: Store) -> Statistics:
    """Return the numbers of a memory, all of the same moment."""
    current = "from notes where replaced_at is null"
    execute = store.db.conn.execute
    with store.reading():
        oldest, newest = execute(f"select min(happened_at), max(happened_at) {current}").fetchone()
        return Statistics(
            **store.counts(),
            embedder=store.index.embedder or "",
            by_origin=dict(execute(f"select origin, count(*) {current} group by 1 order by 2 desc, 1").fetchall()),
            by_month=dict(
                execute(f"select substr(happened_at, 1, 7), count(*) {current} group by 1 order by 1").fetchall()
            ),
            oldest=from_text(oldest) if oldest else None,
            newest=from_text(newest) if newest else None,
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One thing of a day: a note, a fact that rests on a note of that day, or a question that became no note."""

    kind: EventKind
    number: int
    """Of the note, the fact or the turn."""
    chat: int
    """The conversation a question was asked in; 0 for others."""
    happened_at: datetime
    author: str
    text: str
    """The title, or the first words."""


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on a local day."""

    day: date
    counts: Mapping[EventKind, int]
    """How many there are of each kind that there is."""
    events: Sequence[Event]
    """The first of them, in the order of time."""


# A moment that is no day of the calendar on this side of the world is of no day.
_COUNTS = """select date(happened_at, 'localtime') day, count(*) from notes where replaced_at is null
    group by 1 having day between '0001-01-02' and '9999-12-30'"""
# Without the hint SQLite goes through all current notes.
_EVENTS = """with told (id, happened_at) as (
        select id, happened_at from notes indexed by notes_happened
        where happened_at >= date(:day, '-1 day') and happened_at < date(:day, '+2 days')
            and date(happened_at, 'localtime') = :day and replaced_at is null),
    events (kind, id, chat, happened_at) as (
        select 'note', id, 0, happened_at from told union all
        select 'fact', m.id, 0, min(t.happened_at) from told t join evidence e on e.note_id = t.id
            join memories m on m.id = e.memory_id where m.retired_at is null group by m.id union all
        select 'question', id, chat_id, said_at from turns
            where kind = 'asked' and note_id is null and date(said_at, 'localtime') = :day)"""
# The texts come last, of the few that are shown.
_SHOWN = f"""{_EVENTS}, some as (select * from events order by happened_at, kind = 'fact', id limit :most)
    select s.kind, s.id, s.chat, s.happened_at, coalesce(n.author, ''),
        coalesce(nullif(n.title, ''), substr(n.text, 1, :words), m.text, substr(t.text, 1, :words))
    from some s left join notes n on s.kind = 'note' and n.id = s.id
        left join memories m on s.kind = 'fact' and m.id = s.id
        left join turns t on s.kind = 'question' and t.id = s.id
    order by s.happened_at, s.kind = 'fact', s.id"""


def count_by_day(store: Store) -> dict[date, int]:
    """Return how many current notes there are of each local day that has any."""
    return {date.fromisoformat(day): count for day, count in store.db.conn.execute(_COUNTS)}


def day_of(store: Store, day: date, *, most: int) -> Day:
    """Return what happened on a local day; of many things, the first `most`."""
    values = {"day": day.isoformat(), "most": most, "words": FIRST_WORDS}
    execute = store.db.conn.execute
    with store.reading():
        counts = execute(f"{_EVENTS} select kind, count(*) from events group by 1", values).fetchall()
        rows = execute(_SHOWN, values).fetchall()
    events = [Event(kind, id, chat, from_text(at), author, text) for kind, id, chat, at, author, text in rows]
    return Day(day, dict(counts), events)
