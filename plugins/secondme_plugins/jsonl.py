"""Reads chat logs in JSON lines: one message a line with text, and optionally uri, thread, author and happened_at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from secondme.clean import clean
from secondme.hookspecs import hookimpl
from secondme.ingest.dates import file_time
from secondme.records import Note, Skipped

_TEXT_KEYS = ("uri", "thread", "author", "title")


@hookimpl
def read_notes(path: Path, text: str) -> list[Note | Skipped] | None:
    """Return one note for each line; a line that is no message is skipped and named by its number."""
    if path.suffix.lower() != ".jsonl":
        return None
    found = list(_read_lines(path, text))
    skipped = [item for item in found if isinstance(item, Skipped)]
    if len(skipped) == len(found) > 1:
        return [Skipped(str(path), f"none of its {len(found)} lines is a message: {skipped[0].why}")]
    return found


def _read_lines(path: Path, text: str) -> Iterator[Note | Skipped]:
    changed = file_time(path)
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}#L{number}"
        try:
            yield _read_message(json.loads(line), where=where, path=path, changed=changed)
        except json.JSONDecodeError as error:
            yield Skipped(where, f"not json: {error.msg.lower()} at column {error.colno}")
        except RecursionError:
            yield Skipped(where, "nested too deeply")
        except ValueError as error:
            yield Skipped(where, str(error))


def _read_message(message: Any, *, where: str, path: Path, changed: datetime | None) -> Note:
    if not isinstance(message, dict):
        raise ValueError("not an object")
    text = message.get("text")
    if not isinstance(text, str) or not clean(text).strip():
        raise ValueError("no text")
    for key in _TEXT_KEYS:
        if not isinstance(message.get(key) or "", str):
            raise ValueError(f"{key} is not text")
    uri, thread, author, title = (clean(message.get(key) or "") for key in _TEXT_KEYS)
    happened_at = _read_moment(message.get("happened_at")) or changed
    return Note(
        text=clean(text),
        uri=uri or where,
        thread=thread or str(path),
        author=author,
        happened_at=happened_at,
        origin="import",
        title=title,
    )


def _read_moment(value: Any) -> datetime | None:
    """Return the moment of an ISO text or of seconds since 1970; local time where it names no zone."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            return datetime.fromisoformat(value.strip()).astimezone()
    except (ValueError, OverflowError, OSError):
        pass  # said below, for every kind of value alike
    raise ValueError(f"happened_at is not a date: {str(value)[:40]!r}")
