"""Options that several commands share, and what they mean."""

from __future__ import annotations

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
    from secondme.moments import beginning_of, end_of, moment_of

    moment = now()
    return Filters(
        since=beginning_of(since, moment) if since else None,
        until=end_of(until, moment) if until else None,
        source=source,
        author=author,
        kind=kind or "",
        as_of=moment_of(as_of) if as_of else None,
    )


def open_memory(context: typer.Context, *, create: bool = False) -> Assistant:
    """Return the memory, open, with the plugins that are loaded already."""
    from secondme.assistant import Assistant

    me = Assistant.open(plugins=context.obj, create=create)
    if me.store.copied_to:
        say(f"the memory was brought up to date; as it was before, it is in {me.store.copied_to}")
    return me
