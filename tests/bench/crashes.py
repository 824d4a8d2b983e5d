"""Kills processes at random moments of their work, and tells what became of what they had acknowledged.

python tests/bench/crashes.py kills [COUNT]    # kill -9 over every kind of work, each in turn
    python tests/bench/crashes.py storm [SECONDS] # four that write, two that read, one that empties the log
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from kills import run_kills
from storms import storm


def kills(count: int) -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tally = run_kills(Path(folder), count, seed=int(began))
    print(f"{count} kills in {time.monotonic() - began:.0f} s, by what was under way: {dict(tally.kills)}")
    for operation, times in tally.acknowledged.items():
        print(f"{operation}: acknowledged {times:,} times, lost {tally.lost[operation]}")
    print(f"not whole: {tally.problems or 'nothing'}")


def storms(seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        print(storm(Path(folder), seconds))


def main() -> None:
    match sys.argv[1:]:
        case ["kills", *count]:
            kills(int(count[0]) if count else 200)
        case ["storm", *seconds]:
            storms(float(seconds[0]) if seconds else 60.0)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
