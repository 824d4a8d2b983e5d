"""What a list is restricted to: a kind to be turned through, and fields to type into."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message
from textual.widgets import Input, Static

from secondme_tui.found import Asked
from secondme_tui.text import safe

KINDS = {"": "notes and facts", "passage": "notes only", "fact": "facts only"}
FIELDS = {
    "since": "since: last March",
    "until": "until: 2024-06",
    "author": "person",
    "source": "in path or uri",
    "thread": "in thread",
}


class KindChoice(Static, can_focus=True):
    """The kind of what is listed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,right,enter", "turn(1)", "Another kind", id="browse.kind"),
        Binding("left", "turn(-1)", "Kind before", show=False, id="browse.kind-before"),
    ]

    class Turned(Message):
        """Another kind is wanted."""

    def __init__(self) -> None:
        super().__init__(id="filter-kind")
        self.kind = ""

    def on_mount(self) -> None:
        """Show the kind."""
        self.action_turn(0)

    def action_turn(self, by: int) -> None:
        """Go to the next kind or the one before."""
        kinds = [*KINDS]
        self.kind = kinds[(kinds.index(self.kind) + by) % len(kinds)]
        self.update(safe(f"‹ {KINDS[self.kind]} ›"))
        if by:
            self.post_message(self.Turned())

    def on_click(self) -> None:
        """Do as the key does."""
        self.action_turn(1)


class FilterBar(Container):
    """The fields, hidden while nothing stands in them."""

    class Changed(Message):
        """Something else is wanted."""

    def compose(self) -> ComposeResult:
        """Yield the fields."""
        yield KindChoice()
        for name, words in FIELDS.items():
            yield Input(placeholder=words, compact=True, id=f"filter-{name}")

    def on_mount(self) -> None:
        """Wait to be called."""
        self.display = False

    def asked(self, words: str) -> Asked:
        """Return these words with what stands in the fields."""
        kind = self.query_one(KindChoice).kind
        values = {name: self.query_one(f"#filter-{name}", Input).value for name in FIELDS}
        return Asked(words, kind, **values)

    @property
    def is_empty(self) -> bool:
        """True where nothing is restricted."""
        return self.asked("") == Asked()

    def open(self) -> None:
        """Show the fields and begin at the first."""
        self.display = True
        self.query_one(KindChoice).focus()

    def leave(self) -> None:
        """Hide the fields where nothing stands in them."""
        self.display = not self.is_empty

    @on(Input.Changed)
    @on(KindChoice.Turned)
    def _changed(self, event: Message) -> None:
        event.stop()
        self.post_message(self.Changed())
