"""What is held back because it is not the user's own word, and what the user says about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from secondme.clock import now
from secondme.errors import NotFound, UsageError
from secondme.ids import number_in, parse_id
from secondme.locks import sleep_lock
from secondme.records import Fact, Note
from secondme.store import zones
from secondme.store.zones import Held, HeldNote

if TYPE_CHECKING:
    from secondme.assistant import Assistant


def held_lines(me: Assistant, *, source: str = "") -> list[Held]:
    """Return the lines about the user in texts that are not the user's, of current notes."""
    return zones.held_lines(me.store.db, source=source)


def held_notes(me: Assistant, *, source: str = "") -> list[HeldNote]:
    """Return the current notes of which nothing is learned: clips, and what programs handed in."""
    return zones.held_notes(me.store.db, source=source)


def to_release(me: Assistant, ids: Sequence[str], *, source: str) -> list[Note]:
    """Return the notes that are meant, each the version that is current. Raises NotFound and UsageError."""
    named = [_note(me, id) for id in ids]
    if source:
        found = [one.note_id for one in held_lines(me, source=source)]
        found += [one.note_id for one in held_notes(me, source=source)]
        named += [_note(me, f"n{id}") for id in dict.fromkeys(found)]
    if not named:
        raise NotFound("nothing is held there", hint="secondme quarantine")
    return list({note.id: note for note in named}.values())


def to_hold(me: Assistant, ids: Sequence[str], *, source: str) -> list[Note]:
    """Return the notes whose release is to be taken back. Raises NotFound."""
    known = zones.released(me.store.db, source=source)
    named = [_note(me, id) for id in ids]
    if missing := [note.id for note in named if number_in(note.id, "n") not in known]:
        raise NotFound(f"{missing[0]} was not released", hint="secondme quarantine")
    named += [_note(me, f"n{id}") for id in known if source]
    if not named:
        raise NotFound("nothing was released there", hint="secondme quarantine")
    return list({note.id: note for note in named}.values())


def _note(me: Assistant, id: str) -> Note:
    note_id, position = parse_id(id)
    if position is not None:
        raise UsageError(f"{id} is part of a note", hint=f"all of it is meant: n{note_id}")
    note, _ = me.note(id)
    return note


def release(me: Assistant, notes: Sequence[Note]) -> None:
    """Take these versions of notes for the user's own words; the next night reads them again. Raises Locked."""
    with sleep_lock(me.paths), me.store.writing():
        for note in notes:
            zones.release(me.store.db, number_in(note.id, "n"), now=now())
        zones.reopen(me.store.db, me.store.facts.zones())


def hold(me: Assistant, notes: Sequence[Note]) -> tuple[list[str], list[str]]:
    """Take the release of notes back, and what was learned about the user from them.

    Returns the facts that are gone, and those that something later rests on and that stay. Raises Locked.
    """
    ids = {number_in(note.id, "n") for note in notes}
    gone: list[str] = []
    left: list[str] = []
    with sleep_lock(me.paths), me.store.writing():
        for id in ids:
            zones.hold(me.store.db, id)
        for change in reversed(me.store.journal.changes()):
            places = me.store.journal.places(number_in(change.id, "c")) if not change.undone_at else []
            found = me.store.facts.get([number_in(change.fact, "m")] if places else [])
            if not any(place.note_id in ids for place in places):
                continue
            # What it did to other facts is decided again: quoted words add nothing to the user's own, and end none.
            if change.verb not in ("repeat", "merge", "supersede") and not any(is_about_user(me, one) for one in found):
                continue
            try:
                me.store.journal.undo_change(number_in(change.id, "c"), now=now())
            except UsageError:
                left.append(change.fact)
            else:
                gone.append(change.fact)
    return gone, left


def is_about_user(me: Assistant, fact: Fact) -> bool:
    """True if a fact rests on quoted words and says something about the user, which it may not."""
    from secondme.sleep.holding import why_held

    name = me.config.me.name
    return any(
        one.trust == "quoted" and why_held(fact.text, fact.kind, author=one.author, me=name, said_at=one.happened_at)
        for one in fact.sources
    )
