"""Finds facts: beside the passages they rest on, or alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from secondme.clock import now
from secondme.ids import number_in, parse_id
from secondme.recall.codes import similarities
from secondme.recall.query import Query
from secondme.recall.words import content_words
from secondme.records import Fact, Filters, Match, Passage
from secondme.store.store import Store
from secondme.validity import holds_at

if TYPE_CHECKING:
    from secondme.assistant import Assistant

MANY_FACTS = 50
"""How many facts about something are listed."""
SHARE = 5
"""One in so many matches may be a fact: it says nothing that the passage it rests on does not."""


def beside(
    store: Store, query: Query, passages: Sequence[Passage], matches: Sequence[Match], *, k: int, moment: datetime
) -> list[Match]:
    """Return `matches`, one for each of `passages`, with the few facts that fit best each behind its passage."""
    resting = store.facts.resting_on([passage.id for passage in passages])
    holding = {id: [fact for fact in facts if holds_at(fact, moment)] for id, facts in resting.items()}
    fits = _fits(store, query, [fact for facts in holding.values() for fact in facts])
    best = {id: max(facts, key=lambda fact: fits[fact.id]) for id, facts in holding.items() if facts}
    shown = sorted(best, key=lambda id: -fits[best[id].id])[: max(1, k // SHARE)] if k > 1 else []
    found: list[Match] = []
    named: set[str] = set()
    for passage, match in zip(passages, matches, strict=True):
        found.append(match)
        if passage.id in shown and (fact := best[passage.id]).id not in named:
            named.add(fact.id)
            found.append(replace(_match(fact, passage, fits[fact.id]), score=match.score))
    return found[:k]


def alone(
    store: Store, query: Query, passages: Sequence[Passage], *, k: int, moment: datetime, everywhere: bool
) -> list[Match]:
    """Return the `k` facts that fit best: those of `passages` and, with `everywhere`, those with the same words."""
    resting = store.facts.resting_on([passage.id for passage in passages])
    by_id = {passage.id: passage for passage in passages}
    found: dict[str, tuple[Fact, Passage | None]] = {}
    for id, facts in resting.items():
        found.update((fact.id, (fact, by_id[id])) for fact in facts)
    if everywhere:
        for fact in store.facts.get(store.facts.matching(content_words(query.text), limit=4 * k)):
            found.setdefault(fact.id, (fact, None))
    holding = {id: pair for id, pair in found.items() if holds_at(pair[0], moment)}
    fits = _fits(store, query, [fact for fact, _ in holding.values()])
    best = sorted(holding, key=lambda id: (-fits[id], id))[:k]
    return [_match(*holding[id], fits[id]) for id in best]


def _fits(store: Store, query: Query, facts: Sequence[Fact]) -> Mapping[str, float]:
    """Return how well each fact fits a question: the mean best cosine, or the share of its words without vectors."""
    terms = set(query.terms)
    fits = {fact.id: len(terms & set(store.index.terms(fact.text))) / max(len(terms), 1) for fact in facts}
    if len(query.tokens):
        numbers = {number_in(id, "m"): id for id in fits}
        codes = {id: code for id, code in store.facts.codes(list(numbers)).items() if code}
        if codes:
            best, _ = similarities(list(codes.values()), query.tokens)
            close = best @ query.weights / query.weights.sum()
            fits.update((numbers[id], float(fit)) for id, fit in zip(codes, close, strict=True))
    return fits


def _match(fact: Fact, passage: Passage | None, fit: float) -> Match:
    note_id = passage.note_id if passage else fact.sources[0].note_id
    source = next(source for source in fact.sources if source.note_id == note_id)
    return Match(
        id=fact.id,
        kind="fact",
        text=fact.text,
        uri=source.uri,
        thread=source.thread,
        author=source.author,
        happened_at=source.happened_at,
        score=round(fit, 4),
        arms={"fact": round(fit, 3)},
        line_start=source.line_start,
        line_end=source.line_end,
    )


def current_facts(me: Assistant, about: str, *, moment: datetime | None, k: int | None) -> list[Fact]:
    """Return the facts that hold now or did at a moment: those about something best first, else oldest first."""
    if not about.strip():
        return [fact for fact in me.store.facts.all() if holds_at(fact, moment or now())][:k]
    matches = me.recall(about, k=k or MANY_FACTS, filters=Filters(kind="fact", as_of=moment))
    return me.facts([match.id for match in matches])


def facts_behind(me: Assistant, matches: Iterable[Match]) -> dict[str, list[Fact]]:
    """Return for the id of each passage among `matches` the facts that rest on it, retired ones as well."""
    numbers = {match.id: me.store.passage_number(*parse_id(match.id)) for match in matches}
    resting = me.store.facts.resting_on([number for number in numbers.values() if number])
    return {id: resting[number] for id, number in numbers.items() if number in resting}
