"""The application: its screens, its keys, its themes, and what the threads tell it."""

from __future__ import annotations

import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from inspect import isawaitable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches

from secondme.clean import clean
from secondme_tui.keyboard import mend
from secondme_tui.messages import Call
from secondme_tui.session import Session

if TYPE_CHECKING:
    from textual.screen import Screen

    from secondme.errors import SecondmeError
    from secondme.plugins import Plugins


def _chat() -> Screen[Any]:
    from secondme_tui.screens.chat import ChatScreen

    return ChatScreen()


def _browse() -> Screen[Any]:
    from secondme_tui.screens.browse import BrowseScreen

    return BrowseScreen()


def _timeline() -> Screen[Any]:
    from secondme_tui.screens.timeline import TimelineScreen

    return TimelineScreen()


def _review() -> Screen[Any]:
    from secondme_tui.screens.review import ReviewScreen

    return ReviewScreen()


def _status() -> Screen[Any]:
    from secondme_tui.screens.status import StatusScreen

    return StatusScreen()


TITLES = {"chat": "Chat", "browse": "Browse", "timeline": "Timeline", "review": "Review", "status": "Status"}


class SecondmeApp(App[None]):
    """secondme on a terminal."""

    TITLE = "secondme"
    # A screen with styles of its own would have all of them read again when it is first shown, which takes too long.
    CSS_PATH = [  # noqa: RUF012  so its base class has it
        "secondme.tcss",
        "screens/browse.tcss",
        "screens/review.tcss",
        "screens/status.tcss",
        "screens/timeline.tcss",
    ]
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        "chat": _chat,
        "browse": _browse,
        "timeline": _timeline,
        "review": _review,
        "status": _status,
    }
    DEFAULT_MODE = "chat"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", id="app.help", priority=True),
        Binding("f2", "switch_mode('chat')", "Chat", id="app.chat", priority=True, show=False),
        Binding("f3", "switch_mode('browse')", "Browse", id="app.browse", priority=True, show=False),
        Binding("f4", "switch_mode('timeline')", "Timeline", id="app.timeline", priority=True, show=False),
        Binding("f5", "switch_mode('review')", "Review", id="app.review", priority=True, show=False),
        Binding("f6", "switch_mode('status')", "Status", id="app.status", priority=True, show=False),
        Binding("ctrl+q", "quit", "Quit", id="app.quit", priority=True, show=False),
        Binding("ctrl+c", "interrupt", "Stop, twice to quit", id="app.interrupt", priority=True, show=False),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012  so its base class has it
    TWICE = 1.5
    """Seconds within which a second Ctrl+C leaves."""

    def __init__(
        self,
        *,
        plugins: Plugins | None = None,
        theme: str = "textual-dark",
        keys: Mapping[str, str] | None = None,
        chat: int | None = None,
    ) -> None:
        """Show a memory; `keys` are keys by the id of their action, `chat` is the conversation to go on with."""
        mend()
        super().__init__()
        self.session = Session(self.post_message, plugins)
        self.chat = chat
        self.recent: deque[Mapping[str, Any]] = deque(maxlen=50)
        """How the last answers went, the latest last; kept while the application runs."""
        self._wanted_theme = theme
        self.has_forgotten = False
        """True where something was forgotten that the conversation may still show."""
        self._last_interrupt = float("-inf")
        self.set_keymap(dict(keys or {}))

    def on_mount(self) -> None:
        """Take the theme that was asked for; without colours where NO_COLOR is set, Textual itself sees to it."""
        self.theme = self._wanted_theme

    def get_css_variables(self) -> dict[str, str]:
        """Return the colours of the theme, with a muted one that has a value: within a text, "auto" comes out white."""
        colours = super().get_css_variables()
        return {**colours, "text-muted": colours.get("foreground-muted", colours["foreground"])}

    async def on_call(self, message: Call) -> None:
        """Call what a thread wants to be called, as long as there is a screen to show it."""
        if not self.is_running:
            return
        try:
            result = message.function(*message.arguments)
            if isawaitable(result):
                await result
        except NoMatches:
            # What was to be changed went away meanwhile: the user is leaving.
            if self.is_running:
                raise

    def _fatal_error(self) -> None:
        """Leave after a mistake of ours, and say where it was: Textual would print the values of all variables."""
        error = sys.exc_info()[1]
        places = traceback.extract_tb(error.__traceback__) if error else []
        lines = [f"  {Path(one.filename).name}:{one.lineno} in {one.name}" for one in places]
        told = [f"secondme failed: {type(error).__name__}", *lines, "what you said is kept; start it again"]
        self._exit_renderables.append("\n".join(told))
        self._close_messages_no_wait()

    def on_unmount(self) -> None:
        """End the threads."""
        self.session.close()

    def failed(self, error: SecondmeError) -> None:
        """Show what went wrong, why and what to do; the application stays."""
        from secondme_tui.screens.dialogs import Trouble

        self.push_screen(Trouble(error))

    def tell(self, text: str, *, title: str = "") -> None:
        """Show a short message that goes away by itself."""
        self.notify(text, title=title, markup=False)

    def action_interrupt(self) -> None:
        """Copy what is marked with the mouse, or stop what is under way; pressed twice, leave."""
        if marked := self.screen.get_selected_text():
            self.copy_to_clipboard(clean(marked))
            self.screen.clear_selection()
            self.tell("copied")
            return
        now = monotonic()
        if now - self._last_interrupt < self.TWICE:
            self.exit()
            return
        self._last_interrupt = now
        self.session.stop()
        self.tell("stopped; press it again to leave")

    def action_help(self) -> None:
        """Show the keys and commands, or close them."""
        from secondme_tui.screens.dialogs import Help

        if isinstance(self.screen, Help):
            self.screen.dismiss()
        else:
            self.push_screen(Help(self.screen))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer the screens and their actions in the palette."""
        yield from super().get_system_commands(screen)
        for mode, title in TITLES.items():
            yield SystemCommand(title, f"Show {title.lower()}", lambda mode=mode: self.switch_mode(mode))
        for binding in screen.active_bindings.values():
            one = binding.binding
            if one.description and one.id and one.id.split(".")[0] not in ("app", "system"):
                yield SystemCommand(one.description, one.tooltip or one.id, _runner(self, one.action, binding.node))


def _runner(app: SecondmeApp, action: str, node: Any) -> Callable[[], object]:
    return lambda: app.call_later(app.run_action, action, node)
