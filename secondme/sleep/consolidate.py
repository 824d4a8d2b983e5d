"""What a new fact does to the earlier ones: nothing, repeat, merge, supersede, or stand against them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from secondme.sleep.repeats import EVENTS, by_wording, ending_by_wording
from secondme.sleep.statements import Statement
from secondme.sleep.values import (
    are_of_two_kinds,
    is_elaboration,
    is_same,
    is_same_product,
    words_of,
)
from secondme.sleep.verdicts import (
    Conflict,
    Keep,
    Known,
    Merge,
    Repeat,
    Supersede,
    Verdict,
    interval_of,
    is_over,
    start_of,
)

__all__ = ["Conflict", "Keep", "Known", "Merge", "Repeat", "Supersede", "Verdict", "decide"]

# What "I left X", "we sold X" or "I gave up X" may end.
_ENDED_BY_NAME = frozenset(
    (
        *("works at", "lives in", "studies at", "studies", "has", "drives", "plays", "uses", "likes", "job", "partner"),
        *("is married to", "supports", "takes", "joined", "bought", "adopted", "goes to", "smokes", "eats", "drinks"),
        *("attends", "car", "phone", "major", "bike"),
    )
)
_BY_KIND = frozenset(["lives in", "when", "was born in", "died in", "hometown"])
_FAMILIES = (
    {"marital status", "is married to", "partner"},
    {"diet"},
    {"drives", "car"},
    {"job", "role", "title", "job title"},
)


def decide(new: Known, earlier: Sequence[Known]) -> Verdict:
    """Return what becomes of the new fact, judged by rules against the earlier ones."""
    if new.statement is not None:
        verdict = _by_statement(new, new.statement, earlier)
        if verdict is not None:
            return verdict
    else:
        verdict = ending_by_wording(new, earlier)
        if verdict is not None:
            return verdict
    return by_wording(new, earlier) or Keep(*interval_of(new))


def _is_same_frame(one: Statement | None, other: Statement | None) -> bool:
    if one is None or other is None:
        return False
    if one.attribute == other.attribute:
        return True
    return any(one.attribute in family and other.attribute in family for family in _FAMILIES)


# By what is stated


def _by_statement(new: Known, said: Statement, earlier: Sequence[Known]) -> Verdict | None:
    about_same = [k for k in earlier if k.statement and k.statement.subject == said.subject]
    if said.is_negated:
        return _ending(new, said, [k for k in about_same if k.is_current]) or ending_by_wording(new, earlier)
    related = [k for k in about_same if _bears_on(said, k.statement)]
    current = [k for k in related if k.is_current]
    if repeated := _repeated(new, said, current):
        return repeated
    denials = [k for k in current if k.statement and k.statement.is_negated and is_same(k.statement.value, said.value)]
    if said.is_single or denials or said.replaces or said.is_change:
        return _replacing(new, said, related if said.is_single else [*denials, *_renewed(said, current)])
    return None


def _bears_on(said: Statement, known: Statement | None) -> bool:
    if known is None:
        return False
    if said.replaces and is_same(said.replaces, known.value):
        return True
    if (
        said.attribute == known.attribute in _BY_KIND
        and are_of_two_kinds(said.value, known.value)
        and not said.is_change
    ):
        return False
    if said.attribute != known.attribute and _can_hold_together(said, known):
        return False
    return _is_same_frame(said, known) or (said.attribute == "uses" and known.attribute.startswith("uses for "))


def _can_hold_together(one: Statement, other: Statement) -> bool:
    """True for two frames of one family that name the same: "I am married to Tom" and "my partner is Tom"."""
    values = {one.value.lower(), other.value.lower()}
    return bool(set(words_of(one.value)) & set(words_of(other.value))) or (
        "married" in values and "is married to" in {one.attribute, other.attribute}
    )


def _renewed(said: Statement, current: Sequence[Known]) -> list[Known]:
    """Return the facts whose value a change of a many-valued attribute names, or another version of it."""
    return [
        k
        for k in current
        if k.statement
        and not k.statement.is_negated
        and (
            is_same(said.replaces, k.statement.value)
            or (said.is_change and is_same_product(said.value, k.statement.value))
        )
    ]


def _repeated(new: Known, said: Statement, current: Sequence[Known]) -> Verdict | None:
    if said.attribute in EVENTS:
        return None
    if is_over(new):
        return None
    for known in current:
        old = known.statement
        if old is None or old.is_negated or is_over(known) or old.attribute != said.attribute:
            continue
        if is_same(said.value, old.value):
            return Repeat(known.id)
        if is_elaboration(said.value, old.value) and known.trust <= new.trust:
            return Merge(known.id)
        if is_elaboration(old.value, said.value) or is_elaboration(said.value, old.value):
            return Repeat(known.id)
    return None


def _replacing(new: Known, said: Statement, related: Sequence[Known]) -> Verdict | None:
    """Return the verdict for a value of which only one can hold."""
    first, last = interval_of(new)
    rivals = [k for k in related if k.statement and (k.statement.is_single or said.is_change or k.statement.is_negated)]
    if is_over(new):
        return _past_value(new, said, rivals)
    current = [k for k in rivals if k.is_current and not is_over(k)]
    later = [k for k in current if k.said_at > new.said_at and start_of(k) >= start_of(new)]
    if later:
        return _told_late(new, rivals, later)
    clashing = [k for k in current if k not in later]
    if not clashing:
        return None
    stronger = tuple(k.id for k in clashing if k.trust > new.trust)
    if stronger:
        return Conflict(stronger)
    same_moment = [k for k in clashing if k.said_at >= new.said_at and k.statement]
    open_ones = tuple(k.id for k in same_moment if k.statement and k.statement.is_change == said.is_change)
    if open_ones:
        return Conflict(open_ones)
    if same_moment and not said.is_change:
        return Supersede((), same_moment[0].said_at, first, same_moment[0].said_at, same_moment[0].id)
    starts = max(start_of(k) for k in clashing)
    closes_at = first if first and first > starts else max(new.said_at, starts)
    return Supersede(tuple(k.id for k in clashing), closes_at, first or new.said_at, last, None)


def _past_value(new: Known, said: Statement, rivals: Sequence[Known]) -> Verdict:
    """Return the verdict for what is told as over: it ends the same value where that was still taken to hold."""
    first, last = interval_of(new)
    same = [k for k in rivals if k.statement and is_same(said.value, k.statement.value)]
    held = tuple(
        k.id for k in same if k.is_current and not is_over(k) and k.trust <= new.trust and k.said_at <= new.said_at
    )
    if held and last is not None:
        return Supersede(
            held, max(last, *(start_of(k) for k in same)), first or min(start_of(k) for k in same), last, None
        )
    for known in same:
        if is_over(known) and not (first and interval_of(known)[0]):
            return Repeat(known.id)
    return Keep(first, last)


def _told_late(new: Known, rivals: Sequence[Known], later: Sequence[Known]) -> Verdict:
    """Return the verdict for a value said before the current one was, but stored after it."""
    start = start_of(new)
    if any(k.trust < new.trust for k in later):
        return Conflict(tuple(k.id for k in later))
    following = [k for k in rivals if start_of(k) > start or k in later]
    following_one = min(following, key=lambda k: (start_of(k), k.id))
    before = [k for k in rivals if k not in following and _covers(k, start)]
    if new.statement and any(k.statement and is_same(k.statement.value, new.statement.value) for k in before):
        return Repeat(next(k.id for k in before if k.statement and is_same(k.statement.value, new.statement.value)))
    ends = start_of(following_one)
    said_end = interval_of(new)[1]
    return Supersede(
        tuple(k.id for k in before), start, start, min(said_end, ends) if said_end else ends, following_one.id
    )


def _covers(known: Known, moment: datetime) -> bool:
    last = interval_of(known)[1]
    return start_of(known) < moment and (last is None or last > moment)


# Endings


def _ending(new: Known, said: Statement, current: Sequence[Known]) -> Verdict | None:
    """Return the verdict for a denial: it ends what affirmed the same."""
    for known in current:
        old = known.statement
        if old and old.is_negated and old.attribute == said.attribute and is_same(old.value, said.value):
            return Repeat(known.id)
    ended = [
        k
        for k in current
        if k.statement
        and not k.statement.is_negated
        and _ends(said, k.statement)
        and k.said_at <= new.said_at
        and not is_over(k)
    ]
    if not ended:
        return None
    stronger = tuple(k.id for k in ended if k.trust > new.trust)
    if stronger:
        return Conflict(stronger)
    same_moment = tuple(k.id for k in ended if k.said_at == new.said_at)
    if same_moment and not said.is_change:
        return Conflict(same_moment)
    first, last = interval_of(new)
    starts = max(start_of(k) for k in ended)
    closes_at = first if first and first > starts else max(new.said_at, starts)
    return Supersede(tuple(k.id for k in ended), closes_at, first or new.said_at, last, None)


def _ends(said: Statement, old: Statement) -> bool:
    if said.attribute == "ended":
        is_kind_word = bool(said.value) and said.value.split()[-1].lower() == old.attribute
        return old.attribute in _ENDED_BY_NAME and (is_kind_word or _is_named(said.value, old.value))
    if not _is_same_frame(said, old):
        return False
    return not said.value or _is_named(said.value, old.value)


def _is_named(value: str, old: str) -> bool:
    # Denying more than was said denies nothing: "not chess with Tom" leaves chess.
    return is_same(value, old) or is_elaboration(old, value)
