"""`secondme log` and `undo`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from secondme.cli.changes import change_line, change_record
from secondme.cli.options import Json, Plain, open_memory
from secondme.cli.output import BOLD, DIM, can_ask, counted, iso, minute, paint, print_json, say
from secondme.errors import UsageError
from secondme.ids import is_id, number_in
from secondme.shown import Shown, look_up

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.store.journal import Change, Run

LISTED = 20

Number = Annotated[int | None, typer.Option("-n", min=0, help="How many changes, the last first; 0 for all.")]
OnlyRun = Annotated[str, typer.Option("--run", metavar="RUN", help="Only this run, such as r3, with all it changed.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("log")(show_log)
    app.command()(undo)


def show_log(
    context: typer.Context, number: Number = None, run: OnlyRun = "", json: Json = False, plain: Plain = False
) -> None:
    """List what every sleep has changed, with ids that can be undone, the last first."""
    with open_memory(context) as me:
        journal = me.store.journal
        runs = [journal.run(number_in(run, "r"))] if run else journal.runs()
        changes = journal.changes(number_in(run, "r") if run else None)[::-1]
        limit = (0 if run else LISTED) if number is None else number
        listed = changes[:limit] if limit else changes
        shown = look_up(me, listed)
    named = {one.run for one in listed}
    # A night that changed nothing is told as well, if it is not older than what is listed.
    since = min((number_in(id, "r") for id in named), default=0) if len(listed) < len(changes) else 0
    runs = [one for one in runs if number_in(one.id, "r") >= since]
    if json:
        print_json(runs=[_run_record(one) for one in runs], changes=[change_record(one) for one in shown])
        return
    for one in runs:
        _print_run(one, changes, shown, plain=plain)
    if len(listed) < len(changes):
        say(f"{len(listed):,} of {counted(len(changes), 'change')}; all of them: secondme log -n 0")
    if not runs:
        say("it has not slept yet: secondme sleep")


def _print_run(run: Run, changes: list[Change], shown: list[Shown], *, plain: bool) -> None:
    made = counted(sum(one.run == run.id for one in changes), "change")
    rest = " · ".join(part for part in (minute(run.started_at), run.state, run.model, made) if part)
    print(f"{paint(run.id, BOLD, plain=plain)} · {paint(rest, DIM, plain=plain)}")
    for one in shown:
        if one.change.run == run.id:
            print(f"  {change_line(one, plain=plain)}")


def _run_record(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "state": run.state,
        "model": run.model,
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "report": dict(run.report),
    }


def undo(
    context: typer.Context,
    id: Annotated[str, typer.Argument(metavar="RUN|CHANGE", help="Such as r3 or c12; secondme log lists them.")],
    yes: Yes = False,
    plain: Plain = False,
) -> None:
    """Take back a run of sleep or one change of it, exactly."""
    with open_memory(context) as me:
        shown = _standing(me, id)
        if is_id(id, "r") and not yes:
            if not can_ask():
                raise UsageError(f"undo takes back all of {id} and cannot ask here", hint=f"secondme undo {id} --yes")
            if not typer.confirm(f"take back {counted(len(shown), 'change')} of {id}?", err=True):
                say("nothing was taken back")
                raise typer.Exit(1)
        undone = {change.id for change in me.undo(id)}
    print(f"took back {id}" + (f": {counted(len(undone), 'change')}" if is_id(id, "r") else ""))
    for one in shown:
        if one.change.id in undone:
            print(f"  {change_line(one, plain=plain)}")


def _standing(me: Assistant, id: str) -> list[Shown]:
    """Return what would be taken back, the last change first, as it looks while it stands."""
    journal = me.store.journal
    if is_id(id, "c"):
        return look_up(me, [journal.change(number_in(id, "c"))])
    run = journal.run(number_in(id, "r"))
    changes = journal.changes(number_in(run.id, "r"))[::-1]
    return look_up(me, [change for change in changes if not change.undone_at])
