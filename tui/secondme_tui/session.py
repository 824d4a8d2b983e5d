"""What the screens ask of the memory and the models, done on threads of its own: the only ones of the interface."""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from secondme.errors import SecondmeError
from secondme.records import Answer, Match
from secondme_tui.messages import Call

if TYPE_CHECKING:
    from textual.message import Message

    from secondme.assistant import Assistant
    from secondme.chat.asking import Stream
    from secondme.chat.nap import Nap
    from secondme.chat.talk import Heard, Talk
    from secondme.plugins import Plugins

T = TypeVar("T")
Post = Callable[["Message"], object]
Failed = Callable[[SecondmeError], object]
"""What is called on the thread of the screen may be awaited there."""


class Bug(SecondmeError):
    """Something of ours went wrong; it names a place in the code and nothing of the memory."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[..., Any]
    then: Callable[[Any], object]
    failed: Failed
    latest: str
    """Jobs of one name make those before them useless; "" for one that has to be done."""


class Desk(threading.Thread):
    """One thread with a memory of its own, doing one thing after another."""

    def __init__(self, name: str, post: Post, plugins: Plugins | None) -> None:
        """Answer by messages to `post`; the memory is opened at the first job."""
        super().__init__(name=name, daemon=True)
        self._post, self._plugins = post, plugins
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._newest: dict[str, _Job] = {}
        self._talk: Talk | None = None

    def put(self, job: _Job) -> None:
        """Have something done when its turn comes."""
        if job.latest:
            self._newest[job.latest] = job
        self._jobs.put(job)

    def run(self) -> None:
        """Do what comes, until the end."""
        while (job := self._jobs.get()) is not None:
            if job.latest and self._newest.get(job.latest) is not job:
                continue
            self._do(job)
        if self._talk is not None:
            self._talk.me.close()

    def end(self) -> None:
        """End after the job in hand."""
        self._jobs.put(None)

    def _open(self) -> Talk:
        # Imported here, so that the first screen is there before the memory is loaded.
        from secondme.assistant import Assistant
        from secondme.chat.talk import Talk

        return Talk(Assistant.open(plugins=self._plugins))

    def _do(self, job: _Job) -> None:
        try:
            if self._talk is None:
                self._talk = self._open()
            result = job.work(self._talk)
        except SecondmeError as error:
            self._post(Call(job.failed, (error,)))
        except Exception as error:  # noqa: BLE001  whatever goes wrong here, the screen stays and says so
            self._post(Call(job.failed, (_bug(error),)))
        else:
            if not job.latest or self._newest.get(job.latest) is job:
                self._post(Call(job.then, (result,)))


@dataclass(frozen=True, slots=True)
class AnswerEvents:
    """Whom an answer in the making is told to, on the thread of the screen."""

    begun: Callable[[Sequence[Match]], object]
    piece: Callable[[str], object]
    ended: Callable[[Answer, Sequence[Match], bool], object]
    """The answer, what was shown for it, and whether it is whole."""
    failed: Failed


@dataclass(eq=False)
class _Asked:
    """An answer that is waited for."""

    stop: threading.Event = field(default_factory=threading.Event)
    stream: Stream | None = None

    def end(self) -> None:
        """Have it end at the next token, or before it begins."""
        self.stop.set()
        if stream := self.stream:
            stream.cancel()

    def begin(self, stream: Stream) -> Stream:
        """Take the stream in hand; it is cancelled where the user was faster."""
        self.stream = stream
        if self.stop.is_set():
            stream.cancel()
        return stream


@dataclass
class Session:
    """The memory as the screens see it: they ask for something, and are called when it is there."""

    post: Post
    plugins: Plugins | None = None
    _desks: dict[str, Desk] = field(default_factory=dict)
    _asked: list[_Asked] = field(default_factory=list)
    """The answers waited for, the one under way first; only the thread of the screen changes it."""
    _nap: Nap | None = None

    def run(
        self,
        work: Callable[[Talk], T],
        then: Callable[[T], object],
        *,
        failed: Failed,
        desk: str = "memory",
        latest: str = "",
    ) -> None:
        """Do `work` with the memory on a thread, then call `then` with what it returns on the thread of the screen.

        Everything about one conversation belongs on the desk "memory". A later job with the same name `latest` makes
        this one useless: it is not begun, or its result is dropped.
        """
        self._desk(desk).put(_Job(work, then, failed, latest))

    def answer(self, heard: Heard, events: AnswerEvents) -> None:
        """Answer a message and keep the answer, however it ends."""
        asked = _Asked()
        self._asked.append(asked)

        def ended(result: tuple[Answer, Sequence[Match], bool]) -> object:
            self._asked.remove(asked)
            return events.ended(*result)

        def failed(error: SecondmeError) -> object:
            self._asked.remove(asked)
            return events.failed(error)

        self.run(lambda talk: self._answer(talk.me, heard, events, asked), ended, failed=failed, desk="answer")

    @property
    def is_busy(self) -> bool:
        """True while there is something to stop."""
        return bool(self._asked) or self._nap is not None

    def stop(self) -> None:
        """Stop the answer or the night under way; what came of it stays."""
        for asked in self._asked[:1]:
            asked.end()
        if nap := self._nap:
            nap.stop()

    def sleep(
        self, progress: Callable[[int, int], object], then: Callable[[dict[str, Any]], object], failed: Failed
    ) -> None:
        """Have a night now, in a process of its own."""

        def work(_: Talk) -> dict[str, Any]:
            from secondme.chat.nap import Nap

            self._nap = Nap()
            try:
                return self._nap.run(lambda done, total: self._call(progress, done, total))
            finally:
                self._nap = None

        self.run(work, then, failed=failed, desk="answer")

    def close(self) -> None:
        """End the threads; one that is in the middle of something is not waited for."""
        self.stop()
        for asked in self._asked:
            asked.end()
        for desk in self._desks.values():
            desk.end()
        for desk in self._desks.values():
            desk.join(2.0)

    def _desk(self, name: str) -> Desk:
        if name not in self._desks:
            self._desks[name] = Desk(name, self.post, self.plugins)
            self._desks[name].start()
        return self._desks[name]

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        self.post(Call(function, arguments))

    def _answer(
        self, me: Assistant, heard: Heard, events: AnswerEvents, asked: _Asked
    ) -> tuple[Answer, Sequence[Match], bool]:
        from secondme.chat.talk import ask, keep_answer

        if asked.stop.is_set():
            return Answer("", (), False, "none"), (), False
        stream, text, is_whole = asked.begin(ask(me, heard)), "", False
        shown = stream.evidence
        self._call(events.begun, shown)
        answer: Answer | None = None
        try:
            for piece in stream:
                text += piece
                self._call(events.piece, piece)
            is_whole = not asked.stop.is_set()
            answer = _whole(stream, is_stopped=not is_whole)
        finally:
            stream.close()
            # Also where the model or the daemon failed half-way: what came is kept, and the error goes on.
            answer = answer or Answer(text, (), False, "retrieval", {"evidence_shown": [match.id for match in shown]})
            if answer.text:
                keep_answer(me, heard, answer, shown, is_whole=is_whole)
        return answer, shown, is_whole


def _whole(stream: Stream, *, is_stopped: bool) -> Answer | None:
    try:
        answer = stream.answer
    except RuntimeError:  # it was stopped before the daemon told what it rests on
        return None
    # One that was stopped before its first word says nothing about what memory holds.
    return None if is_stopped and answer.abstained else answer


def _bug(error: Exception) -> Bug:
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
    return Bug(f"secondme failed: {where}", hint="this is a mistake of the program; try again, or another way")
