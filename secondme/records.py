"""The records everything else is about: what is stored, what is found, what is answered. No IO here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Origin = Literal["typed", "file", "chat", "import", "clip", "mcp", "derived"]
Kind = Literal["passage", "fact"]
Regime = Literal["none", "everything", "retrieval", "abstained"]
FactKind = Literal["semantic", "episodic", "preference", "procedure"]
Stance = Literal["evidence", "inference"]
Trust = Literal["own", "quoted"]

HELD = "about you, in a text that is not yours"
UNNAMED = "about nobody named, in a text that is not yours"
HELD_REASONS = (HELD, UNNAMED)
"""Why a line is held: nothing is learned of it before its note is released."""


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
    as_of: datetime | None = None
    """The moment whose state of things is asked for; now when None."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An input that was not stored, and why."""

    what: str
    why: str
    is_harmless: bool = False
    """Nothing that should be there is missing: it is said, and does not count as a failure."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A place where a secret was masked."""

    id: str
    """Of the note."""
    kind: str
    """The kind of secret, such as aws-key."""
    line: int
    """Counted from 1."""


@dataclass(frozen=True, slots=True)
class Added:
    """What an add did. `ids` names every accepted note, in the order given, new or already known."""

    ids: tuple[str, ...] = ()
    added: int = 0
    known: int = 0
    skipped: tuple[Skipped, ...] = ()
    masked: tuple[Masked, ...] = ()
    """Where secrets were masked in what was added."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the whole memory that held what was forgotten, or cannot be looked into."""

    path: str
    became: Literal["cleaned", "deleted", "out of reach"]
    """What became of it, or would; one whose tables are older cannot be cleaned, and is deleted."""
    notes: int = 0
    """How many versions of notes were in it."""
    why: str = ""
    """Why it is out of reach."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a forget removed, or would remove."""

    ids: tuple[str, ...]
    """All versions of the notes."""
    uris: tuple[str, ...]
    passages: int
    dry_run: bool
    facts: tuple[str, ...] = ()
    """The facts in the words of these notes."""
    copies: tuple[Copy, ...] = ()
    turns: int = 0
    """How many turns of conversations said them, quoted them or were answered from them."""
    names: int = 0
    """How many conversations lost a name that told of them."""
    files: tuple[str, ...] = ()
    """The user's own files that they were read from, and that are still there."""
    left: str = ""
    """Why bytes of them are still on the disk; "" where none are."""
    pages: int = 0
    """How many pages of the language model go with them."""


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


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact comes from: a stretch of a note."""

    note_id: int
    start: int
    """First byte in the UTF-8 text of the note."""
    end: int
    """Byte after the last."""
    line_start: int
    line_end: int
    quote: str
    """Exactly the bytes `start:end`, decoded."""
    uri: str
    thread: str
    author: str
    happened_at: datetime
    origin: Origin
    trust: Trust = "quoted"
    """"own" for the user's own words, "quoted" for those of others."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement that stands alone, distilled from notes during sleep, with the lines it rests on."""

    id: str
    """`m7`."""
    kind: FactKind
    stance: Stance
    """"evidence" where a source says it in these words, "inference" where a model worded it."""
    text: str
    subject: str
    """Whom or what it is about, in lower case; "" where no rule could tell."""
    attribute: str
    """What of the subject it states, such as "lives in"; "" where no rule could tell."""
    value: str
    valid_from: datetime | None
    """Since when it holds; None where it is not known."""
    valid_to: datetime | None
    """Until when it held (exclusive); None while it holds."""
    recorded_at: datetime
    retired_at: datetime | None
    """When another fact took its place; None for a current one."""
    superseded_by: str
    conflicts: tuple[str, ...]
    """Facts that cannot hold at the same time as this one, where time does not tell which does."""
    confidence: float
    sources: tuple[Source, ...]

    @property
    def trust(self) -> Trust:
        """The lowest trust of the lines it rests on."""
        return "own" if self.sources and all(one.trust == "own" for one in self.sources) else "quoted"


@dataclass(frozen=True, slots=True)
class SleepReport:
    """What a night did."""

    run: str
    """`r3`; empty where there was nothing to do or the night was only tried out."""
    state: str
    """"done", or why it ended before: "stopped" at a limit, "interrupted", "failed"."""
    why: str
    """What stopped it; empty where all was read."""
    passages: int
    """How many were read."""
    waiting: int
    """How many are left."""
    changes: Mapping[str, int]
    """How many changes of each verb: keep, repeat, merge, supersede, conflict."""
    rejected: Mapping[str, int]
    """How many lines did not become facts, by reason."""
    calls: int
    """Questions put to the model."""
    tokens_sent: int
    tokens_evaluated: int
    """Less than sent: what is the same in all questions is read once."""
    tokens_written: int
    seconds: float

    @property
    def tokens(self) -> int:
        """What the model read and wrote."""
        return self.tokens_evaluated + self.tokens_written

    @property
    def held(self) -> int:
        """How many lines speak of the user, or of nobody named, in texts that are not the user's."""
        return sum(count for reason, count in self.rejected.items() if reason in HELD_REASONS)
