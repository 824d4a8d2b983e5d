"""When a file was written, as far as its properties, its name and the file system tell."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_/.]?)(\d\d)\2(\d\d)(?!\d)")


def date_in(text: str) -> datetime | None:
    """Return the moment `text` gives: an ISO date and time, else its first day. Local time where it names no zone."""
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError):
        return day_in(text)


def day_in(text: str) -> datetime | None:
    """Return the beginning of the first day in `text`, written as 2024-06-01, 2024_06_01 or 20240601, or None."""
    for found in _DAY.finditer(text):
        try:
            return datetime(int(found[1]), int(found[3]), int(found[4])).astimezone()
        except ValueError:
            continue  # 2024-13-45 is no day
    return None


def file_time(path: Path) -> datetime | None:
    """Return when the file was last changed, or None when there is no such file or its time is no date."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    except (OSError, ValueError, OverflowError):
        return None
