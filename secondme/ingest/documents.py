"""Reads files that are not plain text or not to be trusted, in a process with limits: a bomb in one costs only that."""

from __future__ import annotations

import hashlib
import io
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast, get_args

from secondme import frames
from secondme.clean import clean
from secondme.config import IngestConfig
from secondme.records import Note, Origin, Skipped

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SILENCE = 60.0
"""Seconds after which a reader that says nothing is ended."""
MOST_NOTES = 100_000
"""Notes in a file that nobody named; the rest is left out."""
_BLOCK = 1 << 20


class ChildDied(Exception):
    """The reader of a file was ended by a limit or by its own fault; what came before that has been given out."""


def read_in_child(path: Path, *, only: str = "", is_named: bool = False) -> Iterator[Note | Skipped]:
    """Yield the notes in a file, read by the plugin `only` or whichever claims it. Raises ChildDied.

    `is_named` says that the user named this very file: it may be of any length, but takes no more memory than others.
    """
    command = [sys.executable, "-m", "secondme.ingest.child", os.fspath(path), only, "named" if is_named else ""]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdout is not None
    try:
        stream = cast("BinaryIO", io.BufferedReader(_Patient(child.stdout.fileno())))
        for at, message in enumerate(_messages(child, stream)):
            if at == MOST_NOTES and not is_named:
                yield Skipped(str(path), f"only its first {MOST_NOTES:,} items are taken")
                return
            yield _item(message, path)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def notes_in_document(path: Path, *, config: IngestConfig) -> Iterator[Note | Skipped]:
    """Yield the notes in a file that stayed the same while it was read, and what could not be read."""
    before = stat_of(path, config.max_document_bytes)
    if isinstance(before, Skipped):
        yield before
        return
    try:
        yield from read_in_child(path)
    except ChildDied as error:
        yield Skipped(str(path), str(error))


def stat_of(path: Path, limit: int) -> os.stat_result | Skipped:
    """Return the state of a regular file of at most `limit` bytes, or why it is not taken."""
    from secondme.ingest.folder import irregular

    try:
        found = os.lstat(path)
    except OSError as error:
        return Skipped(str(path), (error.strerror or "cannot be read").lower())
    if why := irregular(path, found):
        return Skipped(str(path), why)
    if found.st_size > limit:
        return Skipped(str(path), f"larger than {limit:,} bytes")
    return found


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex. Raises OSError."""
    digest = hashlib.sha256()
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


class _Patient(io.RawIOBase):
    """A pipe that is read only while something comes at least now and then."""

    def __init__(self, number: int) -> None:
        self._number = number

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        if not select.select([self._number], [], [], SILENCE)[0]:
            raise ChildDied(f"its reader said nothing for {SILENCE:.0f} s")
        view = memoryview(buffer)
        found = os.read(self._number, len(view))
        view[: len(found)] = found
        return len(found)


def _messages(child: subprocess.Popen[bytes], stream: BinaryIO) -> Iterator[frames.Message]:
    while True:
        try:
            message = frames.read(stream)
        except frames.BadFrame as error:
            raise ChildDied("its reader wrote something that is no note") from error
        if message is None:
            code = child.wait()
            raise ChildDied(f"its reader was ended by signal {-code}" if code < 0 else f"its reader failed ({code})")
        if message.get("end"):
            return
        yield message


def _item(message: frames.Message, path: Path) -> Note | Skipped:
    match message:
        case {"skipped": [str(what), str(why)]}:
            return Skipped(clean(what), clean(why))
        case {"note": [str(text), str(uri), str(thread), str(author), str() | None as at, str(origin), str(title)]}:
            moment = datetime.fromisoformat(at) if at else None
            if origin in get_args(Origin):
                return Note(
                    clean(text), clean(uri), clean(thread), clean(author), moment, cast("Origin", origin), clean(title)
                )
    raise ChildDied(f"its reader wrote something that is no note: {path}")
