"""`secondme review`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from secondme.cli.changes import change_record, fact_lines
from secondme.cli.options import Json, Plain, open_memory
from secondme.cli.output import BOLD, can_ask, counted, paint, print_json, say
from secondme.errors import NotFound, UsageError
from secondme.ids import number_in
from secondme.shown import Shown, look_up

if TYPE_CHECKING:
    from secondme.assistant import Assistant

QUESTION = "accept, reject, edit, skip or quit? [a/r/e/s/q]"
DONE = {"a": "accepted", "r": "rejected", "e": "edited", "s": "skipped"}

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Such as r3; by default the last one.")]
Accept = Annotated[str, typer.Option("--accept", metavar="IDS", help="Accept these changes, such as c1,c2.")]
Reject = Annotated[str, typer.Option("--reject", metavar="IDS", help="Reject these changes for good.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(review)


def review(
    context: typer.Context,
    run: RunId = "",
    accept: Accept = "",
    reject: Reject = "",
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Go through the changes of a night with the lines they rest on: accept, reject, edit."""
    if run and (accept or reject):
        raise UsageError("either a run to go through or --accept and --reject", hint="secondme review --help")
    with open_memory(context) as me:
        if accept or reject:
            _decide(me, _ids(accept), _ids(reject), json=json)
            return
        from secondme.review import run_of, unreviewed

        chosen = run_of(me, run)
        shown = look_up(me, unreviewed(me, chosen.id))
        if json:
            print_json(run=chosen.id, changes=[change_record(one) for one in shown])
        elif not shown:
            say(f"nothing is left to review in {chosen.id}")
        elif can_ask():
            _walk(me, shown, plain=plain)
        else:
            for number, one in enumerate(shown, start=1):
                _print_change(one, number, len(shown), plain=plain)


def _ids(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _decide(me: Assistant, accepted: list[str], rejected: list[str], *, json: bool) -> None:
    """Accept and reject changes; none of them where one does not exist."""
    if not (accepted or rejected):
        raise UsageError("no change is named", hint="name them like c1,c2; secondme log lists them")
    if both := set(accepted) & set(rejected):
        raise UsageError(f"{min(both)} cannot be both accepted and rejected")
    for id in (*accepted, *rejected):
        me.store.journal.change(number_in(id, "c"))
    for id in accepted:
        me.accept(id)
    # The last one first: earlier ones may have been what it rests on.
    for id in sorted(rejected, key=lambda id: -number_in(id, "c")):
        me.reject(id)
    if json:
        print_json(accepted=accepted, rejected=rejected)
        return
    for verb, ids in (("accepted", accepted), ("rejected", rejected)):
        for id in ids:
            print(f"{id} {verb}")


def _walk(me: Assistant, listed: list[Shown], *, plain: bool) -> None:
    """Ask about one change after the other; what is decided is stored at once."""
    done = Counter[str]()
    for number, before in enumerate(listed, start=1):
        # What was decided before may have touched this one.
        [one] = look_up(me, [me.store.journal.change(number_in(before.change.id, "c"))])
        _print_change(one, number, len(listed), plain=plain)
        while not (answer := _answer(me, one)):
            pass
        if answer == "q":
            break
        done[DONE[answer]] += 1
    left = len(listed) - sum(done.values()) + done["skipped"]
    told = [f"{done[verb]} {verb}" for verb in ("accepted", "rejected", "edited") if done[verb]]
    say(", ".join([*told, f"{counted(left, 'change')} left to review"]))


def _answer(me: Assistant, one: Shown) -> str:
    """Do what the user says about a change and return the letter of it, "" where it has to be asked again."""
    answer: str = typer.prompt(QUESTION, default="s", show_default=False, err=True).strip().lower()[:1]
    try:
        match answer:
            case "a":
                me.accept(one.change.id)
            case "r":
                me.reject(one.change.id)
            case "e":
                made = me.edit(
                    one.change.id, typer.prompt("the fact in your words", default="", show_default=False, err=True)
                )
                say(f"{made.fact} stands in the place of {one.change.fact}; undo it with: secondme undo {made.id}")
            case "s" | "q":
                pass
            case _:
                say("a accepts it, r takes it back for good, e puts it in your words, s goes on, q leaves")
                return ""
    except (NotFound, UsageError) as error:
        say(f"{error}{f'; {error.hint}' if error.hint else ''}")
        return ""
    return answer


def _print_change(one: Shown, number: int, total: int, *, plain: bool) -> None:
    if number > 1:
        print()
    print(f"{paint(one.change.id, BOLD, plain=plain)} ({number} of {total}) {one.change.verb}: {one.change.reason}")
    groups = (("", (one.fact,)), ("in the place of", one.replaced), ("against", one.against))
    for title, facts in groups:
        if title and facts:
            print(f"  {title}")
        for fact in facts:
            for line in fact_lines(fact, plain=plain) if fact else ():
                print(f"  {line}")
