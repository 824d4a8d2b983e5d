"""Reads journals kept as .tsv tables: a date, a tab and what happened, one entry a line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.hookspecs import hookimpl
from secondme.records import Note, Skipped

if TYPE_CHECKING:
    import typer

TEMPLATE = "2024-06-01\tWalked to the lighthouse with Ines."


@hookimpl
def read_notes(path: Path, text: str) -> list[Note | Skipped] | None:
    """Return one note for each line of the table."""
    if path.suffix.lower() != ".tsv":
        return None
    lines = enumerate(text.split("\n"), start=1)
    return [read_line(f"{path}#L{number}", str(path), line) for number, line in lines if line.strip()]


def read_line(uri: str, thread: str, line: str) -> Note | Skipped:
    """Return the entry on `line`, or why there is none."""
    date, _, words = line.partition("\t")
    try:
        happened_at = datetime.fromisoformat(date.strip()).astimezone()
    except (ValueError, OverflowError):
        return Skipped(uri, "does not begin with a date such as 2024-06-01")
    if not words.strip():
        return Skipped(uri, "no text after the date")
    return Note(words.strip(), uri=uri, thread=thread, happened_at=happened_at, origin="file")


@hookimpl
def register_commands(app: typer.Typer) -> None:
    """Add `secondme tsv-template`."""
    import typer  # imported here: loading a plugin has to cost next to nothing

    @app.command("tsv-template")
    def tsv_template() -> None:
        """Print a line to start a .tsv journal with."""
        typer.echo(TEMPLATE)
