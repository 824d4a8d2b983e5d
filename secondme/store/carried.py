"""All that is durable besides notes, as plain objects: facts, the journal, conversations, marks of the user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from secondme.store.store import Store

Item = dict[str, Any]


def read_marks(store: Store) -> Iterator[Item]:
    """Yield all that is not a note, what others refer to before those. Call it within one reading."""
    yield from _releases(store)
    yield from _runs(store)
    yield from _facts(store)
    yield from _conflicts(store)
    yield from _changes(store)
    yield from _rejections(store)
    yield from _reads(store)
    yield from _pins(store)
    yield from _chats(store)
    yield from _folders(store)
    yield from _tombstones(store)


def _rows(store: Store, query: str) -> Iterator[tuple[Any, ...]]:
    # A cursor of its own, read row by row: a memory may be larger than RAM.
    yield from store.db.conn.execute(query)


def _releases(store: Store) -> Iterator[Item]:
    query = "select n.uri, n.digest, r.released_at from releases r join notes n on n.id = r.note_id order by n.id"
    for uri, digest, moment in _rows(store, query):
        yield {"type": "release", "uri": uri, "digest": digest, "released_at": moment}


def _runs(store: Store) -> Iterator[Item]:
    query = "select id, started_at, ended_at, state, model, report from runs order by id"
    for id, began, ended, state, model, report in _rows(store, query):
        moments = {"started_at": began, "ended_at": ended}
        yield {"type": "run", "id": id, **moments, "state": state, "model": model, "report": json.loads(report)}


FACT = (
    "kind", "stance", "text", "subject", "attribute", "value", "certainty", "recorded_at", "valid_from", "valid_to",
    "retired_at", "superseded_by",
)  # fmt: skip


def _facts(store: Store) -> Iterator[Item]:
    columns = ", ".join(f"m.{name}" for name in FACT)
    query = f"""select m.id, {columns}, e.id, n.uri, n.digest, e.byte_start, e.byte_end, e.is_wording
                from memories m join evidence e on e.memory_id = m.id join notes n on n.id = e.note_id
                order by m.id, e.id"""
    for _, rows in groupby(_rows(store, query), key=lambda row: row[0]):
        fact: Item = {}
        for id, *row in rows:
            values, (line, uri, digest, start, end, is_wording) = row[: len(FACT)], row[len(FACT) :]
            fact = fact or {"type": "fact", "id": id, **dict(zip(FACT, values, strict=True)), "evidence": []}
            place = {"id": line, "uri": uri, "digest": digest, "start": start, "end": end}
            fact["evidence"].append({**place, "is_wording": bool(is_wording)})
        yield fact


def _conflicts(store: Store) -> Iterator[Item]:
    query = "select memory_id, other_id from conflicts order by memory_id, other_id"
    for one, other in _rows(store, query):
        yield {"type": "conflict", "facts": [one, other]}


def _changes(store: Store) -> Iterator[Item]:
    names = ("id", "run", "verb", "fact", "reason", "operations", "made_at", "undone_at", "review")
    query = """select id, run_id, verb, memory_id, reason, operations, made_at, undone_at, review
               from changes order by id"""
    for row in _rows(store, query):
        change = dict(zip(names, row, strict=True))
        yield {"type": "change", **change, "operations": json.loads(change["operations"])}


def _rejections(store: Store) -> Iterator[Item]:
    query = """select n.uri, n.digest, r.byte_start, r.byte_end, r.text, r.reason, r.run_id
               from rejections r join notes n on n.id = r.note_id order by r.id"""
    for uri, digest, start, end, text, reason, run in _rows(store, query):
        place = {"uri": uri, "digest": digest, "start": start, "end": end}
        yield {"type": "rejection", **place, "text": text, "reason": reason, "run": run}


def _reads(store: Store) -> Iterator[Item]:
    query = """select n.uri, n.digest, p.byte_start, d.run_id from digested d join passages p on p.id = d.passage_id
               join notes n on n.id = p.note_id order by n.id, p.position"""
    for (uri, digest), rows in groupby(_rows(store, query), key=lambda row: row[:2]):
        passages = [[start, run] for _, _, start, run in rows]
        yield {"type": "read", "uri": uri, "digest": digest, "passages": passages}


def _pins(store: Store) -> Iterator[Item]:
    for (uri,) in _rows(store, "select uri from pinned_notes order by uri"):
        yield {"type": "pin", "uri": uri}
    for (fact,) in _rows(store, "select memory_id from pinned_facts order by memory_id"):
        yield {"type": "pin", "fact": fact}


def _chats(store: Store) -> Iterator[Item]:
    for id, name, began in _rows(store, "select id, name, started_at from chats order by id"):
        yield {"type": "chat", "id": id, "name": name, "started_at": began}
    query = """select t.id, t.chat_id, t.kind, t.text, t.said_at, n.uri, n.digest, t.answer, t.regime, t.is_whole
               from turns t left join notes n on n.id = t.note_id order by t.id"""
    for id, chat, kind, text, said, uri, digest, answer, regime, is_whole in _rows(store, query):
        turn = {"type": "turn", "chat": chat, "kind": kind, "text": text, "said_at": said}
        note = {"uri": uri, "digest": digest} if uri is not None else None
        told = {"answer": answer, "regime": regime, "is_whole": bool(is_whole), "sources": _shown(store, id)}
        yield {**turn, "note": note, **told}


def _shown(store: Store, turn: int) -> list[Item]:
    rows = store.db.conn.execute(
        """select s.number, n.uri, n.digest, s.name, s.is_cited from turn_sources s
           join notes n on n.id = s.note_id where s.turn_id = ? order by s.number""",
        (turn,),
    ).fetchall()
    return [
        # n12.3: the number of the note is another elsewhere, the passage in it is not.
        {"number": number, "uri": uri, "digest": digest, "passage": _part(name), "is_cited": bool(is_cited)}
        for number, uri, digest, name, is_cited in rows
    ]


def _part(name: str) -> int | None:
    part = name.partition(".")[2]
    return int(part) if part else None


def _folders(store: Store) -> Iterator[Item]:
    query = "select path, kind, deleted, state, why, added_at from folders order by id"
    for row in _rows(store, query):
        names = ("path", "kind", "deleted", "state", "why", "added_at")
        yield {"type": "folder", **dict(zip(names, row, strict=True))}


def _tombstones(store: Store) -> Iterator[Item]:
    forgotten = "select fingerprint, forgotten_at from tombstones order by fingerprint"
    for place, (fingerprint, moment) in enumerate(_rows(store, forgotten)):
        if not place:
            # A hash tells nothing without its salt: another memory could keep nothing out by it.
            yield {"type": "salts", "salts": list(store.tombstones.salts())}
        yield {"type": "tombstone", "fingerprint": fingerprint, "forgotten_at": moment}
