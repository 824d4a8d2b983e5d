"""The prompts: which instruction a question gets, how evidence reads, and which replies are no answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from secondme.models.prompts import (
    NOT_IN_MEMORY,
    QuestionKind,
    answer_prompt,
    evidence_line,
    is_refusal,
    question_kind,
    without_echo,
)
from secondme.records import Match

MATCH = Match(
    id="n1",
    kind="passage",
    text="Bought a bicycle yesterday,\n  the green one.",
    uri="chat:1",
    thread="chat",
    author="Ben",
    happened_at=datetime(2024, 11, 3, 12, tzinfo=UTC),
    score=1.0,
    title="Diary",
)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When did Ana move?", "when"),
        ("  on what date was it?", "when"),
        ("Which year was it?", "when"),
        ("Since what day?", "when"),
        ("How many bicycles?", "amount"),
        ("how long did it take", "amount"),
        ("Did Ana move?", "choice"),
        ("is it so", "choice"),
        ("How did it go?", "open"),
        ("What did she do when it rained?", "open"),
        ("Whenever?", "open"),
        ("Israel?", "open"),
        ("", "open"),
    ],
)
def test_the_first_words_tell_what_kind_of_answer_is_wanted(question: str, kind: QuestionKind) -> None:
    assert question_kind(question) == kind


def test_evidence_is_one_line_with_day_author_and_resolved_dates() -> None:
    line = evidence_line(MATCH)
    assert line == "3 November 2024, Ben: Bought a bicycle yesterday [2 November 2024], the green one."


def test_evidence_without_an_author_is_a_note_of_ones_own() -> None:
    assert evidence_line(replace(MATCH, author="")).startswith("3 November 2024, my note about Diary: Bought")
    assert evidence_line(replace(MATCH, author="", title="2024-11-03")).startswith("3 November 2024, my note: Bo")


@pytest.mark.parametrize("brief", [True, False])
def test_a_prompt_holds_its_evidence_as_for_any_question_and_ends_with_this_one(brief: bool) -> None:
    evidence = [MATCH, replace(MATCH, text="It cost 380 euros.")]
    prompt = answer_prompt("How much was it?", evidence, mark="q7", brief=brief)
    assert list(prompt.pages) == [evidence_line(match) for match in evidence]
    assert prompt.tail.startswith("\nQuestion: How much was it?\n")
    assert "number or amount" in prompt.tail
    assert prompt.lead == ""


def test_no_form_asks_for_marks() -> None:
    long, brief = (answer_prompt("What?", [MATCH], mark="q7", brief=brief) for brief in (False, True))
    assert "[" not in long.prefix + long.tail + brief.prefix + brief.tail
    assert ("sentence" in long.prefix, "phrase" in brief.prefix) == (True, True)


def test_the_instructions_are_the_same_for_every_question() -> None:
    """A backend keeps them evaluated."""
    asked = ("When was it?", "How much?", "Is it?", "What?")
    for brief in (True, False):
        assert len({answer_prompt(question, [MATCH], mark="q7", brief=brief).prefix for question in asked}) == 1
        assert (
            len(
                {
                    answer_prompt(question, [MATCH], mark="q7", brief=brief).tail.partition("?\n")[2]
                    for question in asked
                }
            )
            == 4
        )


@pytest.mark.parametrize(
    "reply",
    [
        NOT_IN_MEMORY,
        "not in memory",
        "The evidence does not mention a cat.",
        "The evidence doesn't explicitly say.",
        "There is no information on that.",
        "There is not enough evidence.",
        "Unknown.",
        "None",
        "None.",
        "It cannot be determined.",
        "His blood group is not specified [1].",
    ],
)
def test_a_reply_that_gives_no_answer_is_a_refusal(reply: str) -> None:
    assert is_refusal(reply)


@pytest.mark.parametrize(
    "reply",
    ["Porto [1].", "No.", "Ana is not in Porto [1].", "None of them came, says Ana [1].", "She did not go.", ""],
)
def test_a_negative_answer_is_no_refusal(reply: str) -> None:
    assert not is_refusal(reply)


@pytest.mark.parametrize(
    ("phrase", "shown"),
    [
        ("Porto.", "Porto"),
        ("Yes, Ana moved to Porto.", "Yes"),
        ("yes, in spring", "yes, in spring"),
        ("No.", "No"),
        ("Porto, Ana moved", "Porto, Ana moved"),
    ],
)
def test_a_brief_answer_does_not_say_the_question_again(phrase: str, shown: str) -> None:
    assert without_echo(phrase, "Is it true that Ana moved to Porto?") == shown
