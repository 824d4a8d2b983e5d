"""Which notes somebody means: exactly those that have the words, the place and the days, in any of their versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from secondme.clock import to_text
from secondme.errors import UsageError
from secondme.store.borrowed import words_of

if TYPE_CHECKING:
    from secondme.store.store import Store


def notes_matching(
    store: Store, words: str, source: str, since: datetime | None, until: datetime | None
) -> Sequence[int]:
    """Return the newest version of each item that matches in one of its versions, in the order of their numbers.

    Raises UsageError for words without a letter or digit.
    """
    wanted = words_of(words)
    if words and not wanted:
        raise UsageError(f"{words!r} has no word in it")
    parts, values = ["true"], list[str]()
    for condition, value in (
        ("instr(folded(uri || char(10) || thread), ?)", source.casefold()),
        ("happened_at >= ?", to_text(since) if since else ""),
        ("happened_at < ?", to_text(until) if until else ""),
    ):
        if value:
            parts.append(condition)
            values.append(value)
    rows = store.db.conn.execute(f"select uri, title || ' ' || text from notes where {' and '.join(parts)}", values)
    uris = {uri for uri, text in rows if _has(text, wanted)}
    newest = store.db.conn.execute(
        "select uri, max(id) filter (where replaced_at is null), max(id) from notes group by uri"
    )
    return sorted(current or last for uri, current, last in newest if uri in uris)


def _has(text: str, wanted: Sequence[str]) -> bool:
    """True if a text has all of these words; where a language sets no spaces, as parts of what stands together."""
    folded = text.casefold()
    if not all(word in folded for word in wanted):
        return False
    found = set(words_of(text)) if wanted else set()
    return all(word in found or (not word.isascii() and len(word) > 1 and _is_unspaced(word)) for word in wanted)


def _is_unspaced(word: str) -> bool:
    return any("\u3040" <= letter <= "\u30ff" or "\u3400" <= letter <= "\u9fff" for letter in word)
