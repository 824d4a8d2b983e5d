"""What a new fact does to the facts there are: whom it meets, and its verdict carried out as one change."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from secondme.ids import number_in
from secondme.recall.words import content_words
from secondme.records import Fact, Passage, Trust
from secondme.sleep.clauses import Clause
from secondme.sleep.extract import Proposal, Reading
from secondme.sleep.statements import Statement, parse_statement
from secondme.sleep.verdicts import QUOTED, Conflict, Echo, Keep, Known, Merge, Repeat, Supersede, Verdict
from secondme.store.digestion import Judged
from secondme.store.edit import Edit
from secondme.store.facts import NewFact, Place
from secondme.store.journal import Verb
from secondme.store.store import Store
from secondme.store.zones import ZONED

NEIGHBOURS = 8
"""How many facts with the same words a new one is compared with, besides those on the same matter."""


def trust_of(zone: Trust, author: str, *, me: str) -> int:
    """Return how far a source is trusted: 3 the user, 2 others as the user tells it, 1 what is quoted."""
    if zone == "quoted":
        return QUOTED
    return 3 if author in ("", me) else 2


def judged_before(reading: Reading, store: Store) -> Mapping[int, Judged]:
    """Return what was decided on the lines of a passage in this note or an earlier version of it, by their first byte.

    What was decided on the same words in the other zone is not among it.
    """
    places = [place_of(reading.passage, draft.clause) for draft in reading.drafts]
    found = store.digestion.judged(reading.passage.uri, places)
    facts = store.facts.get({one.memory_id for one in found.values() if one.memory_id is not None})
    trusts = {number_in(fact.id, "m"): fact.trust for fact in facts}

    def is_of_zone(one: Judged) -> bool:
        if one.memory_id is not None:
            return trusts.get(one.memory_id) == reading.trust
        return reading.trust == "quoted" or one.reason not in ZONED

    return {place: one for place, one in found.items() if is_of_zone(one)}


def known_of(fact: Fact, *, me: str) -> Known:
    """Return a stored fact as the rules of consolidation see it."""
    source = fact.sources[0]
    statement = parse_statement(fact.text, author=source.author, me=me, said_at=source.happened_at)
    return Known(
        id=number_in(fact.id, "m"),
        text=fact.text,
        statement=statement,
        said_at=source.happened_at,
        trust=min(trust_of(one.trust, one.author, me=me) for one in fact.sources),
        valid_from=fact.valid_from,
        valid_to=fact.valid_to,
        is_current=fact.retired_at is None,
        is_event=fact.kind == "episodic",
    )


def known_from(passage: Passage, text: str, zone: Trust, *, me: str) -> Known:
    """Return a new fact as the rules of consolidation see it."""
    return Known(
        id=0,
        text=text,
        statement=parse_statement(text, author=passage.author, me=me, said_at=passage.happened_at),
        said_at=passage.happened_at,
        trust=trust_of(zone, passage.author, me=me),
        valid_from=None,
        valid_to=None,
        is_current=True,
    )


def fact_from(passage: Passage, proposal: Proposal, statement: Statement | None) -> NewFact:
    """Return a proposal as it will be stored when nothing else is known of its time."""
    return NewFact(
        kind=proposal.kind,
        stance=proposal.stance,
        text=proposal.text,
        subject=statement.subject if statement else "",
        attribute=statement.attribute if statement else "",
        value=statement.value if statement else "",
        certainty=proposal.certainty,
        # Memory knows of it since it was said, unless the words tell more.
        valid_from=passage.happened_at,
        valid_to=statement.valid_to if statement else None,
    )


def neighbours(store: Store, new: Known, *, me: str) -> list[Known]:
    """Return the facts that may bear on a new one: those on the same matter, and the nearest by their words."""
    found: dict[str, Fact] = {}
    if new.statement and new.statement.is_single:
        found.update((fact.id, fact) for fact in store.facts.about(new.statement.subject, new.statement.attribute))
    near = store.facts.get(store.facts.matching(content_words(new.text), limit=NEIGHBOURS))
    found.update((fact.id, fact) for fact in near if fact.retired_at is None)
    # What was merged lives on in the fact that took its place, with the same interval.
    standing = [fact for fact in found.values() if fact.sources and (fact.retired_at is None or fact.valid_to)]
    return [known_of(fact, me=me) for fact in sorted(standing, key=lambda fact: number_in(fact.id, "m"))]


def marked_by(verdict: Verdict) -> tuple[int, ...]:
    """Return the earlier facts that a verdict retires."""
    match verdict:
        case Merge(old=old):
            return (old,)
        case Supersede(olds=olds):
            return olds
        case _:
            return ()


def within_zones(verdict: Verdict, new: Known, earlier: Sequence[Known]) -> Verdict | Echo:
    """Return a verdict that lets quoted words do nothing to the user's own: they stand against them, or are left out.

    The user's own words take the place of quoted ones that say the same: their trust needs no other's evidence.
    """
    quoted = {one.id for one in earlier if one.trust == QUOTED}
    own = {one.id for one in earlier} - quoted
    match verdict:
        case Repeat(of=id) | Merge(old=id) if new.trust == QUOTED and id in own:
            return Echo(id)
        case Repeat(of=id) | Merge(old=id) if new.trust != QUOTED and id in quoted:
            return Merge(id, is_alone=True)
        case Supersede(olds=olds) if new.trust == QUOTED and own.intersection(olds):
            return Conflict(tuple(id for id in olds if id in own))
        case Supersede(by=int(by)) if new.trust != QUOTED and by in quoted:
            return Conflict((by,))
    return verdict


def spared(verdict: Verdict, pinned: Collection[int]) -> Verdict:
    """Return a verdict that leaves pinned facts as they are: what would end one stands against it instead.

    Where it would have ended others with it, it stands against those as well.
    """
    olds = marked_by(verdict)
    if isinstance(verdict, Merge) and verdict.is_alone and verdict.old in pinned:
        return Keep(None, None)
    return Conflict(olds) if any(id in pinned for id in olds) else verdict


def carry_out(
    verdict: Verdict, fact: NewFact, place: Place, *, store: Store, edit: Edit, codes: bytes | None
) -> tuple[Verb, int]:
    """Store what a verdict says; return its verb and the fact it is about. Call it within a transaction.

    `fact` comes with the interval it has when nothing else is known of its time.
    """
    match verdict:
        case Repeat(of=of):
            # A note that says it twice is no second source.
            if not store.facts.rests_on(of, place.note_id):
                edit.add_evidence(of, place)
            return "repeat", of
        case Keep(valid_from=since, valid_to=until):
            begin = fact.valid_from if since is None and until is None else since
            return "keep", edit.add(replace(fact, valid_from=begin, valid_to=until), place, codes)
        case Merge():
            return "merge", _merge(verdict, fact, place, store=store, edit=edit, codes=codes)
        case Conflict(others=others):
            added = edit.add(fact, place, codes)
            for one in others:
                edit.add_conflict(one, added)
            return "conflict", added
        case Supersede():
            return "supersede", _supersede(verdict, fact, place, edit=edit, codes=codes)
        case _:
            assert_never(verdict)


def _merge(verdict: Merge, fact: NewFact, place: Place, *, store: Store, edit: Edit, codes: bytes | None) -> int:
    [earlier] = store.facts.get([verdict.old])
    merged = fact if verdict.is_alone else replace(fact, valid_from=earlier.valid_from, valid_to=earlier.valid_to)
    added = edit.add(merged, place, codes)
    for other in () if verdict.is_alone else store.facts.places(verdict.old):
        edit.add_evidence(added, other)
    edit.mark(verdict.old, retired_at=edit.now, superseded_by=added)
    return added


def _supersede(verdict: Supersede, fact: NewFact, place: Place, *, edit: Edit, codes: bytes | None) -> int:
    # An end that only a later fact tells is a mark: it goes when that one does.
    until = verdict.valid_to if verdict.by is None else fact.valid_to
    added = edit.add(replace(fact, valid_from=verdict.valid_from, valid_to=until), place, codes)
    for old in verdict.olds:
        edit.mark(old, valid_to=verdict.closes_at, retired_at=edit.now, superseded_by=added)
    if verdict.by is not None:
        edit.mark(added, valid_to=verdict.valid_to, retired_at=edit.now, superseded_by=verdict.by)
    return added


def place_of(passage: Passage, clause: Clause) -> Place:
    """Return where a clause of a passage stands."""
    return Place(passage.note_id, clause.start, clause.end, clause.line_start, clause.line_end, clause.text)
