"""What a new fact does to those there are, through the real store: whom it meets, who is trusted, what is written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from fakes import FakePlugin
from nights import day, note, open_memory, spans, texts

from secondme.assistant import Assistant
from secondme.records import Note, Origin, Trust
from secondme.sleep.consolidate import decide
from secondme.sleep.settle import known_of, marked_by, neighbours, trust_of
from secondme.sleep.verdicts import Conflict, Keep, Merge, Repeat, Supersede

LISBON = note("I live in Lisbon.", "2024-01-10")
PORTO = note("I moved to Porto.", "2024-06-10")
BRAGA = note("Until last December I lived in Braga.", "2024-07-10")
FARO = note("I moved to Faro.", "2024-08-10")


@pytest.fixture
def me(own_home: Path, scripted: FakePlugin) -> Iterator[Assistant]:
    """An empty memory with the fake models."""
    with open_memory(own_home, scripted) as opened:
        yield opened


def homes(me: Assistant) -> list[tuple[str, str, str]]:
    """Where I lived, from when to when, in the order of time."""
    found = [fact for fact in me.store.facts.all() if fact.attribute == "lives in"]
    return spans(me.history(found[0].id))


@pytest.mark.parametrize("order", [*permutations([LISBON, PORTO, BRAGA])])
@pytest.mark.parametrize("nightly", [True, False])
def test_in_whatever_order_homes_are_told_the_history_is_the_same(
    me: Assistant, order: tuple[Note, ...], nightly: bool
) -> None:
    for one in order:
        me.add(one)
        if nightly:
            me.sleep()
    me.sleep()
    assert homes(me) == [
        ("Braga", "", "2024-01-01"),
        ("Lisbon", "2024-01-10", "2024-06-10"),
        ("Porto", "2024-06-10", ""),
    ]
    for moment, home in (("2023-06-01", ["Braga"]), ("2024-03-01", ["Lisbon"]), ("2024-12-01", ["Porto"])):
        assert [fact.value for fact in me.current_facts(as_of=day(moment))] == home
    assert [fact.value for fact in me.current_facts()] == ["Porto"]


@pytest.mark.parametrize("order", [*permutations([LISBON, PORTO, FARO])])
def test_three_homes_follow_each_other_in_whatever_order_they_are_told(me: Assistant, order: tuple[Note, ...]) -> None:
    for one in order:
        me.add(one)
        me.sleep()
    expected = [
        ("Lisbon", "2024-01-10", "2024-06-10"),
        ("Porto", "2024-06-10", "2024-08-10"),
        ("Faro", "2024-08-10", ""),
    ]
    assert homes(me) == expected


@pytest.mark.parametrize("texts_", [*permutations(["I live in Lisbon.", "I live in Porto."])])
def test_two_facts_of_one_moment_that_exclude_each_other_both_stand(me: Assistant, texts_: tuple[str, str]) -> None:
    me.add_many(note(text, "2024-01-10") for text in texts_)
    report = me.sleep()
    assert report.changes == {"keep": 1, "conflict": 1}
    first, second = me.current_facts()
    assert texts((first, second)) == list(texts_)
    assert (first.conflicts, second.conflicts) == ((second.id,), (first.id,))
    assert (first.retired_at, second.retired_at) == (None, None)
    # Only one line of the journal and one pair, however often it is slept.
    me.sleep()
    assert me.store.db.conn.execute("select * from conflicts").fetchall() == [(1, 2)]


@pytest.mark.parametrize("origin", ["file", "import"])
@pytest.mark.parametrize("on", ["2023-01-01", "2024-01-10", "2024-05-01"])
def test_what_is_typed_is_never_overruled_by_files(me: Assistant, origin: Origin, on: str) -> None:
    me.add(LISBON)
    me.sleep()
    me.add(note("I live in Porto.", on, uri="home.md", origin=origin, author="me" if origin == "import" else ""))
    report = me.sleep()
    typed = me.facts(["m1"])[0]
    assert (typed.retired_at, typed.valid_to) == (None, None)
    assert "supersede" not in report.changes or on < "2024-01-10"


def test_what_is_typed_overrules_a_file(me: Assistant) -> None:
    me.add(note("The server runs on port 8080.", "2024-01-10", uri="home.md", origin="file"))
    me.sleep()
    me.add(note("The server now runs on port 9090.", "2024-06-10"))
    assert me.sleep().changes == {"supersede": 1}
    assert [(fact.value, fact.trust) for fact in me.store.facts.all()] == [("8080", "quoted"), ("9090", "own")]


@pytest.mark.parametrize("origin", ["clip", "mcp", "derived"])
def test_of_what_was_not_said_by_anybody_nothing_is_learned(me: Assistant, origin: Origin) -> None:
    me.add(note("I live in Lisbon. My sister Nora keeps bees.", "2024-01-10", origin=origin))
    assert me.store.digestion.waiting() == 0
    assert (me.sleep().run, me.store.facts.all()) == ("", [])


@pytest.mark.parametrize("author", ["assistant", "AI", "ChatGPT", "Claude", "gpt-4o", "Copilot", "system", "tool"])
@pytest.mark.parametrize("origin", ["chat", "import", "typed"])
def test_of_what_an_assistant_said_nothing_is_learned(me: Assistant, author: str, origin: Origin) -> None:
    me.add(note("You live in Lisbon. Nora keeps bees.", "2024-01-10", author=author, origin=origin))
    report = me.sleep()
    assert (report.passages, report.waiting, report.calls) == (1, 0, 0)
    assert me.store.facts.all() == []
    assert report.rejected == {"said by an assistant": 2}


@pytest.mark.parametrize(
    ("zone", "author", "trust"),
    [
        ("own", "me", 3),
        ("own", "", 3),
        ("own", "Ana", 2),
        ("quoted", "", 1),
        ("quoted", "me", 1),
        ("quoted", "Ana", 1),
    ],
)
def test_ones_own_words_are_trusted_most_and_quoted_ones_least(zone: Trust, author: str, trust: int) -> None:
    assert trust_of(zone, author, me="me") == trust


def test_others_that_share_words_are_neighbours_and_what_shares_none_is_not(me: Assistant) -> None:
    me.add_many(
        [
            note("My sister Nora keeps bees.", "2024-01-01"),
            note("The harbour museum has a new clock.", "2024-01-02"),
            note("My sister Nora has a boat.", "2024-01-03"),
        ]
    )
    me.sleep()
    facts = me.store.facts.all()
    new = known_of(facts[0], me="me")
    assert [one.text for one in neighbours(me.store, new, me="me")] == [facts[0].text, facts[2].text]
    assert new.trust == 3
    assert new.said_at == day("2024-01-01")
    assert isinstance(decide(new, neighbours(me.store, new, me="me")), Repeat)


def test_a_fact_is_compared_with_those_on_the_same_matter_whatever_their_words(me: Assistant) -> None:
    me.add_many(note(f"The people of Lisbon{n} live in Faro.", "2024-01-01") for n in range(20))
    me.add(LISBON)
    me.sleep()
    new = known_of(next(fact for fact in me.store.facts.all() if fact.text == "I live in Lisbon."), me="me")
    assert "I live in Lisbon." in [one.text for one in neighbours(me.store, new, me="me")]


def test_a_fact_said_by_several_has_the_trust_of_the_least_trusted(me: Assistant) -> None:
    me.add(note("Nora keeps bees.", "2024-01-01"))
    me.sleep()
    assert known_of(me.facts(["m1"])[0], me="me").trust == 3
    me.add(note("Nora keeps bees.", "2024-01-02", author="Ana"))
    me.sleep()
    assert me.facts(["m1"])[0].trust == "own"


def test_what_says_more_takes_the_place_and_the_time_and_the_lines_of_what_said_less(me: Assistant) -> None:
    me.add(note("I planted tomatoes behind our house.", "2024-03-10"))
    me.sleep()
    me.add(note("I planted tomatoes behind our house with care.", "2024-03-10", uri="more"))
    assert me.sleep().changes == {"merge": 1}
    [now] = me.current_facts()
    less, more = me.store.facts.all()
    assert (less.superseded_by, less.valid_to, more) == (more.id, None, now)
    assert more.valid_from == less.valid_from
    assert [source.note_id for source in more.sources] == [2, 1]
    assert more.text == "I planted tomatoes behind our house with care."


def test_only_what_takes_a_place_marks_others() -> None:
    moment = day("2024-01-01")
    assert marked_by(Supersede((3, 4), moment, None, None, None)) == (3, 4)
    assert marked_by(Merge(3)) == (3,)
    assert marked_by(Conflict((3,))) == marked_by(Keep(None, None)) == marked_by(Repeat(3)) == ()


def test_a_note_that_says_it_twice_is_one_source_and_two_notes_are_two(me: Assistant) -> None:
    me.add(note("I live in Porto. It rains. I live in Porto.", "2024-01-10"))
    me.sleep()
    [fact] = me.current_facts()
    assert (len(fact.sources), fact.confidence) == (1, 0.8)
    me.add(note("I live in Porto.", "2024-03-10"))
    assert me.sleep().changes == {"repeat": 1}
    [fact] = me.current_facts()
    assert (len(fact.sources), fact.confidence) == (2, 0.96)
