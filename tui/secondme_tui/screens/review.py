"""The review of a night: each change with the lines it rests on, to be accepted, rejected or put in other words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import OptionList, Static

from secondme import editor
from secondme.chat.lines import counted
from secondme.errors import SecondmeError
from secondme.records import Match, Note, Source
from secondme_tui.nights import Night, NoNight, Seen, state_of
from secondme_tui.queries import review as queries
from secondme_tui.screens.dialogs import Confirm, EditText
from secondme_tui.screens.main import MainScreen
from secondme_tui.text import safe
from secondme_tui.widgets.changes import GONE, Changes, night_head, no_night
from secondme_tui.widgets.preview import Preview

DONE: Mapping[str, str] = {"a": "accepted", "r": "rejected", "e": "edited"}


class ReviewScreen(MainScreen):
    """Goes through what a night made of the notes."""

    MODE = "review"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "decide('a')", "Accept", id="review.accept"),
        Binding("r", "decide('r')", "Reject", id="review.reject"),
        Binding("e", "edit", "Reword", id="review.edit"),
        Binding("n", "next", "Next to review", id="review.next"),
        Binding("o", "open", "Open", id="review.open"),
        Binding("u", "undo", "Undo night", id="review.undo"),
        Binding("left_square_bracket", "night(-1)", "Earlier", id="review.earlier"),
        Binding("right_square_bracket", "night(1)", "Later", id="review.later"),
        Binding("escape", "close", "Close the source", show=False, id="review.close"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._night: Night | None = None
        self._run = ""
        """The night that is looked at; "" for the last one."""
        self._waiting: set[str] = set()
        """Changes on which something was said that is not stored yet."""
        self._known: dict[str, Seen] = {}
        """Changes as they were shown: the fact of one that was taken back is gone from the memory."""
        self._going_to = ""
        """The change that is taken in hand once its page is there."""
        self._line = 0
        """Which of the lines of the change in hand is shown."""
        self._source_of = ""
        """The change that it is a line of."""
        self._told = ""
        """What went wrong the last time, so that it is told of once."""

    def body(self) -> ComposeResult:
        """Yield what a night did, its changes and the pane for sources beside them."""
        yield Static(safe("opening the memory …", "$text-muted"), id="review-head")
        with Horizontal(id="review-body"):
            yield Changes()
            yield Static(id="review-empty")
            yield Preview(id="preview")

    def on_mount(self) -> None:
        """Begin without a source."""
        self.query_one(Preview).display = False
        self.query_one("#review-empty").display = False
        self.query_one(Changes).focus()

    def on_screen_resume(self) -> None:
        """Look again: there may have been a night since."""
        self._load()

    def _load(self, at: str = "") -> None:
        self._going_to = at or self._going_to
        run, at = self._run, self._going_to or self.query_one(Changes).in_hand
        self.fetch(
            lambda talk: queries.night(talk, run, at),
            self._show,
            failed=self._not_loaded,
            desk="review",
            latest="review",
        )

    def _not_loaded(self, error: SecondmeError) -> None:
        if self._night is None:
            self._say(f"the nights cannot be shown: {error}")
        # Closing what is told brings us here again.
        if self._told != str(error):
            self._told = str(error)
            self.main.failed(error)

    def _say(self, words: str) -> None:
        self.query_one("#review-head", Static).update(safe(words, "$text-muted"))

    def _show(self, found: Night | NoNight) -> None:
        self._told = ""
        changes, empty = self.query_one(Changes), self.query_one("#review-empty", Static)
        changes.display = isinstance(found, Night) and bool(found.page)
        empty.display = not changes.display
        if not isinstance(found, Night):
            self._night = None
            self._say("no night yet")
            empty.update(no_night(found))
            return
        if self._night is None or self._night.run.id != found.run.id:
            self._known = {}
            self.action_close()
        self._night = found
        self.query_one("#review-head", Static).update(night_head(found))
        empty.update(safe("This night changed nothing.", "$text-muted"))
        shown = [self._with_words(one) for one in found.page]
        self._known.update((one.id, one) for one in shown)
        ids = {one.id for one in shown}
        at, self._going_to = self._going_to or changes.in_hand, ""
        changes.show(shown, self._waiting, at if at in ids else self._next(found, "", within=ids))
        if self.focused is None and changes.display:
            changes.focus()

    def _with_words(self, seen: Seen) -> Seen:
        known = self._known.get(seen.id)
        if seen.shown.fact is not None or known is None or known.shown.fact is None:
            return seen
        return replace(known, shown=replace(known.shown, change=seen.shown.change, replaced=(), against=()))

    def _next(self, night: Night, after: str, *, within: set[str] | None = None) -> str:
        """Return the next change to be reviewed, from the top again where there is none below; "" where all are."""
        ids = [mark.id for mark in night.marks]
        turn = ids.index(after) + 1 if after in ids else 0
        ordered = [*night.marks[turn:], *night.marks[:turn]]
        for mark in ordered:
            is_open = not mark.state and mark.id not in self._waiting and mark.id != after
            if is_open and (within is None or mark.id in within):
                return mark.id
        return ""

    def _in_hand(self) -> Seen | None:
        return self._known.get(self.query_one(Changes).in_hand) if self._night else None

    def _standing(self) -> Seen | None:
        """Return the change in hand where something can still be said on it, and say why not where it cannot."""
        seen = self._in_hand()
        if seen is None or seen.id in self._waiting:
            return None
        state = state_of(seen.shown.change)
        if state in GONE:
            self.main.tell(f"{seen.id} was {state} before")
            return None
        return seen

    def action_decide(self, letter: str) -> None:
        """Accept or reject the change in hand."""
        if seen := self._standing():
            self._decide(seen.id, letter)

    def action_edit(self) -> None:
        """Put the fact of the change in hand in other words."""
        seen = self._standing()
        if seen is None or seen.shown.fact is None:
            return
        id, before = seen.id, seen.shown.fact.text

        def edited(text: str | None) -> None:
            if text is not None and text.strip() != before:
                self._decide(id, "e", text)

        self.app.push_screen(EditText(f"{seen.shown.fact.id} in your own words", before), edited)

    def _decide(self, id: str, letter: str, text: str = "") -> None:
        self._waiting.add(id)

        def done(_: None) -> None:
            self._waiting.discard(id)
            self.main.tell(f"{id} {DONE[letter]}")
            self._load()

        def failed(error: SecondmeError) -> None:
            self._waiting.discard(id)
            self._load(id)
            self.main.failed(error)

        self.fetch(lambda talk: queries.decide(talk, id, letter, text), done, failed=failed)
        # The user need not wait for the disk.
        self._refresh()
        self._go_to(self._next(self._night, id) if self._night else "")

    def _refresh(self) -> None:
        if self._night:
            changes = self.query_one(Changes)
            changes.show([self._known[one.id] for one in self._night.page], self._waiting, changes.in_hand)

    def _go_to(self, id: str) -> None:
        if not id or not self._night:
            return
        if any(one.id == id for one in self._night.page):
            self.query_one(Changes).go(id)
        else:
            self._load(id)

    def action_next(self) -> None:
        """Go to the next change to be reviewed."""
        if not self._night:
            return
        found = self._next(self._night, self.query_one(Changes).in_hand)
        if found:
            self._go_to(found)
        elif not self._night.unreviewed:
            self.main.tell(f"nothing is left to review in {self._night.run.id}")

    @on(Changes.Beyond)
    def _turn(self, event: Changes.Beyond) -> None:
        if self._night:
            place = self._night.first + (len(self._night.page) if event.by > 0 else -1)
            if 0 <= place < len(self._night.marks):
                self._load(self._night.marks[place].id)

    def action_night(self, by: int) -> None:
        """Go to the night before or after."""
        if not self._night:
            return
        run = self._night.earlier if by < 0 else self._night.later
        if not run:
            self.main.tell(f"there is no {'earlier' if by < 0 else 'later'} night")
            return
        self._run = run
        self._load()

    def action_undo(self) -> None:
        """Take back the night, after a question."""
        if not self._night:
            return
        run, count = self._night.run.id, self._night.standing
        if self._night.run.state == "undone":
            self.main.tell(f"{run} was undone before")
            return

        def undone(number: int) -> None:
            self._run = run
            self.main.tell(f"took back {run}: {counted(number, 'change')}")
            self._load()

        def answered(is_sure: bool | None) -> None:
            if is_sure:
                self.fetch(lambda talk: queries.undo(talk, run), undone)

        about = "What it made goes, what it replaced holds again, and the next night reads the same notes once more."
        self.app.push_screen(Confirm(f"take back {run} with its {counted(count, 'change')}?", about), answered)

    @on(OptionList.OptionHighlighted, "#changes")
    def _went(self) -> None:
        seen = self._in_hand()
        if seen is None or seen.id == self._source_of:
            return
        self._line, self._source_of = 0, seen.id
        if self.query_one(Preview).display:
            self._show_source(seen)

    @on(OptionList.OptionSelected, "#changes")
    def _source_wanted(self) -> None:
        if seen := self._in_hand():
            # Pressed again, it goes to the next line that the fact rests on.
            self._line = (self._line + 1) % max(len(seen.lines), 1) if self.query_one(Preview).display else 0
            self._show_source(seen)

    def _show_source(self, seen: Seen) -> None:
        if seen.lines:
            self._fetch_line(seen.lines[self._line], self.query_one(Preview).show)
        else:
            self.query_one(Preview).clear()

    def action_open(self) -> None:
        """Open the line that is shown, or the first one, in the editor."""
        if (seen := self._in_hand()) and seen.lines:
            self._fetch_line(seen.lines[self._line], self._open_in_editor)

    def _fetch_line(self, source: Source, show: Callable[[Note, Match], object]) -> None:
        self.fetch(
            lambda talk: queries.source(talk, source), lambda found: show(*found), desk="review", latest="review-source"
        )

    def _open_in_editor(self, note: Note, match: Match) -> None:
        self.suspended(lambda: editor.open_source(note, line=match.line_start))

    def action_close(self) -> None:
        """Close the source."""
        self.query_one(Preview).clear()
