"""A conversation from its beginning: finished topics folded to a line each, the one in hand open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from secondme.chat.lines import counted
from secondme.clean import one_line
from secondme_tui.text import beginning, safe
from secondme_tui.widgets.turn import Shown, TurnView

AT_ONCE = 20
"""Turns of a topic that get a view at once: each takes some milliseconds."""
MOST_TOPICS = 100
LONGEST = 200


class FoldLine(Static, can_focus=True):
    """The one line of a folded topic, or the handle of an open one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space,z", "fold", "Fold", id="chat.fold")]

    def action_fold(self) -> None:
        """Fold or unfold the topic."""
        if isinstance(self.parent, Topic):
            self.parent.toggle()

    def on_click(self) -> None:
        """Do as the key does."""
        self.action_fold()


class EarlierLine(FoldLine):
    """The line that stands for what is too long ago to be shown from the start."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space,z", "fold", "Show earlier", id="chat.earlier")]

    def action_fold(self) -> None:
        """Show some more of it."""
        if isinstance(self.parent, Topic | Transcript):
            self.parent.show_earlier()


class Topic(Vertical):
    """Turns on one matter. What is in a folded one is made when it is unfolded."""

    def __init__(self, turns: Sequence[Shown | str] = (), *, is_folded: bool = False) -> None:
        """Show `turns`; a text alone is a remark between them."""
        super().__init__(classes="topic")
        self._turns: list[Shown | str] = [*turns]
        self.is_folded = is_folded
        self._first = len(self._turns) if is_folded else max(len(self._turns) - AT_ONCE, 0)
        """The place of the first turn that has a view; those before it have none yet."""

    def compose(self) -> ComposeResult:
        """Yield the line, and the turns of an open one."""
        yield FoldLine(classes="fold")
        yield EarlierLine(classes="fold")
        with Vertical(classes="turns"):
            yield from map(_view, self._turns[self._first :])

    def on_mount(self) -> None:
        """Show whether it is folded."""
        self._show()

    async def add_turn(self, turn: Shown | str) -> TurnView | Static:
        """Add a turn or a remark at the end."""
        if self.is_folded:
            self.toggle()
        self._turns.append(turn)
        view = _view(turn)
        await self.query_one(".turns").mount(view)
        self._show()
        return view

    def fold(self) -> None:
        """Show the line alone."""
        if not self.is_folded and self._turns:
            self.toggle()

    def toggle(self) -> None:
        """Fold or unfold it."""
        self.is_folded = not self.is_folded
        if not self.is_folded and self._first == len(self._turns):
            self.show_earlier()
        self._show()

    def show_earlier(self) -> None:
        """Show some more of the turns that come before those shown."""
        last, self._first = self._first, max(self._first - AT_ONCE, 0)
        made = [_view(turn) for turn in self._turns[self._first : last]]
        self.query_one(".turns").mount_all(made, before=0 if last < len(self._turns) else None)
        self._show()
        if made and self.query_one(EarlierLine).has_focus:
            made[-1].focus()

    def _show(self) -> None:
        said = [turn for turn in self._turns if isinstance(turn, Shown)]
        self.query_one(".turns").display = not self.is_folded
        line, earlier = self.query(FoldLine)
        # The one in hand has nothing to be told apart from.
        line.display = self.is_folded or self.has_class("-done")
        first = one_line(said[0].text[:LONGEST], 60) if said else ""
        line.update(safe(f"{'▸' if self.is_folded else '▾'} {counted(len(said), 'turn')} · {first}", "$text-muted"))
        earlier.display = not self.is_folded and self._first > 0
        earlier.update(safe(f"▸ {counted(self._first, 'earlier turn')}", "$text-muted"))


class Transcript(VerticalScroll, can_focus=False):
    """All topics, the last one in hand."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "go(-1)", "Up", show=False, id="chat.up"),
        Binding("down,j", "go(1)", "Down", show=False, id="chat.down"),
        Binding("g", "scroll_home", "Top", show=False, id="chat.top"),
        Binding("G", "scroll_end", "End", show=False, id="chat.end"),
        Binding("z", "fold_all", "Fold", id="chat.fold-all"),
    ]

    def __init__(self) -> None:
        super().__init__(id="transcript")
        self._earlier: list[Sequence[Shown | str]] = []
        """The topics that are too long ago to be shown from the start."""

    async def show(self, topics: Sequence[Sequence[Shown | str]]) -> None:
        """Show a conversation: its last topic open, those before it as a line each."""
        await self.remove_children()
        self._earlier = [*topics[:-MOST_TOPICS]]
        done, last = topics[-MOST_TOPICS:-1], topics[-1:]
        earlier = EarlierLine(classes="fold")
        await self.mount_all([earlier, *map(_done, done), *(Topic(turns) for turns in last)])
        self._show_earlier(earlier)
        self.anchor()

    def show_earlier(self) -> None:
        """Show some more of the topics that come before those shown."""
        made, self._earlier = [*map(_done, self._earlier[-MOST_TOPICS:])], self._earlier[:-MOST_TOPICS]
        earlier = self.query_one("Transcript > EarlierLine", EarlierLine)
        self.mount_all(made, after=earlier)
        self._show_earlier(earlier)

    def _show_earlier(self, line: EarlierLine) -> None:
        line.display = bool(self._earlier)
        line.update(safe(f"▸ {counted(len(self._earlier), 'earlier topic')}", "$text-muted"))

    async def add(self, turn: Shown | str, *, begins_topic: bool = False) -> TurnView | Static:
        """Add a turn or a remark; one that begins a topic folds the one before."""
        topics: list[Topic] = [*self.query(Topic)]
        if not topics or begins_topic:
            for topic in topics[-1:]:
                topic.add_class("-done")
                topic.fold()
            topics.append(Topic())
            await self.mount(topics[-1])
        view: TurnView | Static = await topics[-1].add_turn(turn)
        self.anchor()
        return view

    @property
    def last_answer(self) -> str:
        """The text of the last answer; "" where there is none."""
        return next((one.shown.answer for one in self._turns() if one.shown.answer), "")

    @property
    def last_sourced(self) -> TurnView | None:
        """The last turn that has sources to show."""
        return next((one for one in self._turns() if one.shown.sources or one.shown.nearest), None)

    def _turns(self) -> Sequence[TurnView]:
        return [*self.query(TurnView)][::-1]

    def action_go(self, by: int) -> None:
        """Go to the turn or line above or below."""
        places = [one for one in self.query("FoldLine, TurnView") if one.display and _is_shown(one)]
        if not places:
            return
        focused = self.screen.focused
        at = places.index(focused) if focused in places else len(places)
        places[min(max(at + by, 0), len(places) - 1)].focus()

    def action_fold_all(self) -> None:
        """Fold the topic of the turn we are at, or unfold it."""
        focused = self.screen.focused
        for topic in self.query(Topic):
            if focused is not None and topic in focused.ancestors and topic.has_class("-done"):
                topic.toggle()
                topic.query_one(FoldLine).focus()


def _view(turn: Shown | str) -> TurnView | Static:
    return TurnView(turn) if isinstance(turn, Shown) else Static(safe(beginning(turn)), classes="remark")


def _done(turns: Sequence[Shown | str]) -> Topic:
    topic = Topic(turns, is_folded=True)
    topic.add_class("-done")
    return topic


def _is_shown(widget: Widget) -> bool:
    return all(one.display for one in widget.ancestors if one.is_attached and hasattr(one, "display"))
