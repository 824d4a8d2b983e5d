"""What the daemon is doing, as one record for people and programs."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import psutil

from secondme import __version__
from secondme.clock import to_text

if TYPE_CHECKING:
    from secondme.daemon.loop import Daemon


def status_of(daemon: Daemon) -> dict[str, Any]:
    """Return the record under the keys that programs rely on; it holds paths, but no text of the memory."""
    readings = daemon.readings()
    sources, worker, host = daemon.store.sources, daemon.working.progress, daemon.host
    folders = sources.folders()
    return {
        "pid": os.getpid(),
        "secondme": __version__,
        "since": to_text(daemon.started),
        "doing": _doing(daemon),
        "folders": len(folders),
        "files": sources.counts(),
        "stored": daemon.ingesting.state.stored,
        "problems": [{"path": file.path, "state": file.state, "why": file.why} for file in sources.problems()],
        "polled": dict(daemon.ingesting.polled),
        "paused": {one.path: one.why for one in folders if one.state == "paused"},
        "models": {"loaded": host.is_loaded, "pid": host.pid, "model": daemon.config.models.language},
        "worker": {"kind": worker.kind, "pid": worker.pid, "done": worker.done, "total": worker.total}
        if worker
        else None,
        "memory": {
            "daemon": _memory(os.getpid()),
            "models": _memory(host.pid),
            "worker": _memory(worker.pid if worker else None),
        },
        "sleep": {
            "waiting": readings.waiting,
            "seconds_left": round(readings.seconds_left),
            "tokens_left": readings.tokens_left,
            "why_not": [] if daemon.working.kind == "sleep" else daemon.why_not_sleep(readings),
        },
        "errors": [*daemon.errors, *filter(None, [daemon.ingesting.state.error])],
    }


def _doing(daemon: Daemon) -> list[str]:
    found = [daemon.ingesting.state.doing] if daemon.ingesting.state.doing != "waiting" else []
    if worker := daemon.working.progress:
        what = {"embed": "computing vectors", "sleep": "sleeping", "pages": "reading ahead"}[worker.kind]
        found.append(f"{what}, {worker.done:,} of {worker.total:,}" if worker.total else what)
    if daemon.asking:
        found.append("answering")
    return found or ["waiting"]


def _memory(pid: int | None) -> int:
    """Return the bytes a process has for itself in memory; 0 where there is none."""
    if pid is None:
        return 0
    # It may end at any moment.
    with contextlib.suppress(psutil.NoSuchProcess):
        info = psutil.Process(pid).memory_info()
        return int(info.rss - getattr(info, "shared", 0))
    return 0
