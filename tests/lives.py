"""A memory that lived: nights, marks of the user, a conversation, a folder, something forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

from nights import note

from secondme.assistant import Assistant
from secondme.store.chats import Cited

NOW = datetime(2024, 9, 1, 8, tzinfo=UTC)


def live(me: Assistant) -> None:
    """Fill a memory with some of everything."""
    me.add_many([note("Something that goes. I live in Faro.", "2023-01-01", uri="gone")])
    me.add_many(
        [
            note("I live in Lisbon. My sister Nora keeps bees. Ça va – some chatter.", "2024-01-10"),
            note("I went to the gym. I went to the gym.", "2024-02-01"),
            note("My favourite colour is green. My favourite colour is blue.", "2024-06-11"),
        ]
    )
    me.sleep()
    me.add_many([note("I moved to Porto.\nI bought a green bicycle.", "2024-06-10", uri="/own/a", origin="file")])
    me.add_many([note("I prefer tea in all things.", "2024-06-12", uri="clip:1", origin="clip")])
    me.sleep()
    me.store.forget([1], dry_run=False)
    mark(me)


def mark(me: Assistant) -> None:
    """What the user does besides."""
    store, day = me.store, "2024-09-01T08:00:00Z"
    with store.writing():
        store.pins.pin("n2")
        store.pins.pin(store.facts.all()[0].id)
        store.db.conn.execute("insert into releases select id, ? from notes where origin = 'clip'", (day,))
        chat = store.chats.begin(now=NOW)
        turn = store.chats.add(chat, "asked", "where do I live", note=None, now=NOW)
        store.chats.answer(
            turn, "In Porto [1].", regime="retrieval", is_whole=True, sources=[(Cited(1, "n2", True), 2)]
        )
        store.chats.add(chat, "said", "I went to the gym.", note=3, now=NOW)
        store.chats.rename(chat, "homes")
        store.db.conn.execute("insert or replace into meta values ('salt', ?)", ("ab" * 32,))
        store.db.conn.execute("insert into tombstones values (?, ?)", ("cd" * 32, day))
    store.sources.add_folder("/own", kind="own", deleted="keep", now=NOW)
