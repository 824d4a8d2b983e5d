"""What is shown over a screen: questions, trouble, help, a text to be changed, a list to choose from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Button, Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from secondme.chat.commands import COMMANDS
from secondme.errors import SecondmeError
from secondme_tui.text import safe

TITLES = {
    "NewerDatabase": "This memory is newer than this program",
    "NoDatabase": "Nothing is stored yet",
    "Locked": "Another process is writing",
    "WrongKey": "This memory cannot be opened",
    "NoModel": "There is no model to answer",
    "NoDaemon": "The background process does not answer",
    "IntegrityError": "The memory or its disk is damaged",
    "ConfigError": "A setting cannot be used",
    "NotFound": "Nothing there",
    "UsageError": "That does not work",
    "Bug": "Something went wrong",
}


class Trouble(ModalScreen[None]):
    """What went wrong, why, and what to do."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter", "dismiss", "Close", id="dialog.close")]

    def __init__(self, error: SecondmeError) -> None:
        super().__init__()
        self._error = error

    def compose(self) -> ComposeResult:
        """Yield a title, a reason and a way out."""
        with Vertical(classes="dialog"):
            yield Static(safe(TITLES.get(type(self._error).__name__, "That did not work"), "bold $error"))
            yield Static(safe(str(self._error)))
            if self._error.hint:
                yield Static(safe(f"What to do: {self._error.hint}", "$text-muted"))
            yield Button("Close", variant="primary", id="close")

    @on(Button.Pressed)
    def _close(self) -> None:
        self.dismiss(None)


class Confirm(ModalScreen[bool]):
    """A question with what it is about; nothing happens without a yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="dialog.yes"),
        Binding("n,escape", "answer(False)", "No", id="dialog.no"),
    ]

    def __init__(self, question: str, about: str = "") -> None:
        super().__init__()
        self._question, self._about = question, about

    def compose(self) -> ComposeResult:
        """Yield the question and what it is about."""
        with Vertical(classes="dialog"):
            yield Static(safe(self._question, "bold"))
            if self._about:
                with VerticalScroll(classes="dialog-body"):
                    yield Static(safe(self._about))
            with Horizontal(classes="dialog-buttons"):
                yield Button("No (n)", id="no")
                yield Button("Yes (y)", variant="error", id="yes")

    def action_answer(self, answer: bool) -> None:
        """Close with the answer."""
        self.dismiss(answer)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class EditText(ModalScreen[str | None]):
    """A text to be changed; None where nothing is to be."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", id="dialog.save", priority=True),
        Binding("escape", "dismiss(None)", "Leave it", id="dialog.leave"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """Yield the text in an editor."""
        with Vertical(classes="dialog"):
            yield Static(safe(self._title, "bold"))
            yield TextArea(self._text, id="text")
            yield Static(safe("Ctrl+S saves, Esc leaves it as it was", "$text-muted"))

    def action_save(self) -> None:
        """Close with the text."""
        self.dismiss(self.query_one(TextArea).text)


class Choose(ModalScreen[str | None]):
    """A list to choose from, narrowed while typing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="dialog.close"),
        Binding("down", "move(1)", "Next", show=False, id="dialog.next"),
        Binding("up", "move(-1)", "Previous", show=False, id="dialog.previous"),
    ]

    def __init__(self, title: str, choices: Sequence[tuple[str, str]]) -> None:
        """Offer (id, text) pairs."""
        super().__init__()
        self._title, self._choices = title, choices

    def compose(self) -> ComposeResult:
        """Yield a field and the list."""
        with Vertical(classes="dialog"):
            yield Static(safe(self._title, "bold"))
            yield Input(placeholder="type to narrow, Enter takes it", id="narrow")
            yield OptionList(*self._options(""), id="choices")

    def on_mount(self) -> None:
        """Begin with the first one."""
        self._first()

    def action_move(self, by: int) -> None:
        """Go to the next or the previous one."""
        found = self.query_one(OptionList)
        if by > 0:
            found.action_cursor_down()
        else:
            found.action_cursor_up()

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        self.query_one(OptionList).set_options(self._options(event.value))
        self._first()

    @on(Input.Submitted)
    def _take(self) -> None:
        found = self.query_one(OptionList)
        if found.highlighted is not None:
            self.dismiss(found.get_option_at_index(found.highlighted).id)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def _options(self, words: str) -> Iterable[Option]:
        wanted = words.lower().split()
        return [Option(safe(text), id) for id, text in self._choices if all(word in text.lower() for word in wanted)]

    def _first(self) -> None:
        found = self.query_one(OptionList)
        found.highlighted = 0 if found.option_count else None


class Help(ModalScreen[None]):
    """The keys of a screen with the ids of their actions, and the commands of a conversation."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q", "dismiss", "Close", id="dialog.close")]

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._keys = [
            (self_key, active.binding.description, active.binding.id or "")
            for self_key, active in screen.active_bindings.items()
            if active.binding.id and active.binding.description
        ]

    def compose(self) -> ComposeResult:
        """Yield the lists."""
        with Vertical(classes="dialog"):
            yield Static(safe("Keys", "bold"))
            with VerticalScroll(classes="dialog-body"):
                yield Static(self._listed())
            yield Static(safe("other keys: chat.keys in config.toml, by the ids in the last column", "$text-muted"))

    def _listed(self) -> Content:
        keys = [f"{key:<14} {what:<28} {id}" for key, what, id in self._keys]
        commands = [f"/{one.name} {one.argument}".ljust(28) + one.help for one in COMMANDS.values()]
        return safe("\n".join([*keys, "", *commands]))
