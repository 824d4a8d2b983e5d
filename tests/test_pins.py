"""What is pinned: it holds over versions and edits, goes with what it is on, and no night retires it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakePlugin
from nights import day, note, open_memory, texts

from secondme.assistant import Assistant
from secondme.errors import NotFound, UsageError
from secondme.records import Note
from secondme.sleep.settle import spared
from secondme.sleep.verdicts import Conflict, Merge, Supersede


@pytest.fixture
def me(own_home: Path, scripted: FakePlugin) -> Iterator[Assistant]:
    """An empty memory with the fake models."""
    with open_memory(own_home, scripted) as opened:
        yield opened


def pinned(me: Assistant) -> list[str]:
    return me.store.pins.ids()


def test_what_is_pinned_is_listed_facts_first_and_the_newest_first(me: Assistant) -> None:
    me.add_many([note("I live in Lisbon.", "2024-01-10"), note("My sister Nora keeps bees.", "2024-01-11")])
    me.sleep()
    for id in ("n1", "m1", "n2", "m2", "n1"):
        me.pin(id)
    assert pinned(me) == ["m2", "m1", "n2", "n1"]
    for id in ("n1", "m1", "n1"):
        me.pin(id, is_pinned=False)
    assert pinned(me) == ["m2", "n2"]


def test_a_passage_stands_for_its_note(me: Assistant) -> None:
    me.add(Note("# One\n\ntea\n\n# Two\n\ncake", origin="file", uri="/a.md"))
    me.pin("n1.1")
    assert pinned(me) == ["n1"]
    me.pin("n1", is_pinned=False)
    assert pinned(me) == []


@pytest.mark.parametrize(("id", "error"), [("n9", NotFound), ("m9", NotFound), ("x", UsageError), ("c1", UsageError)])
def test_what_is_not_there_is_not_pinned(me: Assistant, id: str, error: type[Exception]) -> None:
    for is_pinned in (True, False):
        with pytest.raises(error):
            me.pin(id, is_pinned=is_pinned)
    assert pinned(me) == []


def test_a_pin_holds_over_the_versions_of_a_note(me: Assistant) -> None:
    first = me.add(Note("one", uri="diary"))
    me.pin(first.id)
    second = me.add(Note("two", uri="diary"))
    assert pinned(me) == [second.id]
    me.rewrite(second.id, "three")
    assert pinned(me) == ["n3"]
    me.pin("n1", is_pinned=False)
    assert pinned(me) == []


def test_a_pin_goes_with_its_note(me: Assistant) -> None:
    me.pin(me.add(Note("one", uri="diary")).id)
    me.forget(["n1"])
    me.add(Note("one", uri="diary"))
    assert pinned(me) == []


def test_a_pin_goes_with_its_fact(me: Assistant) -> None:
    me.add(note("I live in Lisbon.", "2024-01-10"))
    me.sleep()
    me.pin("m1")
    me.undo("r1")
    assert pinned(me) == []
    assert me.store.pins.facts() == set()


def test_a_pinned_fact_is_not_superseded_by_a_night(me: Assistant) -> None:
    me.add(note("I live in Lisbon.", "2024-01-10"))
    me.sleep()
    me.pin("m1")
    me.add(note("I moved to Porto.", "2024-06-10"))
    report = me.sleep()
    assert report.changes == {"conflict": 1}
    lisbon, porto = me.facts(["m1", "m2"])
    assert (lisbon.retired_at, lisbon.valid_to, lisbon.conflicts) == (None, None, ("m2",))
    assert (porto.retired_at, porto.conflicts) == (None, ("m1",))
    assert texts(me.current_facts()) == ["I live in Lisbon.", "I moved to Porto."]


def test_a_fact_that_was_let_go_of_is_superseded_as_any_other(me: Assistant) -> None:
    me.add(note("I live in Lisbon.", "2024-01-10"))
    me.sleep()
    me.pin("m1")
    me.pin("m1", is_pinned=False)
    me.add(note("I moved to Porto.", "2024-06-10"))
    assert me.sleep().changes == {"supersede": 1}
    assert texts(me.current_facts()) == ["I moved to Porto."]


def test_a_line_that_says_a_pinned_fact_again_is_one_more_source_of_it(me: Assistant) -> None:
    me.add(note("My sister Nora keeps bees.", "2024-01-10"))
    me.sleep()
    me.pin("m1")
    me.add(note("My sister Nora keeps bees.", "2024-03-10"))
    assert me.sleep().changes == {"repeat": 1}
    assert len(me.facts(["m1"])[0].sources) == 2


def test_the_user_may_reword_a_pinned_fact_and_the_pin_goes_on(me: Assistant) -> None:
    me.add(note("I live in Lisbon.", "2024-01-10"))
    me.sleep()
    me.pin("m1")
    change = me.edit("m1", "I live in Lisbon, in Rua Nova.")
    assert (change.fact, pinned(me)) == ("m2", ["m2"])
    me.undo(change.id)
    assert pinned(me) == ["m1"]


@pytest.mark.parametrize(
    ("pins", "verdict", "left"),
    [
        ({1}, Merge(1), Conflict((1,))),
        ({2}, Merge(1), Merge(1)),
        ({1}, Supersede((1, 2), day("2024-06-10"), None, None, None), Conflict((1, 2))),
        (
            set(),
            Supersede((1, 2), day("2024-06-10"), None, None, None),
            Supersede((1, 2), day("2024-06-10"), None, None, None),
        ),
        ({1}, Conflict((1,)), Conflict((1,))),
    ],
)
def test_a_verdict_that_would_end_what_is_pinned_is_a_conflict(
    pins: set[int], verdict: Merge | Supersede | Conflict, left: Merge | Supersede | Conflict
) -> None:
    assert spared(verdict, pins) == left
