"""What the readers of exported chats with assistants share: the file with the conversations, plain or in an archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from secondme.records import Skipped
from secondme_plugins.heads import beginning, beginning_in_archive

LARGEST = 200 << 20
"""Bytes of JSON that fit the memory a reader has."""
HEAD = 4096
"""Bytes at the beginning of a file that tell whose export it is."""
NAME = "conversations.json"


def is_export(path: Path, mark: bytes) -> bool:
    """True if the file, or the one with the conversations in an archive, has `mark` in its first bytes.

    This is asked of every file, so it neither waits for one nor takes one apart.
    """
    match path.suffix.lower():
        case ".json":
            return mark in beginning(path, HEAD)
        case ".zip":
            found = beginning_in_archive(path, NAME, HEAD)
            # Where it is there and cannot be read, reading it says so.
            return found is not None and (not found or mark in found)
    return False


def conversations(path: Path) -> Iterator[dict[str, Any] | Skipped]:
    """Yield the conversations in an export, and what is none."""
    from secondme_plugins.archives import BROKEN

    try:
        content = _content(path)
    except BROKEN:
        yield Skipped(str(path), "not a readable archive")
        return
    except OSError as error:
        yield Skipped(str(path), (error.strerror or "cannot be read").lower())
        return
    try:
        found = json.loads(content) if content is not None else None
    except ValueError as error:
        yield Skipped(str(path), f"not a readable export: {type(error).__name__}")
        return
    if found is None:
        yield Skipped(str(path), f"more than {LARGEST >> 20} MB of conversations do not fit the memory of a reader")
        return
    for number, one in enumerate(found if isinstance(found, list) else [found], 1):
        yield one if isinstance(one, dict) else Skipped(f"{path}#{number}", "not a conversation")


def _content(path: Path) -> bytes | None:
    import zipfile

    if path.suffix.lower() != ".zip":
        return path.read_bytes() if path.stat().st_size <= LARGEST else None
    with zipfile.ZipFile(path) as archive, archive.open(NAME) as file:
        content = file.read(LARGEST + 1)
        return content if len(content) <= LARGEST else None


def digest(content: bytes) -> str:
    """Return a name for an item that has none of its own, made of what is in it."""
    import hashlib  # every command loads the readers, and few read a file with them

    return hashlib.sha256(content).hexdigest()[:16]


def moment(value: Any) -> datetime | None:
    """Return the moment of an ISO text or of seconds since 1970, None where it is neither."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass  # an export with a broken date is read all the same
    return None


def text_in(parts: Any) -> str:
    """Return the text among the parts of a message: strings, and blocks that hold one."""
    found = []
    for part in parts if isinstance(parts, list) else [parts]:
        text = part.get("text") if isinstance(part, dict) and part.get("type", "text") == "text" else part
        if isinstance(text, str) and text.strip():
            found.append(text.strip())
    return "\n\n".join(found)
