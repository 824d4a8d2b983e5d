"""What the review of a night asks of the memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from secondme.errors import NotFound
from secondme.ids import number_in
from secondme.records import Match, Note, SleepReport, Source
from secondme.shown import Shown, look_up

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.chat.talk import Talk
    from secondme.store.journal import Change, Run

PAGE = 40
"""How many changes are looked up and shown at once; a night may have made thousands."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A change as it is looked at, with the lines its fact rests on."""

    shown: Shown
    lines: Sequence[Source]
    """Those that this change brought come first."""

    @property
    def id(self) -> str:
        """The name of the change."""
        return self.shown.change.id


@dataclass(frozen=True, slots=True)
class Mark:
    """How a change of a night stands."""

    id: str
    state: str
    """What the user said of it or what became of it; "" where it is to be reviewed."""


@dataclass(frozen=True, slots=True)
class Night:
    """One night with as many of its changes as are shown at once."""

    run: Run
    report: SleepReport
    marks: Sequence[Mark]
    """All changes, in the order they were made."""
    page: Sequence[Seen]
    first: int
    """The place of the first one of the page among all."""
    earlier: str
    """The night before; "" where there is none."""
    later: str

    @property
    def unreviewed(self) -> int:
        """How many changes the user has said nothing on."""
        return sum(not mark.state for mark in self.marks)

    @property
    def standing(self) -> int:
        """How many changes were not taken back."""
        return sum(mark.state in ("", "accepted") for mark in self.marks)


@dataclass(frozen=True, slots=True)
class NoNight:
    """There was no night yet."""

    waiting: int
    """Passages to sleep over."""


def state_of(change: Change) -> str:
    """Return what became of a change: accepted, rejected, undone, or "" where it is to be reviewed."""
    if change.review == "rejected" or not change.undone_at:
        return change.review
    return "undone"


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
