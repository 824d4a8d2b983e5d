"""All that is durable besides notes, taken in from another memory, and nothing twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from secondme.store import chain
from secondme.store.facts import Place
from secondme.store.numbering import Numbers, claimed

if TYPE_CHECKING:
    from secondme.store.store import Store

Item = Mapping[str, Any]

_ABSENT = "the note it rests on is not in this memory"


class Unusable(Exception):
    """A line that cannot be taken in, and why."""


class Intake:
    """One import: what its numbers are in this memory. Its methods are called within a transaction."""

    def __init__(self, store: Store) -> None:
        """Begin with what is here already."""
        self.store, self.execute = store, store.db.conn.execute
        self.facts, self.lines = Numbers(store.db, "memories"), Numbers(store.db, "evidence")
        self.runs, self.changes = Numbers(store.db, "runs"), Numbers(store.db, "changes", is_rising=True)
        self.chats = Numbers(store.db, "chats")
        self._claimed = claimed(store.db)
        self._changed = dict(self.execute("select run_id, count(*) from changes group by run_id").fetchall())
        self._seen: dict[int, int] = {}
        self._turns: set[int] = set()
        self._superseded: list[tuple[int, int, str]] = []
        self._text: tuple[int, bytes] = (0, b"")

    def take(self, item: Item) -> bool:
        """Store what a checked line holds; False where it was here. Raises Unusable, and then has stored nothing."""
        taken: bool = getattr(self, f"_take_{item['type']}")(item)
        return taken

    def seal(self) -> None:
        """Chain the changes that were taken in, and give no number they name to anything else.

        Call it at the end of each transaction: the import may go no further.
        """
        chain.extend(self.store.db)
        self.facts.reserve()
        self.lines.reserve()

    def finish(self) -> None:
        """Note which facts took the place of others, now that all are here."""
        for id, by, retired in self._superseded:
            number = self.facts.known(by)
            if number is not None and number != id:
                query = (
                    "update memories set superseded_by = ? where id = ? and superseded_by is null and retired_at = ?"
                )
                self.execute(query, (number, id, retired))

    def _note(self, item: Item) -> int:
        row = self.execute(
            "select id from notes where uri = ? and digest = ?", (item["uri"], item["digest"])
        ).fetchone()
        if not row:
            raise Unusable(_ABSENT)
        return int(row[0])

    def _place(self, item: Item) -> Place:
        """Return a stretch of a note, measured in the note itself."""
        note, start, end = self._note(item), item["start"], item["end"]
        if self._text[0] != note:
            (text,) = self.execute("select cast(text as blob) from notes where id = ?", (note,)).fetchone()
            self._text = note, text
        text = self._text[1]
        try:
            quote = text[start:end].decode() if start < end <= len(text) else ""
            text[:start].decode()
        except UnicodeDecodeError:
            quote = ""
        if not quote:
            raise Unusable(f"{start} to {end} is no stretch of its note")
        first = text.count(b"\n", 0, start) + 1
        return Place(note, start, end, first, first + quote.count("\n"), quote)

    def _run(self, number: int | None) -> int | None:
        if number is None:
            return None
        if (run := self.runs.known(number)) is None:
            raise Unusable(f"run {number} is not in this file")
        return run

    def _insert(self, table: str, values: Mapping[str, Any]) -> int:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        added = self.execute(f"insert or ignore into {table} ({names}) values ({marks})", list(values.values()))
        return added.rowcount

    def _take_release(self, item: Item) -> bool:
        return bool(self._insert("releases", {"note_id": self._note(item), "released_at": item["released_at"]}))

    def _take_run(self, item: Item) -> bool:
        self._once(self.runs, item, "run")
        query = "select id from runs where started_at = ? and model = ? order by id"
        if self.runs.match(item["id"], self.execute(query, (item["started_at"], item["model"])).fetchall()):
            return False
        # A night that goes on elsewhere does not go on here.
        state = "interrupted" if item["state"] == "running" else item["state"]
        row = {name: item[name] for name in ("started_at", "ended_at", "model")}
        report = json.dumps(item["report"])
        self._insert("runs", {"id": self.runs.new(item["id"]), **row, "state": state, "report": report})
        return True

    def _once(self, numbers: Numbers, item: Item, kind: str) -> None:
        if numbers.known(item["id"]) is not None:
            raise Unusable(f"{kind} {item['id']} stands in this file twice")

    def _take_fact(self, item: Item) -> bool:
        self._once(self.facts, item, "fact")
        places, absent = [], ""
        for line in item["evidence"]:
            try:
                places.append((line, self._place(line)))
            except Unusable as error:
                absent = str(error)
        wording = [place for line, place in places if line["is_wording"]]
        if not wording:
            raise Unusable(absent or "it rests on no line")
        query = """select m.id from memories m join evidence e on e.memory_id = m.id
                   where m.text = ? and e.is_wording and e.note_id = ? and e.byte_start = ? and e.byte_end = ?
                   order by m.recorded_at <> ?, m.id"""
        first = wording[0]
        alike = (item["text"], first.note_id, first.start, first.end, item["recorded_at"])
        number = self.facts.match(item["id"], self.execute(query, alike).fetchall())
        if is_new := number is None:
            number = self.facts.new(item["id"])
            columns = ("kind", "stance", "text", "subject", "attribute", "value", "certainty", "recorded_at",
                       "valid_from", "valid_to", "retired_at")  # fmt: skip
            self._insert("memories", {"id": number, **{name: item[name] for name in columns}})
        assert number is not None
        added = [self._add_line(number, line, place) for line, place in places]
        ended = not is_new and self._end(number, item)
        if item["superseded_by"] is not None and item["retired_at"]:
            self._superseded.append((number, item["superseded_by"], item["retired_at"]))
        return is_new or any(added) or ended

    def _end(self, number: int, item: Item) -> bool:
        """Let a fact that holds here end as it ended there, where the user has not pinned it."""
        return bool(
            item["retired_at"]
            and self.execute(
                """update memories set retired_at = ?, valid_to = ? where id = ? and retired_at is null
                   and id not in (select memory_id from pinned_facts)""",
                (item["retired_at"], item["valid_to"], number),
            ).rowcount
        )

    def _add_line(self, fact: int, line: Item, place: Place) -> bool:
        query = "select id from evidence where memory_id = ? and note_id = ? and byte_start = ? and byte_end = ?"
        found = self.execute(query, (fact, place.note_id, place.start, place.end)).fetchall()
        if self.lines.match(line["id"], found):
            return False
        where = {"note_id": place.note_id, "byte_start": place.start, "byte_end": place.end}
        lines = {"line_start": place.line_start, "line_end": place.line_end, "quote_hash": place.quote_hash}
        row = {"id": self.lines.new(line["id"]), "memory_id": fact, **where, **lines}
        return bool(self._insert("evidence", {**row, "is_wording": line["is_wording"]}))

    def _take_conflict(self, item: Item) -> bool:
        one, other = (self._fact(number) for number in item["facts"])
        if one == other:
            raise Unusable("a fact is in no conflict with itself")
        return bool(self._insert("conflicts", dict(zip(("memory_id", "other_id"), sorted((one, other)), strict=True))))

    def _fact(self, number: int) -> int:
        if (fact := self.facts.known(number)) is None:
            raise Unusable(f"fact {number} is not in this file, or could not be taken in")
        return fact

    def _take_change(self, item: Item) -> bool:
        run = self._run(item["run"])
        assert run is not None
        self._once(self.changes, item, "change")
        place = self._seen[run] = self._seen.get(run, 0) + 1
        if place <= self._changed.get(run, 0):
            self.changes.match(item["id"], [(item["id"],)])
            return False
        row = {name: item[name] for name in ("verb", "reason", "made_at", "undone_at", "review")}
        numbers = {"id": self.changes.new(item["id"]), "run_id": run, "memory_id": self.facts.of(item["fact"])}
        self._insert("changes", {**numbers, **row, "operations": json.dumps(self._operations(item["operations"]))})
        return True

    def _operations(self, told: Item) -> dict[str, Any]:
        """Return operations in the numbers of this memory; what another change here has added is not added by this."""
        facts, lines = self._claimed
        added, fact = told["added"], self.facts.of
        pairs = [sorted((fact(one), fact(other))) for one, other in added["conflicts"]]
        changes = []
        for number, columns in told["set"]:
            columns = {name: list(pair) for name, pair in columns.items()}
            if by := columns.get("superseded_by"):
                columns["superseded_by"] = [None if one is None else fact(one) for one in by]
            changes.append([fact(number), columns])
        memories = [one for one in map(fact, added["memories"]) if one not in facts]
        evidence = [one for one in map(self.lines.of, added["evidence"]) if one not in lines]
        return {"added": {"memories": memories, "evidence": evidence, "conflicts": pairs}, "set": changes}

    def _take_rejection(self, item: Item) -> bool:
        place, run = self._place(item), self._run(item["run"])
        where = {"note_id": place.note_id, "byte_start": place.start, "byte_end": place.end}
        why = {"text": item["text"], "reason": item["reason"], "run_id": run}
        return bool(self._insert("rejections", {**where, "quote_hash": place.quote_hash, **why}))

    def _take_read(self, item: Item) -> bool:
        note, passages = self._note(item), [(start, self._run(run)) for start, run in item["passages"]]
        query = """insert or ignore into digested
                   select id, ? from passages where note_id = ? and byte_start = ?"""
        return any([self.execute(query, (run, note, start)).rowcount for start, run in passages])

    def _take_pin(self, item: Item) -> bool:
        if item["fact"] is not None:
            return bool(self._insert("pinned_facts", {"memory_id": self._fact(item["fact"])}))
        if not self.execute("select 1 from notes where uri = ?", (item["uri"],)).fetchone():
            raise Unusable(_ABSENT)
        return bool(self._insert("pinned_notes", {"uri": item["uri"]}))

    def _take_chat(self, item: Item) -> bool:
        self._once(self.chats, item, "chat")
        query = "select id from chats where started_at = ? order by id <> ?, id"
        if self.chats.match(item["id"], self.execute(query, (item["started_at"], item["id"])).fetchall()):
            return False
        row = {"id": self.chats.new(item["id"]), "name": item["name"], "started_at": item["started_at"]}
        return bool(self._insert("chats", row))

    def _take_turn(self, item: Item) -> bool:
        if (chat := self.chats.known(item["chat"])) is None:
            raise Unusable(f"chat {item['chat']} is not in this file")
        note = self._note(item["note"]) if item["note"] else None
        # An answer goes with what it was drawn from.
        shown = [(self._note(source), source) for source in item["sources"]]
        row = {"chat_id": chat, **{name: item[name] for name in ("kind", "text", "said_at")}}
        query = "select id from turns where chat_id = ? and kind = ? and text = ? and said_at = ? order by id"
        for (id,) in self.execute(query, list(row.values())).fetchall():
            if id not in self._turns:
                self._turns.add(id)
                return False
        told = {name: item[name] for name in ("answer", "regime", "is_whole")}
        self._insert("turns", {**row, "note_id": note, **told})
        (turn,) = self.execute("select last_insert_rowid()").fetchone()
        self._turns.add(turn)
        for id, source in shown:
            name = f"n{id}" if source["passage"] is None else f"n{id}.{source['passage']}"
            values = {"number": source["number"], "note_id": id, "name": name, "is_cited": source["is_cited"]}
            self._insert("turn_sources", {"turn_id": turn, **values})
        return True

    def _take_folder(self, item: Item) -> bool:
        path = item["path"].rstrip("/\\") or item["path"]
        for other in self.store.sources.folders():
            inside, outside = (f"{one.rstrip('/')}/" for one in (path, other.path))
            if path != other.path and (inside.startswith(outside) or outside.startswith(inside)):
                raise Unusable(f"{path} overlaps {other.path}, which is watched")
        names = ("kind", "deleted", "state", "why", "added_at")
        return bool(self._insert("folders", {"path": path, **{name: item[name] for name in names}}))

    def _take_salts(self, item: Item) -> bool:
        ours = self.store.tombstones.salts()
        # The salt of a memory that has forgotten nothing is over nothing.
        is_used = self.execute("select 1 from tombstones limit 1").fetchone()
        salts = tuple(dict.fromkeys([*item["salts"], *ours])) if is_used else tuple(item["salts"])
        if set(salts) <= set(ours):
            return False
        self.execute("update meta set value = ? where key = 'salt'", (" ".join(salts),))
        return True

    def _take_tombstone(self, item: Item) -> bool:
        return bool(self._insert("tombstones", {name: item[name] for name in ("fingerprint", "forgotten_at")}))
