"""Calendars: events, tasks and journal entries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from secondme.hookspecs import hookimpl
from secondme.records import Note, Skipped


@hookimpl
def read_document(path: Path) -> Iterator[Note | Skipped] | None:
    """Return what is in the calendar, or None for a file of another kind."""
    if path.suffix.lower() not in (".ics", ".ical"):
        return None
    from secondme_plugins.ics_calendar import read_calendar

    return read_calendar(path)
