"""Knows what in a folder is not the user's writing: the rules of .gitignore, .secondmeignore and our own list."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.errors import ConfigError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILES = (".gitignore", ".secondmeignore")
MAX_BYTES = 262_144

_HIDDEN = (".*",)
_EDITORS = ("*~", "*.swp", "*.swo", "*.swx", "*.tmp", "*.temp", "*.bak", "*.orig", r"\#*#", "~$*", "4913", "*.kate-swp")
_UNFINISHED = ("*.part", "*.partial", "*.crdownload", "*.download", "*.icloud", "*.sync-conflict-*")
_TOOLS = ("node_modules/", "__pycache__/", "site-packages/", "venv/", "bower_components/", "*.egg-info/", "lost+found/")
_DATABASES = ("*.db", "*.db-*", "*.sqlite", "*.sqlite-*", "*.sqlite3", "*.sqlite3-*")
_SYSTEM = ("Thumbs.db", "desktop.ini", "$RECYCLE.BIN/", "System Volume Information/")
DEFAULT = (*_HIDDEN, *_EDITORS, *_UNFINISHED, *_TOOLS, *_DATABASES, *_SYSTEM)
"""Patterns as in .gitignore, matched below the folder that is added, never against the path above it."""

_CACHE_TAG = b"Signature: 8a477f597d28d172789f06886806bc55"
_MARKS = (".nomedia", "pyvenv.cfg")
"""A folder with one of these files in it is not read: media for a player, a virtual environment."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The ignore rules in force in one folder, each with the folder it counts from; the last that decides wins."""

    specs: tuple[tuple[str, GitIgnoreSpec], ...]

    def inside(self, folder: Path, files: Collection[str]) -> Rules:
        """Return the rules inside `folder`, which has these `files`. Raises OSError when one cannot be read."""
        lines: list[str] = []
        for name in IGNORE_FILES:
            if name in files:
                with open(folder / name, "rb") as file:
                    lines += file.read(MAX_BYTES).decode("utf-8-sig", "replace").splitlines()
        return Rules((*self.specs, (os.fspath(folder), _compile(lines)))) if lines else self

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """True if the file or folder at `path` is to be left out."""
        for base, spec in reversed(self.specs):
            decision = spec.check_file(path[len(base) :].lstrip("/") + "/" * is_folder).include
            if decision is not None:
                return decision
        return False


def base_rules(root: Path, patterns: Iterable[str]) -> Rules:
    """Return the default rules and the given patterns, counted from `root`. Raises ConfigError for a bad pattern."""
    from pathspec import GitIgnoreSpec

    given = list(patterns)
    for pattern in given:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError as error:
            raise ConfigError(f"ingest.ignore: not a pattern: {pattern!r}", hint="write it as in .gitignore") from error
    return Rules(((os.fspath(root), GitIgnoreSpec.from_lines([*DEFAULT, *given])),))


def is_marked(folder: Path, files: Collection[str]) -> bool:
    """True if `folder`, which has these `files`, says that it holds nothing to keep. Raises OSError."""
    if any(name in files for name in _MARKS):
        return True
    if "CACHEDIR.TAG" not in files:
        return False
    with open(folder / "CACHEDIR.TAG", "rb") as file:
        return file.read(len(_CACHE_TAG)) == _CACHE_TAG


def _compile(lines: Iterable[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    good = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue  # as git does: a line that is no pattern matches nothing
        good.append(line)
    return GitIgnoreSpec.from_lines(good)
