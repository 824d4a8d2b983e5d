"""One turn of a conversation: what was said, what was kept, the answer as it comes, its sources."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownStream

from secondme.chat.inks import renumbered
from secondme.chat.lines import match_line, source_line
from secondme.chat.reading import read_answer
from secondme.clean import clean
from secondme.records import Answer, Match
from secondme_tui.inks import painted, parser
from secondme_tui.text import beginning, joined, safe

PACE = 0.1
"""Seconds between two drawings of an answer that comes: each lays out the whole screen."""
_BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
NEAREST = 3
"""How many passages are shown where memory does not hold the answer."""


@dataclass
class Shown:
    """What a turn has to show."""

    text: str
    note: str = ""
    answer: str = ""
    is_whole: bool = True
    abstained: bool = False
    sources: Mapping[int, Match] = field(default_factory=dict)
    """The passages behind the marks in the answer."""
    nearest: Sequence[Match] = ()
    """The passages that came closest, where memory does not hold the answer."""


class TurnView(Vertical, can_focus=True):
    """A turn that can be gone to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(n), f"source({n})", "Source", key_display="1-9", show=n == 1, id=f"chat.source-{n}")
            for n in range(1, 10)
        ),
        Binding("o", "editor", "Open", id="chat.open"),
        Binding("y", "copy", "Copy", id="chat.copy"),
        Binding("Y", "copy_block", "Copy code", show=False, id="chat.copy-block"),
        Binding("u", "take_back", "Take back", id="chat.take-back"),
    ]

    class SourceWanted(Message):
        """A source is to be shown, or opened in the editor."""

        def __init__(self, match: Match, *, in_editor: bool) -> None:
            super().__init__()
            self.match, self.in_editor = match, in_editor

    class CopyWanted(Message):
        """A text is to be copied."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class TakeBack(Message):
        """What was kept is to be taken back."""

        def __init__(self, view: TurnView, note: str) -> None:
            super().__init__()
            self.view, self.note = view, note

    def __init__(self, shown: Shown) -> None:
        super().__init__(classes="turn")
        self.shown = shown
        self._stream: MarkdownStream | None = None
        self._unwritten = ""
        """What came since the answer was last drawn."""
        self._writing: Timer | None = None
        self._last_source = 1

    def compose(self) -> ComposeResult:
        """Yield what was said, and room for what follows."""
        yield Static(safe(beginning(self.shown.text)), classes="said")
        yield Static(self._kept(), classes="kept")
        yield Static(classes="waiting")
        yield Markdown(parser_factory=parser, open_links=False, classes="answer")
        yield Static(classes="sources")

    async def on_mount(self) -> None:
        """Show an answer that is there already."""
        self._hide_empty()
        if self.shown.answer or self.shown.nearest:
            await self._show_whole()
        elif not self.shown.is_whole:
            self._put("waiting", safe("not answered", "$text-muted"))

    def wait(self, words: str) -> None:
        """Say what is being done."""
        self._put("waiting", safe(words, "$text-muted italic"))

    async def add(self, piece: str) -> None:
        """Take in more of the answer."""
        if not self.is_attached:  # another conversation was opened meanwhile
            return
        self.shown.answer += piece
        self._unwritten += piece
        if not self.shown.answer.strip():
            return
        if self._stream is None:
            self._put("waiting", Content())
            answer = self.query_one(Markdown)
            answer.display = True
            self._stream = Markdown.get_stream(answer)
            await self._write()
        elif self._writing is None:
            self._writing = self.set_timer(PACE, self._write)

    async def _write(self) -> None:
        unwritten, self._unwritten, self._writing = self._unwritten, "", None
        if self._stream is not None:
            await self._stream.write(clean(unwritten))

    async def end(self, answer: Answer, shown: Sequence[Match], *, is_whole: bool) -> None:
        """Show the answer as it is in the end, with its sources."""
        read = read_answer(answer)
        self.shown.answer, self.shown.sources = read.text, read.sources
        self.shown.is_whole, self.shown.abstained = is_whole, answer.abstained
        self.shown.nearest = shown[:NEAREST] if answer.abstained else ()
        await self.stop_stream()
        if self.is_attached:
            await self._show_whole()

    async def stop_stream(self) -> None:
        """Take in what has come of the answer."""
        if self._writing is not None:
            self._writing.stop()
            await self._write()
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.stop()

    def fail(self, reason: str, nearest: Sequence[Match]) -> None:
        """Show why there is no answer, and what it would have been drawn from."""
        self._put("waiting", safe(reason, "$warning"))
        self.shown.nearest = nearest[:NEAREST]
        self._put("sources", self._sources())

    def taken_back(self) -> None:
        """Show that what was said is no longer kept."""
        self.shown.note = ""
        self._put("kept", safe("taken back", "$text-muted"))

    def source(self, number: int) -> Match | None:
        """Return what the mark of a number stands for; among the nearest, they are counted."""
        if self.shown.nearest and not self.shown.sources:
            return self.shown.nearest[number - 1] if number <= len(self.shown.nearest) else None
        return self.shown.sources.get(number)

    def action_source(self, number: int) -> None:
        """Show the source of a number."""
        self._want(number)

    def action_editor(self) -> None:
        """Open the source that was shown last."""
        self._want(self._last_source, in_editor=True)

    def action_copy(self) -> None:
        """Copy the answer, or what was said where there is none."""
        self.post_message(self.CopyWanted(self.shown.answer or self.shown.text))

    def action_copy_block(self) -> None:
        """Copy the last block of code in the answer, without the marks of its sources."""
        blocks = _BLOCK.findall(self.shown.answer)
        self.post_message(self.CopyWanted(renumbered(blocks[-1], {}) if blocks else ""))

    def action_take_back(self) -> None:
        """Take back what was kept."""
        if self.shown.note:
            self.post_message(self.TakeBack(self, self.shown.note))

    def _want(self, number: int, *, in_editor: bool = False) -> None:
        if match := self.source(number):
            self._last_source = number
            self.post_message(self.SourceWanted(match, in_editor=in_editor))

    async def _show_whole(self) -> None:
        evidence = {number: match.text for number, match in self.shown.sources.items()}
        text, legend = (self.shown.answer, Content()) if self.shown.abstained else painted(self.shown.answer, evidence)
        answer = self.query_one(Markdown)
        answer.display = bool(text)
        await answer.update(clean(text) + ("" if self.shown.is_whole else " …"))
        self._put("waiting", Content() if self.shown.is_whole else safe("stopped", "$text-muted"))
        self._put("sources", joined([one for one in (self._sources(), legend) if one.plain]))

    def _kept(self) -> Content:
        return safe(f"kept as {self.shown.note} · u takes it back", "$success") if self.shown.note else Content()

    def _sources(self) -> Content:
        if self.shown.sources:
            return joined(safe(source_line(number, one), "$accent") for number, one in self.shown.sources.items())
        if not self.shown.nearest:
            return Content()
        nearest = [safe(f"[{number}] {match_line(one)}") for number, one in enumerate(self.shown.nearest, 1)]
        return joined([safe("what comes closest:", "$text-muted"), *nearest])

    def _put(self, name: str, content: Content) -> None:
        if not self.is_attached:
            return
        found = self.query_one(f".{name}", Static)
        found.update(content)
        found.display = bool(content.plain)

    def _hide_empty(self) -> None:
        for name in ("waiting", "sources"):
            self.query_one(f".{name}", Static).display = False
        self.query_one(".kept", Static).display = bool(self.shown.note)
        self.query_one(Markdown).display = False
