"""Measure an encrypted memory against a plain one in one run: open, add, search, commands, size, changing the key.

usage: PYTHONPATH=tests python tests/bench/encryption.py [--notes 10000] [--rounds 5] [--memory-security]
The same memory three times: plain, with a passphrase, with a key of 64 hex digits. Each round takes all three in turn,
so that what else the machine does meets all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.scale import fill, messages, words

from secondme import Assistant, Note
from secondme.encryption import change_key
from secondme.keys import Key, remember
from secondme.paths import Paths, find_paths
from secondme.recall.codes import encode, encode_pooled

KEYS = {"plain": None, "passphrase": Key("five words nobody can guess"), "raw": Key("c0ffee" * 10 + "abcd")}
QUESTIONS = 20


def timed(work: Callable[[], object]) -> float:
    """Return how many milliseconds something takes."""
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def build(home: Path, count: int, vocabulary: list[str]) -> None:
    """Fill a plain memory."""
    with Assistant.open(home) as me:
        embedder = me.embedder()
        assert embedder is not None, me.no_embedder
        said = [embedder.tokens(note.text) for note in messages(1000, vocabulary, seed=2)]
        with me.store.writing():
            me.store.index.start_vectors(embedder.name, embedder.width)
        fill(me, count, vocabulary, [(encode(rows), encode_pooled(rows)) for rows in said])


def round_of(paths: Paths, key: Key | None, number: int, *, secure: bool, vocabulary: list[str]) -> dict[str, float]:
    """Return what one round on one memory takes."""
    found: dict[str, float] = {}
    remember(paths.database, key)

    def opened() -> Assistant:
        me = Assistant.open(paths.data)
        if secure:
            me.store.db.conn.execute("pragma cipher_memory_security = on")
        return me

    found["open_ms"] = timed(lambda: opened().close())
    chance = random.Random(number)
    asked = [f"When did Ines {' '.join(chance.choices(vocabulary, k=6))}?" for _ in range(QUESTIONS)]
    with opened() as me:
        notes = [Note(f"note {number} {n} {asked[n]}", uri=f"added:{number}:{n}") for n in range(QUESTIONS)]
        found["add_ms"] = statistics.median(timed(partial(me.add, note)) for note in notes)
        found["first_search_ms"] = timed(lambda: me.recall(asked[0]))
        found["warm_search_ms"] = statistics.median(timed(partial(me.recall, question)) for question in asked)
    file = paths.data.with_name("key")
    if key:
        file.write_text(key.text, encoding="utf-8")
    extra = {"SECONDME_HOME": str(paths.data), "SECONDME_KEY_FILE": str(file) if key else ""}
    for name, command in (("search", ("search", asked[1])), ("add", ("add", f"by hand {number}"))):
        line = [sys.executable, "-m", "secondme", *command]
        found[f"{name}_command_ms"] = timed(
            partial(subprocess.run, line, env={**os.environ, **extra}, check=False, capture_output=True)
        )
    return found


def main() -> None:
    """Print one line of JSON for each memory, with its ratios to the plain one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory-security", action="store_true", help="with SQLCipher's locked and wiped RAM")
    args = parser.parse_args()
    vocabulary = words()
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder) / "plain" / "home", args.notes, vocabulary)
        places, figures = {}, {name: defaultdict[str, list[float]](list) for name in KEYS}
        for name, key in KEYS.items():
            home = Path(folder) / name / "home"
            if key:
                shutil.copytree(Path(folder) / "plain" / "home", home)
            places[name] = find_paths(home)
            if key:
                figures[name]["encrypt_s"].append(timed(partial(change_key, places[name], None, key)) / 1000)
            figures[name]["bytes"].append(os.path.getsize(places[name].database))
        for number in range(args.rounds):
            for name, key in KEYS.items():
                one = round_of(places[name], key, number, secure=args.memory_security, vocabulary=vocabulary)
                for what, value in one.items():
                    figures[name][what].append(value)
        for name, key in KEYS.items():
            if key:
                seconds = timed(partial(change_key, places[name], key, None)) / 1000
                figures[name]["decrypt_s"].append(seconds)
            middle = {what: statistics.median(values) for what, values in figures[name].items()}
            plain = {what: statistics.median(values) for what, values in figures["plain"].items()}
            ratios = {what: round(value / plain[what], 2) for what, value in middle.items() if what in plain}
            rounded = {what: round(value, 2) for what, value in middle.items()}
            print(json.dumps({"memory": name, **rounded, "ratios": ratios}), flush=True)


if __name__ == "__main__":
    main()
