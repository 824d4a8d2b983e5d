"""Chats exported from WhatsApp, as text or as the archive that a phone shares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from secondme.hookspecs import hookimpl
from secondme.records import Note, Skipped


@hookimpl
def read_notes(path: Path, text: str) -> list[Note | Skipped] | None:
    """Return the messages of a chat, or None for a text that is none."""
    if path.suffix.lower() != ".txt":
        return None
    if not text:
        return []
    from secondme_plugins.whatsapp_chat import is_chat, read_chat

    return list(read_chat(path, text)) if is_chat(text) else None


@hookimpl
def read_document(path: Path) -> Iterator[Note | Skipped] | None:
    """Return the messages of the chat in an archive, or None for a file of another kind."""
    if path.suffix.lower() != ".zip" or not path.stem.lower().startswith("whatsapp chat"):
        return None
    from secondme_plugins.whatsapp_chat import read_archive

    return read_archive(path)
