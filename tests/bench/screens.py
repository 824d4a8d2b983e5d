"""Measure the screens: keystroke to results shown, the longest block of the event loop, memory, and the start.

    PYTHONPATH=tests python -m bench.screens [--sizes 10000,100000] [--vectors] [--pace 0.12] [--starts 5]

The real application runs without a terminal over short notes made of the words of the sample vault. Keys come at the
pace of a fast typist; each is timed until the rows that were asked for with it are drawn. With `--vectors` there is the
hashing embedder, so that what was typed is looked for by meaning as well whenever typing rests.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

import psutil
from bench.scale import BATCH, fill, messages, words
from fakes import FakePlugin
from secondme_tui.app import SecondmeApp
from secondme_tui.screens.browse import BrowseScreen
from secondme_tui.widgets.results import Results
from textual import events
from textual.widgets import Input

from secondme.assistant import Assistant
from secondme.plugins import Plugins, load_plugins
from secondme.recall.codes import encode, encode_pooled

QUERIES = (
    "sister bakery trieste",
    "blood pressure doctor",
    "item4711",
    "the old car in the garage last march",
    "dario yesterday tide",
)
PROMPT = b"omething to keep"
"""Of the words that are there before anything is typed; the cursor stands on the first letter."""
TICK = 0.002
PATIENCE = 60.0


@dataclass
class Watch:
    """How late the event loop comes back to a task that asks for nothing but to be called again."""

    late: float = 0.0
    all: list[float] = field(default_factory=list)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            self.all.append(time.perf_counter() - before - TICK)

    def take(self) -> float:
        """Return the longest block since the last call, in milliseconds."""
        longest, self.all = max(self.all, default=0.0), []
        return round(1000 * longest, 1)


def make(count: int, *, vectors: bool, plugins: Plugins) -> None:
    """Store short notes, with vectors or without."""
    with Assistant.open(plugins=plugins) as me:
        if not vectors:
            notes = messages(count, words(), seed=1)
            while batch := list(islice(notes, BATCH)):
                me.write(batch)
            return
        embedder = me.embedder()
        assert embedder is not None
        rows = [embedder.tokens(note.text) for note in messages(1000, words(), seed=2)]
        with me.store.writing():
            me.store.index.start_vectors(embedder.name, embedder.width)
        fill(me, count, words(), [(encode(one), encode_pooled(one)) for one in rows])


async def shown(screen: BrowseScreen, text: str) -> None:
    """Wait until what was asked for with this text is drawn."""
    deadline = time.monotonic() + PATIENCE
    while screen.shown is None or screen.shown.words != text:
        assert time.monotonic() < deadline, f"{text!r} was never shown"
        await asyncio.sleep(0.001)
    drawn = asyncio.Event()
    screen.query_one(Results).call_after_refresh(drawn.set)
    await drawn.wait()


async def press(app: SecondmeApp, letter: str) -> None:
    """Press a key as the terminal tells of it: without the waiting that `Pilot.press` does."""
    key = events.Key("space" if letter == " " else letter, letter)
    key.set_sender(app)
    app.post_message(key)


async def type_all(app: SecondmeApp, screen: BrowseScreen, pace: float) -> list[float]:
    """Type the queries one after the other; return the milliseconds of each key."""
    query, milliseconds = screen.query_one("#browse-query", Input), []
    for text in QUERIES:
        query.value = ""
        await shown(screen, "")
        for end, letter in enumerate(text, 1):
            started = time.perf_counter()
            await press(app, letter)
            await shown(screen, text[:end])
            milliseconds.append(1000 * (time.perf_counter() - started))
            await asyncio.sleep(max(pace - (time.perf_counter() - started), 0))
        await asyncio.sleep(1.0)  # the search by meaning comes when typing rests
    return milliseconds


async def browse(plugins: Plugins, pace: float) -> dict[str, object]:
    """Return the figures of searching while typing."""
    app, watch = SecondmeApp(plugins=plugins), Watch()
    async with app.run_test(size=(120, 40)) as pilot:
        watching = asyncio.create_task(watch.run())
        await pilot.pause(1.0)
        watch.take()
        await pilot.pause(1.0)
        idle = watch.take()
        started = time.perf_counter()
        await app.switch_mode("browse")
        screen = app.screen
        assert isinstance(screen, BrowseScreen)
        await shown(screen, "")
        opened, first = 1000 * (time.perf_counter() - started), watch.take()
        await pilot.pause(2.0)
        prepared = watch.take()
        milliseconds = sorted(await type_all(app, screen, pace))
        watching.cancel()
        return {
            "keys": len(milliseconds),
            "key_to_results_ms_p50": round(statistics.median(milliseconds), 1),
            "key_to_results_ms_p95": round(milliseconds[int(0.95 * len(milliseconds))], 1),
            "key_to_results_ms_max": round(milliseconds[-1], 1),
            "longest_block_ms": {
                "idle": idle,
                "opening": first,
                "preparing": prepared,
                "typing": watch.take(),
            },
            "list_shown_ms": round(opened, 1),
            "memory_mb": round(psutil.Process().memory_info().rss / 2**20),
        }


def start(command: Sequence[str]) -> float:
    """Return the milliseconds from starting a command in a terminal until its prompt is there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    started, seen = time.perf_counter(), b""
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    try:
        while PROMPT not in seen:
            assert time.perf_counter() - started < PATIENCE, seen[-500:]
            if select.select([ours], [], [], 0.1)[0]:
                seen += os.read(ours, 65536)
        return 1000 * (time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(ours)


def measure(count: int, *, vectors: bool, pace: float, starts: int) -> dict[str, object]:
    """Return the figures at one size."""
    plugins = load_plugins(installed=False)
    plugins.register(FakePlugin(), "fake")
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(SECONDME_HOME=home, SECONDME_DAEMON_AUTOSTART="false")
        os.environ.update(SECONDME_MODELS_LANGUAGE="", SECONDME_MODELS_EMBEDDER="hashing" if vectors else "")
        make(count, vectors=vectors, plugins=plugins)
        found = asyncio.run(browse(plugins, pace))
        # The hashing embedder belongs to the tests: the command has none.
        os.environ["SECONDME_MODELS_EMBEDDER"] = ""
        began = [start([sys.executable, "-m", "secondme", "chat"]) for _ in range(starts)]
        began_ms = [round(one) for one in sorted(began)]
        return {"notes": count, "vectors": vectors, **found, "start_to_prompt_ms": began_ms}


def main() -> None:
    """Print one line of JSON a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--vectors", action="store_true")
    parser.add_argument("--pace", type=float, default=0.12)
    parser.add_argument("--starts", type=int, default=5)
    args = parser.parse_args()
    for size in args.sizes.split(","):
        found = measure(int(size), vectors=args.vectors, pace=args.pace, starts=args.starts)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
