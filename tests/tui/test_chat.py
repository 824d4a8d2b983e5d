"""The conversation on the screen."""

from __future__ import annotations

from collections.abc import Callable

from fakes import FakePlugin
from screens import Open

from secondme.assistant import Assistant
from secondme.records import Note

Memory = Callable[[], Assistant]


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
