"""Runs the real application over a real memory, with the scripted model and the hashing embedder as a plugin."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fakes import FakePlugin
from screens import Open, Screen
from secondme_tui.app import SecondmeApp

from secondme.assistant import Assistant
from secondme.plugins import Plugins, load_plugins


@pytest.fixture
def plugins(scripted: FakePlugin) -> Plugins:
    """The built-in plugins with the scripted model and the hashing embedder."""
    loaded = load_plugins(installed=False)
    loaded.register(scripted, "scripted")
    return loaded


@pytest.fixture
def memory(plugins: Plugins) -> Callable[[], Assistant]:
    """Open the memory that the application shows, to put something into it or to look."""
    return lambda: Assistant.open(plugins=plugins)


@pytest.fixture
def show(plugins: Plugins) -> Open:
    """Run the application: `async with show() as screen`; `size` is (columns, lines)."""

    @asynccontextmanager
    async def run(*, size: tuple[int, int] = (120, 40), mode: str = "chat", **settings: Any) -> AsyncIterator[Screen]:
        app = SecondmeApp(plugins=plugins, **settings)
        async with app.run_test(size=size) as pilot:
            screen = Screen(app, pilot)
            await screen.until(lambda: "opening the memory" not in screen.text)
            if mode != "chat":
                await app.switch_mode(mode)
                await pilot.pause()
            yield screen

    return run
