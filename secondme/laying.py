"""How the evidence of an answer is laid out for a model: in which words it reads it, and which of it from pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from secondme.attribution import Whose
from secondme.errors import ConfigError, NotFound
from secondme.ids import number_in
from secondme.models.catalog import find_entry
from secondme.models.quoting import QUOTATION, without_orders
from secondme.records import Match

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.config import ModelsConfig
    from secondme.standing import Standing
    from secondme.store.pages import PageStore, Source
    from secondme.store.zones import Zones
    from secondme.surroundings import Behind

LONGEST_NAME = 200
"""Characters of a title or author that the model reads: no more of the text gives way for it."""
AROUND_TOKENS = 64
"""Tokens of markup, and of the ends of lines between pages, at most."""
ALL = "all"
AUTO = "auto"


def fresh_count(config: ModelsConfig) -> int | None:
    """Return how many of the best passages are read anew behind those from pages; None where all are.

    A model for which it was not measured reads everything, and so does one that another program runs. Raises
    ConfigError.
    """
    if config.endpoint or config.page_budget <= 0:
        return None
    if config.fresh == AUTO:
        entry = find_entry(config.language)
        return entry.fresh if entry else None
    if config.fresh == ALL:
        return None
    if not config.fresh.isdecimal():
        raise ConfigError(f"models.fresh is {config.fresh!r}", hint=f"known: {AUTO}, {ALL}, or a number of passages")
    return int(config.fresh)


def takes_pages(config: ModelsConfig) -> bool:
    """True if answers of the configured model are put together from pages. Raises ConfigError."""
    return bool(config.language) and fresh_count(config) is not None


def in_order(best_first: Sequence[Match], fresh: int) -> list[Match]:
    """Return the evidence in the order it happened: first all but the best `fresh`, then those.

    A small model needs the order of time to tell what holds now; of one moment, that of being added.
    """
    return [*sorted(best_first[fresh:], key=moment_of), *sorted(best_first[:fresh], key=moment_of)]


def moment_of(match: Match) -> tuple[object, ...]:
    """Return what orders matches by time: when they happened and, of one moment, when they were added."""
    return match.happened_at, [int(part) for part in match.id[1:].split(".")]


@dataclass(frozen=True, slots=True)
class Laid:
    """Evidence, and how a model reads it."""

    found: tuple[Match, ...]
    whose: tuple[Whose, ...]
    """Whose words each piece is."""
    read: tuple[Match, ...]
    """Each in the words that the model reads."""
    rests_on: tuple[Sequence[Source] | None, ...]
    """For each, the passages that a word on what holds no longer rests on; None where one is not there any more."""

    def sources(self, behind: Iterable[Behind]) -> list[tuple[Source, ...]]:
        """Return for each piece what its page tells of: its passage, what facts say beside it and what `behind` has.

        It is nothing where no page may be kept.
        """
        return [
            ((number_in(match.id.partition(".")[0], "n"), match.text), *rests_on, *one.passages)
            if match.kind == "passage" and rests_on is not None
            else ()
            for match, rests_on, one in zip(self.found, self.rests_on, behind, strict=True)
        ]


def lay(me: Assistant, evidence: Iterable[Match], standing: Standing) -> Laid:
    """Return the evidence as a model reads it: signed, and with a word on what of it holds no longer."""
    found = tuple(evidence)
    zones = me.store.facts.zones()
    whose = tuple(whose_words(me, zones, match) for match in found)
    read = tuple(map(standing.annotated, signed(me, found, whose)))
    return Laid(found, whose, read, tuple(map(standing.rests_on, found)))


class PassageShelf:
    """Keeps the pages of an answer as long as their passages are there."""

    def __init__(self, store: PageStore, sources: Sequence[Sequence[Source]], *, is_ahead: bool = False) -> None:
        """`sources` has, for each page that may be kept, its passage and those it is read behind.

        With `is_ahead` nobody has asked for them yet.
        """
        self._store = store
        self._sources = sources
        self._is_ahead = is_ahead
        self.kept = 0
        """How many pages of passages were kept."""
        self.is_full = False
        """True once there was no room for one."""

    def load(self, key: str) -> bytes | None:
        """Return the state kept under `key`, or None."""
        return self._store.load(key)

    def has(self, key: str) -> bool:
        """True if there is a state under `key`."""
        return self._store.has(key)

    def takes(self, key: str, page: int) -> bool:
        """True if there is no state under `key`, and there is room for one of this page."""
        if self._store.has(key) or not self._sources[page]:
            return False
        has_room = self._store.has_room(self._sources[page][0])
        self.is_full |= not has_room
        return has_room

    def keep(self, key: str, page: int | None, state: bytes) -> None:
        """Keep the state of a page."""
        if page is None:
            self._store.keep(key, state)
        elif sources := self._sources[page]:
            is_kept = self._store.keep(key, state, of=sources, is_ahead=self._is_ahead)
            self.kept += is_kept
            self.is_full |= not is_kept


def signed(me: Assistant, evidence: Iterable[Match], whose: Iterable[Whose]) -> Iterator[Match]:
    """Yield the evidence as the model reads it: words of others are named so, and are without orders to the reader."""
    for match, one in zip(evidence, whose, strict=True):
        is_named = match.author not in ("", me.config.me.name)
        if one == "own":
            yield replace(match, text=QUOTATION.sub(lambda found: without_orders(found[0]), match.text))
            continue
        author = match.author if is_named else f"text of others {without_orders(match.title[:LONGEST_NAME])}".strip()
        yield replace(match, text=without_orders(match.text), author=without_orders(author[: 2 * LONGEST_NAME]))


def whose_words(me: Assistant, zones: Zones, match: Match) -> Whose:
    """Return whose words a match is."""
    try:
        if match.kind == "fact":
            return "own" if all(fact.trust == "own" for fact in me.facts([match.id])) else "others"
        note, _ = me.note(match.id.partition(".")[0])
    except NotFound:
        return "others"  # it was forgotten since it was found
    names = {"author": note.author, "thread": note.thread, "uri": note.uri}
    return whose_note(zones, number_in(note.id, "n"), origin=note.origin, **names)


def whose_note(zones: Zones, id: int, *, origin: str, author: str, thread: str, uri: str) -> Whose:
    """Return whose words a note is."""
    if zones.is_own(id, origin=origin, author=author, thread=thread, uri=uri):
        return "own"
    return "notes" if origin == "file" and author in ("", zones.me) else "others"
