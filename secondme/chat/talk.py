"""A conversation: what is said is kept at once, what is asked is answered, and both can be found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from secondme.chat import asking
from secondme.chat.hearing import follows, is_on_the_same, question_in, tells
from secondme.chat.reading import Read, read
from secondme.clock import now
from secondme.errors import NotFound, UsageError
from secondme.ids import parse_id
from secondme.ingest.prepare import prepare
from secondme.records import Answer, Filters, Match, Note, Skipped
from secondme.store.chats import Chat, Cited, Turn

if TYPE_CHECKING:
    from secondme.assistant import Assistant

PAUSE = timedelta(minutes=30)
"""A longer silence ends a topic."""
LONGEST_BEFORE = 400
"""Characters of the question and answer before that a question that follows from them is given."""
NEAREST = 3
"""How many passages are shown where memory does not hold the answer."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a message."""

    text: str
    turn: int
    """Its number; 0 where nothing is kept at present."""
    note: str
    """The note that it became; empty where it only asks."""
    question: str
    """What it asks; empty where it only tells something."""
    begins_topic: bool = False
    """True where it is about something else than the turns before it."""
    before: tuple[str, str] | None = None
    """The question that it follows from, and its answer."""
    as_of: datetime | None = None
    """The moment whose state of things it asks for; now when None."""


class Talk:
    """One conversation over an open memory. It belongs to the thread that opened the memory."""

    def __init__(self, me: Assistant, chat: int | None = None) -> None:
        """Go on with a conversation, or begin one with the first message."""
        self.me = me
        self.chat = chat
        self.keeps = True
        """False between /off and /on."""
        self.as_of: datetime | None = None
        """The moment whose state of things is asked for; now when None."""
        self._topic: list[tuple[str, str]] = []
        """The questions of the topic in hand, with their answers."""
        self._last_at: datetime | None = None
        if chat is not None:
            self.open(chat)

    def open(self, chat: int) -> Sequence[Turn]:
        """Go on with a conversation and return its turns. Raises NotFound."""
        self.me.store.chats.get(chat)
        self.chat, turns = chat, self.me.store.chats.turns(chat)
        topics = topics_of(turns)
        self._topic = [(turn.text, turn.answer) for turn in topics[-1] if turn.answer] if topics else []
        self._last_at = turns[-1].said_at if turns else None
        return turns

    def new(self) -> None:
        """Begin another conversation with the next message."""
        self.chat, self._topic, self._last_at = None, [], None

    def hear(self, text: str) -> Heard:
        """Keep what was said, on the disk before this returns, and tell what it asks. Raises UsageError."""
        if not text.strip():
            raise UsageError("nothing was said")
        question, begins = question_in(text), self._begins_topic(text)
        if begins:
            self._topic = []
        self._last_at = now()
        note, turn = self._keep(text, tells(text), "asked" if question else "said") if self.keeps else ("", 0)
        return Heard(text, turn, note, question, begins, self._before(question), self.as_of)

    def remember(self, text: str) -> Heard:
        """Keep a text as it is, whatever it says. Raises UsageError where there is nothing to keep."""
        self._last_at = now()
        note, turn = self._keep(text, True, "said")
        return Heard(text, turn, note, "")

    def _keep(self, text: str, as_note: bool, kind: str) -> tuple[str, int]:
        store, moment = self.me.store, now()
        with store.writing():
            chat = self.chat or store.chats.begin(now=moment)
            number = None
            if as_note:
                note = Note(text, thread=f"chat:{chat}", author=self.me.config.me.name, origin="chat")
                ready = prepare(replace(note, happened_at=moment), self.me.config)
                if isinstance(ready, Skipped):
                    raise UsageError(ready.why)
                [(number, _)] = store.add_notes([ready], now=moment)
            turn = store.chats.add(chat, "asked" if kind == "asked" else "said", text, note=number, now=moment)
        self.chat = chat
        return (f"n{number}" if number else ""), turn

    def answered(self, heard: Heard, answer: Answer) -> None:
        """Take an answer into the topic in hand: the next question may follow from it."""
        if answer.text and not answer.abstained:
            self._topic.append((heard.question, answer.text))

    def pause_keeping(self) -> None:
        """Keep nothing from now on; the conversation shows that there is a gap, and not what was in it."""
        self._mark("off")
        self.keeps = False

    def resume_keeping(self) -> None:
        """Keep what is said again."""
        self.keeps = True
        self._mark("on")

    def _mark(self, kind: str) -> None:
        with self.me.store.writing():
            self.chat = self.chat or self.me.store.chats.begin(now=now())
            self.me.store.chats.add(self.chat, "off" if kind == "off" else "on", "", note=None, now=now())

    def read(self, turn: Turn) -> Read:
        """Return an answer as it is read; a source that was replaced since has no mark any more."""
        found = {one.number: match for one in turn.sources if one.is_cited and (match := self.source(one.id))}
        return read(turn.answer, found)

    def source(self, id: str) -> Match | None:
        """Return a passage as a match, None where there is none any more."""
        try:
            note, passage = self.me.note(id)
        except NotFound:
            return None
        text, first, last = note.text, 1, note.text.count("\n") + 1
        if passage:
            text, first, last = passage.span.text, passage.span.line_start, passage.span.line_end
        assert note.happened_at is not None
        where = (note.uri, note.thread, note.author, note.happened_at)
        return Match(id, "passage", text, *where, 0.0, {}, first, last, note.title)

    def chats(self, words: str = "") -> Sequence[Chat]:
        """Return the conversations in which these words occur, or all, the latest first."""
        return self.me.store.chats.list(words)

    def _begins_topic(self, text: str) -> bool:
        if not self._topic:
            return False
        is_late = self._last_at is not None and now() - self._last_at > PAUSE
        question, answer = self._topic[-1]
        return is_late or not is_on_the_same(text, f"{question} {answer}")

    def _before(self, question: str) -> tuple[str, str] | None:
        if not (self._topic and follows(question)):
            return None
        asked, answer = self._topic[-1]
        return asked[:LONGEST_BEFORE], answer[:LONGEST_BEFORE]


def ask(me: Assistant, heard: Heard) -> asking.Stream:
    """Begin to answer a message; the daemon does where one runs. Raises what asking raises."""
    filters = Filters(as_of=heard.as_of)
    found = asking.ask(heard.question, filters=filters, before=heard.before)
    return found or me.ask_stream(heard.question, filters=filters, before=heard.before)


def keep_answer(me: Assistant, heard: Heard, answer: Answer, shown: Sequence[Match], *, is_whole: bool) -> None:
    """Keep an answer, or what came of it, with the passages that were shown for it."""
    if not heard.turn:
        return
    numbers = {id: number for number, id in enumerate(answer.trace.get("evidence_shown", ()), 1)}
    cited = {match.id for match in answer.citations}
    there = {match.id for match in (*shown, *answer.citations)}
    sources = [(Cited(number, id, id in cited), parse_id(id)[0]) for id, number in numbers.items() if id in there]
    with me.store.writing():
        me.store.chats.answer(heard.turn, answer.text, regime=answer.regime, is_whole=is_whole, sources=sources)


def topics_of(turns: Sequence[Turn]) -> list[list[Turn]]:
    """Return the turns of a conversation in the topics they make up; the last one is in hand."""
    topics: list[list[Turn]] = []
    for turn in turns:
        before = topics[-1][-1] if topics else None
        if before and turn.said_at - before.said_at <= PAUSE and _goes_on(before, turn):
            topics[-1].append(turn)
        else:
            topics.append([turn])
    return topics


def _goes_on(before: Turn, turn: Turn) -> bool:
    if turn.kind != "asked" or before.kind != "asked":
        return True
    return is_on_the_same(turn.text, f"{before.text} {before.answer}")
