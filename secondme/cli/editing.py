"""`secondme edit` and `secondme pin`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from secondme.cli.options import open_memory
from secondme.cli.output import say
from secondme.ids import is_id

if TYPE_CHECKING:
    from secondme.assistant import Assistant

Id = Annotated[str, typer.Argument(metavar="ID", help="Such as n12, or m7 for a fact.")]
Text = Annotated[list[str] | None, typer.Argument(metavar="[TEXT]", help="The new text; without it, an editor opens.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(edit)
    app.command()(pin)


def edit(context: typer.Context, id: Id, text: Text = None) -> None:
    """Put another text in the place of what you typed, or of a fact; the earlier one is kept."""
    from secondme.editor import edit_text
    from secondme.review import typed

    with open_memory(context) as me:
        # What cannot be changed is refused before an editor opens.
        before = me.facts([id])[0].text if is_id(id, "m") else typed(me, id).text
        after = " ".join(text) if text else edit_text(before, name=id).rstrip("\n")
        if after.strip() == before.strip():
            say("nothing was changed")
            raise typer.Exit(1)
        print(_changed(me, id, after))


def _changed(me: Assistant, id: str, text: str) -> str:
    if not is_id(id, "m"):
        return me.rewrite(id, text).id
    return me.edit(id, text).fact


def pin(
    context: typer.Context,
    id: Id,
    off: Annotated[bool, typer.Option("--off", help="Let go of it.")] = False,
) -> None:
    """Show a note or fact first, and let no night retire it."""
    with open_memory(context) as me:
        me.pin(id, is_pinned=not off)
    say(f"{id} is {'no longer ' if off else ''}pinned")
