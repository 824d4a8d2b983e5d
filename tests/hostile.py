"""A memory whose every text would steer a terminal, and what must never reach one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from nights import day, note, open_memory

from secondme.assistant import Assistant
from secondme.store.sources import File

CODES = (
    "\x1b]52;c;ZXZpbA==\x07\x1b[31m\x9b1m\x9d0;x\x9c\x1bPq#0\x1b\\\x1b]8;;http://x\x1b\\\x1b[2J\x1b[?1049l\x1bc"
    "\x08\x0c\r\x7f\x85\u202e\u2066\u200b\ufeff\U000e0041[/x] [bold]y[/] [@click=app.quit]z[/]\x1b]0;unended"
)
"""OSC, CSI, DCS in both forms, C0, C1, overrides, tags, markup, and a string that never ends."""
_SIZE = len(CODES.encode())
HOSTILE = "Evil" + "x" * (_SIZE - 4)
"""Stands for the codes until all is stored: a word of as many bytes, so that places in texts stay right."""

FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f\ud800-\udfff]"
)


def hostile_memory(home: Path, folder: Path) -> None:
    """Make a memory with notes, facts, refusals, conversations, folders and files, all of them hostile."""
    with open_memory(home) as me:
        me.add_many(
            [
                note(f"I live in Lisbon. {HOSTILE}", "2024-01-10", uri=f"diary:{HOSTILE}", thread=HOSTILE),
                note(f"My sister is called {HOSTILE}.", "2024-01-11", uri="diary:2"),
                note(f"I like {HOSTILE} very much.", "2024-01-12", uri="diary:3"),
                note(f"I live in {HOSTILE}.", "2024-02-12", uri="diary:4"),
                note(f"# {HOSTILE}\n\nNora keeps bees.", "2024-01-12", uri=f"/n/{HOSTILE}.md", origin="file"),
                note(f"I hate {HOSTILE}.", "2024-01-13", uri="boat:1", author=HOSTILE, origin="import"),
                note(f"I am a {HOSTILE}.", "2024-01-13", uri="/n/b.md", origin="file"),
            ]
        )
        me.sleep()
        _conversation(me)
        me.store.sources.add_folder(f"{folder}/{HOSTILE}", kind="notes", deleted="keep", now=day("2024-03-01"))
        _file(me, folder)
        _make_hostile(me)
        me.reindex()


def _conversation(me: Assistant) -> None:
    moment = datetime(2024, 3, 1, tzinfo=UTC)
    with me.store.writing():
        chat = me.store.chats.begin(now=moment)
        turn = me.store.chats.add(chat, "asked", f"Where is {HOSTILE}?", note=None, now=moment)
        me.store.chats.answer(turn, f"In {HOSTILE} [1].", regime="none", is_whole=True, sources=[])
        me.store.chats.rename(chat, HOSTILE)


def _file(me: Assistant, folder: Path) -> None:
    [found] = me.store.sources.folders()
    with me.store.writing():
        for state in ("present", "skipped", "quarantined"):
            me.store.sources.save(File(f"{folder}/{HOSTILE}{state}.md", found.id, 1, 1, 1, "", state, HOSTILE), None)
        me.store.sources.pause(found.id, HOSTILE)


def _make_hostile(me: Assistant) -> None:
    """Put the codes into every text of every table, past all that cleans."""
    db = me.store.db.conn
    tables = db.execute("select name from sqlite_master where type = 'table' and sql not like 'create virtual%'")
    texts: dict[str, list[str]] = {}
    changed: set[str] = set()
    for (table,) in tables.fetchall():
        columns = db.execute("select name from pragma_table_info(?) where type like 'text%'", (table,)).fetchall()
        texts[table] = [name for (name,) in columns]
    for table, columns in texts.items():
        for column in columns:
            found = db.execute(
                f'update "{table}" set "{column}" = replace("{column}", ?1, ?2) where instr("{column}", ?1)',
                (HOSTILE, CODES),
            )
            if found.rowcount > 0:
                changed.add(f"{table}.{column}")
    assert {"notes.text", "notes.uri", "notes.thread", "notes.author", "memories.text", "turns.answer"} <= changed
    assert {"chats.name", "files.path", "files.why", "passages.text", "passages.label"} <= changed


def steering(text: str) -> list[str]:
    """Return what in a text would do more than be read, each with what is around it."""
    return [ascii(text[max(0, at.start() - 20) : at.end() + 20]) for at in FORBIDDEN.finditer(text)]
