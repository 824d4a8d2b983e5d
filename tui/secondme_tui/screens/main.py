"""What the main screens share: the bar with their names, the footer, and the way to the memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.app import ComposeResult, SuspendNotSupported
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from secondme.errors import SecondmeError, UsageError
from secondme_tui.app import TITLES, SecondmeApp

if TYPE_CHECKING:
    from secondme.chat.talk import Talk
    from secondme_tui.session import Session

T = TypeVar("T")


class TopBar(Static):
    """The names of the main screens, the one shown set off."""

    def __init__(self, mode: str) -> None:
        """Show where we are."""
        names = [
            Content.styled(f" F{key} {title} ", "reverse bold" if name == mode else "")
            for key, (name, title) in enumerate(TITLES.items(), 2)
        ]
        super().__init__(Content.assemble(("secondme ", "bold $accent"), *names), id="top-bar")


class MainScreen(Screen[None]):
    """A main screen: a bar, a body, a footer."""

    MODE: ClassVar[str] = ""

    def compose(self) -> ComposeResult:
        """Put the body between bar and footer."""
        yield TopBar(self.MODE)
        yield from self.body()
        yield Footer()

    def body(self) -> ComposeResult:
        """Yield what makes up this screen."""
        yield from ()

    @property
    def main(self) -> SecondmeApp:
        """The application."""
        assert isinstance(self.app, SecondmeApp)
        return self.app

    @property
    def session(self) -> Session:
        """What the memory is asked through."""
        return self.main.session

    def fetch(
        self,
        work: Callable[[Talk], T],
        then: Callable[[T], object],
        *,
        failed: Callable[[SecondmeError], object] | None = None,
        desk: str = "memory",
        latest: str = "",
    ) -> None:
        """Do `work` with the memory on a thread, then call `then` here; what fails is shown."""
        self.session.run(work, self._while_here(then), failed=failed or self.main.failed, desk=desk, latest=latest)

    def suspended(self, work: Callable[[], T]) -> T | None:
        """Let another program have the terminal while `work` runs; None where that fails, which is shown."""
        error: SecondmeError | None = None
        try:
            with self.app.suspend():
                try:
                    return work()
                except SecondmeError as failed:
                    # It must not leave the block: the terminal would not be taken back.
                    error = failed
        except SuspendNotSupported:
            error = UsageError("this terminal cannot be left for an editor", hint="secondme show prints notes")
        if error is not None:
            self.main.failed(error)
        return None

    def _while_here(self, then: Callable[[T], object]) -> Callable[[T], object]:
        return lambda result: then(result) if self.is_attached else None
