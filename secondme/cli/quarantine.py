"""`secondme quarantine`: what is held back because it is not your own word."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secondme.clean import clean, one_line
from secondme.cli.options import Json, Plain, Source, open_memory
from secondme.cli.output import BOLD, DIM, counted, paint, print_json, say, snippet
from secondme.errors import UsageError
from secondme.places import place

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.records import Note
    from secondme.store.zones import Held, HeldNote

LISTED = 50
LONGEST = 300
WHOLE = "nothing of it is learned before you release it"

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Notes such as n12, to release or to hold.")]
Release = Annotated[bool, typer.Option("--release", help="Take these notes for your own words.")]
Hold = Annotated[bool, typer.Option("--hold", help="Take a release back, and what was learned about you by it.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Number = Annotated[int, typer.Option("-n", min=0, help="How many to list; 0 for all.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(quarantine)


def quarantine(  # noqa: PLR0913  each one is an option
    context: typer.Context,
    ids: Ids = None,
    release: Release = False,
    hold: Hold = False,
    source: Source = "",
    yes: Yes = False,
    number: Number = LISTED,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """List what is held back from your facts because others may have written it, and release it.

    A release is for the note as it is: when its file changes, its lines are held again.
    """
    if release and hold:
        raise UsageError("either --release or --hold")
    if (release or hold) and not (ids or source):
        raise UsageError("which notes?", hint="name them, or all of a folder or source with --source")
    if ids and not (release or hold):
        raise UsageError("what about these notes?", hint="--release or --hold")
    with open_memory(context) as me:
        if release:
            _release(me, ids or [], source, yes=yes)
        elif hold:
            _hold(me, ids or [], source)
        else:
            _list(me, source, number, json=json, plain=plain)


def _list(me: Assistant, source: str, number: int, *, json: bool, plain: bool) -> None:
    from secondme import quarantine
    from secondme.store.zones import released

    lines, notes = quarantine.held_lines(me, source=source), quarantine.held_notes(me, source=source)
    if json:
        ids = [f"n{id}" for id in released(me.store.db, source=source)]
        print_json(lines=list(map(_line_record, lines)), notes=list(map(_note_record, notes)), released=ids)
        return
    for line in lines[: number or None]:
        where = place(line.uri, line.line)
        print(f"{paint(f'n{line.note_id}', BOLD, plain=plain)} · {paint(one_line(where, LONGEST), DIM, plain=plain)}")
        print(f"  “{snippet(line.text)}”\n  {clean(line.why)}")
    for note in notes[: number or None]:
        parts = (note.origin, note.author, note.title, note.uri)
        head = " · ".join(one_line(part, LONGEST) for part in parts if part)
        print(f"{paint(f'n{note.note_id}', BOLD, plain=plain)} · {paint(head, DIM, plain=plain)}")
    if not lines and not notes:
        say("nothing is held")
        return
    say(f"{counted(len(lines), 'line')} and {counted(len(notes), 'whole note')} are held; all of them: -n 0")
    say("if a note is your own word: secondme quarantine --release ID")


def _line_record(line: Held) -> dict[str, Any]:
    where = {"id": f"n{line.note_id}", "uri": clean(line.uri), "line": line.line}
    return {**where, "text": clean(line.text), "why": line.why}


def _note_record(note: HeldNote) -> dict[str, Any]:
    names = {name: clean(getattr(note, name)) for name in ("uri", "origin", "author", "title")}
    return {"id": f"n{note.note_id}", **names, "why": WHOLE}


def _release(me: Assistant, ids: list[str], source: str, *, yes: bool) -> None:
    from secondme import quarantine

    notes = quarantine.to_release(me, ids, source=source)
    if not yes and not sys.stdin.isatty():
        raise UsageError("release makes these your own words and cannot ask here", hint="look at them, then --yes")
    for note in notes:
        _show(note)
    if not yes and not typer.confirm(f"are these {counted(len(notes), 'note')} all your own words?", err=True):
        say("nothing was released")
        raise typer.Exit(1)
    quarantine.release(me, notes)
    say(f"released {counted(len(notes), 'note')}; what they say is learned with the next secondme sleep")


def _show(note: Note) -> None:
    """Print a note as it is stored, byte for byte, between lines that say which it is."""
    size = len(note.text.encode())
    print(f"{note.id} · {one_line(note.uri, LONGEST)} · {size:,} bytes")
    print(clean(note.text), end="" if note.text.endswith("\n") else "\n")
    print(f"end of {note.id}")


def _hold(me: Assistant, ids: list[str], source: str) -> None:
    from secondme import quarantine

    notes = quarantine.to_hold(me, ids, source=source)
    gone, left = quarantine.hold(me, notes)
    say(f"held again: {' '.join(note.id for note in notes)}; {counted(len(gone), 'fact')} taken back")
    for id in left:
        say(f"{id} stays, as something later rests on it: secondme history {id}")
