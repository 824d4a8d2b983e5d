"""Measure search in a warm process at several sizes: milliseconds, bytes a passage, peak memory.

usage: python scale.py [--sizes 1000,10000,100000] [--questions 200]
The text is made of the words of the sample vault, as often as they stand there, in chats of 40 messages of 8 to 60
words. The vectors are real ones of 1,000 such messages, each used many times: time and size depend on how many there
are, not on which.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from secondme import Assistant, Note
from secondme.demo import vault
from secondme.recall.codes import encode, encode_pooled
from secondme.recall.words import WORD

START = datetime(2020, 1, 1, tzinfo=UTC)
CHAT = 40
BATCH = 1000


def words() -> list[str]:
    """Return all words of the sample vault, in order, so that frequent ones come often; numbers make rare ones."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(vault().rglob("*.md")))
    return [word for text in texts for word in WORD.findall(text)]


def messages(count: int, vocabulary: list[str], seed: int) -> Iterator[Note]:
    """Yield made-up chat messages; every second one holds a word that hardly any other has."""
    chance = random.Random(seed)
    for number in range(count):
        said = chance.choices(vocabulary, k=chance.randint(8, 60))
        if number % 2:
            said[0] = f"item{chance.randrange(10 * count)}"
        yield Note(
            " ".join(said),
            uri=f"m{number}",
            thread=f"chat {number // CHAT}",
            author=("Maren", "Ines")[number % 2],
            happened_at=START + timedelta(minutes=number),
            origin="chat",
        )


def fill(me: Assistant, count: int, vocabulary: list[str], real: list[tuple[bytes, bytes]]) -> float:
    """Store `count` messages with vectors; return notes a second without vectors."""
    spent, notes = 0.0, messages(count, vocabulary, seed=1)
    while batch := list(itertools.islice(notes, BATCH)):
        started = time.perf_counter()
        me.write(batch)
        spent += time.perf_counter() - started
        with me.store.writing():
            waiting = me.store.index.without_vectors(BATCH)
            me.store.index.save_vectors((id, *real[id % len(real)]) for id, _, _ in waiting)
    return count / spent


def measure(count: int, vocabulary: list[str], questions: int) -> dict[str, object]:
    """Return the figures at one size."""
    with tempfile.TemporaryDirectory() as home, Assistant.open(home) as me:
        embedder = me.embedder()
        assert embedder is not None, me.no_embedder
        real = [
            (encode(rows), encode_pooled(rows))
            for rows in (embedder.tokens(note.text) for note in messages(1000, vocabulary, seed=2))
        ]
        with me.store.writing():
            me.store.index.start_vectors(embedder.name, embedder.width)
        speed = fill(me, count, vocabulary, real)
        chance, milliseconds = random.Random(3), []
        asked = [f"When did Ines {' '.join(chance.choices(vocabulary, k=6))}?" for _ in range(questions)]
        started = time.perf_counter()
        me.recall(asked[0])
        first = time.perf_counter() - started
        for question in asked:
            started = time.perf_counter()
            me.recall(question)
            milliseconds.append(1000 * (time.perf_counter() - started))
        me.store.checkpoint()
        size = os.path.getsize(me.paths.database)
        return {
            "passages": count,
            "notes_per_second_without_vectors": round(speed),
            "first_search_ms": round(1000 * first),
            "recall_ms_p50": round(statistics.median(milliseconds), 1),
            "recall_ms_p95": round(sorted(milliseconds)[int(0.95 * len(milliseconds))], 1),
            "bytes_per_passage": round(size / count),
            "text_bytes_per_passage": round(sum(len(n.text) for n in messages(1000, vocabulary, seed=1)) / 1000),
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }


def main() -> None:
    """Print one line of JSON a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--questions", type=int, default=200)
    args = parser.parse_args()
    for size in args.sizes.split(","):
        print(json.dumps(measure(int(size), words(), args.questions)), flush=True)


if __name__ == "__main__":
    main()
