"""One change to the facts: its operations, done and noted so that they can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from secondme.clock import to_text
from secondme.store.facts import NewFact, Place

if TYPE_CHECKING:
    from sqlite_utils.db import Database

SETTABLE = ("valid_from", "valid_to", "retired_at", "superseded_by")


class Edit:
    """The operations of one change, done and noted. Use it within one transaction."""

    def __init__(self, db: Database, *, now: datetime) -> None:
        self._db = db
        self.now = now
        self._added: dict[str, list[Any]] = {"memories": [], "evidence": [], "conflicts": []}
        self._set: list[tuple[int, dict[str, tuple[Any, Any]]]] = []

    def add(self, fact: NewFact, place: Place, codes: bytes | None) -> int:
        """Store a fact with the line whose words it has and its token codes; return its number."""
        row = (fact.kind, fact.stance, fact.text, fact.subject, fact.attribute, fact.value, fact.certainty)
        moments = [to_text(moment) if moment else None for moment in (fact.valid_from, fact.valid_to)]
        added = self._db.conn.execute(
            """insert into memories
                   (kind, stance, text, subject, attribute, value, certainty, recorded_at, valid_from, valid_to)
               values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (*row, to_text(self.now), *moments),
        ).lastrowid
        assert added is not None
        self._added["memories"].append(added)
        if codes is not None:
            self._db.conn.execute("insert into memory_tokens values (?, ?)", (added, codes))
        self.add_evidence(added, place, is_wording=True)
        return added

    def add_evidence(self, memory_id: int, place: Place, *, is_wording: bool = False) -> bool:
        """Store that a fact rests on a line; False where that was known."""
        row = (memory_id, place.note_id, place.start, place.end, place.line_start, place.line_end, place.quote_hash)
        # An insert that is ignored would use up a number.
        added = self._db.conn.execute(
            """insert into evidence
                   (memory_id, note_id, byte_start, byte_end, line_start, line_end, quote_hash, is_wording)
               select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 where not exists (select 1 from evidence
                   where memory_id = ?1 and note_id = ?2 and byte_start = ?3 and byte_end = ?4)""",
            (*row, is_wording),
        )
        if added.rowcount:
            self._added["evidence"].append(added.lastrowid)
        return bool(added.rowcount)

    def add_conflict(self, one: int, other: int) -> None:
        """Store that two facts cannot both hold."""
        pair = sorted((one, other))
        if self._db.conn.execute("insert or ignore into conflicts values (?, ?)", pair).rowcount:
            self._added["conflicts"].append(pair)

    def mark(self, memory_id: int, **columns: datetime | int | None) -> None:
        """Set moments of a fact, or what took its place."""
        new = {name: to_text(value) if isinstance(value, datetime) else value for name, value in columns.items()}
        assert set(new) <= set(SETTABLE)
        query = f"select {', '.join(new)} from memories where id = ?"
        old = self._db.conn.execute(query, (memory_id,)).fetchone()
        changed = {name: (was, new[name]) for name, was in zip(new, old, strict=True) if was != new[name]}
        set_columns(self._db, memory_id, {name: now for name, (_, now) in changed.items()})
        if changed:
            self._set.append((memory_id, changed))

    @property
    def is_empty(self) -> bool:
        """True where everything was as it should be already."""
        return not self._set and not any(self._added.values())

    @property
    def operations(self) -> dict[str, Any]:
        """What was done, in ids and moments."""
        return {"added": self._added, "set": self._set}


def set_columns(db: Database, memory_id: int, columns: Mapping[str, object]) -> None:
    """Set moments of a fact, or what took its place, in the form they are stored in."""
    if columns:
        assert set(columns) <= set(SETTABLE)
        names = ", ".join(f"{name} = ?" for name in columns)
        db.conn.execute(f"update memories set {names} where id = ?", [*columns.values(), memory_id])
