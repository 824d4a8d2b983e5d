"""Browsing: all that is kept, found while typing, seen where it stands, changed, pinned and forgotten."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from secondme import editor
from secondme.chat.lines import forgotten_lines
from secondme.chat.talk import Talk
from secondme.errors import NotFound, SecondmeError
from secondme.records import Forgotten, Note
from secondme_tui.found import Asked, Detail, Listing
from secondme_tui.queries import browse as queries
from secondme_tui.queries import detail as details
from secondme_tui.screens.dialogs import Confirm, EditText
from secondme_tui.screens.main import MainScreen
from secondme_tui.text import safe
from secondme_tui.widgets.detail import DetailPane
from secondme_tui.widgets.filters import FilterBar, KindChoice
from secondme_tui.widgets.results import Results

if TYPE_CHECKING:
    from textual.timer import Timer

DESK = "search"
REST = 0.15
"""Seconds without a key after which more is shown, and what is about the same."""
GLANCE = 0.06
"""Seconds on one row after which all about it is shown."""
LONGEST = 100_000
"""Characters of a text that can be changed in a dialog; a longer one goes to an editor."""


class BrowseScreen(MainScreen):
    """Finds and shows."""

    MODE = "browse"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "query", "Search", key_display="/", id="browse.query"),
        Binding("ctrl+f", "filters", "Filters", id="browse.filters"),
        Binding("escape", "back", "Back", id="browse.back"),
        Binding("down", "move('cursor_down')", "Next", show=False, id="browse.down"),
        Binding("up", "move('cursor_up')", "Previous", show=False, id="browse.up"),
        Binding("pagedown", "move('page_down')", "Page down", show=False, id="browse.page-down"),
        Binding("pageup", "move('page_up')", "Page up", show=False, id="browse.page-up"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.shown: Asked | None = None
        """What the rows on the screen were asked for with."""
        self._number = 0
        """Counts what was asked: an answer to anything but the last is of no use."""
        self._is_prepared = False
        self._has_vectors = False
        self._resting: Timer | None = None
        self._looking: Timer | None = None

    def body(self) -> ComposeResult:
        """Yield the line to search in, the filters, the results and what is to be seen of one."""
        yield Input(placeholder="search everything; / comes back here", compact=True, id="browse-query")
        yield FilterBar()
        yield Static(safe("opening the memory …"), id="browse-said")
        with Horizontal(id="browse-body"):
            yield Results()
            yield DetailPane()

    def on_mount(self) -> None:
        """Let the user type at once."""
        self.query_one("#browse-query").focus()
        _settle()

    def on_screen_resume(self) -> None:
        """List anew: the memory may have changed while another screen was shown."""
        self._ask()
        self.fetch(queries.prepare, lambda _: self._prepared(), desk=DESK, latest="prepare")

    def _prepared(self) -> None:
        if not self._is_prepared:
            self._is_prepared = True
            _settle()

    @on(Input.Changed, "#browse-query")
    @on(FilterBar.Changed)
    def _ask(self) -> None:
        """Look for what stands in the fields now."""
        asked = self.query_one(FilterBar).asked(self.query_one("#browse-query", Input).value)
        self._number += 1
        number = self._number
        if self._resting is not None:
            self._resting.stop()
            self._resting = None
        # No key waits for another: each is asked for at once, and only the newest is answered.
        self.fetch(
            lambda talk: queries.look(talk, asked),
            lambda found: self._found(number, asked, found),
            desk=DESK,
            latest="browse",
        )
        if asked.words.strip():
            self._resting = self.set_timer(REST, lambda: self._ask_longer(number, asked))

    def _ask_longer(self, number: int, asked: Asked) -> None:
        self._resting = None
        # A model may take its time, for which the next key is not to wait: it has a desk of its own.
        self.fetch(
            lambda talk: queries.look_longer(talk, asked),
            lambda found: self._found(number, asked, found) if found else None,
            desk="longer" if self._has_vectors else DESK,
            latest="browse",
        )

    def _found(self, number: int, asked: Asked, found: Listing) -> None:
        if number != self._number:
            return
        said = self.query_one("#browse-said", Static)
        said.set_class(bool(found.problem), "-problem")
        said.update(safe(found.problem or found.said), layout=False)
        if found.problem:
            return
        self._has_vectors = found.has_vectors
        self.query_one(Results).show(found.rows, asked.words, stay=asked == self.shown)
        self.shown = asked
        if not found.rows:
            self.query_one(DetailPane).clear()

    @on(Results.OptionHighlighted)
    def _highlighted(self) -> None:
        # Who goes through the list or types on looks at none on the way.
        if self._looking is not None:
            self._looking.stop()
        self._looking = self.set_timer(GLANCE if self._resting is None else REST, self._look)

    def _look(self) -> None:
        row = self.query_one(Results).row
        if row is not None:
            id = row.id
            self.fetch(
                lambda talk: details.detail(talk, id),
                self._detailed,
                failed=self._not_detailed,
                desk=DESK,
                latest="detail",
            )

    def _detailed(self, found: Detail) -> None:
        row = self.query_one(Results).row
        if row is not None and row.id == found.id:
            self.query_one(DetailPane).show(found, self.shown.words if self.shown else "")

    def _not_detailed(self, error: SecondmeError) -> None:
        if isinstance(error, NotFound):
            # Another process forgot or replaced it since it was listed.
            self.query_one(DetailPane).clear(str(error))
        else:
            self.main.failed(error)

    @on(Input.Submitted, "#browse-query")
    def _submitted(self) -> None:
        self.query_one(Results).action_do("open")

    @on(Results.Wanted)
    def _wanted(self, event: Results.Wanted) -> None:
        id = event.row.id
        match event.deed:
            case "open":
                self.fetch(lambda talk: details.source(talk, id), lambda found: self._open(*found), desk=DESK)
            case "edit":
                self.fetch(lambda talk: details.editable(talk, id), self._edit, desk=DESK)
            case "pin":
                is_pinned = not event.row.is_pinned
                self._do(lambda talk: talk.me.pin(_whole(id), is_pinned=is_pinned))
            case "forget":
                self._forget(_whole(id))

    def _do(self, work: Callable[[Talk], object]) -> None:
        """Change something and list anew."""
        self.fetch(work, lambda _: self._ask())

    def _open(self, note: Note, line: int) -> None:
        self.suspended(lambda: editor.open_source(note, line=line))
        # A file may have been changed there; what watches it needs a moment.
        self._ask()

    def _edit(self, found: details.Editable) -> None:
        if found.file is not None:
            self._open(*found.file)
            return

        def changed(text: str | None) -> None:
            if text is not None and text.strip() and text != found.text:
                self._do(lambda talk: details.change(talk, found, text))

        if len(found.text) > LONGEST:
            self.suspended(lambda: changed(editor.edit_text(found.text)))
            return
        title = f"{found.id}: the fact in your words" if found.is_fact else f"{found.id} as you typed it"
        self.app.push_screen(EditText(title, found.text), changed)

    def _forget(self, id: str) -> None:
        """Show exactly what goes, and remove it after a yes."""

        def answered(is_sure: bool | None) -> None:
            if is_sure:
                self.fetch(lambda talk: talk.me.forget([id]), self._forgot)

        def confirm(planned: Forgotten) -> None:
            question = "forget this for good? It cannot be taken back"
            self.app.push_screen(Confirm(question, forgotten_lines(planned)), answered)

        self.fetch(lambda talk: talk.me.forget([id], dry_run=True), confirm)

    def _forgot(self, done: Forgotten) -> None:
        self.main.has_forgotten = True
        head = forgotten_lines(done).partition("\n")[0]
        self.main.tell(f"{head}; {done.left}" if done.left else head)
        self._ask()

    def action_query(self) -> None:
        """Go to the line to search in."""
        self.query_one("#browse-query").focus()

    def action_filters(self) -> None:
        """Show the filters and go to the first, or leave them."""
        filters = self.query_one(FilterBar)
        if self.query_one(KindChoice).has_focus:
            self.action_back()
        else:
            filters.open()

    def action_back(self) -> None:
        """Go to the results; from there clear what is looked for."""
        query, results = self.query_one("#browse-query", Input), self.query_one(Results)
        self.query_one(FilterBar).leave()
        if results.has_focus:
            query.value = ""
        else:
            results.focus()

    def action_move(self, how: str) -> None:
        """Move in the results while something else has the keys."""
        getattr(self.query_one(Results), f"action_{how}")()


def _settle() -> None:
    """Take what is loaded by now for what stays.

    Looking through all of it for garbage stops every thread for a tenth of a second, again and again while one types.
    """
    gc.freeze()


def _whole(id: str) -> str:
    """Return the note that a passage belongs to; a fact is itself."""
    return id.partition(".")[0]
