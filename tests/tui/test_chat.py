"""The conversation on the screen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fakes import FakePlugin
from screens import Open
from secondme_tui.screens.dialogs import Trouble
from secondme_tui.widgets.prompt import Prompt
from secondme_tui.widgets.transcript import AT_ONCE, MOST_TOPICS, EarlierLine, Topic, Transcript
from secondme_tui.widgets.turn import TurnView
from talking import Memory, SlowPlugin, say

from secondme.clock import now
from secondme.paths import find_paths
from secondme.plugins import Plugins
from secondme.records import Note


@pytest.fixture
def slow(plugins: Plugins) -> SlowPlugin:
    """A plugin with a model that waits; the one registered last is asked first."""
    slow = SlowPlugin()
    plugins.register(slow, "slow")
    return slow


async def test_what_is_said_is_kept_at_once_and_can_be_taken_back_with_a_key(show: Open, memory: Memory) -> None:
    async with show() as screen:
        await screen.type("I moved to Porto.")
        await screen.press("enter")
        await screen.until_shown("kept as n1 · u takes it back")
        with memory() as me:
            assert [note.text for note in me.notes()] == ["I moved to Porto."]
        await screen.press("escape", "u")
        await screen.until_shown("taken back")
        with memory() as me:
            assert list(me.notes()) == []


async def test_an_answer_has_its_sources_below_and_a_key_shows_one_at_its_line(
    show: Open, memory: Memory, scripted: FakePlugin
) -> None:
    scripted.model.replies.append("You live in Porto [1]. It is sunny there.")
    with memory() as me:
        me.add(Note("First line.\n\nI live in Porto.", uri="diary:1"))
    async with show() as screen:
        await screen.type("Where do I live?")
        await screen.press("enter")
        await screen.until_shown("[1] n1")
        assert "° It is sunny there." in screen.text
        await screen.press("escape", "1")
        await screen.until_shown("▌3 I live in Porto.")


async def test_a_long_conversation_opens_with_only_its_last_topic_open(show: Open, memory: Memory) -> None:
    with memory() as me, me.store.writing():
        chat = me.store.chats.begin(now=now())
        for number in range(300):
            at = now() - timedelta(hours=300 - number)
            me.store.chats.add(chat, "said", f"This is thing {number}.", note=None, now=at)
    async with show(chat=chat) as screen:
        await screen.until_shown("This is thing 299.")
        assert "▸ 1 turn · This is thing 298." in screen.text
        transcript = screen.app.screen.query_one(Transcript)
        assert len(transcript.query(TurnView)) == 1
        assert len(transcript.query(Topic)) == MOST_TOPICS
        # What is older is there when it is asked for.
        earlier = transcript.query_one(EarlierLine)
        earlier.focus()
        await screen.until_shown(f"▸ {300 - MOST_TOPICS} earlier topics")
        await screen.press("enter")
        await screen.until(lambda: len(transcript.query(Topic)) == 2 * MOST_TOPICS)
        await screen.press("enter")
        await screen.until(lambda: len(transcript.query(Topic)) == 300)
        assert not earlier.display


async def test_a_long_topic_opens_with_its_last_turns_and_a_key_shows_those_before(show: Open, memory: Memory) -> None:
    with memory() as me, me.store.writing():
        chat = me.store.chats.begin(now=now())
        for number in range(AT_ONCE * 2 + 5):
            me.store.chats.add(chat, "said", f"This is thing {number}.", note=None, now=now())
    async with show(chat=chat) as screen:
        await screen.until_shown(f"This is thing {AT_ONCE * 2 + 4}.")
        topic = screen.app.screen.query_one(Topic)
        assert len(topic.query(TurnView)) == AT_ONCE
        earlier = topic.query_one(EarlierLine)
        earlier.focus()
        await screen.until_shown(f"▸ {AT_ONCE + 5} earlier turns")
        await screen.press("enter")
        await screen.until(lambda: len(topic.query(TurnView)) == AT_ONCE * 2)
        earlier.focus()
        await screen.press("enter")
        await screen.until(lambda: len(topic.query(TurnView)) == AT_ONCE * 2 + 5)
        said = [view.shown.text for view in topic.query(TurnView)]
        assert said == [f"This is thing {number}." for number in range(AT_ONCE * 2 + 5)]
        assert not earlier.display


async def test_what_is_said_after_off_is_nowhere_and_the_gap_is_shown_when_reopened(
    show: Open, memory: Memory, scripted: FakePlugin
) -> None:
    scripted.model.replies.append("The secret is blue.")
    async with show() as screen:
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n1")
        await say(screen, "/off")
        await screen.until_shown("nothing is kept until /on")
        await say(screen, "The zebra is hidden.")
        await screen.until_shown("The zebra is hidden.")
        await say(screen, "What colour has the zebra?")
        await screen.until_shown("What colour")
        await screen.until(lambda: not screen.app.session.is_busy)
        await say(screen, "/on")
        await screen.until_shown("what you say is kept")
    with memory() as me:
        assert [turn.kind for turn in me.store.chats.turns(1)] == ["said", "off", "on"]
    files = [file.read_bytes() for file in find_paths().data.rglob("*") if file.is_file()]
    assert any(b"I like tea." in content for content in files)
    assert not any(word in content for content in files for word in (b"zebra", b"secret"))
    async with show(chat=1) as screen:
        await screen.until_shown("nothing is kept from here on ──")
        assert "kept again ──" in screen.text
        assert "I like tea." in screen.text


async def test_without_a_model_the_evidence_is_shown_with_what_to_do(
    show: Open, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDME_MODELS_LANGUAGE", "")
    with memory() as me:
        me.add(Note("I live in Porto.", uri="diary:1"))
    async with show() as screen:
        await say(screen, "Where do I live?")
        await screen.until_shown("no language model is configured; secondme model list")
        await screen.until_shown("[1] n1 · ")
        assert "I live in Porto." in screen.text
        await screen.press("alt+1")
        await screen.until_shown("▌1 I live in Porto.")
        # What is told is kept all the same.
        await screen.press("escape")
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n2")


async def test_escape_stops_an_answer_and_keeps_what_came(show: Open, memory: Memory, slow: SlowPlugin) -> None:
    slow.model.replies.append("You live in the city of Porto [1], near the sea.")
    with memory() as me:
        me.add(Note("I live in Porto.", uri="diary:1"))
    async with show() as screen:
        await say(screen, "Where do I live?")
        await screen.until(slow.model.waits.is_set)
        await screen.until_shown("You live in")
        await screen.press("escape")
        slow.model.goes_on.set()
        await screen.until_shown("stopped")
        assert "near the sea" not in screen.text
    with memory() as me:
        [turn] = me.store.chats.turns(1)
        assert turn.answer.startswith("You live in")
        assert "sea" not in turn.answer
        assert not turn.is_whole
    async with show(chat=1) as screen:
        await screen.until_shown("stopped")
        assert "You live in" in screen.text


async def test_escape_stops_the_answer_under_way_and_the_next_one_is_given(
    show: Open, memory: Memory, slow: SlowPlugin
) -> None:
    slow.model.replies.extend(["You live in the city of Porto.", "It is Tom [1]."])
    with memory() as me:
        me.add_many([Note("I live in Porto.", uri="diary:1"), Note("My cat is called Tom.", uri="diary:2")])
    async with show() as screen:
        await say(screen, "Where do I live?")
        await screen.until(slow.model.waits.is_set)
        await say(screen, "How is my cat called?")
        await screen.until_shown("looking for evidence")
        await screen.press("escape")
        slow.model.goes_on.set()
        await screen.until_shown("It is Tom [1].")
    with memory() as me:
        assert [turn.is_whole for turn in me.store.chats.turns(1)] == [False, True]


async def test_another_conversation_can_be_begun_while_an_answer_comes(
    show: Open, memory: Memory, slow: SlowPlugin
) -> None:
    slow.model.replies.append("You live in the city of Porto, near the sea.")
    with memory() as me:
        me.add(Note("I live in Porto.", uri="diary:1"))
    async with show() as screen:
        await say(screen, "Where do I live?")
        await screen.until_shown("You live in")
        await screen.press("ctrl+n")
        await screen.until_shown("another conversation")
        slow.model.goes_on.set()
        await screen.until(lambda: not screen.app.session.is_busy)
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n2")
        assert "near the sea" not in screen.text
    with memory() as me:
        assert "near the sea" in me.store.chats.turns(1)[0].answer


async def test_leaving_during_an_answer_loses_at_most_that_answer(show: Open, memory: Memory, slow: SlowPlugin) -> None:
    slow.model.replies.append("You live in the city of Porto, near the sea.")
    with memory() as me:
        me.add(Note("I live in Porto.", uri="diary:1"))
    async with show() as screen:
        await say(screen, "My cat is called Tom.")
        await say(screen, "Where do I live?")
        await screen.until_shown("You live in")
    slow.model.goes_on.set()
    async with show(chat=1) as screen:
        await screen.until_shown("Where do I live?")
        assert "kept as n2" in screen.text
    with memory() as me:
        assert [turn.text for turn in me.store.chats.turns(1)] == ["My cat is called Tom.", "Where do I live?"]


async def test_a_question_that_was_never_answered_says_so_when_reopened(show: Open, memory: Memory) -> None:
    with memory() as me, me.store.writing():
        chat = me.store.chats.begin(now=now())
        me.store.chats.add(chat, "asked", "Where do I live?", note=None, now=now())
    async with show(chat=chat) as screen:
        await screen.until_shown("not answered")


async def test_what_cannot_be_kept_comes_back_into_the_prompt(show: Open, memory: Memory) -> None:
    async with show() as screen:
        with memory() as me, me.store.writing():
            await screen.type("I like tea.")
            await screen.press("enter")
            await screen.until(lambda: isinstance(screen.app.screen, Trouble))
            assert "Another process is writing" in screen.text
        await screen.press("escape")
        assert screen.app.screen.query_one(Prompt).text == "I like tea."
        await screen.press("enter")
        await screen.until_shown("kept as n1")


async def test_a_file_that_is_no_database_shows_what_is_wrong_and_the_application_stays(show: Open) -> None:
    database = find_paths().database
    database.parent.mkdir(parents=True)
    database.write_bytes(b"no database at all " * 500)
    async with show() as screen:
        await screen.until(lambda: isinstance(screen.app.screen, Trouble))
        assert "This memory cannot be opened" in screen.text
        await screen.press("escape")
        await screen.until_shown("the memory does not open:")
        # Once it is mended, one goes on.
        database.unlink()
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n1")
        await screen.until_shown("1 note")


async def test_a_database_of_a_newer_version_shows_what_is_wrong(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.store.db.conn.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) values ('secondme', 'm999_later', '')"
        )
    async with show() as screen:
        await screen.until(lambda: isinstance(screen.app.screen, Trouble))
        assert "This memory is newer than this program" in screen.text
        await screen.press("enter")
        await screen.until_shown("the memory does not open:")
        assert screen.app.is_running


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_prompt_and_footer_are_there_at_any_size(
    show: Open, memory: Memory, scripted: FakePlugin, size: tuple[int, int]
) -> None:
    scripted.model.replies.append("You live in Porto [1]. " * 40)
    with memory() as me:
        me.add(Note("I live in Porto.\n\n" + "word " * 3000, uri="diary:1"))
    async with show(size=size) as screen:
        await say(screen, "Where do I live?")
        await screen.until_shown("[1] n1")
        await screen.press("alt+1")
        await screen.until(lambda: "▌" in screen.text)
        assert "say something to keep" in screen.lines[-2]
        assert "Threads" in screen.lines[-1]
        assert screen.lines[0].startswith("secondme")


async def test_what_was_forgotten_is_gone_from_the_conversation_and_from_what_up_brings_back(
    show: Open, memory: Memory, scripted: FakePlugin
) -> None:
    scripted.model.replies.append("The key is under the zzpot [1].")
    async with show() as screen:
        await screen.type("The key is under the zzpot.")
        await screen.press("enter")
        await screen.until_shown("kept as n1")
        await screen.type("Where is the key?")
        await screen.press("enter")
        await screen.until_shown("[1] n1")
        await screen.type("/forget n1")
        await screen.press("enter")
        await screen.until_shown("2 turns of conversations")
        await screen.press("y")
        await screen.until(lambda: "zzpot" not in screen.text)
        await screen.press("up", "up", "up")
        assert "zzpot" not in screen.text


async def test_what_was_forgotten_while_browsing_is_gone_from_the_conversation(show: Open, memory: Memory) -> None:
    async with show() as screen:
        await screen.type("The key is under the zzpot.")
        await screen.press("enter")
        await screen.until_shown("kept as n1")
        await screen.press("f3")
        await screen.until_shown("zzpot")
        await screen.press("escape", "d")
        await screen.until_shown("forget this for good?")
        await screen.press("y")
        await screen.until(lambda: "zzpot" not in screen.text)
        await screen.press("f2")
        await screen.until(lambda: "say something" in screen.text and "zzpot" not in screen.text)
