"""The program that works while nobody waits: computes vectors, sleeps or reads ahead, at the lowest priority.

It writes JSON lines: {"done", "total"} as it goes on, and at the end {"state", "why"} of what it did.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from secondme import network
from secondme.daemon.limits import limit_models
from secondme.errors import Locked, SecondmeError
from secondme.keys import take
from secondme.paths import find_paths

if TYPE_CHECKING:
    from types import FrameType

    from secondme.assistant import Assistant

LOWEST = 19


def main() -> int:
    """Do one piece of work: `embed`, `sleep SECONDS TOKENS` or `pages SECONDS`; stdin brings the key."""
    _step_back()
    paths = find_paths()
    network.give_up_as_set(paths.config)
    limit_models(paths)
    signal.signal(signal.SIGTERM, _interrupt)
    take()
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    kind, *limits = sys.argv[1:]
    try:
        tell(**_work(kind, [int(limit) for limit in limits]))
    except KeyboardInterrupt:
        tell(state="interrupted", why="it was told to stop")
    except SecondmeError as error:
        tell(state="failed", why=str(error), error=type(error).__name__)
        return error.exit_code
    return 0


def tell(**fields: Any) -> None:
    """Write one line to whoever started this."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def _work(kind: str, limits: list[int]) -> dict[str, Any]:
    from secondme.assistant import Assistant

    with Assistant.open(create=False) as me:
        match kind:
            case "embed":
                done = _embed(me)
            case "sleep":
                done = _sleep(me, *limits)
            case _:
                done = _read_ahead(me, *limits)
        _tidy(me)
    return done


def _tidy(me: Assistant) -> None:
    """Let go of the pages of passages that changed; those that are in use go the next time."""
    from secondme.store.page_sweeping import tidy_pages

    with contextlib.suppress(Locked):
        tidy_pages(me.store, budget_bytes=me.config.models.page_budget)


def _embed(me: Assistant) -> dict[str, Any]:
    waiting = me.embed_waiting(progress=_progress)
    if waiting and me.no_embedder:
        return {"state": "failed", "why": me.no_embedder, "error": "NoModel"}
    return {"state": "done", "why": "", "waiting": waiting}


def _sleep(me: Assistant, seconds: int, tokens: int) -> dict[str, Any]:
    share = me.config.sleep.max_share / 100
    report = me.sleep(budget_seconds=seconds, budget_tokens=tokens, max_share=share, progress=_progress)
    return {"state": report.state, "why": report.why, "run": report.run, "passages": report.passages}


def _read_ahead(me: Assistant, seconds: int) -> dict[str, Any]:
    from secondme.reading_ahead import read_ahead

    pages = read_ahead(me, seconds=seconds, progress=_progress)
    me.pages().close()
    return {"state": "done", "why": "", "pages": pages}


def _progress(done: int, total: int) -> None:
    tell(done=done, total=total)


def _step_back() -> None:
    """Let everything else on the machine go first."""
    os.nice(LOWEST)
    import psutil

    if hasattr(psutil, "IOPRIO_CLASS_IDLE"):
        # Some containers do not allow it, and then the processor's priority has to do.
        with contextlib.suppress(psutil.AccessDenied, OSError):
            psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _leave_with_parent() -> None:
    # After the key, the parent never writes: this returns when it is gone, however it went.
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
