"""Answers over facts: what is outdated is not shown, what was before or is said against it is cited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakePlugin
from nights import day, note, open_memory

from secondme.answer import AnswerStream
from secondme.assistant import Assistant
from secondme.records import Filters

LISBON, PORTO = note("I live in Lisbon.", "2024-01-10"), note("I moved to Porto.", "2024-06-10")
NOW_PORTO = "You live in Porto [{}]."


@pytest.fixture
def me(own_home: Path, scripted: FakePlugin) -> Iterator[Assistant]:
    """A memory of somebody who moved, slept over."""
    with open_memory(own_home, scripted) as opened:
        opened.add_many([LISBON, PORTO, note("The weather was fine.", "2024-06-11")])
        opened.sleep()
        scripted.model.prompts.clear()
        yield opened


def asked(
    me: Assistant, scripted: FakePlugin, question: str, reply: str, filters: Filters | None = None
) -> AnswerStream:
    """The answer to a question; the model says `reply`."""
    scripted.model.replies.append(reply)
    stream = me.ask_stream(question, filters=filters)
    assert "".join(stream).strip() == stream.answer.text
    return stream


def test_a_question_about_now_is_answered_without_what_is_outdated(me: Assistant, scripted: FakePlugin) -> None:
    asked(me, scripted, "Where do I live?", NOW_PORTO.format(1))
    assert "Lisbon" not in str(scripted.model.prompts[-1].pages)
    assert "Porto" in str(scripted.model.prompts[-1].pages)


def test_the_answer_says_since_when_and_cites_what_was_before(me: Assistant, scripted: FakePlugin) -> None:
    answer = asked(me, scripted, "Where do I live?", NOW_PORTO.format(1)).answer
    assert answer.text == "You live in Porto [1]. Since 10 June 2024; before: “I live in Lisbon” [1][2]."
    assert [match.text for match in answer.citations] == ["I moved to Porto.", "I live in Lisbon."]


def test_a_question_about_the_past_is_shown_all_with_a_remark(me: Assistant, scripted: FakePlugin) -> None:
    answer = asked(me, scripted, "Where did I live before?", "You lived in Lisbon [1].").answer
    [old, *_] = scripted.model.prompts[-1].pages
    assert old.endswith("I live in Lisbon. (no longer so since 10 June 2024)")
    assert [match.text for match in answer.citations] == ["I live in Lisbon."]


def test_as_of_a_day_what_held_then_is_no_longer_outdated(me: Assistant, scripted: FakePlugin) -> None:
    asked(me, scripted, "Where do I live?", "You live in Lisbon [1].", filters=Filters(as_of=day("2024-03-01")))
    assert "I live in Lisbon." in scripted.model.prompts[-1].pages[0]
    assert "no longer" not in str(scripted.model.prompts[-1].pages)


def test_an_answer_that_says_nothing_of_a_change_says_nothing_of_what_was_before(
    me: Assistant, scripted: FakePlugin
) -> None:
    answer = asked(me, scripted, "How was the weather?", "The weather was fine [2].").answer
    assert answer.text == "The weather was fine [2]."


def test_without_a_night_nothing_is_known_to_be_outdated(own_home: Path, scripted: FakePlugin) -> None:
    with open_memory(own_home, scripted) as me:
        me.add_many([LISBON, PORTO])
        answer = asked(me, scripted, "Where do I live?", NOW_PORTO.format(2)).answer
    assert answer.text == "You live in Porto [2]."
    assert "Lisbon" in str(scripted.model.prompts[-1].pages)


def test_an_open_conflict_is_told_and_both_sides_are_cited(own_home: Path, scripted: FakePlugin) -> None:
    with open_memory(own_home, scripted) as me:
        me.add_many([LISBON, note("I live in Porto.", "2024-01-10")])
        me.sleep()
        answer = asked(me, scripted, "Where do I live?", "You live in Lisbon [1].").answer
    assert "Lisbon" in scripted.model.prompts[-1].pages[0]
    assert answer.text == "You live in Lisbon [1]. Against it stands: “I live in Porto” [1][2]."
    assert {match.text for match in answer.citations} == {"I live in Lisbon.", "I live in Porto."}


def test_where_all_is_outdated_it_is_better_than_nothing(own_home: Path, scripted: FakePlugin) -> None:
    with open_memory(own_home, scripted) as me:
        me.add(note("Until May 2024 I lived in Faro.", "2024-07-01"))
        me.sleep()
        asked(me, scripted, "Where do I live?", "You lived in Faro [1].")
    assert "Faro" in str(scripted.model.prompts[-1].pages)


def test_a_question_for_what_one_fact_states_is_answered_from_it_alone(me: Assistant, scripted: FakePlugin) -> None:
    """Whatever else speaks of towns only distracts a small model."""
    asked(me, scripted, "Where do I live now?", "You live in Porto [1].")
    assert [page.rpartition(": ")[2] for page in scripted.model.prompts[-1].pages] == ["I moved to Porto."]
    asked(me, scripted, "Where does my sister live?", "She moved to Porto [1].")
    assert len(scripted.model.prompts[-1].pages) > 1


def test_what_is_asked_of_others_is_not_answered_from_ones_own_fact_alone(me: Assistant, scripted: FakePlugin) -> None:
    asked(me, scripted, "Where do people live?", "They moved to Porto [1].")
    assert len(scripted.model.prompts[-1].pages) > 1
