"""What the tests of forgetting share: a word of its own for every channel by which something of a note may stay."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from nights import exported, note, open_memory

from secondme.assistant import Assistant
from secondme.chat.talk import Talk
from secondme.clock import now
from secondme.exchange import import_lines
from secondme.ingest.sync import Sync
from secondme.records import Note
from secondme.store.chats import Cited
from secondme.store.connect import open_database
from secondme.store.copies import back_up, backups, note_copy, write_copy

CANARY = "zyzzogeton"
DAY = datetime(2024, 6, 1, tzinfo=UTC)


def word(channel: str) -> str:
    """The word of a channel."""
    return f"{CANARY}{channel}"


def planted(home: Path, folder: Path) -> Mapping[str, int]:
    """Put a word through every channel, forget the notes behind them, and return how often each was there before."""
    plant(home, folder)
    before = counted_in(home, folder / "usb")
    with open_memory(home) as me:
        done = me.forget([note.id for note in me.notes() if CANARY in note.text.casefold()])
        assert not done.left
        assert not [one for one in done.copies if one.became == "out of reach"]
    return before


def plant(home: Path, folder: Path) -> None:
    """Put a word through every channel."""
    with open_memory(home) as me:
        _notes(me)
        _files(me, folder)
        _conversation(me)
        me.sleep()
        _changes(me)
        (folder / "usb").mkdir()
        user = folder / "usb" / "mine.db"
        note_copy(me.store.db, user, now=now())
        write_copy(me.store.db, user)
        old = back_up(me.store.db, me.paths.database, "old", now=now())
        assert len(backups(me.paths.database)) == 2  # one of the night
    db = open_database(old, create=False)
    for table in ("tombstones", "releases", "copies", "chain"):
        db.conn.execute(f"drop table {table}")
    db.conn.execute("delete from _sqlite_migrations where name >= 'm005'")
    db.close()


def _notes(me: Assistant) -> None:
    """What is typed, imported, clipped and handed in, with facts that are replaced."""
    me.add(note(f"The typed {word('typed')} is in the cellar, behind a red door.", "2024-01-01"))
    me.add(note(f"I live in {word('superseded').title()}.", "2024-01-10"))
    me.add(note("I moved to Porto.", "2024-06-05"))
    me.add(note(f"My sister {word('edited').title()} keeps bees.", "2024-02-01"))
    me.add(note(f"My brother {word('rejected').title()} keeps goats.", "2024-02-02"))
    me.add(note(f"My cousin {word('pinned').title()} keeps geese.", "2024-02-03"))
    first = me.add(note(f"An earlier version with {word('version')}.", "2024-02-04", uri="diary:1"))
    me.add(note(f"A later one without it, but {CANARY}.", "2024-02-05", uri=first.uri))
    me.add(Note(f"Handed in by a program: {word('mcp')}.", origin="mcp", author="mcp:x", thread="mcp:x"))
    line = json.loads(exported(f"Said elsewhere: {word('import')}.", "2024-03-01", uri="elsewhere:1"))
    import_lines(me.store, [json.dumps(line)])


def _files(me: Assistant, folder: Path) -> None:
    secret = "AKIA" + "IOSFODNN7EXAMPLE"
    for kind, text in (("notes", f"{word('file')} with a key {secret}\n"), ("clips", f"clipped {word('clip')}\n")):
        place = folder / kind
        place.mkdir()
        (place / f"{kind}.md").write_text(text, encoding="utf-8")
        me.store.sources.add_folder(str(place), kind="clips" if kind == "clips" else "notes", deleted="keep", now=now())
    with Sync(me) as sync:
        for one in me.store.sources.folders():
            sync.rescan(one)
        while sync.work():
            pass


def _conversation(me: Assistant) -> None:
    """A conversation of which one message stays: said, asked with an answer from it, quoted, and named after it."""
    talk = Talk(me)
    said = talk.remember(f"The code of the old door downstairs is {word('chat')}, called {word('name')} by all.")
    talk.remember("Tea is in the cupboard.")
    assert talk.chat is not None
    with me.store.writing():
        asked = me.store.chats.add(talk.chat, "asked", "What is the code?", note=None, now=DAY)
        me.store.chats.answer(
            asked, f"It is {word('answer')} [1].", regime="retrieval", is_whole=True,
            sources=[(Cited(1, said.note, True), int(said.note[1:]))],
        )  # fmt: skip
        quoted = f'And "of the old door downstairs is {word("chat")}", {word("quoted")}?'
        me.store.chats.add(talk.chat, "asked", quoted, note=None, now=DAY)
        me.store.chats.rename(talk.chat, word("name"))


def _changes(me: Assistant) -> None:
    """What the user did about the facts."""
    facts = {name: fact for name in ("edited", "rejected", "pinned") for fact in me.store.facts.all() if word(name) in
             fact.text.casefold()}  # fmt: skip
    me.edit(facts["edited"].id, f"{word('edited').title()}, my sister, has {word('reworded')} bees.")
    me.pin(facts["pinned"].id)
    [change] = [one for one in me.store.journal.changes() if one.fact == facts["rejected"].id]
    me.reject(change.id)
    assert [fact for fact in me.store.facts.all() if word("superseded") in fact.text.casefold() and fact.retired_at]


CHANNELS = (
    "typed", "superseded", "edited", "reworded", "rejected", "pinned", "version", "mcp", "import", "file", "clip",
    "chat", "answer", "quoted", "name",
)  # fmt: skip


def counted_in(*folders: Path) -> Counter[str]:
    """How often the word of each channel is in the bytes of the files in these folders, in either case."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    found = Counter({f"{channel}": 0 for channel in CHANNELS})
    for path in files:
        data = path.read_bytes().lower()
        for channel in CHANNELS:
            found[channel] += data.count(word(channel).encode())
        for place, belongs in (
            ("in copies of the memory", "backups" in path.parts or "usb" in path.parts),
            ("in the database and its log", path.name.startswith("memory.db")),
            ("in logs and state", "state" in path.parts),
        ):
            found[place] += data.count(CANARY.encode()) if belongs else 0
    return found
