"""Reads plain text files, one note each."""

from __future__ import annotations

from pathlib import Path

from secondme.clean import one_line
from secondme.hookspecs import hookimpl
from secondme.ingest.dates import day_in, file_time
from secondme.records import Note

# Not .log: what programs write to themselves is no one's memory, and there is a lot of it.
SUFFIXES = {".txt", ".text", ".rst"}
TITLE_COLUMNS = 200


@hookimpl
def read_notes(path: Path, text: str) -> list[Note] | None:
    """Return the file as one note, named after the file and dated by its name, else by when it was last changed."""
    if path.suffix.lower() not in SUFFIXES:
        return None
    uri = str(path)
    happened_at = day_in(path.stem) or file_time(path)
    title = one_line(path.stem, TITLE_COLUMNS)
    return [Note(text=text, uri=uri, thread=uri, happened_at=happened_at, origin="file", title=title)]
