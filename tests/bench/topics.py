"""Measure the cut by topic on joined conversations.

usage: python topics.py --loader locomo.py --chats A.json [B.json] --sessions POOL.jsonl [--cache FILE.npz]
The loader reads LoCoMo conversations; the pool holds one session of LongMemEval a line. The first file of chats and the
first half of the pool are for tuning, the others are held out. Three whole sessions, drawn at random with a fixed seed,
are joined into one stream; a found place within one passage of a join is right. Whole sessions turn to other things
within themselves, which counts as false here. The vectors are from the configured embedder and kept in --cache.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondme.config import ModelsConfig
from secondme.models.protocols import Embedder
from secondme.plugins import load_plugins
from secondme.sleep.topics import cut

Vectors = NDArray[np.float32]
START = datetime(2026, 1, 1, tzinfo=UTC)
SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Scores:
    """How well the places found are those of the joins."""

    precision: float
    recall: float
    f1: float
    per_hundred: float
    """Places found in a hundred passages, the first of a stream left out."""


def read_chats(path: Path, loader: Path) -> list[list[str]]:
    """Return the turns of each session of a LoCoMo file."""
    spec = importlib.util.spec_from_file_location(loader.stem, loader)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.stem] = module
    spec.loader.exec_module(module)
    sessions: dict[tuple[str, str], list[str]] = {}
    for conversation in module.load(str(path)):
        for turn in conversation.turns:
            sessions.setdefault((conversation.name, turn["thread"]), []).append(turn["text"])
    return list(sessions.values())


def read_pool(path: Path) -> list[list[str]]:
    """Return the turns of each session of a LongMemEval pool."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [[turn["content"] for turn in row["turns"]] for row in rows if len(row["turns"]) >= SHORTEST]


def embed(texts: Iterable[str], embedder: Embedder) -> Vectors:
    """Return one pooled vector of length 1 a text, zeros where there is none."""
    sums = [embedder.tokens(text).sum(axis=0) for text in texts]
    return np.array([row / (np.linalg.norm(row) or 1) for row in sums], dtype=np.float32)


def signs(vectors: Vectors) -> Vectors:
    """Return the vectors as a memory keeps them, one bit a dimension."""
    return np.where(vectors > 0, 1, -1).astype(np.float32)


def embed_all(sessions: Iterable[Sequence[str]], cache: Path | None) -> dict[str, Vectors]:
    """Return the vector of each text, from the cache where it has it."""
    known: dict[str, Vectors] = {}
    if cache and cache.exists():
        with np.load(cache) as kept:
            known = dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))
    texts = {text: hashlib.sha256(text.encode()).hexdigest() for session in sessions for text in session}
    missing = {text: key for text, key in texts.items() if key not in known}
    if missing:
        embedder = load_plugins().embedder(ModelsConfig())
        assert embedder, "no embedder: secondme model pull minilm-l6"
        for text, key in missing.items():
            known[key] = embed([text], embedder)[0]
        if cache:
            np.savez(cache, keys=np.array(list(known)), vectors=np.stack(list(known.values())))
    return {text: known[key] for text, key in texts.items()}


def count_right(found: Sequence[int], joins: Sequence[int]) -> int:
    """Return how many joins have a place of their own within one passage."""
    left = set(found)
    right = 0
    for join in joins:
        near = [place for place in left if abs(place - join) <= 1]
        if near:
            left.remove(min(near, key=lambda place: abs(place - join)))
            right += 1
    return right


def score(results: Iterable[tuple[Sequence[int], Sequence[int], int]]) -> Scores:
    """Return the scores over (places found, joins, passages) of many streams."""
    right = found = wanted = passages = 0
    for places, joins, count in results:
        right += count_right(places[1:], joins)
        found += len(places) - 1
        wanted += len(joins)
        passages += count
    precision, recall = right / max(found, 1), right / max(wanted, 1)
    return Scores(precision, recall, 2 * right / max(found + wanted, 1), 100 * found / max(passages, 1))


def measure(sessions: list[list[str]], vectors: dict[str, Vectors], *, streams: int, has_pauses: bool) -> list[Scores]:
    """Return the scores with whole vectors and with their signs."""
    choice = random.Random(1)
    drawn = [choice.sample(sessions, 3) for _ in range(streams)]
    scores = []
    for is_signs in (False, True):
        results = []
        for three in drawn:
            texts = [text for session in three for text in session]
            joins = [len(three[0]), len(three[0]) + len(three[1])]
            rows = np.stack([vectors[text] for text in texts])
            days = [has_pauses * sum(place >= join for join in joins) for place in range(len(texts))]
            moments = [START + timedelta(days=day, seconds=20 * place) for place, day in enumerate(days)]
            places = cut(signs(rows) if is_signs else rows, moments, sizes=[len(text) for text in texts])
            results.append((places, joins, len(texts)))
        scores.append(score(results))
    return scores


def main() -> None:
    """Print one line for each kind of data, pause and vector."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loader", type=Path, required=True)
    parser.add_argument("--chats", type=Path, nargs="+", required=True)
    parser.add_argument("--sessions", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--streams", type=int, default=300)
    given = parser.parse_args()
    pool = read_pool(given.sessions)
    halves = {"sessions, 1st half": pool[: len(pool) // 2], "sessions, 2nd half": pool[len(pool) // 2 :]}
    data = {path.stem: read_chats(path, given.loader) for path in given.chats} | halves
    for chats, half in zip(given.chats, halves, strict=False):
        few = data[chats.stem]
        data[f"{chats.stem} + {half}"] = few + halves[half][: len(few)]
    vectors = embed_all((session for sessions in data.values() for session in sessions), given.cache)
    print(f"{'data':42} {'pauses':7} {'vectors':7} {'precision':>9} {'recall':>7} {'F1':>6} {'cuts/100':>9}")
    for name, sessions in data.items():
        for has_pauses in (False, True):
            found = measure(sessions, vectors, streams=given.streams, has_pauses=has_pauses)
            for kind, s in zip(("whole", "signs"), found, strict=True):
                start = f"{name:42} {'yes' if has_pauses else 'no':7} {kind:7}"
                print(f"{start} {s.precision:9.3f} {s.recall:7.3f} {s.f1:6.3f} {s.per_hundred:9.1f}")


if __name__ == "__main__":
    main()
