"""A pane that shows where a text stands: its source around the lines that were cited."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from secondme.chat.lines import day
from secondme.places import place
from secondme.records import Match, Note
from secondme_tui.text import line, window


class Preview(Vertical):
    """A source at its line."""

    def compose(self) -> ComposeResult:
        """Yield a line that names it, and its text."""
        yield Static(id="preview-head")
        with VerticalScroll(id="preview-scroll"):
            yield Static(id="preview-text")

    def show(self, note: Note, match: Match) -> None:
        """Show a note around the lines of a match."""
        where = place(match.uri, match.line_start)
        self.query_one("#preview-head", Static).update(
            line((match.id, "bold"), day(match.happened_at), match.author, (where, "$text-muted"))
        )
        shown = window(note.text, match.line_start, match.line_end)
        self.query_one("#preview-text", Static).update(shown)
        self.display = True
        self.call_after_refresh(self._scroll, shown[: max(shown.plain.find("\n▌"), 0)])

    def clear(self) -> None:
        """Show nothing."""
        self.query_one("#preview-head", Static).update(Content())
        self.query_one("#preview-text", Static).update(Content())
        self.display = False

    def _scroll(self, before: Content) -> None:
        text = self.query_one("#preview-text", Static)
        rows = before.get_height({}, text.content_size.width) if before.plain else 0
        self.query_one("#preview-scroll").scroll_to(y=max(rows - 2, 0), animate=False)
