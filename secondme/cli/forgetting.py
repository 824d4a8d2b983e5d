"""`secondme forget`: what goes is shown and asked about, what went is told, and what cannot be reached as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from secondme.chat.lines import forgotten_lines
from secondme.clean import clean
from secondme.cli.options import Json, Source, open_memory
from secondme.cli.output import can_ask, counted, note_line, print_json, say
from secondme.errors import IntegrityError, Locked, UsageError

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.forgetting import Choice
    from secondme.records import Forgotten
    from secondme.traces import Trace

LISTED = 20
"""So many notes are listed one by one before it is asked about them."""
BEYOND = (
    "beyond our reach, where there are such: snapshots of the file system, backups of your disk, the history of your "
    "shell, copies and exports made by other means; and freed blocks of a disk can be read until they are used again"
)

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Ids such as n12.")]
Query = Annotated[str, typer.Option(metavar="WORDS", help="Notes that have each of these words, as whole words.")]
Between = Annotated[
    tuple[str, str],
    typer.Option(metavar="DAY DAY", help="What happened on these days and between: 2024-06-01 2024-06-30."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Verify = Annotated[
    str, typer.Option(metavar="WORD", help="Remove nothing; look for this everywhere, and say where it is.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(forget)


def forget(  # noqa: PLR0913  each one is an option
    context: typer.Context,
    ids: Ids = None,
    query: Query = "",
    source: Source = "",
    between: Between = ("", ""),
    dry_run: DryRun = False,
    yes: Yes = False,
    verify: Verify = "",
    json: Json = False,
) -> None:
    """Remove notes for good, here and in all copies, with all that tells of them. Your files stay. There is no undo."""
    choice = _choice(query, source, between)
    if sum(map(bool, (ids, choice, verify))) != 1:
        raise UsageError(
            "say what: ids, or --query, --source, --between, or --verify WORD", hint="secondme forget --help"
        )
    asks = not dry_run and not yes and not verify
    if asks and not can_ask():
        raise UsageError("forget removes notes for good and cannot ask here", hint="--dry-run shows what goes; --yes")
    with open_memory(context) as me:
        if verify:
            _verify(me, verify, json=json)
            return
        _forget(me, _chosen(me, ids, choice, json=json), dry_run=dry_run, asks=asks, json=json)


def _choice(query: str, source: str, between: tuple[str, str]) -> Choice | None:
    from secondme.clock import now
    from secondme.forgetting import Choice
    from secondme.moments import beginning_of, end_of

    first, last = between
    if not (query or source or first or last):
        return None
    if bool(first) != bool(last):
        raise UsageError("--between takes two days")
    moment = now()
    since, until = (beginning_of(first, moment), end_of(last, moment)) if first else (None, None)
    return Choice(query, source, since, until)


def _chosen(me: Assistant, ids: list[str] | None, choice: Choice | None, *, json: bool) -> list[str]:
    from secondme.forgetting import chosen

    if choice is None:
        return ids or []
    found = chosen(me, choice)
    for id in () if json else found[:LISTED]:
        print(note_line(me.note(id)[0]))
    if more := len(found[LISTED:]):
        say(f"and {counted(more, 'more note')}: secondme list")
    return found


def _forget(me: Assistant, ids: list[str], *, dry_run: bool, asks: bool, json: bool) -> None:
    if asks or dry_run:
        planned = me.forget(ids, dry_run=True)
        if not json or asks:
            (say if json else print)(forgotten_lines(planned))
        if asks and not typer.confirm("forget this for good? It cannot be taken back", err=True):
            say("nothing was removed")
            raise typer.Exit(1)
    done = planned if dry_run else me.forget(ids)
    if json:
        print_json(**_record(done))
    elif not dry_run:
        print(forgotten_lines(done))
    say(BEYOND)
    if done.left:
        _wake_daemon()
        raise Locked(done.left, hint="the daemon removes it then, or run: secondme forget --verify WORD")


def _wake_daemon() -> None:
    from secondme.cli.pausing import tell_daemon

    tell_daemon()


def _record(done: Forgotten) -> dict[str, Any]:
    """Return what a forget did under its JSON keys."""
    copies = [{"path": clean(c.path), "became": c.became, "notes": c.notes, "why": clean(c.why)} for c in done.copies]
    return {
        "dry_run": done.dry_run,
        "ids": done.ids,
        "uris": [clean(uri) for uri in done.uris],
        "passages": done.passages,
        "facts": done.facts,
        "turns": done.turns,
        "names": done.names,
        "pages": done.pages,
        "copies": copies,
        "files": [clean(path) for path in done.files],
        "left": done.left,
    }


def _verify(me: Assistant, word: str, *, json: bool) -> None:
    from secondme.traces import traces_of

    places = traces_of(me, word)
    if json:
        print_json(clean=not any(one.found for one in places), places=[_trace_record(one) for one in places])
    for one in () if json else places:
        found = f"FOUND {one.found:,} times" if one.found else "not found"
        print(f"{found} · {clean(one.place)}: {one.looked_at}")
    if found_in := [one for one in places if one.found]:
        raise IntegrityError(f"it is in {counted(len(found_in), 'place')}", hint="secondme forget --query finds notes")
    if any(one.unread for one in places):
        say("it was not found, but not all could be looked into")
        raise typer.Exit(3)
    say("nothing is left of it here; this command may be in the history of your shell")


def _trace_record(one: Trace) -> dict[str, Any]:
    return {"place": clean(one.place), "looked_at": one.looked_at, "found": one.found, "unread": one.unread}
