"""Nights and their changes as the review shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from secondme.records import SleepReport, Source
from secondme.shown import Shown

if TYPE_CHECKING:
    from secondme.store.journal import Change, Run


@dataclass(frozen=True, slots=True)
class Seen:
    """A change as it is looked at, with the lines its fact rests on."""

    shown: Shown
    lines: Sequence[Source]
    """Those that this change brought come first."""

    @property
    def id(self) -> str:
        """The name of the change."""
        return self.shown.change.id


@dataclass(frozen=True, slots=True)
class Mark:
    """How a change of a night stands."""

    id: str
    state: str
    """What the user said of it or what became of it; "" where it is to be reviewed."""


@dataclass(frozen=True, slots=True)
class Night:
    """One night with as many of its changes as are shown at once."""

    run: Run
    report: SleepReport
    marks: Sequence[Mark]
    """All changes, in the order they were made."""
    page: Sequence[Seen]
    first: int
    """The place of the first one of the page among all."""
    earlier: str
    """The night before; "" where there is none."""
    later: str

    @property
    def unreviewed(self) -> int:
        """How many changes the user has said nothing on."""
        return sum(not mark.state for mark in self.marks)

    @property
    def standing(self) -> int:
        """How many changes were not taken back."""
        return sum(mark.state in ("", "accepted") for mark in self.marks)


@dataclass(frozen=True, slots=True)
class NoNight:
    """There was no night yet."""

    waiting: int
    """Passages to sleep over."""


def state_of(change: Change) -> str:
    """Return what became of a change: accepted, rejected, undone, or "" where it is to be reviewed."""
    if change.review == "rejected" or not change.undone_at:
        return change.review
    return "undone"
