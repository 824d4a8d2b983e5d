"""Where a stream of passages turns to something else, told from the vectors of the passages and the pauses between."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

COST = 1.75
"""What a further topic costs, in passages: so much longer the sums of vectors of two topics must be than that of one.

Fitted to joined chats; a single passage hardly ever stands alone, unless a pause cuts it off.
"""
SAYING = 20
"""Characters; a shorter passage, such as a thank-you, counts by its share of that."""
NEIGHBOURS = 3
"""How many passages on each side tell whether a place is looked at at all."""
ABREAST = 32
"""How many beginnings of the running topic are weighed against each other at most."""

ROUNDING = 1e-4
"""Less than this is no valley but the noise of the arithmetic."""

SHORT_PAUSE = 30 * 60.0
"""Seconds; less is never a certain cut, however fast the talk."""
LONG_PAUSE = 6 * 3600.0
"""Seconds; a certain cut while the usual gap is not known."""
TIMES_USUAL = 10.0
"""How much longer than the usual gap, the median of the last ones, a pause is."""
REMEMBERED_GAPS = 32
NEEDED_GAPS = 4
"""With fewer gaps since the last pause the usual one is not known."""


def cut(vectors: Vector, moments: Sequence[datetime], *, sizes: Sequence[int]) -> list[int]:
    """Return the places where a new topic begins, ascending, the first 0.

    `vectors` is (passages, width), one pooled vector or the signs of one a row, rows of zeros where there is none;
    `sizes` are in characters. What lies between two pauses is cut by itself: what comes before a pause is final, and
    the passages from a pause on, cut alone, give the same places. Between pauses the topics are those for which the
    lengths of the sums of their vectors, less COST for each, add up to the most, among beginnings at valleys. (Adding
    up the vectors of a segment: Alemi and Ginsparg, Text Segmentation based on Semantic Word Embeddings, 2015.)
    """
    if not len(vectors) == len(moments) == len(sizes):
        raise ValueError("vectors, moments and sizes must be equally many")
    return [
        begin + place
        for begin, end in pairwise([*pauses(moments), len(moments)])
        for place in _topics(vectors[begin:end], sizes[begin:end])
    ]


def pauses(moments: Sequence[datetime]) -> list[int]:
    """Return the places before which time alone makes a certain cut, the first 0; later passages never change them.

    A pause is long against the gaps since the last one. A clock that goes backwards far is a pause too: what follows
    belongs to another time.
    """
    found = [0] if moments else []
    gaps: deque[float] = deque(maxlen=REMEMBERED_GAPS)
    for place in range(1, len(moments)):
        gap = abs((moments[place] - moments[place - 1]).total_seconds())
        # The median is looked at only where it can matter: it is the slow part.
        if gap >= SHORT_PAUSE and gap >= _limit(gaps):
            found.append(place)
            gaps.clear()
        else:
            gaps.append(gap)
    return found


def _limit(gaps: deque[float]) -> float:
    return TIMES_USUAL * median(gaps) if len(gaps) >= NEEDED_GAPS else LONG_PAUSE


def _topics(vectors: Vector, sizes: Sequence[int]) -> list[int]:
    """Where topics begin in passages without a pause between them."""
    if len(vectors) < 3:
        return [0]
    lengths = np.linalg.norm(vectors, axis=1)
    weights = np.minimum(np.asarray(sizes) / SAYING, 1) / np.where(lengths > 0, lengths, 1)
    weighed = vectors * weights.astype(np.float32)[:, None]
    return _best(weighed, [0, *_valleys(weighed), len(weighed)])


def _valleys(weighed: Vector) -> list[int]:
    """The places where the few passages before and after have less in common than at the places beside."""
    count, reach = len(weighed), 2 * NEIGHBOURS
    products = [
        np.einsum("ij,ij->i", weighed[: count - lag], weighed[lag:]).astype(np.float64)
        for lag in range(min(reach, count))
    ]

    def squares(window: int) -> NDArray[np.float64]:
        """The squared length of the sum of `window` passages up to each place, with those that are missing as zero."""
        total = np.zeros(count + reach)
        for lag, product in enumerate(products[:window]):
            share = np.convolve(product, np.ones(window - lag))
            total[lag : lag + len(share)] += share if lag == 0 else 2 * share
        return total

    few = np.sqrt(np.maximum(squares(NEIGHBOURS), 0))
    many = np.sqrt(np.maximum(squares(reach), 0))
    before = np.arange(1, count)
    gains = few[before - 1] + few[before - 1 + NEIGHBOURS] - many[before - 1 + NEIGHBOURS]
    walled = np.concatenate([[-1.0], gains, [-1.0]])
    found: list[int] = before[(gains > walled[:-2]) & (gains >= walled[2:]) & (gains > ROUNDING)].tolist()
    return found


def _best(weighed: Vector, places: list[int]) -> list[int]:
    """Where topics begin in the best of the ways to begin them at some of `places`, the last of which is the end."""
    values = [0.0]
    origins = [0]
    starts = np.zeros(ABREAST, dtype=np.int64)
    earned = np.zeros(ABREAST)
    sums = np.zeros((ABREAST, weighed.shape[1]), dtype=np.float32)
    used = 0
    for number, (begin, end) in enumerate(pairwise(places)):
        starts[used], earned[used], sums[used] = number, values[number], 0
        used += 1
        sums[:used] += weighed[begin:end].sum(axis=0)
        totals = earned[:used] + np.sqrt(np.einsum("ij,ij->i", sums[:used], sums[:used]))
        first = int(totals.argmax())
        values.append(float(totals[first]) - COST)
        origins.append(int(starts[first]))
        if used == ABREAST:
            # The sum of two is never longer than both together, so a beginning that is worth no more than one at this
            # place never becomes the best again.
            kept = np.flatnonzero(totals > values[-1])
            kept = np.sort(kept[np.argsort(-totals[kept], kind="stable")[: ABREAST // 2]])
            used = len(kept)
            starts[:used], earned[:used], sums[:used] = starts[kept], earned[kept], sums[kept]
    found = [len(places) - 1]
    while found[-1]:
        found.append(origins[found[-1]])
    return [places[number] for number in reversed(found[1:])]
