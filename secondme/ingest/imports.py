"""Reads exports of other programs, in files that the user named, with the one reader that the user named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from secondme.config import Config
from secondme.errors import UsageError
from secondme.ingest.folder import Reader, walk
from secondme.ingest.prepare import prepare
from secondme.plugins import Plugins
from secondme.records import Added, Note, Skipped
from secondme.store.store import Store
from secondme.store.tombstones import forgotten_on


def notes_of_kind(kind: str, path: Path, *, plugins: Plugins, config: Config, home: Path) -> Iterator[Note | Skipped]:
    """Yield the notes in a file, or in the files of that kind in a folder, and what cannot be read.

    Raises UsageError for a kind that no plugin reads and a path where nothing is.
    """
    if kind not in (kinds := plugins.kinds()):
        raise UsageError(f"nothing reads {kind!r}", hint=f"one of {', '.join(kinds)}")
    if not path.exists():
        raise UsageError(f"no such file or folder: {path}")
    return _notes(path, plugins=plugins.only(kind), config=config, home=home)


def _notes(path: Path, *, plugins: Plugins, config: Config, home: Path) -> Iterator[Note | Skipped]:
    with Reader(plugins, config.ingest) as reader:
        if not path.is_dir():
            yield from reader.read(path, named=True)
            return
        for found in walk(path, ignore=config.ingest.ignore, home=home):
            yield from [found] if isinstance(found, Skipped) else reader.read(found)


def known_items(notes: Iterable[Note | Skipped], store: Store | None) -> Iterator[Note | Skipped]:
    """Yield the notes, an item that is known from another export under the name it has here.

    Exported again, a chat or mailbox has another file name and more in it. Its items, `FILE#ID`, are the same where
    they have the same id in the same conversation.
    """
    names: dict[str, dict[str, str]] = {}
    for note in notes:
        if isinstance(note, Skipped) or "#" not in note.uri:
            yield note
            continue
        if note.thread not in names:
            uris = store.uris_in(note.thread) if store else ()
            names[note.thread] = {uri.rpartition("#")[2]: uri for uri in uris if "#" in uri}
        yield replace(note, uri=names[note.thread].setdefault(note.uri.rpartition("#")[2], note.uri))


def rehearse(notes: Iterable[Note | Skipped], *, store: Store | None, config: Config) -> Added:
    """Return what storing notes would do, without ids; nothing is stored. `store` is None where there is none yet."""
    added: set[tuple[str, str]] = set()
    known, skipped = 0, []
    for note in notes:
        ready = note if isinstance(note, Skipped) else prepare(note, config)
        if isinstance(ready, Skipped):
            skipped.append(ready)
            continue
        uri, text = ready[0].uri, ready[0].text
        name = uri, hashlib.sha256(text.encode()).hexdigest()
        if moment := store and store.tombstones.since(ready[0]):
            skipped.append(Skipped(uri, forgotten_on(moment), True))
        elif name in added or (store and store.is_current(uri, text)):
            known += 1
        else:
            added.add(name)
    return Added((), len(added), known, tuple(skipped))
