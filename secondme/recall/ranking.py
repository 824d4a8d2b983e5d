"""Rank passages for a question: a weighted sum of normalised features, without a language model.

The features and the way they add up were found by measuring; tests/bench/fit_weights.py fits the weights again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from secondme.recall.codes import similarities
from secondme.recall.query import Query

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Weights:
    """What each feature adds to the score of a passage, in standard deviations unless said."""

    tokens: float = 1.2
    """MaxSim (Khattab & Zaharia 2020) over the passage's own token vectors."""
    tokens_next: float = 0.8
    """MaxSim over its own and the next passage's token vectors."""
    tokens_previous: float = 0.7
    """MaxSim over its own and the previous passage's token vectors."""
    words: float = 0.5
    """BM25 over the passage and the one before it."""
    thread: float = 0.4
    """BM25 over the whole thread."""
    mean: float = 0.2
    """The mean cosine of all token pairs, of the passage and of the one before it."""
    named: float = 4.0
    """For a passage by somebody the question names, where several people talk, in score."""
    length: float = 1.4
    """The logarithm of the length, where several people talk: who says little there tells little."""
    asks: float = -0.8
    """For a passage that ends in a question, where several people talk, in score."""
    in_time: float = 1.5
    """For a passage from the time the question speaks of, in score; twice where it names that time outright."""
    thread_best: float = 0.2
    """The mean of the three best scores of its thread, as share of the score."""
    neighbour: float = 0.1
    """The next passage's score, as share of the score."""


WEIGHTS = Weights()
LONG = 300
"""Characters above which length says nothing about how much a passage tells."""


@dataclass(frozen=True, slots=True)
class Field:
    """The passages a ranking looks at: candidates and their neighbours, in reading order."""

    ids: Ints
    threads: Ints
    authors: Ints
    lengths: Ints
    asks: NDArray[np.bool_]
    in_dialogue: NDArray[np.bool_]
    previous: Ints
    """Row of the passage before it in its thread, -1 where there is none."""
    next: Ints
    candidate: NDArray[np.bool_]
    """False for rows that are here as neighbours only."""
    in_time: Floats
    """0, 1 (vaguely) or 2 (outright) where it falls into the time the question speaks of."""
    words: Floats
    """BM25 of the passage with the one before it."""
    thread_words: Floats
    """BM25 of its thread."""
    coverage: Floats
    """The share of the question's words, by rarity, that the passage holds."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The candidates, best first."""

    rows: Ints
    scores: Floats
    arms: Mapping[str, Floats]
    """What each feature added, aligned with `rows`."""
    similarity: Floats
    """Mean weighted MaxSim of each row with the question, 0 to 1; comparable between questions; aligned with `rows`."""


def rank(query: Query, field: Field, codes: Mapping[int, bytes], weights: Weights = WEIGHTS) -> Ranking:
    """Rank the candidates of `field`; `codes` holds the token codes of those passages that have them, by id."""
    if not field.candidate.any():
        return Ranking(np.empty(0, dtype=np.int64), np.empty(0), {}, np.empty(0))
    arms: dict[str, Floats] = {}
    similarity, mean = _similarities(query, field, codes)
    if len(query.tokens):
        behind = _neighbour(similarity, field.next, -1.0)
        before = _neighbour(similarity, field.previous, -1.0)
        arms["tokens"] = weights.tokens * _normal(similarity @ query.weights, field)
        arms["tokens_next"] = weights.tokens_next * _normal(np.maximum(similarity, behind) @ query.weights, field)
        arms["tokens_previous"] = weights.tokens_previous * _normal(
            np.maximum(similarity, before) @ query.weights, field
        )
        arms["mean"] = weights.mean * _normal(mean + _neighbour(mean, field.previous, float(mean.mean())), field)
    arms["words"] = weights.words * _normal(field.words, field)
    arms["thread"] = weights.thread * _normal(field.thread_words, field)
    if query.named:
        # Notes and diaries tell of others: who is named tells passages apart only where several people talk.
        fits = np.isin(field.authors, list(query.named)) | ~field.in_dialogue
        arms["named"] = weights.named * fits.astype(float)
    if len(query.tokens):
        # Without vectors these two would outweigh the words, which are all there is.
        arms["length"] = weights.length * _normal(np.log1p(np.minimum(field.lengths, LONG)), field) * field.in_dialogue
        arms["asks"] = weights.asks * (field.asks & field.in_dialogue).astype(float)
    arms["in_time"] = weights.in_time * field.in_time
    total = sum(arms.values(), np.zeros(len(field.ids)))
    arms["thread_best"] = weights.thread_best * _best_of_thread(total, field)
    total = total + arms["thread_best"]
    arms["neighbour"] = weights.neighbour * _neighbour(total, field.next, float(total[field.candidate].mean()))
    total = total + arms["neighbour"]
    rows = np.flatnonzero(field.candidate)
    rows = rows[np.argsort(-total[rows], kind="stable")]
    fit = similarity[rows] @ query.weights / query.weights.sum() if len(query.tokens) else np.zeros(len(rows))
    return Ranking(rows, total[rows], {name: arm[rows] for name, arm in arms.items()}, fit)


def _similarities(query: Query, field: Field, codes: Mapping[int, bytes]) -> tuple[Floats, Floats]:
    """Return for every row the best similarity to each query token, (rows, tokens), and the mean one, (rows,).

    A row without vectors gets what rows have on average, so that it neither gains nor loses.
    """
    best = np.zeros((len(field.ids), len(query.tokens)))
    mean = np.zeros(len(field.ids))
    has = np.array([bool(codes.get(id)) for id in field.ids.tolist()])
    if len(query.tokens) and has.any():
        best[has], mean[has] = similarities([codes[id] for id in field.ids[has].tolist()], query.tokens)
        best[~has], mean[~has] = best[has].mean(axis=0), mean[has].mean()
    return best, mean


def bm25(postings: Sequence[tuple[Ints, Floats]], lengths: Floats, *, k1: float = 1.2, b: float = 0.75) -> Floats:
    """Return the BM25 score of every document; a posting is (documents, how often the term stands in each)."""
    scores = np.zeros(len(lengths))
    norm = k1 * (1 - b + b * lengths / max(float(lengths.mean()), 1.0)) if len(lengths) else lengths
    for documents, counts in postings:
        scores[documents] += rarity(len(documents), len(lengths)) * counts * (k1 + 1) / (counts + norm[documents])
    return scores


def rarity(documents: int, of: int) -> float:
    """Return how much a term says that stands in so many of the documents (its inverse document frequency)."""
    return float(np.log1p((of - documents + 0.5) / (documents + 0.5)))


def _neighbour(values: Floats, rows: Ints, fill: float) -> Floats:
    """Return the values of the neighbouring rows, `fill` where there is none."""
    found: Floats = values[rows]
    found[rows < 0] = fill
    return found


def _normal(values: Floats, field: Field) -> Floats:
    """Return `values` as standard deviations above the mean of the candidates; all 0 where they do not differ."""
    of_candidates = values[field.candidate]
    spread = of_candidates.std()
    # Less than this is what rounding makes of equal values, and must not be blown up to a difference.
    return (values - of_candidates.mean()) / spread if spread > 1e-5 else np.zeros(len(values))


def _best_of_thread(scores: Floats, field: Field) -> Floats:
    """Return for every row the mean of the three best candidates of its thread."""
    order = np.lexsort((-scores, ~field.candidate, field.threads))
    threads = field.threads[order]
    starts = np.flatnonzero(np.r_[True, threads[1:] != threads[:-1]])
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    top = (place < 3) & field.candidate[order]
    number = np.cumsum(np.r_[False, threads[1:] != threads[:-1]])
    sums = np.bincount(number, np.where(top, scores[order], 0.0))
    counts = np.bincount(number, top)
    means = np.empty(len(scores))
    means[order] = (sums / np.maximum(counts, 1))[number]
    return means
