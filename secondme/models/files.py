"""Model files on this machine: where they are, and whether they are whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from secondme.errors import IntegrityError, NoModel
from secondme.models.catalog import Entry, find_entry, get_entry

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the bytes done and the bytes in all."""

MAGIC = b"GGUF"
BLOCK = 1 << 20


def find_model(name: str, folder: Path) -> Path:
    """Return the file of the model `name`, a catalog name or the path of a GGUF file. Raises NoModel.

    The check is quick: it reads no more than the first bytes. `verify` reads all of them.
    """
    entry = find_entry(name)
    if entry is not None:
        return _find_entry_file(entry, folder)
    if not name.endswith(".gguf") and len(Path(name).parts) == 1:
        get_entry(name)
    path = next((path for path in (Path(name).expanduser(), folder / name) if path.is_file()), None)
    if path is None:
        raise NoModel(f"there is no model file at {name}", hint="give the path of a .gguf file or a catalog name")
    if not has_magic(path):
        raise NoModel(f"{path} is not a GGUF file", hint="give the path of a .gguf file or a catalog name")
    return path


def verify(entry: Entry, folder: Path, *, progress: Progress | None = None) -> Path:
    """Return the file of `entry` once every byte of it is checked. Raises NoModel and IntegrityError."""
    path = _find_entry_file(entry, folder)
    if digest_file(path, label=f"checking {entry.alias}", progress=progress) != entry.sha256:
        raise IntegrityError(f"{path} is damaged: its checksum is wrong", hint=f"secondme model pull {entry.alias}")
    return path


def digest_file(path: Path, *, label: str, progress: Progress | None = None) -> str:
    """Return the sha256 of the file at `path`."""
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            done += len(block)
            if progress:
                progress(label, done, total)
    return digest.hexdigest()


def has_magic(path: Path) -> bool:
    """Return whether the file at `path` begins like a GGUF file. Raises NoModel when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise NoModel(f"{path} cannot be read: {error.strerror}") from error


def _find_entry_file(entry: Entry, folder: Path) -> Path:
    path, hint = folder / entry.file, f"secondme model pull {entry.alias}"
    if not path.is_file():
        raise NoModel(f"the model {entry.alias} is not on this machine", hint=hint)
    size = path.stat().st_size
    if size != entry.size or not has_magic(path):
        raise NoModel(f"{path} is damaged: {size:,} of {entry.size:,} bytes", hint=hint)
    return path
