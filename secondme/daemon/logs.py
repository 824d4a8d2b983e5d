"""What the daemon writes down about its work: names of events with ids and counts, never text, never file names."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

from secondme.paths import Paths
from secondme.privacy import make_folder

LOGGER = logging.getLogger("secondme")
SIZE, COUNT = 1 << 20, 5
_LONGEST = 40


class _PrivateFile(RotatingFileHandler):
    """A log that only its owner can read, from its first byte on."""

    def _open(self):  # type: ignore[no-untyped-def]  # the type of the base class is not public
        os.close(os.open(self.baseFilename, os.O_CREAT | os.O_WRONLY, 0o600))
        return super()._open()


def set_up_logging(paths: Paths) -> None:
    """Write the log to its file or, under a service manager that keeps one, to stderr without the time."""
    handler: logging.Handler
    if "JOURNAL_STREAM" in os.environ:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    else:
        make_folder(paths.logs.parent)
        handler = _PrivateFile(paths.logs, maxBytes=SIZE, backupCount=COUNT - 1, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False


def event(name: str, **fields: int | float | str) -> None:
    """Note that something happened. Fields are numbers, or single short words such as the name of an error."""
    LOGGER.info("%s", " ".join([name, *(f"{key}={_word(value)}" for key, value in fields.items())]))


def last_lines(paths: Paths, count: int) -> list[str]:
    """Return the last lines of the log, older parts included."""
    lines: list[str] = []
    for path in _parts(paths.logs):
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines() + lines
        if len(lines) >= count:
            break
    return lines[-count:] if count else []


def _parts(path: Path) -> Iterator[Path]:
    """Yield the log and its older parts, newest first."""
    yield from (one for one in (path, *(Path(f"{path}.{at}") for at in range(1, COUNT))) if one.exists())


def _word(value: int | float | str) -> str:
    """Return a value that cannot hold what somebody wrote: a number, or a name as programs give them."""
    if not isinstance(value, str):
        return f"{value:g}" if isinstance(value, float) else str(value)
    is_name = len(value) <= _LONGEST and value.replace("_", "").replace("-", "").replace(".", "").isalnum()
    return value if is_name and value.isascii() else f"text-of-{len(value)}"
