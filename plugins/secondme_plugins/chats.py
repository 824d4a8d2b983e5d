"""What the readers of exported chats with assistants share: the file with the conversations, plain or in an archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from secondme.records import Skipped

LARGEST = 200 << 20
"""Bytes of JSON that fit the memory a reader has."""
HEAD = 4096
"""Bytes at the beginning of a file that tell whose export it is."""
NAME = "conversations.json"


def is_export(path: Path, mark: bytes) -> bool:
    """True if the file, or the one with the conversations in an archive, has `mark` in its first bytes."""
    if path.suffix.lower() not in (".json", ".zip"):
        return False
    import zipfile

    try:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(NAME) as member:
                return mark in member.read(HEAD)
        with path.open("rb") as file:
            return mark in file.read(HEAD)
    except (OSError, KeyError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
        return False


def conversations(path: Path) -> Iterator[dict[str, Any] | Skipped]:
    """Yield the conversations in an export, and what is none."""
    import zipfile

    try:
        content = _content(path)
        found = json.loads(content) if content is not None else None
    except (OSError, ValueError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
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
