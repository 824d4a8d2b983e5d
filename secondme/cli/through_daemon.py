"""Questions put to the daemon, which has the models at hand, where one runs that would answer as this process does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from secondme.config import load_config
from secondme.errors import NoDaemon
from secondme.paths import find_paths
from secondme.records import Answer, Filters, Match

if TYPE_CHECKING:
    from secondme.daemon.client import Client


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


def ask(question: str, *, k: int | None, filters: Filters, brief: bool) -> DaemonStream | None:
    """Return the answer on its way, None where no daemon can give one. Raises what asking raises."""
    client = _client()
    if client is None:
        return None
    try:
        return DaemonStream(client, question, k=k, filters=filters, brief=brief)
    except NoDaemon:
        client.close()
        return None


class DaemonStream:
    """An answer that the daemon gives."""

    def __init__(self, client: Client, question: str, *, k: int | None, filters: Filters, brief: bool) -> None:
        """Ask, and wait for the evidence."""
        from secondme.daemon.records import filters_record, match_from

        self._client = client
        self._messages = client.stream("ask", question=question, k=k, filters=filters_record(filters), brief=brief)
        self.evidence = [match_from(match) for match in next(self._messages)["matches"]]
        self._answer: Answer | None = None

    def __iter__(self) -> Iterator[str]:
        """Yield the text piece by piece; raises NoModel where a model is needed, and NoDaemon."""
        from secondme.daemon.records import answer_from

        for message in self._messages:
            if message["type"] == "answer":
                self._answer = answer_from(message)
                return
            yield message["text"]

    @property
    def answer(self) -> Answer:
        """The whole answer."""
        assert self._answer is not None, "the answer is not complete: iterate over the stream first"
        return self._answer

    def close(self) -> None:
        """Leave, which stops the work on the answer at the next token."""
        self._client.close()


def _client() -> Client | None:
    """Return a connection to a daemon that fits; where there is none and one is wanted, it is started for the next."""
    from secondme.daemon.client import connect, start_daemon

    paths = find_paths()
    config = load_config(paths.config)
    client = connect(paths, config)
    if client is None and config.daemon.autostart and paths.database.exists():
        start_daemon()
    return client
