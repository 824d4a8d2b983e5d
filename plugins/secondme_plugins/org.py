"""Reads Org files, one note each."""

from __future__ import annotations

import re
from pathlib import Path

from secondme.clean import one_line
from secondme.hookspecs import hookimpl
from secondme.ingest.dates import date_in, day_in, file_time
from secondme.records import Note

TITLE_COLUMNS = 200
# These run where all files are read, so none may look at a line more than once: repetitions are possessive, and ends of
# lines are cut off without them.
_TITLE = re.compile(r"^#\+TITLE:[ \t]*+(.++)$", re.IGNORECASE | re.MULTILINE)
_DATE = re.compile(
    r"^#\+DATE:[ \t]*+[<\[]?([^>\]\n]++)|^[ \t]*+:CREATED:[ \t]*+[<\[]([^>\]\n]++)[>\]]", re.MULTILINE | re.I
)
_HEADLINE = re.compile(r"^\*++[ \t]++(?:(?:TODO|DONE)[ \t]++)?+(.++)$", re.MULTILINE)
_TAGS = re.compile(r":[\w:@]+:")


@hookimpl
def read_notes(path: Path, text: str) -> list[Note] | None:
    """Return the file as one note, titled and dated by its keywords, else by its first headline and its name."""
    if path.suffix.lower() != ".org":
        return None
    titled, dated = _TITLE.search(text), _DATE.search(text)
    title = one_line(titled[1] if titled else _headline(text), TITLE_COLUMNS) or path.stem
    given = date_in(dated[1] or dated[2]) if dated else None
    uri = str(path)
    at = given or day_in(path.stem) or file_time(path)
    return [Note(text=text, uri=uri, thread=uri, happened_at=at, origin="file", title=title)]


def _headline(text: str) -> str:
    """Return the words of the first headline, without its tags."""
    found = _HEADLINE.search(text)
    if found is None:
        return ""
    words, *last = found[1].rsplit(maxsplit=1)
    return words if last and _TAGS.fullmatch(last[0]) else found[1]
