"""Reads Org files, one note each."""

from __future__ import annotations

import re
from pathlib import Path

from secondme.clean import one_line
from secondme.hookspecs import hookimpl
from secondme.ingest.dates import date_in, day_in, file_time
from secondme.records import Note

TITLE_COLUMNS = 200
_TITLE = re.compile(r"^#\+TITLE:[ \t]*(.+)$", re.IGNORECASE | re.MULTILINE)
_DATE = re.compile(
    r"^#\+DATE:[ \t]*[<\[]?(.+?)[>\]]?[ \t]*$|^[ \t]*:CREATED:[ \t]*[<\[](.+?)[>\]]", re.MULTILINE | re.I
)
_HEADLINE = re.compile(r"^\*+[ \t]+(?:TODO[ \t]+|DONE[ \t]+)?(.+?)(?:[ \t]+:[\w:@]+:)?[ \t]*$", re.MULTILINE)


@hookimpl
def read_notes(path: Path, text: str) -> list[Note] | None:
    """Return the file as one note, titled and dated by its keywords, else by its first headline and its name."""
    if path.suffix.lower() != ".org":
        return None
    titled, dated = _TITLE.search(text) or _HEADLINE.search(text), _DATE.search(text)
    title = one_line(titled[1], TITLE_COLUMNS) if titled else path.stem
    given = date_in(dated[1] or dated[2]) if dated else None
    uri = str(path)
    at = given or day_in(path.stem) or file_time(path)
    return [Note(text=text, uri=uri, thread=uri, happened_at=at, origin="file", title=title)]
