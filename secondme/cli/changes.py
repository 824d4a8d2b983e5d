"""How facts and the changes of a night look: lines for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from secondme.clean import clean, one_line
from secondme.cli.output import BOLD, DIM, day, iso, paint, snippet
from secondme.ids import number_in
from secondme.places import place
from secondme.records import Fact, Source
from secondme.shown import Shown

SIGNS = {"keep": "+", "repeat": "=", "merge": "+", "supersede": "+", "conflict": "!", "edit": "+"}
LONGEST = 500


def change_record(shown: Shown) -> dict[str, Any]:
    """Return a change under the JSON keys that programs rely on."""
    change, fact = shown.change, shown.fact
    return {
        "id": change.id,
        "run": change.run,
        "verb": change.verb,
        "fact": change.fact,
        "text": clean(fact.text) if fact else "",
        "reason": clean(change.reason),
        "made_at": iso(change.made_at),
        "undone_at": iso(change.undone_at),
        "review": change.review,
        "replaces": [one.id for one in shown.replaced],
        "conflicts": [one.id for one in shown.against],
        "sources": [source_record(source) for source in fact.sources] if fact else [],
    }


def change_line(shown: Shown, *, plain: bool) -> str:
    """Return a change as one line: id, verb, fact, text, what it replaced, what became of it."""
    change, fact = shown.change, shown.fact
    marks = [f"{one.id} → {change.fact}" for one in shown.replaced]
    marks += [f"against {one.id}" for one in shown.against]
    # A rejection says that it was undone.
    marks += [change.review] if change.review else ["undone"] if change.undone_at else []
    parts = [f"{change.verb} {change.fact}", *([one_line(fact.text, LONGEST)] if fact else []), *marks]
    return f"{paint(change.id, BOLD, plain=plain)} · {' · '.join(parts)}"


def change_set(shown: Shown, *, plain: bool) -> Iterator[str]:
    """Yield what a change would do, one line for each fact it makes or marks, with the lines it rests on."""
    change, fact = shown.change, shown.fact
    if fact is not None:
        yield f"{SIGNS[change.verb]} {paint(fact.id, BOLD, plain=plain)} {snippet(fact.text)}"
        yield from source_lines(fact.sources, indent=4, plain=plain)
        # One that a later fact has taken the place of is told with that one.
        if fact.superseded_by and number_in(fact.superseded_by, "m") < number_in(fact.id, "m"):
            yield f"~ {fact.id} → {fact.superseded_by}"
    yield from (f"~ {one.id} → {change.fact}  {snippet(one.text)}" for one in shown.replaced)
    yield from (f"! {one.id} against {change.fact}  {snippet(one.text)}" for one in shown.against)


def fact_record(fact: Fact) -> dict[str, Any]:
    """Return a fact under the JSON keys that programs rely on."""
    return {
        "id": fact.id,
        "kind": fact.kind,
        "stance": fact.stance,
        "text": clean(fact.text),
        "subject": clean(fact.subject),
        "attribute": clean(fact.attribute),
        "value": clean(fact.value),
        "valid_from": iso(fact.valid_from),
        "valid_to": iso(fact.valid_to),
        "recorded_at": iso(fact.recorded_at),
        "retired_at": iso(fact.retired_at),
        "superseded_by": fact.superseded_by,
        "conflicts": list(fact.conflicts),
        "confidence": fact.confidence,
        "trust": fact.trust,
        "sources": [source_record(source) for source in fact.sources],
    }


def source_record(source: Source) -> dict[str, Any]:
    """Return a line that a fact rests on under its JSON keys."""
    return {
        "id": f"n{source.note_id}",
        "uri": clean(source.uri),
        "line_start": source.line_start,
        "line_end": source.line_end,
        "quote": clean(source.quote),
        "author": clean(source.author),
        "happened_at": iso(source.happened_at),
        "origin": source.origin,
        "trust": source.trust,
    }


def fact_head(fact: Fact, *, plain: bool) -> str:
    """Return one line that names a fact: id, kind, stance, since when and until when, how sure, how it stands."""
    parts = (fact.kind, fact.stance, validity(fact), f"{fact.confidence:.0%} sure", *_trust(fact), *standing(fact))
    return f"{paint(fact.id, BOLD, plain=plain)} · {paint(' · '.join(parts), DIM, plain=plain)}"


def _trust(fact: Fact) -> list[str]:
    return [] if fact.trust == "own" else [fact.trust]


def fact_lines(fact: Fact, *, plain: bool) -> Iterator[str]:
    """Yield a fact with the lines it rests on."""
    yield fact_head(fact, plain=plain)
    yield f"  {snippet(fact.text)}"
    yield from source_lines(fact.sources, indent=4, plain=plain)


def validity(fact: Fact) -> str:
    """Return since when and until when a fact holds, as far as it is known."""
    match day(fact.valid_from), day(fact.valid_to):
        case "", "":
            return "undated"
        case first, "":
            return f"since {first}"
        case "", last:
            return f"until {last}"
        case first, last:
            return f"{first} to {last}"


def standing(fact: Fact) -> list[str]:
    """Return what became of a fact, and what stands against it."""
    marks = [f"against {' '.join(fact.conflicts)}"] if fact.conflicts else []
    if fact.superseded_by:
        return [f"{'superseded' if fact.valid_to else 'replaced'} by {fact.superseded_by}", *marks]
    return marks


def source_lines(sources: Sequence[Source], *, indent: int, plain: bool) -> Iterator[str]:
    """Yield one line for each line a fact rests on: note, day, place, and its words."""
    for source in sources:
        parts = (f"n{source.note_id}", day(source.happened_at), source.author, _place(source))
        head = " · ".join(one_line(part, LONGEST) for part in parts if part)
        yield f"{' ' * indent}{paint(head, DIM, plain=plain)} “{snippet(source.quote)}”"


def _place(source: Source) -> str:
    """Return where a line stands, in the form that editors open where it is in a file."""
    where = place(source.uri, source.line_start)
    return f"{where}, line {source.line_start}" if where == source.uri and source.line_start > 1 else where
