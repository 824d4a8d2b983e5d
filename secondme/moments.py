"""Moments and ends of times as people name them: a day, a month, "last March"."""

from __future__ import annotations

from datetime import datetime, timedelta

from secondme.clock import now, parse_moment


def moment_of(text: str) -> datetime:
    """Return the moment whose state of things is asked for, the last one of a day; raises UsageError for no date."""
    moment = now()
    # What begins with the next day is not so yet.
    is_whole = (end := end_of(text, moment)) != beginning_of(text, moment)
    return end - timedelta(seconds=1) if is_whole else end


def beginning_of(text: str, now: datetime) -> datetime:
    """Return the first moment of the time that `text` names; raises UsageError for no date."""
    return parse_moment(text, now=now)


def end_of(text: str, now: datetime) -> datetime:
    """Return the end of the time that `text` names, so that a day, month or year counts in full.

    Raises UsageError for no date.
    """
    from secondme.recall.when import find_ranges

    # Of "32 May 2024", the grammar of phrases would take the month.
    begin, words = beginning_of(text, now), text.strip()
    for candidate in (words, f"in {words}"):  # the preposition tells the grammar that "2024" is a year
        for found in find_ranges(candidate, now=now):
            if found.end is not None and found.span[1] == len(candidate):
                return found.end
    return begin
