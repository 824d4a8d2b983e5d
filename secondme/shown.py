"""Changes of a night with the facts they are about, as they are looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from secondme.records import Fact

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.store.journal import Change


@dataclass(frozen=True, slots=True)
class Shown:
    """A change with the facts it is about."""

    change: Change
    fact: Fact | None
    """None where the change was undone and its fact is gone."""
    replaced: tuple[Fact, ...]
    """The facts whose place it took."""
    against: tuple[Fact, ...]
    """The facts it put it against."""


def look_up(me: Assistant, changes: Iterable[Change]) -> list[Shown]:
    """Return changes with the facts they are about, as those are now."""
    wanted = list(changes)
    numbers = dict.fromkeys(number for change in wanted for number in change.touched)
    facts = {fact.id: fact for fact in me.store.facts.get(numbers)}
    return [_shown(change, facts) for change in wanted]


def _shown(change: Change, facts: dict[str, Fact]) -> Shown:
    others = [facts[f"m{number}"] for number in change.touched if f"m{number}" in facts and f"m{number}" != change.fact]
    replaced = tuple(fact for fact in others if fact.superseded_by == change.fact)
    against = tuple(fact for fact in others if change.verb == "conflict" and fact not in replaced)
    return Shown(change, facts.get(change.fact), replaced, against)
