"""Everything that is stored, as JSON lines, and back: lossless, and the same again adds nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import IO, Any, cast, get_args

from secondme.clean import clean
from secondme.clock import from_text, to_text
from secondme.exchanged import TYPES, moment_text, parse_mark
from secondme.ingest.segment import segment
from secondme.records import Added, Masked, Note, Origin, Skipped
from secondme.secrets import mask, masks_in
from secondme.store.carried import read_marks
from secondme.store.exchange import Version, add_versions, read_versions
from secondme.store.store import Store
from secondme.store.taking import Intake, Unusable

BATCH = 500
"""Lines per transaction."""
LONGEST = 64 * 2**20
"""Bytes of a line: more is not read into memory at once."""
_ROOM = 8 * 2**20
"""Bytes per transaction, where lines are long."""

_MAY_TELL = ("text", "answer", "name", "value")
"""What of lines that are no notes may hold a secret."""
_TEXTS = ("uri", "title", "text", "thread", "author")


@dataclass(frozen=True, slots=True)
class Imported(Added):
    """What an import did: with notes, and with all that is about them."""

    more: Mapping[str, int] = field(default_factory=dict)
    """How many lines of each other type were new."""


def export(store: Store) -> Generator[dict[str, Any], None, None]:
    """Yield one object for each version of each note, in the order they were stored, then all that is about them."""
    with store.reading():
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
        for item in read_marks(store):
            yield {"v": 1, **item}


def import_lines(
    store: Store,
    lines: Iterable[str | bytes],
    *,
    keep: Collection[str] = (),
    progress: Callable[[int], None] | None = None,
) -> Imported:
    """Store what exported lines hold, some hundred at a time; `skipped` names the lines that cannot be read.

    What is already here changes nothing. Where an item is current here and there with different texts, the one added
    later is current and the other becomes an earlier version. Secrets are masked, but for the kinds in `keep`; what
    rests on a note that held one is left out. `progress` is called with the lines done.
    """
    intake = _Import(store, keep)
    for batch in _batches(enumerate(lines, start=1)):
        intake.take(batch)
        if progress:
            progress(batch[-1][0])
    return intake.finish()


def read_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file, the beginning alone of one that is too long."""
    while line := file.readline(LONGEST + 1):
        yield line
        rest = line
        while len(rest) > LONGEST and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST + 1)


def _batches(numbered: Iterator[tuple[int, str | bytes]]) -> Iterator[list[tuple[int, str | bytes]]]:
    batch, size = [], 0
    for one in numbered:
        batch.append(one)
        size += len(one[1])
        if len(batch) == BATCH or size >= _ROOM:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class _Import:
    """One import, as far as it came."""

    def __init__(self, store: Store, keep: Collection[str]) -> None:
        self.store = store
        self.keep = keep
        self.masked: list[Masked] = []
        self._masked: set[str] = set()
        self.ids: list[str] = []
        self.known = 0
        self.more: Counter[str] = Counter()
        self.skipped: list[Skipped] = []
        self._intake: Intake | None = None

    def take(self, batch: Iterable[tuple[int, str | bytes]]) -> None:
        """Store what a few numbered lines hold."""
        versions: list[Version] = []
        marks: list[tuple[int, dict[str, Any]]] = []
        for number, line in batch:
            try:
                if not line.strip():
                    continue
                found = _read(line)
                if found["type"] == "note":
                    versions.append(self._masked_version(_parse(found)))
                else:
                    marks.append((number, self._masked_mark(parse_mark(found))))
            except Unusable as error:
                self._skip(number, error)
        # What is about notes comes after them, here and in the file.
        self._take_notes(versions)
        if marks:
            self._take_marks(marks)

    def _masked_version(self, version: Version) -> Version:
        text, title = (mask(one, keep=self.keep) for one in (version.note.text, version.note.title))
        if text != version.note.text:
            self._masked.add(text)
        return replace(version, note=replace(version.note, text=text, title=title))

    def _masked_mark(self, found: dict[str, Any]) -> dict[str, Any]:
        texts = {key: mask(found[key], keep=self.keep) for key in _MAY_TELL if isinstance(found.get(key), str)}
        return {**found, **texts}

    def _take_notes(self, versions: Sequence[Version]) -> None:
        prepared = [
            (v, [] if v.replaced_at else segment(v.note.text, markdown=v.note.origin != "chat")) for v in versions
        ]
        stored, forgotten = add_versions(self.store, prepared)
        self.skipped += forgotten
        self.ids += [f"n{id}" for id, _ in stored]
        # What comes masked already is no news.
        for id, was_known in stored if self._masked else ():
            note = None if was_known else self.store.note(id)
            self.masked += masks_in(note.text, f"n{id}") if note and note.text in self._masked else []
        self._masked.clear()
        self.known += sum(was_known for _, was_known in stored)

    def _take_marks(self, marks: Iterable[tuple[int, dict[str, Any]]]) -> None:
        with self.store.writing():
            self._intake = self._intake or Intake(self.store)
            for number, mark in marks:
                try:
                    self.more[mark["type"]] += self._intake.take(mark)
                except Unusable as error:
                    self._skip(number, error)
            self._intake.seal()

    def _skip(self, number: int, error: Unusable) -> None:
        self.skipped.append(Skipped(f"line {number}", str(error)))

    def finish(self) -> Imported:
        """Note what refers to later lines, and return what was done."""
        if self._intake:
            with self.store.writing():
                self._intake.finish()
        added = len(self.ids) - self.known
        masked = tuple(self.masked)
        return Imported(tuple(self.ids), added, self.known, tuple(self.skipped), masked, dict(+self.more))


def _read(line: str | bytes) -> dict[str, Any]:
    if len(line) > LONGEST:
        raise Unusable(f"longer than {LONGEST // 2**20} MB")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise Unusable("not a JSON object")
    if found.get("v") != 1:
        raise Unusable('only lines with "v": 1 can be read; a newer secondme may have written this')
    if found.get("type") not in TYPES:
        raise Unusable(f"type must be one of {', '.join(TYPES)}")
    return found


def _parse(found: Mapping[str, Any]) -> Version:
    if found.get("origin") not in get_args(Origin):
        raise Unusable(f"origin must be one of {', '.join(get_args(Origin))}")
    note = Note(
        **{name: clean(_text(found, name)) for name in _TEXTS},
        origin=cast(Origin, found["origin"]),
        happened_at=_moment(found, "happened_at"),
    )
    if not note.text.strip() or not note.uri:
        raise Unusable("text and uri must not be empty")
    replaced = None if found.get("replaced_at") is None else _moment(found, "replaced_at")
    return Version(replace(note, thread=note.thread or note.uri), _moment(found, "added_at"), replaced)


def _text(found: Mapping[str, Any], key: str) -> str:
    if not isinstance(value := found.get(key), str):
        raise Unusable(f"{key} must be text")
    return value


def _moment(found: Mapping[str, Any], key: str) -> datetime:
    try:
        return from_text(moment_text(found.get(key)))
    except ValueError as error:
        raise Unusable(f"{key} {error}") from error
