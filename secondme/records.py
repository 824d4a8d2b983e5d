"""The records everything else is about: what is stored, what is found, what is answered. No IO here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Origin = Literal["typed", "file", "chat", "import", "clip", "mcp", "derived"]
Kind = Literal["passage", "fact"]
Regime = Literal["none", "everything", "retrieval", "abstained"]


@dataclass(frozen=True, slots=True)
class Note:
    """One source item, kept verbatim: a typed line, a file, a chat message."""

    text: str
    uri: str = ""
    """The unique name of the source item, such as a path; made from date and content when empty."""
    thread: str = ""
    """The conversation or file this belongs to; the uri when empty."""
    author: str = ""
    happened_at: datetime | None = None
    """When it was said or written (aware); now when None. In a note that came from the store it is never None."""
    origin: Origin = "typed"
    title: str = ""
    id: str = ""
    """`n12` once stored."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a note that is indexed and found as one passage."""

    start: int
    """First byte in the UTF-8 text of the note."""
    end: int
    """Byte after the last."""
    line_start: int
    """First line, counted from 1."""
    line_end: int
    """Last line, inclusive."""
    text: str
    """Exactly the bytes `start:end`, decoded."""
    heading: str = ""
    """The headings above it, outermost first, joined by " > "."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A span as it is stored, with what the ranking needs to know of its note."""

    id: int
    note_id: int
    span: Span
    uri: str
    thread: str
    position: int
    """Place within the note, from 0."""
    author: str
    happened_at: datetime
    origin: Origin
    title: str
    passages_in_note: int

    @property
    def name(self) -> str:
        """The id people see: `n12`, or `n12.3` where a note has several passages."""
        return f"n{self.note_id}" if self.passages_in_note == 1 else f"n{self.note_id}.{self.position + 1}"


@dataclass(frozen=True, slots=True)
class Match:
    """A passage or fact that recall found."""

    id: str
    kind: Kind
    text: str
    uri: str
    thread: str
    author: str
    happened_at: datetime
    score: float
    """Higher is closer; only comparable within one search."""
    arms: Mapping[str, float] = field(default_factory=dict)
    """What each feature added to the score."""
    line_start: int = 1
    line_end: int = 1
    title: str = ""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search is restricted to; an empty field restricts nothing."""

    since: datetime | None = None
    until: datetime | None = None
    source: str = ""
    """Part of a uri or thread."""
    author: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An input that was not stored, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Added:
    """What an add did. `ids` names every accepted note, in the order given, new or already known."""

    ids: tuple[str, ...] = ()
    added: int = 0
    known: int = 0
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a forget removed, or would remove."""

    ids: tuple[str, ...]
    uris: tuple[str, ...]
    passages: int
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What memory says to a question."""

    text: str
    citations: tuple[Match, ...]
    """The evidence the text names, in the order of their marks."""
    abstained: bool
    """True when memory does not hold the answer."""
    regime: Regime
    trace: Mapping[str, Any] = field(default_factory=dict)
    """Seconds, tokens read and written, and how the evidence was chosen."""
