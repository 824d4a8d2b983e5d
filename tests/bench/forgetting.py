"""Measure forgetting: `python tests/bench/forgetting.py [--notes 20000]`.

Residue: one word is put through every channel by which something of a note may stay (its versions, index rows, facts,
lines turned down, conversations, copies, files of ours), the notes with it are forgotten, and its bytes are counted in
each place before and after. Time: of so many notes, 1, 100 and half of all are forgotten in one call, each in a fresh
copy of the same memory, first without and then with one automatic copy of the whole memory beside it.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from residue import CANARY, counted_in, planted

from secondme import Assistant, Note
from secondme.clock import now
from secondme.config import Config, ModelsConfig
from secondme.plugins import load_plugins
from secondme.store.copies import back_up

WORDS = [
    "tea",
    "cellar",
    "bicycle",
    "garden",
    "Lisbon",
    "rent",
    "Tuesday",
    "heron",
    "letter",
    "winter",
    "kitchen",
    "ladder",
    "music",
]


def residue() -> Iterator[str]:
    """Yield a line for each channel: bytes of the word before and after."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        before = planted(home, Path(folder))
        after = counted_in(home, Path(folder) / "usb")
        yield f"{'channel':<34} {'before':>7} {'after':>7}"
        for place, count in sorted(before.items()):
            yield f"{place:<34} {count:>7} {after.get(place, 0):>7}"


def opened(home: Path) -> Assistant:
    """Return the memory without models."""
    config = Config(models=ModelsConfig("", ""))
    return Assistant.open(home, config=config, plugins=load_plugins(installed=False))


def filled(home: Path, notes: int) -> None:
    """Make a memory of so many notes of about a hundred words."""
    chance = random.Random(7)
    with opened(home) as me:
        for start in range(0, notes, 1000):
            me.write(
                Note(
                    " ".join(chance.choices(WORDS, k=90)) + f". Number{number}.",
                    uri=f"/vault/{number}.md",
                    thread=f"/vault/{number}.md",
                    origin="file",
                    happened_at=datetime(2024, 1, 1, tzinfo=UTC),
                )
                for number in range(start, start + 1000)
            )


def times(notes: int) -> Iterator[str]:
    """Yield a line for each number of notes forgotten at once."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        filled(base, notes)
        yield f"{notes:,} notes, {(base / 'memory.db').stat().st_size / 1e6:.0f} MB"
        for count in (1, 100, notes // 2):
            seconds = []
            for has_copy in (False, True):
                home = Path(folder) / f"{count}-{has_copy}"
                shutil.copytree(base, home)
                with opened(home) as me:
                    if has_copy:
                        back_up(me.store.db, me.paths.database, "bench", now=now())
                    ids = [f"n{number}" for number in range(1, count + 1)]
                    began = time.perf_counter()
                    assert len(me.forget(ids).ids) == count
                    seconds.append(time.perf_counter() - began)
                shutil.rmtree(home)
            yield f"forget {count:>6,}: {seconds[0]:7.2f} s; with one copy beside it {seconds[1]:7.2f} s"


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=20_000)
    given = parser.parse_args()
    print(f"residue of {CANARY!r}")
    for line in (*residue(), "", *times(given.notes)):
        print(line)


if __name__ == "__main__":
    main()
