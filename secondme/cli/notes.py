"""`secondme show`, `open`, `list` and `forget`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from secondme.clean import clean
from secondme.cli.changes import fact_lines, fact_record
from secondme.cli.options import Author, Json, Plain, Since, Source, Until, filters_of, open_memory
from secondme.cli.output import DIM, counted, note_head, note_line, note_record, paint, passage_record, print_json, say
from secondme.errors import UsageError
from secondme.ids import is_id
from secondme.records import Fact, Forgotten, Note, Passage

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids such as n12.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(show)
    app.command("open")(open_note)
    app.command("list")(list_notes)
    app.command()(forget)


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


def forget(
    context: typer.Context,
    ids: Ids,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove notes for good: every version, passage and index entry of them. Your files stay."""
    asks = not dry_run and not yes
    if asks and not sys.stdin.isatty():
        raise UsageError("forget removes notes for good and cannot ask here", hint="--dry-run shows what goes; --yes")
    with open_memory(context) as me:
        planned = me.forget(ids, dry_run=True)
        if asks or dry_run:
            _print_forgotten(planned)
        if asks and not typer.confirm("forget this for good?", err=True):
            say("nothing was removed")
            raise typer.Exit(1)
        if not dry_run:
            _print_forgotten(me.forget(ids))


def _print_forgotten(forgotten: Forgotten) -> None:
    verb = "would remove" if forgotten.dry_run else "removed"
    print(f"{verb} {' '.join(forgotten.ids)}: {counted(forgotten.passages, 'passage')}")
    for uri in forgotten.uris:
        print(f"  {clean(uri)}")
    if forgotten.facts:
        print(f"  {counted(len(forgotten.facts), 'fact')}: {' '.join(forgotten.facts)}")
    if forgotten.turns:
        print(f"  {counted(forgotten.turns, 'turn')} of conversations")
    for copy in forgotten.copies:
        print(f"  the copy of the whole memory at {clean(copy)}")
