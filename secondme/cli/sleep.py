"""`secondme sleep`, `sleep status` and `sleep report`."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secondme.clean import clean
from secondme.cli import answering, intake
from secondme.cli.changes import change_record, change_set
from secondme.cli.options import Json, Plain, open_memory
from secondme.cli.output import Progress, can_ask, counted, duration, iso, minute, print_json, say
from secondme.errors import Locked, NoModel
from secondme.ids import number_in
from secondme.records import SleepReport
from secondme.shown import look_up

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.store.journal import Run

VERBS = {
    "keep": "facts kept",
    "repeat": "repeated",
    "merge": "merged",
    "supersede": "superseded",
    "conflict": "conflicting",
}
TOO_MANY = "more than"
"""How a night begins to say that more earlier facts would change than it may change unasked."""
ASLEEP = "another secondme is asleep over this memory"
NEXT = "when you run secondme sleep"

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show the change set; nothing is stored.")]
Seconds = Annotated[
    float | None, typer.Option("--budget-seconds", metavar="N", min=0, help="Stop after so many seconds.")
]
Tokens = Annotated[int | None, typer.Option("--budget-tokens", metavar="N", min=0, help="Stop after so many tokens.")]
Changes = Annotated[int | None, typer.Option("--max-changes", metavar="N", min=0, help="Stop after so many changes.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, however many earlier facts change.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(sleep)
    group.command("status")(status)
    group.command("report")(report)
    app.add_typer(group, name="sleep")


def sleep(  # noqa: PLR0913  each one is an option
    context: typer.Context,
    dry_run: DryRun = False,
    budget_seconds: Seconds = None,
    budget_tokens: Tokens = None,
    max_changes: Changes = None,
    yes: Yes = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Turn what was added since the last time into facts; `undo` takes it back."""
    if context.invoked_subcommand:
        return
    limits = {"budget_seconds": budget_seconds, "budget_tokens": budget_tokens, "max_changes": max_changes}
    with open_memory(context) as me:
        if dry_run:
            _rehearse(me, limits, yes=yes, json=json, plain=plain)
            return
        if me.store.digestion.waiting() and me.store.index.waiting():
            intake.fill_vectors(me)
        done = _run(me, limits, yes=yes)
        _print_report(done, json=json)
        while _asks_for_more(done) and not yes and not json and can_ask() and typer.confirm("go on?", err=True):
            yes, done = True, _run(me, _left(limits, done), yes=True)
            _print_report(done, json=json)
    raise typer.Exit(_exit_code(done))


def _rehearse(me: Assistant, limits: dict[str, Any], *, yes: bool, json: bool, plain: bool) -> None:
    with me.rehearsal() as copy:
        done = _run(copy, limits, yes=yes)
        changes = copy.store.journal.changes(number_in(done.run, "r")) if done.run else []
        shown = look_up(copy, changes)
    done = replace(done, run="", waiting=me.store.digestion.waiting())
    if json:
        print_json(**report_record(done), change_set=[change_record(one) for one in shown])
        return
    for one in shown:
        for line in change_set(one, plain=plain):
            print(line)
    if shown:
        print()
    _print_report(done, json=False)
    say("nothing was stored")


def _run(me: Assistant, limits: dict[str, Any], *, yes: bool) -> SleepReport:
    progress = Progress("passages")
    share = None if yes else me.config.sleep.max_share / 100
    if waiting := me.store.digestion.waiting():
        progress(0, waiting)  # a model is loaded and reads a few of them before the first one is done
    try:
        return me.sleep(**limits, max_share=share, progress=progress)
    except NoModel as error:
        raise NoModel(str(error), hint=_way_out(error)) from error
    finally:
        progress.close()


def _way_out(error: NoModel) -> str:
    with_pull = answering.with_way_out(error).hint.split("; ")
    ways = [hint for hint in with_pull if "--no-llm" not in hint]
    return "; ".join([*ways, "notes wait until then, and lose nothing"])


def _left(limits: dict[str, Any], done: SleepReport) -> dict[str, Any]:
    spent = {
        "budget_seconds": done.seconds,
        "budget_tokens": done.tokens,
        "max_changes": sum(done.changes.values()),
    }
    return {name: None if limit is None else max(limit - spent[name], 0) for name, limit in limits.items()}


def _asks_for_more(done: SleepReport) -> bool:
    return done.state == "stopped" and done.why.startswith(TOO_MANY)


def _exit_code(done: SleepReport) -> int:
    if _asks_for_more(done):
        say("hint: look first: secondme sleep --dry-run --yes; then go on: secondme sleep --yes")
        return 3
    return {"interrupted": 130, "failed": NoModel.exit_code}.get(done.state, 0)


def report_record(done: SleepReport) -> dict[str, Any]:
    """Return what a night did under the JSON keys that programs rely on."""
    return {
        **asdict(done),
        "why": clean(done.why),
        "tokens": done.tokens,
        "rejected": dict(done.rejected),
        "held": done.held,
    }


def _print_report(done: SleepReport, *, json: bool) -> None:
    if json:
        print_json(**report_record(done))
        return
    if not done.passages and done.state == "done" and not done.run:
        print("nothing waits, nothing is changed" if not done.waiting else f"{counted(done.waiting, 'passage')} wait")
        return
    for name, value in _rows(done):
        print(f"{name:<20}  {value}")
    if held := done.held:
        say(f"{counted(held, 'line')} held: others may have written what they say about you: secondme quarantine")


def _rows(done: SleepReport) -> list[tuple[str, str]]:
    read = f"{counted(done.passages, 'passage')} read in {duration(done.seconds)}"
    read += "" if done.changes else ", nothing changed"
    others = [(verb, count) for verb, count in done.changes.items() if verb not in VERBS]
    evaluated = f"{done.tokens_evaluated:,} evaluated of {done.tokens_sent:,} sent, {done.tokens_written:,} written"
    return [
        (f"{done.run or 'a night'} {done.state}", f"{read}{f'; {clean(done.why)}' if done.why else ''}"),
        *((name, f"{done.changes.get(verb, 0):,}") for verb, name in VERBS.items()),
        *((verb, f"{count:,}") for verb, count in others),
        ("rejected", f"{sum(done.rejected.values()):,}"),
        *((f"  {clean(reason)}", f"{count:,}") for reason, count in done.rejected.items()),
        ("calls", f"{done.calls:,}"),
        ("tokens", evaluated),
        ("seconds", f"{done.seconds:,.1f}"),
        ("waiting", f"{done.waiting:,}"),
    ]


def report(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="Such as r3; by default the last one.")] = "",
    json: Json = False,
) -> None:
    """Show what a night did: facts by verb, what was rejected and why, calls, tokens, seconds."""
    with open_memory(context) as me:
        done = me.sleep_report(run)
    _print_report(done, json=json)


def status(context: typer.Context, json: Json = False) -> None:
    """Show how much waits, what the last night did, when the next one is, and what keeps it from beginning."""
    with open_memory(context) as me:
        waiting, why_not = me.store.digestion.waiting(), _why_not(me)
        last = next(iter(me.store.journal.runs()), None)
        if last and last.state == "running" and ASLEEP not in why_not:
            last = replace(last, state="interrupted")  # by a crash, which the next night notes
        made = len(me.store.journal.changes(number_in(last.id, "r"))) if last else 0
    if json:
        print_json(waiting=waiting, last=_run_record(last, made) if last else None, next=NEXT, why_not=why_not)
        return
    told = f"{last.id} · {minute(last.started_at)} · {last.state} · {counted(made, 'change')}" if last else "none yet"
    rows = [("waiting", counted(waiting, "passage")), ("last", told), ("next", NEXT)]
    for name, value in [*rows, *(("why not", clean(why)) for why in why_not)]:
        print(f"{name:<8}  {value}")


def _run_record(run: Run, changes: int) -> dict[str, Any]:
    moments = {"started_at": iso(run.started_at), "ended_at": iso(run.ended_at)}
    return {"run": run.id, "state": run.state, **moments, "changes": changes}


def _why_not(me: Assistant) -> list[str]:
    """Return what keeps a night from beginning, or from having anything to do."""
    from secondme.locks import sleep_lock

    found = [] if me.store.digestion.waiting() else ["nothing waits"]
    try:
        with sleep_lock(me.paths):
            pass
    except Locked:
        found.append(ASLEEP)
    try:
        _find_model(me)
    except NoModel as error:
        found.append(str(error))
    return found


def _find_model(me: Assistant) -> None:
    """Make sure of a language model without loading the file of one. Raises NoModel."""
    from secondme.models.catalog import find_entry
    from secondme.models.checks import usable_model

    models = me.config.models
    if not models.endpoint and (find_entry(models.language) or models.language.endswith(".gguf")):
        usable_model(models.language, me.paths.models, trusted=models.trusted)
    else:
        me.model()
