"""Passages as they come out of the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from secondme.clock import from_text
from secondme.records import Passage, Span

PASSAGE_QUERY = """
    select p.id, p.note_id, p.byte_start, p.byte_end, p.line_start, p.line_end, p.text, p.heading, n.uri, n.thread,
           p.position, n.author, n.happened_at, n.origin, n.title,
           (select count(*) from passages q where q.note_id = p.note_id)
    from passages p join notes n on n.id = p.note_id
"""


def passage_of(row: Sequence[Any]) -> Passage:
    """Return the record of a row of PASSAGE_QUERY."""
    id, note_id, start, end, line_start, line_end, text, heading, uri, thread, position, author, at, *rest = row
    span = Span(start, end, line_start, line_end, text, heading)
    return Passage(id, note_id, span, uri, thread, position, author, from_text(at), *rest)
