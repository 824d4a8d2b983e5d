"""The way to the daemon from a command: connect, ask, and read what comes, or find that there is none."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from secondme import errors, frames
from secondme.daemon import wire
from secondme.errors import NoDaemon, SecondmeError
from secondme.frames import Message
from secondme.keys import handed
from secondme.locks import daemon_of

if TYPE_CHECKING:
    from types import TracebackType

    from secondme.config import Config
    from secondme.paths import Paths

BEGIN_SECONDS = 5.0
"""A daemon that does not greet within this is of no help."""


class Client:
    """A connection to the daemon."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rb")

    def close(self) -> None:
        """Leave, which ends what the daemon does for this client."""
        self._stream.close()
        self._connection.close()

    def leave(self) -> None:
        """Leave while another thread waits for an answer: it is told that the daemon is gone."""
        with contextlib.suppress(OSError):  # it may have been closed in this very moment
            self._connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Client:
        """Return the open connection."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""
        self.close()

    def stream(self, op: str, **fields: Any) -> Iterator[Message]:
        """Yield what the daemon answers, for ever; raises NoDaemon where it is gone, and the errors it tells."""
        self._send({"op": op, **fields})
        while True:
            yield self._receive()

    def call(self, op: str, **fields: Any) -> Message:
        """Return the one answer of the daemon; raises as `stream`."""
        return next(self.stream(op, **fields))

    def patient(self) -> None:
        """Wait for answers as long as they take."""
        self._connection.settimeout(None)

    def _send(self, message: Message) -> None:
        try:
            self._connection.sendall(frames.pack(message))
        except OSError as error:
            raise _gone() from error

    def _receive(self) -> Message:
        try:
            message = frames.read(self._stream)
        except (OSError, frames.BadFrame) as error:
            raise _gone() from error
        if message is None:
            raise _gone()
        if message.get("type") == "error":
            raise _error_in(message)
        return message


def connect(paths: Paths, config: Config) -> Client | None:
    """Return a connection to a daemon that would do just what this process would; None where there is none."""
    client = _greet(paths, wire.fingerprint(config, paths))
    if client is None:
        return None
    greeting, connection = client
    if greeting.get("protocol") == wire.PROTOCOL and greeting.get("fits"):
        connection.patient()
        return connection
    connection.close()
    return None


def call_any(paths: Paths, op: str) -> Message:
    """Return what the daemon of this memory says to `op`, whatever its settings; raises NoDaemon."""
    found = _greet(paths, "")
    if found is None:
        if owner := daemon_of(paths):
            raise NoDaemon(f"the daemon does not answer ({owner})", hint="try again; or end that process")
        raise NoDaemon("no daemon runs over this memory", hint="secondme daemon start")
    greeting, client = found
    with client:
        return greeting if op == "hello" else client.call(op)


def start_daemon() -> None:
    """Start a daemon that outlives this process, with the key it knows; where one is starting, the later one ends."""
    command = (sys.executable, "-P", "-m", "secondme", "daemon", "run", "--key-from-stdin")
    # The shell between them has ended at once, so that whoever starts a daemon is not the one who has to bury it.
    subprocess.run(
        # What is started with & has no stdin, unless it is given one by another number.
        ["/bin/sh", "-c", 'exec 3<&0; "$@" <&3 3<&- &', "sh", *command],
        check=True,
        input=handed(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
        env={**os.environ, "PYTHONSAFEPATH": "1"},
    )


def _greet(paths: Paths, fingerprint: str) -> tuple[Message, Client] | None:
    path = wire.socket_path(paths)
    connection = wire.connect(path) if path.exists() else None
    if connection is None:
        return None
    if not wire.peer_is_me(connection):
        connection.close()
        return None
    connection.settimeout(BEGIN_SECONDS)
    client = Client(connection)
    try:
        return client.call("hello", protocol=wire.PROTOCOL, fingerprint=fingerprint), client
    except SecondmeError:
        client.close()
        return None


def _gone() -> NoDaemon:
    return NoDaemon("the daemon is gone", hint="ask again; secondme daemon logs")


def _error_in(message: Mapping[str, Any]) -> SecondmeError:
    """Return the error a daemon tells of, as if it had happened here."""
    kind = getattr(errors, str(message.get("kind")), NoDaemon)
    is_known = isinstance(kind, type) and issubclass(kind, SecondmeError)
    found: SecondmeError = (kind if is_known else NoDaemon)(str(message.get("message")), hint=str(message.get("hint")))
    return found
