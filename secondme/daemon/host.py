"""The program that holds the models: searches and answers for the daemon, which talks to it through a pipe.

A search does not wait behind an answer: each kind of question has a thread with a memory and models of its own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from secondme import frames, network
from secondme.daemon.limits import limit_models
from secondme.daemon.records import answer_record, filters_from, match_record
from secondme.errors import SecondmeError
from secondme.keys import take
from secondme.paths import find_paths

if TYPE_CHECKING:
    from secondme.answer import AnswerStream
    from secondme.assistant import Assistant
    from secondme.frames import Message


def main() -> int:
    """Answer what comes on stdin, after the key, until its end."""
    channel = _take_stdout()
    paths = find_paths()
    network.give_up_as_set(paths.config)
    limit_models(paths)
    take()
    desks = {op: Desk(channel) for op in ("ask", "search")}
    for desk in desks.values():
        desk.start()
    stdin = os.fdopen(0, "rb")
    with contextlib.suppress(frames.BadFrame):
        while (message := frames.read(stdin)) is not None:
            if message["op"] == "cancel":
                for desk in desks.values():
                    desk.cancel(message["id"])
            else:
                desks[message["op"]].put(message)
    # The daemon is gone or wants this to end: whatever is being computed, nobody waits for it.
    os._exit(0)


class Desk(threading.Thread):
    """Answers requests of one kind, one after the other."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(daemon=True)
        self._channel = channel
        self._requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._known: set[int] = set()
        """The requests that wait or are being answered."""
        self._cancelled: set[int] = set()
        self._me: Assistant | None = None
        self._stream: tuple[int, AnswerStream] | None = None
        """The answer being given, and to which request."""

    def put(self, message: Message) -> None:
        """Have a request answered when its turn comes."""
        self._known.add(message["id"])
        self._requests.put(message)

    def cancel(self, id: int) -> None:
        """Stop working on a request at the next token, or never begin."""
        if id not in self._known:
            return
        self._cancelled.add(id)
        if (now := self._stream) and now[0] == id:
            now[1].cancel()

    def run(self) -> None:
        """Answer requests for ever."""
        while True:
            message = self._requests.get()
            for reply in self._replies(message) if message["id"] not in self._cancelled else ():
                self._channel.write({"id": message["id"], **reply})
            self._stream = None
            self._known.discard(message["id"])
            self._cancelled.discard(message["id"])

    def _replies(self, message: Message) -> Iterator[Message]:
        try:
            yield from self._answer(message)
        except SecondmeError as error:
            yield {"type": "error", "kind": type(error).__name__, "message": str(error), "hint": error.hint}
        except Exception as error:  # noqa: BLE001  one question that goes wrong must not take the models away
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
            logging.getLogger("secondme").error("a request failed: %s", where)
            yield {"type": "error", "kind": "Crash", "message": f"the daemon failed: {where}", "hint": ""}

    def _answer(self, message: Message) -> Iterator[Message]:
        me, filters = self._open(), filters_from(message["filters"])
        if message["op"] == "ask":
            wanted = {"k": message["k"], "filters": filters, "brief": message["brief"]}
            before = tuple(message["before"]) if message.get("before") else None
            stream = me.ask_stream(message["question"], **wanted, before=before)
            self._stream = message["id"], stream
            yield {"type": "evidence", "matches": [match_record(match) for match in stream.evidence]}
            if message["id"] in self._cancelled:
                stream.cancel()
            for piece in stream:
                yield {"type": "piece", "text": piece}
            yield {"type": "answer", "last": True, **answer_record(stream.answer)}
            return
        from secondme.trace import trace_of

        started = time.monotonic()
        found = me.search(message["question"], k=message["k"], filters=filters)
        trace = trace_of(me, message["question"], found, seconds=time.monotonic() - started)
        matches = [match_record(match) for match in found.matches]
        yield {"type": "found", "last": True, "matches": matches, "trace": trace}

    def _open(self) -> Assistant:
        """Return the memory of this thread, opened at the first request; it may have been made only now."""
        if self._me is None:
            from secondme.assistant import Assistant

            self._me = Assistant.open(create=False)
        return self._me


class Channel:
    """The way back to the daemon, which several threads write to."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, message: Message) -> None:
        """Write a message whole."""
        content = frames.pack(message)
        with self._lock:
            self._stream.write(content)
            self._stream.flush()


def _take_stdout() -> Channel:
    """Return the pipe to the daemon; what anything else prints goes to stderr, where it can do no harm."""
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return Channel(stream)


if __name__ == "__main__":
    sys.exit(main())
