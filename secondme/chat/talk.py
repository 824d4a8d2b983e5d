"""A conversation: what is said is kept at once, what is asked is answered, and both can be found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from secondme.chat import asking
from secondme.chat.hearing import follows, is_on_the_same, question_in, tells
from secondme.chat.reading import Read, read
from secondme.clock import now
from secondme.errors import NotFound, UsageError
from secondme.ids import parse_id
from secondme.ingest.prepare import kept, prepare
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
    after: int = 0
    """The turn of that question; 0 where there is none."""
    as_of: datetime | None = None
    """The moment whose state of things it asks for; now when None."""


@dataclass(frozen=True, slots=True)
class _Asked:
    turn: int
    """0 where nothing was kept."""
    question: str
    answer: str


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
        self._topic: list[_Asked] = []
        """The questions of the topic in hand, with their answers."""
        self._last_at: datetime | None = None
        if chat is not None:
            self.open(chat)

    def open(self, chat: int) -> Sequence[Turn]:
        """Go on with a conversation and return its turns. Raises NotFound."""
        self.me.store.chats.get(chat)
        self.chat, turns = chat, self.me.store.chats.turns(chat)
        topics = topics_of(turns)
        answered = [turn for turn in topics[-1] if _is_answered(turn)] if topics else []
        self._topic = [_Asked(turn.id, question_in(turn.text), turn.answer) for turn in answered]
        self._last_at = turns[-1].said_at if turns else None
        return turns

    def look_again(self) -> None:
        """Go on with the conversation in hand as it is now: without what was forgotten, or with another one."""
        if self.chat and self.me.store.chats.is_there(self.chat):
            self.open(self.chat)
        else:
            self.new()

    def new(self) -> None:
        """Begin another conversation with the next message."""
        self.chat, self._topic, self._last_at = None, [], None

    def hear(self, text: str) -> Heard:
        """Keep what was said, on the disk before this returns, and tell what it asks. Raises UsageError."""
        text = kept(text, self.me.config)
        if not text.strip():
            raise UsageError("nothing was said")
        question = question_in(text)
        if begins := self._begins_topic(question):
            self._topic = []
        self._last_at = now()
        note, turn = self._keep(text, tells(text), "asked" if question else "said") if self.keeps else ("", 0)
        heard = Heard(text, turn, note, question, begins, as_of=self.as_of)
        earlier = self._before(question)
        if earlier is None:
            return heard
        before = earlier.question[:LONGEST_BEFORE], earlier.answer[:LONGEST_BEFORE]
        return replace(heard, before=before, after=earlier.turn)

    def remember(self, text: str) -> Heard:
        """Keep a text as it is, whatever it says. Raises UsageError where there is nothing to keep, and after /off."""
        if not self.keeps:
            raise UsageError("nothing is kept at present", hint="/on keeps what is said again")
        self._last_at = now()
        note, turn = self._keep(kept(text, self.me.config), True, "said")
        return Heard(text, turn, note, "")

    def _keep(self, text: str, as_note: bool, kind: Literal["said", "asked"]) -> tuple[str, int]:
        store, moment = self.me.store, now()
        with store.writing():
            chat = self._chat_in_hand(moment)
            if store.chats.is_paused(chat):
                # It was left with nothing kept, and is gone on with.
                store.chats.add(chat, "on", "", note=None, now=moment)
            number = None
            if as_note:
                note = Note(text, thread=f"chat:{chat}", author=self.me.config.me.name, origin="chat")
                ready = prepare(replace(note, happened_at=moment), self.me.config)
                if isinstance(ready, Skipped):
                    raise UsageError(ready.why)
                store.tombstones.lift([ready[0]])
                [(number, _)] = store.add_notes([ready], now=moment)
            turn = store.chats.add(chat, kind, text, note=number, now=moment)
        self.chat = chat
        return (f"n{number}" if number else ""), turn

    def _chat_in_hand(self, moment: datetime) -> int:
        """Return the conversation in hand, another one where it went with the last that was said in it."""
        chats = self.me.store.chats
        return self.chat if self.chat and chats.is_there(self.chat) else chats.begin(now=moment)

    def answered(self, heard: Heard, answer: Answer) -> None:
        """Take an answer into the topic in hand: the next question may follow from it."""
        if answer.text and not answer.abstained:
            self._topic.append(_Asked(heard.turn, heard.question, answer.text))

    def pause_keeping(self) -> None:
        """Keep nothing from now on; the conversation shows that there is a gap, and not what was in it."""
        self._mark("off")
        self.keeps = False

    def resume_keeping(self) -> None:
        """Keep what is said again."""
        self.keeps = True
        # What was said in the gap must not come back in an answer that is kept.
        self._topic = [one for one in self._topic if one.turn]
        self._mark("on")

    def _mark(self, kind: Literal["off", "on"]) -> None:
        with self.me.store.writing():
            chat = self._chat_in_hand(now())
            self.me.store.chats.add(chat, kind, "", note=None, now=now())
        self.chat = chat

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

    def _begins_topic(self, question: str) -> bool:
        if self._last_at is not None and now() - self._last_at > PAUSE:
            return True
        if not (question and self._topic):
            return False
        last = self._topic[-1]
        return not is_on_the_same(question, f"{last.question} {last.answer}")

    def _before(self, question: str) -> _Asked | None:
        """Return what a question follows from, unless that was forgotten since."""
        if not (self._topic and follows(question)):
            return None
        last = self._topic[-1]
        return last if not last.turn or self.me.store.chats.has(last.turn) else None


def ask(me: Assistant, heard: Heard) -> asking.Stream:
    """Begin to answer a message; the daemon does where one runs. Raises what asking raises."""
    filters = Filters(as_of=heard.as_of)
    found = asking.ask(heard.question, filters=filters, before=heard.before)
    return found or me.ask_stream(heard.question, filters=filters, before=heard.before)


def what_came(stream: asking.Stream, text: str, *, is_whole: bool) -> Answer:
    """Return the answer of a stream that has ended or was closed, of which `text` came."""
    try:
        answer = stream.answer
    except RuntimeError:  # it was stopped before anybody told what it rests on
        return Answer(text, (), False, "retrieval", {"evidence_shown": [match.id for match in stream.evidence]})
    # One that was stopped before its first word says nothing about what memory holds.
    return answer if is_whole or not answer.abstained else replace(answer, text="")


def keep_answer(me: Assistant, heard: Heard, answer: Answer, shown: Sequence[Match], *, is_whole: bool) -> None:
    """Keep an answer, or what came of it, with the passages that were shown for it.

    An answer to a question that follows another one may be in the words of that one's sources: they are its own too.
    """
    if not heard.turn:
        return
    read = answer.trace.get("evidence_shown")
    if read is None and not answer.abstained:
        read = [match.id for match in shown]
    cited = {match.id for match in answer.citations}
    chats = me.store.chats
    with me.store.writing():
        if heard.after and not chats.has(heard.after):
            return
        earlier = chats.drawn_from(heard.after) if heard.before else ()
        numbered = enumerate(dict.fromkeys((*(read or ()), *earlier)), 1)
        sources = [(Cited(number, id, id in cited), parse_id(id)[0]) for number, id in numbered]
        chats.answer(heard.turn, answer.text, regime=answer.regime, is_whole=is_whole, sources=sources)


def topics_of(turns: Sequence[Turn]) -> list[list[Turn]]:
    """Return the turns of a conversation in the topics they make up; the last one is in hand."""
    topics: list[list[Turn]] = []
    for turn in turns:
        topic = topics[-1] if topics else None
        if topic and turn.said_at - topic[-1].said_at <= PAUSE and _goes_on(topic, turn):
            topic.append(turn)
        else:
            topics.append([turn])
    return topics


def _goes_on(topic: Sequence[Turn], turn: Turn) -> bool:
    last = next((one for one in reversed(topic) if _is_answered(one)), None)
    if turn.kind != "asked" or last is None:
        return True
    return is_on_the_same(question_in(turn.text), f"{question_in(last.text)} {last.answer}")


def _is_answered(turn: Turn) -> bool:
    return bool(turn.answer) and turn.regime != "abstained"
