"""The journal: every change that sleep makes, as operations that can be taken back exactly."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from secondme.clock import from_text, to_text
from secondme.errors import NotFound, UsageError
from secondme.ids import number_in
from secondme.store import chain
from secondme.store.edit import Edit, set_columns
from secondme.store.facts import Place
from secondme.store.removal import release, remove, restore

if TYPE_CHECKING:
    from sqlite_utils.db import Database

Verb = Literal["keep", "repeat", "merge", "supersede", "conflict", "edit"]
State = Literal["running", "done", "stopped", "interrupted", "failed", "undone"]
Review = Literal["", "accepted", "rejected"]


@dataclass(frozen=True, slots=True)
class Run:
    """One night."""

    id: str
    """`r3`."""
    started_at: datetime
    ended_at: datetime | None
    state: State
    model: str
    report: Mapping[str, Any]
    """Calls, tokens, seconds and passages, as far as it came."""


@dataclass(frozen=True, slots=True)
class Change:
    """One decision of a night."""

    id: str
    """`c12`."""
    run: str
    verb: Verb
    fact: str
    """The fact that it made or added a line to."""
    reason: str
    made_at: datetime
    undone_at: datetime | None
    review: Review
    touched: tuple[int, ...]
    """All facts that it made or marked."""


class Journal:
    """The nights and changes of one database."""

    def __init__(self, db: Database) -> None:
        """Use the tables of `db`."""
        self.db = db

    def start(self, model: str, *, now: datetime) -> int:
        """Note that a night begins; one that a crash left running is marked as interrupted."""
        execute = self.db.conn.execute
        execute("update runs set state = 'interrupted', ended_at = started_at where state = 'running'")
        started = execute(
            "insert into runs (started_at, state, model, report) values (?, 'running', ?, '{}')", (to_text(now), model)
        )
        assert started.lastrowid is not None
        return started.lastrowid

    def report(self, run: int, report: Mapping[str, Any]) -> None:
        """Note how far a night has come."""
        self.db.conn.execute("update runs set report = ? where id = ?", (json.dumps(report), run))

    def end(self, run: int, state: State, *, now: datetime) -> None:
        """Note that a night is over."""
        self.db.conn.execute("update runs set state = ?, ended_at = ? where id = ?", (state, to_text(now), run))

    def record(self, run: int, verb: Verb, memory_id: int, reason: str, edit: Edit, *, now: datetime) -> int:
        """Note a change. Call it in the transaction that made it."""
        row = (run, verb, memory_id, reason, json.dumps(edit.operations), to_text(now))
        added = self.db.conn.execute(
            """insert into changes (run_id, verb, memory_id, reason, operations, made_at, review)
               values (?, ?, ?, ?, ?, ?, '')""",
            row,
        )
        assert added.lastrowid is not None
        chain.extend(self.db)
        return added.lastrowid

    def runs(self) -> list[Run]:
        """Return all nights, the last first."""
        rows = self.db.conn.execute("select id, started_at, ended_at, state, model, report from runs order by id desc")
        return [
            Run(f"r{id}", from_text(began), from_text(ended) if ended else None, state, model, json.loads(report))
            for id, began, ended, state, model, report in rows.fetchall()
        ]

    def run(self, id: int) -> Run:
        """Return one night. Raises NotFound."""
        found = [run for run in self.runs() if run.id == f"r{id}"]
        if not found:
            raise NotFound(f"there is no r{id}", hint="secondme log")
        return found[0]

    def changes(self, run: int | None = None) -> list[Change]:
        """Return the changes of a night, or of all, in the order they were made."""
        return list(self._changes("1" if run is None else "run_id = ?", () if run is None else (run,)))

    def change(self, id: int) -> Change:
        """Return one change. Raises NotFound."""
        for change in self._changes("id = ?", (id,)):
            return change
        raise NotFound(f"there is no c{id}", hint="secondme log")

    def places(self, change: int) -> list[Place]:
        """Return the lines whose words a change made a fact of, or that it added to one."""
        query = "select operations from changes where id = ?"
        (operations,) = self.db.conn.execute(query, (change,)).fetchone()
        rows = self.db.conn.execute(
            """select e.note_id, e.byte_start, e.byte_end, e.line_start, e.line_end,
                      substr(cast(n.text as blob), e.byte_start + 1, e.byte_end - e.byte_start), e.is_wording
               from json_each(?, '$.added.evidence') a join evidence e on e.id = a.value
               join notes n on n.id = e.note_id order by e.id""",
            (operations,),
        ).fetchall()
        found = [row for row in rows if row[-1]] or rows
        return [Place(note, a, z, line, last, quote.decode()) for note, a, z, line, last, quote, _ in found]

    def mark(self, change: int, review: Review) -> None:
        """Note what the user thinks of a change."""
        self.db.conn.execute("update changes set review = ? where id = ?", (review, change))

    def rejected(self, run: int) -> dict[str, int]:
        """Return how many lines a night rejected, by reason."""
        rows = self.db.conn.execute(
            "select reason, count(*) from rejections where run_id = ? group by 1 order by 2 desc, 1", (run,)
        )
        return dict(rows.fetchall())

    def undo_change(self, id: int, *, now: datetime) -> None:
        """Take back one change. Raises UsageError where another one rests on it. Call it within a transaction."""
        change = self.change(id)
        if change.undone_at:
            raise UsageError(f"{change.id} was undone before")
        if later := self._later([change], within=None):
            raise UsageError(f"{_some(later)} rest on {change.id}", hint=f"secondme undo {later[-1]}")
        self._take_back(id, now=now)

    def undo_run(self, id: int, *, now: datetime) -> list[Change]:
        """Take back a whole night, its rejected lines and what it had read; return the changes undone.

        Raises UsageError where a later night rests on it. Call it within a transaction.
        """
        run = self.run(id)
        if run.state == "undone":
            raise UsageError(f"{run.id} was undone before")
        changes = [change for change in self.changes(id) if not change.undone_at]
        if later := self._later(changes, within=id):
            raise UsageError(f"later changes rest on {run.id}: {_some(later)}", hint=f"secondme undo {later[-1]}")
        for change in reversed(changes):
            self._take_back(number_in(change.id, "c"), now=now)
        self.db.conn.execute("delete from rejections where run_id = ?", (id,))
        self.db.conn.execute("delete from digested where run_id = ?", (id,))
        self.db.conn.execute("update runs set state = 'undone' where id = ?", (id,))
        return changes

    def _later(self, changes: Sequence[Change], *, within: int | None) -> list[str]:
        """Return the standing changes after these, of other nights than `within`, that touch the same facts."""
        if not changes:
            return []
        touched: dict[int, int] = {}
        for change in changes:
            for fact in change.touched:
                touched.setdefault(fact, number_in(change.id, "c"))
        others = self._changes(
            "id > ? and undone_at is null and run_id is not ?", (number_in(changes[0].id, "c"), within)
        )
        return [
            other.id
            for other in others
            if any(touched.get(fact, math.inf) < number_in(other.id, "c") for fact in other.touched)
        ]

    def _take_back(self, id: int, *, now: datetime) -> None:
        execute = self.db.conn.execute
        (text,) = execute("select operations from changes where id = ?", (id,)).fetchone()
        operations = json.loads(text)
        added = operations["added"]
        for memory, changed in reversed(operations["set"]):
            former = {name: was for name, (was, _) in changed.items()}
            by = former.get("superseded_by")
            if by is None or execute("select 1 from memories where id = ?", (by,)).fetchone():
                set_columns(self.db, memory, former)
            else:
                # What had taken its place before has been forgotten since.
                restore(self.db, memory)
        for pair in added["conflicts"]:
            execute("delete from conflicts where memory_id = ? and other_id = ?", pair)
        for evidence in added["evidence"]:
            self._take_evidence(evidence, made=added["memories"])
        for memory in added["memories"]:
            # Forgetting may have made it the one that took the place of others.
            release(self.db, memory)
            execute("delete from memories where id = ?", (memory,))
        execute("update changes set undone_at = ? where id = ?", (to_text(now), id))

    def _take_evidence(self, id: int, *, made: Collection[int]) -> None:
        """Remove a line that a fact rests on, and a fact of another change that forgetting has left no other one."""
        row = self.db.conn.execute(
            "delete from evidence where id = ? returning memory_id, is_wording", (id,)
        ).fetchone()
        if row and row[1] and row[0] not in made:
            remove(self.db, [row[0]])

    def _changes(self, where: str, values: Sequence[object]) -> Iterator[Change]:
        rows = self.db.conn.execute(
            f"""select id, run_id, verb, memory_id, reason, operations, made_at, undone_at, review
                from changes where {where} order by id""",
            list(values),
        ).fetchall()
        for id, run, verb, memory, reason, text, made, undone, review in rows:
            operations = json.loads(text)
            touched = {memory, *operations["added"]["memories"], *(one for one, _ in operations["set"])}
            touched.update(one for pair in operations["added"]["conflicts"] for one in pair)
            moments = (from_text(made), from_text(undone) if undone else None)
            yield Change(f"c{id}", f"r{run}", verb, f"m{memory}", reason, *moments, review, tuple(sorted(touched)))


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:3]) + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")
