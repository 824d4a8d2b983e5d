"""A stream of passages is cut where it turns to something else, by the vectors and by the pauses."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from bench.topics import Vectors, count_right, embed, score, signs
from conftest import ModelFile
from fakes import HashingEmbedder
from hypothesis import given
from hypothesis import strategies as st

from secondme.config import ModelsConfig
from secondme.plugins import load_plugins
from secondme.recall.codes import encode_pooled
from secondme.sleep.topics import cut, pauses

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

GARDEN = """\
The tomato seedlings on the balcony are turning yellow again.
Yellow leaves on a tomato plant often mean too much water.
I water the plants every evening, maybe that is too often.
Let the soil dry between waterings and the roots will recover.
Should I move the seedlings into bigger pots with fresh soil?
Yes, bigger pots give the tomato roots more room to grow.
My basil plants also look weak in their small pots.
Basil wants more sun than tomato seedlings and less water.
The sunny side of the balcony is free, so the basil can move.
Put some compost into the soil when you repot the plants.
I will buy pots, soil and compost for the balcony tomorrow.
Then the tomato plants should carry fruit by late summer.
""".splitlines()
MORTGAGE = """\
The bank has sent its offer for the mortgage on our flat.
What interest rate does the bank ask for the mortgage?
The interest rate is fixed for ten years at three percent.
A fixed rate is safe, but ask whether early repayment costs a fee.
Early repayment of the loan is free up to five percent a year.
Then compare the monthly payment with the offer of another bank.
The monthly payment would be eleven hundred for this loan.
That is a third of our income, the bank accepts that limit.
We still need proof of income and the contract for the flat.
The bank also wants an appraisal before it pays out the loan.
Our savings cover the deposit and the fee of the notary.
Sign the mortgage only when the interest rate is confirmed.
""".splitlines()
MARATHON = """\
My first marathon is in October and I run four times a week.
How long are your long runs on the weekend at the moment?
The long run was eighteen kilometres at an easy pace last Sunday.
Add two kilometres to the long run each week, and keep the pace easy.
My left knee hurts a little after running on asphalt.
Run on forest trails for a while and replace your running shoes.
The running shoes have over nine hundred kilometres on them.
That is too many kilometres, worn shoes are bad for a runner's knee.
What pace should I run in the marathon to finish in four hours?
A four hour marathon is a pace of five forty a kilometre.
My half marathon pace was faster, so four hours sounds possible.
Rest for two weeks before the race and the legs will be fresh.
""".splitlines()
THREADS = (GARDEN, MORTGAGE, MARATHON)
WORDS = ("tomato soil water pot leaf root", "loan bank rate fee deposit flat", "run pace knee shoe race trail")


def cut_closely(vectors: Vectors, texts: Sequence[str]) -> list[int]:
    """Cut passages that follow each other within seconds."""
    return cut(vectors, every(20, len(texts)), sizes=[len(text) for text in texts])


def every(seconds: float, count: int) -> list[datetime]:
    """As many moments, this far apart."""
    return [NOON + timedelta(seconds=seconds * place) for place in range(count)]


def random_threads(choice: random.Random) -> tuple[list[str], list[int]]:
    """Three threads of 8 to 16 passages with a vocabulary each, and where the second and the third begin."""
    texts: list[str] = []
    joins: list[int] = []
    for words in WORDS:
        joins.append(len(texts))
        texts += [" ".join(choice.choices(words.split(), k=6)) for _ in range(choice.randint(8, 16))]
    return texts, joins[1:]


@pytest.mark.parametrize("is_signs", [False, True])
def test_three_joined_threads_are_cut_where_they_were_joined(is_signs: bool) -> None:
    choice, embedder = random.Random(5), HashingEmbedder()
    results = []
    for _ in range(20):
        texts, joins = random_threads(choice)
        vectors = embed(texts, embedder)
        results.append((cut_closely(signs(vectors) if is_signs else vectors, texts), joins, len(texts)))
    assert score(results).f1 >= 0.95


@pytest.mark.model
def test_three_real_threads_are_cut_where_they_were_joined_by_the_real_embedder(model_file: ModelFile) -> None:
    embedder = load_plugins(installed=False).embedder(ModelsConfig("", str(model_file("minilm-l6")), threads=1))
    assert embedder
    vectors = {text: row for thread in THREADS for text, row in zip(thread, embed(thread, embedder), strict=True)}
    for is_signs in (False, True):
        results = []
        for first, second, third in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
            texts = [*THREADS[first], *THREADS[second], *THREADS[third]]
            rows = np.stack([vectors[text] for text in texts])
            results.append((cut_closely(signs(rows) if is_signs else rows, texts), [12, 24], 36))
        assert score(results).f1 >= 0.8


def test_the_codes_of_the_store_are_cut_like_the_vectors() -> None:
    embedder = HashingEmbedder()
    texts, joins = random_threads(random.Random(7))
    bits = [np.unpackbits(np.frombuffer(encode_pooled(embedder.tokens(text)), dtype=np.uint8)) for text in texts]
    codes = np.stack(bits).astype(np.float32) * 2 - 1
    assert count_right(cut_closely(codes, texts)[1:], joins) == 2
    assert cut_closely(codes, texts) == cut_closely(codes / np.sqrt(np.float32(embedder.width)), texts)


def test_one_long_thread_is_not_cut() -> None:
    choice = random.Random(3)
    texts = [" ".join(choice.choices(WORDS[0].split(), k=6)) for _ in range(200)]
    assert cut_closely(embed(texts, HashingEmbedder()), texts) == [0]


def test_a_single_stray_passage_is_no_topic_of_its_own() -> None:
    texts = [WORDS[0]] * 10 + [WORDS[1]] + [WORDS[0]] * 10
    assert cut_closely(embed(texts, HashingEmbedder()), texts) == [0]


def test_a_few_words_of_thanks_do_not_make_a_topic() -> None:
    texts = [WORDS[0]] * 10 + ["ok", "thx", "bye"] * 2 + [WORDS[0]] * 10
    vectors = embed([text if len(text) > 3 else "all right then" for text in texts], HashingEmbedder())
    assert cut_closely(vectors, texts) == [0]
    assert cut(vectors, every(20, len(texts)), sizes=[30] * len(texts)) == [0, 10, 16]


def test_a_pause_is_long_against_the_gaps_before_it() -> None:
    quick = every(20, 10)
    assert pauses([*quick, quick[-1] + timedelta(minutes=29)]) == [0]
    assert pauses([*quick, quick[-1] + timedelta(minutes=31)]) == [0, 10]
    slow = every(3600, 10)
    assert pauses([*slow, slow[-1] + timedelta(hours=9)]) == [0]
    assert pauses([*slow, slow[-1] + timedelta(hours=11)]) == [0, 10]


def test_with_few_gaps_before_it_only_hours_are_a_pause() -> None:
    assert pauses([NOON, NOON + timedelta(hours=5)]) == [0]
    assert pauses([NOON, NOON + timedelta(hours=7)]) == [0, 1]


def test_a_clock_that_goes_far_backwards_is_a_pause_and_a_little_is_none() -> None:
    quick = every(20, 10)
    assert pauses([*quick, *quick]) == [0]
    assert pauses([*quick, *(moment - timedelta(days=3) for moment in quick)]) == [0, 10]


def test_a_pause_cuts_what_the_vectors_would_not() -> None:
    texts = [WORDS[0]] * 12
    moments = [*every(20, 6), *(moment + timedelta(days=1) for moment in every(20, 6))]
    vectors = embed(texts, HashingEmbedder())
    assert cut(vectors, moments, sizes=[30] * 12) == [0, 6]


@given(st.lists(st.sampled_from([0.0, 20.0, 300.0, 7200.0, 90000.0, -20.0, -90000.0]), max_size=60), st.integers(0, 99))
def test_what_follows_a_pause_is_cut_the_same_without_what_came_before(gaps: list[float], seed: int) -> None:
    moments = [NOON]
    for gap in gaps:
        moments.append(moments[-1] + timedelta(seconds=gap))
    vectors = np.random.default_rng(seed).standard_normal((len(moments), 16)).astype(np.float32)
    sizes = [5 + 7 * place % 50 for place in range(len(moments))]
    places = cut(vectors, moments, sizes=sizes)
    for pause in pauses(moments):
        alone = cut(vectors[pause:], moments[pause:], sizes=sizes[pause:])
        assert [pause + place for place in alone] == [place for place in places if place >= pause]
        # What comes before is final: later passages do not change it.
        assert cut(vectors[:pause], moments[:pause], sizes=sizes[:pause]) == [
            place for place in places if place < pause
        ]


@pytest.mark.parametrize(("count", "places"), [(0, []), (1, [0]), (2, [0])])
def test_hardly_any_passages_are_one_topic_or_none(count: int, places: list[int]) -> None:
    vectors = np.eye(3, 8, dtype=np.float32)[:count]
    assert cut(vectors, [NOON] * count, sizes=[30] * count) == places


def test_passages_without_vectors_are_one_topic() -> None:
    assert cut(np.zeros((50, 8), dtype=np.float32), [NOON] * 50, sizes=[30] * 50) == [0]
    assert cut(np.zeros((50, 0), dtype=np.float32), [NOON] * 50, sizes=[30] * 50) == [0]
    assert cut(np.ones((50, 8), dtype=np.float32), [NOON] * 50, sizes=[0] * 50) == [0]


def test_passages_without_vectors_do_not_hide_the_turn() -> None:
    texts = [WORDS[0], "", WORDS[0], WORDS[0], WORDS[0], "", WORDS[1], WORDS[1], "", WORDS[1], WORDS[1], WORDS[1]]
    places = cut(embed(texts, HashingEmbedder()), [NOON] * 12, sizes=[30] * 12)
    assert count_right(places[1:], [6]) == len(places) - 1 == 1


def test_the_given_vectors_stay_as_they_are() -> None:
    vectors = 2 * np.ones((5, 8), dtype=np.float32)
    cut(vectors, [NOON] * 5, sizes=[9] * 5)
    assert (vectors == 2).all()


def test_unequal_numbers_of_passages_are_refused() -> None:
    with pytest.raises(ValueError, match="equally many"):
        cut(np.zeros((3, 8), dtype=np.float32), [NOON] * 2, sizes=[1] * 3)


def test_a_hundred_thousand_passages_take_about_a_second() -> None:
    """Without a pause and without a topic, the slowest there is; the bound leaves room for a busy machine."""
    vectors = np.random.default_rng(1).standard_normal((100_000, 384), dtype=np.float32)
    moments = every(20, 100_000)
    begun = time.process_time()
    assert len(cut(vectors, moments, sizes=[50] * 100_000)) < 20_000
    assert time.process_time() - begun < 3


def test_a_place_found_counts_for_one_join_only() -> None:
    assert count_right([9], [8, 10]) == 1
    assert count_right([7, 30], [8, 10]) == 1
    assert count_right([8, 11], [8, 10]) == 2
