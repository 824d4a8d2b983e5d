"""Storing notes: prepared, in one transaction, without what was forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from secondme.clock import now
from secondme.errors import UsageError
from secondme.ingest.prepare import prepare
from secondme.records import Added, Note, Skipped
from secondme.secrets import masks_in
from secondme.store.tombstones import forgotten_on

if TYPE_CHECKING:
    from secondme.assistant import Assistant


def add(me: Assistant, note: Note) -> Note:
    """Store one note and return it as stored. Raises UsageError where it is not stored."""
    prepared = prepare(note, me.config)
    if isinstance(prepared, Skipped):
        raise UsageError(prepared.why)
    stored, tombstones = prepared[0], me.store.tombstones
    with me.store.writing():
        if stored.origin in ("typed", "chat"):
            tombstones.lift([stored])
        elif moment := tombstones.since(stored):
            raise UsageError(f"{stored.uri}: {forgotten_on(moment)}", hint="what you type yourself is kept again")
        [(note_id, _)] = me.store.add_notes([prepared], now=now())
    return replace(stored, id=f"n{note_id}")


def write(me: Assistant, notes: Iterable[Note | Skipped], *, named: bool) -> Added:
    """Store notes; what was forgotten and is neither typed nor, where they are `named`, meant is in `skipped`."""
    prepared, skipped = [], []
    for note in notes:
        item = note if isinstance(note, Skipped) else prepare(note, me.config)
        if isinstance(item, Skipped):
            skipped.append(item)
        else:
            prepared.append(item)
    if not prepared:
        return Added(skipped=tuple(skipped))
    with me.store.writing():
        me.store.tombstones.lift(note for note, _ in prepared if named or note.origin == "typed")
        kept, forgotten = me.store.tombstones.keep_out(prepared)
        stored = me.store.add_notes(kept, now=now())
    known = sum(known for _, known in stored)
    fresh = [(f"n{id}", note) for (note, _), (id, was_known) in zip(kept, stored, strict=True) if not was_known]
    masked = [one for id, note in fresh for one in masks_in(note.text, id)]
    ids = tuple(f"n{id}" for id, _ in stored)
    return Added(ids, len(stored) - known, known, (*skipped, *forgotten), tuple(masked))
