"""How the screens look, held to pictures: DRAW_SCREENS=1 draws them anew, and a change of them is to be looked at."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes import FakePlugin
from screens import Open, Screen

from secondme.assistant import Assistant
from secondme.records import Note

PICTURES = Path(__file__).parent / "pictures"
DAY = datetime(2024, 6, 1, 12, tzinfo=UTC)
SIZE = (80, 24)
LIFE = ("I moved to Porto.", "The rent is 755 euros.", "日本語のメモ 🙂 is two columns wide.", "My dentist is Dr Khan.")


@pytest.fixture(autouse=True)
def life(monkeypatch: pytest.MonkeyPatch, memory: Callable[[], Assistant]) -> Iterator[None]:
    """A few days of a life, looked at on a day that does not pass."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("SECONDME_NOW", (DAY + timedelta(days=9)).isoformat())
    time.tzset()
    with memory() as me:
        notes = [Note(text, uri=f"diary:{at}", happened_at=DAY + timedelta(days=at)) for at, text in enumerate(LIFE)]
        me.add_many(notes)
        me.pin("n2")
        me.sleep()
    yield
    monkeypatch.undo()
    time.tzset()


def drawn(screen: Screen) -> str:
    """The screen as a picture, without a font from elsewhere; the ids in one are new each time, and so is the time."""
    picture = re.sub(r"terminal-\d+", "terminal", screen.app.export_screenshot())
    picture = re.sub(r"\d\.\d&#160;s<", "0.0&#160;s<", picture)
    return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)


async def is_as_drawn(screen: Screen, name: str) -> None:
    """Wait until the screen looks like its picture: what is drawn last differs from machine to machine."""
    path = PICTURES / f"{name}.svg"
    if os.environ.get("DRAW_SCREENS"):
        await screen.pilot.pause(1)
        path.parent.mkdir(exist_ok=True)
        path.write_text(drawn(screen), encoding="utf-8")
    wanted = path.read_text(encoding="utf-8")
    await screen.until(lambda: drawn(screen) == wanted)


async def test_the_conversation_looks_as_drawn(show: Open, scripted: FakePlugin) -> None:
    scripted.model.replies.append("You live in Porto [1]. It is a fine town.")
    async with show(size=SIZE) as screen:
        await screen.type("Where do I live?")
        await screen.press("enter")
        await screen.until_shown("[1] n1")
        await is_as_drawn(screen, "chat")


async def test_browsing_looks_as_drawn(show: Open) -> None:
    async with show(size=SIZE, mode="browse") as screen:
        await screen.until_shown("Dr Khan")
        await screen.type("wide")
        await screen.until_shown("2 found by words and meaning")
        await is_as_drawn(screen, "browse")


async def test_a_night_looks_as_drawn(show: Open) -> None:
    async with show(size=SIZE, mode="review") as screen:
        await screen.until_shown("I moved to Porto.")
        await is_as_drawn(screen, "review")
