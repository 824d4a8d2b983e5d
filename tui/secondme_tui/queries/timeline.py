"""What the timeline asks of the memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from secondme.chat.talk import Talk
from secondme.clock import now
from secondme.errors import NotFound
from secondme.records import Match, Note
from secondme.store.statistics import Day, Event, count_by_day, day_of

MOST = 200
"""How many things of a day are listed."""
READ = 100_000
"""Characters of a note that the preview is given; an editor shows the rest."""
LINES = 200
"""Lines of a note that are set off as what was asked for."""


@dataclass(frozen=True, slots=True)
class Days:
    """How much there is of each day."""

    counts: Mapping[date, int]
    """Notes by local day, of those days that have any."""
    today: date
    version: tuple[int, int]
    """What changes when the memory does."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Something of a day, to be shown or opened."""

    note: Note
    match: Match
    shown: Note
    """The note with as much of its text as is shown."""


def days(talk: Talk, before: Days | None) -> Days:
    """Return how much there is of each day; nothing is counted again while the memory is as it was `before`."""
    store, today = talk.me.store, now().astimezone().date()
    version = store.version()
    if before and (before.version, before.today) == (version, today):
        return before
    return Days(count_by_day(store), today, version)


def day(talk: Talk, wanted: date) -> Day:
    """Return what happened on a day."""
    return day_of(talk.me.store, wanted, most=MOST)


def opened(talk: Talk, event: Event) -> Opened:
    """Return something of a day with the note it is in. Raises NotFound."""
    match event.kind:
        case "note":
            note, _ = talk.me.note(f"n{event.number}")
        case "fact":
            return _fact(talk, event)
        case "question":
            note = _asked(talk, event)
    lines = note.text.count("\n", 0, READ) + 1
    match = replace(_match(note.id, event), uri=note.uri, author=note.author, line_end=min(lines, LINES))
    return Opened(note, match, _cut(note))


def _match(id: str, event: Event) -> Match:
    return Match(
        id, "fact" if event.kind == "fact" else "passage", event.text, "", "", event.author, event.happened_at, 0.0
    )


def _fact(talk: Talk, event: Event) -> Opened:
    """Return a fact with a line of that day that it rests on."""
    [fact] = talk.me.facts([f"m{event.number}"])
    place = next((one for one in fact.sources if one.happened_at == event.happened_at), fact.sources[0])
    note, _ = talk.me.note(f"n{place.note_id}")
    match = replace(_match(fact.id, event), uri=place.uri, author=place.author)
    return Opened(note, replace(match, line_start=place.line_start, line_end=place.line_end), note)


def _asked(talk: Talk, event: Event) -> Note:
    for turn in talk.me.store.chats.turns(event.chat):
        if turn.id == event.number:
            answer = talk.read(turn).text or "not answered"
            return Note(f"{turn.text}\n\n{answer}", happened_at=turn.said_at, origin="chat", id=f"question-{turn.id}")
    raise NotFound("this question has been forgotten")


def _cut(note: Note) -> Note:
    left = len(note.text) - READ
    return note if left <= 0 else replace(note, text=f"{note.text[:READ]}\n… {left:,} characters more; o opens all")
