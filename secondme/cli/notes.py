"""`secondme show`, `open` and `list`."""

from __future__ import annotations

from typing import Annotated

import typer

from secondme.clean import clean
from secondme.cli.changes import fact_lines, fact_record
from secondme.cli.options import Author, Json, Plain, Since, Source, Until, filters_of, open_memory
from secondme.cli.output import DIM, note_head, note_line, note_record, paint, passage_record, print_json, say
from secondme.ids import is_id
from secondme.records import Fact, Note, Passage

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids such as n12.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(show)
    app.command("open")(open_note)
    app.command("list")(list_notes)


def show(context: typer.Context, ids: Ids, json: Json = False, plain: Plain = False) -> None:
    """Show notes as they were written, one passage of a note (n12.3), or a fact with its lines (m7)."""
    with open_memory(context) as me:
        found = [me.facts([id])[0] if is_id(id, "m") else me.note(id) for id in ids]
    notes = [one for one in found if not isinstance(one, Fact)]
    facts = [fact_record(one) for one in found if isinstance(one, Fact)]
    if json:
        records = [passage_record(note, passage) if passage else note_record(note) for note, passage in notes]
        print_json(notes=records, facts=facts)
        return
    for number, one in enumerate(found):
        if number:
            print()
        if isinstance(one, Fact):
            print("\n".join(fact_lines(one, plain=plain)))
        else:
            _print_note(*one, plain=plain)


def _print_note(note: Note, passage: Passage | None, *, plain: bool) -> None:
    print(note_head(note, plain=plain))
    if passage is None:
        text = clean(note.text)
        print(text, end="" if text.endswith("\n") else "\n")
        return
    width = len(str(passage.span.line_end))
    for number, line in enumerate(clean(passage.span.text).split("\n"), start=passage.span.line_start):
        print(f"{paint(f'{number:>{width}}', DIM, plain=plain)}  {line}")


def open_note(context: typer.Context, id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Open the source of a note, passage or fact in $VISUAL or $EDITOR, at its line."""
    from secondme import editor

    with open_memory(context) as me:
        source = me.facts([id])[0].sources[0] if is_id(id, "m") else None
        note, passage = me.note(f"n{source.note_id}" if source else id)
    line = source.line_start if source else passage.span.line_start if passage else 1
    editor.open_source(note, line=line)


def list_notes(  # noqa: PLR0913  each one is an option
    context: typer.Context,
    number: Annotated[int, typer.Option("-n", min=0, help="How many; 0 for all.")] = 20,
    since: Since = "",
    until: Until = "",
    source: Source = "",
    author: Author = "",
    json: Json = False,
    plain: Plain = False,
) -> None:
    """List notes, the newest first."""
    filters = filters_of(since, until, source, author)
    with open_memory(context) as me:
        notes = list(me.notes(filters, limit=number or -1))
    if json:
        print_json(notes=[note_record(note) for note in notes])
    for note in () if json else notes:
        print(note_line(note, plain=plain))
    if not notes:
        say("nothing found")
        raise typer.Exit(1)
