"""What the conversation asks of the memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from secondme.records import Match, Note
from secondme_tui.widgets.turn import Shown

if TYPE_CHECKING:
    from secondme.chat.talk import Talk
    from secondme.store.chats import Turn

REMEMBERED = 200
"""How many of the texts said before Up goes back through."""


@dataclass(frozen=True, slots=True)
class Start:
    """What the chat begins with."""

    notes: int
    waiting: int
    """Passages to sleep over."""
    history: Sequence[str]
    topics: Sequence[Sequence[Shown | str]]
    name: str


def start(talk: Talk, chat: int | None) -> Start:
    """Return how the memory stands and, where a conversation is to be gone on with, what was said in it."""
    if chat is not None and talk.chat != chat:
        talk.open(chat)
    else:
        talk.look_again()
    store = talk.me.store
    return Start(
        notes=store.counts()["notes"],
        waiting=store.digestion.waiting(),
        history=store.chats.said(REMEMBERED),
        topics=topics(talk),
        name=store.chats.get(talk.chat).name if talk.chat else "",
    )


def topics(talk: Talk) -> list[list[Shown | str]]:
    """Return what was said in the conversation in hand, by topics."""
    from secondme.chat.talk import topics_of

    if talk.chat is None:
        return []
    return [[_shown(talk, turn) for turn in turns] for turns in topics_of(talk.me.store.chats.turns(talk.chat))]


def _shown(talk: Talk, turn: Turn) -> Shown | str:
    if turn.kind in ("off", "on"):
        at = f"{turn.said_at.astimezone():%H:%M}"
        return f"── {at} {'nothing is kept from here on' if turn.kind == 'off' else 'kept again'} ──"
    read = talk.read(turn)
    return Shown(
        turn.text,
        note=turn.note,
        answer=read.text,
        is_whole=turn.is_whole,
        abstained=turn.regime == "abstained",
        sources=read.sources,
    )


def source(talk: Talk, match: Match) -> tuple[Note, Match]:
    """Return the note that a match is in, and the match. Raises NotFound."""
    if match.kind == "fact":
        [fact] = talk.me.facts([match.id])
        place = fact.sources[0]
        note, _ = talk.me.note(f"n{place.note_id}")
        return note, Match(
            match.id, "fact", fact.text, note.uri, note.thread, note.author, place.happened_at, 0.0, {},
            place.line_start, place.line_end, note.title,
        )  # fmt: skip
    note, _ = talk.me.note(match.id)
    return note, match


def take_back(talk: Talk, note: str) -> None:
    """Remove what was just said for good, with the turn it was said in."""
    talk.me.forget([note])
