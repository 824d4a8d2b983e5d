"""Measure copies and checks of a memory: seconds and MB a second, for a copy with its check, a restore and `verify`.

usage: PYTHONPATH=tests python -m bench.backups [--sizes 10000,100000]
The notes are those of `scale.py`, with made-up vectors of the usual width.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.scale import BATCH, fill, words

from secondme import Assistant
from secondme.clock import now
from secondme.config import Config, ModelsConfig
from secondme.store.checks import look_through
from secondme.store.copies import back_up_for_night, backups, write_copy
from secondme.store.replacement import prepared, swap

WIDTH = 384
TOKENS = 40


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(count: int) -> dict[str, float]:
    """Return the figures of a memory of so many notes."""
    made_up = [(os.urandom(WIDTH // 8 * TOKENS), os.urandom(WIDTH // 8)) for _ in range(BATCH)]
    figures: dict[str, float] = {"notes": count}
    with tempfile.TemporaryDirectory() as folder:
        home, copy = Path(folder) / "home", Path(folder) / "copy.db"
        none = Config(models=ModelsConfig(language="", embedder=""))
        with Assistant.open(home, config=none) as me:
            with me.store.writing():
                me.store.index.start_vectors("made-up", WIDTH)
            fill(me, count, words(), made_up)
            me.store.checkpoint()
            size = me.store.path.stat().st_size / 1e6
            figures["MB"] = round(size, 1)
            seconds = {
                "copy": timed(lambda: write_copy(me.store.db, copy)),
                "before a night": timed(lambda: back_up_for_night(me.store.db, me.store.path, now=now())),
                "verify": timed(lambda: check(me, quick=False)),
                "verify --quick": timed(lambda: check(me, quick=True)),
            }
            assert len(backups(me.store.path)) == 1
            path = me.store.path

        def restore() -> None:
            with prepared(copy, path) as ready:
                swap(ready, path, now=now())

        seconds["restore"] = timed(restore)
    for name, spent in seconds.items():
        figures[f"{name}: s"], figures[f"{name}: MB/s"] = round(spent, 2), round(size / spent, 1)
    return figures


def check(me: Assistant, *, quick: bool) -> None:
    """Look through all of a memory, which has to be whole."""
    assert all(one.ok for one in look_through(me.store.db, quick=quick))


def main() -> None:
    """Print the figures of each size as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000")
    for size in parser.parse_args().sizes.split(","):
        print(json.dumps(measure(int(size))), flush=True)


if __name__ == "__main__":
    main()
