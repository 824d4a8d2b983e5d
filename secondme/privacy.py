"""Keeps what lies on the disk to its owner: folders 0700, files 0600, whatever the umask is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from secondme.paths import Paths

FOLDER, FILE = 0o700, 0o600
OTHERS = 0o077
"""What group and others may do."""
MOST = 500
"""How many files of a folder are looked at: there are a handful, unless the folder is not ours alone."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What others could read."""

    closed: tuple[Path, ...]
    """Only its owner can read it now."""
    open: tuple[Path, ...]
    """Others still can: it belongs to somebody else, or its disk knows no owners."""


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, and the folders above it that are missing likewise."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=FOLDER, exist_ok=True)


def make_file(path: Path) -> None:
    """Make an empty file that only its owner may read, with its folder, where there is none."""
    make_folder(path.parent)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, FILE))


def open_to_others(paths: Paths) -> list[Path]:
    """Return what of the memory at `paths` others on this machine may enter, read or change."""
    return [path for path in _places(paths) if _mode(path) & OTHERS]


def close_to_others(paths: Paths) -> Mended:
    """Take from others what they may do with the memory at `paths`, and return what that was."""
    closed: list[Path] = []
    left: list[Path] = []
    for path in open_to_others(paths):
        with suppress(OSError):
            if _is_ours(path):
                os.chmod(path, _mode(path) & ~OTHERS)
        (left if _mode(path) & OTHERS else closed).append(path)
    return Mended(tuple(closed), tuple(left))


def _places(paths: Paths) -> Iterator[Path]:
    """Yield our folders and the files in them; where nothing is stored yet there is nothing to keep."""
    if not paths.database.exists():
        return
    # In a folder of many files, these are looked at whatever else lies there.
    ours = [path for end in ("", "-wal", "-shm") if not (path := Path(f"{paths.database}{end}")).is_symlink()]
    yield from dict.fromkeys((paths.data, *ours, *_files(paths.data, (paths.database.name, "pages."))))
    yield from _tree(paths.data / "backups")
    yield from _tree(paths.state)
    if not paths.config.is_symlink():  # where it leads is a file of the user's own making
        yield paths.config


def _tree(folder: Path) -> Iterator[Path]:
    if folder.is_dir() and not folder.is_symlink():
        yield from (folder, *_files(folder))


def _files(folder: Path, prefix: str | tuple[str, ...] = "") -> Iterator[Path]:
    """Yield the plain files in a folder whose names begin so; not what links lead to."""
    with os.scandir(folder) as found:
        for _, entry in zip(range(MOST), found, strict=False):
            if entry.name.startswith(prefix) and entry.is_file(follow_symlinks=False):
                yield Path(entry.path)


def _is_ours(path: Path) -> bool:
    """True unless the place is shared by its nature, such as /tmp, or the home folder, which serves more than us."""
    found = path.stat()
    return found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX and path != Path.home()


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0  # it is not there
