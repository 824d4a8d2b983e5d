"""Looks whether a word is left anywhere: in the tables, and byte by byte in every file that may hold some of ours."""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from secondme.errors import UsageError
from secondme.store.elsewhere import copies_of, looked_through
from secondme.store.forgetting import finish
from secondme.store.traces import Looked, in_tables, in_words

if TYPE_CHECKING:
    from secondme.assistant import Assistant

CHUNK = 8 << 20
"""Bytes of a file that are looked through at once."""
OVERLAP = 4096
"""Bytes of a piece that are looked through with the next one as well."""
SHORTEST = 3
"""A shorter word stands by chance in the bytes of any file."""
_MODELS = (".gguf", ".safetensors", ".onnx")


@dataclass(frozen=True, slots=True)
class Trace:
    """What was found at one place."""

    place: str
    looked_at: str
    """What was looked through there, and how much of it."""
    found: int
    unread: str = ""
    """Why it could not be looked through, "" where it was."""


def traces_of(me: Assistant, word: str) -> list[Trace]:
    """Return for every place of the memory how much was looked through and how often the word is there.

    What another forgetting has left behind is removed before. The memory is closed then: whoever reads the bytes of a
    database in the process that has it open loses its locks. Raises UsageError for a word that is too short to tell.
    """
    word = word.strip()
    if len(word) < SHORTEST and word.isascii():
        raise UsageError(f"{word!r} is too short to be looked for", hint="give a longer word of what was forgotten")
    pattern = pattern_of(word)
    left = finish(me.store).left
    found = [_tables("the tables", [*in_tables(me.store.db, pattern), *in_words(me.store.db, word)], left)]
    for path, looked in looked_through(me.store, lambda copy: [*in_tables(copy.db, pattern), *in_words(copy.db, word)]):
        place = f"the tables of the copy {path}"
        if isinstance(looked, str):
            found.append(Trace(place, f"not looked into: {looked}", 0, looked))
        else:
            found.append(_tables(place, looked, ""))
    found.append(_pages(me, pattern))
    places = list(_places(me))
    me.close()
    return found + [_files(place, files, pattern) for place, files in places]


def pattern_of(word: str) -> re.Pattern[bytes]:
    """Return what finds a word in bytes: in either case, composed or not, as it is or escaped as in JSON."""
    forms = {unicodedata.normalize(form, word) for form in ("NFC", "NFD")}
    return re.compile(b"|".join(b"".join(map(_letter, form)) for form in sorted(forms)))


def _letter(letter: str) -> bytes:
    ways = set()
    for one in {letter, letter.lower(), letter.upper(), letter.casefold()}:
        ways.add(re.escape(one.encode(errors="replace")))
        escaped = "".join(f"\\u{unit:04x}" for unit in _units(one))
        ways.add(b"(?i:%s)" % re.escape(escaped.encode()))
    if letter in '"\\/':
        ways.add(re.escape(f"\\{letter}".encode()))
    return b"(?:%s)" % b"|".join(sorted(ways))


def _units(text: str) -> list[int]:
    data = text.encode("utf-16-be", errors="replace")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def _tables(place: str, looked: Iterable[Looked], unread: str) -> Trace:
    tables = list(looked)
    hits = ", ".join(one.table for one in tables if one.found)
    about = f"{len(tables)} tables and indexes, {sum(one.values for one in tables):,} values"
    return Trace(place, about + (f"; in {hits}" if hits else ""), sum(one.found for one in tables), unread)


def _pages(me: Assistant, pattern: re.Pattern[bytes]) -> Trace:
    from secondme.store.pages import PageStore

    with PageStore.of(me.store) as pages:
        tables, outdated = pages.look(pattern), pages.outdated(me.store)
    if tables is None:
        return Trace("pages of the model", "not looked into: they cannot be read now", 0, "they cannot be read now")
    looked = _tables("pages of the model", tables, "")
    about = f"{looked.looked_at}; pages of what is no longer there: {outdated:,}"
    return replace(looked, looked_at=about, found=looked.found + outdated)


def _places(me: Assistant) -> Iterator[tuple[str, list[Path]]]:
    """Yield the places where something of a memory may be, with the files there."""
    database, seen = me.paths.database, set[Path]()
    own = [database.with_name(database.name + ending) for ending in ("", "-wal", "-shm", "-journal")]
    caches = platformdirs.user_cache_path("secondme")
    temporary = Path(tempfile.gettempdir())
    for place, found in (
        ("the database and its logs", own),
        ("copies of the memory", [one for copy in copies_of(me.store) for one in (copy, Path(f"{copy}-wal"))]),
        ("the files of the pages", sorted(me.paths.data.glob("pages.*"))),
        ("logs and state", _below(me.paths.state)),
        ("the rest of the data folder", _below(me.paths.data)),
        ("caches", _below(caches)),
        ("temporary files", [one for folder in temporary.glob("secondme-*") for one in _below(folder)]),
    ):
        files = [one for one in found if os.path.isfile(one) and not one.is_symlink() and one.suffix not in _MODELS]
        yield place, [one for one in dict.fromkeys(files) if one not in seen]
        seen.update(files)


def _below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*")) if folder.is_dir() else [folder]


def _files(place: str, files: Iterable[Path], pattern: re.Pattern[bytes]) -> Trace:
    count = size = found = 0
    hits, unread = [], []
    for path in files:
        try:
            times, read = _in_file(path, pattern)
        except FileNotFoundError:
            continue
        except OSError as error:
            unread.append(f"{path.name}: {(error.strerror or 'cannot be read').lower()}")
            continue
        count, size, found = count + 1, size + read, found + times
        hits += [path.name] if times else []
    about = f"{count:,} files, {size:,} bytes"
    about += f"; in {', '.join(hits[:5])}" if hits else ""
    about += f"; not read: {', '.join(unread[:5])}" if unread else ""
    return Trace(place, about, found, ", ".join(unread[:5]))


def _in_file(path: Path, pattern: re.Pattern[bytes]) -> tuple[int, int]:
    """Return how often a word is in a file, and how many bytes that has."""
    found = size = 0
    rest = b""
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            size += len(data)
            # A word across the border of two pieces is found with the end of the first.
            whole = rest + data
            found += sum(match.end() > len(rest) for match in pattern.finditer(whole))
            rest = whole[-OVERLAP:]
    return found, size
