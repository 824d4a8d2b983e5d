"""Web pages: one note each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from secondme.hookspecs import hookimpl
from secondme.records import Note, Skipped

SUFFIXES = {".html", ".htm", ".xhtml"}


@hookimpl
def read_document(path: Path) -> Iterator[Note | Skipped] | None:
    """Return the page as one note, or None for a file of another kind."""
    if path.suffix.lower() not in SUFFIXES:
        return None
    from secondme_plugins.html_page import read_page

    return read_page(path)
