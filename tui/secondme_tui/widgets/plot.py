"""Numbers over time as a small plot, and numbers with their names as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Sparkline, Static

from secondme_tui.text import joined, safe

NAME = 16
"""Columns of the names."""
STYLES: Mapping[str, str] = {"error": "$text-error", "problem": "$text-warning", "does not sleep": "$text-warning"}
"""The names say it as well."""


class Rows(Widget):
    """Names with what there is to say of each, in two columns; what is long goes on below itself."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._rows: Sequence[tuple[str, str]] = ()

    def show(self, rows: Sequence[tuple[str, str]]) -> None:
        """Show these; rows that are shown already change nothing."""
        if [*rows] != [*self._rows]:
            self._rows = [*rows]
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines they take."""
        return len(self._lines(width))

    def render(self) -> Content:
        """Return the lines."""
        return joined(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        lines: list[Content] = []
        for name, words in self._rows:
            head = safe(name.ljust(NAME), "$text-muted")
            for part in safe(words or "-", STYLES.get(name, "")).wrap(max(width - NAME, 10)):
                lines.append(Content.assemble(head, part))
                head = Content(" " * NAME)
        return lines


class Plot(Vertical):
    """Numbers over time, the latest at the right, with words that say what they are."""

    def compose(self) -> ComposeResult:
        """Yield the words and the bars."""
        yield Static(classes="plot-words")
        yield Sparkline()

    def on_mount(self) -> None:
        """Show nothing until there is something."""
        self.display = False

    def show(self, numbers: Sequence[float], words: str) -> None:
        """Show numbers; one alone is no plot."""
        self.display = len(numbers) > 1
        self.query_one(".plot-words", Static).update(safe(words, "$text-muted"))
        bars = self.query_one(Sparkline)
        bars.data = [*numbers]
        # As wide as it has to be: each number has a bar, of two columns where there are few.
        bars.styles.max_width = len(numbers) * (2 if len(numbers) <= 24 else 1)
