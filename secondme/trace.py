"""How a search went, as one record: the words, the time it speaks of, how much was looked at, how long it took."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from secondme.clock import to_text

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.search import Found


def trace_of(me: Assistant, question: str, found: Found, *, seconds: float) -> dict[str, Any]:
    """Return how a search went."""
    from secondme.recall.words import content_words

    time = found.time
    return {
        "words": content_words(question),
        "time": time and {"start": _at(time.start), "end": _at(time.end), "text": time.text, "explicit": time.explicit},
        "candidates": found.candidates,
        "passages": found.passages,
        "vectors": not me.no_embedder,
        "no_vectors": me.no_embedder,
        "seconds": round(seconds, 4),
    }


def _at(moment: datetime | None) -> str | None:
    return to_text(moment) if moment else None
