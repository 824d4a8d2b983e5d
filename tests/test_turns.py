"""Who says what in a pasted conversation."""

from __future__ import annotations

import pytest

from secondme.sleep.turns import assistant_turns, is_assistant, is_within


def said(text: str) -> list[str]:
    """What assistants say in a text."""
    return [text.encode()[first:last].decode() for first, last in assistant_turns(text, me="Maren")]


def test_a_turn_goes_from_the_name_of_an_assistant_to_the_name_of_a_person() -> None:
    text = "You: héllo 👍\nAI: één\n\ntwo\nYou: three\nAssistant: four\nChatGPT: five"
    assert said(text) == ["AI: één\n\ntwo\n", "Assistant: four\nChatGPT: five"]
    turns = assistant_turns(text, me="Maren")
    inside = [byte for byte in range(len(text.encode())) if is_within(turns, byte)]
    assert len(inside) == sum(last - first for first, last in turns)
    assert {turns[0][0], turns[0][1] - 1, turns[1][0]} <= set(inside)
    assert not {0, turns[0][1]} & set(inside)


@pytest.mark.parametrize("end", ["Maren: I know.", "**User:** I know.", "> You said: I know.", "## Human"])
def test_an_answer_with_headings_and_colons_is_one_turn(end: str) -> None:
    answer = "ChatGPT said:\n## Summary\nNote: it rains.\n# Details\nall of it\n"
    assert said(answer + end) == [answer]


def test_a_name_that_comes_again_is_somebody() -> None:
    assert said("Nora: one\nBot: two\nNora: three") == ["Bot: two\n"]
    assert said("Bot: two\nNora: three") == ["Bot: two\nNora: three"]


def test_without_a_conversation_a_heading_ends_it() -> None:
    assert said("AI: is everywhere\nthese days\n# Family\nNora") == ["AI: is everywhere\nthese days\n"]


@pytest.mark.parametrize(
    "text", ["", "plain words", "Maren: hello", "The AI: no name", "https://ai.org", "## Family", "AIDA: x"]
)
def test_where_no_assistant_speaks_there_is_no_turn(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    "name",
    ["assistant", "AI", "AI assistant", "ChatGPT", "GPT-4o mini", "Claude", "Claude Opus 4", "Gemini 2.5", "Qwen2.5"],
)
def test_programs_that_write_are_known_by_name(name: str) -> None:
    assert is_assistant(name)


@pytest.mark.parametrize("name", ["Claude Dupont", "Ai Tanaka", "Gemini Ortiz", "Abbot", "Toolan", "Systema", ""])
def test_people_are_not_taken_for_programs(name: str) -> None:
    assert not is_assistant(name)
