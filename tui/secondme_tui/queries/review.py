"""What the review of a night asks of the memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from secondme.errors import NotFound
from secondme.ids import number_in
from secondme.records import Match, Note, Source
from secondme.shown import Shown, look_up
from secondme_tui.nights import Mark, Night, NoNight, Seen, state_of

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.chat.talk import Talk

PAGE = 40
"""How many changes are looked up and shown at once; a night may have made thousands."""


def night(talk: Talk, run: str, at: str) -> Night | NoNight:
    """Return a night, by default the last one that was not undone, with the page that has the change `at` in it.

    Without `at` it is the page of the first change to be reviewed. Raises NotFound.
    """
    me = talk.me
    runs = me.store.journal.runs()
    if not runs:
        return NoNight(me.store.digestion.waiting())
    standing = [one for one in runs if one.state != "undone"]
    chosen = run or (standing or runs)[0].id
    place = next((place for place, one in enumerate(runs) if one.id == chosen), -1)
    if place < 0:
        raise NotFound(f"there is no {chosen}", hint="[ and ] go from night to night")
    changes = me.store.journal.changes(number_in(chosen, "r"))
    marks = [Mark(change.id, state_of(change)) for change in changes]
    first = _place(marks, at) // PAGE * PAGE
    return Night(
        runs[place],
        me.sleep_report(chosen),
        marks,
        [_seen(me, one) for one in look_up(me, changes[first : first + PAGE])],
        first,
        earlier=runs[place + 1].id if place + 1 < len(runs) else "",
        later=runs[place - 1].id if place else "",
    )


def source(talk: Talk, line: Source) -> tuple[Note, Match]:
    """Return the note that a line stands in, and the line as a match. Raises NotFound."""
    note, _ = talk.me.note(f"n{line.note_id}")
    return note, Match(
        note.id, "passage", line.quote, line.uri, line.thread, line.author, line.happened_at, 0.0, {},
        line.line_start, line.line_end, note.title,
    )  # fmt: skip


def decide(talk: Talk, id: str, letter: str, text: str) -> None:
    """Do with a change what the user said: "a" accepts it, "r" rejects it, "e" puts it in the words of `text`.

    Raises NotFound, UsageError and Locked.
    """
    match letter:
        case "a":
            talk.me.accept(id)
        case "r":
            talk.me.reject(id)
        case "e":
            talk.me.edit(id, text)


def undo(talk: Talk, run: str) -> int:
    """Take back a night; return how many changes that were. Raises NotFound, UsageError and Locked."""
    return len(talk.me.undo(run))


def _place(marks: Sequence[Mark], at: str) -> int:
    places = [place for place, mark in enumerate(marks) if mark.id == at]
    places += [place for place, mark in enumerate(marks) if not mark.state]
    return places[0] if places else 0


def _seen(me: Assistant, shown: Shown) -> Seen:
    if shown.fact is None:
        return Seen(shown, ())
    own = {(place.note_id, place.start) for place in me.store.journal.places(number_in(shown.change.id, "c"))}
    return Seen(shown, sorted(shown.fact.sources, key=lambda line: (line.note_id, line.start) not in own))
