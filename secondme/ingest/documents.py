"""Reads files that are not plain text or not to be trusted, in a process with limits: a bomb in one costs only that."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast, get_args

from secondme import frames
from secondme.clean import clean
from secondme.config import IngestConfig
from secondme.ingest.origins import as_read
from secondme.records import Note, Origin, Skipped

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed import WriteableBuffer

SILENCE = 60.0
"""Seconds after which a reader that says nothing is ended."""
PROCESSOR = 60
"""Seconds of computing a file may take that nobody named."""
STEP = 0.5
"""Seconds after which it is noticed at the latest that reading has to stop."""
FILES_PER_CHILD = 200
"""A process that has read so many makes room for a new one: libraries lose memory."""
MOST_NOTES = 100_000
"""Notes in a file that nobody named; the rest is left out."""
MOST_TEXT = 64 << 20
"""Bytes of text in a file that nobody named; the rest is left out."""
_ENDINGS: dict[int, str] = {
    signal.SIGXCPU: "it took too much time",
    # Libraries end themselves, and the system ends a process, where there is no more memory.
    signal.SIGABRT: "it took too much memory",
    signal.SIGKILL: "it took too much memory",
}
_BLOCK = 1 << 20


class ChildDied(Exception):
    """The reader of a file was ended by a limit or by its own fault; what came before that has been given out."""


class Stopped(Exception):
    """Reading was given up because it was told to stop."""


class Documents:
    """Reads documents one after the other in a process of its own, which is started at the first."""

    def __init__(self, config: IngestConfig, *, only: str = "", stop: Callable[[], bool] = lambda: False) -> None:
        """Read with the plugin `only`, or whichever claims a file, until `stop` says True."""
        self._most_bytes = config.max_document_bytes
        self._only = only
        self._stop = stop
        self._child: subprocess.Popen[bytes] | None = None
        self._stream: BinaryIO | None = None
        self._read = 0
        """Files the process has read."""

    def __enter__(self) -> Documents:
        """Return the reader."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()

    def close(self) -> None:
        """End the process; the next file starts another."""
        if self._child and self._child.stdin and self._child.stdout:
            self._child.kill()
            self._child.wait()
            self._child.stdin.close()
            self._child.stdout.close()
        self._child = self._stream = None
        self._read = 0

    def notes(self, path: Path, *, is_named: bool = False) -> Iterator[Note | Skipped]:
        """Yield the notes in a file, and why there are not more. `is_named` as for `read`. Raises Stopped."""
        before = stat_of(path, sys.maxsize if is_named else self._most_bytes)
        if isinstance(before, Skipped):
            yield before
            return
        try:
            yield from self.read(path, is_named=is_named)
        except ChildDied as error:
            yield Skipped(str(path), str(error))

    def read(self, path: Path, *, is_named: bool = False) -> Iterator[Note | Skipped]:
        """Yield the notes in a file. Raises ChildDied and Stopped.

        `is_named` says that the user named this very file: it may be of any length, but takes no more memory than
        others.
        """
        is_whole, size = False, 0
        try:
            for at, message in enumerate(self._messages(path, is_named=is_named)):
                item = _item(message, path)
                size += len(item.text.encode()) if isinstance(item, Note) else 0
                if not is_named and (at == MOST_NOTES or size > MOST_TEXT):
                    most = f"{MOST_NOTES:,} items" if at == MOST_NOTES else f"{MOST_TEXT >> 20:,} MB of text"
                    yield Skipped(str(path), f"only its first {most} are taken")
                    return
                yield item
            is_whole = True
        finally:
            self._read += 1
            if not is_whole or self._read >= FILES_PER_CHILD:
                self.close()

    def _messages(self, path: Path, *, is_named: bool) -> Iterator[frames.Message]:
        child, stream = self._started()
        assert child.stdin is not None
        # One that has died already is noticed at its silence.
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(frames.pack({"path": os.fspath(path), "seconds": None if is_named else PROCESSOR}))
        while True:
            try:
                message = frames.read(stream)
            except frames.BadFrame as error:
                raise ChildDied("its reader wrote something that is no note") from error
            if message is None:
                raise ChildDied(_ending(child.wait()))
            if message.get("end"):
                return
            yield message

    def _started(self) -> tuple[subprocess.Popen[bytes], BinaryIO]:
        if self._child is None or self._stream is None:
            command = [sys.executable, "-P", "-m", "secondme.ingest.child", self._only]
            pipe, null = subprocess.PIPE, subprocess.DEVNULL
            self._child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null, bufsize=0)
            assert self._child.stdout is not None
            self._stream = cast("BinaryIO", io.BufferedReader(_Patient(self._child.stdout.fileno(), self._stop)))
        return self._child, self._stream


def _ending(code: int) -> str:
    """Return why a process ended that should not have."""
    if code >= 0:
        return f"its reader failed ({code})"
    return _ENDINGS.get(-code, f"its reader was ended by signal {-code}")


def stat_of(path: Path, limit: int) -> os.stat_result | Skipped:
    """Return the state of a regular file of at most `limit` bytes, or why it is not taken."""
    from secondme.ingest.folder import irregular, printable

    try:
        found = os.lstat(path)
    except OSError as error:
        return Skipped(printable(path), (error.strerror or "cannot be read").lower())
    if why := irregular(path, found):
        return Skipped(printable(path), why)
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

    def __init__(self, number: int, stop: Callable[[], bool]) -> None:
        self._number = number
        self._stop = stop

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        deadline = time.monotonic() + SILENCE
        while not select.select([self._number], [], [], STEP)[0]:
            if self._stop():
                raise Stopped
            if time.monotonic() > deadline:
                raise ChildDied(f"its reader said nothing for {SILENCE:.0f} s")
        view = memoryview(buffer)
        found = os.read(self._number, len(view))
        view[: len(found)] = found
        return len(found)


def _item(message: frames.Message, path: Path) -> Note | Skipped:
    match message:
        case {"skipped": [str(what), str(why), bool(is_harmless)]}:
            return Skipped(clean(what), clean(why), is_harmless)
        case {"note": [str(text), str(uri), str(thread), str(author), str() | None as at, str(origin), str(title)]}:
            moment = _moment(at) if at else None
            if origin in get_args(Origin) and (moment or not at):
                named = clean(uri), clean(thread), clean(author)
                return as_read(Note(clean(text), *named, moment, cast("Origin", origin), clean(title)), path)
    raise ChildDied(f"its reader wrote something that is no note: {path}")


def _moment(text: str) -> datetime | None:
    """Return the moment of an ISO text, None where it is none, or none in UTC."""
    try:
        moment = datetime.fromisoformat(text)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment
