"""The conversation: what is said is kept, what is asked is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from secondme.chat import commands
from secondme.chat.commands import Reply
from secondme.chat.lines import counted
from secondme.errors import SecondmeError
from secondme.records import Answer, Match, Note
from secondme_tui.queries import chat as queries
from secondme_tui.screens.dialogs import Choose, Confirm
from secondme_tui.screens.main import MainScreen
from secondme_tui.session import AnswerEvents
from secondme_tui.text import safe
from secondme_tui.widgets.preview import Preview
from secondme_tui.widgets.prompt import Prompt
from secondme_tui.widgets.transcript import Transcript
from secondme_tui.widgets.turn import Shown, TurnView

if TYPE_CHECKING:
    from secondme.chat.talk import Heard
    from secondme.store.chats import Chat


class ChatScreen(MainScreen):
    """Says and asks."""

    MODE = "chat"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "escape", "Stop", id="chat.stop"),
        Binding("ctrl+t", "threads", "Threads", id="chat.threads"),
        Binding("ctrl+n", "new", "New", id="chat.new"),
        *(Binding(f"alt+{n}", f"source({n})", "Source", show=False, id=f"chat.alt-source-{n}") for n in range(1, 10)),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._answering: TurnView | None = None
        self._last_answer = ""
        self._source: Match | None = None

    def body(self) -> ComposeResult:
        """Yield the conversation with the pane for sources beside it, and the prompt below."""
        with Horizontal(id="chat-body"):
            with Vertical(id="chat-column"):
                yield Static(safe("opening the memory …", "$text-muted"), id="chat-greeting")
                yield Transcript(id="transcript")
            yield Preview(id="preview")
        yield OptionList(id="completions", markup=False)
        yield Prompt()

    def on_mount(self) -> None:
        """Let the user type at once, while the memory is opened."""
        self.query_one("#preview").display = False
        self.query_one("#completions").display = False
        self.query_one(Prompt).focus()
        chat = self.main.chat
        self.fetch(lambda talk: queries.start(talk, chat), self._started)

    async def _started(self, found: queries.Start) -> None:
        words = [counted(found.notes, "note")]
        words += [f"{counted(found.waiting, 'passage')} to sleep over"] if found.waiting else []
        if found.name:
            words.insert(0, found.name)
        self._greet(" · ".join(words))
        self.query_one(Prompt).set_history([*found.history, *self.query_one(Prompt).said])
        if found.topics:
            await self.query_one(Transcript).show(found.topics)

    def _greet(self, words: str) -> None:
        self.query_one("#chat-greeting", Static).update(safe(words, "$text-muted"))

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        text = event.text
        if text.startswith("/"):
            self.fetch(lambda talk: commands.attempt(talk, text), lambda reply: self._replied(text, reply))
        else:
            self.fetch(lambda talk: talk.hear(text), self._heard)

    async def _heard(self, heard: Heard) -> None:
        shown = Shown(heard.text, note=heard.note)
        view = await self.query_one(Transcript).add(shown, begins_topic=heard.begins_topic)
        if heard.question and isinstance(view, TurnView):
            self._ask(heard, view)

    def _ask(self, heard: Heard, view: TurnView) -> None:
        view.wait("looking for evidence …")
        evidence: list[Match] = []

        def begun(found: Sequence[Match]) -> None:
            self._answering = view
            evidence.extend(found)
            view.wait(f"reading {counted(len(found), 'passage')} …")

        async def ended(answer: Answer, shown: Sequence[Match], is_whole: bool) -> None:
            self._answering, self._last_answer = None, answer.text
            await view.end(answer, shown, is_whole=is_whole)
            self.fetch(lambda talk: talk.answered(heard, answer), lambda _: None)

        async def failed(error: SecondmeError) -> None:
            self._answering = None
            await view.stop_stream()
            view.fail(f"{error}{f'; {error.hint}' if error.hint else ''}", evidence)

        self.session.answer(heard, AnswerEvents(begun, view.add, ended, failed))

    async def _replied(self, line: str, reply: Reply) -> None:
        if reply.confirm:
            self.app.push_screen(Confirm(reply.confirm, reply.text), self._after(line, reply))
            return
        if reply.text:
            await self.query_one(Transcript).add(f"{line}\n{reply.text}")
        match reply.effect:
            case "quit":
                self.app.exit()
            case "copy":
                self._copy(self._last_answer)
            case "opened":
                self.fetch(lambda talk: queries.start(talk, talk.chat), self._opened)
            case "sleep":
                await self._sleep()

    def _after(self, line: str, reply: Reply) -> Callable[[bool | None], None]:
        def answered(is_sure: bool | None) -> None:
            if is_sure:
                self.fetch(lambda talk: commands.confirmed(reply), lambda done: self._replied(line, done))

        return answered

    async def _opened(self, found: queries.Start) -> None:
        await self.query_one(Transcript).show(found.topics)
        await self._started(found)
        if not found.topics:
            self._greet("another conversation")

    async def _sleep(self) -> None:
        view = await self.query_one(Transcript).add("/sleep\nsleeping …")
        assert isinstance(view, Static)

        def progress(done: int, total: int) -> None:
            view.update(safe(f"/sleep\n{done:,} of {total:,} passages read; Esc wakes it"))

        def woken(found: dict[str, object]) -> None:
            why = f": {found['why']}" if found.get("why") else ""
            view.update(
                safe(f"/sleep\n{found.get('run') or ''} {found['state']}{why} · F5 reviews it, /undo takes it back")
            )

        def failed(error: SecondmeError) -> None:
            view.update(safe(f"/sleep\n{error}"))

        self.session.sleep(progress, woken, failed)

    @on(TurnView.SourceWanted)
    def _source_wanted(self, event: TurnView.SourceWanted) -> None:
        self._source = event.match
        match, in_editor = event.match, event.in_editor
        show = self._edit if in_editor else self._preview
        self.fetch(lambda talk: queries.source(talk, match), lambda found: show(*found))

    def _preview(self, note: Note, match: Match) -> None:
        self.query_one(Preview).show(note, match)

    def _edit(self, note: Note, match: Match) -> None:
        from secondme import editor

        try:
            with self.app.suspend():
                editor.open_source(note, line=match.line_start)
        except SecondmeError as error:
            self.main.failed(error)

    def action_source(self, number: int) -> None:
        """Show a source of the last answer."""
        last = self.query_one(Transcript).last
        if last is not None:
            last.action_source(number)

    @on(TurnView.CopyWanted)
    def _copy_wanted(self, event: TurnView.CopyWanted) -> None:
        self._copy(event.text)

    def _copy(self, text: str) -> None:
        if not text:
            self.main.tell("there is no answer to copy")
            return
        # The terminal itself puts it into the clipboard: no tool is needed, also over ssh.
        self.app.copy_to_clipboard(text)
        self.main.tell("copied")

    @on(TurnView.TakeBack)
    def _take_back(self, event: TurnView.TakeBack) -> None:
        view, note = event.view, event.note
        self.fetch(lambda talk: queries.take_back(talk, note), lambda _: view.taken_back())

    @on(Prompt.Typed)
    def _offer(self, event: Prompt.Typed) -> None:
        found = commands.completions(event.text)
        offered = self.query_one("#completions", OptionList)
        offered.display = bool(found)
        if found:
            width = max(len(one.name) + len(one.argument) for one in found) + 3
            lines = [f"/{one.name} {one.argument}".ljust(width) + one.help for one in found]
            names = [one.name for one in found]
            offered.set_options(Option(safe(text), id=name) for text, name in zip(lines, names, strict=True))
            offered.highlighted = 0

    @on(Prompt.CompletionWanted)
    def _complete(self) -> None:
        offered = self.query_one("#completions", OptionList)
        if offered.display and offered.highlighted is not None:
            self._take(offered.get_option_at_index(offered.highlighted).id or "")

    @on(OptionList.OptionSelected, "#completions")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._take(event.option.id or "")
        self.query_one(Prompt).focus()

    def _take(self, name: str) -> None:
        has_argument = bool(commands.COMMANDS[name].argument)
        self.query_one(Prompt).put(f"/{name}{' ' if has_argument else ''}")

    @on(Prompt.HistoryWanted)
    def _look_back(self) -> None:
        said = [*dict.fromkeys(reversed(self.query_one(Prompt).said))]
        choices = [(str(place), text) for place, text in enumerate(said)]

        def chosen(place: str | None) -> None:
            if place is not None:
                self.query_one(Prompt).put(said[int(place)])

        self.app.push_screen(Choose("what was said before", choices), chosen)

    @on(Prompt.EditorWanted)
    def _write_on(self) -> None:
        from secondme import editor

        prompt = self.query_one(Prompt)
        try:
            with self.app.suspend():
                text = editor.edit_text(prompt.text)
        except SecondmeError as error:
            self.main.failed(error)
        else:
            prompt.put(text.rstrip("\n"))

    def action_threads(self) -> None:
        """Choose a conversation to go on with."""
        self.fetch(lambda talk: talk.chats(), self._choose)

    def _choose(self, found: Sequence[Chat]) -> None:
        lines = [(str(one.id), f"{one.last_at.astimezone():%Y-%m-%d} · {one.name}") for one in found]

        def chosen(id: str | None) -> None:
            if id is not None:
                line = f"/open {id}"
                self.fetch(lambda talk: commands.attempt(talk, line), lambda reply: self._replied(line, reply))

        self.app.push_screen(Choose("conversations", lines), chosen)

    def action_new(self) -> None:
        """Begin another conversation."""
        self.fetch(lambda talk: commands.attempt(talk, "/new"), lambda reply: self._replied("/new", reply))

    def action_escape(self) -> None:
        """Close the source, or stop the answer, or go between the prompt and the conversation."""
        preview, prompt = self.query_one(Preview), self.query_one(Prompt)
        if preview.display:
            preview.clear()
        elif self._answering is not None:
            self.session.stop()
        elif prompt.has_focus:
            self.query_one(Transcript).action_go(-1)
        else:
            prompt.focus()
