"""Reads a calendar: a note for each event, task and journal entry; a recurring one once for each time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from math import prod
from pathlib import Path
from typing import Any

from secondme.clean import one_line
from secondme.clock import now
from secondme.ingest.dates import file_time
from secondme.records import Note, Skipped
from secondme_plugins.html_page import NEEDED

BEFORE, AFTER = timedelta(days=2 * 365), timedelta(days=365)
"""How far from now a recurring event is followed."""
MOST_TIMES = 500
"""How often a recurring event is taken at most."""


MOST_A_DAY, MOST_COUNTED = 24, 200_000
"""How often a day an event may recur, and how often from its first time to the last one that is looked for."""
LONG = 1_000
"""Characters of a description that is kept with each time of an event; a longer one is kept once."""
_RESTLESS = {"SECONDLY", "MINUTELY", "HOURLY"}
"""Rules that nobody lives by: only the first time is taken, for the sake of those who wait for the rest."""


def read_calendar(path: Path) -> Iterator[Note | Skipped]:
    """Yield what is in a calendar, and what of it cannot be told."""
    try:
        from icalendar import Calendar
        from icalendar.error import InvalidCalendar
    except ImportError:
        yield Skipped(str(path), NEEDED)
        return
    try:
        found = Calendar.from_ical(path.read_bytes(), multiple=True)
    # The name of a time zone is looked for as a file, which may not be what its name can be.
    except (ValueError, InvalidCalendar, LookupError, TypeError, AttributeError, ArithmeticError, OSError) as error:
        yield Skipped(str(path), f"not a readable calendar: {type(error).__name__}")
        return
    for calendar in found:
        thread = f"calendar:{one_line(str(calendar.get('X-WR-CALNAME') or path.stem), 100)}"
        for number, item in enumerate(calendar.walk(), 1):
            if item.name in ("VEVENT", "VTODO", "VJOURNAL"):
                yield from _item(path, item, number, thread)


def _item(path: Path, item: Any, number: int, thread: str) -> Iterator[Note | Skipped]:
    uid = one_line(str(item.get("UID") or number), 200)
    where = f"{path}#{uid}"
    try:
        if str(item.get("STATUS") or "").upper() == "CANCELLED":
            yield Skipped(where, "cancelled", is_harmless=True)
        elif (rules := _listed(item.get("RRULE"))) and not any(_is_restless(rule, _start(item)) for rule in rules):
            yield from _times(path, item, uid, thread)
        elif note := _note(item, _start(item), uid=where, thread=thread, path=path):
            yield note
        else:
            yield Skipped(where, "nothing is said in it", is_harmless=True)
    # A value that is none of its type is found only when it is looked at.
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, IndexError) as error:
        yield Skipped(where, f"not a readable entry: {type(error).__name__}")


def _is_restless(rule: Any, first: datetime | None) -> bool:
    """True for a rule that gives more times than anybody could keep."""
    if _RESTLESS & {str(found).upper() for found in rule.get("FREQ", ())}:
        return True
    a_day = prod(len(_listed(rule.get(part))) or 1 for part in ("BYHOUR", "BYMINUTE", "BYSECOND"))
    days = (now() + AFTER - first).days if first else 0
    return a_day > MOST_A_DAY or a_day * days > MOST_COUNTED


def _times(path: Path, item: Any, uid: str, thread: str) -> Iterator[Note | Skipped]:
    """Yield a recurring event once for each time it takes place, around now."""
    import recurring_ical_events
    from icalendar import Calendar

    alone = Calendar()
    alone.add_component(item)
    begin, end = now() - BEFORE, now() + AFTER
    said = ""
    for count, one in enumerate(recurring_ical_events.of(alone, components=[item.name]).after(begin)):
        start = _start(one)
        if start is None or start > end:
            break
        if count == MOST_TIMES:
            yield Skipped(f"{path}#{uid}", f"only {MOST_TIMES} of its times are taken", is_harmless=True)
            return
        description = _description(one)
        is_said, said = len(description) > LONG and description == said, description
        where = f"{path}#{uid}/{start.astimezone(UTC):%Y%m%dT%H%M}"
        if note := _note(one, start, uid=where, thread=thread, path=path, is_said=is_said):
            yield note
    first = _start(item)
    if first is not None and first < begin:
        why = f"its times before {begin:%Y-%m-%d} are left out"
        yield Skipped(f"{path}#{uid}/earlier", why, is_harmless=True)


def _note(
    item: Any, start: datetime | None, *, uid: str, thread: str, path: Path, is_said: bool = False
) -> Note | None:
    """Return an entry as a note, without its description where that `is_said` already; None where it says nothing."""
    title = one_line(str(item.get("SUMMARY") or ""), 200)
    description = _description(item)
    if not title and not description:
        return None
    people = [_person(value) for value in _listed(item.get("ATTENDEE"))]
    facts = {
        "when": _span(item, start),
        "due": _day(item.get("DUE")),
        "where": one_line(str(item.get("LOCATION") or ""), 200),
        "with": ", ".join(person for person in people if person),
    }
    lines = [title or description[:80], *(f"{name}: {value}" for name, value in facts.items() if value)]
    text = "\n".join(lines) + (f"\n\n{description}" if description and not is_said else "")
    made = item.get("CREATED") or item.get("DTSTAMP")
    at = start or (_moment(made.dt) if made else None) or file_time(path)
    return Note(text, uid, thread, "", at, "import", title)


def _description(item: Any) -> str:
    return str(item.get("DESCRIPTION") or "").strip()


def _start(item: Any) -> datetime | None:
    found = item.get("DTSTART") or item.get("DUE")
    return _moment(found.dt) if found else None


def _moment(value: date | datetime) -> datetime:
    """Return a moment; a day begins at local midnight, and what names no zone is local time."""
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    return moment.astimezone()


def _span(item: Any, start: datetime | None) -> str:
    if start is None:
        return ""
    given = item.get("DTSTART")
    if given is not None and not isinstance(given.dt, datetime):
        return f"{start:%A %d %B %Y}, all day"
    end = item.get("DTEND")
    until = f" to {_moment(end.dt):%H:%M}" if end is not None and isinstance(end.dt, datetime) else ""
    return f"{start:%A %d %B %Y %H:%M}{until}"


def _day(value: Any) -> str:
    return f"{_moment(value.dt):%A %d %B %Y}" if value is not None else ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _person(value: Any) -> str:
    named = getattr(value, "params", {}).get("CN")
    return one_line(str(named or value), 100).removeprefix("mailto:").removeprefix("MAILTO:")
