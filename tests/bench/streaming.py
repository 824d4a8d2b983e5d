"""Measure how an answer streams onto the screen: frames that could not be drawn in time, and the memory it takes.

    PYTHONPATH=tests python -m bench.streaming [--words 400] [--pace 0.03]

The real application runs without a terminal; a scripted model says words of Markdown at the pace of a fast local model.
A frame is dropped where the event loop comes back more than one sixtieth of a second late.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Generator, Sequence
from itertools import cycle, islice

import psutil
from fakes import FakePlugin, ScriptedModel
from secondme_tui.app import SecondmeApp
from secondme_tui.widgets.prompt import Prompt
from secondme_tui.widgets.turn import TurnView

from secondme.assistant import Assistant
from secondme.models.protocols import Prompt as ModelPrompt
from secondme.models.protocols import Usage
from secondme.plugins import Plugins, load_plugins
from secondme.records import Note

FRAME = 1 / 60
TEXT = "The lighthouse [1] stands **behind** the harbour, and `ann` rows there.\n\n- a boat\n- some *bread* [2]\n\n"


class Paced(ScriptedModel):
    """Says what it is given word by word, each after a while."""

    def __init__(self, words: int, pace: float) -> None:
        super().__init__()
        self._words, self._pace = words, pace

    def reply(
        self,
        prompt: ModelPrompt,
        *,
        max_tokens: int,
        grammar: str = "",
        stop: Sequence[str] = (),
        usage: Usage | None = None,
    ) -> Generator[str, None, None]:
        """Yield so many words, whatever was asked."""
        for word in islice(cycle(TEXT.split(" ")), self._words):
            time.sleep(self._pace)
            yield f" {word}"


async def dropped(until: asyncio.Event) -> tuple[int, int]:
    """Return how many frames there were until an event, and how many of them came too late."""
    frames = late = 0
    while not until.is_set():
        before = time.perf_counter()
        await asyncio.sleep(FRAME)
        lost = int((time.perf_counter() - before - FRAME) / FRAME)
        frames, late = frames + 1 + lost, late + lost
    return frames, late


async def stream(plugins: Plugins, size: tuple[int, int]) -> str:
    app = SecondmeApp(plugins=plugins)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.5)
        prompt, ended = app.screen.query_one(Prompt), asyncio.Event()
        prompt.text = "Where does the lighthouse stand?"
        await pilot.press("enter")
        while not app.screen.query(TurnView):
            await pilot.pause(0.01)
        watching = asyncio.create_task(dropped(ended))
        began = time.perf_counter()
        while app.session.is_busy or not app.recent:
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - began
        ended.set()
        frames, late = await watching
    return f"{size[0]}x{size[1]}: {late} of {frames} frames dropped in {seconds:.1f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=400)
    parser.add_argument("--pace", type=float, default=0.03, help="seconds between two words")
    chosen = parser.parse_args()
    fake = FakePlugin()
    fake.model = Paced(chosen.words, chosen.pace)
    plugins = load_plugins(installed=False)
    plugins.register(fake, "paced")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ["SECONDME_HOME"] = folder
        with Assistant.open(plugins=plugins) as me:
            me.add_many([Note(f"The lighthouse number {number} stands at a harbour.") for number in range(40)])
        for size in ((80, 24), (120, 40)):
            print(asyncio.run(stream(plugins, size)))
    print(f"memory {psutil.Process().memory_info().rss / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
