"""Find passages: gather from the store what the ranking needs, rank, and return matches. No language model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from secondme import fact_search
from secondme.models.protocols import Embedder
from secondme.recall.codes import encode_pooled
from secondme.recall.query import Query, named_authors, names_in, token_weights
from secondme.recall.ranking import Field, Ranking, bm25, rank, rarity
from secondme.recall.when import TimeRange, question_range
from secondme.recall.words import content_words
from secondme.records import Filters, Match, Passage
from secondme.store.index import CJK, Layout, conditions
from secondme.store.store import Store

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEW = 120_000
"""A memory of up to so many characters is ranked whole."""
MOST = 1500
"""At most so many passages of a larger one are ranked with their token vectors."""
ENOUGH = 30_000
"""Characters of them after which no more are ranked: their neighbours and token vectors cost time."""
NEAREST = 64
"""How many of the nearest pooled vectors are looked at; the time that takes grows with the square of it."""
CLOSENESS = 6.0
"""What the closest possible pooled vector is worth, in standard deviations of the word score."""
TOO_COMMON = 10_000
"""A word that occurs as often as this says too little to be worth reading its postings."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    matches: list[Match]
    field: Field
    ranking: Ranking
    time: TimeRange | None
    """The time the question speaks of."""
    named: tuple[str, ...]
    """The authors whom the question names."""
    unknown: tuple[str, ...]
    """Names in the question that stand nowhere in memory."""
    candidates: int
    passages: int
    """How many passages there are in all."""


@dataclass(frozen=True, slots=True)
class Words:
    """What the word index says of every passage, in the order of the layout."""

    with_previous: Floats
    """BM25 of the passage with the one before it."""
    thread: Floats
    """BM25 of its thread."""
    coverage: Floats
    """The share of the question's words, by rarity, that the passage holds."""

    @property
    def promise(self) -> Floats:
        """A first guess at how well the words fit."""
        return self.with_previous + self.thread / 2


class Search:
    """Searches one store; keeps the layout of its passages between searches."""

    def __init__(self, store: Store, *, me: str) -> None:
        """Search `store`; `me` is the author whom "I" means."""
        self.store = store
        self.me = me
        self._layout: tuple[tuple[int, int], Layout] | None = None

    def layout(self) -> Layout:
        """Return where every passage stands, read anew when the store has changed."""
        version = self.store.version()
        if self._layout is None or self._layout[0] != version:
            self._layout = version, self.store.index.layout()
        return self._layout[1]

    def find(
        self, question: str, *, k: int, now: datetime, filters: Filters | None = None, embedder: Embedder | None = None
    ) -> Found:
        """Return the `k` passages that answer `question` best."""
        with self.store.reading():
            return self._find(question, k=k, now=now, filters=filters or Filters(), embedder=embedder)

    def rest(self, found: Found) -> list[Match]:
        """Return the passages that a search over everything left out, in reading order, without a score."""
        shown = {match.id for match in found.matches}
        passages = self.store.passages(self.layout().ids.tolist())
        return [as_match(passage) for passage in passages if passage.name not in shown]

    def _find(self, question: str, *, k: int, now: datetime, filters: Filters, embedder: Embedder | None) -> Found:
        layout = self.layout()
        query = self._query(question, layout, embedder)
        time = question_range(question, now=now)
        allowed = self._allowed(filters, layout)
        in_time = self._in_time(time, layout)
        words = self._words(query, question, layout)
        rows = self._candidates(query, layout, allowed=allowed, in_time=in_time, words=words)
        field = _field(layout, rows, in_time=in_time, words=words)
        codes = self.store.index.codes(field.ids) if len(query.tokens) else {}
        ranking = rank(query, field, codes)
        moment = filters.as_of or now
        if filters.kind == "fact":
            passages = self.store.passages(field.ids[ranking.rows[: 4 * k]].tolist())
            is_free = replace(filters, kind="", as_of=None) == Filters()
            matches = fact_search.alone(self.store, query, passages, k=k, moment=moment, everywhere=is_free)
        else:
            passages = self.store.passages(field.ids[ranking.rows[:k]].tolist())
            matches = [
                as_match(passage, float(score), {name: float(arm[place]) for name, arm in ranking.arms.items()})
                for place, (passage, score) in enumerate(zip(passages, ranking.scores[:k], strict=True))
            ]
            if not filters.kind:
                matches = fact_search.beside(self.store, query, passages, matches, k=k, moment=moment)
        named = tuple(layout.author_names[number] for number in sorted(query.named))
        unknown = tuple(name for name in names_in(question, time) if not self._is_known(name))
        return Found(matches, field, ranking, time, named, unknown, len(rows), len(layout.ids))

    def _query(self, question: str, layout: Layout, embedder: Embedder | None) -> Query:
        terms = tuple(dict.fromkeys(self.store.index.terms(" ".join(content_words(question)))))
        named = named_authors(question, layout.author_names, me=self.me)
        if embedder is None or not len(layout.ids):
            return Query(question, terms, named=named)
        tokens = embedder.tokens(question)
        weights = token_weights(embedder.pieces(question))
        return Query(question, terms, tokens, weights, named)

    def _is_known(self, name: str) -> bool:
        return all(self.store.index.has(term) for term in self.store.index.terms(name))

    def _allowed(self, filters: Filters, layout: Layout) -> NDArray[np.bool_] | None:
        """Return which rows the filters let through, None for all."""
        if replace(filters, kind="") == Filters():
            return None
        mask = np.zeros(len(layout.ids), dtype=bool)
        mask[layout.rows(self.store.index.passages_with(*conditions(filters)))] = True
        return mask

    def _in_time(self, time: TimeRange | None, layout: Layout) -> Floats:
        marks = np.zeros(len(layout.ids))
        if time is not None:
            ids = self.store.index.passages_with(*conditions(Filters(since=time.start, until=time.end)))
            marks[layout.rows(ids)] = 2.0 if time.explicit else 1.0
        return marks

    def _words(self, query: Query, question: str, layout: Layout) -> Words:
        count, threads = len(layout.ids), int(layout.threads[-1]) + 1 if len(layout.ids) else 0
        follows = np.zeros(count, dtype=bool)
        follows[1:] = layout.threads[1:] == layout.threads[:-1]
        before, of_threads, covered, whole = [], [], np.zeros(count), 0.0
        for ids, times in self._postings(query, question):
            rows = layout.rows(ids)
            here = np.zeros(count)
            here[rows] = times
            with_previous = here + _previous(here, follows)
            before.append(_sparse(with_previous))
            of_threads.append(_sparse(np.bincount(layout.threads[rows], times, threads).astype(float)))
            weight = rarity(len(rows), count)
            covered[rows] += weight
            whole += weight
        lengths = layout.lengths.astype(float)
        in_threads = bm25(of_threads, np.bincount(layout.threads, lengths, threads).astype(float))
        return Words(
            with_previous=bm25(before, lengths + _previous(lengths, follows)),
            thread=in_threads[layout.threads],
            coverage=covered / max(whole, 1e-9),
        )

    def _postings(self, query: Query, question: str) -> list[tuple[Ints, Floats]]:
        found = [self.store.index.postings(term, limit=TOO_COMMON) for term in query.terms]
        postings = [(ids, times.astype(float)) for ids, times in found if len(ids)]
        for run in re.findall(f"[{CJK}]+", question):
            pieces = [run[at : at + 3] for at in range(len(run) - 2)] or [run]
            for ids in map(self.store.index.holding, dict.fromkeys(pieces)):
                postings.append((ids, np.ones(len(ids))))
        return postings

    def _candidates(
        self, query: Query, layout: Layout, *, allowed: NDArray[np.bool_] | None, in_time: Floats, words: Words
    ) -> Ints:
        """Return the rows to rank, ascending: all of a small memory, else the most promising ones."""
        usable = np.arange(len(layout.ids)) if allowed is None else np.flatnonzero(allowed)
        if not len(query.tokens):
            # What follows a match in a conversation may be the reply to it.
            hit = (words.coverage > 0) | (in_time > 0) | (layout.in_dialogue & (words.with_previous > 0))
            usable = usable[hit[usable]]
        if layout.lengths[usable].sum() <= FEW:
            return usable
        promise = words.promise / max(float(words.promise.std()), 1e-9) + 2 * in_time
        if len(query.tokens):
            among = None if allowed is None else layout.ids[usable]
            ids, closeness = self.store.index.nearest(encode_pooled(query.tokens), k=NEAREST, among=among)
            promise[layout.rows(ids)] += CLOSENESS * closeness
        if len(usable) > MOST:
            usable = usable[np.argpartition(-promise[usable], MOST)[:MOST]]
        best = usable[np.argsort(-promise[usable], kind="stable")]
        enough = np.searchsorted(np.cumsum(layout.lengths[best]), ENOUGH)
        return np.sort(best[: max(int(enough), 1)])


def _previous(values: Floats, follows: NDArray[np.bool_]) -> Floats:
    """Return the value of the row before, 0 where that belongs to another thread."""
    found = np.zeros(len(values))
    found[1:] = values[:-1] * follows[1:]
    return found


def _sparse(values: Floats) -> tuple[Ints, Floats]:
    rows = np.flatnonzero(values)
    return rows, values[rows]


def _field(layout: Layout, candidates: Ints, *, in_time: Floats, words: Words) -> Field:
    """Return the candidates with their neighbours, ready to be ranked."""
    wide = np.unique(np.concatenate([candidates - 1, candidates, candidates + 1]))
    rows = wide[(wide >= 0) & (wide < len(layout.ids))]
    threads = layout.threads[rows]
    adjacent = np.r_[False, (rows[1:] == rows[:-1] + 1) & (threads[1:] == threads[:-1])] if len(rows) else rows > 0
    places = np.arange(len(rows))
    return Field(
        ids=layout.ids[rows],
        threads=threads,
        authors=layout.authors[rows],
        lengths=layout.lengths[rows],
        asks=layout.asks[rows],
        in_dialogue=layout.in_dialogue[rows],
        previous=np.where(adjacent, places - 1, -1),
        next=np.where(np.r_[adjacent[1:], False], places + 1, -1) if len(rows) else places,
        candidate=np.isin(rows, candidates),
        in_time=in_time[rows],
        words=words.with_previous[rows],
        thread_words=words.thread[rows],
        coverage=words.coverage[rows],
    )


def as_match(passage: Passage, score: float = 0.0, arms: Mapping[str, float] | None = None) -> Match:
    """Return a passage as what a search finds."""
    span = passage.span
    return Match(
        id=passage.name,
        kind="passage",
        text=span.text,
        uri=passage.uri,
        thread=passage.thread,
        author=passage.author,
        happened_at=passage.happened_at,
        score=round(score, 4),
        arms={name: round(value, 3) for name, value in (arms or {}).items()},
        line_start=span.line_start,
        line_end=span.line_end,
        title=passage.title,
    )
