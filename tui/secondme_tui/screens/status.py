"""The status: what is stored, which models there are, what this process takes, what the daemon does."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static

from secondme.errors import SecondmeError
from secondme_tui.queries import status as queries
from secondme_tui.screens.main import MainScreen
from secondme_tui.text import safe
from secondme_tui.widgets.plot import Plot, Rows

if TYPE_CHECKING:
    from textual.timer import Timer

EVERY = 2.0
"""Seconds between looks while this is shown."""
SAMPLES = 60
NO_DAEMON = [
    ("daemon", "none runs: watched folders are not kept in step, and nothing is slept over by itself"),
    ("to start it", "d; or: secondme daemon start"),
]
LOADING = [("", "looking …")]


class StatusScreen(MainScreen):
    """Shows how all is."""

    MODE = "status"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "look", "Refresh", id="status.refresh"),
        Binding("d", "daemon", "Daemon on/off", id="status.daemon"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._timer: Timer | None = None
        self._looking: set[str] = set()
        """What is being looked at: it is not begun again before that is over."""
        self._memory: queries.Memory | None = None
        self._machine: queries.Machine | None = None
        self._used: deque[float] = deque(maxlen=SAMPLES)
        self._changing = ""
        """What the daemon is being told."""

    def body(self) -> ComposeResult:
        """Yield the sections, in two columns where there is room."""
        with VerticalScroll(id="status-scroll"), Horizontal(id="status-columns"):
            with Vertical(classes="status-column"):
                yield Static(safe("Memory", "bold"))
                yield Rows(id="memory-rows")
                yield Plot(id="month-plot")
                yield Rows(id="month-rows")
                yield Static(safe("Nights", "bold"))
                yield Rows(id="night-rows")
            with Vertical(classes="status-column"):
                yield Static(safe("Models", "bold"))
                yield Rows(id="model-rows")
                yield Rows(id="speed-rows")
                yield Plot(id="speed-plot")
                yield Static(safe("This process", "bold"))
                yield Rows(id="process-rows")
                yield Plot(id="process-plot")
                yield Static(safe("Daemon", "bold"))
                yield Rows(id="daemon-rows")

    def on_mount(self) -> None:
        """Say that it is being looked."""
        self._timer = self.set_interval(EVERY, self.action_look, pause=True)
        for name in ("memory", "night", "model", "process", "daemon"):
            self._show(name, LOADING)

    def on_screen_resume(self) -> None:
        """Look, now and every few seconds."""
        self.action_look()
        if self._timer:
            self._timer.resume()

    def on_screen_suspend(self) -> None:
        """Look no longer."""
        if self._timer:
            self._timer.pause()

    def action_look(self) -> None:
        """Look again."""
        before = self._memory
        if "memory" not in self._looking:
            self._looking.add("memory")
            self.fetch(
                lambda talk: queries.memory(talk, before),
                self._stored,
                failed=lambda error: self._failed("memory", error),
                desk="status",
                latest="memory",
            )
        if "machine" not in self._looking:
            self._looking.add("machine")
            self.fetch(
                queries.machine,
                self._ran,
                failed=lambda error: self._failed("machine", error),
                desk="machine",
                latest="machine",
            )
        self._show_speed()

    def action_daemon(self) -> None:
        """Start the daemon, or stop it."""
        if self._machine is None or self._changing:
            return
        stops = bool(self._machine.daemon)
        self._changing = "stopping …" if stops else "starting …"
        self._show("daemon", [("daemon", self._changing)])
        work = queries.stop if stops else queries.start
        self.fetch(work, self._changed, failed=self._not_changed, desk="machine")

    def _changed(self, words: str) -> None:
        self._changing = ""
        self.main.tell(words)
        self.action_look()

    def _not_changed(self, error: SecondmeError) -> None:
        self._changing = ""
        self.main.failed(error)

    def _stored(self, found: queries.Memory) -> None:
        self._looking.discard("memory")
        self._memory = found
        self._show("memory", found.rows)
        counts = [float(count) for _, count in found.months]
        words = f"notes a month, {found.months[0][0]} to {found.months[-1][0]}" if found.months else ""
        self.query_one("#month-plot", Plot).show(counts, words)
        self._show("month", queries.month_rows(found.months))
        self._show("night", found.nights or [("nights", "none yet")])

    def _ran(self, found: queries.Machine) -> None:
        self._looking.discard("machine")
        self._machine = found
        self._used.append(found.used / 1e6)
        self._show("model", found.models)
        least, most = (queries.megabytes(size * 1e6) for size in (min(self._used), max(self._used)))
        self._show("process", [("memory", f"{queries.megabytes(found.used)}; least {least}, most {most}")])
        words = f"memory, each {EVERY:.0f} s while this is shown"
        self.query_one("#process-plot", Plot).show([*self._used], words)
        if not self._changing:
            self._show("daemon", found.daemon or NO_DAEMON)

    def _show_speed(self) -> None:
        traces = [*self.main.recent]
        self._show("speed", queries.speed_rows(traces))
        speeds = [speed for trace in traces if (speed := queries.speed_of(trace)) is not None]
        self.query_one("#speed-plot", Plot).show(speeds, "tokens a second, the last answer at the right")

    def _failed(self, what: str, error: SecondmeError) -> None:
        """Say it in its place: a dialog would come again with each look."""
        self._looking.discard(what)
        if self.is_attached:
            name = "memory" if what == "memory" else "daemon"
            self._show(name, [("error", f"{error}{f'; {error.hint}' if error.hint else ''}")])

    def _show(self, name: str, rows: Sequence[queries.Row]) -> None:
        self.query_one(f"#{name}-rows", Rows).show(rows)
