"""What the tests of sleep share: a memory with the fake models, and what is stored, as text that can be compared."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fakes import FakePlugin

from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig, SleepConfig, TrustConfig
from secondme.plugins import load_plugins
from secondme.records import Fact, Note, Origin
from secondme.store.connect import open_database
from secondme.store.tables import NOTES

MODELS = ModelsConfig("scripted", "hashing")
OWN = "/own"
"""A folder in which the user alone writes."""

TABLES = ("memories", "evidence", "conflicts", "memory_tokens", "rejections", "digested")


def open_memory(home: Path, plugin: FakePlugin | None = None, *, extractor: str = "select") -> Assistant:
    """A memory with the fake models, in which a night may change as many earlier facts as it likes."""
    plugins = load_plugins(installed=False)
    plugins.register(plugin or FakePlugin(), "fake")
    return Assistant.open(
        home, config=Config(models=MODELS, sleep=SleepConfig(extractor), trust=TrustConfig(own=(OWN,))), plugins=plugins
    )


def day(text: str) -> datetime:
    """Noon of an ISO day."""
    return datetime.fromisoformat(f"{text}T12:00").replace(tzinfo=UTC)


def note(text: str, on: str, *, uri: str = "", author: str = "", origin: Origin = "typed", thread: str = "") -> Note:
    """A note of a day."""
    return Note(text, uri=uri, author=author, origin=origin, happened_at=day(on), thread=thread)


def exported(text: str, on: str, *, uri: str, author: str = "me") -> str:
    """A line of an export with what somebody, by default the user, said in the chat on a day."""
    moment = f"{on}T12:00:00Z"
    named = {"uri": uri, "thread": uri, "author": author, "title": "", "origin": "chat", "replaced_at": None}
    return json.dumps({"v": 1, "type": "note", **named, "text": text, "happened_at": moment, "added_at": moment})


def texts(facts: Iterable[Fact]) -> list[str]:
    """The texts of facts, in order."""
    return [fact.text for fact in facts]


def spans(facts: Iterable[Fact]) -> list[tuple[str, str, str]]:
    """(value, first day, day of the end) of each fact; "" where it is open."""
    return [(fact.value, _date(fact.valid_from), _date(fact.valid_to)) for fact in facts]


def _date(moment: datetime | None) -> str:
    return str(moment.date()) if moment else ""


def tables(me: Assistant, *names: str) -> dict[str, list[Any]]:
    """All rows of tables about facts, and what the word index holds of them."""
    db = me.store.db.conn
    found = {name: db.execute(f"select * from {name} order by 1, 2").fetchall() for name in names or TABLES}
    # Raises where the index and the texts differ.
    db.execute("insert into memory_words (memory_words, rank) values ('integrity-check', 1)")
    db.execute("create virtual table if not exists temp.memory_terms using fts5vocab (main, memory_words, 'instance')")
    found["words"] = db.execute("select term, doc, offset from temp.memory_terms order by 1, 2, 3").fetchall()
    return found


def content(me: Assistant) -> str:
    """What facts and decisions are stored, without the numbers of runs: the same for two ways to the same content."""
    found = tables(me, "memories", "evidence", "conflicts", "memory_tokens")
    db = me.store.db.conn
    found["rejections"] = db.execute(
        "select note_id, byte_start, byte_end, quote_hash, text, reason from rejections order by 1, 2, 5"
    ).fetchall()
    found["digested"] = db.execute("select passage_id from digested order by 1").fetchall()
    found["changes"] = db.execute("select verb, memory_id, reason, operations from changes order by id").fetchall()
    return json.dumps(found, default=bytes.hex, indent=1)


def process(code: str, *arguments: object, now: str = "") -> subprocess.CompletedProcess[str]:
    """What a Python process that ran `code` left behind."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)} | ({"SECONDME_NOW": now} if now else {})
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env=environ, text=True, check=False, timeout=60)


@contextmanager
def killed_after(work: Callable[[], None]) -> Iterator[int]:
    """Let a process of its own do some work for as long as this lasts, and kill it then, wherever it is."""
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(1)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "it ended by itself"


def old_memory(path: Path) -> None:
    """A memory as the version before facts wrote it, with two notes."""
    db = open_database(path, create=True)
    for statement in NOTES:
        db.conn.execute(statement)
    db.conn.execute(
        "create table _sqlite_migrations (id integer primary key, migration_set text, name text, applied_at text)"
    )
    db.conn.execute("create unique index migrations_named on _sqlite_migrations (migration_set, name)")
    row = ("secondme", "m001_notes", "2024-01-01")
    db.conn.execute("insert into _sqlite_migrations (migration_set, name, applied_at) values (?, ?, ?)", row)
    for number, text in enumerate(("I live in Lisbon.", "My sister Nora keeps bees."), 1):
        db.conn.execute(
            """insert into notes (uri, digest, title, text, thread, author, origin, happened_at, added_at)
               values (?, ?, '', ?, 't', 'me', 'typed', '2024-01-10T12:00:00Z', '2024-01-10T12:00:00Z')""",
            (f"note:{number}", hashlib.sha256(text.encode()).hexdigest(), text),
        )
        db.conn.execute(
            """insert into passages
                   (note_id, position, byte_start, byte_end, line_start, line_end, heading, label, text)
               values (?, 0, 0, ?, 1, 1, '', 'me', ?)""",
            (number, len(text), text),
        )
    db.close()
