"""What is decided about a new fact, and what is known of the facts it is decided against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from secondme.sleep.statements import Statement

QUOTED = 1
"""The trust of what is not the user's own word."""


@dataclass(frozen=True, slots=True)
class Known:
    """A fact that may bear on another one; `decide` takes the new fact as one, too."""

    id: int
    text: str
    statement: Statement | None
    said_at: datetime
    trust: int
    """3 the user, 2 other people as the user tells it, 1 what is quoted."""
    valid_from: datetime | None
    valid_to: datetime | None
    is_current: bool
    is_event: bool = False
    """What happened stays true whatever comes after it."""


@dataclass(frozen=True, slots=True)
class Keep:
    """It stands beside what is known."""

    valid_from: datetime | None
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class Repeat:
    """It says again what is known: only evidence is added."""

    of: int


@dataclass(frozen=True, slots=True)
class Merge:
    """It says the same and more: it takes the place of the old one, whose time it inherits."""

    old: int
    is_alone: bool = False
    """True if it rests on its own line only: the user's own words need no others, nor their time."""


@dataclass(frozen=True, slots=True)
class Supersede:
    """It ends what held before, or is itself a past value told late."""

    olds: tuple[int, ...]
    closes_at: datetime
    """Where the intervals of the old ones end."""
    valid_from: datetime | None
    valid_to: datetime | None
    by: int | None
    """The known fact that comes after it, where it was said too late to be the current one."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """It cannot hold beside these, and time does not tell which does: all stay."""

    others: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Echo:
    """Quoted words say what is known from the user's own: nothing is added to that."""

    of: int


Verdict = Keep | Repeat | Merge | Supersede | Conflict


def interval_of(known: Known) -> tuple[datetime | None, datetime | None]:
    """Return since when and until when it holds, as far as it is known."""
    statement = known.statement
    first = known.valid_from or (statement.valid_from if statement else None)
    last = known.valid_to or (statement.valid_to if statement else None)
    return first, last


def start_of(known: Known) -> datetime:
    """Return since when it holds, or when it was said."""
    return interval_of(known)[0] or known.said_at


def is_over(known: Known) -> bool:
    """True if the words themselves say that it held only up to some moment before they were said."""
    last = interval_of(known)[1]
    return last is not None and last <= known.said_at
