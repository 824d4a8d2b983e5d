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


class Topic(Vertical):
    """Turns on one matter. What is in a folded one is made when it is unfolded."""

    def __init__(self, turns: Sequence[Shown | str] = (), *, is_folded: bool = False) -> None:
        """Show `turns`; a text alone is a remark between them."""
        super().__init__(classes="topic")
        self._turns: list[Shown | str] = [*turns]
        self.is_folded = is_folded
        self._is_made = not is_folded

    def compose(self) -> ComposeResult:
        """Yield the line, and the turns of an open one."""
        yield FoldLine(classes="fold")
        with Vertical(classes="turns"):
            if self._is_made:
                yield from map(_view, self._turns)

    def on_mount(self) -> None:
        """Show whether it is folded."""
        self._show()

    async def add_turn(self, turn: Shown | str) -> TurnView | Static:
        """Add a turn or a remark at the end."""
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
        if not self._is_made:
            self._is_made = True
            self.query_one(".turns").mount_all(map(_view, self._turns))
        self._show()

    def _show(self) -> None:
        said = [turn for turn in self._turns if isinstance(turn, Shown)]
        self.query_one(".turns").display = not self.is_folded
        line = self.query_one(FoldLine)
        # The one in hand has nothing to be told apart from.
        line.display = self.is_folded or self.has_class("-done")
        first = one_line(said[0].text, 60) if said else ""
        line.update(safe(f"{'▸' if self.is_folded else '▾'} {counted(len(said), 'turn')} · {first}", "$text-muted"))


class Transcript(VerticalScroll, can_focus=False):
    """All topics, the last one in hand."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "go(-1)", "Up", show=False, id="chat.up"),
        Binding("down,j", "go(1)", "Down", show=False, id="chat.down"),
        Binding("g", "scroll_home", "Top", show=False, id="chat.top"),
        Binding("G", "scroll_end", "End", show=False, id="chat.end"),
        Binding("z", "fold_all", "Fold", id="chat.fold-all"),
    ]

    async def show(self, topics: Sequence[Sequence[Shown | str]]) -> None:
        """Show a conversation from its beginning."""
        await self.remove_children()
        for place, turns in enumerate(topics):
            is_last = place == len(topics) - 1
            topic = Topic(turns, is_folded=not is_last)
            topic.set_class(not is_last, "-done")
            await self.mount(topic)
        self.anchor()

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


def _is_shown(widget: Widget) -> bool:
    return all(one.display for one in widget.ancestors if one.is_attached and hasattr(one, "display"))
