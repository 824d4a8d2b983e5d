"""What facts say of a moment: which hold, which lines are outdated, and what was true before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from secondme.recall.when import format_day
from secondme.records import Fact


def holds_at(fact: Fact, moment: datetime) -> bool:
    """True if a fact, as far as memory knows, holds at a moment; what another says better never does."""
    is_replaced = fact.retired_at is not None and fact.valid_to is None
    has_begun = fact.valid_from is None or fact.valid_from <= moment
    return not is_replaced and has_begun and (fact.valid_to is None or moment < fact.valid_to)


def has_ended(fact: Fact, moment: datetime) -> bool:
    """True if a fact is known to hold no longer at a moment."""
    return fact.valid_to is not None and fact.valid_to <= moment


def is_outdated(facts: Sequence[Fact], moment: datetime) -> bool:
    """True for a line that states nothing but what holds no longer."""
    return any(has_ended(fact, moment) for fact in facts) and not any(holds_at(fact, moment) for fact in facts)


def remark(facts: Sequence[Fact], moment: datetime) -> str:
    """Return what to write behind a line of which something holds no longer, "" where all does."""
    ended = [fact.valid_to for fact in facts if fact.superseded_by and fact.valid_to and has_ended(fact, moment)]
    days = dict.fromkeys(format_day(end) for end in ended)
    return f" (no longer so since {' and '.join(days)})" if days else ""


def since(fact: Fact) -> str:
    """Return the day since when a fact holds, as words; "" where it is not known."""
    return format_day(fact.valid_from) if fact.valid_from else ""
