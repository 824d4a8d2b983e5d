"""Where the user types: grows with the text, goes back through what was said, completes commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from secondme.clean import clean

NEWLINES = ("shift+enter", "alt+enter", "ctrl+j")


class Prompt(TextArea):
    """A text of several lines that is sent by Enter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "search_history", "Earlier", id="chat.history"),
        Binding("ctrl+o", "editor", "Editor", id="chat.editor"),
    ]

    class Submitted(Message):
        """The user sent a text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Typed(Message):
        """The text changed."""

        def __init__(self, prompt: Prompt, text: str) -> None:
            super().__init__()
            self.prompt, self.text = prompt, text

    class HistoryWanted(Message):
        """The user wants to look through what was said."""

    class EditorWanted(Message):
        """The user wants to go on writing in an editor."""

    class CompletionWanted(Message):
        """The user wants the command that is offered."""

    class CompletionMoved(Message):
        """The user wants the command below the one that is offered, or above it."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self) -> None:
        super().__init__(
            id="prompt",
            placeholder="say something to keep, ask something, or / for commands",
            soft_wrap=True,
            show_line_numbers=False,
            compact=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
        )
        # Blinking would have the terminal redrawn twice a second for ever.
        self.cursor_blink = False
        self.is_completed = False
        """True while commands are offered."""
        self._said: list[str] = []
        self._place = 0
        """Where in the history we are; its length where we are not."""
        self._draft = ""

    def set_history(self, texts: Sequence[str]) -> None:
        """Let Up go back through these, the latest last."""
        self._said = [*texts]
        self._place = len(self._said)

    @property
    def said(self) -> Sequence[str]:
        """What was said, the latest last."""
        return tuple(self._said)

    def put(self, text: str) -> None:
        """Replace what is typed."""
        self.text = clean(text)
        self.move_cursor(self.document.end)

    def action_search_history(self) -> None:
        """Ask for a look through what was said."""
        self.post_message(self.HistoryWanted())

    def action_editor(self) -> None:
        """Ask for an editor."""
        self.post_message(self.EditorWanted())

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Tell of it."""
        event.stop()
        self.post_message(self.Typed(self, self.text))

    async def _on_key(self, event: events.Key) -> None:
        if event.key in NEWLINES:
            self.insert("\n")
        elif event.key.startswith("alt+"):
            # Some terminals send the letter with it, which is not to be typed. It may be a key of the screen.
            event.prevent_default()
            return
        elif event.key == "enter":
            self._submit()
        elif event.key == "tab" and self.text.startswith("/"):
            self.post_message(self.CompletionWanted())
        elif event.key in ("up", "down") and self.is_completed:
            self.post_message(self.CompletionMoved(-1 if event.key == "up" else 1))
        elif event.key == "up" and self.cursor_location[0] == 0 and self._said:
            self._go(-1)
        elif event.key == "down" and self.cursor_location[0] == self.document.line_count - 1:
            self._go(1)
        else:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()

    async def _on_paste(self, event: events.Paste) -> None:
        # The text area would hand control characters on to the terminal.
        event.prevent_default()
        await super()._on_paste(events.Paste(clean(event.text)))

    def _submit(self) -> None:
        text = clean(self.text).strip()
        if text:
            self._said.append(text)
            self.text = ""
            self._draft, self._place = "", len(self._said)
            self.post_message(self.Submitted(text))

    def _go(self, by: int) -> None:
        if self._place == len(self._said):
            self._draft = self.text
        self._place = min(max(self._place + by, 0), len(self._said))
        self.put(self._said[self._place] if self._place < len(self._said) else self._draft)
