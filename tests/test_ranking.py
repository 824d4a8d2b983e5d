"""The ranking: what each feature adds, and that one which is absent or the same everywhere adds nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
import pytest
from fakes import HashingEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from secondme.recall.codes import encode
from secondme.recall.query import Query, token_weights
from secondme.recall.ranking import LONG, WEIGHTS, Field, Ranking, Weights, bm25, rank, rarity

EMBEDDER = HashingEmbedder()
NOTHING = Weights(**dict.fromkeys(asdict(WEIGHTS), 0.0))
NO_CODES: Mapping[int, bytes] = {}


def field_of(threads: Sequence[int], **given: object) -> Field:
    """Rows in reading order in these threads, all of them candidates and alike but for what is given."""
    count = len(threads)
    rows = np.arange(count)
    same = np.array([False, *(one == other for one, other in zip(threads[1:], threads, strict=False))])[:count]
    columns: dict[str, object] = {
        "ids": rows + 100,
        "threads": np.array(threads),
        "authors": np.zeros(count, dtype=np.int64),
        "lengths": np.full(count, 50),
        "asks": np.zeros(count, dtype=bool),
        "in_dialogue": np.ones(count, dtype=bool),
        "previous": np.where(same, rows - 1, -1),
        "next": np.where(np.append(same[1:], False)[:count], rows + 1, -1),
        "candidate": np.ones(count, dtype=bool),
        "in_time": np.zeros(count),
        "words": np.zeros(count),
        "thread_words": np.zeros(count),
        "coverage": np.zeros(count),
    }
    return Field(**{name: np.array(column) for name, column in (columns | given).items()})


def query_of(text: str, named: frozenset[int] = frozenset()) -> Query:
    return Query(text, (), EMBEDDER.tokens(text), token_weights(EMBEDDER.pieces(text)), named)


def codes_of(*texts: str) -> dict[int, bytes]:
    return {100 + row: encode(EMBEDDER.tokens(text)) for row, text in enumerate(texts) if text}


def by_row(ranking: Ranking, arm: str) -> list[float]:
    """What an arm added, by row."""
    return [float(value) for _, value in sorted(zip(ranking.rows, ranking.arms[arm], strict=True))]


def test_where_there_is_nothing_nothing_is_ranked() -> None:
    for field in (field_of([]), field_of([0, 0], candidate=[False, False])):
        ranking = rank(query_of("red"), field, NO_CODES)
        assert len(ranking.rows) == len(ranking.scores) == len(ranking.similarity) == 0


def test_the_passage_with_the_words_of_the_question_comes_first() -> None:
    codes = codes_of("one two", "red green", "three four", "five six")
    ranking = rank(query_of("green red"), field_of([0, 1, 2, 3]), codes)
    assert ranking.rows[0] == 1
    assert ranking.similarity[0] > 0.7 > 0.3 > ranking.similarity[1]
    assert ranking.scores.tolist() == sorted(ranking.scores, reverse=True)


def test_the_arms_add_up_to_the_score() -> None:
    field = field_of([0, 0, 1, 1], words=[1, 0, 3, 0], asks=[True, False, False, False], in_time=[0, 1, 2, 0])
    ranking = rank(query_of("red", frozenset({0})), field, codes_of("red", "green", "one", "two"))
    assert np.allclose(sum(ranking.arms.values()), ranking.scores)


@pytest.mark.parametrize(
    ("arm", "column", "values"),
    [
        ("words", "words", [0, 5, 1]),
        ("thread", "thread_words", [0, 5, 1]),
        ("in_time", "in_time", [0, 2, 1]),
        ("length", "lengths", [10, 200, 50]),
    ],
)
def test_each_feature_adds_by_its_weight_alone(arm: str, column: str, values: list[float]) -> None:
    field = field_of([0, 1, 2], **{column: values})
    query = query_of("red")
    weight = getattr(WEIGHTS, arm)
    alone = rank(query, field, NO_CODES, replace(NOTHING, **{arm: weight}))
    assert alone.rows.tolist() == [1, 2, 0]
    double = rank(query, field, NO_CODES, replace(NOTHING, **{arm: 2 * weight}))
    assert np.allclose(double.scores, 2 * alone.scores)
    assert not rank(query, field, NO_CODES, NOTHING).scores.any()


def test_a_feature_that_is_the_same_everywhere_decides_nothing() -> None:
    field = field_of([0, 1, 2], words=[3, 3, 3], thread_words=[7, 7, 7])
    ranking = rank(query_of("red"), field, codes_of("red", "red", "red"))
    assert np.allclose(ranking.scores, ranking.scores[0])
    assert ranking.rows.tolist() == [0, 1, 2]


def test_a_named_author_outweighs_one_step_of_words() -> None:
    field = field_of([0, 1, 2], authors=[0, 1, 2], words=[4, 0, 0])
    assert rank(Query("?", named=frozenset({2})), field, NO_CODES).rows.tolist() == [2, 0, 1]
    assert "named" not in rank(Query("?"), field, NO_CODES).arms


def test_a_passage_that_only_asks_loses_where_several_people_talk() -> None:
    codes, asks = codes_of("red", "red"), [True, False]
    ranking = rank(query_of("red"), field_of([0, 1], asks=asks), codes)
    assert ranking.rows.tolist() == [1, 0]
    alone = rank(query_of("red"), field_of([0, 1], asks=asks, in_dialogue=[False, False]), codes)
    assert np.allclose(alone.scores, alone.scores[0])


def test_length_counts_among_short_passages_only() -> None:
    lengths = [LONG, 10 * LONG, 10]
    ranking = rank(query_of("red"), field_of([0, 1, 2], lengths=lengths), codes_of("red", "red", "red"))
    first, second, third = by_row(ranking, "length")
    assert first == second > third


def test_a_neighbour_lends_its_words_within_its_thread() -> None:
    codes = codes_of("piano tuner", "lisbon", "rain", "lisbon", "tea", "bread")
    ranking = rank(query_of("piano tuner"), field_of([0, 0, 0, 1, 1, 1]), codes)
    previous, following = by_row(ranking, "tokens_previous"), by_row(ranking, "tokens_next")
    assert previous[1] == pytest.approx(previous[0], abs=0.05)
    assert previous[1] > previous[3] + 1
    assert max(following[1:]) < following[0]
    assert ranking.rows[0] == 0
    assert ranking.rows[1] == 1


def test_where_there_is_no_neighbour_nothing_is_lent() -> None:
    ranking = rank(query_of("piano tuner"), field_of([0, 1, 2, 3]), codes_of("lisbon", "rain", "tea", "piano tuner"))
    for arm in ("tokens", "tokens_next", "tokens_previous"):
        assert max(by_row(ranking, arm)[:3]) < 0 < by_row(ranking, arm)[3]


def test_the_best_of_a_thread_are_candidates() -> None:
    field = field_of([0, 0, 1, 1], candidate=[False, True, True, True], words=[99, 0, 1, 2])
    ranking = rank(Query("?"), field, NO_CODES)
    last = ranking.rows.tolist().index(1)
    assert ranking.arms["thread_best"][last] == pytest.approx(WEIGHTS.thread_best * ranking.arms["words"][last])


def test_the_next_score_and_the_best_of_the_thread_are_shared() -> None:
    field = field_of([0, 0, 0, 1, 1, 1], words=[0, 9, 0, 0, 0, 0])
    ranking = rank(Query("?"), field, NO_CODES)
    thread, neighbour = by_row(ranking, "thread_best"), by_row(ranking, "neighbour")
    assert thread[0] == thread[1] == thread[2] > thread[3] == thread[4] == thread[5]
    assert neighbour[0] == max(neighbour)
    assert ranking.rows.tolist()[:2] == [1, 0]


def test_neighbours_that_are_no_candidates_are_not_ranked_but_lend_their_words() -> None:
    codes = codes_of("piano tuner", "lisbon", "bergen", "tea")
    field = field_of([0, 0, 1, 1], candidate=[False, True, True, True])
    ranking = rank(query_of("piano tuner"), field, codes)
    assert ranking.rows[0] == 1
    assert 0 not in ranking.rows


def test_a_passage_without_vectors_neither_gains_nor_loses_by_them() -> None:
    codes = codes_of("red", "", "green", "blue")
    ranking = rank(query_of("red"), field_of([0, 1, 2, 3]), codes)
    assert by_row(ranking, "tokens")[1] == pytest.approx(0, abs=1e-6)
    assert ranking.rows[:2].tolist() == [0, 1]


def test_where_no_passage_has_vectors_the_words_decide() -> None:
    ranking = rank(query_of("red"), field_of([0, 1, 2], words=[0, 1, 5]), NO_CODES)
    assert ranking.rows.tolist() == [2, 1, 0]
    assert not ranking.similarity.any()


def test_without_an_embedder_there_is_no_share_of_vectors() -> None:
    ranking = rank(Query("red"), field_of([0, 1], words=[0, 1], lengths=[5000, 1]), NO_CODES)
    assert ranking.rows.tolist() == [1, 0]
    assert not {"tokens", "tokens_next", "tokens_previous", "pooled", "length", "asks"} & ranking.arms.keys()


def test_rare_words_say_more_than_frequent_ones() -> None:
    assert rarity(1, 1000) > rarity(10, 1000) > rarity(900, 1000) > 0
    posting = [(np.array([0, 1]), np.ones(2)), (np.array([2]), np.ones(1))]
    scores = bm25(posting, np.full(5, 10.0))
    assert scores[2] > scores[0] == scores[1] > scores[3] == 0


def test_a_word_counts_more_in_a_short_text_and_less_each_time_it_is_repeated() -> None:
    documents = np.arange(4)
    scores = bm25([(documents, np.array([1.0, 2.0, 3.0, 1.0]))], np.array([10.0, 10.0, 10.0, 100.0]))
    assert scores[0] < scores[1] < scores[2]
    assert scores[2] - scores[1] < scores[1] - scores[0]
    assert scores[3] < scores[0]
    assert len(bm25([], np.empty(0))) == 0


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_field_gives_finite_scores_in_order(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 8))
    column = st.lists(st.floats(0, 1e6), min_size=count, max_size=count)
    flags = st.lists(st.booleans(), min_size=count, max_size=count)
    texts = data.draw(st.lists(st.sampled_from(["", "red", "red green", "one"]), min_size=count, max_size=count))
    field = field_of(
        sorted(data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))),
        candidate=data.draw(flags),
        asks=data.draw(flags),
        words=data.draw(column),
        thread_words=data.draw(column),
        lengths=data.draw(st.lists(st.integers(1, 10**6), min_size=count, max_size=count)),
    )
    query = data.draw(
        st.sampled_from([query_of("red one"), query_of("?"), Query("red"), query_of("red", frozenset({0}))])
    )
    ranking = rank(query, field, codes_of(*texts))
    assert np.isfinite(ranking.scores).all()
    assert sorted(ranking.rows) == np.flatnonzero(field.candidate).tolist()
    assert (np.diff(ranking.scores) <= 0).all()
