"""A conversation: kept at once, answered from memory, gone on with, and forgotten without a trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakePlugin
from nights import open_memory

from secondme.assistant import Assistant
from secondme.chat.talk import Heard, Talk, ask, keep_answer, topics_of, what_came
from secondme.errors import NotFound, UsageError
from secondme.models.prompts import NOT_IN_MEMORY
from secondme.records import Answer, Match, Note
from secondme.store.chats import Turn

CANARY = "zanzibarquokka"
TEXTS = ("Ana moved to Porto in spring", "Ben bought a green bicycle", "Oda reads about tides")


@pytest.fixture
def me(own_home: Path, scripted: FakePlugin) -> Iterator[Assistant]:
    """Three notes, n1 to n3, with vectors and the scripted model."""
    with open_memory(own_home, scripted) as opened:
        opened.add_many(Note(text, uri=f"note:{at}") for at, text in enumerate(TEXTS))
        yield opened


@pytest.fixture
def talk(me: Assistant) -> Talk:
    """A conversation in which nothing was said yet."""
    return Talk(me)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A clock that stands still."""
    monkeypatch.setenv("SECONDME_NOW", "2024-06-01T10:00:00Z")
    return monkeypatch


def turns(talk: Talk) -> list[Turn]:
    return list(talk.me.store.chats.turns(talk.chat or 0))


def answer(talk: Talk, text: str, reply: str) -> tuple[Heard, Answer]:
    """Say something and have it answered by the scripted model, as the screen and line mode do."""
    talk.me.model().replies.append(reply)  # type: ignore[attr-defined]
    heard = talk.hear(text)
    stream = ask(talk.me, heard)
    said = "".join(stream)
    given = what_came(stream, said, is_whole=True)
    keep_answer(talk.me, heard, given, stream.evidence, is_whole=True)
    talk.answered(heard, given)
    return heard, given


def files_with(home: Path, words: str) -> list[str]:
    """The files of a home in which words stand, in whatever case."""
    files = [path for path in home.rglob("*") if path.is_file()]
    return [path.name for path in files if words.lower().encode() in path.read_bytes().lower()]


def test_what_is_said_is_a_note_of_the_conversation(talk: Talk) -> None:
    heard = talk.hear("I moved to Faro.")
    assert (heard.note, heard.question, heard.turn) == ("n4", "", 1)
    note, _ = talk.me.note("n4")
    assert (note.text, note.thread, note.author, note.origin) == ("I moved to Faro.", "chat:1", "me", "chat")
    [turn] = turns(talk)
    assert (turn.kind, turn.text, turn.note, turn.answer, turn.is_whole) == ("said", "I moved to Faro.", "n4", "", True)


def test_what_is_asked_is_a_turn_and_no_note(talk: Talk) -> None:
    heard = talk.hear("Where do I live?")
    assert (heard.note, heard.question) == ("", "Where do I live?")
    [turn] = turns(talk)
    assert (turn.kind, turn.note, turn.is_whole) == ("asked", "", False)
    assert len(list(talk.me.notes())) == len(TEXTS)


def test_a_message_that_does_both_is_kept_whole_and_asked_in_part(talk: Talk) -> None:
    heard = talk.hear("I moved to Faro. Where did I live before?")
    assert (heard.note, heard.question) == ("n4", "Where did I live before?")
    assert talk.me.note("n4")[0].text == "I moved to Faro. Where did I live before?"
    assert turns(talk)[0].kind == "asked"


@pytest.mark.parametrize("text", ["", " \n", "\x1b[31m\x1b[0m", "\x00"])
def test_nothing_is_not_kept(talk: Talk, text: str) -> None:
    with pytest.raises(UsageError, match="nothing was said"):
        talk.hear(text)
    assert talk.chats() == []


def test_what_is_said_is_kept_without_what_steers_a_terminal(talk: Talk) -> None:
    talk.hear("red \x1b]52;c;aGk=\x07alert \ud800[/b]")
    assert turns(talk)[0].text == "red alert [/b]"


def test_what_cannot_be_kept_leaves_no_conversation(talk: Talk) -> None:
    with pytest.raises(UsageError, match="max_file_bytes"):
        talk.hear("word " * 1_200_000)
    assert (talk.chat, talk.chats()) == (None, [])


def test_what_is_said_is_on_the_disk_before_it_is_heard(talk: Talk, own_home: Path) -> None:
    talk.hear(f"The code is {CANARY}.")
    with open_memory(own_home) as other:
        assert [turn.text for turn in other.store.chats.turns(1)] == [f"The code is {CANARY}."]


KILLED = """
import os, signal, sys
from pathlib import Path
from nights import open_memory
from secondme.chat.talk import Talk

talk = Talk(open_memory(Path(sys.argv[1])))
for number in range(3):
    talk.hear(f"I planted tree number {number}. How many are there?")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_heard_outlives_a_process_that_is_killed(own_home: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", KILLED, str(own_home)]
    done = subprocess.run(command, env=environ, capture_output=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with open_memory(own_home) as me:
        found = me.store.chats.turns(1)
        assert [turn.note for turn in found] == ["n1", "n2", "n3"]
        assert "number 2" in found[2].text
        assert len(list(me.notes())) == 3


def test_remember_keeps_what_would_be_asked(talk: Talk) -> None:
    assert talk.remember("Where do I live?").note == "n4"
    with pytest.raises(UsageError, match="empty"):
        talk.remember(" ")
    assert len(turns(talk)) == 1


def test_an_answer_is_kept_with_all_that_was_shown_for_it(talk: Talk) -> None:
    _, given = answer(talk, "Where did Ana move in spring?", "Ana moved to Porto [1].")
    [turn] = turns(talk)
    assert (turn.answer, turn.is_whole, turn.regime) == ("Ana moved to Porto [1].", True, given.regime)
    assert sorted(one.id for one in turn.sources) == ["n1", "n2", "n3"]
    assert [one.number for one in turn.sources] == [1, 2, 3]
    assert [one.id for one in turn.sources if one.is_cited] == ["n1"]
    read = talk.read(turn)
    assert (read.text, [match.text for match in read.sources.values()]) == ("Ana moved to Porto [1].", [TEXTS[0]])


def test_the_marks_of_a_kept_answer_are_numbered_from_one(talk: Talk) -> None:
    answer(talk, "What did Ben buy?", "Ben bought a bicycle [2].")
    read = talk.read(turns(talk)[0])
    assert (read.text, read.sources[1].id) == ("Ben bought a bicycle [1].", "n2")


def test_a_source_that_was_replaced_is_still_read(talk: Talk) -> None:
    answer(talk, "Where did Ana move in spring?", "Ana moved to Porto [1].")
    talk.me.add(Note("Ana moved to Faro", uri="note:0"))
    assert talk.read(turns(talk)[0]).sources[1].text == TEXTS[0]


def test_an_answer_that_memory_does_not_hold_is_kept_as_that(talk: Talk) -> None:
    answer(talk, "Where did Ana move in spring?", NOT_IN_MEMORY)
    [turn] = turns(talk)
    assert (turn.regime, turn.answer, turn.is_whole) == ("abstained", NOT_IN_MEMORY, True)


def test_an_answer_that_is_stopped_is_kept_as_far_as_it_came(talk: Talk) -> None:
    talk.me.model().replies.append("Ana moved to Porto. She likes it there.")  # type: ignore[attr-defined]
    heard = talk.hear("Where did Ana move in spring?")
    stream = ask(talk.me, heard)
    text = next(iter(stream))
    stream.close()
    keep_answer(talk.me, heard, what_came(stream, text, is_whole=False), stream.evidence, is_whole=False)
    [turn] = turns(talk)
    assert turn.answer
    assert (turn.answer in "Ana moved to Porto. She likes it there.", turn.is_whole) == (True, False)
    assert {one.id for one in turn.sources} == {"n1", "n2", "n3"}


class Gone:
    """A stream whose other side was gone before it told what the answer rests on."""

    def __init__(self, evidence: list[Match]) -> None:
        self.evidence = evidence

    @property
    def answer(self) -> Answer:
        raise RuntimeError

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def cancel(self) -> None: ...

    def close(self) -> None: ...


def test_an_answer_whose_sources_were_never_told_rests_on_all_that_was_found(talk: Talk) -> None:
    heard = talk.hear("Where did Ana move in spring?")
    stream = Gone(talk.me.recall("Ana"))
    came = what_came(stream, "To Porto [2]", is_whole=False)
    keep_answer(talk.me, heard, came, stream.evidence, is_whole=False)
    [turn] = turns(talk)
    assert {one.id for one in turn.sources} == {match.id for match in stream.evidence}
    # Nobody knows what its mark stands for.
    assert talk.read(turn).text == "To Porto"
    talk.me.forget(["n1"])
    assert talk.chats() == []


def test_one_stopped_before_its_first_word_is_no_answer(talk: Talk) -> None:
    talk.me.model().replies.append("Porto")  # type: ignore[attr-defined]
    stream = ask(talk.me, talk.hear("Where did Ana move in spring?"))
    stream.close()
    assert what_came(stream, "", is_whole=False).text == ""


def test_a_question_that_follows_carries_the_one_before(talk: Talk, scripted: FakePlugin) -> None:
    first, _ = answer(talk, "Where did Ana move in spring?", "Ana moved to Porto [1].")
    second, _ = answer(talk, "And why did she move there?", "She moved in spring [1].")
    assert (first.before, first.after) == (None, 0)
    assert second.before == ("Where did Ana move in spring?", "Ana moved to Porto [1].")
    assert (second.after, second.begins_topic) == (first.turn, False)
    tail = scripted.model.prompts[-1].tail
    assert "I asked before: Where did Ana move in spring?\nYou said: Ana moved to Porto (1)." in tail
    assert "Question: And why did she move there?" in tail
    assert "I asked before" not in scripted.model.prompts[0].tail


def test_a_long_answer_before_is_cut(talk: Talk) -> None:
    answer(talk, "Where did Ana move in spring?", "Ana moved to Porto [1]. " * 40)
    before = talk.hear("And then?").before
    assert before is not None
    assert len(before[1]) == 400


def test_a_question_on_something_else_begins_a_topic(talk: Talk) -> None:
    answer(talk, "Where did Ana move in spring?", "Ana moved to Porto [1].")
    other, _ = answer(talk, "What did Ben buy?", "Ben bought a bicycle [2].")
    assert (other.begins_topic, other.before) == (True, None)
    assert [[turn.id for turn in topic] for topic in topics_of(turns(talk))] == [[1], [2]]


def test_what_is_told_in_between_ends_no_topic(talk: Talk) -> None:
    answer(talk, "Where did Ana move in spring?", "Ana moved to Porto [1].")
    assert not talk.hear("I bought 12 tomato plants.").begins_topic
    heard = talk.hear("And since when does she live there?")
    assert heard.before is not None
    assert [[turn.id for turn in topic] for topic in topics_of(turns(talk))] == [[1, 2, 3]]


def test_what_was_not_answered_carries_nothing_on(talk: Talk) -> None:
    answer(talk, "Where did Ana move in spring?", NOT_IN_MEMORY)
    assert talk.hear("And why?").before is None


def test_a_silence_ends_a_topic(talk: Talk, at: pytest.MonkeyPatch) -> None:
    answer(talk, "Where did Ana move in spring?", "Ana moved to Porto [1].")
    at.setenv("SECONDME_NOW", "2024-06-01T10:30:00Z")
    assert not talk.hear("And why?").begins_topic
    at.setenv("SECONDME_NOW", "2024-06-01T11:00:01Z")
    late = talk.hear("And why?")
    assert (late.begins_topic, late.before) == (True, None)
    assert [[turn.id for turn in topic] for topic in topics_of(turns(talk))] == [[1, 2], [3]]


def test_a_conversation_that_is_opened_again_goes_on_as_it_was(talk: Talk) -> None:
    answer(talk, "I met Ana. Where did Ana move in spring?", "Ana moved to Porto [1].")
    again = Talk(talk.me, talk.chat)
    heard = again.hear("And why?")
    assert heard.before == ("Where did Ana move in spring?", "Ana moved to Porto [1].")
    assert (heard.after, again.chat) == (1, 1)
    with pytest.raises(NotFound, match="no conversation 9"):
        Talk(talk.me, 9)
    assert talk.open(1) == talk.me.store.chats.turns(1)


def test_a_new_conversation_knows_nothing_of_the_last(talk: Talk) -> None:
    answer(talk, "Where did Ana move in spring?", "Ana moved to Porto [1].")
    talk.new()
    heard = talk.hear("And why?")
    assert (heard.before, heard.begins_topic, talk.chat) == (None, False, 2)


def test_between_off_and_on_nothing_reaches_the_disk(talk: Talk, own_home: Path) -> None:
    talk.hear("I like tea.")
    talk.pause_keeping()
    told = talk.hear(f"The code is {CANARY}.")
    asked, _ = answer(talk, f"Who knows {CANARY}, and where did Ana move in spring?", f"Ana moved to {CANARY} [1].")
    assert (told.note, told.turn, asked.turn) == ("", 0, 0)
    with pytest.raises(UsageError, match="nothing is kept"):
        talk.remember(CANARY)
    assert files_with(own_home, CANARY) == []
    talk.resume_keeping()
    # What was said in the gap does not come back through what is asked after it.
    assert talk.hear("And why?").before is None
    assert [turn.kind for turn in turns(talk)] == ["said", "off", "on", "asked"]
    assert [turn.text for turn in turns(talk)] == ["I like tea.", "", "", "And why?"]
    talk.me.close()
    assert files_with(own_home, CANARY) == []


def test_while_nothing_is_kept_a_question_still_follows_the_one_before(talk: Talk) -> None:
    talk.pause_keeping()
    answer(talk, "Where did Ana move in spring?", "Ana moved to Porto [1].")
    assert talk.hear("And why?").before is not None


def test_a_conversation_that_was_left_in_a_gap_is_kept_from_where_it_goes_on(talk: Talk) -> None:
    talk.hear("I like tea.")
    talk.pause_keeping()
    again = Talk(talk.me, talk.chat)
    again.hear("I like cocoa.")
    assert [turn.kind for turn in turns(again)] == ["said", "off", "on", "said"]


def test_forgetting_a_note_leaves_no_byte_of_it(talk: Talk, own_home: Path, scripted: FakePlugin) -> None:
    told = talk.hear(f"The secret garden is called {CANARY}.")
    with talk.me.store.writing():
        talk.me.store.chats.rename(talk.chat or 0, f"About {CANARY}")
    answer(talk, "What is the secret garden called?", f"It is called {CANARY} [4].")
    assert files_with(own_home, CANARY)
    planned = talk.me.forget([told.note], dry_run=True)
    assert (planned.turns, len(turns(talk))) == (2, 2)
    done = talk.me.forget([told.note])
    assert done.turns == 2
    assert talk.chats() == []
    assert files_with(own_home, CANARY) == []
    talk.me.close()
    assert files_with(own_home, CANARY) == []


def test_forgetting_a_note_leaves_turns_that_have_nothing_to_do_with_it(talk: Talk) -> None:
    told = talk.hear(f"The secret garden is called {CANARY}.")
    talk.hear("I like tea.")
    talk.me.forget([told.note])
    assert [turn.text for turn in turns(talk)] == ["I like tea."]
    assert [chat.name for chat in talk.chats()] == ["I like tea."]


def test_forgetting_removes_what_was_answered_after_an_answer_from_it(talk: Talk, own_home: Path) -> None:
    """A model that is told its last answer may say it again, whatever evidence it has now."""
    told = talk.hear(f"My sister lives in {CANARY}.")
    answer(talk, "Where does my sister live?", f"In {CANARY} [4].")
    talk.me.model().replies.append(f"Since she moved to {CANARY} [1].")  # type: ignore[attr-defined]
    heard = talk.hear("And since when?")
    stream = talk.me.ask_stream(heard.question, before=heard.before)
    given = Answer(f"Since she moved to {CANARY} [1].", (), False, "retrieval", {"evidence_shown": ["n1"]})
    stream.close()
    keep_answer(talk.me, heard, given, stream.evidence, is_whole=True)
    assert {one.id for one in turns(talk)[2].sources} >= {"n1", "n4"}
    talk.me.forget([told.note])
    assert talk.chats() == []
    assert files_with(own_home, CANARY) == []


def test_an_answer_that_comes_after_its_evidence_was_forgotten_is_not_stored(talk: Talk, own_home: Path) -> None:
    told = talk.hear(f"My sister lives in {CANARY}.")
    talk.me.model().replies.append(f"In {CANARY} [4].")  # type: ignore[attr-defined]
    heard = talk.hear("Where does my sister live?")
    stream = ask(talk.me, heard)
    text = "".join(stream)
    talk.me.forget([told.note])
    keep_answer(talk.me, heard, what_came(stream, text, is_whole=True), stream.evidence, is_whole=True)
    [turn] = turns(talk)
    assert (turn.text, turn.answer, turn.sources) == ("Where does my sister live?", "", ())
    assert files_with(own_home, CANARY) == []


def test_an_answer_to_what_follows_a_forgotten_one_is_not_stored(talk: Talk) -> None:
    told = talk.hear(f"My sister lives in {CANARY}.")
    answer(talk, "Where does my sister live?", f"In {CANARY} [4].")
    heard = talk.hear("And since when?")
    talk.me.forget([told.note])
    given = Answer(f"Since {CANARY}.", (), False, "retrieval", {"evidence_shown": ["n1"]})
    keep_answer(talk.me, heard, given, (), is_whole=True)
    assert [turn.answer for turn in turns(talk)] == [""]


def test_a_forgotten_answer_is_not_told_to_the_model_again(talk: Talk) -> None:
    told = talk.hear(f"My sister lives in {CANARY}.")
    answer(talk, "Where does my sister live?", f"In {CANARY} [4].")
    talk.me.forget([told.note])
    assert talk.hear("And since when?").before is None


def test_what_is_said_after_all_was_forgotten_begins_a_conversation(talk: Talk) -> None:
    told = talk.hear("I like tea.")
    talk.me.forget([told.note])
    again = talk.hear("I like cocoa.")
    assert (again.turn, talk.chat, [chat.name for chat in talk.chats()]) == (2, 2, ["I like cocoa."])
    talk.me.forget([again.note])
    talk.pause_keeping()
    assert [turn.kind for turn in turns(talk)] == ["off"]


def test_a_moment_that_is_asked_about_goes_with_the_question(talk: Talk, at: pytest.MonkeyPatch) -> None:
    from secondme.moments import moment_of

    talk.as_of = moment_of("2024-03-01")
    assert talk.hear("Where do I live?").as_of == talk.as_of
