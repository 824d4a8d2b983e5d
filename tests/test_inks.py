"""Which sentence of an answer comes from its sources, which is inferred from them, and which is the model's own."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from secondme.chat.inks import SIGNS, inked, marks_in, renumbered, stems
from secondme.chat.reading import read, read_answer
from secondme.clock import now
from secondme.records import Answer, Match

EVIDENCE = {1: "I moved to Porto in May, into a flat in Rua Nova.", 2: "Ana keeps 12 hives of bees."}


def inks(answer: str) -> list[tuple[str, str]]:
    """The sentences of an answer with their inks."""
    return [(one.text, one.ink) for one in inked(answer, EVIDENCE) if one.ink]


def match(id: str, text: str) -> Match:
    return Match(id, "passage", text, "", "", "", now(), 0.0)


@given(st.text(alphabet=st.sampled_from("ab 1.2[]()!?…\n\t-*#>\"'")) | st.text())
@example("1. ")
@example("- [1]\n- x [2].")
@example("  \n ")
@example("[1][2]")
@example("[" + "9" * 5000 + "]")
def test_the_stretches_together_are_the_text(answer: str) -> None:
    stretches = list(inked(answer, EVIDENCE))
    assert "".join(one.text for one in stretches) == answer
    assert all(one.text for one in stretches)
    assert all(one.text.strip() for one in stretches if one.ink)


@given(st.text(alphabet=st.sampled_from("ab 123[]. ")), st.sets(st.integers(1, 3)))
def test_renumbering_leaves_no_other_mark(answer: str, known: set[int]) -> None:
    numbers = {number: place for place, number in enumerate(marks_in(answer, known), 1)}
    text = renumbered(answer, numbers)
    assert marks_in(text, range(1, 1000)) or not numbers
    if "[[" not in answer and "]]" not in answer:
        # Where marks stand within each other, what is left of them may look like one.
        assert set(marks_in(text, range(1, 10**6))) == set(numbers.values())


@pytest.mark.parametrize(
    ("sentence", "ink"),
    [
        ("You moved to Porto in May [1].", "evidence"),
        ("You moved into a flat in Rua Nova [1].", "evidence"),
        ("She keeps bees, in 12 hives [2].", "evidence"),
        ("You were moving to Porto [1].", "evidence"),
        ("Moving houses was expensive and tiring [1].", "inference"),
        ("Ana keeps 13 hives of bees, of three kinds [2].", "inference"),
        ("You moved to Porto in May.", "own"),
        ("You moved to Porto in May [7].", "own"),
        ("Ana keeps bees in Porto [1][2].", "evidence"),
        ("[1]", "inference"),
    ],
)
def test_a_sentence_is_as_close_to_its_sources_as_its_words(sentence: str, ink: str) -> None:
    assert inks(sentence) == [(sentence, ink)]


def test_each_sentence_has_an_ink_of_its_own() -> None:
    assert inks("You moved to Porto [1]. That was surely hard. It cost a fortune [1].") == [
        ("You moved to Porto [1].", "evidence"),
        ("That was surely hard.", "own"),
        ("It cost a fortune [1].", "inference"),
    ]


def test_marks_behind_the_full_stop_belong_to_the_sentence() -> None:
    assert [text for text, _ in inks("You moved to Porto. [1] Ana keeps bees. [2]")] == [
        "You moved to Porto. [1]",
        "Ana keeps bees. [2]",
    ]


def test_lines_of_a_list_are_sentences_without_their_bullets() -> None:
    assert inks("- You moved to Porto [1]\n- Ana keeps bees [2]\n1. Tea") == [
        ("You moved to Porto [1]", "evidence"),
        ("Ana keeps bees [2]", "evidence"),
        ("Tea", "own"),
    ]


def test_a_number_with_a_point_is_no_end() -> None:
    assert [text for text, _ in inks("It cost 3.50 euros [1]. Yes.")] == ["It cost 3.50 euros [1].", "Yes."]


def test_inks_are_told_apart_without_colours() -> None:
    assert len(set(SIGNS.values())) == len(SIGNS) == 3


def test_marks_are_counted_once_in_their_order() -> None:
    assert marks_in("a [3] b [1] c [3][9]", {1, 2, 3}) == [3, 1]


def test_a_mark_without_a_source_goes_with_the_space_before_it() -> None:
    assert renumbered("You moved [3], she [9] stayed [1].", {3: 1, 1: 2}) == "You moved [1], she stayed [2]."


@pytest.mark.parametrize(
    ("one", "other"), [("moved", "move"), ("moving", "moves"), ("bees", "bee"), ("lives", "living")]
)
def test_endings_of_words_do_not_count(one: str, other: str) -> None:
    assert stems(one) == stems(other)


def test_a_number_is_only_itself() -> None:
    assert stems("123456") != stems("123457")


def test_a_given_answer_is_read_with_its_sources_in_the_order_of_their_marks() -> None:
    trace = {"evidence_shown": ["n5", "n2", "n9"]}
    given = Answer(
        "Bees [3]. Porto [1]. More [2].", (match("n5", "five"), match("n9", "nine")), False, "retrieval", trace
    )
    found = read_answer(given)
    assert found.text == "Bees [1]. Porto [2]. More."
    assert {number: one.id for number, one in found.sources.items()} == {1: "n9", 2: "n5"}


def test_reading_twice_changes_nothing() -> None:
    once = read("Bees [3], Porto [1].", {1: match("n1", ""), 3: match("n3", "")})
    assert read(once.text, once.sources) == once
