"""What a note that was read may say of where it comes from."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from secondme.records import Note, Skipped

_SAID_HERE = ("typed", "chat", "mcp", "derived")
_OF_OTHERS = re.compile(r"(?:typed|mcp|derived|chat:\d{4}-\d\d-\d\d):|/")
"""How the names of what the user said begin, and of files: an item that took one would take its place."""


def as_read(item: Note | Skipped, path: Path) -> Note | Skipped:
    """Return what was read from a file as just that: no file makes words the user's own by claiming that they are."""
    if isinstance(item, Skipped):
        return item
    is_here = item.uri.startswith(str(path))
    uri = f"{path}#{item.uri}" if not is_here and _OF_OTHERS.match(item.uri) else item.uri
    is_claimed = item.origin in _SAID_HERE or (item.origin == "file" and not is_here)
    return replace(item, uri=uri, origin="import" if is_claimed else item.origin)
