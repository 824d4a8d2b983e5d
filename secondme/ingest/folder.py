"""Walks folders and reads files into notes, never changing one and never stopping at a bad one."""

from __future__ import annotations

import codecs
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.clean import clean
from secondme.config import IngestConfig
from secondme.ingest.ignore import NAMED_FILES, Rules, base_rules, mark_in
from secondme.plugins import Plugins
from secondme.records import Note, Skipped

if TYPE_CHECKING:
    from types import TracebackType

_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r\f\x1b")
NOT_TEXT = "its name is not utf-8"
CHANGED = "it changed while it was read"
"""Why a file is skipped that is worth another try."""
_CUT = "unexpected end of data"
"""How Python names bytes that begin a character of UTF-8 and end there."""
_MANY = 0.01
"""A file in no known encoding with a larger share of control characters is not text."""
_REASONS = {
    errno.ENOENT: "no such file",
    errno.EACCES: "no permission to read it",
    errno.EPERM: "no permission to read it",
    errno.ELOOP: "symbolic link, not followed",
    errno.ENAMETOOLONG: "its path is too long",
    errno.ENOTDIR: "not a folder",
}


def walk(root: Path, *, ignore: Iterable[str] = (), home: Path, below: Path | None = None) -> Iterator[Path | Skipped]:
    """Yield the files below `root`, or at or below a path in it, in the order of their names, and what cannot be seen.

    Left out without a word: what the ignore rules or a mark in a folder exclude, and `home`, the own data folder.
    Symbolic links are not followed, except `root` itself. Raises ConfigError for a bad pattern in `ignore`.
    """
    root, home = Path(os.path.realpath(root)), Path(os.path.realpath(home))
    rules = base_rules(root, ignore)
    if not is_text(root):
        yield Skipped(printable(root), NOT_TEXT)
        return
    if root == home:
        yield Skipped(printable(root), "holds the memory itself")
        return
    start = below or root
    if below:
        try:
            rules = _rules_above(below, root, rules)
        except OSError as error:
            yield Skipped(printable(below), _reason(error))
            return
    waiting: list[tuple[Path | Skipped, Rules | None]] = [(start, rules if below is None or start.is_dir() else None)]
    while waiting:
        found, rules_above = waiting.pop()
        if rules_above is None or isinstance(found, Skipped):
            yield found
        elif found != home:
            try:
                waiting += reversed(list(_look_into(found, rules_above, is_root=found == root)))
            except OSError as error:
                yield Skipped(printable(found), _reason(error))


def _rules_above(path: Path, root: Path, rules: Rules) -> Rules:
    """Return the rules in force where `path` is. Raises OSError."""
    folder = root
    for part in path.relative_to(root).parts:
        rules = rules.inside(folder, _named_files(folder))
        folder = folder / part
    return rules


def _named_files(folder: Path) -> set[str]:
    return {name for name in NAMED_FILES if (folder / name).is_file()}


def unreadable(folder: Path) -> str:
    """Return why nothing in a folder can be seen, "" where it can be listed."""
    try:
        with os.scandir(folder):
            return ""
    except OSError as error:
        return _reason(error)


def _look_into(folder: Path, rules: Rules, *, is_root: bool) -> Iterator[tuple[Path | Skipped, Rules | None]]:
    """Yield what is in `folder`: folders with the rules for them, the rest without."""
    with os.scandir(folder) as scan:
        entries = sorted(scan, key=lambda entry: entry.name)
    files = {entry.name for entry in entries if _leads_to_file(entry)}
    if not is_root and mark_in(folder, files):
        return
    rules = rules.inside(folder, files)
    for entry in entries:
        is_folder = entry.is_dir(follow_symlinks=False)
        if rules.ignores(entry.path, is_folder=is_folder):
            continue
        if not is_text(entry.path):
            yield Skipped(printable(entry.path), NOT_TEXT), None
        elif is_folder:
            yield Path(entry.path), rules
        elif entry.is_file(follow_symlinks=False):
            yield Path(entry.path), None
        else:
            why = _REASONS[errno.ELOOP] if entry.is_symlink() else "not a regular file"
            yield Skipped(printable(entry.path), why), None


def _leads_to_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        # A link to itself, or into a folder that may not be entered: it costs nothing but itself.
        return False


def left_out(path: Path, root: Path, *, ignore: Iterable[str] = (), home: Path) -> str:
    """Return why `walk` below `root` passes over the file or folder at `path`, or "" where it yields or enters it."""
    rules, folder, mode = base_rules(root, ignore), root, stat.S_IFDIR
    for part in path.relative_to(root).parts:
        if folder == Path(os.path.realpath(home)):
            return "it is in the folder of the memory itself"
        try:
            files = _named_files(folder)
            if folder != root and (mark := mark_in(folder, files)):
                return f"{folder} has a {mark} in it"
            rules = rules.inside(folder, files)
            folder = folder / part
            mode = os.lstat(folder).st_mode
        except OSError as error:
            return _reason(error)
        decision = rules.decision(os.fspath(folder), is_folder=stat.S_ISDIR(mode))
        if decision and decision.is_left_out:
            return f"{folder} is left out by {decision.pattern!r} ({decision.place})"
        if stat.S_ISLNK(mode):
            return f"{folder} is a {_REASONS[errno.ELOOP]}"
        if folder != path and not stat.S_ISDIR(mode):
            return f"{folder} is not a folder"
    return "" if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else "not a regular file"


class Reader:
    """Reads files of any kind into notes; documents in a process of its own, which `with` ends."""

    def __init__(self, plugins: Plugins, config: IngestConfig) -> None:
        """Read what `plugins` read, within the limits of `config`."""
        from secondme.ingest.documents import Documents

        self._plugins = plugins
        self._most_bytes = config.max_file_bytes
        self._documents = Documents(config, only=plugins.reader)

    def __enter__(self) -> Reader:
        """Return the reader."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._documents.close()

    def read(self, path: Path, *, named: bool = False) -> Iterator[Note | Skipped]:
        """Yield the notes in the file at `path`, or why there are none.

        `named` says that the user named this very file: a link is followed, a file of a kind that no plugin reads is
        reported instead of passed over, and a document may be of any length.
        """
        path = Path(os.path.realpath(path) if named else os.path.abspath(path))
        if not is_read(path, self._plugins):
            if named:
                unknown = Skipped(printable(path), "no plugin reads this kind of file")
                data = read_bytes(path, self._most_bytes)
                yield data if isinstance(data, Skipped) else unknown
        elif self._plugins.reads_document(path):
            yield from self._documents.notes(path, is_named=named)
        else:
            data = read_bytes(path, self._most_bytes)
            yield from [data] if isinstance(data, Skipped) else notes_in(path, data, self._plugins)


def is_read(path: Path, plugins: Plugins) -> bool:
    """True if a plugin reads files of this name: no one misses a photo among the notes."""
    return plugins.reads_document(path) or plugins.read_notes(path, "") is not None


def notes_in(path: Path, data: bytes, plugins: Plugins) -> list[Note | Skipped]:
    """Return the notes in the content of a text file, or why there are none."""
    text = decode(data)
    if text is None:
        return [Skipped(str(path), "not text")]
    text = clean(text)
    if not text.strip():
        return [Skipped(str(path), "empty")]
    return plugins.read_notes(path, text) or []


def read_bytes(path: Path, limit: int) -> bytes | Skipped:
    """Return the content of a regular file that stayed the same while it was read, or why it is not taken."""
    try:
        if why := irregular(path, os.lstat(path)):
            return Skipped(printable(path), why)
        # Between the two calls the file may have become a link or a pipe: neither is followed nor waited for.
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                return Skipped(str(path), "not a regular file")
            if before.st_size > limit:
                return Skipped(str(path), f"larger than {limit:,} bytes")
            data = file.read(limit + 1)
            after = os.fstat(file.fileno())
    except OSError as error:
        return Skipped(str(path), _reason(error))
    if len(data) != before.st_size or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return Skipped(str(path), CHANGED)
    return data


def irregular(path: Path, found: os.stat_result) -> str:
    """Return why a file of this state is not read, whatever is in it; "" where it may be."""
    if not is_text(path):
        return NOT_TEXT
    return "" if stat.S_ISREG(found.st_mode) else "not a regular file"


def decode(data: bytes) -> str | None:
    """Return `data` as text, or None when it is none.

    UTF-8, or UTF-16 with its mark. Lines that are not UTF-8 are read as Windows-1252, so that nothing of them is lost.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError:
            return None
        return None if "\0" in text else text
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Not UTF-8 as a whole, or cut within its last character.
        if error.end == len(data) and error.reason == _CUT and not data[: error.start].isascii():
            return data[: error.start].decode("utf-8-sig") + "\ufffd"
    if len(data) - len(data.translate(None, _CONTROLS)) > _MANY * len(data):
        return None
    return "\n".join(_decode_line(line) for line in data.split(b"\n"))


def _decode_line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def is_text(path: str | Path) -> bool:
    """True if a path can be stored: the bytes of its name are text."""
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(path: str | Path) -> str:
    """Return `path` as text that can be stored and shown, whatever bytes are in it."""
    return os.fsencode(path).decode("utf-8", "replace")


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0) or (error.strerror or "cannot be read").lower()
