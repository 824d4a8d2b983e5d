"""The timeline: how much there is of each day of a year, and what happened on one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from secondme import editor
from secondme.chat.lines import counted
from secondme.store.statistics import Day, Event, EventKind
from secondme_tui.queries import timeline as queries
from secondme_tui.screens.main import MainScreen
from secondme_tui.text import line, safe
from secondme_tui.widgets.heatmap import NAMES, Heatmap
from secondme_tui.widgets.preview import Preview

EMPTY = "nothing has happened yet: what you say in the chat (F2), or add, is shown here by its day"

KINDS: tuple[EventKind, ...] = ("note", "fact", "question")


class TimelineScreen(MainScreen):
    """Shows what happened by day."""

    MODE = "timeline"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "year(-1)", "Year", key_display="[ ]", id="timeline.year-back"),
        Binding("right_square_bracket", "year(1)", "Year", show=False, id="timeline.year-on"),
        Binding("t", "today", "Today", id="timeline.today"),
        Binding("o", "editor", "Open", id="timeline.open"),
        Binding("escape", "back", "Back", id="timeline.back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._days: queries.Days | None = None
        self._day: Day | None = None

    def body(self) -> ComposeResult:
        """Yield the calendar, and below it the list of a day with room for a source."""
        yield Static(safe("counting the days …", "$text-muted"), id="timeline-words")
        yield Heatmap(id="heatmap")
        with Container(id="timeline-lower"):
            with Vertical(id="timeline-day"):
                yield Static(id="timeline-head")
                yield OptionList(id="timeline-list", markup=False)
            yield Preview(id="timeline-preview")

    def on_mount(self) -> None:
        """Show nothing until it is known what there is."""
        self.query_one(Preview).display = False

    def on_screen_resume(self) -> None:
        """Count again where the memory has changed."""
        before = self._days
        self.fetch(lambda talk: queries.days(talk, before), self._counted, desk="timeline", latest="days")

    def _counted(self, found: queries.Days) -> None:
        if found is self._days:
            return
        is_first, self._days = not (self._days and self._days.counts), found
        heatmap = self.query_one(Heatmap)
        self.set_class(bool(found.counts), "-known")
        heatmap.show(found.counts, found.today)
        if not found.counts:
            self._say(EMPTY)
        elif is_first:
            past = [day for day in found.counts if day <= found.today]
            # It has a size, and can be gone to, once it is shown.
            self.call_after_refresh(self._begin, max(past or found.counts))
        else:
            heatmap.go(heatmap.cursor)

    def _begin(self, day: date) -> None:
        heatmap = self.query_one(Heatmap)
        heatmap.focus()
        heatmap.begin(day)

    def _say(self, words: str) -> None:
        self.query_one("#timeline-words", Static).update(safe(words, "$text-muted"))

    @on(Heatmap.Moved)
    def _moved(self, event: Heatmap.Moved) -> None:
        wanted = event.day
        first, last = self.query_one(Heatmap).span
        counts = self._days.counts if self._days else {}
        count = sum(counts.get(day, 0) for day in counts if first <= day <= last)
        self._say(f"{first} to {last} · {counted(count, 'note')}")
        self._head(wanted, {"note": counts.get(wanted, 0)})
        self.fetch(lambda talk: queries.day(talk, wanted), self._listed, desk="timeline", latest="day")

    def _head(self, day: date, counts: Mapping[EventKind, int]) -> None:
        is_today = self._days is not None and day == self._days.today
        said = [counted(counts[kind], kind) for kind in KINDS if counts.get(kind)]
        words = line((f"{NAMES[day.weekday()]} {day}", "bold"), "today" if is_today else "", *said or ["nothing"])
        self.query_one("#timeline-head", Static).update(words)

    def _listed(self, found: Day) -> None:
        self._day = found
        self._head(found.day, found.counts)
        left = sum(found.counts.values()) - len(found.events)
        rows = [Option(row(event), id=f"{place}") for place, event in enumerate(found.events)]
        rows += [Option(safe(f"… {left:,} more", "$text-muted"))] if left > 0 else []
        listed = self.query_one("#timeline-list", OptionList)
        listed.set_options(rows)
        listed.highlighted = 0 if found.events else None
        if not found.events and listed.has_focus:
            self.query_one(Heatmap).focus()

    @on(Heatmap.Entered)
    def _entered(self) -> None:
        if self._day and self._day.events:
            self.query_one("#timeline-list").focus()

    @on(OptionList.OptionSelected, "#timeline-list")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._open(event.option.id, self._preview)

    def _open(self, place: str | None, then: Callable[[queries.Opened], None]) -> None:
        if self._day and place is not None and int(place) < len(self._day.events):
            event = self._day.events[int(place)]
            self.fetch(lambda talk: queries.opened(talk, event), then, desk="timeline", latest="opened")

    def _preview(self, found: queries.Opened) -> None:
        self.query_one(Preview).show(found.shown, found.match)
        self.add_class("-reading")
        self.refresh_bindings()

    def _edit(self, found: queries.Opened) -> None:
        self.suspended(lambda: editor.open_source(found.note, line=found.match.line_start))

    def action_year(self, years: int) -> None:
        """Go to the same day of another year."""
        self._if_any(lambda heatmap: heatmap.action_year(years))

    def action_today(self) -> None:
        """Go to today."""
        if self._days:
            today = self._days.today
            self._if_any(lambda heatmap: heatmap.go(today))

    def _if_any(self, act: Callable[[Heatmap], None]) -> None:
        if self.has_class("-known"):
            act(self.query_one(Heatmap))

    def action_editor(self) -> None:
        """Open what is highlighted in the editor."""
        option = self.query_one("#timeline-list", OptionList).highlighted_option
        self._open(option.id if option else None, self._edit)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the way back where there is one."""
        is_inside = self.has_class("-reading") or isinstance(self.focused, OptionList)
        return action != "back" or is_inside

    def action_back(self) -> None:
        """Close the source, else go back to the calendar."""
        preview = self.query_one(Preview)
        if preview.display:
            preview.clear()
            self.remove_class("-reading")
            self.refresh_bindings()
        elif self.has_class("-known"):
            self.query_one(Heatmap).focus()


def row(event: Event) -> Content:
    """Return one thing of a day as a line."""
    at = f"{event.happened_at.astimezone():%H:%M}"
    what = {"note": f"n{event.number}", "fact": f"m{event.number} fact", "question": "asked"}[event.kind]
    return line((at, "$text-muted"), (what, "$accent"), (event.author, "$text-muted"), event.text)
