"""What is shown of one thing that was found: its text where it stands, and all that hangs together with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from secondme.chat.lines import counted, day, fact_line
from secondme.chat.talk import Talk
from secondme.clean import clean, one_line
from secondme.errors import NotFound, UsageError
from secondme.ids import is_id, parse_id
from secondme.places import file_of, place
from secondme.records import Fact, Note, Passage, Source
from secondme_tui.found import Detail, Excerpt, Section

if TYPE_CHECKING:
    from secondme.assistant import Assistant

AROUND = 40
"""Lines before and after those that matched."""
LONGEST = 1000
"""Characters that are shown of a line."""
MOST = 12_000
"""Characters that are shown in all: drawing more takes longer than a key may."""
SHOWN = 20
"""How many facts, lines or links are listed."""
MANY = 500
"""Passages of a note whose facts are looked up."""
LINE = 300
NEAR = 80
"""Columns that are shown of a neighbour."""
_LINK = re.compile(r"\[\[([^\[\]|#\n]{1,200})")


@dataclass(frozen=True, slots=True)
class Editable:
    """What can be done to change something."""

    id: str
    """The note, or the change that made the fact."""
    text: str
    is_fact: bool
    file: tuple[Note, int] | None = None
    """The note and line to be changed in its file instead."""


def detail(talk: Talk, id: str) -> Detail:
    """Return what is to be shown of a note, passage or fact. Raises NotFound."""
    # What another process removes meanwhile must not be there in one part and gone in the next.
    with talk.me.store.reading():
        return _of_fact(talk.me, id) if is_id(id, "m") else _of_note(talk.me, id)


def source(talk: Talk, id: str) -> tuple[Note, int]:
    """Return the note that something stands in, and the line. Raises NotFound."""
    if is_id(id, "m"):
        [fact] = talk.me.facts([id])
        note, _ = talk.me.note(f"n{fact.sources[0].note_id}")
        return note, fact.sources[0].line_start
    note, passage = talk.me.note(id)
    return note, passage.span.line_start if passage else 1


def editable(talk: Talk, id: str) -> Editable:
    """Return how something is changed. Raises UsageError where it cannot be, and NotFound."""
    me = talk.me
    if is_id(id, "m"):
        [fact] = me.facts([id])
        made = [one.id for one in me.store.journal.changes() if one.fact == id and not one.undone_at]
        if not made:
            raise UsageError(f"no change of a night made {id}", hint=f"secondme history {id}")
        return Editable(made[0], fact.text, is_fact=True)
    note, passage = me.note(id)
    if file_of(note.uri)[0] is not None:
        return Editable(note.id, "", is_fact=False, file=(note, passage.span.line_start if passage else 1))
    if note.origin not in ("typed", "chat") or note.author != me.config.me.name:
        raise UsageError(
            f"{id} is not something you typed: {note.uri}", hint="change it where it came from; o shows it"
        )
    return Editable(note.id, note.text, is_fact=False)


def excerpt(text: str, first: int, last: int) -> Excerpt:
    """Return the lines around `first` to `last`, as many as can be drawn at once; (0, 0) begins at the top."""
    lines = text.split("\n")
    begin = end = max(min(first, len(lines)), 1)
    room = MOST - _room(lines[begin - 1])
    # What matched comes first, then as much on both sides as there is room for.
    while end < min(last, len(lines)) and room > 0:
        room -= _room(lines[end])
        end += 1
    for _ in range(AROUND if first else 3 * AROUND):
        if first and begin > 1 and room > 0:
            begin -= 1
            room -= _room(lines[begin - 1])
        if end < len(lines) and room > 0:
            room -= _room(lines[end])
            end += 1
    shown = [_cut(line) for line in lines[begin - 1 : end]]
    return Excerpt(begin, shown, (first, last), begin - 1, len(lines) - end)


def _room(line: str) -> int:
    return min(len(line), LONGEST) + 1


def _cut(line: str) -> str:
    more = len(line) - LONGEST
    return clean(line[:LONGEST]) + (f" … {counted(more, 'character')} more" if more > 0 else "")


def _passage_excerpt(text: str, passage: Passage) -> Excerpt:
    span = passage.span
    found = excerpt(text, span.line_start, span.line_end)
    at = span.line_start - found.first
    line = text.encode()[: span.start].decode().rpartition("\n")[2] if span.start and at < len(found.lines) else ""
    if len(line) > LONGEST // 2:
        # It begins far behind in a long line, of which only the beginning would be seen.
        lines = [*found.lines]
        lines[at] = f"… {_cut(span.text.partition(chr(10))[0])}"
        return Excerpt(found.first, lines, found.asked, found.before, found.behind)
    return found


def _of_note(me: Assistant, id: str) -> Detail:
    note, passage = me.note(id)
    spans = me.store.passages_of(parse_id(id)[0])
    if passage is None and len(spans) == 1:
        passage = spans[0]
    shown = [passage] if passage else spans[:MANY]
    facts = me.store.facts.resting_on([one.id for one in shown])
    resting = {fact.id: fact for found in facts.values() for fact in found}
    text = passage.span.text if passage else note.text[: MOST * 4]
    links = dict.fromkeys(one_line(link, 60) for link in _LINK.findall(text))
    is_whole = len(spans) <= 1
    return Detail(
        id=id,
        words=(day(note.happened_at), note.author),
        where=place(note.uri, passage.span.line_start if passage else 1),
        about=_about(note, passage),
        text="",
        excerpt=excerpt(note.text, 0, 0) if passage is None or is_whole else _passage_excerpt(note.text, passage),
        sections=_sections(
            ("facts from it", [_stated(fact) for fact in resting.values()]),
            ("before and after", _neighbours(me, shown)),
            ("links", [" · ".join(list(links)[:SHOWN])] if links else []),
        ),
        is_pinned=note.id in me.store.pins.ids(),
    )


def _about(note: Note, passage: Passage | None) -> list[str]:
    thread = f"thread {note.thread}" if note.thread not in ("", note.uri) else ""
    return [part for part in (note.origin, note.title, passage.span.heading if passage else "", thread) if part]


def _neighbours(me: Assistant, passages: Sequence[Passage]) -> list[str]:
    """Return a line for what stands before and after these passages in their thread."""
    if not passages:
        return []
    layout = me.searcher().layout()
    first, last = sorted(layout.rows(np.array([passages[0].id, passages[-1].id])).tolist())
    near = [("↑", first - 1), ("↓", last + 1)]
    there = [(sign, row) for sign, row in near if 0 <= row < len(layout.ids)]
    rows = [(sign, row) for sign, row in there if layout.threads[row] == layout.threads[first]]
    found = me.store.passages([int(layout.ids[row]) for _, row in rows])
    return [
        f"{sign} {one.name} · {day(one.happened_at)} · {one.author} {one_line(one.span.text[:LINE], NEAR)}"
        for (sign, _), one in zip(rows, found, strict=True)
    ]


def _stated(fact: Fact) -> str:
    return f"{fact_line(fact)}{f' · replaced by {fact.superseded_by}' if fact.superseded_by else ''}"


def _of_fact(me: Assistant, id: str) -> Detail:
    [fact] = me.facts([id])
    if not fact.sources:
        raise NotFound(f"what {id} rests on is gone", hint="secondme facts")
    first = fact.sources[0]
    note, _ = me.note(f"n{first.note_id}")
    later = me.store.facts.get([int(fact.superseded_by[1:])]) if fact.superseded_by else []
    history = me.history(id)
    return Detail(
        id=id,
        words=(
            f"{fact.kind} fact",
            "in the words of its source" if fact.stance == "evidence" else "worded by a model",
            f"{fact.confidence:.0%} sure",
        ),
        where=place(first.uri, first.line_start),
        about=_about(note, None),
        text=fact.text,
        excerpt=excerpt(note.text, first.line_start, first.line_end),
        sections=_sections(
            ("replaced by", map(fact_line, later)),
            ("against it stands", map(fact_line, me.facts(fact.conflicts))),
            ("over time", [_in_time(one, id) for one in history] if len(history) > 1 else []),
            ("rests on", map(_evidence, fact.sources)),
        ),
        is_pinned=id in me.store.pins.ids(),
    )


def _in_time(fact: Fact, id: str) -> str:
    return f"{'▸' if fact.id == id else ' '} {_stated(fact)}"


def _evidence(one: Source) -> str:
    return f"{place(one.uri, one.line_start)} · {day(one.happened_at)} · {one.author} “{one_line(one.quote, LINE)}”"


def _sections(*given: tuple[str, Iterable[str]]) -> list[Section]:
    """Return those that have lines, each bounded."""
    found = []
    for title, lines in given:
        every = [one_line(line, LINE) for line in lines]
        more = [f"and {len(every) - SHOWN} more"] if len(every) > SHOWN else []
        if every:
            found.append(Section(title, [*every[:SHOWN], *more]))
    return found


def change(talk: Talk, what: Editable, text: str) -> None:
    """Put a text in the place of what the user typed, or of a fact. Raises UsageError, NotFound and Locked."""
    if what.is_fact:
        talk.me.edit(what.id, text)
    else:
        talk.me.rewrite(what.id, text)
