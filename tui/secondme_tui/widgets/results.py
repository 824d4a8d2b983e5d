"""What was found, two lines each: what it is and where it stands, then the words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from secondme.recall.words import content_words
from secondme_tui.found import Row
from secondme_tui.text import joined, line, safe

MUTED = "$foreground-muted"
"""Within text `$text-muted` is as bright as any."""
Deed = Literal["open", "edit", "pin", "forget"]
AT_ONCE = 20
"""Rows that are drawn at once, about a screen of them; measuring more would take longer than a key may."""
PAUSE = 0.15
"""Seconds before each further lot of them, while keys are dealt with."""
WHERE = 30
"""Columns for a path, of which the end tells most."""


class Results(OptionList):
    """Matches that can be gone through."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,o", "do('open')", "Open", id="browse.open"),
        Binding("e", "do('edit')", "Edit", id="browse.edit"),
        Binding("p", "do('pin')", "Pin", id="browse.pin"),
        Binding("d", "do('forget')", "Forget", id="browse.forget"),
        Binding("j", "cursor_down", "Down", show=False, id="browse.next"),
        Binding("k", "cursor_up", "Up", show=False, id="browse.previous"),
    ]

    class Wanted(Message):
        """Something is to be done with what is highlighted."""

        def __init__(self, deed: Deed, row: Row) -> None:
            super().__init__()
            self.deed, self.row = deed, row

    def __init__(self) -> None:
        super().__init__(id="results", markup=False, compact=True)
        self.rows: Sequence[Row] = ()
        """What is listed."""
        self._rest: Timer | None = None

    def show(self, rows: Sequence[Row], words: str, *, stay: bool) -> None:
        """List rows; with `stay` the highlight keeps to the row it is on, or to its place where that is gone."""
        at, here = self.highlighted or 0, self.row
        self.rows = rows
        if self._rest is not None:
            self._rest.stop()
        self.set_options(())
        if not rows:
            self.refresh()
            return
        ids = [row.id for row in rows]
        # Who has not moved yet wants the best one, whichever that is now.
        is_kept = stay and at and here is not None and here.id in ids
        place = ids.index(here.id) if is_kept and here is not None else at if stay else 0
        place = min(place, len(rows) - 1)
        self._add(max(AT_ONCE, place + 1), finder(words))
        self.highlighted = place

    def _add(self, number: int, found: re.Pattern[str] | None) -> None:
        """Add the next rows, and the others a little later."""
        there = self.option_count
        self.add_options(Option(_drawn(row, found), row.id) for row in self.rows[there : there + number])
        if self.option_count < len(self.rows):
            self._rest = self.set_timer(PAUSE, lambda: self._add(AT_ONCE, found))

    @property
    def row(self) -> Row | None:
        """What is highlighted."""
        at = self.highlighted
        return self.rows[at] if at is not None and at < len(self.rows) else None

    def action_do(self, deed: Deed) -> None:
        """Ask for something to be done with what is highlighted."""
        if row := self.row:
            self.post_message(self.Wanted(deed, row))

    def action_select(self) -> None:
        """Do nothing more: a click highlights, and only a key opens an editor."""


def finder(words: str) -> re.Pattern[str] | None:
    """Return what finds the beginnings of words that were looked for; None where nothing was."""
    terms = [re.escape(term) for term in content_words(words)[:20]]
    return re.compile(rf"\b(?:{'|'.join(terms)})", re.IGNORECASE) if terms else None


def _drawn(row: Row, found: re.Pattern[str] | None) -> Content:
    where = row.where if len(row.where) <= WHERE else f"…{row.where[1 - WHERE :]}"
    pinned = ("★ pinned", "$warning") if row.is_pinned else ""
    kind = "fact" if row.kind == "fact" else ""
    head = line((row.id, "bold $accent"), pinned, kind, row.day, row.author, (where, MUTED))
    return joined([head, stressed(safe(row.text), found)])


def stressed(text: Content, found: re.Pattern[str] | None) -> Content:
    """Return a text with what was looked for set off."""
    for match in found.finditer(text.plain) if found else ():
        text = text.stylize("bold underline", *match.span())
    return text
