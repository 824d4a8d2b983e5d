"""The changes of a night as a diff: what was made, what it replaced, the lines it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from secondme.chat.lines import counted, day
from secondme.clean import one_line
from secondme.places import place
from secondme.records import Fact, Source
from secondme_tui.nights import Night, NoNight, Seen, state_of
from secondme_tui.text import joined, line, safe

MUTED = "$text-muted"
SIGNS: Mapping[str, str] = {"keep": "+", "repeat": "=", "merge": "+", "supersede": "+", "conflict": "!", "edit": "+"}
STATES: Mapping[str, str] = {
    "": "□ to review",
    "accepted": "✓ accepted",
    "rejected": "✗ rejected",
    "undone": "✗ undone",
    "waits": "… being stored",
}
"""What stands before the state of a change is there without colours."""
COLOURS: Mapping[str, str] = {"accepted": "$text-success", "rejected": "$text-error", "undone": MUTED}
GONE = ("rejected", "undone")
MOST_LINES = 3
LONGEST = 300


class Changes(OptionList):
    """The changes, one of them in hand."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "cursor_down", "Next", show=False, id="review.down"),
        Binding("up,k", "cursor_up", "Previous", show=False, id="review.up"),
        Binding("enter", "select", "Source", id="review.source"),
    ]

    class Beyond(Message):
        """The user goes on behind the last change or before the first one of those shown."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self) -> None:
        super().__init__(id="changes", markup=False)
        self._given: dict[str, tuple[Seen, bool]] = {}

    def show(self, changes: Sequence[Seen], waiting: set[str], at: str) -> None:
        """Show changes with the one named `at` in hand; what is said of those in `waiting` is being stored."""
        given = {one.id: (one, one.id in waiting) for one in changes}
        if list(given) != list(self._given):
            self.set_options(Option(change_content(one, waits=waits), id) for id, (one, waits) in given.items())
        else:
            for id, (one, waits) in given.items():
                if self._given[id] != (one, waits):
                    self.replace_option_prompt(id, change_content(one, waits=waits))
        self._given = given
        if given:
            self.go(at if at in given else next(iter(given)))

    def go(self, id: str) -> None:
        """Take a change in hand."""
        self.highlighted = self.get_option_index(id)
        # Options that were just set have no place before the next layout.
        self.call_after_refresh(self.scroll_to_highlight)

    def on_resize(self) -> None:
        """Keep the change in hand in sight."""
        self.call_after_refresh(self.scroll_to_highlight)

    @property
    def in_hand(self) -> str:
        """The name of the change in hand; "" where there is none."""
        option = self.highlighted_option
        return (option.id or "") if option else ""

    def action_cursor_down(self) -> None:
        """Go to the next change."""
        self._step(1)

    def action_cursor_up(self) -> None:
        """Go to the change before."""
        self._step(-1)

    def _step(self, by: int) -> None:
        place = (self.highlighted or 0) + by
        if 0 <= place < self.option_count:
            self.highlighted = place
        elif self.option_count:
            self.post_message(self.Beyond(by))


def change_content(seen: Seen, *, waits: bool = False) -> Content:
    """Return a change: its verb and state, the fact, what it replaced or stands against, the lines it rests on."""
    change = seen.shown.change
    state = "waits" if waits else state_of(change)
    head = line((change.id, "bold"), change.verb, (STATES[state], COLOURS.get(state, "bold")), (change.reason, MUTED))
    return joined([head, *_body(seen, is_gone=state in GONE), Content()])


def _body(seen: Seen, *, is_gone: bool) -> Iterator[Content]:
    shown, sign = seen.shown, SIGNS[seen.shown.change.verb]
    if shown.fact is None:
        yield safe(f"  {shown.change.fact} is gone", MUTED)
    else:
        yield _fact(f"{'-' if is_gone else sign} {shown.fact.id}", shown.fact, "strike" if is_gone else "")
    for one in shown.replaced:
        yield _fact(f"~ {one.id} → {shown.change.fact}", one, "strike")
    for one in shown.against:
        yield _fact(f"! {one.id} against {shown.change.fact}", one, "")
    yield from (_line(one) for one in seen.lines[:MOST_LINES])
    if len(seen.lines) > MOST_LINES:
        yield safe(f"    and {counted(len(seen.lines) - MOST_LINES, 'line')} more", MUTED)


def _fact(head: str, fact: Fact, style: str) -> Content:
    return Content.assemble((f"{head} ", "bold"), (one_line(fact.text, LONGEST), style))


def _line(source: Source) -> Content:
    where = place(source.uri, source.line_start)
    # A place in a file has its line in it.
    at = f"line {source.line_start}" if where == source.uri and source.line_start > 1 else ""
    head = line(f"n{source.note_id}", day(source.happened_at), source.author, where, at)
    return Content.assemble("    ", head.stylize(MUTED), f" “{one_line(source.quote, LONGEST)}”")


def night_head(night: Night) -> Content:
    """Return what a night did: when, with what, how it ended, what it cost, what it made and what it turned down."""
    run, report = night.run, night.report
    began = f"{run.started_at.astimezone():%Y-%m-%d %H:%M}"
    ended = f"{report.state}{f': {report.why}' if report.why else ''}"
    around = [f"[ {night.earlier}" if night.earlier else "", f"] {night.later}" if night.later else ""]
    cost = [
        f"{counted(report.passages, 'passage')} read",
        f"{report.waiting:,} waiting" if report.waiting else "",
        counted(report.calls, "call"),
        counted(report.tokens, "token"),
        f"{report.seconds:,.1f} s",
    ]
    made = [f"{count:,} {verb}" for verb, count in report.changes.items()]
    return joined(
        [
            line((run.id, "bold $accent"), began, run.model, ended, (" ".join(filter(None, around)), MUTED)),
            line(*cost),
            line(*(made or ["no changes"]), (_left(night), "bold"), width=100),
            *_rejected(report.rejected),
        ]
    )


def no_night(found: NoNight) -> Content:
    """Return how to have a night where there was none."""
    waiting = f"{counted(found.waiting, 'passage')} to sleep over." if found.waiting else "Nothing waits for a night."
    return joined(
        [
            safe("There was no night yet.", "bold"),
            safe(waiting),
            safe("A night makes facts of what you keep, and here you go through them."),
            safe("Type /sleep in the chat (F2), or run secondme sleep.", "$accent"),
        ]
    )


def _left(night: Night) -> str:
    if not night.marks or night.run.state == "undone":
        return ""
    pages = f"{night.first + 1:,} to {night.first + len(night.page):,} of {len(night.marks):,} shown"
    left = f"{night.unreviewed:,} to review" if night.unreviewed else "all reviewed"
    return f"{left} · {pages}" if len(night.page) < len(night.marks) else left


def _rejected(reasons: Mapping[str, int]) -> Iterator[Content]:
    if reasons:
        told = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
        total = counted(sum(reasons.values()), "line")
        yield safe(f"{total} turned down: {one_line(told, 400)}", MUTED)
