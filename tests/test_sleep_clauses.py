from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondme.records import Span
from secondme.sleep.clauses import MOST_BYTES, Clause, clauses

PIECES = [
    "I went to Rome, and I bought a bike",
    "She works at Bosch; we met in Porto.",
    "Das ist schön — ich wohne in Köln.",
    "# Title",
    "> quoted",
    "- [x] call Ana",
    "```",
    "| a | b | c |",
    "---",
    "漢字のメモ。",
    "[shares a picture: a dog]",
    "😀 Great!",
    "…!?.",
    "    ",
]
texts = st.lists(
    st.one_of(st.sampled_from(PIECES), st.text(st.characters(codec="utf-8"), max_size=30)), max_size=30
).flatmap(lambda pieces: st.sampled_from(["\n", " ", ", and ", "\n\n"]).map(lambda glue: glue.join(pieces)))


def whole(text: str, *, start: int = 0, line: int = 1) -> Span:
    return Span(start, start + len(text.encode()), line, line + text.count("\n"), text)


def found(text: str, *, markdown: bool = True) -> list[str]:
    return [clause.text for clause in clauses(whole(text), markdown=markdown)]


def check(before: str, text: str, markdown: bool) -> list[Clause]:
    note = (before + text).encode()
    cut = clauses(whole(text, start=len(before.encode()), line=1 + before.count("\n")), markdown=markdown)
    position = 0
    for clause in cut:
        assert note[clause.start : clause.end].decode() == clause.text
        assert clause.start >= position
        assert 0 < clause.end - clause.start <= MOST_BYTES
        assert clause.line_start == 1 + note[: clause.start].count(b"\n")
        assert clause.line_end == 1 + note[: clause.end].count(b"\n")
        position = clause.end
    return cut


@given(st.text(st.characters(codec="utf-8"), max_size=20), texts, st.booleans())
def test_each_clause_is_exactly_the_bytes_and_lines_it_names(before: str, text: str, markdown: bool) -> None:
    check(before, text, markdown)


def test_a_clause_knows_its_lines_behind_text_of_several_bytes() -> None:
    (clause,) = check("é\nü\n", "# Größe\n\nIch bin Anna und\nwohne in Köln.", True)
    assert (clause.text, clause.line_start, clause.line_end) == ("Ich bin Anna und\nwohne in Köln.", 5, 6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I went to Rome, and I bought a bike.", ["I went to Rome", "I bought a bike."]),
        ("I wanted to swim but we had no time", ["I wanted to swim", "we had no time"]),
        ("We met in May; Ana was late.", ["We met in May; Ana was late."]),
        ("We met in May; she was late.", ["We met in May; she was late."]),
        ("We met in May; I was late.", ["We met in May", "I was late."]),
        ("My sister Ana lives in Porto and she works at Bosch.", None),
        ("I took a first step - I applied for the job", ["I took a first step", "I applied for the job"]),
    ],
)
def test_a_sentence_is_cut_where_both_sides_can_stand(text: str, expected: list[str] | None) -> None:
    assert found(text) == (expected or ["My sister Ana lives in Porto", "she works at Bosch."])


@pytest.mark.parametrize(
    "text",
    [
        "I like tea and coffee but not milk.",
        "When I was ten, I moved to Rome and I liked the sea.",
        "Ana said I was ill and I stayed home.",
        "I met Ana yesterday and I liked her.",
        "I bought a bike and it broke.",
        "I read the note (we were late and I forgot) again.",
        'I wrote "we are late and I forgot" on a card.',
        "Dr. Smith lives 3.5 km from St. Mary street.",
        "J. R. Smith works for the U.S. government.",
        "We met at 3 p.m. on Monday.",
        "My page is at https://example.org/a.b?c=d and gets 10 visits.",
        "I am in room no. 5 of the hotel.",
        "I like fruit, e.g. apples.",
    ],
)
def test_what_belongs_together_is_not_cut(text: str) -> None:
    assert found(text) == [text]


def test_sentences_are_cut_at_their_ends() -> None:
    text = "I was born in 1980. I know Ana etc. We met in the U.S. I left at 3 p.m. It was a long day!"
    expected = [
        "I was born in 1980.",
        "I know Ana etc.",
        "We met in the U.S.",
        "I left at 3 p.m.",
        "It was a long day!",
    ]
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "# My title has many words",
        "My title has many words\n====",
        "```\nthe code is here now\n```",
        "~~~\nthe code is here now",
        "    the indented code is here",
        "| I am | in a | table now |",
        "> somebody else said this here",
        "> somebody else said this\nand went on here",
        "https://example.org/a-long-page",
        "Where do you live these days?",
        "Hey Ana, good morning to you!",
        "Thanks so much for the gift!",
        "Wow, congrats on the new job!",
        "That's so awesome!",
        "It was really great!",
        "[shares a picture: a photo of two dogs]",
        "![a photo of two dogs](dogs.png)",
        "Sent from my phone in a hurry",
        "too short",
        'Bob: "The spoon must stand.',
        "word " * 41,
        "I live in " + "a" * 300,
    ],
)
def test_what_is_nobodys_statement_is_left_out(text: str) -> None:
    assert found(text) == []


def test_front_matter_is_left_out_at_the_head_of_a_note_only() -> None:
    text = "---\ntags are here: a b\n---\nI live in Porto."
    assert found(text) == ["I live in Porto."]


def test_each_item_of_a_list_is_a_clause_and_a_task_keeps_its_mark() -> None:
    text = "- I like tea\n- [x] call Ana\n1. I hate milk\n   - we drink water"
    assert found(text) == ["I like tea", "[x] call Ana", "I hate milk", "we drink water"]


def test_a_wrapped_line_goes_on_and_a_new_line_of_a_chat_does_not() -> None:
    assert found("My bike is red and\ncost 300 euros.") == ["My bike is red and\ncost 300 euros."]
    assert found("I bought some milk\nWe went home", markdown=False) == ["I bought some milk", "We went home"]


def test_pictures_are_cut_out_of_a_message() -> None:
    assert found("I went hiking [shares a picture: a hill] with my dog Rex") == ["I went hiking", "with my dog Rex"]


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!",
        "ok",
        "Hey Ana! How are you?",
        "```\nx = 1\n```",
        "https://example.org",
        "To unsubscribe, click the link below",
        "😀",
        "Best regards,",
        "",
    ],
)
def test_noise_holds_no_statement(text: str) -> None:
    assert not clauses(whole(text), markdown=True)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "and I went " * 100_000,
        "." * 1_000_000,
        "[shares " * 100_000,
        "(" * 1_000_000,
        "I went home and I slept. " * 4_000,
        "```\n" * 100_000,
        "| a " * 100_000,
        "Hey, " * 100_000,
        "😀" * 200_000,
    ],
    ids=lambda text: text[:8],
)
def test_the_time_grows_with_the_length_only(text: str) -> None:
    start = time.perf_counter()
    clauses(whole(text), markdown=True)
    assert time.perf_counter() - start < 3
