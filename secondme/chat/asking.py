"""Questions, answered by the daemon, which has the models at hand, where one runs that would answer as we do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from secondme.config import load_config
from secondme.errors import NoDaemon
from secondme.paths import find_paths
from secondme.records import Answer, Filters, Match

if TYPE_CHECKING:
    from secondme.daemon.client import Client


class Stream(Protocol):
    """An answer on its way, from this process or from the daemon."""

    @property
    def evidence(self) -> Sequence[Match]:
        """What the answer is drawn from."""

    @property
    def answer(self) -> Answer:
        """The whole answer, or what came before `close`."""

    def __iter__(self) -> Iterator[str]:
        """Yield the text piece by piece."""

    def cancel(self) -> None:
        """Have the iteration end at the next token, from any thread."""

    def close(self) -> None:
        """Stop at the next token."""


def search(question: str, *, k: int, filters: Filters) -> tuple[list[Match], dict[str, Any]] | None:
    """Return the matches and the trace, None where no daemon can tell. Raises what the search raises."""
    from secondme.daemon.records import filters_record, match_from

    client = _client()
    if client is None:
        return None
    with client:
        try:
            found = client.call("search", question=question, k=k, filters=filters_record(filters))
        except NoDaemon:
            return None  # nothing was shown yet: this process finds it as well
    return [match_from(match) for match in found["matches"]], found["trace"]


def ask(
    question: str,
    *,
    k: int | None = None,
    filters: Filters | None = None,
    brief: bool = False,
    before: tuple[str, str] | None = None,
) -> DaemonStream | None:
    """Return the answer on its way, None where no daemon can give one. Raises what asking raises."""
    from secondme.daemon.records import filters_record

    client = _client()
    if client is None:
        return None
    fields = {"filters": filters_record(filters or Filters()), "before": before}
    try:
        return DaemonStream(client, question=question, k=k, brief=brief, **fields)
    except NoDaemon:
        client.close()
        return None
    except BaseException:
        client.close()
        raise


class DaemonStream:
    """An answer that the daemon gives."""

    def __init__(self, client: Client, **fields: Any) -> None:
        """Ask, and wait for the evidence."""
        from secondme.daemon.records import match_from

        self._client = client
        self._messages = client.stream("ask", **fields)
        self.evidence = [match_from(match) for match in next(self._messages)["matches"]]
        self._answer: Answer | None = None
        self._is_cancelled = False

    def __iter__(self) -> Iterator[str]:
        """Yield the text piece by piece; raises NoModel where a model is needed, and NoDaemon."""
        from secondme.daemon.records import answer_from

        try:
            for message in self._messages:
                if message["type"] == "answer":
                    self._answer = answer_from(message)
                    return
                yield message["text"]
        except NoDaemon:
            if not self._is_cancelled:
                raise

    @property
    def answer(self) -> Answer:
        """The whole answer."""
        if self._answer is None:
            raise RuntimeError("the answer is not complete: iterate over the stream first")
        return self._answer

    def cancel(self) -> None:
        """Leave, which stops the work on the answer at the next token and ends the iteration."""
        self._is_cancelled = True
        self._client.leave()

    def close(self) -> None:
        """Leave, which stops the work on the answer at the next token."""
        self._client.close()


def _client() -> Client | None:
    """Return a connection to a daemon that fits; where there is none and one is wanted, it is started for the next."""
    from secondme.daemon.client import connect, start_daemon
    from secondme.keys import unlock

    paths = find_paths()
    config = load_config(paths.config)
    client = connect(paths, config)
    if client is None and config.daemon.autostart and paths.database.exists():
        unlock(paths, config)
        start_daemon()
    return client
