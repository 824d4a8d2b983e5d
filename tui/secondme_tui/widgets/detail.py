"""The pane beside a list: the text of what is highlighted where it stands, and what hangs together with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.css.styles import RulesMap
from textual.widgets import Static

from secondme.clean import clean
from secondme_tui.found import Detail, Excerpt
from secondme_tui.text import joined, line, safe
from secondme_tui.widgets.results import MUTED, finder, stressed


class DetailPane(Vertical):
    """One thing that was found, with its text and its relations."""

    def compose(self) -> ComposeResult:
        """Yield a head, the text, and below it what hangs together with it."""
        yield Static(id="detail-head")
        yield Static(id="detail-fact")
        with VerticalScroll(id="detail-scroll"):
            yield Static(id="detail-text")
        with VerticalScroll(id="detail-more"):
            yield Static(id="detail-sections")

    def show(self, found: Detail, words: str) -> None:
        """Show it, its text at the lines that matched, these words set off."""
        self.query_one("#detail-head", Static).update(_head(found, max(self.content_size.width - 2, 20)))
        fact = self.query_one("#detail-fact", Static)
        fact.update(safe(found.text, "bold"))
        fact.display = bool(found.text)
        lines = [*_lines(found.excerpt)]
        self.query_one("#detail-text", Static).update(stressed(joined(lines), finder(words)))
        self.query_one("#detail-sections", Static).update(joined(_sections(found)))
        self.query_one("#detail-more").display = bool(found.sections)
        above = found.excerpt.asked[0] - found.excerpt.first + bool(found.excerpt.before)
        self.call_after_refresh(self._scroll, joined(lines[: max(above, 0)]))

    def clear(self, words: str = "") -> None:
        """Show nothing but these words."""
        self.query_one("#detail-head", Static).update(safe(words, MUTED))
        for name in ("#detail-text", "#detail-sections"):
            self.query_one(name, Static).update(Content())
        self.query_one("#detail-fact").display = self.query_one("#detail-more").display = False

    def _scroll(self, above: Content) -> None:
        text = self.query_one("#detail-text")
        # A long line takes several rows.
        rows = above.get_height(cast(RulesMap, text.styles), max(text.content_size.width, 1)) if above.plain else 0
        self.query_one("#detail-scroll").scroll_to(y=max(rows - 1, 0), animate=False)
        self.query_one("#detail-more").scroll_to(y=0, animate=False)


def _head(found: Detail, width: int) -> Content:
    pinned = ("★ pinned", "$warning") if found.is_pinned else ""
    lines = [
        line((found.id, "bold $accent"), pinned, *found.words),
        line(*found.about, width=100),
        safe(found.where if len(found.where) <= width else f"…{found.where[1 - width :]}", MUTED),
    ]
    return joined(one for one in lines if one.plain)


def _lines(shown: Excerpt) -> Iterator[Content]:
    first, last = shown.asked
    width = len(str(shown.first + len(shown.lines) - 1))
    if shown.before:
        yield safe(f"… {shown.before:,} lines before", MUTED)
    for number, words in enumerate(shown.lines, shown.first):
        is_asked = first <= number <= last
        sign = "▌" if is_asked else " "
        mark = (f"{sign}{number:>{width}} ", "$accent" if is_asked else MUTED)
        yield Content.assemble(mark, (clean(words), "" if is_asked or not first else MUTED))
    if shown.behind:
        yield safe(f"… {shown.behind:,} lines behind; o opens all of it", MUTED)


def _sections(found: Detail) -> Iterator[Content]:
    for section in found.sections:
        yield safe(section.title, "bold")
        yield from (safe(f"  {one}") for one in section.lines)
