"""The conversation: what is said is kept, what is asked is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import OptionList, Static

from secondme.chat import commands
from secondme.chat.commands import Reply
from secondme.chat.lines import counted
from secondme.clean import clean, one_line
from secondme.errors import SecondmeError
from secondme.records import Answer, Match, Note
from secondme_tui.queries import chat as queries
from secondme_tui.screens.dialogs import Choose, Confirm
from secondme_tui.screens.main import MainScreen
from secondme_tui.session import AnswerEvents
from secondme_tui.text import safe
from secondme_tui.widgets.completions import Completions
from secondme_tui.widgets.preview import Preview
from secondme_tui.widgets.prompt import Prompt
from secondme_tui.widgets.transcript import Transcript
from secondme_tui.widgets.turn import Shown, TurnView

if TYPE_CHECKING:
    from secondme.chat.talk import Heard
    from secondme.store.chats import Chat

LISTED = 200
"""Characters of one line of a list to choose from."""


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
        self._is_open = False
        """True once the memory was read."""

    def body(self) -> ComposeResult:
        """Yield the conversation with the pane for sources beside it, and the prompt below."""
        with Horizontal(id="chat-body"):
            with Vertical(id="chat-column"):
                yield Static(safe("opening the memory …", "$text-muted"), id="chat-greeting")
                yield Transcript()
            yield Preview(id="preview")
        yield Completions()
        yield Prompt()

    def on_mount(self) -> None:
        """Let the user type at once, while the memory is opened."""
        self.query_one("#preview").display = False
        self.query_one(Prompt).focus()
        self._open()

    def _open(self) -> None:
        chat = self.main.chat
        self.fetch(lambda talk: queries.start(talk, chat), self._started, failed=self._not_opened)

    def _not_opened(self, error: SecondmeError) -> None:
        self._greet(f"the memory does not open: {error}")
        self.main.failed(error)

    async def _started(self, found: queries.Start) -> None:
        self._is_open = True
        prompt = self.query_one(Prompt)
        prompt.set_history([*dict.fromkeys([*found.history, *prompt.said])])
        if found.topics:
            await self.query_one(Transcript).show(found.topics)
        self._greet_with(found)

    def _greet_with(self, found: queries.Start) -> None:
        waiting = f"{counted(found.waiting, 'passage')} to sleep over" if found.waiting else ""
        self._greet(" · ".join(filter(None, [found.name, counted(found.notes, "note"), waiting])))

    def _greet(self, words: str) -> None:
        self.query_one("#chat-greeting", Static).update(safe(words, "$text-muted"))

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        text = event.text

        def failed(error: SecondmeError) -> None:
            prompt = self.query_one(Prompt)
            if not prompt.text:
                # Nothing of it was kept.
                prompt.put(text)
            self.main.failed(error)

        if text.startswith("/"):
            self.fetch(lambda talk: commands.attempt(talk, text), partial(self._replied, text), failed=failed)
        else:
            self.fetch(lambda talk: talk.hear(text), self._heard, failed=failed)

    async def _heard(self, heard: Heard) -> None:
        if not self._is_open:
            self._open()
        shown = Shown(heard.text, note=heard.note)
        view = await self.query_one(Transcript).add(shown, begins_topic=heard.begins_topic)
        if heard.question and isinstance(view, TurnView):
            self._ask(heard, view)

    def _ask(self, heard: Heard, view: TurnView) -> None:
        view.wait("looking for evidence …")
        evidence: list[Match] = []

        def begun(found: Sequence[Match]) -> None:
            evidence.extend(found)
            view.wait(f"reading {counted(len(found), 'passage')} …")

        async def ended(answer: Answer, shown: Sequence[Match], is_whole: bool) -> None:
            self.main.recent.append(answer.trace)
            await view.end(answer, shown, is_whole=is_whole)
            self.fetch(lambda talk: talk.answered(heard, answer), lambda _: None)

        async def failed(error: SecondmeError) -> None:
            await view.stop_stream()
            view.fail(f"{error}{f'; {error.hint}' if error.hint else ''}", evidence)

        self.session.answer(heard, AnswerEvents(begun, view.add, ended, failed))

    async def _replied(self, line: str, reply: Reply) -> None:
        if reply.confirm:
            self.app.push_screen(Confirm(reply.confirm, reply.text), self._after(line, reply))
            return
        if reply.text and reply.effect == "opened":
            self.main.tell(reply.text)
        elif reply.text:
            await self.query_one(Transcript).add(f"{line}\n{reply.text}")
        match reply.effect:
            case "quit":
                self.app.exit()
            case "copy":
                self._copy(self.query_one(Transcript).last_answer)
            case "opened":
                self.fetch(lambda talk: queries.start(talk, talk.chat), self._opened)
            case "sleep":
                await self._sleep()

    def _after(self, line: str, reply: Reply) -> Callable[[bool | None], None]:
        def answered(is_sure: bool | None) -> None:
            if is_sure:
                self.fetch(lambda talk: commands.confirmed(reply), lambda done: self._replied(line, done))

        return answered

    def on_screen_resume(self) -> None:
        """Show the conversation anew where something was forgotten on another screen."""
        if self.main.has_forgotten:
            self.main.has_forgotten = False
            self.fetch(lambda talk: queries.start(talk, talk.chat), self._opened)

    async def _opened(self, found: queries.Start) -> None:
        self.query_one(Preview).clear()
        self.query_one(Prompt).set_history(found.history)
        await self.query_one(Transcript).show(found.topics)
        self._greet_with(found)
        if not found.topics:
            self._greet("another conversation")

    async def _sleep(self) -> None:
        view = await self.query_one(Transcript).add("/sleep\nsleeping …")
        assert isinstance(view, Static)

        def progress(done: int, total: int) -> None:
            view.update(safe(f"/sleep\n{done:,} of {total:,} passages read; Esc wakes it"))

        def woken(found: dict[str, object]) -> None:
            told = [f"{found.get('run') or ''} {found['state']}", str(found.get("why") or "")]
            told += ["F5 reviews it, /undo takes it back"] if found.get("run") else []
            view.update(safe("/sleep\n" + " · ".join(filter(None, told)).strip()))

        def failed(error: SecondmeError) -> None:
            view.update(safe(f"/sleep\n{error}"))

        self.session.sleep(progress, woken, failed)

    @on(TurnView.SourceWanted)
    def _source_wanted(self, event: TurnView.SourceWanted) -> None:
        show = self._edit if event.in_editor else self.query_one(Preview).show
        self.fetch(lambda talk: queries.source(talk, event.match), lambda found: show(*found))

    def _edit(self, note: Note, match: Match) -> None:
        from secondme import editor

        self.suspended(lambda: editor.open_source(note, line=match.line_start))

    def action_source(self, number: int) -> None:
        """Show a source of the last answer."""
        if answered := self.query_one(Transcript).last_sourced:
            answered.action_source(number)

    @on(TurnView.CopyWanted)
    def _copy_wanted(self, event: TurnView.CopyWanted) -> None:
        self._copy(event.text)

    def _copy(self, text: str) -> None:
        if not text:
            self.main.tell("there is nothing to copy")
            return
        # The terminal itself puts it into the clipboard: no tool is needed, also over ssh.
        self.app.copy_to_clipboard(clean(text))
        self.main.tell("copied")

    @on(TurnView.TakeBack)
    def _take_back(self, event: TurnView.TakeBack) -> None:
        self.fetch(lambda talk: queries.take_back(talk, event.note), lambda _: event.view.taken_back())

    @on(Prompt.Typed)
    def _offer(self, event: Prompt.Typed) -> None:
        event.prompt.is_completed = self.query_one(Completions).offer(event.text)

    @on(Prompt.CompletionWanted)
    def _complete(self) -> None:
        if name := self.query_one(Completions).in_hand:
            self._take(name)

    @on(Prompt.CompletionMoved)
    def _move_completion(self, event: Prompt.CompletionMoved) -> None:
        self.query_one(Completions).move(event.by)

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
        choices = [(str(place), one_line(text[:LISTED], LISTED)) for place, text in enumerate(said)]

        def chosen(place: str | None) -> None:
            if place is not None:
                self.query_one(Prompt).put(said[int(place)])

        self.app.push_screen(Choose("what was said before", choices), chosen)

    @on(Prompt.EditorWanted)
    def _write_on(self) -> None:
        from secondme import editor

        prompt = self.query_one(Prompt)
        text = self.suspended(lambda: editor.edit_text(prompt.text))
        if text is not None:
            prompt.put(text.rstrip("\n"))

    def action_threads(self) -> None:
        """Choose a conversation to go on with."""
        self.fetch(lambda talk: talk.chats(), self._choose)

    def _choose(self, found: Sequence[Chat]) -> None:
        if not found:
            self.main.tell("no conversation is kept")
            return
        lines = [(str(one.id), f"{one.last_at.astimezone():%Y-%m-%d} · {one_line(one.name, LISTED)}") for one in found]

        def chosen(id: str | None) -> None:
            if id is not None:
                self._command(f"/open {id}")

        self.app.push_screen(Choose("conversations", lines), chosen)

    def action_new(self) -> None:
        """Begin another conversation."""
        self._command("/new")

    def _command(self, line: str) -> None:
        self.fetch(lambda talk: commands.attempt(talk, line), partial(self._replied, line))

    def action_escape(self) -> None:
        """Close the source, or stop the answer, or go between the prompt and the conversation."""
        preview, prompt = self.query_one(Preview), self.query_one(Prompt)
        if preview.display:
            preview.clear()
        elif self.session.is_busy:
            self.session.stop()
        elif prompt.has_focus:
            self.query_one(Transcript).action_go(-1)
        else:
            prompt.focus()
