"""A calendar of about a year: a column for each week, a sign for how much there is of each day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

NONE, HERE = "·", "◆"
SIGNS = "░▒▓█"
"""Told apart without colours as well; the more there is, the darker."""
STYLES = ("$success 55%", "$success 70%", "$success 85%", "$success")
WEEKS = 53
MARGIN = 4
"""Columns of the names of the weekdays."""
WEEK = timedelta(weeks=1)
NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FIRST, LAST = date(3, 1, 1), date(9997, 12, 31)
"""A year that is shown has a year before and behind it."""


class Heatmap(Widget, can_focus=True):
    """How much there is of each day, with a cursor on one of them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-7)", "Week", key_display="←→", id="timeline.week-back"),
        Binding("right,l", "move(7)", "Week", show=False, id="timeline.week-on"),
        Binding("up,k", "move(-1)", "Day", key_display="↑↓", id="timeline.day-back"),
        Binding("down,j", "move(1)", "Day", show=False, id="timeline.day-on"),
        Binding("pageup", "year(-1)", "Year back", show=False, id="timeline.page-back"),
        Binding("pagedown", "year(1)", "Year on", show=False, id="timeline.page-on"),
        Binding("enter", "enter", "List", id="timeline.list"),
    ]

    class Moved(Message):
        """The cursor is on another day."""

        def __init__(self, day: date) -> None:
            super().__init__()
            self.day = day

    class Entered(Message):
        """The user wants what there is of the day the cursor is on."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.cursor = date(2000, 1, 1)
        self._counts: Mapping[date, int] = {}
        self._today = self.cursor
        self._limits: Sequence[int] = ()
        self._last = monday_of(self.cursor)
        """The Monday of the last column."""

    def show(self, counts: Mapping[date, int], today: date) -> None:
        """Show how much there is of each day."""
        self._counts, self._today = counts, today
        self._limits = limits_of(counts)
        self.refresh(layout=True)

    def go(self, day: date) -> None:
        """Put the cursor on a day, in the columns there are where it is among them."""
        self.cursor = min(max(day, FIRST), LAST)
        week = monday_of(self.cursor)
        self._last = min(max(self._last, week), week + WEEK * (self._weeks - 1))
        self.refresh()
        self.post_message(self.Moved(self.cursor))

    def begin(self, day: date) -> None:
        """Put the cursor on a day, with the weeks before it and those up to today."""
        self._last = monday_of(max(day, self._today) if self._today - day < WEEK * (self._weeks - 1) else day)
        self.go(day)

    def action_move(self, days: int) -> None:
        """Go to another day."""
        self.go(self.cursor + timedelta(days))

    def action_year(self, years: int) -> None:
        """Go to the same day of another year, in the same column."""
        before = monday_of(self.cursor)
        day = _in_year(self.cursor, min(max(self.cursor.year + years, FIRST.year), LAST.year))
        self._last += monday_of(day) - before
        self.go(day)

    def action_enter(self) -> None:
        """Ask for what there is of the day."""
        self.post_message(self.Entered())

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the day that was clicked."""
        place = event.get_content_offset(self)
        if place is not None and place.x >= MARGIN and 1 <= place.y <= 7:
            column = (place.x - MARGIN) // self._cell
            if column < self._weeks:
                self.go(self._first + WEEK * column + timedelta(place.y - 1))

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        week = monday_of(self.cursor)
        self._last = min(max(self._last, week), week + WEEK * (self._weeks - 1))

    def render(self) -> Content:
        """Return the months, a line for each weekday, and what the signs mean."""
        lines = [self._months()]
        for weekday in range(7):
            name = Content.styled(f"{NAMES[weekday]} ", "$text-muted")
            days = [self._first + WEEK * week + timedelta(weekday) for week in range(self._weeks)]
            lines.append(Content.assemble(name, *(self._sign(day) for day in days)))
        return Content("\n").join([*lines, self._legend()])

    @property
    def span(self) -> tuple[date, date]:
        """The first and the last day that is shown."""
        return self._first, self._last + timedelta(6)

    @property
    def _cell(self) -> int:
        return 2 if self.size.width >= MARGIN + 2 * WEEKS else 1

    @property
    def _weeks(self) -> int:
        return min(max((self.size.width - MARGIN) // self._cell, 1), WEEKS)

    @property
    def _first(self) -> date:
        return self._last - WEEK * (self._weeks - 1)

    def _sign(self, day: date) -> tuple[str, str]:
        count = self._counts.get(day, 0)
        if day == self.cursor:
            return HERE + " " * (self._cell - 1), "bold $accent reverse" if self.has_focus else "bold $accent"
        if not count:
            return (NONE if day <= self._today else " ").ljust(self._cell), "$text-muted"
        level = level_of(count, self._limits)
        return SIGNS[level].ljust(self._cell), STYLES[level]

    def _months(self) -> Content:
        """Return each name above the week in which its month begins."""
        shown = ""
        for week in range(self._weeks):
            sunday = self._first + WEEK * week + timedelta(6)
            at = week * self._cell
            if sunday.day <= 7 and len(shown) <= at and at + 3 <= self._weeks * self._cell:
                shown = f"{shown.ljust(at)}{MONTHS[sunday.month - 1]} "
        return Content.styled(" " * MARGIN + shown, "$text-muted")

    def _legend(self) -> Content:
        said = [Content.styled(f"{NONE} none", "$text-muted")]
        edges = [0, *self._limits]
        for level, edge in enumerate(edges):
            end = self._limits[level] if level < len(self._limits) else 0
            span = f"{edge + 1:,} or more" if not end else f"{end:,}" if end == edge + 1 else f"{edge + 1:,}–{end:,}"
            said.append(Content.assemble((SIGNS[level], STYLES[level]), (f" {span}", "$text-muted")))
        here = Content.assemble((HERE, "bold $accent"), (" here", "$text-muted"))
        return Content("  ").join([Content("   "), *said, here])


def monday_of(day: date) -> date:
    """Return the first day of the week of a day."""
    return day - timedelta(day.weekday())


def limits_of(counts: Mapping[date, int]) -> list[int]:
    """Return the most that there is at each level but the last: quarters of the days that have anything."""
    found = sorted(counts.values())
    quarters = {found[len(found) * quarter // 4] for quarter in (1, 2, 3)} if found else set()
    return sorted(quarters - {found[-1]}) if found else []


def level_of(count: int, limits: Sequence[int]) -> int:
    """Return the level of a count, from 0."""
    return sum(count > limit for limit in limits)


def _in_year(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:  # the 29th of February
        return day.replace(year=year, day=28)
