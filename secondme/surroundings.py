"""What stands around a passage where it was said: pages are read behind what comes before, and show what is beside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from secondme.ids import number_in, parse_id
from secondme.laying import signed, whose_note, whose_words
from secondme.models.prompts import evidence_line
from secondme.records import Match
from secondme.search import as_match

if TYPE_CHECKING:
    from secondme.assistant import Assistant

STRETCH = 2000
"""Characters of a thread that are read together, about: one that has grown begins no page anew."""

APART = 8
"""One of so many passages that begin a thread begins a stretch of these: where one comes or goes, few pages do."""
FARTHEST = 500
"""Notes that are looked at for those that began a thread before."""


@dataclass(frozen=True, slots=True)
class Behind:
    """What a page is read behind."""

    pages: tuple[str, ...] = ()
    passages: tuple[tuple[int, str], ...] = ()
    """The number of the note and the text of each."""


class Surroundings:
    """The passages around others, in the order of their threads.

    What begins a thread, such as a note of one passage, stands behind what began one before it and is of equal trust:
    a note of the user's own never behind a text of others.
    """

    def __init__(self, me: Assistant) -> None:
        """Look at the passages as they are now."""
        self._me = me
        self._layout = me.searcher().layout()
        self._known: dict[int, tuple[str, tuple[int, str]]] = {}
        begins = self._layout.ids[np.flatnonzero(np.diff(self._layout.threads, prepend=-1))]
        self._begins = frozenset(begins.tolist())
        self._begun: dict[int, list[int]] = {}
        self._zones = me.store.facts.zones()

    def behind(self, matches: Iterable[Match]) -> tuple[Behind, ...]:
        """Return for each match what its page is read behind: up to two stretches of its thread, or of beginnings."""
        before = [self._before(match) for match in matches]
        self._look_up({id for ids in before for id in ids})
        return tuple(
            Behind(tuple(page for page, _ in known), tuple(passage for _, passage in known))
            for ids in before
            for known in [[self._known[id] for id in ids if id in self._known]]
        )

    def beside(self, matches: Iterable[Match]) -> list[Match]:
        """Return the passages right before and right after each match in its thread, best first; none of them twice."""
        threads, found, own = self._layout.threads, dict[int, None](), set[int]()
        for match in matches:
            if (row := self._row(match)) is None:
                continue
            own.add(int(self._layout.ids[row]))
            for other in (row - 1, row + 1):
                if 0 <= other < len(threads) and threads[other] == threads[row]:
                    found[int(self._layout.ids[other])] = None
        return [as_match(passage) for passage in self._me.store.passages([id for id in found if id not in own])]

    def _before(self, match: Match) -> list[int]:
        """Return the numbers of the passages before one: those of its stretch, and of the one before."""
        row = self._row(match)
        if row is None:
            return []
        first = int(np.searchsorted(self._layout.threads, self._layout.threads[row]))
        if first == row:
            id = int(self._layout.ids[row])
            if id not in self._begun:
                self._begun[id] = self._begun_before(match, id)
            return self._begun[id]
        lengths = self._layout.lengths[first : row + 1]
        stretches = (np.cumsum(lengths) - lengths) // STRETCH
        start = first + int(np.searchsorted(stretches, stretches[-1] - 1))
        ids: list[int] = self._layout.ids[start:row].tolist()
        return ids

    def _begun_before(self, match: Match, id: int) -> list[int]:
        """Return the numbers of the passages that began threads before one that does, two stretches at most."""
        whose = whose_words(self._me, self._zones, match)
        before: list[tuple[int, int]] = []
        found = self._me.store.first_passages(match.happened_at, before=number_in(match.id.partition(".")[0], "n"))
        missing = 2 - _begins_stretch(id)
        for other, length, note_id, names in islice(found, FARTHEST):
            if other in self._begins and whose_note(self._zones, note_id, **names) == whose:
                before.append((other, length))
                missing -= _begins_stretch(other)
                if not missing:
                    break
        before.reverse()
        starts, size = [0], 0
        for at, (other, length) in enumerate([*before, (id, 0)]):
            if at and (size >= STRETCH or _begins_stretch(other)):
                starts.append(at)
                size = 0
            size += length
        return [other for other, _ in before[starts[-2:][0] :]]

    def _row(self, match: Match) -> int | None:
        """Return where a passage stands; None for what is none, or is not there any more."""
        if match.kind != "passage":
            return None
        id = self._me.store.passage_number(*parse_id(match.id))
        if id is None or id not in self._layout.ids:
            return None
        return int(self._layout.rows(np.array([id]))[0])

    def _look_up(self, ids: set[int]) -> None:
        """Learn how a model reads these passages, whatever the facts say of them by now."""
        passages = self._me.store.passages(sorted(ids - self._known.keys()))
        matches = [as_match(passage) for passage in passages]
        whose = [whose_words(self._me, self._zones, match) for match in matches]
        for passage, read in zip(passages, signed(self._me, matches, whose), strict=True):
            self._known[passage.id] = evidence_line(read), (passage.note_id, passage.span.text)


def _begins_stretch(id: int) -> bool:
    return id % APART == 0
