"""What facts say of a moment: which hold, which lines are outdated, and what was true before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from secondme.recall.when import format_day
from secondme.records import Fact

OUTDATED_SHARE = 0.6
"""The part of a passage that has to be outdated: what no fact rests on may hold something else."""


def holds_at(fact: Fact, moment: datetime) -> bool:
    """True if a fact, as far as memory knows, holds at a moment; what another says better never does."""
    is_replaced = fact.retired_at is not None and fact.valid_to is None
    has_begun = fact.valid_from is None or fact.valid_from <= moment
    return not is_replaced and has_begun and (fact.valid_to is None or moment < fact.valid_to)


def has_ended(fact: Fact, moment: datetime) -> bool:
    """True if a fact is known to hold no longer at a moment."""
    return fact.valid_to is not None and fact.valid_to <= moment


def is_outdated(text: str, facts: Sequence[Fact], moment: datetime) -> bool:
    """True for a passage that states nothing but what holds no longer; `facts` are those that rest on it."""
    if any(holds_at(fact, moment) for fact in facts):
        return False
    ended = {source.quote for fact in facts if has_ended(fact, moment) for source in fact.sources}
    covered = sum(len(quote) for quote in ended if quote in text)
    return covered >= OUTDATED_SHARE * len(text.strip()) > 0


def remark(text: str, facts: Sequence[Fact], moment: datetime) -> str:
    """Return what to write behind a passage of which something holds no longer, "" where all does."""
    said = []
    for fact in replaced(facts, moment):
        quotes = [source.quote for source in fact.sources if source.quote in text]
        is_part = quotes and len(quotes[0]) < OUTDATED_SHARE * len(text.strip())
        said.append(until(fact) + (f": “{quotes[0]}”" if is_part else ""))
    return f" (no longer so since {'; since '.join(dict.fromkeys(said))})" if said else ""


def replaced(facts: Sequence[Fact], moment: datetime) -> list[Fact]:
    """Return the facts in whose place others hold at a moment."""
    return [fact for fact in facts if fact.superseded_by and has_ended(fact, moment)]


def until(fact: Fact) -> str:
    """Return the day until when a fact held, as words; "" where it is not known."""
    return format_day(fact.valid_to) if fact.valid_to else ""


def since(fact: Fact) -> str:
    """Return the day since when a fact holds, as words; "" where it is not known."""
    return format_day(fact.valid_from) if fact.valid_from else ""
