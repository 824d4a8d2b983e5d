"""What stands around a passage: what its page is read behind, and what is shown beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import FakePlugin, PagingModel

from secondme.assistant import Assistant
from secondme.config import AnswerConfig, Config, ModelsConfig
from secondme.plugins import load_plugins
from secondme.reading_ahead import read_ahead
from secondme.records import Filters, Note
from secondme.search import as_match
from secondme.surroundings import APART, STRETCH, Surroundings

MODELS = ModelsConfig("paging", "hashing", fresh="1", page_budget=1_000_000)
QUESTION = "What did Ana do with the harbour clock?"
START = datetime(2024, 3, 1, 12, tzinfo=UTC)


def turn(number: int, text: str = "", *, talk: str = "talk") -> Note:
    return Note(
        text or f"Turn {number} is about the weather.",
        uri=f"{talk}:{number}",
        thread=talk,
        author=("Ana", "Ben")[number % 2],
        origin="chat",
        happened_at=START + timedelta(minutes=number),
    )


TALK = [
    *(turn(number) for number in range(4)),
    turn(4, "I mended the harbour clock."),
    turn(5, "With which tool?"),
    turn(6, "With a spoon."),
    *(turn(number) for number in range(7, 10)),
]


@contextmanager
def opened(home: Path, models: ModelsConfig = MODELS, *, evidence: int = 2) -> Iterator[Assistant]:
    plugins = load_plugins(installed=False)
    plugins.register(FakePlugin(["She mended it. [1]"] * 9, model=PagingModel), "fake")
    config = Config(models=models, answer=AnswerConfig(evidence=evidence))
    with Assistant.open(home, config=config, plugins=plugins) as me:
        yield me
        me.pages().close()


@pytest.fixture
def me(own_home: Path) -> Iterator[Assistant]:
    with opened(own_home) as me:
        yield me


def behind(me: Assistant, note_id: int) -> list[str]:
    """The texts that the page of a note is read behind."""
    [one] = Surroundings(me).behind(map(as_match, me.store.passages_of(note_id)))
    assert [page.partition(": ")[2] for page in one.pages] == [text for _, text in one.passages]
    return [text for _, text in one.passages]


def test_a_page_is_read_behind_what_was_said_before_it_in_its_thread(me: Assistant) -> None:
    me.add_many(TALK[:3])
    me.add_many([turn(0, "Elsewhere.", talk="other"), turn(1, "Also elsewhere.", talk="other")])
    assert behind(me, 1) == []
    assert behind(me, 3) == [TALK[0].text, TALK[1].text]
    assert behind(me, 5) == ["Elsewhere."]


def alone(number: int, day: int, text: str = "", **more: Any) -> Note:
    """A note that begins a thread and ends it."""
    return Note(text or f"Note {number}.", uri=f"note:{number}", happened_at=START + timedelta(days=day), **more)


def test_what_begins_a_thread_is_read_behind_what_began_one_before(me: Assistant) -> None:
    me.add_many([alone(1, 1), alone(2, 3), alone(3, 2)])
    me.add_many([turn(0), turn(1)])
    me.add(alone(4, 3))
    assert behind(me, 1) == []
    assert behind(me, 3) == ["Note 1."]
    assert behind(me, 2) == ["Note 1.", "Note 3."]
    assert behind(me, 6) == ["Note 1.", "Note 3.", "Note 2."]
    assert behind(me, 5) == [turn(0).text]
    me.add_many(replace(alone(number, number), thread="one") for number in (5, 6))
    me.add(alone(7, 7))
    assert behind(me, 8) == ["Note 5."]
    assert behind(me, 9)[-2:] == ["Note 4.", "Note 5."]


def test_own_words_are_never_read_behind_words_of_others(me: Assistant) -> None:
    me.add_many([alone(1, 1), alone(2, 2, origin="clip"), alone(3, 3), alone(4, 4, origin="clip"), alone(5, 5)])
    assert behind(me, 5) == ["Note 1.", "Note 3."]
    assert behind(me, 4) == ["Note 2."]


def test_where_a_note_comes_or_goes_only_few_stand_behind_others_than_before(me: Assistant) -> None:
    me.add_many(alone(number, number) for number in range(1, 61))
    before = {number: behind(me, number) for number in range(1, 61)}
    assert max(map(len, before.values())) == 2 * APART - 1
    me.forget(["n20"])
    me.add(alone(99, 40))
    changed = [number for number in before if number != 20 and behind(me, number) != before[number]]
    assert len(changed) <= 4 * APART
    assert all(number in range(20, 20 + 3 * APART) or number in range(40, 40 + 3 * APART) for number in changed)


def test_long_notes_stand_behind_fewer(me: Assistant) -> None:
    me.add_many(alone(number, number, f"{number} ".ljust(STRETCH // 4, "x")) for number in range(1, 31))
    assert max(len(behind(me, number)) for number in range(1, 31)) == 7


def test_of_a_long_thread_it_is_two_stretches_at_most_and_growing_changes_nothing(me: Assistant) -> None:
    size = STRETCH // 4
    me.add_many(turn(number, f"{number} ".ljust(size, "x")) for number in range(14))
    found = [[int(text.partition(" ")[0]) for text in behind(me, number + 1)] for number in range(14)]
    assert found[3] == [0, 1, 2]
    assert found[7] == [0, 1, 2, 3, 4, 5, 6]
    assert found[8] == [4, 5, 6, 7]
    assert found[13] == [8, 9, 10, 11, 12]
    me.add_many(turn(number) for number in range(14, 20))
    assert [[int(text.partition(" ")[0]) for text in behind(me, number + 1)] for number in range(14)] == found


def test_beside_a_passage_stand_its_neighbours_of_the_same_thread(me: Assistant) -> None:
    me.add_many(TALK[:4])
    me.add_many([turn(0, "Elsewhere.", talk="other")])
    matches = [as_match(passage) for note_id in (4, 1) for passage in me.store.passages_of(note_id)]
    assert [match.id for match in Surroundings(me).beside(matches)] == ["n3", "n2"]
    assert [match.id for match in Surroundings(me).beside([*matches, *Surroundings(me).beside(matches)])] == []


def test_what_has_pages_is_shown_with_what_stands_beside_it(me: Assistant) -> None:
    me.add_many(TALK)
    before = me.ask(QUESTION).trace
    assert before["pages_loaded"] == before["pages_made"] == 0
    assert len(before["evidence_shown"]) == 2
    assert read_ahead(me) == len(TALK)
    answer = me.ask(QUESTION)
    shown = answer.trace["evidence_shown"]
    best, other = before["evidence_shown"][-1], before["evidence_shown"][0]
    assert {best, other} < set(shown)
    assert "n6" in shown
    assert shown[-1] == "n5"
    assert answer.trace["pages_loaded"] == len(shown) - 1
    assert shown[:-1] == sorted(shown[:-1], key=lambda id: int(id[1:]))


def test_a_filtered_answer_shows_nothing_beside(me: Assistant) -> None:
    me.add_many(TALK)
    read_ahead(me)
    assert len(me.ask(QUESTION, filters=Filters(author="Ana")).trace["evidence_shown"]) <= 2


def test_what_does_not_fit_into_the_window_is_not_shown_beside(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(own_home, evidence=1) as me:
        me.add_many([*TALK[:5], turn(5, "With which tool? " * 20), *TALK[6:]])
        read_ahead(me)
        assert me.ask(QUESTION).trace["evidence_shown"] == ["n4", "n6", "n5"]
        monkeypatch.setattr(PagingModel, "context", 510)
        assert me.ask(QUESTION).trace["evidence_shown"] == ["n4", "n5"]


@pytest.mark.parametrize("room", range(600, 900, 20))
def test_what_is_shown_beside_never_takes_the_room_of_the_answer(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    with opened(own_home, evidence=1) as me:
        me.add_many([*TALK[:4], turn(4, "It rained all day. " * 20)])
        me.add_many([turn(5, "I mended the harbour clock. " * 25), turn(6, "And it rained again. " * 20)])
        read_ahead(me)
        assert me.ask("Who mended the harbour clock?").trace["evidence_shown"] == ["n5", "n7", "n6"]
        monkeypatch.setattr(PagingModel, "context", room)
        trace = me.ask("Who mended the harbour clock?").trace
        assert "n6" in trace["evidence_shown"]
        assert trace["tokens_sent"] + me.config.answer.max_tokens <= room


def moved(me: Assistant) -> None:
    """A thread with a place that is outdated by now, and pages of all of it that were made before."""
    own = [("I live in Lisbon.", 1), ("The harbour clock was mended by Ana.", 2), ("I live in Porto.", 3)]
    me.add_many(
        Note(text, uri=f"own:{day}", thread="own", happened_at=datetime(2024, day, 1, tzinfo=UTC)) for text, day in own
    )
    me.add_many(Note(f"Tea number {number} was good.", uri=f"tea:{number}") for number in range(20))
    read_ahead(me)
    me.sleep()
    assert [fact.text for fact in me.store.facts.all() if fact.superseded_by]


def test_what_holds_no_longer_is_not_shown_beside(me: Assistant) -> None:
    moved(me)
    shown = me.ask("What was mended by Ana?").trace["evidence_shown"]
    assert "n3" in shown
    assert "n1" not in shown


def test_beside_a_fact_that_is_asked_for_nothing_is_shown(me: Assistant) -> None:
    moved(me)
    assert me.ask("Where do I live now?").trace["evidence_shown"] == ["n3"]


def test_what_was_missing_is_read_anew_and_then_made_first(me: Assistant) -> None:
    me.add_many(TALK)
    shown = me.ask(QUESTION).trace["evidence_shown"]
    me.add_many(Note(f"Tea number {number} was good.", uri=f"tea:{number}") for number in range(40))
    read_ahead(me)
    model = me.model()
    assert isinstance(model, PagingModel)
    ahead = [page.partition(": ")[2] for page in model.ahead]
    wanted = {me.note(id)[0].text for id in shown if id != "n5"}
    assert wanted <= set(ahead[: len(TALK)])
    assert wanted <= {passage.span.text for passage in me.store.passages(me.pages().used(me.store))}
