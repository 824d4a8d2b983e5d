"""What browsing asks of the memory: what fits the words and filters, by words at once and by meaning a moment later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from secondme.chat.lines import counted, day
from secondme.chat.talk import Talk
from secondme.clean import clean, one_line
from secondme.clock import now
from secondme.errors import UsageError
from secondme.ids import is_id, parse_id
from secondme.moments import beginning_of, end_of
from secondme.places import place
from secondme.recall.evidence import ENOUGH
from secondme.recall.words import content_words
from secondme.records import Fact, Filters, Match, Note
from secondme.validity import holds_at
from secondme_tui.found import Asked, Listing, Row

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.models.protocols import Embedder
    from secondme.search import Found

AT_ONCE = 20
"""How many matches are shown while typing goes on, about a screen of them."""
FOUND = 50
"""How many are shown when it rests."""
LISTED = 200
"""How many are listed where nothing is looked for."""
READ = 5000
"""How many notes or facts are looked through for those."""
SHORTEST, COMPLETIONS = 2, 8
"""Letters from which on a word is completed, and with how many of the most frequent it may become."""
SNIPPET = 120
BEFORE = 60
"""Characters of a snippet before the first word that was looked for."""


def prepare(talk: Talk) -> None:
    """Read what every search needs once, so that the first one is as fast as the others."""
    talk.me.searcher().layout()


def look(talk: Talk, asked: Asked) -> Listing:
    """Return what has the words in it, or what is pinned and the newest where there are none."""
    try:
        filters = _filters(asked)
    except UsageError as error:
        return Listing((), "", problem=str(error))
    if not asked.words.strip():
        return _list(talk.me, asked, filters)
    rows = _found(talk.me, asked, filters, k=AT_ONCE)
    said = _counted(rows, AT_ONCE, "by words") if rows else _nothing(talk.me, asked)
    return Listing(rows, said, has_vectors=talk.me.store.index.embedder is not None)


def look_longer(talk: Talk, asked: Asked) -> Listing | None:
    """Return more of it, and what is about the same where there is something to tell that by; None for nothing new."""
    me = talk.me
    try:
        filters = _filters(asked)
    except UsageError:
        return None
    # Only what has vectors by now: computing missing ones takes long, and each write makes all searches read anew.
    embedder = me.embedder() if me.store.index.embedder else None
    rows = _found(me, asked, filters, k=FOUND, embedder=embedder)
    how = "by words and meaning" if embedder else "by words"
    return Listing(rows, _counted(rows, FOUND, how), has_vectors=embedder is not None) if rows else None


def _filters(asked: Asked) -> Filters:
    moment = now()
    return Filters(
        since=beginning_of(asked.since, moment) if asked.since.strip() else None,
        until=end_of(asked.until, moment) if asked.until.strip() else None,
        # Both are looked for in uri and thread together; `_is_in` then tells them apart.
        source=max(asked.thread.strip(), asked.source.strip(), key=len),
        author=asked.author.strip(),
        kind=asked.kind,
    )


def _is_in(asked: Asked, uri: str, thread: str) -> bool:
    return asked.source.strip().lower() in uri.lower() and asked.thread.strip().lower() in thread.lower()


def _found(me: Assistant, asked: Asked, filters: Filters, *, k: int, embedder: Embedder | None = None) -> list[Row]:
    words = _completed(me, clean(asked.words))
    # Some of what is found goes again where two fields name a place.
    many = k * 4 if filters.source else k
    found = me.searcher().find(words, k=many, now=now(), filters=filters, embedder=embedder)
    pinned = set(me.store.pins.ids())
    wanted = [match for match in _telling(found, asked.kind) if _is_in(asked, match.uri, match.thread)]
    terms = content_words(words)
    return [_of_match(match, terms, pinned) for match in wanted[:k]]


def _completed(me: Assistant, words: str) -> str:
    """Return words with what the last one may become, where it is no word yet."""
    typed = words.rpartition(" ")[2].lower()
    if len(typed) < SHORTEST or not typed.isalnum() or any(map(me.store.index.has, me.store.index.terms(typed))):
        return words
    return " ".join([words, *me.store.index.completions(typed, limit=COMPLETIONS)])


def _telling(found: Found, kind: str) -> Iterator[Match]:
    """Yield the matches that have to do with what was asked: a search gives whatever is least far away."""
    field, ranking = found.field, found.ranking
    rows = ranking.rows
    tells = (field.coverage[rows] > 0) | (field.in_time[rows] > 0) | (ranking.similarity >= ENOUGH)
    least = ENOUGH if ranking.similarity.any() else 0.0
    at = -1
    for match in found.matches:
        if kind == "fact":
            is_telling = match.score > least
        else:
            # A fact stands behind the passage it rests on.
            at += match.kind == "passage"
            is_telling = bool(tells[at])
        if is_telling:
            yield match


def _counted(rows: Sequence[Row], k: int, how: str) -> str:
    return f"{'the best ' if len(rows) >= k else ''}{len(rows)} found {how}"


def _nothing(me: Assistant, asked: Asked) -> str:
    words = one_line(asked.words, 40)
    if not len(me.searcher().layout().ids):
        return "nothing is kept yet: say something on F2, or run secondme add"
    if asked.filters != Asked():
        return f"nothing found for “{words}” with these filters"
    if all(map(me.store.index.has, me.store.index.terms(" ".join(content_words(words))) or [""])):
        return f"“{words}” stands in too many notes to tell them apart: add a word"
    return f"nothing found for “{words}”"


def _list(me: Assistant, asked: Asked, filters: Filters) -> Listing:
    pins = me.store.pins.ids()
    pinned = [*_pinned(me, asked, filters, pins)]
    counts = me.store.counts()
    if asked.kind == "fact":
        total, noun = counts["facts"], "fact"
        newest = _newest_facts(me, asked, filters, pins)
    else:
        total, noun = counts["notes"], "note"
        newest = _newest_notes(me, asked, filters, pins)
    rows = [*pinned, *islice(newest, max(LISTED - len(pinned), 0))]
    if not rows:
        is_empty = asked.filters == Asked() or not total
        return Listing((), _none_of(noun) if is_empty else "nothing fits these filters")
    return Listing(rows, _told(asked, len(pinned), len(rows), counted(total, noun)))


def _told(asked: Asked, pinned: int, listed: int, every: str) -> str:
    number = f"{'the newest ' if listed == LISTED else ''}{listed - pinned:,}"
    if asked.filters not in (Asked(), Asked(kind=asked.kind)):
        said = f"{number} that fit, of {every}"
    else:
        said = f"{number} of {every}" if listed == LISTED else every
    return f"{pinned} pinned · {said}" if pinned else said


def _none_of(noun: str) -> str:
    if noun == "fact":
        return "no fact is known yet: secondme sleep makes facts of notes"
    return "nothing is kept yet: say something on F2, or run secondme add"


def _pinned(me: Assistant, asked: Asked, filters: Filters, pins: Sequence[str]) -> Iterator[Row]:
    for id in pins[:LISTED]:
        if is_id(id, "m"):
            facts = me.store.facts.get([int(id[1:])]) if asked.kind != "passage" else []
            yield from (_of_fact(fact, is_pinned=True) for fact in facts if _fits_fact(fact, asked, filters))
        elif asked.kind != "fact" and (note := me.store.note(parse_id(id)[0])) and _fits(note, asked, filters):
            yield _of_note(note, is_pinned=True)


def _newest_notes(me: Assistant, asked: Asked, filters: Filters, pins: Sequence[str]) -> Iterator[Row]:
    for note in me.notes(filters, limit=READ):
        if note.id not in pins and _is_in(asked, note.uri, note.thread):
            yield _of_note(note)


def _newest_facts(me: Assistant, asked: Asked, filters: Filters, pins: Sequence[str]) -> Iterator[Row]:
    highest, _ = me.store.facts.extent()
    moment = now()
    for top in range(highest, max(highest - READ, 0), -LISTED):
        for fact in me.store.facts.get(range(top, max(top - LISTED, 0), -1)):
            is_wanted = fact.id not in pins and holds_at(fact, moment) and _fits_fact(fact, asked, filters)
            # Of what was said in an earlier version of a note, nothing is found either.
            if is_wanted and any(me.store.passage_at(source.note_id, source.start) for source in fact.sources):
                yield _of_fact(fact)


def _fits_fact(fact: Fact, asked: Asked, filters: Filters) -> bool:
    notes = [Note("", one.uri, one.thread, one.author, one.happened_at) for one in fact.sources]
    return any(_fits(note, asked, filters) for note in notes)


def _fits(note: Note, asked: Asked, filters: Filters) -> bool:
    at = note.happened_at
    assert at is not None
    is_then = (not filters.since or at >= filters.since) and (not filters.until or at < filters.until)
    is_theirs = not filters.author or note.author.lower() == filters.author.lower()
    return is_then and is_theirs and _is_in(asked, note.uri, note.thread)


def _of_note(note: Note, *, is_pinned: bool = False) -> Row:
    where = _where(note.uri, note.thread, 1)
    return Row(note.id, "note", day(note.happened_at), note.author, where, _snippet(note.text), is_pinned)


def _of_fact(fact: Fact, *, is_pinned: bool = False) -> Row:
    source = fact.sources[0]
    where = _where(source.uri, source.thread, source.line_start)
    return Row(fact.id, "fact", day(source.happened_at), source.author, where, _snippet(fact.text), is_pinned)


def _of_match(match: Match, terms: Iterable[str], pinned: set[str]) -> Row:
    where = _where(match.uri, match.thread, match.line_start)
    is_pinned = match.id.partition(".")[0] in pinned
    text = _snippet(match.text, terms)
    return Row(match.id, match.kind, day(match.happened_at), match.author, where, text, is_pinned)


def _where(uri: str, thread: str, line: int) -> str:
    """Return the file and line; what is in none is named by its thread, for its uri says nothing to people."""
    return place(uri, line) if uri.startswith("/") else thread or uri


def _snippet(text: str, terms: Iterable[str] = ()) -> str:
    # What is looked for may stand far behind, and a note may have megabytes.
    begin = min((at for term in terms if (at := text.lower().find(term)) >= 0), default=0)
    begin = begin - BEFORE if begin > 2 * BEFORE else 0
    cut = text[begin : begin + 3 * SNIPPET]
    return f"{'… ' if begin else ''}{one_line(cut, SNIPPET)}"
