"""What a note that was read may say of where it comes from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from secondme.records import Note, Skipped

_SAID_HERE = ("typed", "chat", "mcp", "derived")


def as_read(item: Note | Skipped, path: Path) -> Note | Skipped:
    """Return what was read from a file as just that: no file makes words the user's own by claiming that they are."""
    if isinstance(item, Skipped):
        return item
    is_elsewhere = item.origin == "file" and not item.uri.startswith(str(path))
    return replace(item, origin="import") if item.origin in _SAID_HERE or is_elsewhere else item
