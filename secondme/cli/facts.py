"""`secondme facts` and `history`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from secondme.cli.changes import fact_lines, fact_record
from secondme.cli.options import AsOf, Json, Plain, open_memory
from secondme.cli.output import counted, print_json, say

if TYPE_CHECKING:
    from datetime import datetime

    from secondme.assistant import Assistant
    from secondme.records import Fact

LISTED = 50

About = Annotated[str, typer.Option("--about", metavar="TEXT", help="Only those about this, the best first.")]
Number = Annotated[int, typer.Option("-n", min=0, help="How many; 0 for all.")]
All = Annotated[bool, typer.Option("--all", help="Those that hold no longer as well.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("facts")(list_facts)
    app.command()(history)


def list_facts(  # noqa: PLR0913  each one is an option
    context: typer.Context,
    about: About = "",
    as_of: AsOf = "",
    number: Number = LISTED,
    everything: All = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """List the facts that hold, with what they rest on, the newest first."""
    from secondme.moments import moment_of

    moment = moment_of(as_of) if as_of else None
    with open_memory(context) as me:
        found = _facts(me, about, as_of=moment, everything=everything)
        waiting = me.store.digestion.waiting()
    listed = found[:number] if number else found
    if json:
        print_json(facts=[fact_record(fact) for fact in listed])
    for fact in () if json else listed:
        for line in fact_lines(fact, plain=plain):
            print(line)
    if len(listed) < len(found):
        say(f"{len(listed):,} of {counted(len(found), 'fact')}; all of them: -n 0")
    if not found:
        say(f"nothing found; {counted(waiting, 'passage')} for secondme sleep to read" if waiting else "nothing found")
        raise typer.Exit(1)


def _facts(me: Assistant, about: str, *, as_of: datetime | None, everything: bool) -> list[Fact]:
    """Return facts, the newest first or, where they are to be about something, the best first."""
    from secondme.recall.words import content_words

    _, count = me.store.facts.extent()
    if everything:
        every = me.store.facts.all()
        words = me.store.facts.matching(content_words(about), limit=max(len(every), 1))
        return me.store.facts.get(words) if about.strip() else every[::-1]
    found = me.current_facts(about, as_of=as_of, k=max(count, 1) if about.strip() else None)
    return found if about.strip() else found[::-1]


def history(
    context: typer.Context,
    id: Annotated[str, typer.Argument(metavar="ID", help="A fact, such as m7.")],
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Show a fact over time: what was so before and after it, since when, until when, and who said it."""
    with open_memory(context) as me:
        found = me.history(id)
    if json:
        print_json(id=id, facts=[fact_record(fact) for fact in found])
        return
    for fact in found:
        for line in fact_lines(fact, plain=plain):
            print(line)
