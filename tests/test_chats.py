"""Conversations in the store: what is kept of them, how they are found, and what is left when they are deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from secondme.errors import NotFound
from secondme.records import Note
from secondme.store.chats import Cited
from secondme.store.schema import migrations
from secondme.store.store import Store

DAY = datetime(2024, 6, 1, 12, tzinfo=UTC)
CANARY = "zanzibarquokka"


@pytest.fixture
def store(own_home: Path) -> Iterator[Store]:
    """An empty memory."""
    with Store(own_home / "memory.db") as opened:
        yield opened


def chat(store: Store, *said: str, at: datetime = DAY) -> int:
    """A conversation in which these texts were said, a minute each."""
    with store.writing():
        number = store.chats.begin(now=at)
        for minute, text in enumerate(said):
            store.chats.add(number, "said", text, note=None, now=at + timedelta(minutes=minute))
    return number


def note(store: Store, text: str) -> int:
    [(number, _)] = store.add_notes([(Note(text, uri=text, thread=text, happened_at=DAY), [])], now=DAY)
    return number


def keep(store: Store, turn: int, text: str, *notes: int) -> None:
    with store.writing():
        sources = [(Cited(place, f"n{number}", True), number) for place, number in enumerate(notes, 1)]
        store.chats.answer(turn, text, regime="retrieval", is_whole=True, sources=sources)


def names(store: Store, words: str = "") -> list[str]:
    return [one.name for one in store.chats.list(words)]


def test_a_memory_of_before_gets_its_tables(store: Store) -> None:
    assert [migration.name for migration in migrations._migrations][3] == "m004_chats"
    found = {row[0] for row in store.db.conn.execute("select name from sqlite_master where type = 'table'")}
    assert {"chats", "turns", "turn_sources", "pinned_notes", "pinned_facts"} <= found


def test_a_conversation_is_named_by_its_first_words(store: Store) -> None:
    number = chat(store, f"tea\nand\tcake {'x' * 100}", "more")
    found = store.chats.get(number)
    assert (found.name, found.turns) == (f"tea and cake {'x' * 67}", 2)
    assert (found.started_at, found.last_at) == (DAY, DAY + timedelta(minutes=1))


def test_a_conversation_without_words_has_no_name(store: Store) -> None:
    assert (store.chats.get(chat(store)).name, store.chats.get(1).last_at) == ("", DAY)


def test_a_name_that_was_given_is_the_name(store: Store) -> None:
    number = chat(store, "tea")
    with store.writing():
        store.chats.rename(number, "Cake")
    assert names(store) == ["Cake"]


def test_the_latest_conversation_comes_first(store: Store) -> None:
    first, _ = chat(store, "one"), chat(store, "two")
    assert names(store) == ["two", "one"]
    with store.writing():
        store.chats.add(first, "said", "three", note=None, now=DAY)
    assert names(store) == ["one", "two"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["École d'été", "bees in Porto"]),
        ("porto", ["bees in Porto"]),
        ("PORTO bees", ["bees in Porto"]),
        ("porto honey", ["bees in Porto"]),
        ("porto école", []),
        ("école", ["École d'été"]),
        ("ÉTÉ", ["École d'été"]),
        ("%", []),
        ("_", []),
        ("'", ["École d'été"]),
        ("  ", ["École d'été", "bees in Porto"]),
    ],
)
def test_conversations_are_found_by_all_of_some_words(store: Store, words: str, found: list[str]) -> None:
    number = chat(store, "bees in Porto")
    with store.writing():
        turn = store.chats.add(number, "asked", "and?", note=None, now=DAY)
    keep(store, turn, "They make Honey.")
    chat(store, "École d'été")
    assert names(store, words) == found


def test_a_name_is_searched_too(store: Store) -> None:
    number = chat(store, "tea")
    with store.writing():
        store.chats.rename(number, "Straße")
    assert names(store, "STRASSE") == ["Straße"]


@pytest.mark.parametrize("number", [0, -1, 7, 2**63, 2**200])
def test_what_is_no_conversation_is_not_found(store: Store, number: int) -> None:
    chat(store, "tea")
    with pytest.raises(NotFound, match=f"no conversation {number}"):
        store.chats.get(number)


def test_what_was_said_is_remembered_once_each_the_latest_last(store: Store) -> None:
    chat(store, "tea", "cake", "tea", "", "bread")
    assert store.chats.said(10) == ["cake", "tea", "bread"]
    assert store.chats.said(2) == ["tea", "bread"]


def test_an_answer_stands_at_its_turn_with_its_sources_in_order(store: Store) -> None:
    number, first, second = chat(store), note(store, "one"), note(store, "two")
    with store.writing():
        turn = store.chats.add(number, "asked", "which?", note=None, now=DAY)
    keep(store, turn, "Two [1], one [2].", second, first)
    [found] = store.chats.turns(number)
    assert (found.answer, found.regime, found.is_whole) == ("Two [1], one [2].", "retrieval", True)
    assert [(one.number, one.id) for one in found.sources] == [(1, f"n{second}"), (2, f"n{first}")]
    assert store.chats.drawn_from(turn) == ["n1", "n2"]


def test_an_answer_is_not_kept_where_a_note_behind_it_is_gone(store: Store) -> None:
    number, gone = chat(store, "tea"), note(store, "one")
    store.forget([gone], dry_run=False)
    keep(store, 1, "One [1].", gone)
    assert store.chats.turns(number)[0].answer == ""


def test_an_answer_is_not_kept_where_its_turn_is_gone(store: Store) -> None:
    number = chat(store, "tea")
    with store.writing():
        store.chats.delete(number)
    keep(store, 1, "One.")
    assert store.db.conn.execute("select count(*) from turns").fetchone() == (0,)


def test_a_gap_lasts_until_its_end(store: Store) -> None:
    number = chat(store, "tea")
    for kind, is_paused in (("off", True), ("on", False), ("off", True)):
        with store.writing():
            store.chats.add(number, "off" if kind == "off" else "on", "", note=None, now=DAY)
        assert store.chats.is_paused(number) == is_paused


def test_a_deleted_conversation_leaves_its_notes_and_no_byte_of_its_words(store: Store, own_home: Path) -> None:
    kept = note(store, "tea")
    number, other = chat(store, f"about {CANARY}"), chat(store, "cake")
    with store.writing():
        store.chats.rename(number, f"{CANARY} again")
        turn = store.chats.add(number, "asked", "what?", note=kept, now=DAY)
    keep(store, turn, f"It is {CANARY} [1].", kept)
    with store.writing():
        store.chats.delete(number)
    store.checkpoint()
    assert [one.id for one in store.chats.list()] == [other]
    assert store.note(kept)
    assert store.db.conn.execute("select count(*) from turn_sources").fetchone() == (0,)
    files = [path for path in own_home.rglob("*") if path.is_file()]
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


def test_the_number_of_a_deleted_conversation_is_never_another_one(store: Store) -> None:
    number = chat(store, "tea")
    with store.writing():
        store.chats.delete(number)
    assert not store.chats.is_there(number)
    assert chat(store, "cake") != number


def test_forgetting_counts_the_turns_that_said_it_or_were_answered_from_it(store: Store) -> None:
    one, two = note(store, "one"), note(store, "two")
    number = chat(store, "unrelated")
    with store.writing():
        store.chats.add(number, "said", "one", note=one, now=DAY)
        asked = store.chats.add(number, "asked", "which?", note=None, now=DAY)
        both = store.chats.add(number, "asked", "two, and which?", note=two, now=DAY)
    keep(store, asked, "One and two [1][2].", one, two)
    keep(store, both, "One [1].", one)
    assert store.forget([two], dry_run=True).turns == 2
    assert store.forget([one], dry_run=False).turns == 3
    assert [turn.text for turn in store.chats.turns(number)] == ["unrelated"]
    assert store.note(two)


def test_forgetting_an_item_removes_turns_of_its_earlier_versions_too(store: Store) -> None:
    first = note(store, "one")
    [(second, _)] = store.add_notes([(Note("other", uri="one", thread="one", happened_at=DAY), [])], now=DAY)
    number = chat(store, "unrelated")
    with store.writing():
        store.chats.add(number, "said", "one", note=first, now=DAY)
    assert store.forget([second], dry_run=False).turns == 1
    assert [turn.text for turn in store.chats.turns(number)] == ["unrelated"]
