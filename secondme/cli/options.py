"""Options that several commands share, and what they mean."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from secondme.cli.output import say
from secondme.records import Filters

if TYPE_CHECKING:
    from secondme.assistant import Assistant

Since = Annotated[str, typer.Option(metavar="WHEN", help='Only from then on: 2024-06-01, "last March".')]
Until = Annotated[str, typer.Option(metavar="WHEN", help="Only up to then, the day itself included.")]
Source = Annotated[str, typer.Option(metavar="TEXT", help="Only where the path, uri or thread has this in it.")]
Author = Annotated[str, typer.Option(metavar="NAME", help="Only what this person said or wrote.")]
Kind = Annotated[Literal["passage", "fact"] | None, typer.Option(help="Only this kind.")]
AsOf = Annotated[str, typer.Option(metavar="DATE", help="What held and was known then: 2024-06-01, that day included.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Plain = Annotated[bool, typer.Option("--plain", help="No colours.")]


def filters_of(since: str, until: str, source: str, author: str, kind: str | None = None, as_of: str = "") -> Filters:
    """Return the filters the options ask for; raises UsageError for what is no date."""
    from secondme.clock import now

    moment = now()
    return Filters(
        since=_since(since, moment) if since else None,
        until=_until(until, moment) if until else None,
        source=source,
        author=author,
        kind=kind or "",
        as_of=moment_of(as_of),
    )


def moment_of(as_of: str) -> datetime | None:
    """Return the moment whose state of things is asked for, the last one of a day; raises UsageError for no date."""
    from secondme.clock import now

    if not as_of:
        return None
    moment = now()
    # What begins with the next day is not so yet.
    is_whole = (end := _until(as_of, moment)) != _since(as_of, moment)
    return end - timedelta(seconds=1) if is_whole else end


def open_memory(context: typer.Context, *, create: bool = False) -> Assistant:
    """Return the memory, open, with the plugins that are loaded already."""
    from secondme.assistant import Assistant

    me = Assistant.open(plugins=context.obj, create=create)
    if me.store.copied_to:
        say(f"the memory was brought up to date; as it was before, it is in {me.store.copied_to}")
    return me


def _since(text: str, now: datetime) -> datetime:
    from secondme.clock import parse_moment

    return parse_moment(text, now=now)


def _until(text: str, now: datetime) -> datetime:
    """Return the end of the time that `text` names, so that a day, month or year counts in full."""
    from secondme.recall.when import find_ranges

    words = text.strip()
    for candidate in (words, f"in {words}"):  # the preposition tells the grammar that "2024" is a year
        for found in find_ranges(candidate, now=now):
            if found.end is not None and found.span[1] == len(candidate):
                return found.end
    return _since(text, now)
