"""What the user says about changes of a night: accepted, rejected for good, put in other words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes import FakePlugin

from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig
from secondme.errors import NotFound, UsageError
from secondme.plugins import load_plugins
from secondme.records import Note

TABLES = ("memories", "evidence", "conflicts", "memory_tokens", "memory_words")


@pytest.fixture
def me(own_home: Path, scripted: FakePlugin) -> Iterator[Assistant]:
    """Two notes of one life, slept over: c1 made m1, c2 put m2 in its place."""
    plugins = load_plugins(installed=False)
    plugins.register(scripted, "fake")
    with Assistant.open(own_home, config=Config(models=ModelsConfig("scripted", "hashing")), plugins=plugins) as me:
        me.add_many([told("I live in Lisbon.", 1), told("I moved to Porto.", 6)])
        me.sleep()
        yield me


def told(text: str, month: int) -> Note:
    return Note(text, uri=f"diary:{month}", happened_at=datetime(2024, month, 5, tzinfo=UTC))


def dump(me: Assistant) -> dict[str, Any]:
    """All that facts are made of, with what the word index has of them."""
    found = {table: me.store.db.conn.execute(f"select * from {table}").fetchall() for table in TABLES}
    me.store.index.check()
    return found


def texts(me: Assistant) -> dict[str, str]:
    return {fact.id: fact.text for fact in me.current_facts()}


def test_an_accepted_change_is_marked_and_stays(me: Assistant) -> None:
    before = dump(me)
    assert me.accept("c1").review == "accepted"
    assert [change.review for change in me.store.journal.changes()] == ["accepted", ""]
    assert dump(me) == before


def test_a_rejected_fact_is_gone_and_never_learned_again_from_its_line(me: Assistant) -> None:
    me.reject("c2")
    assert texts(me) == {"m1": "I live in Lisbon."}
    assert me.store.journal.change(2).review == "rejected"
    me.undo("r1")
    me.sleep()
    assert list(texts(me).values()) == ["I live in Lisbon."]


def test_a_rejection_holds_for_a_later_version_of_the_note(me: Assistant) -> None:
    me.reject("c2")
    me.add(told("Some words before it.\n\nI moved to Porto.", 6))
    report = me.sleep()
    assert report.rejected == {"rejected by you": 1, "loose pronoun": 1}
    assert "I moved to Porto." not in texts(me).values()


def test_what_a_later_change_rests_on_cannot_be_rejected(me: Assistant) -> None:
    before = dump(me)
    with pytest.raises(UsageError, match="c2 rest on c1"):
        me.reject("c1")
    assert dump(me) == before


def test_a_rejected_change_cannot_be_judged_again(me: Assistant) -> None:
    me.reject("c2")
    for judge in (me.accept, me.reject):
        with pytest.raises(UsageError, match="c2 was rejected before"):
            judge("c2")


def test_an_edit_takes_the_place_of_the_fact_with_its_lines_and_time(me: Assistant) -> None:
    [old] = me.facts(["m2"])
    change = me.edit("c2", "  I moved\nto Porto for good. ")
    assert (change.id, change.verb, change.fact) == ("c3", "edit", "m3")
    [new] = me.facts(["m3"])
    assert (new.text, new.stance, new.attribute, new.sources) == (
        "I moved to Porto for good.",
        "inference",
        "lives in",
        old.sources,
    )
    assert (new.valid_from, new.valid_to) == (old.valid_from, None)
    assert texts(me) == {"m3": "I moved to Porto for good."}
    assert me.facts(["m2"])[0].superseded_by == "m3"


def test_an_edit_in_words_of_the_line_is_evidence(me: Assistant) -> None:
    me.edit("c2", "moved to Porto")
    assert me.facts(["m3"])[0].stance == "evidence"


def test_an_edit_of_what_is_over_stays_in_its_interval(me: Assistant) -> None:
    me.edit("c1", "I live in Lisbon, in Rua Nova.")
    march = datetime(2024, 3, 1, tzinfo=UTC)
    assert texts(me) == {"m2": "I moved to Porto."}
    assert [fact.text for fact in me.current_facts(as_of=march)] == ["I live in Lisbon, in Rua Nova."]
    earlier = me.store.facts.replaced_by("m2")
    assert earlier is not None
    assert earlier.id == "m3"


def test_what_was_so_before_is_known_of_an_edited_fact_too(me: Assistant) -> None:
    me.edit("c2", "I moved to Porto for good.")
    earlier = me.store.facts.replaced_by("m3")
    assert earlier is not None
    assert earlier.text == "I live in Lisbon."


def test_an_edit_is_undone_exactly(me: Assistant) -> None:
    before = dump(me)
    me.edit("c1", "I live in Lisbon, in Rua Nova.")
    assert dump(me) != before
    me.undo("c3")
    assert dump(me) == before


def test_an_edited_fact_lives_on_in_a_later_version_of_the_note(me: Assistant) -> None:
    me.edit("c2", "I moved to Porto for good.")
    me.add(told("Some words before it.\n\nI moved to Porto.", 6))
    me.sleep()
    assert "I moved to Porto for good." in texts(me).values()


@pytest.mark.parametrize(
    ("text", "why"),
    [(" \n", "the fact is empty"), ("I moved to Porto.", "says that already"), ("x" * 2001, "longer than 2,000")],
)
def test_an_edit_has_to_say_something_new(me: Assistant, text: str, why: str) -> None:
    before = dump(me)
    with pytest.raises(UsageError, match=why):
        me.edit("c2", text)
    assert dump(me) == before


def test_what_an_edit_has_replaced_is_edited_no_more(me: Assistant) -> None:
    me.edit("c2", "I moved to Porto for good.")
    with pytest.raises(UsageError, match="m2 was replaced by m3"):
        me.edit("c2", "I moved to Braga.")
    with pytest.raises(UsageError, match="is what you worded yourself"):
        me.reject("c3")


@pytest.mark.parametrize("has_same_value", [True, False])
def test_an_edit_keeps_a_conflict_while_it_says_something_else(me: Assistant, has_same_value: bool) -> None:
    on = told("", 7).happened_at
    me.add_many([told("I work at Acme.", 7), Note("I work at Globex.", uri="b", happened_at=on)])
    me.sleep()
    [conflict] = [change for change in me.store.journal.changes() if change.verb == "conflict"]
    [fact] = me.facts([conflict.fact])
    assert fact.conflicts
    [new] = me.facts([me.edit(conflict.id, f"I work at {'Acme' if has_same_value else 'Initech'}.").fact])
    assert new.conflicts == (() if has_same_value else fact.conflicts)


def test_the_figures_of_a_night_are_those_at_its_end(me: Assistant) -> None:
    me.add(told("I have a cat called Tom. It was chatter.", 8))
    report = me.sleep()
    # Time goes on while it is written down.
    assert replace(me.sleep_report(), seconds=0.0) == replace(report, seconds=0.0)
    assert me.sleep_report("r1").changes == {"keep": 1, "supersede": 1}
    me.undo("r2")
    assert me.sleep_report().run == "r1"


def test_without_a_night_there_is_no_report(own_home: Path) -> None:
    with Assistant.open(own_home) as me, pytest.raises(NotFound, match="there is no night to look at"):
        me.sleep_report()


def test_a_fact_is_not_forgotten_without_its_note(me: Assistant) -> None:
    with pytest.raises(UsageError, match="facts go with their notes") as error:
        me.forget(["m2"])
    assert "secondme forget n2" in error.value.hint
    assert "--reject c2" in error.value.hint
