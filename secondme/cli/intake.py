"""From the arguments of `add` to stored notes: which are texts, files or folders, in batches, with progress."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.cli.output import Progress, counted, say
from secondme.embedding import NONE_CONFIGURED
from secondme.errors import UsageError
from secondme.records import Added, Note, Skipped

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.plugins import Plugins

STDIN = "-"
BATCH = 200
"""Notes stored in one transaction: what an interruption may leave to be added again."""
_PATH_START = re.compile(r"(?:\.{1,2}|~)?/")
_NOTE_FILE = re.compile(r"\.(?:md|markdown|txt|text|org|rst|jsonl)$", re.IGNORECASE)
_ANY_FILE = re.compile(r"/[^/]*\.[a-z][a-z0-9]{0,7}$", re.IGNORECASE)


def are_paths(arguments: Sequence[str]) -> bool:
    """True if the arguments name files and folders, False if they are the words of a text.

    Raises UsageError where they are neither, such as the path of a file that does not exist.
    """
    existing = [argument for argument in arguments if os.path.lexists(argument)]  # a broken link is no text
    missing = [argument for argument in arguments if argument not in existing]
    meant = [argument for argument in missing if looks_like_path(argument)]
    if meant and not existing:
        raise UsageError(f"no such file or folder: {meant[0]}", hint='to add it as a text: echo "..." | secondme add -')
    plain = [argument for argument in missing if argument not in meant]
    if existing and plain:
        raise UsageError(
            f"{existing[0]} is a file or folder, {plain[0]!r} is not", hint='put a text into quotes: secondme add "..."'
        )
    return bool(existing)


def looks_like_path(argument: str) -> bool:
    """True if a person who writes this means a file, though there is none of that name."""
    if "://" in argument:
        return False
    if re.search(r"\s", argument):
        return bool(_PATH_START.match(argument) and _NOTE_FILE.search(argument))
    return bool(_PATH_START.match(argument) or _NOTE_FILE.search(argument) or _ANY_FILE.search(argument))


def text_of(words: Sequence[str]) -> str:
    """Return the text of the arguments or, for `-`, of stdin; raises UsageError."""
    if STDIN not in words:
        # Bytes of an argument that are no UTF-8 become marks: dropped without a trace they would be missed.
        return os.fsencode(" ".join(words)).decode("utf-8", "replace")
    if len(words) > 1:
        raise UsageError("- stands for all of stdin and takes no words beside it")
    return _decoded(sys.stdin.buffer.read(), "stdin")


def notes_at(paths: Iterable[str], me: Assistant) -> Iterator[Note | Skipped]:
    """Yield the notes in files and folders, and what cannot be read."""
    from secondme.ingest.folder import Reader, walk

    with Reader(me.plugins, me.config.ingest) as reader:
        for name in paths:
            if not os.path.lexists(name):
                yield Skipped(name, "no such file or folder")
            elif os.path.isdir(name):
                for found in walk(Path(name), ignore=me.config.ingest.ignore, home=me.paths.data):
                    yield from [found] if isinstance(found, Skipped) else reader.read(found)
            else:
                yield from reader.read(Path(name), named=True)


def messages_in(source: str, plugins: Plugins) -> list[Note | Skipped]:
    """Return the notes in JSON lines, one message a line, from a file of any name or size or, for `-`, from stdin."""
    if source == STDIN:
        read = _read_messages(sys.stdin.buffer.read(), "stdin", plugins)
        # A line without a uri is named after its place, and stdin is no place: content and date name it instead.
        unnamed = re.compile(r"stdin#L\d+")
        named = (
            replace(note, uri="") if isinstance(note, Note) and unnamed.fullmatch(note.uri) else note for note in read
        )
        return [replace(n, thread="") if isinstance(n, Note) and n.thread == "stdin" else n for n in named]
    path = os.path.realpath(source)
    try:
        return _read_messages(Path(path).read_bytes(), path, plugins)
    except OSError as error:
        raise UsageError(f"{source}: {(error.strerror or 'cannot be read').lower()}") from error


def _read_messages(data: bytes, name: str, plugins: Plugins) -> list[Note | Skipped]:
    from secondme.clean import clean

    text = clean(_decoded(data, name))
    suffix = "" if name.lower().endswith(".jsonl") else ".jsonl"
    found = plugins.read_notes(Path(name + suffix), text)
    if found is None:
        raise UsageError(
            "no plugin reads JSON lines", hint="secondme plugins; see plugins.disabled in the configuration"
        )
    if not suffix:
        return found
    # The reader goes by the suffix; what it names after the file gets the name the file has.
    ends = f"{name}{suffix}"
    return [
        replace(item, what=item.what.replace(ends, name))
        if isinstance(item, Skipped)
        else replace(item, uri=item.uri.replace(ends, name), thread=item.thread.replace(ends, name))
        for item in found
    ]


def _decoded(data: bytes, name: str) -> str:
    from secondme.ingest.folder import decode

    text = decode(data)
    if text is None:
        raise UsageError(f"{name} is not text")
    return text


def store(me: Assistant, notes: Iterable[Note | Skipped], *, named: bool = False) -> Added:
    """Store notes batch by batch and compute their vectors, with progress; an interruption loses no stored note.

    `named` says that the user named the very files, which lets in again what of them was forgotten.
    """
    done = Added()
    reading = Progress("notes")
    try:
        items = iter(notes)
        while batch := list(islice(items, BATCH)):
            added = me.write(batch, named=named)
            done = Added(
                done.ids + added.ids,
                done.added + added.added,
                done.known + added.known,
                done.skipped + added.skipped,
                done.masked + added.masked,
            )
            reading(len(done.ids), 0)
    except KeyboardInterrupt:
        reading.close()
        say(f"{counted(len(done.ids), 'note')} stored; add the same again to go on")
        raise
    reading.close()
    if done.added:
        fill_vectors(me)
    return done


def fill_vectors(me: Assistant) -> None:
    """Compute the vectors that are missing, with progress."""
    progress = Progress("vectors")
    try:
        me.embed_waiting(progress=progress)
    except KeyboardInterrupt:
        progress.close()
        waiting = counted(me.store.index.waiting(), "passage")
        say(f"all notes are stored and found by their words; the vectors of {waiting} follow later")
        raise
    progress.close()
    say_if_words_only(me.no_embedder)


def say_if_words_only(why: str) -> None:
    """Say why nothing is found by meaning, where there is a reason that the user did not choose."""
    if why and why != NONE_CONFIGURED:
        say(f"found by words only for now: {why}")
