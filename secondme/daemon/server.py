"""Answers clients: greets them, tells what the daemon does, and passes questions on to the process with the models."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Any

from secondme import frames
from secondme.daemon import wire
from secondme.daemon.status import status_of

if TYPE_CHECKING:
    from secondme.daemon.loop import Daemon

Message = dict[str, Any]

PASSED_ON = ("ask", "search")
"""What the process with the models does."""


class Server:
    """What a daemon says to each client."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it leaves."""
        inbox: asyncio.Queue[Message | None] = asyncio.Queue(maxsize=8)
        receiving = asyncio.create_task(_receive(reader, inbox))
        # A client that left while it was written to is nobody to be told.
        with contextlib.suppress(ConnectionError):
            if wire.peer_is_me(writer.get_extra_info("socket")):
                await self._serve(inbox, writer)
        receiving.cancel()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _serve(self, inbox: asyncio.Queue[Message | None], writer: asyncio.StreamWriter) -> None:
        while (message := await inbox.get()) is not None:
            op = message.get("op")
            if op not in PASSED_ON:
                await frames.send(writer, wire.reply(await self._answer(op, message)))
            elif not await self._pass_on(message, inbox, writer):
                return

    async def _answer(self, op: object, message: Message) -> Message:
        match op:
            case "hello":
                return await self._greet(message)
            case "status":
                return {"type": "status", **status_of(self._daemon)}
            case "wake":
                self._daemon.ingesting.wake()
                self._daemon.wake()
                return {"type": "done"}
            case "stop":
                self._daemon.end()
                return {"type": "done", "pid": os.getpid()}
        return {"type": "error", "kind": "UsageError", "message": f"there is no {str(op)[:40]!r}", "hint": ""}

    async def _greet(self, message: Message) -> Message:
        daemon, theirs = self._daemon, message.get("fingerprint")
        if theirs != wire.fingerprint(daemon.config, daemon.paths):
            # The settings may have been changed since they were read.
            await daemon.reload()
        fits = theirs == wire.fingerprint(daemon.config, daemon.paths)
        return {"type": "hello", "pid": os.getpid(), "fits": fits}

    async def _pass_on(
        self, message: Message, inbox: asyncio.Queue[Message | None], writer: asyncio.StreamWriter
    ) -> bool:
        """Have a question answered; return False when the client left before that, which ends the work on it."""
        op = message["op"]
        self._daemon.begin_request(op)
        answering = asyncio.create_task(self._relay(message, writer))
        # A client says nothing while it waits: what comes is that it has seen enough, or its end.
        leaving = asyncio.create_task(inbox.get())
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            if answering.done() and (error := answering.exception()):
                raise error
            return not leaving.done()
        finally:
            self._daemon.end_request(op)
            for task in (answering, leaving):
                task.cancel()
            await asyncio.wait((answering, leaving))

    async def _relay(self, message: Message, writer: asyncio.StreamWriter) -> None:
        async for reply in self._daemon.host.request(message):
            await frames.send(writer, wire.reply(reply))


async def _receive(reader: asyncio.StreamReader, inbox: asyncio.Queue[Message | None]) -> None:
    """Put what a client says into `inbox`, and None at its end or when it speaks something else."""
    with contextlib.suppress(ConnectionError, frames.BadFrame):
        while (message := await frames.receive(reader)) is not None:
            await inbox.put(message)
    await inbox.put(None)
