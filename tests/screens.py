"""The application under test, as somebody sits before it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from time import monotonic
from typing import Any

from secondme_tui.app import SecondmeApp
from textual.pilot import Pilot

PATIENCE = 20.0


@dataclass
class Screen:
    """The application under test, as somebody sits before it."""

    app: SecondmeApp
    pilot: Pilot[None]

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Return what `condition` returns once that is true; fail when it never is."""
        deadline = monotonic() + PATIENCE
        while not (found := condition()):
            assert monotonic() < deadline, f"it never happened; on the screen is:\n{self.text}"
            await self.pilot.pause(0.01)
        await self.pilot.pause()
        return found

    async def until_shown(self, words: str) -> None:
        """Wait until words are on the screen."""
        await self.until(lambda: words in self.text)

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.pilot.press(*("space" if letter == " " else letter for letter in text))

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    @property
    def lines(self) -> list[str]:
        """What is on the screen, line by line."""
        height = self.app.size.height
        return [
            "".join(segment.text for segment in strip).rstrip()
            for strip in (self.app.screen._compositor.render_strips()[:height])
        ]

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self.lines)


Open = Callable[..., AbstractAsyncContextManager[Screen]]
