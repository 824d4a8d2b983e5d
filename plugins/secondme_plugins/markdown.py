"""Reads Markdown files, one note each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from secondme.clean import one_line
from secondme.hookspecs import hookimpl
from secondme.ingest.blocks import opening_heading
from secondme.ingest.dates import date_in, day_in, file_time
from secondme.ingest.frontmatter import front_matter
from secondme.records import Note

SUFFIXES = {".md", ".markdown"}
TITLE_COLUMNS = 200


@hookimpl
def read_notes(path: Path, text: str) -> list[Note] | None:
    """Return the file as one note, titled and dated by its front matter, else by the heading on top and its name."""
    if path.suffix.lower() not in SUFFIXES:
        return None
    properties = front_matter(text)
    title = _first_text(properties.get("title")) or opening_heading(text) or path.stem
    given = (date_in(_first_text(properties.get(key))) for key in ("date", "created"))
    happened_at = next((moment for moment in given if moment), None) or day_in(path.stem) or file_time(path)
    uri = str(path)
    title = one_line(title, TITLE_COLUMNS)
    return [Note(text=text, uri=uri, thread=uri, happened_at=happened_at, origin="file", title=title)]


def _first_text(value: Any) -> str:
    # `created: [[2024-06-01]]` is a link to a daily note, which YAML takes for a list in a list.
    while isinstance(value, list) and value:
        value = value[0]
    return value.strip() if isinstance(value, str) else ""
