"""Whether the daemon is told to rest: kept in the memory itself, so that it holds with or without a running daemon."""

from __future__ import annotations

from datetime import datetime

from secondme.clock import from_text, to_text
from secondme.store.store import Store

KEY = "paused_until"
FOR_EVER = "resumed"
"""What is kept where no end was given."""


def pause(store: Store, until: datetime | None) -> None:
    """Have nothing done in the background until a moment, or until `resume` where it is None."""
    store.set_meta(KEY, to_text(until) if until else FOR_EVER)


def resume(store: Store) -> None:
    """Let work be done again."""
    store.set_meta(KEY, "")


def paused(store: Store, now: datetime) -> str:
    """Return until when all rests, in words; "" while nothing does."""
    found = store.meta(KEY)
    if not found:
        return ""
    if found == FOR_EVER:
        return "until you resume"
    until = from_text(found)
    return f"until {until.astimezone():%Y-%m-%d %H:%M}" if until > now else ""
