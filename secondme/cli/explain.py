"""Why a search found what it found, and why it did not show what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from secondme.cli.output import nonzero
from secondme.records import Filters

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.search import Found


@dataclass(frozen=True, slots=True)
class Expected:
    """What became of a note that somebody expected among the matches."""

    id: str
    why: str
    rank: int = 0
    """Its place from 1; 0 where it was not ranked."""
    score: float = 0.0
    arms: Mapping[str, float] = field(default_factory=dict)
    last: str = ""
    """The id of the last match shown."""
    last_score: float = 0.0
    last_arms: Mapping[str, float] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return it in words."""
        found = [f"{self.id}: {self.why}"]
        if self.rank:
            found.append(f"  {self.id} {shares(self.score, self.arms)}")
        if self.rank and self.last:
            found.append(f"  {self.last} {shares(self.last_score, self.last_arms)}")
        return found


def expected_record(expected: Expected) -> dict[str, Any]:
    """Return it under its JSON keys."""
    return {item.name: getattr(expected, item.name) for item in fields(expected)}


def shares(score: float, arms: Mapping[str, float]) -> str:
    """Return a score as the sum it is."""
    return f"{score:.2f} = " + " ".join(f"{name} {value:+.2f}" for name, value in nonzero(arms))


def trace_lines(trace: Mapping[str, Any]) -> list[str]:
    """Return how a search went in words."""
    time = trace["time"]
    lines = [
        f"words: {', '.join(trace['words'])}",
        f"time: {time['text']!r} is {time['start'] or '...'} to {time['end'] or '...'}" if time else "time: none named",
        f"ranked {trace['candidates']:,} of {trace['passages']:,} passages in {trace['seconds']:.3f} s",
    ]
    return [*lines, f"no vectors: {trace['no_vectors']}"] if trace["no_vectors"] else lines


def expected(me: Assistant, found: Found, id: str, *, filters: Filters) -> Expected:
    """Return why the note or passage with this id is where it is; raises NotFound."""
    note, passage = me.note(id)
    passages = [passage] if passage else me.store.passages_of(int(note.id[1:]))
    ids = {item.id: item.name for item in passages}
    if not ids:
        newer = me.store.versions(note.uri)[0].id
        return Expected(id, f"an earlier version of {newer}; only the current one is searched")
    rows = [place for place, row in enumerate(found.ranking.rows.tolist()) if int(found.field.ids[row]) in ids]
    if not rows:
        return Expected(id, _why_unranked(me, set(ids), filters, found))
    place, shown = rows[0], len(found.matches)
    name = ids[int(found.field.ids[found.ranking.rows[place]])]
    why = "shown" if place < shown else f"the last one shown is {found.matches[-1].id}, number {shown}"
    rank = f"number {place + 1} of {found.candidates:,}"
    last = {} if place < shown else _last(found)
    arms = {arm: round(float(values[place]), 3) for arm, values in found.ranking.arms.items()}
    return Expected(name, f"{rank}; {why}", place + 1, round(float(found.ranking.scores[place]), 4), arms, **last)


def _last(found: Found) -> dict[str, Any]:
    match = found.matches[-1]
    return {"last": match.id, "last_score": match.score, "last_arms": dict(match.arms)}


def _why_unranked(me: Assistant, ids: set[int], filters: Filters, found: Found) -> str:
    from secondme.store.index import conditions

    for item in fields(Filters):
        value = getattr(filters, item.name)
        if value:
            alone = Filters(**{item.name: value})
            if not ids & set(me.store.index.passages_with(*conditions(alone)).tolist()):
                return f"left out by --{item.name.replace('_', '-')}"
    return f"neither its words nor its vectors nor its time brought it among the {found.candidates:,} candidates"
