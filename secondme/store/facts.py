"""Facts and the lines they rest on. Their text is never changed: what happens to them is in moments and marks."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from secondme.clock import from_text
from secondme.ids import number_in
from secondme.records import Fact, FactKind, Source, Stance
from secondme.store.zones import Owner, Zones

if TYPE_CHECKING:
    from sqlite_utils.db import Database

MOST_CERTAIN = 0.99
COMMON = 1000
"""A word in so many facts is not looked for alone."""


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact that is about to be stored."""

    kind: FactKind
    stance: Stance
    text: str
    subject: str
    attribute: str
    value: str
    certainty: float
    """How sure one source alone makes it, from 0 to 1."""
    valid_from: datetime | None
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a note that is about to be stored as evidence."""

    note_id: int
    start: int
    end: int
    line_start: int
    line_end: int
    quote: str

    @property
    def quote_hash(self) -> str:
        """What tells whether the words of a line are the same, without holding them."""
        return hashlib.sha256(self.quote.encode()).hexdigest()[:32]


COLUMNS = """m.id, m.kind, m.stance, m.text, m.subject, m.attribute, m.value, m.valid_from, m.valid_to,
    m.recorded_at, m.retired_at, m.superseded_by, m.certainty"""
# A fact is found while a line it rests on stands in the current version of a note.
IS_SUPPORTED = """exists (select 1 from evidence e join notes n on n.id = e.note_id
    where e.memory_id = m.id and n.replaced_at is null)"""


class Facts:
    """The facts of one database."""

    def __init__(self, db: Database) -> None:
        """Use the tables of `db`."""
        self.db = db
        self.owner = Owner()
        self._read: dict[int, bytes] = {}
        """The texts of the notes that were read last."""

    def get(self, ids: Iterable[int]) -> list[Fact]:
        """Return the facts with these ids, in this order; ids of none are left out."""
        wanted = list(ids)
        found: dict[int, Fact] = {}
        for some, marks in _batches(wanted):
            found.update((_number(fact), fact) for fact in self._select(f"m.id in ({marks})", some))
        return [found[id] for id in wanted if id in found]

    def all(self) -> list[Fact]:
        """Return all facts that can be opened, retired ones as well, oldest first."""
        return self._select(IS_SUPPORTED, ())

    def is_current(self, id: int) -> bool:
        """True if a fact is there and has not been retired."""
        query = "select 1 from memories where id = ? and retired_at is null"
        return bool(self.db.conn.execute(query, (id,)).fetchone())

    def extent(self) -> tuple[int, int]:
        """Return the highest number of a fact and how many are not retired."""
        query = "select coalesce(max(id), 0), count(*) filter (where retired_at is null) from memories"
        highest, count = self.db.conn.execute(query).fetchone()
        return highest, count

    def about(self, subject: str, attribute: str) -> list[Fact]:
        """Return all facts on one attribute of one subject, retired ones as well, oldest first."""
        return self._select("m.subject = ? and m.attribute = ?", (subject, attribute))

    def timeline(self, fact: Fact) -> list[Fact]:
        """Return a fact with all that came before and after it on the same matter, in the order of time."""
        rows = self.db.conn.execute(
            """with recursive related (id) as (
                   select ? union
                   select m.id from related r join memories m on m.superseded_by = r.id union
                   select m.superseded_by from related r join memories m on m.id = r.id
                   where m.superseded_by is not null)
               select id from related""",
            (_number(fact),),
        ).fetchall()
        found = {one.id: one for one in self.get(row[0] for row in rows)}
        if fact.attribute:
            found.update((one.id, one) for one in self.about(fact.subject, fact.attribute))
        found.update((one.id, one) for one in self.get(number_in(id, "m") for id in fact.conflicts))
        return sorted(found.values(), key=_moment_of)

    def resting_on(self, passage_ids: Sequence[int]) -> dict[int, list[Fact]]:
        """Return for each of these passages the facts that rest on a line of it, retired ones as well."""
        pairs: list[tuple[int, int]] = []
        for some, marks in _batches(passage_ids):
            query = f"""select p.id, e.memory_id from passages p join evidence e on e.note_id = p.note_id
                        where p.id in ({marks}) and e.byte_start >= p.byte_start and e.byte_start < p.byte_end
                        order by e.memory_id"""
            pairs += self.db.conn.execute(query, some).fetchall()
        facts = {_number(fact): fact for fact in self.get(dict.fromkeys(memory for _, memory in pairs))}
        found: dict[int, list[Fact]] = {}
        for passage, memory in dict.fromkeys(pairs):
            found.setdefault(passage, []).append(facts[memory])
        return found

    def replaced_by(self, id: str) -> Fact | None:
        """Return what was so until this fact took its place, None where that is not known."""
        # What took the place of another's words has that one's past as well.
        found = self._select(
            """m.valid_to is not null and m.superseded_by in (with recursive same (id) as (select ? union
                   select o.id from same s join memories o on o.superseded_by = s.id where o.valid_to is null)
               select id from same)""",
            (number_in(id, "m"),),
        )
        return max(found, key=lambda fact: (fact.valid_to, _number(fact)), default=None)

    def matching(self, words: Sequence[str], *, limit: int) -> list[int]:
        """Return the ids of supported facts with any of these words, the best match first."""
        quoted = ['"' + word.replace('"', '""') + '"' for word in dict.fromkeys(words)]
        if not quoted:
            return []
        # What stands in very many facts tells none from the others and takes long to read; all of it together does not.
        telling = [word for word in quoted if not self._is_common(word)]
        query = " OR ".join(telling) or " AND ".join(quoted)
        rows = self.db.conn.execute(
            f"""select m.id from memory_words w join memories m on m.id = w.rowid
                where memory_words match ? and {IS_SUPPORTED} order by w.rank, m.id limit ?""",
            (query, limit),
        )
        return [row[0] for row in rows]

    def _is_common(self, word: str) -> bool:
        query = """select count(*) from (select 1 from memory_words w join memories m on m.id = w.rowid
                   where memory_words match ? limit ?)"""
        (count,) = self.db.conn.execute(query, (word, COMMON)).fetchone()
        return bool(count == COMMON)

    def codes(self, ids: Sequence[int]) -> dict[int, bytes]:
        """Return the token codes of those facts that have them."""
        found: dict[int, bytes] = {}
        for some, marks in _batches(ids):
            query = f"select memory_id, codes from memory_tokens where memory_id in ({marks})"
            found.update(self.db.conn.execute(query, some).fetchall())
        return found

    def save_codes(self, memory_id: int, codes: bytes) -> None:
        """Store the token codes of a fact that is still there. Call it within a transaction."""
        self.db.conn.execute(
            "insert or replace into memory_tokens select id, ? from memories where id = ?", (codes, memory_id)
        )

    def without_codes(self, limit: int) -> list[tuple[int, str]]:
        """Return (number, text) of facts that have no token codes, oldest first."""
        return self.db.conn.execute(
            """select m.id, m.text from memories m left join memory_tokens t on t.memory_id = m.id
               where t.memory_id is null order by m.id limit ?""",
            (limit,),
        ).fetchall()

    def places(self, memory_id: int) -> list[Place]:
        """Return the lines a fact rests on, the one whose words it has first."""
        sources = self._sources([memory_id])[memory_id]
        return [Place(s.note_id, s.start, s.end, s.line_start, s.line_end, s.quote) for s in sources]

    def _select(self, where: str, values: Sequence[object]) -> list[Fact]:
        query = f"select {COLUMNS} from memories m where {where} order by m.id"
        found = self.db.conn.execute(query, list(values)).fetchall()
        ids = [row[0] for row in found]
        sources, conflicts = self._sources(ids), self._conflicts(ids)
        return [_fact_of(row, sources[row[0]], conflicts.get(row[0], [])) for row in found]

    def _sources(self, ids: Sequence[int]) -> dict[int, list[Source]]:
        found: dict[int, list[Source]] = {id: [] for id in ids}
        zones = self.zones()
        for some, marks in _batches(ids):
            rows = self.db.conn.execute(
                f"""select e.memory_id, e.note_id, e.byte_start, e.byte_end, e.line_start, e.line_end,
                           n.uri, n.thread, n.author, n.happened_at, n.origin
                    from evidence e join notes n on n.id = e.note_id
                    where e.memory_id in ({marks}) order by not e.is_wording, n.happened_at, e.id""",
                some,
            ).fetchall()
            texts = self._texts({row[1] for row in rows})
            for memory, note, first, last, line, line_end, uri, thread, author, at, origin in rows:
                where = (note, first, last, line, line_end, texts[note][first:last].decode(), uri, thread)
                is_own = zones.is_own(note, origin=origin, author=author, thread=thread, uri=uri)
                found[memory].append(Source(*where, author, from_text(at), origin, "own" if is_own else "quoted"))
        return found

    def zones(self) -> Zones:
        """Return what tells the user's own notes from quoted ones, as it is now."""
        return Zones(self.db, self.owner)

    def _texts(self, note_ids: Collection[int]) -> Mapping[int, bytes]:
        # A note may be large, and a night asks for it again and again; the text behind a number never changes.
        kept = {id: text for id, text in self._read.items() if id in note_ids}
        for some, marks in _batches([id for id in note_ids if id not in kept]):
            kept.update(self.db.conn.execute(f"select id, cast(text as blob) from notes where id in ({marks})", some))
        self._read = kept
        return kept

    def rests_on(self, id: int, note_id: int) -> bool:
        """True if a line of a note is evidence of a fact."""
        query = "select 1 from evidence where memory_id = ? and note_id = ? limit 1"
        return bool(self.db.conn.execute(query, (id, note_id)).fetchone())

    def _conflicts(self, ids: Sequence[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for some, marks in _batches(ids):
            rows = self.db.conn.execute(
                f"""select c.a, c.b from (select memory_id a, other_id b from conflicts
                    union select other_id, memory_id from conflicts) c
                    join memories m on m.id = c.b
                    where c.a in ({marks}) and m.retired_at is null and {IS_SUPPORTED} order by 1, 2""",
                some,
            )
            for one, other in rows:
                found.setdefault(one, []).append(other)
        return found


def _batches(ids: Sequence[int]) -> Iterator[tuple[list[int], str]]:
    """Yield a few of the ids at a time, with as many question marks: SQLite takes only so many values."""
    for start in range(0, len(ids), 500):
        some = list(ids[start : start + 500])
        yield some, ", ".join("?" * len(some))


def _moment_of(fact: Fact) -> tuple[datetime, int]:
    """Return what orders facts in time: since when, else until when, else when it was said."""
    said = [source.happened_at for source in fact.sources] or [fact.recorded_at]
    return fact.valid_from or fact.valid_to or min(said), _number(fact)


def _number(fact: Fact) -> int:
    return number_in(fact.id, "m")


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None


def _fact_of(row: Sequence[Any], sources: Sequence[Source], conflicts: Sequence[int]) -> Fact:
    id, kind, stance, text, subject, attribute, value, since, until, recorded, retired, by, certainty = row
    notes = len({source.note_id for source in sources})
    return Fact(
        id=f"m{id}",
        kind=kind,
        stance=stance,
        text=text,
        subject=subject,
        attribute=attribute,
        value=value,
        valid_from=_moment(since),
        valid_to=_moment(until),
        recorded_at=from_text(recorded),
        retired_at=_moment(retired),
        superseded_by=f"m{by}" if by else "",
        conflicts=tuple(f"m{other}" for other in conflicts),
        # Independent sources are wrong together as rarely as each of them at once.
        confidence=round(min(1 - (1 - certainty) ** max(notes, 1), MOST_CERTAIN), 2),
        sources=tuple(sources),
    )
