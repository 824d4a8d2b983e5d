"""Processes that write, read and empty the log of one memory at once, as fast as they can."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from secondme.assistant import Assistant

WRITERS, READERS = 4, 2

COMMON = """
import json, sys, time
from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig
from secondme.errors import Locked
from secondme.records import Note
home, name, end = sys.argv[1], sys.argv[2], time.monotonic() + float(sys.argv[3])
done = {"written": [], "forgotten": [], "refused": 0, "rounds": 0}
me = Assistant.open(home, config=Config(models=ModelsConfig("", "")))
"""

WRITE = """
while time.monotonic() < end:
    done["rounds"] += 1
    group = f"{name}x{done['rounds']}"
    try:
        ids = me.write([Note(text=f"{group} part {part}", uri=f"{group}:{part}") for part in range(3)]).ids
        done["written"].append(group)
        if done["rounds"] % 4 == 0:
            me.store.forget([int(id[1:]) for id in ids], dry_run=False)
            done["forgotten"].append(group)
    except Locked:
        done["refused"] += 1
"""

READ = """
while time.monotonic() < end:
    done["rounds"] += 1
    with me.store.reading():
        groups = {}
        for note in me.store.notes():
            groups.setdefault(note.uri.partition(":")[0], []).append(note)
        assert {len(parts) for parts in groups.values()} <= {3}, groups
        counts = me.store.counts()
        assert counts["notes"] == counts["passages"] == 3 * len(groups), counts
    for match in me.recall("part", k=5):
        assert "part" in match.text
"""

EMPTY = """
while time.monotonic() < end:
    done["rounds"] += 1
    try:
        done["refused"] += not me.store.checkpoint()
    except Locked:
        done["refused"] += 1
    time.sleep(0.05)
"""

END = """
me.close()
print(json.dumps(done))
"""


@dataclass(frozen=True)
class Aftermath:
    """What is left when all of them have ended."""

    written: int
    """Acknowledged transactions of three notes each."""
    forgotten: int
    lost: int
    returned: int
    """Forgotten, and there again."""
    halves: int
    refused: int
    """Writes that were told that another process writes."""
    reads: int
    log_bytes: int
    """Bytes in the write-ahead log before the last one left."""


def storm(home: Path, seconds: float) -> Aftermath:
    """Let them loose; raises where one of them ended with an error, or an index no longer fits."""
    with Assistant.open(home) as me:
        kinds = [*[WRITE] * WRITERS, *[READ] * READERS, EMPTY]
        running = [_start(kind, home, f"w{number}", seconds) for number, kind in enumerate(kinds)]
        ended = [one.communicate(timeout=seconds + 60) for one in running]
        failed = [error for one, (_, error) in zip(running, ended, strict=True) if one.returncode]
        assert not failed, failed
        found = [json.loads(out) for out, _ in ended]
        me.store.index.check()
        parts = Counter(note.uri.partition(":")[0] for note in me.notes())
        log = home / "memory.db-wal"
        size = log.stat().st_size if log.exists() else 0
    written = {group for one in found for group in one["written"]}
    forgotten = {group for one in found for group in one["forgotten"]}
    return Aftermath(
        written=len(written),
        forgotten=len(forgotten),
        lost=len(written - forgotten - set(parts)),
        returned=len(forgotten & set(parts)),
        halves=sum(count != 3 for count in parts.values()),
        refused=sum(one["refused"] for one in found[:WRITERS]),
        reads=sum(one["rounds"] for one in found[WRITERS:-1]),
        log_bytes=size,
    )


def _start(code: str, home: Path, name: str, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COMMON + code + END, str(home), name, str(seconds)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
