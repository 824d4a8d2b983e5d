"""Everything that is stored, as JSON lines, and back: lossless, and the same again adds nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, cast, get_args

from secondme.clean import clean
from secondme.clock import to_text
from secondme.ingest.segment import segment
from secondme.records import Added, Note, Origin, Skipped
from secondme.store.exchange import Version, add_versions, read_versions
from secondme.store.store import Store

BATCH = 500
"""Lines per transaction."""

_TEXTS = ("uri", "title", "text", "thread", "author")


class _Unusable(Exception):
    """A line that holds no note, and why."""


def export(store: Store) -> Iterator[dict[str, Any]]:
    """Yield one object for each version of each note, in the order they were stored."""
    for version in read_versions(store):
        note = version.note
        assert note.happened_at is not None
        yield {
            "v": 1,
            "type": "note",
            **{name: getattr(note, name) for name in _TEXTS},
            "origin": note.origin,
            "happened_at": to_text(note.happened_at),
            "added_at": to_text(version.added_at),
            "replaced_at": to_text(version.replaced_at) if version.replaced_at else None,
        }


def import_lines(store: Store, lines: Iterable[str | bytes], *, progress: Callable[[int], None] | None = None) -> Added:
    """Store the notes of exported lines, some hundred at a time; `skipped` names the lines that cannot be read.

    A version that is already here changes nothing. Where an item is current here and there with different texts, the
    one added later is current and the other becomes an earlier version. `progress` is called with the lines done.
    """
    ids: list[str] = []
    skipped: list[Skipped] = []
    known = done = 0
    numbered = enumerate(lines, start=1)
    while batch := list(islice(numbered, BATCH)):
        versions = []
        for number, line in batch:
            try:
                if line.strip():
                    versions.append(_parse(line))
            except _Unusable as error:
                skipped.append(Skipped(f"line {number}", str(error)))
        prepared = [
            (v, [] if v.replaced_at else segment(v.note.text, markdown=v.note.origin != "chat")) for v in versions
        ]
        stored, forgotten = add_versions(store, prepared)
        skipped += forgotten
        ids += [f"n{id}" for id, _ in stored]
        known += sum(was_known for _, was_known in stored)
        done += len(batch)
        if progress:
            progress(done)
    return Added(tuple(ids), len(ids) - known, known, tuple(skipped))


def _parse(line: str | bytes) -> Version:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _Unusable(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise _Unusable("not a JSON object")
    if found.get("v") != 1:
        raise _Unusable('only lines with "v": 1 can be read; a newer secondme may have written this')
    if found.get("type") != "note":
        raise _Unusable('only lines with "type": "note" can be read')
    if found.get("origin") not in get_args(Origin):
        raise _Unusable(f"origin must be one of {', '.join(get_args(Origin))}")
    note = Note(
        **{name: clean(_text(found, name)) for name in _TEXTS},
        origin=cast(Origin, found["origin"]),
        happened_at=_moment(found, "happened_at"),
    )
    if not note.text.strip() or not note.uri:
        raise _Unusable("text and uri must not be empty")
    replaced = None if found.get("replaced_at") is None else _moment(found, "replaced_at")
    return Version(replace(note, thread=note.thread or note.uri), _moment(found, "added_at"), replaced)


def _text(found: Mapping[str, Any], key: str) -> str:
    if not isinstance(value := found.get(key), str):
        raise _Unusable(f"{key} must be text")
    return value


def _moment(found: Mapping[str, Any], key: str) -> datetime:
    text = _text(found, key)
    try:
        moment = datetime.fromisoformat(text)
        to_text(moment)
    except (ValueError, OverflowError) as error:
        raise _Unusable(f"{key} is not a date") from error
    if moment.tzinfo is None:
        raise _Unusable(f"{key} has no time zone")
    return moment
