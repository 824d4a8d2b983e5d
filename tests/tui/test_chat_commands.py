"""Every command of the conversation does on the screen what its help says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import TESTS
from fakes import FakePlugin
from screens import Open
from talking import Memory, say, told, until_told

from secondme.chat.commands import COMMANDS
from secondme.records import Note


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, for what /export writes."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def notes(memory: Memory) -> list[str]:
    with memory() as me:
        return [note.text for note in me.notes()]


async def test_remember_keeps_a_text_as_it_is_even_a_question(show: Open, memory: Memory) -> None:
    async with show() as screen:
        await say(screen, "/remember Where are my keys?")
        await screen.until_shown("kept as n1")
        assert notes(memory) == ["Where are my keys?"]


async def test_forget_removes_a_note_for_good_after_showing_what_goes_with_it(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(Note("I like tea.", uri="diary:1"))
    async with show() as screen:
        await say(screen, "/forget n1")
        await screen.until_shown("forget this for good?")
        assert "would remove n1: 1 passage" in screen.text
        assert "diary:1" in screen.text
        await screen.press("n")
        await screen.until_shown("say something")
        assert notes(memory) == ["I like tea."]
        await say(screen, "/forget n1")
        await screen.until_shown("forget this for good?")
        await screen.press("y")
        # Told in passing where the conversation is shown anew.
        await screen.until(lambda: "removed n1: 1 passage" in "\n".join([screen.text, *told(screen)]))
        assert notes(memory) == []


async def test_forget_with_words_lists_what_they_find(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(Note("I like tea.", uri="diary:1"))
    async with show() as screen:
        await say(screen, "/forget tea")
        await screen.until_shown("which one? /forget ID")
        assert "n1 · " in screen.text
        assert notes(memory) == ["I like tea."]


async def test_search_finds_passages(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add_many([Note("I like tea.", uri="diary:1"), Note("The boat is red.", uri="diary:2")])
    async with show() as screen:
        await say(screen, "/search boat")
        await screen.until_shown("The boat is red.")
        await say(screen, "/search")
        await screen.until_shown("/search needs WORDS; find passages and facts")


async def test_facts_tells_what_is_known_and_says_how_to_get_there(show: Open, memory: Memory) -> None:
    async with show() as screen:
        await say(screen, "/facts")
        await screen.until_shown("no fact is known; /sleep makes facts of notes")
        with memory() as me:
            me.add(Note("I live in Porto.", uri="diary:1"))
            me.sleep()
        await say(screen, "/facts Porto")
        await screen.until_shown("I live in Porto.")
        assert "m1 · " in screen.text


async def test_sleep_makes_facts_and_undo_takes_the_night_back(
    show: Open, memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text(json.dumps("yes") + "\n", encoding="utf-8")
    settings = {"SCRIPT": str(script), "MODELS_LANGUAGE": "scripted", "MODELS_EMBEDDER": "hashing"}
    for name, value in settings.items():
        monkeypatch.setenv(f"SECONDME_{name}", value)
    # The night is a process of its own, which has to find the fake models.
    root = TESTS.parent
    path = os.pathsep.join(map(str, (root, root / "plugins", TESTS, TESTS / "fake-plugin")))
    monkeypatch.setenv("PYTHONPATH", path)
    async with show() as screen:
        await say(screen, "/sleep")
        await screen.until_shown("nothing waits to be slept over")
        await say(screen, "/undo")
        await screen.until_shown("there is nothing to undo")
        with memory() as me:
            me.add(Note("I live in Porto.", uri="diary:1"))
        await say(screen, "/sleep")
        await screen.until_shown("r1 done · F5 reviews it, /undo takes it back")
        with memory() as me:
            assert [fact.text for fact in me.current_facts()] == ["I live in Porto."]
        await say(screen, "/undo")
        await screen.until_shown("take back r1?")
        await screen.press("y")
        await screen.until_shown("took back r1: 1 change")
        with memory() as me:
            assert me.current_facts() == []


async def test_as_of_asks_about_another_day_until_now(show: Open, memory: Memory) -> None:
    async with show() as screen:
        await say(screen, "/as-of 2024-03-01")
        await screen.until_shown("questions are about 2024-03-01, as it was known then; /as-of now ends this")
        await say(screen, "/as-of now")
        await screen.until_shown("questions are about now")
        await say(screen, "/as-of blue")
        await screen.until_shown("blue")


async def test_off_keeps_nothing_until_on(show: Open, memory: Memory) -> None:
    async with show() as screen:
        await say(screen, "/off")
        await screen.until_shown("nothing is kept until /on")
        await say(screen, "I have a secret.")
        await screen.until(lambda: screen.text.count("I have a secret.") == 1)
        await say(screen, "/on")
        await screen.until_shown("what you say is kept")
        assert notes(memory) == []
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n1")
        assert notes(memory) == ["I like tea."]


async def test_threads_lists_conversations_and_finds_those_with_words_in_them(show: Open, memory: Memory) -> None:
    async with show() as screen:
        await say(screen, "/threads")
        await screen.until_shown("no conversation is kept")
        await say(screen, "I like tea.")
        await say(screen, "/new")
        await screen.until_shown("another conversation")
        await say(screen, "The boat is red.")
        await say(screen, "/threads")
        await screen.until(lambda: "The boat is red. · 1 turn · here" in screen.text and "1 · " in screen.text)
        await say(screen, "/threads tea")
        await screen.until_shown("I like tea. · 1 turn")


async def test_open_goes_on_with_a_conversation_and_new_begins_another(show: Open, memory: Memory) -> None:
    async with show() as screen:
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n1")
        await say(screen, "/new")
        await screen.until_shown("another conversation")
        assert "I like tea." not in screen.text
        await say(screen, "The boat is red.")
        await screen.until_shown("kept as n2")
        await say(screen, "/open 1")
        await screen.until_shown("kept as n1")
        assert "The boat" not in screen.text
        await say(screen, "My cat is Tom.")
        await screen.until_shown("kept as n3")
        with memory() as me:
            assert [turn.text for turn in me.store.chats.turns(1)] == ["I like tea.", "My cat is Tom."]
        for wrong, words in (("9", "there is no conversation 9"), ("x", "'x' is no number of a conversation")):
            await say(screen, f"/open {wrong}")
            await screen.until_shown(words)


async def test_name_names_the_conversation(show: Open, memory: Memory) -> None:
    async with show() as screen:
        await say(screen, "/name Trip")
        await screen.until_shown("nothing was said yet")
        await say(screen, "I like tea.")
        await say(screen, "/name Trip to Porto")
        await screen.until_shown("this conversation is called Trip to Porto")
        with memory() as me:
            assert me.store.chats.get(1).name == "Trip to Porto"


async def test_delete_removes_a_conversation_after_a_question_and_leaves_its_notes(show: Open, memory: Memory) -> None:
    async with show() as screen:
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n1")
        await say(screen, "/delete")
        await screen.until_shown("delete 'I like tea.' (1 turn)? The notes it left stay")
        await screen.press("y")
        await until_told(screen, "deleted 'I like tea.'")
        await screen.until_shown("another conversation")
        assert "kept as n1" not in screen.text
        assert notes(memory) == ["I like tea."]
        with memory() as me:
            assert me.store.chats.list() == []


async def test_copy_copies_the_last_answer_as_it_is_read(show: Open, memory: Memory, scripted: FakePlugin) -> None:
    scripted.model.replies.append("You live in \x1b[2JPorto [1].")
    with memory() as me:
        me.add(Note("I live in Porto.", uri="diary:1"))
    async with show() as screen:
        await say(screen, "/copy")
        await until_told(screen, "there is nothing to copy")
        await say(screen, "Where do I live?")
        await screen.until_shown("[1] n1")
        await say(screen, "/copy")
        await until_told(screen, "copied")
        assert screen.app.clipboard == "You live in Porto [1]."


async def test_export_writes_the_conversation_with_its_sources(
    show: Open, memory: Memory, scripted: FakePlugin, elsewhere: Path
) -> None:
    scripted.model.replies.append("You live in Porto [1].")
    with memory() as me:
        me.add(Note("I live in Porto.", uri="diary:1"))
    async with show() as screen:
        await say(screen, "/export")
        await screen.until_shown("nothing was said yet")
        await say(screen, "Where do I live?")
        await screen.until_shown("[1] n1")
        await say(screen, "/export")
        await screen.until_shown("written to ")
        text = (elsewhere / "secondme-chat-1.md").read_text(encoding="utf-8")
        assert "> Where do I live?" in text
        assert "You live in Porto [1]." in text
        assert "[1] n1 · " in text
        await say(screen, "/export mine.md")
        await screen.until(lambda: (elsewhere / "mine.md").exists())
        await say(screen, "/export mine.md")
        await screen.until_shown("/export OTHER-FILE")
        # Where the line breaks depends on how long the path is.
        assert "is there already;" in " ".join(screen.text.split())


async def test_help_lists_all_commands(show: Open) -> None:
    async with show() as screen:
        await say(screen, "/help")
        await screen.until_shown("/quit")
        for command in COMMANDS.values():
            assert f"/{command.name} " in screen.text
            assert command.help in screen.text


async def test_quit_leaves(show: Open) -> None:
    async with show() as screen:
        await say(screen, "/quit")
        await screen.until(lambda: not screen.app.is_running)


async def test_a_command_that_does_not_exist_says_which_ones_do(show: Open) -> None:
    async with show() as screen:
        await say(screen, "/serch tea")
        await screen.until_shown("there is no /serch; /")


def test_every_command_has_a_test_here() -> None:
    names = [name for name in globals() if name.startswith("test_")]
    untested = [name for name in COMMANDS if not any(name.replace("-", "_") in test for test in names)]
    assert untested == []
