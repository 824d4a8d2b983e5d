"""Facts in the results: behind the passage they rest on, few, current, or alone where only facts are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakePlugin
from nights import day, note, open_memory, texts

from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig
from secondme.records import Filters

FACTS = Filters(kind="fact")
TEXTS = [f"My neighbour Person{n} has a boat in the harbour." for n in range(12)]


@pytest.fixture
def me(own_home: Path, scripted: FakePlugin) -> Iterator[Assistant]:
    """An empty memory with the fake models."""
    with open_memory(own_home, scripted) as opened:
        yield opened


def fill(me: Assistant) -> None:
    me.add_many(note(text, f"2024-01-{n + 1:02}") for n, text in enumerate(TEXTS))
    me.sleep()


def test_a_fact_stands_behind_a_passage_it_rests_on(me: Assistant) -> None:
    fill(me)
    found = me.recall("Who has a boat in the harbour?", k=10)
    for place, match in enumerate(found):
        if match.kind == "fact":
            [fact] = me.facts([match.id])
            before = found[place - 1]
            assert before.kind == "passage"
            assert {f"n{source.note_id}" for source in fact.sources} == {before.id}
            assert (match.uri, match.happened_at, match.author) == (before.uri, before.happened_at, "me")


@pytest.mark.parametrize(("k", "most"), [(1, 0), (2, 1), (5, 1), (10, 2), (20, 4)])
def test_only_a_few_of_the_matches_are_facts(me: Assistant, k: int, most: int) -> None:
    fill(me)
    found = me.recall("Who has a boat in the harbour?", k=k)
    facts = sum(match.kind == "fact" for match in found)
    # One whose passage is the last has no place behind it.
    assert facts <= most
    assert facts == most or k < 10
    assert len(found) == min(k, 12 + most)
    assert len({match.id for match in found}) == len(found)


def test_a_fact_never_pushes_the_best_passages_out(me: Assistant) -> None:
    me.add_many(note(text, f"2024-01-{n + 1:02}") for n, text in enumerate(TEXTS))
    before = [match.id for match in me.recall("Which boat has Person3?", k=5)]
    me.sleep()
    after = [match.id for match in me.recall("Which boat has Person3?", k=5) if match.kind == "passage"]
    assert after == before[: len(after)]
    assert len(after) == 4


def test_a_fact_of_two_notes_is_shown_once(me: Assistant) -> None:
    me.add_many([note("My sister Nora keeps bees.", "2024-01-01"), note("My sister Nora keeps bees.", "2024-02-01")])
    me.sleep()
    found = me.recall("What does Nora keep?", k=20)
    assert [match.kind for match in found].count("fact") == 1
    assert [match.kind for match in found].count("passage") == 2


def test_only_facts_can_be_asked_for(me: Assistant) -> None:
    fill(me)
    found = me.recall("Which boat has Person3?", k=3, filters=FACTS)
    assert [match.kind for match in found] == ["fact"] * 3
    assert found[0].text == TEXTS[3]
    assert me.recall("Which boat has Person3?", k=20, filters=Filters(kind="passage"))[0].kind == "passage"
    assert not [m for m in me.recall("Which boat?", k=20, filters=Filters(kind="passage")) if m.kind == "fact"]


def test_a_superseded_fact_is_found_as_of_its_time_only(me: Assistant) -> None:
    me.add_many([note("I live in Lisbon.", "2024-01-10"), note("I moved to Porto.", "2024-06-10")])
    me.sleep()

    def found(filters: Filters) -> list[str]:
        return [match.text for match in me.recall("Where do I live?", filters=filters) if match.kind == "fact"]

    assert found(Filters()) == found(FACTS) == ["I moved to Porto."]
    assert found(Filters(as_of=day("2024-03-01"), kind="fact")) == ["I live in Lisbon."]
    assert found(Filters(as_of=day("2023-03-01"), kind="fact")) == []
    assert texts(me.current_facts("Where do I live?", as_of=day("2024-03-01"))) == ["I live in Lisbon."]


def test_facts_are_listed_by_what_they_are_about(me: Assistant) -> None:
    fill(me)
    me.add(note("The harbour museum has a new clock.", "2024-02-01"))
    me.sleep()
    assert texts(me.current_facts("clock", k=1)) == ["The harbour museum has a new clock."]
    assert len(me.current_facts(k=4)) == 4
    assert len(me.current_facts()) == 13


def test_facts_are_found_by_their_words_without_an_embedder(
    own_home: Path, me: Assistant, scripted: FakePlugin
) -> None:
    fill(me)
    with Assistant.open(own_home, config=Config(models=ModelsConfig("", "")), create=False) as plain:
        found = plain.recall("Which boat has Person3?", k=2, filters=FACTS)
    assert found[0].text == TEXTS[3]


def test_a_fact_of_a_forgotten_or_replaced_line_is_not_found(me: Assistant) -> None:
    me.add(note("My sister Nora keeps bees.", "2024-01-01", uri="/own/a.md", origin="file"))
    me.sleep()
    assert len(me.recall("What does Nora keep?", filters=FACTS)) == 1
    me.add(note("The house is white and old.", "2024-01-02", uri="/own/a.md", origin="file"))
    assert me.recall("What does Nora keep?", filters=FACTS) == []
    assert me.current_facts() == []


def test_facts_keep_to_the_filters_of_the_passages(me: Assistant) -> None:
    fill(me)
    only = me.recall("Who has a boat?", k=20, filters=Filters(kind="fact", since=day("2024-01-11")))
    assert {match.text for match in only} == set(TEXTS[10:]) | set(TEXTS[11:])
