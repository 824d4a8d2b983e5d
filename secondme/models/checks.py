"""Which model files may run: those of the catalog and those the user trusts, by every byte of them.

Reading a gigabyte takes seconds, so what was found is remembered in the models folder until the file changes. Two
processes that check at once find the same; what one forgets to remember is read again.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

from secondme.errors import IntegrityError, NoModel
from secondme.models.catalog import find_entry, load_catalog
from secondme.models.files import Progress, digest_file, find_model, verify

MEMO = ".checked.json"
"""The file in the models folder; nothing is lost with it but time."""
_TICK = 0.05
"""Seconds in which two changes of a file may bear the same time."""


def usable_model(name: str, folder: Path, *, trusted: Collection[str]) -> Path:
    """Return the file of the model `name`, every byte of which is known or trusted.

    `trusted` are sha256 of files that are not in the catalog. Raises NoModel.
    """
    path = find_model(name, folder)
    digest, entry = checked_digest(path, folder), find_entry(name)
    if entry and digest != entry.sha256:
        raise NoModel(
            f"{path} is damaged: its checksum is wrong", hint=f"secondme model pull {entry.alias} fetches it anew"
        )
    if not entry and not is_trusted(digest, trusted):
        raise NoModel(
            f"{path} is not a model of the catalog, and nobody said that this very file is to be trusted",
            hint=f"secondme model use {path} --trust",
        )
    return path


def is_trusted(digest: str, trusted: Collection[str]) -> bool:
    """Return whether a file with this sha256 may run: the catalog or the user knows it."""
    return digest in trusted or any(entry.sha256 == digest for entry in load_catalog())


def checked_digest(path: Path, folder: Path, *, progress: Progress | None = None) -> str:
    """Return the sha256 of a model file, remembered in `folder` unless the file has changed since. Raises NoModel."""
    try:
        path = path.resolve()
        state = _state(path)
        if (known := _read(folder).get(str(path))) and known[:-1] == state:
            return str(known[-1])
        # A change within the tick in which the file was last written would not show in its times.
        _wait_for_tick(path)
        state = _state(path)
        digest = digest_file(path, label=f"checking {path.name}", progress=progress)
        if _state(path) != state:
            raise NoModel(f"{path} is being changed", hint="try again when it is complete")
    except OSError as error:
        raise NoModel(f"{path} cannot be read: {error.strerror}") from error
    _remember(folder, path, [*state, digest])
    return digest


def verify_model(alias: str, folder: Path, *, progress: Progress | None = None) -> Path | None:
    """Return the file of a model of the catalog with every byte checked, None where the catalog has no such model.

    Raises NoModel where the file is absent and IntegrityError where it is damaged, cut short included.
    """
    entry = find_entry(alias)
    if entry is None:
        return None
    try:
        return verify(entry, folder, progress=progress)
    except NoModel as error:
        if (folder / entry.file).exists():
            raise IntegrityError(str(error), hint=error.hint) from error
        raise


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev]


def _wait_for_tick(path: Path) -> None:
    age = time.time() - path.stat().st_ctime
    if 0 <= age < _TICK:
        time.sleep(_TICK - age)


def _read(folder: Path) -> dict[str, list[int | str]]:
    """Return what is remembered: the path of a file, and its state and sha256."""
    try:
        found = json.loads((folder / MEMO).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and all(isinstance(one, list) and one for one in found.values()) else {}


def _remember(folder: Path, path: Path, known: list[int | str]) -> None:
    kept = {name: state for name, state in _read(folder).items() if os.path.exists(name)}
    content = json.dumps({**kept, str(path): known}, indent=1)
    # A folder that cannot be written, or is not there, costs a check each time and nothing else.
    with contextlib.suppress(OSError), tempfile.TemporaryDirectory(dir=folder, prefix=MEMO) as beside:
        (Path(beside) / MEMO).write_text(content, encoding="utf-8")
        os.replace(Path(beside) / MEMO, folder / MEMO)
