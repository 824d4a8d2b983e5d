"""What people do about past nights: look at them, take them back, accept, reject and reword their changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from secondme.clock import now
from secondme.errors import Locked, NotFound, UsageError
from secondme.ids import is_id, number_in
from secondme.ingest.prepare import kept
from secondme.locks import sleep_lock
from secondme.records import Fact, Note, SleepReport, Stance
from secondme.store.edit import Edit
from secondme.store.facts import MOST_CERTAIN, NewFact
from secondme.store.journal import Change, Run

if TYPE_CHECKING:
    from secondme.assistant import Assistant

REJECTED = "rejected by you"
"""Why a line did not become a fact where the user turned it down."""
LONGEST = 2000
"""A fact is a sentence, not a document."""
FIGURES = ("passages", "calls", "tokens_sent", "tokens_evaluated", "tokens_written")


def undo(me: Assistant, id: str) -> list[Change]:
    """Take back a run (`r3`) or a change (`c12`) exactly; return the changes undone.

    Raises NotFound, Locked, and UsageError where something later rests on it.
    """
    journal = me.store.journal
    with sleep_lock(me.paths), me.store.writing():
        if is_id(id, "r"):
            return journal.undo_run(number_in(id, "r"), now=now())
        number = number_in(id, "c")
        journal.undo_change(number, now=now())
        return [journal.change(number)]


def _change_behind(me: Assistant, id: str) -> Change:
    """Return the standing change that a fact comes from. Raises NotFound."""
    me.facts([id])
    for change in me.store.journal.changes():
        if change.fact == id and not change.undone_at:
            return change
    raise NotFound(f"no change made {id}", hint="secondme log")


def accept(me: Assistant, id: str) -> Change:
    """Mark a change as right. Raises NotFound, and UsageError where it was undone."""
    with me.store.writing():
        change = _standing(me, id)
        me.store.journal.mark(number_in(id, "c"), "accepted")
    return replace(change, review="accepted")


def reject(me: Assistant, id: str) -> Change:
    """Take back a change for good: its lines never become that fact again. Raises as `undo` does."""
    store = me.store
    with sleep_lock(me.paths), store.writing():
        change = _standing(me, id)
        if change.verb == "edit":
            raise UsageError(f"{id} is what you worded yourself", hint=f"secondme undo {id}")
        [fact] = me.facts([change.fact])
        number = number_in(id, "c")
        places = store.journal.places(number)
        store.journal.undo_change(number, now=now())
        for place in places:
            store.digestion.reject(place, fact.text, REJECTED, None)
        store.journal.mark(number, "rejected")
        return store.journal.change(number)


def edit(me: Assistant, id: str, text: str) -> Change:
    """Put a fact in the user's own words in the place of one, named itself or by its change; return that change.

    The lines it rests on and its time stay. Raises NotFound, Locked, and UsageError for an empty text.
    """
    words = " ".join(kept(text, me.config).split())
    if not words:
        raise UsageError("the fact is empty", hint="to drop it, reject it")
    if len(words) > LONGEST:
        raise UsageError(f"the fact is longer than {LONGEST:,} characters", hint="secondme add keeps whole texts")
    id = _change_behind(me, id).id if is_id(id, "m") else id
    codes = me.codes_of(words)
    store = me.store
    with sleep_lock(me.paths), store.writing():
        change = _standing(me, id)
        [old] = me.facts([change.fact])
        if old.retired_at and old.valid_to is None:
            raise UsageError(f"{old.id} was replaced by {old.superseded_by}", hint=f"secondme history {old.id}")
        if old.text == words:
            raise UsageError(f"{old.id} says that already")
        operations = Edit(store.db, now=now())
        added = _reword(me, old, words, operations, codes)
        run, number = number_in(change.run, "r"), number_in(change.id, "c")
        made = store.journal.record(run, "edit", added, "in your words", operations, now=operations.now)
        for one in (number, made):
            store.journal.mark(one, "accepted")
        return store.journal.change(made)


def _reword(me: Assistant, old: Fact, text: str, operations: Edit, codes: bytes | None) -> int:
    """Store a fact in other words in the place of the old one; return its number."""
    from secondme.sleep.statements import parse_statement

    store, number = me.store, number_in(old.id, "m")
    source = old.sources[0]
    said = parse_statement(text, author=source.author, me=me.config.me.name, said_at=source.happened_at)
    is_quoted = text.rstrip(".").casefold() in " ".join(source.quote.split()).casefold()
    stance: Stance = "evidence" if is_quoted else "inference"
    subject, attribute, value = (said.subject, said.attribute, said.value) if said else ("", "", "")
    fact = NewFact(old.kind, stance, text, subject, attribute, value, MOST_CERTAIN, old.valid_from, old.valid_to)
    places = store.facts.places(number)
    added = operations.add(fact, places[0], codes)
    for place in places[1:]:
        operations.add_evidence(added, place)
    if old.retired_at:
        operations.mark(added, retired_at=old.retired_at, superseded_by=number_in(old.superseded_by, "m"))
    for other in me.facts(old.conflicts):
        # What now speaks of something else, or says the same, is no longer against it.
        if (other.subject, other.attribute) == (subject, attribute) and other.value.casefold() != value.casefold():
            operations.add_conflict(added, number_in(other.id, "m"))
    operations.mark(number, valid_to=None, retired_at=operations.now, superseded_by=added)
    if number in store.pins.facts():
        # The earlier one stays pinned too: undone, it holds again.
        store.pins.pin(f"m{added}")
    return added


def _standing(me: Assistant, id: str) -> Change:
    change = me.store.journal.change(number_in(id, "c"))
    if change.undone_at:
        raise UsageError(f"{change.id} was {'rejected' if change.review == 'rejected' else 'undone'} before")
    return change


def pin(me: Assistant, id: str, *, is_pinned: bool) -> None:
    """Pin a note or fact, or let go of it. Raises UsageError and NotFound."""
    if is_id(id, "m"):
        me.facts([id])
    else:
        me.note(id)
    with me.store.writing():
        (me.store.pins.pin if is_pinned else me.store.pins.unpin)(id)


def typed(me: Assistant, id: str) -> Note:
    """Return a note whose text may be replaced. Raises NotFound, and UsageError where it cannot be changed here."""
    note, _ = me.note(id)
    if note.origin not in ("typed", "chat") or note.author != me.config.me.name:
        raise UsageError(f"{id} is not something you typed: {note.uri}", hint=f"change it there: secondme open {id}")
    current = me.store.versions(note.uri)[0]
    if current.id != note.id:
        raise UsageError(f"{id} is an earlier version of {current.id}", hint=f"secondme edit {current.id}")
    return note


def rewrite(me: Assistant, id: str, text: str) -> Note:
    """Put `text` in the place of what the user typed; return the note as stored. Raises as `typed`."""
    from secondme.store.page_sweeping import sweep_pages

    stored = me.add(replace(typed(me, id), text=text, id=""))
    # Pages of the earlier text that are in use go with a later sweep.
    with suppress(Locked):
        sweep_pages(me.store)
    return stored


def run_of(me: Assistant, id: str = "") -> Run:
    """Return a run, by default the last one that was not undone. Raises NotFound."""
    if id:
        return me.store.journal.run(number_in(id, "r"))
    for run in me.store.journal.runs():
        if run.state != "undone":
            return run
    raise NotFound("there is no night to look at", hint="secondme sleep")


def report_of(me: Assistant, id: str = "") -> SleepReport:
    """Return what a run did, by default the last one; `waiting` is what waits by now. Raises NotFound."""
    run = run_of(me, id)
    number = number_in(run.id, "r")
    made = Counter[str](change.verb for change in me.store.journal.changes(number) if change.verb != "edit")
    return SleepReport(
        run=run.id,
        state=run.state,
        why=run.report.get("why", ""),
        waiting=me.store.digestion.waiting(),
        changes=dict(made),
        rejected=me.store.journal.rejected(number),
        seconds=run.report.get("seconds", 0.0),
        **{name: run.report.get(name, 0) for name in FIGURES},
    )


def unreviewed(me: Assistant, run: str) -> Sequence[Change]:
    """Return the standing changes of a run on which the user has said nothing."""
    changes = me.store.journal.changes(number_in(run, "r"))
    return [change for change in changes if not change.undone_at and not change.review]
