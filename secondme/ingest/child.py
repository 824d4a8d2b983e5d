"""The program that reads files nobody trusts: it limits itself, then answers each request with the notes, as frames."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from secondme import frames, network
from secondme.records import Note, Skipped

MEMORY = 1 << 30
"""Bytes a reader may use beyond what this process has at its start."""
OPEN_FILES = 64
NICENESS = 10


def main() -> int:
    """Read the files that are asked for, with the plugin named or, where that is empty, whichever claims them."""
    (only,) = sys.argv[1:]
    network.give_up()
    _limit()
    from secondme.config import load_config
    from secondme.paths import find_paths
    from secondme.plugins import load_plugins

    plugins = load_plugins(load_config(find_paths().config).plugins.disabled)
    chosen = plugins.only(only) if only else plugins
    with os.fdopen(os.dup(0), "rb") as asked, os.fdopen(os.dup(1), "wb") as out:
        # What a library prints must not get between the frames.
        os.dup2(2, 1)
        while request := frames.read(asked):
            path = Path(request["path"])
            _limit_time(request["seconds"])
            for frame in _frames(chosen.read_document(path), str(path)):
                out.write(frame)
                out.flush()
            out.write(frames.pack({"end": True}))
            out.flush()
    return 0


def _frames(items: Iterator[Note | Skipped], path: str) -> Iterator[bytes]:
    try:
        for item in items:
            try:
                yield frames.pack(_record(item))
            except frames.BadFrame:
                where = item.uri if isinstance(item, Note) else item.what
                yield frames.pack(_record(Skipped(where, "its text is too large")))
    except MemoryError:
        yield frames.pack(_record(Skipped(path, "reading it takes too much memory")))
    except RecursionError:
        yield frames.pack(_record(Skipped(path, "nested too deeply")))


def _record(item: Note | Skipped) -> dict[str, Any]:
    if isinstance(item, Skipped):
        return {"skipped": [item.what, item.why, item.is_harmless]}
    at = item.happened_at.isoformat() if item.happened_at else None
    return {"note": [item.text, item.uri, item.thread, item.author, at, item.origin, item.title]}


def _limit() -> None:
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    if sys.platform == "linux":  # elsewhere addresses are reserved by the terabyte
        import psutil

        most = psutil.Process().memory_info().vms + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_time(given: int | None) -> None:
    """Give the next file its seconds of computing, None for any, on top of what earlier ones took."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    so_far = int(used.ru_utime + used.ru_stime) + 1
    seconds = resource.RLIM_INFINITY if given is None else so_far + given
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


if __name__ == "__main__":
    sys.exit(main())
