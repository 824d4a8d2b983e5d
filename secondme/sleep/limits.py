"""What a night may cost and change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a night may cost and change; None is without limit."""

    seconds: float | None = None
    tokens: int | None = None
    changes: int | None = None
    share: float | None = None
    """The part of the facts there were before that may be superseded or merged."""

    def reached(self, *, seconds: float, tokens: int, changes: int) -> str:
        """Return which limit is reached, "" while none is."""
        if self.seconds is not None and seconds >= self.seconds:
            return f"the {self.seconds:g} seconds are up"
        if self.tokens is not None and tokens >= self.tokens:
            return f"the {self.tokens:,} tokens are spent"
        if self.changes is not None and changes >= self.changes:
            return f"the {self.changes:,} changes are made"
        return ""


class TooMuch(Exception):
    """A line would change more earlier facts than is allowed."""
