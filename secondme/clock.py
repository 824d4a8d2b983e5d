"""The clock: what time it is, and moments as text."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta

from secondme.errors import ConfigError, UsageError

_CLOCK_TIME = re.compile(
    r"(?:^|[\s,]+)(?P<at>at\s+)?(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2}))?\s*(?P<half>am|pm)?$", re.IGNORECASE
)
_HINT = 'write a date such as 2024-06-01, "2024-06-01 14:30" or "last Tuesday"'


def now() -> datetime:
    """Return the current moment in UTC, or the one SECONDME_NOW fixes (ISO; without a zone it is local time)."""
    fixed = os.environ.get("SECONDME_NOW")
    if not fixed:
        return datetime.now(UTC)
    try:
        return _as_utc(datetime.fromisoformat(fixed.strip()))
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"SECONDME_NOW is not a date: {fixed!r}", hint="write it as 2024-06-01T14:30:00Z") from error


def parse_moment(text: str, *, now: datetime) -> datetime:
    """Return the moment (UTC) a person means by `text`: an ISO date or time, or the start of a time phrase.

    What names no zone is local time. Raises UsageError.
    """
    words = text.strip()
    if words.lower() == "now":
        return _as_utc(now)
    moment = _read_iso(words) or _read_phrase(words, now)
    if moment is None:
        clock = _CLOCK_TIME.search(words)
        time = _read_clock_time(clock) if clock else None
        if clock and time is not None:
            moment = _read_phrase(words[: clock.start()].strip() or "today", now)
            moment = _at_time(moment, time) if moment else None
    if moment is None:
        raise UsageError(f"not a date or time: {text.strip()[:80]!r}", hint=_HINT)
    return moment


def to_text(moment: datetime) -> str:
    """Return `moment` as UTC text of fixed width, such as 2024-06-01T00:00:00Z, which sorts as time does."""
    return _as_utc(moment).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def from_text(text: str) -> datetime:
    """Return the moment that `to_text` wrote."""
    return _as_utc(datetime.fromisoformat(text))


def _as_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)  # astimezone() takes a moment without a zone for local time


def _read_iso(words: str) -> datetime | None:
    try:
        return _as_utc(datetime.fromisoformat(words))
    except (ValueError, OverflowError):
        return None


def _read_phrase(words: str, now: datetime) -> datetime | None:
    # Imported here: the grammar of phrases is not needed where dates are ISO, which is nearly always.
    from secondme.recall.when import read_moment

    return read_moment(re.sub(r"^(?:in|on|at)\s+", "", words, flags=re.IGNORECASE), now=now)


def _read_clock_time(match: re.Match[str]) -> timedelta | None:
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), (match["half"] or "").lower()
    if not (match["at"] or match["minute"] or half):
        return None
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return timedelta(hours=hour, minutes=minute) if hour < 24 and minute < 60 else None


def _at_time(moment: datetime, time: timedelta) -> datetime:
    day = moment.astimezone().replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    return _as_utc(day + time)
