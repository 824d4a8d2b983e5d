"""Everything that is stored as a folder of Markdown, which Obsidian opens, and back: lossless as the JSON lines are.

Each version of a note is a file with its verbatim text. Facts and conversations are pages for people, with links to the
notes; what programs need of them is in a file of lines beside them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from secondme.clean import escaped
from secondme.clock import to_text
from secondme.errors import IntegrityError, UsageError
from secondme.records import Skipped
from secondme.vault_pages import Pages

MANIFEST = ".secondme-export.json"
"""What a folder is known by: every file we wrote, with the hash of what we wrote."""
LINES = ".secondme-export.jsonl"
BEGUN = ".secondme-export.begun"
"""What an export was about to write: where it was killed, the next one knows those files for ours too."""
UNFINISHED = ".unfinished-"
NOTES, VERSIONS = "Notes", "Earlier versions"
FOLDERS = (NOTES, VERSIONS, "Facts", "Conversations")
_NAME = 60
_UNSAFE = re.compile(r"[^\w .,()+=@'-]+")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_FIELDS = ("uri", "title", "thread", "author", "origin", "happened_at", "added_at", "replaced_at")


@dataclass(slots=True)
class Written:
    """What an export to a folder did."""

    notes: int = 0
    more: Counter[str] = field(default_factory=Counter)
    """Lines of other types, and how many of each."""
    kept: list[str] = field(default_factory=list)
    """Files that the user changed since the export before: they stay as they are."""


def is_vault(path: Path) -> bool:
    """True if a folder is such an export."""
    return (path / MANIFEST).is_file()


def check_target(folder: Path) -> None:
    """Raise UsageError where a folder holds something that is not an earlier export."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder", hint="name a folder for the Markdown files")
    if folder.is_dir() and any(folder.iterdir()) and not is_vault(folder):
        raise UsageError(f"{folder} holds something else than an export", hint="name an empty or new folder")
    if any((folder / name).is_symlink() for name in (*FOLDERS, MANIFEST, LINES, BEGUN)):
        raise UsageError(f"{folder} has a link in the place of a folder of an export", hint="name another folder")


def write_vault(items: Iterable[dict[str, Any]], folder: Path) -> Written:
    """Write exported items to a folder, over an earlier export where there is one. Raises UsageError, IntegrityError.

    What the user changed of an earlier export stays, and so do the user's own files.
    """
    check_target(folder)
    try:
        return _Writing(folder).write(items)
    except OSError as error:
        raise IntegrityError(
            f"{error.filename or folder}: {(error.strerror or str(error)).lower()}", hint="export again to go on"
        ) from error


class _Writing:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What an export that was killed has left.
        for rest in (one for name in ("", *FOLDERS) for one in (folder / name).glob(f"{UNFINISHED}*")):
            rest.unlink()
        self.before = _written_before(folder)
        self.files: dict[str, str] = {}
        self.order: list[list[str]] = []
        self.names: dict[str, str] = {}
        self.done = Written()
        if not self.before:
            # A folder that was begun is known as one.
            self._put(MANIFEST, json.dumps({"v": 1, "files": {}, "notes": []}))

    def write(self, items: Iterable[dict[str, Any]]) -> Written:
        pages = Pages()
        handle, lines = tempfile.mkstemp(dir=self.folder, prefix=UNFINISHED)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as rest:
                for item in items:
                    if item["type"] == "note":
                        pages.note(item, self._note(item))
                    else:
                        rest.write(escaped(json.dumps(item, ensure_ascii=False)) + "\n")
                        pages.other(item)
                        self.done.more[item["type"]] += 1
                rest.flush()
                os.fsync(rest.fileno())
            os.replace(lines, self.folder / LINES)
        finally:
            Path(lines).unlink(missing_ok=True)
        for name, text in pages.pages():
            self._file(self._free(name, name), text)
        self._remove_old()
        self._put(MANIFEST, json.dumps({"v": 1, "files": self.files, "notes": self.order}, ensure_ascii=False))
        (self.folder / BEGUN).unlink(missing_ok=True)
        return self.done

    def _note(self, item: Mapping[str, Any]) -> str:
        """Write a version of a note, and return its file."""
        within = VERSIONS if item["replaced_at"] else NOTES
        words = item["title"] or next((line for line in item["text"].splitlines() if line.strip()), "")
        base = f"{within}/{item['happened_at'][:10]} {_safe(words)}".rstrip(" .")
        path = self._free(base, f"{item['uri']}\n{item['added_at']}\n{item['text']}")
        head = "".join(f"{name}: {json.dumps(item[name], ensure_ascii=False)}\n" for name in _FIELDS if item[name])
        self._file(path, f"---\n{escaped(head)}---\n{item['text']}")
        self.order.append([path, _digest(item["text"])])
        self.done.notes += 1
        return path

    def _free(self, base: str, key: str) -> str:
        """Return the name of a file that no other has, also where capital and small letters are the same."""
        path = f"{base}.md"
        if path.casefold() in self.names:
            path = f"{base} {_digest(key)[:8]}.md"
        count = 1
        while path.casefold() in self.names:
            count += 1
            path = f"{base} {_digest(key)[:8]} {count}.md"
        self.names[path.casefold()] = path
        return path

    def _file(self, path: str, text: str) -> None:
        target, digest = self.folder / path, _digest(text)
        there = _digest_of(target)
        if there is not None and there not in (digest, *self.before.get(path, ())):
            self.done.kept.append(path)
            # Its hash stays that of what we wrote: an import sees that it was changed.
            self.files[path] = next(iter(self.before.get(path, ())), digest)
            return
        if there != digest:
            with open(self.folder / BEGUN, "a", encoding="utf-8", opener=_private) as begun:
                begun.write(json.dumps([path, digest]) + "\n")
            self._put(path, text)
        self.files[path] = digest

    def _put(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(mode=0o700, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=UNFINISHED)
        try:
            # Newlines are those of the text.
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            os.replace(name, target)
        finally:
            Path(name).unlink(missing_ok=True)

    def _remove_old(self) -> None:
        for path, digests in self.before.items():
            if path not in self.files and _inside(self.folder, path) and _digest_of(self.folder / path) in digests:
                (self.folder / path).unlink()


@dataclass(slots=True)
class VaultReading:
    """The lines of a folder, and what of it could not be read."""

    folder: Path
    now: datetime
    skipped: list[Skipped] = field(default_factory=list)

    def lines(self) -> Iterator[bytes]:
        """Yield what the files hold as the lines of an export; a note that was changed is a new version of it."""
        for path, digest in _manifest(self.folder)["notes"]:
            found = self._note(path, digest)
            if found is not None:
                yield json.dumps({"v": 1, "type": "note", **found}).encode()
        rest = _inside(self.folder, LINES)
        if rest is not None:
            with rest.open("rb") as file:
                yield from file

    def _note(self, path: str, digest: str) -> dict[str, Any] | None:
        file = _inside(self.folder, path)
        try:
            if file is None:
                raise FileNotFoundError(2, "no such file")
            with file.open(encoding="utf-8", newline="") as opened:
                text = opened.read()
            found = _parsed(text)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            self.skipped.append(Skipped(path, (why or "cannot be read").lower()))
            return None
        if _digest(found["text"]) == digest:
            return found
        if found["replaced_at"]:
            self.skipped.append(Skipped(path, "an earlier version that was changed"))
            return None
        return {**found, "added_at": to_text(self.now)}


def _parsed(text: str) -> dict[str, Any]:
    """Return the fields and the text of the file of a note. Raises ValueError."""
    from secondme.ingest.frontmatter import front_matter

    found = re.match(r"---\r?\n(.*?)\r?\n---\r?\n", text, re.DOTALL)
    if found is None:
        raise ValueError("what stood above the text is gone")
    try:
        fields = {key: json.loads(value) for key, _, value in (one.partition(": ") for one in found[1].splitlines())}
    except ValueError:
        # Another program has written it in its own way.
        fields = front_matter(text.replace("\r\n", "\n"))
    if not fields.get("uri"):
        raise ValueError("it does not say what note it is")
    return {
        **{name: fields.get(name, "") for name in _FIELDS},
        "replaced_at": fields.get("replaced_at"),
        "text": text[found.end() :],
    }


def _written_before(folder: Path) -> dict[str, list[str]]:
    """Return the hashes of what earlier exports wrote to each file: of the last whole one, then of one cut off."""
    if not is_vault(folder):
        return {}
    found = {path: [digest] for path, digest in _manifest(folder)["files"].items()}
    if (folder / BEGUN).is_file():
        for line in (folder / BEGUN).read_text(encoding="utf-8").splitlines():
            # The last line may be half a one.
            if line.endswith("]"):
                path, digest = json.loads(line)
                found.setdefault(path, []).append(digest)
    return found


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_bytes())
        notes = [(str(name), str(digest)) for name, digest in found["notes"]]
        return {"files": {str(name): str(digest) for name, digest in found["files"].items()}, "notes": notes}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is damaged: {error}", hint="export to another folder") from error


def _inside(folder: Path, path: str) -> Path | None:
    """Return a file below a folder, None where it is elsewhere or is none."""
    file = (folder / path).resolve()
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None


def _safe(words: str) -> str:
    """Return words as they may stand in the name of a file on any system."""
    name = " ".join(_UNSAFE.sub(" ", words).split())[:_NAME].strip(" .-")
    while len(name.encode()) > 3 * _NAME:
        name = name[:-1]
    return f"note {name}" if _DEVICES.fullmatch(name) else name or "note"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _digest_of(path: Path) -> str | None:
    """Return the hash of a file, None where there is nothing; of a link, which the user has put there, "link"."""
    if path.is_symlink():
        return "link"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
