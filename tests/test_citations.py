"""Marks in an answer hold: each names evidence that shares words with its sentence, whatever the model marked."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondme.citations import Citer

EVIDENCE = [
    "3 March 2024, Ana: I moved to Porto in spring",
    "1 April 2024, Ben: bought a green bicycle from Dr. Elvio",
    "2 May 2024, Ana: the bicycle cost 380 euros",
]
QUESTION = "What happened?"

fragment = st.sampled_from(
    [
        *("Ana", "moved", "Porto", "bicycle", "green", "Yes", "no", "380", "3.5", "Dr.", "e.g.", "p.m.", "naïve", "🙂"),
        *(" ", "  ", "\n", "\n\n", "\t", ".", "!", "?", "...", '"', ")", "'", ",", "[", "]"),
        *("[1]", "[2]", "[1, 3]", "[2][3]", "[9]", "[]", "[x]", " [1]", "[ 1 ]", "[1\n]"),
    ]
)
replies = st.lists(fragment, max_size=25).map("".join) | st.text(max_size=40)


def cited(reply: str, *, question: str = QUESTION, evidence: list[str] = EVIDENCE, best: int = 1) -> str:
    return "".join(Citer(evidence, question, best=best).pieces([reply]))


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("Ana moved to Porto [1].", "Ana moved to Porto [1]."),
        ("Ana moved to Porto[1].", "Ana moved to Porto [1]."),
        ("Ana moved to Porto. [1]", "Ana moved to Porto [1]."),
        ("[1] Ana moved to Porto.", " Ana moved to Porto [1]."),
        ("Ana moved to Porto.[1] Ben has a bicycle.[2]", "Ana moved to Porto [1]. Ben has a bicycle [2]."),
        ("Ana [1] moved to Porto.", "Ana moved to Porto [1]."),
        ("Ben's bicycle was green [1, 3].", "Ben's bicycle was green [2]."),
        ("Ben's bicycle was green [3][1][3]!", "Ben's bicycle was green [2]!"),
        ('He said "a bicycle." [2]', 'He said "a bicycle [2]."'),
        ("- Ana moved to Porto\n- Ben bought a bicycle", "- Ana moved to Porto [1]\n- Ben bought a bicycle [2]"),
    ],
)
def test_marks_stand_at_the_end_of_their_sentence(reply: str, shown: str) -> None:
    assert cited(reply) == shown


@pytest.mark.parametrize("mark", ["[0]", "[4]", "[99999999999999999999]", "[5, 6]"])
def test_a_mark_that_the_model_writes_means_nothing(mark: str) -> None:
    assert cited(f"Ana moved to Porto [1]{mark}.") == "Ana moved to Porto [1]."
    assert cited(f"Zebras sleep standing {mark}.", evidence=[]) == "Zebras sleep standing."


def test_a_mark_of_evidence_that_shares_no_word_is_replaced_by_one_that_does() -> None:
    assert cited("Ana moved to Porto [2].") == "Ana moved to Porto [1]."


def test_a_sentence_without_a_mark_gets_the_one_whose_words_it_shares_most() -> None:
    citer = Citer(EVIDENCE, QUESTION)
    shown = "".join(citer.pieces(["It cost 380 euros. Then Ana moved to Porto. The bicycle was green."]))
    assert shown == "It cost 380 euros [3]. Then Ana moved to Porto [1]. The bicycle was green [2]."
    assert citer.cited == [3, 1, 2]
    assert citer.unsupported == 0


def test_a_sentence_of_several_sources_gets_the_mark_of_each() -> None:
    assert (
        cited("Ana moved to Porto and Ben bought a bicycle.") == "Ana moved to Porto and Ben bought a bicycle [1][2]."
    )
    evidence = [f"{word} alone" for word in ("tea", "milk", "salt", "bread", "jam")]
    assert cited("Tea, milk, salt, bread, jam.", evidence=evidence).count("[") == 3


def test_words_that_the_question_brought_support_little() -> None:
    evidence = ["Ana: where is the green bicycle of Ben", "Ana: it is in Porto"]
    shown = cited(
        "The green bicycle of Ben is in Porto.", question="Where is the green bicycle of Ben?", evidence=evidence
    )
    assert shown == "The green bicycle of Ben is in Porto [2]."


def test_a_sentence_that_nothing_supports_stays_without_a_mark_and_is_counted() -> None:
    citer = Citer(EVIDENCE, QUESTION)
    assert "".join(citer.pieces(["Zebras sleep standing [1]. It is so."])) == "Zebras sleep standing. It is so."
    assert citer.cited == []
    assert citer.unsupported == 1


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("Yes.", "Yes [2]."),
        ("No", "No [2]"),
        ("No.", "No [2]."),
        ("Yes, probably!", "Yes, probably [2]!"),
        ("No. Ana moved to Porto.", "No [2]. Ana moved to Porto [1]."),
        ("No [3].", "No [2]."),
    ],
)
def test_a_bare_verdict_rests_on_the_best_evidence(reply: str, shown: str) -> None:
    assert cited(reply, best=2) == shown
    assert cited("No.", evidence=[]) == "No."


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("Dr. Elvio sold a bicycle.", "Dr. Elvio sold a bicycle [2]."),
        ("At 5 p.m. Ana moved to Porto.", "At 5 p.m. Ana moved to Porto [1]."),
        ("It was e.g. Porto.", "It was e.g. Porto [1]."),
        ("Bicycle no. 380 was green.", "Bicycle no. 380 was green [2][3]."),
        ("J. Elvio sold a bicycle.", "J. Elvio sold a bicycle [2]."),
        ("The bicycle cost 380.50 euros.", "The bicycle cost 380.50 euros [3]."),
    ],
)
def test_an_abbreviation_or_a_number_ends_no_sentence(reply: str, shown: str) -> None:
    assert cited(reply) == shown


def test_the_number_of_a_list_item_is_no_sentence() -> None:
    assert cited("1. Ana moved to Porto.\n 2. Ben bought it") == "1. Ana moved to Porto [1].\n 2. Ben bought it [2]"
    assert cited("It lasted 24.\n3. Zebras.", evidence=["it lasted 24 hours"]) == "It lasted 24 [1].\n3. Zebras."
    assert cited("38.", evidence=["ferritin 38"]) == "38. [1]"


def test_brackets_with_words_are_text() -> None:
    assert cited("Ana moved [sic] to Porto.") == "Ana moved [sic] to Porto [1]."
    assert cited("- [ ] bicycle\n- [x] Porto") == "- [ ] bicycle [2]\n- [x] Porto [1]"


def test_words_are_passed_on_as_they_come_and_marks_in_pieces_are_put_together() -> None:
    seen: list[str] = []

    def reply() -> list[str]:
        return ["Ana", " moved", " to", " Porto", " [", "1", "]", ".", " Done", "."]

    citer = Citer(EVIDENCE, QUESTION)
    for piece in citer.pieces(reply()):
        seen.append(piece)
    assert seen[:4] == ["Ana", " moved", " to", " Porto"]
    assert "".join(seen) == "Ana moved to Porto [1]. Done."


def test_no_reply_gives_no_text() -> None:
    assert list(Citer(EVIDENCE, QUESTION).pieces([])) == []
    assert list(Citer(EVIDENCE, QUESTION).pieces(["", " ", "\n"])) == []


@settings(max_examples=400, deadline=None)
@given(reply=replies, data=st.data())
def test_any_cut_of_the_reply_gives_the_same_text(reply: str, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(reply)), max_size=12).map(sorted))
    cut = [reply[start:end] for start, end in zip([0, *places], [*places, len(reply)], strict=True)]
    results = []
    for pieces in (["".join(cut)], cut, list(reply)):
        citer = Citer(EVIDENCE, QUESTION)
        results.append(("".join(citer.pieces(pieces)), citer.cited, citer.unsupported))
    assert results[0] == results[1] == results[2]


@settings(max_examples=200, deadline=None)
@given(reply=replies)
def test_only_marks_that_name_evidence_are_shown(reply: str) -> None:
    citer = Citer(EVIDENCE, QUESTION)
    shown = "".join(citer.pieces([reply]))
    assert set(citer.cited) <= {1, 2, 3}
    assert "[9]" not in shown
    for number in citer.cited:
        assert f"[{number}]" in shown


@pytest.mark.parametrize("piece", ["[ ", "[1 ", ". ", '."', " [1]", "\n"])
def test_any_repetition_takes_little_time(piece: str) -> None:
    started = time.perf_counter()
    cited(piece * 300 + "x")
    "".join(Citer(EVIDENCE, QUESTION).pieces([piece] * 300 + ["x"]))
    assert time.perf_counter() - started < 2


def test_a_sentence_that_is_copied_is_cited_from_where_it_stands() -> None:
    evidence = [
        "5 January 2024, me: I live in Lisbon.",
        "2 March 2024, text of others: The red boat of Pedro leaks.",
    ]
    citer = Citer(evidence, "What about March?")
    assert "".join(citer.pieces(["2024: the red boat of Pedro leaks [1]."])) == "2024: the red boat of Pedro leaks [2]."
    assert citer.cited == [2]
