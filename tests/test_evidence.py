"""Whether what was found can hold an answer, by vectors, by words alone and by time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes import FakePlugin

from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig
from secondme.plugins import load_plugins
from secondme.recall.evidence import holds_answer, is_of_others
from secondme.records import Filters, Match, Note

DAY = datetime(2024, 6, 5, 12, tzinfo=UTC)
TEXTS = (
    "Ana moved to Porto in spring",
    "Ben bought a green bicycle from Elvio",
    "The bicycle cost 380 euros",
    "Oda reads about tides and the moon",
    "It rained on the harbour all day",
)


@pytest.fixture(params=["hashing", ""], ids=["vectors", "words"])
def me(own_home: Path, request: pytest.FixtureRequest) -> Iterator[Assistant]:
    """A memory of five notes, with vectors and without."""
    plugins = load_plugins(installed=False)
    plugins.register(FakePlugin(), "fake")
    with Assistant.open(own_home, config=Config(models=ModelsConfig("", request.param)), plugins=plugins) as opened:
        opened.add_many(Note(text, uri=text, happened_at=DAY) for text in TEXTS)
        yield opened


def holds(me: Assistant, question: str, filters: Filters | None = None) -> bool:
    found = me.search(question, filters=filters)
    return holds_answer(found.field, found.ranking)


@pytest.mark.parametrize(
    "question",
    ["What did Ben buy?", "How much did the bicycle cost?", "Porto", "Who reads about the moon?", "harbour"],
)
def test_what_shares_words_with_a_note_may_be_answered(me: Assistant, question: str) -> None:
    assert holds(me, question)


@pytest.mark.parametrize(
    "question", ["Which zebras juggle telescopes?", "How do submarines sleep underwater?", "qwertyuiop", "?"]
)
def test_what_has_nothing_to_do_with_any_note_cannot(me: Assistant, question: str) -> None:
    assert not holds(me, question)


def test_a_passage_with_one_of_a_dozen_words_is_too_little(me: Assistant) -> None:
    words = [f"word{number}" for number in range(12)]
    me.add_many(Note(word, uri=word, happened_at=DAY) for word in words)
    assert holds(me, " ".join(words[:2]))
    assert not holds(me, " ".join(words))


def test_a_memory_without_notes_or_with_filters_that_leave_none_holds_nothing(me: Assistant) -> None:
    assert not holds(me, "Porto", Filters(author="nobody"))
    me.forget([note.id for note in me.notes()])
    assert not holds(me, "Porto")


@pytest.mark.parametrize("question", ["What did I do last week?", "what happened on 5 June 2024", "in June 2024?"])
def test_what_lies_in_the_time_of_the_question_counts_as_found(
    me: Assistant, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    monkeypatch.setenv("SECONDME_NOW", "2024-06-12T12:00:00Z")
    assert holds(me, question)


def test_a_time_in_which_nothing_was_written_finds_nothing(me: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDME_NOW", "2024-09-12T12:00:00Z")
    assert not holds(me, "What zebras did I juggle last week?")


def said(author: str, text: str) -> Match:
    return Match("n1", "passage", text, "chat:1", "chat", author, DAY, 1.0)


def test_what_others_say_of_themselves_is_no_answer_about_somebody() -> None:
    others = [said("Ben", "I bought a bicycle")]
    assert is_of_others(others, ["Ana"])
    assert not is_of_others([*others, said("Ana", "I bought a car")], ["Ana"])
    assert not is_of_others([said("", "bought a bicycle")], ["Ana"])


@pytest.mark.parametrize("text", ["Ana bought a bicycle", "you bought a bicycle", "ANA'S bicycle"])
def test_what_others_say_of_somebody_or_to_them_is(text: str) -> None:
    assert not is_of_others([said("Ben", text)], ["Ana Sousa"])


def test_without_one_name_or_without_sources_nothing_is_of_others() -> None:
    others = [said("Ben", "I bought a bicycle")]
    assert not is_of_others(others, [])
    assert not is_of_others(others, ["Ana", "Oda"])
    assert not is_of_others([], ["Ana"])
