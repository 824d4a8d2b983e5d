"""A question, taken apart: which words count, how much each token counts, who is named."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from secondme.recall.query import named_authors, names_in, token_weights
from secondme.recall.when import question_range
from secondme.recall.words import content_words

NAMES = ("me", "Ana Sousa", "Ben", "Jo", "")


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Where did Ana buy the bicycle?", ["ana", "buy", "bicycle"]),
        ("What is it?", ["what", "is", "it"]),
        ("it is what IT is", ["it", "is", "what", "it", "is"]),
        ("that's my panic", ["panic"]),
        ("snake_case 3.5", ["snake", "case", "3", "5"]),
        ("漢字 Žižek", ["漢字", "žižek"]),
        ("?!", []),
        ("", []),
    ],
)
def test_function_words_are_left_out_unless_there_are_no_others(question: str, words: list[str]) -> None:
    assert content_words(question) == words


def test_function_words_count_half_and_punctuation_nothing() -> None:
    weights = token_weights(["where", "did", "ana", "the", "go", "?", "漢"])
    assert weights.tolist() == [0.5, 0.5, 1, 0.5, 1, 0, 1]
    assert weights.dtype == np.float32


def test_where_nothing_is_a_word_all_pieces_count_the_same() -> None:
    assert token_weights(["?", "!"]).tolist() == [1, 1]
    assert token_weights([]).tolist() == []


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("What did Ana say?", {1}),
        ("what did SOUSA say", {1}),
        ("Ben's bicycle and Ana's", {1, 2}),
        ("Where do I live?", {0}),
        ("What are my plans with Ben?", {0, 2}),
        ("Is it on me?", {0}),
        ("Banana bread", set()),
        ("Where is Jo?", set()),
        ("", set()),
    ],
)
def test_the_authors_a_question_names_are_found_by_any_part_of_their_name(question: str, numbers: set[int]) -> None:
    assert named_authors(question, NAMES, me="me") == numbers


def test_i_means_whoever_writes() -> None:
    assert named_authors("Where do I live?", ("Jo", "me"), me="Jo") == {0}
    assert named_authors("Where does Jo live?", ("Jo", "me"), me="Jo") == {0}


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Where did Ana meet Ben?", ["Ana", "Ben"]),
        ("Ana met whom?", []),
        ("Did Ana, or was it ANA? Who saw Ana", ["Ana"]),
        ("What did Ines do in March 2024?", ["Ines"]),
        ("what did i do", []),
        ("Is it What or How", []),
        ("", []),
    ],
)
def test_names_are_known_by_their_capital_where_none_is_due(question: str, names: list[str]) -> None:
    time = question_range(question, now=datetime(2024, 6, 1, tzinfo=UTC))
    assert names_in(question, time) == names
