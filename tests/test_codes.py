"""One bit a dimension: what is stored of token vectors finds nearly what the vectors themselves find."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import HashingEmbedder

from secondme.recall.codes import encode, encode_pooled, similarities


@pytest.fixture
def embedder() -> HashingEmbedder:
    return HashingEmbedder()


def test_a_code_holds_the_sign_of_every_dimension() -> None:
    rows = np.array([[1, -1, 1, 1, -1, -1, -1, 0], [-1, -1, -1, -1, -1, -1, -1, 1]], dtype=np.float32)
    assert encode(rows) == bytes([0b10110000, 0b00000001])


def test_a_pooled_code_holds_the_signs_of_the_mean() -> None:
    rows = np.array([[3, -1, 1, 1, -1, -1, -1, 0], [-1, -1, -2, 1, -1, -1, -1, 1]], dtype=np.float32)
    assert encode_pooled(rows) == bytes([0b10010001])


def test_codes_take_an_eighth_of_a_byte_a_dimension(embedder: HashingEmbedder) -> None:
    rows = embedder.tokens("one two three")
    assert (len(encode(rows)), len(encode_pooled(rows))) == (3 * 48, 48)
    assert encode(embedder.tokens("")) == b""


def test_each_token_of_the_question_finds_its_best_partner_in_each_passage(embedder: HashingEmbedder) -> None:
    texts = ("red green blue", "seven", "one red two")
    best, mean = similarities([encode(embedder.tokens(text)) for text in texts], embedder.tokens("red seven"))
    assert best.shape == (3, 2)
    assert mean.shape == (3,)
    has = np.array([[True, False], [False, True], [True, False]])
    # A vector and its signs have a cosine of sqrt(2 / pi), whatever the vector.
    assert np.abs(best[has] - np.sqrt(2 / np.pi)).max() < 0.05
    assert np.abs(best[~has]).max() < 0.25


def test_similarities_are_those_of_the_signs_computed_plainly(embedder: HashingEmbedder) -> None:
    texts, query = ("red green blue", "seven"), embedder.tokens("red ten")
    best, mean = similarities([encode(embedder.tokens(text)) for text in texts], query)
    for row, text in enumerate(texts):
        signs = np.where(embedder.tokens(text) > 0, 1.0, -1.0)
        cosines = signs / np.sqrt(384) @ query.T
        assert np.allclose(best[row], cosines.max(axis=0), atol=1e-5)
        assert np.isclose(mean[row], cosines.mean(), atol=1e-5)


def test_a_passage_alone_has_the_similarities_it_has_among_others(embedder: HashingEmbedder) -> None:
    codes = [encode(embedder.tokens(text)) for text in ("a b c", "d", "a d")]
    query = embedder.tokens("a e")
    together, _ = similarities(codes, query)
    alone = np.concatenate([similarities([code], query)[0] for code in codes])
    assert np.allclose(together, alone, atol=1e-6)
