"""The commands that what is typed may become."""

from __future__ import annotations

from textual.widgets import OptionList
from textual.widgets.option_list import Option

from secondme.chat import commands
from secondme_tui.text import safe


class Completions(OptionList, can_focus=False):
    """A list over the prompt; the keys stay with the prompt."""

    def __init__(self) -> None:
        super().__init__(id="completions", markup=False)
        self.display = False

    def offer(self, line: str) -> bool:
        """Show what a line may become; return whether there is anything."""
        found = commands.completions(line)
        self.display = bool(found)
        if found:
            width = max(len(one.name) + len(one.argument) for one in found) + 3
            lines = [f"/{one.name} {one.argument}".ljust(width) + one.help for one in found]
            names = [one.name for one in found]
            self.set_options(Option(safe(text), id=name) for text, name in zip(lines, names, strict=True))
            self.highlighted = 0
        return self.display

    @property
    def in_hand(self) -> str:
        """The name of the command that is highlighted; "" where nothing is offered."""
        option = self.highlighted_option if self.display else None
        return (option.id or "") if option else ""

    def move(self, by: int) -> None:
        """Go to the next command or the one before."""
        if by > 0:
            self.action_cursor_down()
        else:
            self.action_cursor_up()
