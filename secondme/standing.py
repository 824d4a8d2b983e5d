"""How the evidence of an answer stands by now: what is outdated, and what was said before or against it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from secondme.fact_search import facts_behind
from secondme.ids import number_in
from secondme.recall.query import FIRST_PERSON
from secondme.recall.words import WORD, content_words
from secondme.records import Fact, Match
from secondme.sleep.statements import parse_statement
from secondme.validity import holds_at, is_outdated, remark, replaced, since

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.store.pages import Source as PageSource

_LOOKS_BACK = re.compile(
    r"\b(?:before|previous(?:ly)?|former(?:ly)?|earlier|used to|history|chang\w+|ever|past|ago|when|since|until|till"
    r"|how long|original(?:ly)?|at first|once|(?:did|was|were|had)\s+(?:i|we|you|he|she|they|my|our))\b",
    re.IGNORECASE,
)

_NOW = "now currently current today nowadays presently"


class Standing:
    """What the facts say of some evidence at a moment."""

    def __init__(self, me: Assistant, evidence: Sequence[Match], *, moment: datetime) -> None:
        """Look up the facts that rest on the passages of `evidence`."""
        self._me = me
        self._moment = moment
        self._facts = facts_behind(me, [match for match in evidence if match.kind == "passage"])

    def up_to_date(self, evidence: Sequence[Match], question: str, *, names_time: bool) -> list[Match]:
        """Return the evidence without what is outdated, and nothing but the fact that is asked for where there is one.

        All of it is returned where the question looks back or nothing is left.
        """
        if names_time or _LOOKS_BACK.search(question):
            return list(evidence)
        found = [one for one in evidence if not is_outdated(one.text, self._facts.get(one.id, ()), self._moment)]
        exact = [
            one for one in found if any(self._is_asked_for(fact, question) for fact in self._facts.get(one.id, ()))
        ]
        return exact or found or list(evidence)

    def _is_asked_for(self, fact: Fact, question: str) -> bool:
        """True if a question asks for nothing but what this fact states, of which there is one.

        Whatever else was found only distracts a small model then.
        """
        if not fact.attribute or not holds_at(fact, self._moment):
            return False
        me, source = self._me.config.me.name, fact.sources[0]
        statement = parse_statement(fact.text, author=source.author, me=me, said_at=source.happened_at)
        if statement is None or not statement.is_single:
            return False
        terms = self._me.store.index.terms
        asked = set(terms(" ".join(content_words(question)))) - set(terms(_NOW))
        about = set(terms(" ".join(content_words(fact.subject))))
        is_own = fact.subject == me.lower() and bool(set(WORD.findall(question.lower())) & FIRST_PERSON)
        stated = set(terms(f"{fact.subject} {fact.attribute}"))
        return bool(asked) and (is_own or about <= asked) and all(_is_among(term, stated) for term in asked)

    def annotated(self, match: Match) -> Match:
        """Return the match with a word on what of it holds no longer."""
        words = remark(match.text, self._facts.get(match.id, ()), self._moment)
        return replace(match, text=match.text + words) if words else match

    def rests_on(self, match: Match) -> list[PageSource] | None:
        """Return the passages that what `annotated` adds to a match rests on; None where one is not there any more."""
        ids = {number_in(fact.superseded_by, "m") for fact in replaced(self._facts.get(match.id, ()), self._moment)}
        others = self._me.store.facts.get(ids)
        if len(others) < len(ids) or not all(other.sources for other in others):
            return None
        places = [(source.note_id, source.start) for other in others for source in other.sources]
        passages = [self._me.store.passage_at(*place) for place in places]
        return None if None in passages else [(one.note_id, one.span.text) for one in passages if one]

    def history(self, text: str, cited: Sequence[Match]) -> Iterator[tuple[str, Match, Match]]:
        """Yield what was so before, or is said against, what an answer states: words, its source, the other source."""
        said = set(content_words(text))
        for match in cited:
            for fact in self._facts.get(match.id, ()):
                if not holds_at(fact, self._moment) or not said & set(content_words(fact.value or fact.text)):
                    continue
                if earlier := self._me.store.facts.replaced_by(fact.id):
                    begin = f"Since {since(fact)}" if fact.valid_from else "Now"
                    yield f"{begin}; before: “{earlier.text.rstrip('.')}”", match, self._source_of(earlier)
                for other in self._me.facts(fact.conflicts):
                    yield f"Against it stands: “{other.text.rstrip('.')}”", match, self._source_of(other)

    def _source_of(self, fact: Fact) -> Match:
        source = fact.sources[0]
        passage = self._me.store.passage_at(source.note_id, source.start)
        return Match(
            id=passage.name if passage else f"n{source.note_id}",
            kind="passage",
            text=source.quote,
            uri=source.uri,
            thread=source.thread,
            author=source.author,
            happened_at=source.happened_at,
            score=0.0,
            line_start=source.line_start,
            line_end=source.line_end,
        )


def _is_among(term: str, terms: Collection[str]) -> bool:
    """True if a stem is among others; "die" and "di" of "died" count as one."""
    return term in terms or any(term[:-1] == other or other[:-1] == term for other in terms)
