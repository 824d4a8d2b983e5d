"""`secondme add`."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated

import typer

from secondme.cli import intake
from secondme.cli.options import Json, open_memory
from secondme.cli.output import print_json, report_masked, report_skipped, say
from secondme.errors import UsageError
from secondme.records import Added, Note

LISTED = 10
"""Up to so many ids are printed one by one."""

What = Annotated[
    list[str] | None,
    typer.Argument(metavar="TEXT|-|FILE|FOLDER", help="Words of one note, or - for stdin, or files and folders."),
]
Lines = Annotated[
    str,
    typer.Option(
        metavar="FILE", help="JSON lines, one message a line: text, uri, thread, author, happened_at. - for stdin."
    ),
]
At = Annotated[str, typer.Option(metavar="WHEN", help='When it happened: 2024-06-01, "last Tuesday". Texts only.')]
Who = Annotated[str, typer.Option(metavar="NAME", help="Who said it, if not you. Texts only.")]
Thread = Annotated[str, typer.Option(metavar="NAME", help="The conversation or diary it belongs to. Texts only.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(add)


def add(  # noqa: PLR0913  each one is an option
    context: typer.Context,
    what: What = None,
    jsonl: Lines = "",
    at: At = "",
    author: Who = "",
    thread: Thread = "",
    json: Json = False,
) -> None:
    """Remember a text, files, or whole folders of notes. Adding the same again adds nothing."""
    words = what or []
    if bool(words) == bool(jsonl):
        raise UsageError(
            "nothing to add" if not words else "either texts and files or --jsonl", hint="secondme add --help"
        )
    if jsonl or (words != [intake.STDIN] and intake.are_paths(words)):
        if at or author or thread:
            raise UsageError("--at, --author and --thread are for texts; files carry their own")
        done = _add_many(context, words, jsonl)
    else:
        note = _note(intake.text_of(words), at=at, author=author, thread=thread)
        done = _add_one(context, note)
    _report(done, json=json)


def _note(text: str, *, at: str, author: str, thread: str) -> Note:
    from secondme.clean import clean
    from secondme.clock import now, parse_moment

    # Checked before the memory is opened, so that nothing to store leaves no empty database behind.
    if not clean(text).strip():
        raise UsageError("nothing to store: the text is empty")
    return Note(text, author=author, thread=thread, happened_at=parse_moment(at, now=now()) if at else None)


def _add_one(context: typer.Context, note: Note) -> Added:
    with open_memory(context, create=True) as me:
        done = me.write([note])
    if done.skipped:
        raise UsageError(done.skipped[0].why)
    return done


def _add_many(context: typer.Context, paths: list[str], jsonl: str) -> Added:
    with open_memory(context, create=True) as me:
        if jsonl:
            return intake.store(me, intake.messages_in(jsonl, me.plugins))
        # Who names a file means it, and not what else may be in its folder.
        return intake.store(me, intake.notes_at(paths, me), named=not any(map(os.path.isdir, paths)))


def _report(done: Added, *, json: bool) -> None:
    if json:
        skipped = [{"what": item.what, "why": item.why} for item in done.skipped]
        masked = [asdict(one) for one in done.masked]
        print_json(ids=done.ids, added=done.added, known=done.known, skipped=skipped, masked=masked)
    elif len(done.ids) <= LISTED:
        for id in done.ids:
            print(id)
    else:
        print(f"{done.added:,} notes added, {done.known:,} already known ({done.ids[0]} to {done.ids[-1]})")
    if not json and done.ids and not done.added:
        say("already known, nothing added")
    report_masked(done.masked)
    report_skipped(done.skipped)
    if any(not item.is_harmless for item in done.skipped):
        raise typer.Exit(3)
