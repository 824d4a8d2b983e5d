"""Knows what in a folder is not the user's writing: the rules of .gitignore, .secondmeignore and our own list."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.errors import ConfigError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILES = (".gitignore", ".secondmeignore")
MAX_BYTES = 262_144

MOST_STARS = 3
"""A pattern with more of them, or with more that stand for any folders, matches nothing."""
_ANY_FOLDERS = re.compile(r"(?<![^/!])\*\*(?![^/])")

_HIDDEN = (".*",)
_EDITORS = ("*~", "*.swp", "*.swo", "*.swx", "*.tmp", "*.temp", "*.bak", "*.orig", r"\#*#", "~$*", "4913", "*.kate-swp")
_UNFINISHED = ("*.part", "*.partial", "*.crdownload", "*.download", "*.icloud", "*.sync-conflict-*")
_TOOLS = ("node_modules/", "__pycache__/", "site-packages/", "venv/", "bower_components/", "*.egg-info/", "lost+found/")
_DATABASES = ("*.db", "*.db-*", "*.sqlite", "*.sqlite-*", "*.sqlite3", "*.sqlite3-*")
_SYSTEM = ("Thumbs.db", "desktop.ini", "$RECYCLE.BIN/", "System Volume Information/")
DEFAULT = (*_HIDDEN, *_EDITORS, *_UNFINISHED, *_TOOLS, *_DATABASES, *_SYSTEM)
"""Patterns as in .gitignore, matched below the folder that is added, never against the path above it."""

_CACHE_TAG = b"Signature: 8a477f597d28d172789f06886806bc55"
_TAG = "CACHEDIR.TAG"
_MARKS = (".nomedia", "pyvenv.cfg")
"""A folder with one of these files in it is not read: media for a player, a virtual environment."""


NAMED_FILES = (*IGNORE_FILES, *_MARKS, _TAG)
"""The files that say something about the folder they are in."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What decides that a path is left out, or taken after all."""

    is_left_out: bool
    pattern: str
    place: str
    """Where the pattern stands: a file with its line, the settings, or our own list."""


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Patterns that count from one folder."""

    base: str
    spec: GitIgnoreSpec
    places: Sequence[tuple[str, str]]
    """Each pattern, and where it stands."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The ignore rules in force in one folder; the last that decides wins."""

    rulesets: tuple[Ruleset, ...]

    def inside(self, folder: Path, files: Collection[str]) -> Rules:
        """Return the rules inside `folder`, which has these `files`. Raises OSError when one cannot be read."""
        lines: list[tuple[str, str]] = []
        for name in IGNORE_FILES:
            if name in files:
                with open(folder / name, "rb") as file:
                    text = file.read(MAX_BYTES).decode("utf-8-sig", "replace")
                lines += [(line, f"{folder / name}:{at}") for at, line in enumerate(text.splitlines(), 1)]
        return Rules((*self.rulesets, _compile(folder, lines))) if lines else self

    def decision(self, path: str, *, is_folder: bool) -> Decision | None:
        """Return what decides on the file or folder at `path`, None where nothing speaks of it: then it is taken."""
        for rules in reversed(self.rulesets):
            found = rules.spec.check_file(path[len(rules.base) :].lstrip("/") + "/" * is_folder)
            if found.include is not None and found.index is not None:
                return Decision(found.include, *rules.places[found.index])
        return None

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """True if the file or folder at `path` is to be left out."""
        decision = self.decision(path, is_folder=is_folder)
        return decision is not None and decision.is_left_out


def base_rules(root: Path, patterns: Iterable[str]) -> Rules:
    """Return the default rules and the given patterns, counted from `root`. Raises ConfigError for a bad pattern."""
    from pathspec import GitIgnoreSpec

    given = list(patterns)
    for pattern in given:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except (ValueError, re.error) as error:
            raise ConfigError(f"ingest.ignore: not a pattern: {pattern!r}", hint="write it as in .gitignore") from error
    ours = [(pattern, "what secondme always leaves out") for pattern in DEFAULT]
    return Rules((_compile(root, [*ours, *((pattern, "ingest.ignore") for pattern in given)]),))


def mark_in(folder: Path, files: Collection[str]) -> str:
    """Return the file by which `folder`, which has these `files`, says that it holds nothing to keep, or "".

    Raises OSError.
    """
    if marks := [name for name in _MARKS if name in files]:
        return marks[0]
    if _TAG not in files:
        return ""
    with open(folder / _TAG, "rb") as file:
        return _TAG if file.read(len(_CACHE_TAG)) == _CACHE_TAG else ""


def _compile(folder: Path, lines: Iterable[tuple[str, str]]) -> Ruleset:
    from pathspec import GitIgnoreSpec

    good = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # "[a--b]" may mean something else in a later Python
        for line, place in lines:
            names, folders = _ANY_FOLDERS.subn("", line)
            if max(names.count("*"), folders) > MOST_STARS:
                continue  # it would take hours to find that it does not match a long name
            try:
                GitIgnoreSpec.from_lines([line])
            except (ValueError, re.error):
                continue  # as git does: a line that is no pattern matches nothing
            # Empty lines get no pattern, and would move the numbers of those after them.
            if line:
                good.append((line, place))
        return Ruleset(os.fspath(folder), GitIgnoreSpec.from_lines([line for line, _ in good]), good)
