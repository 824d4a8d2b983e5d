"""Facts, their journal and what is read: undone exactly, forgotten without a trace, and made by a migration."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import FakePlugin
from nights import content, day, note, old_memory, open_memory, process, spans, tables, texts

from secondme.assistant import Assistant
from secondme.errors import NewerDatabase, NotFound, UsageError
from secondme.exchange import export, import_lines
from secondme.records import Copy, Note
from secondme.store.connect import open_copy, open_database
from secondme.store.edit import Edit
from secondme.store.facts import COMMON, NewFact, Place
from secondme.store.schema import backups
from secondme.store.store import Store

LISBON = note("I live in Lisbon.", "2024-01-10")
PORTO = note("I moved to Porto.", "2024-06-10")
BRAGA = note("I moved to Braga.", "2024-09-10")
BEES = note("My sister Nora keeps bees.", "2024-02-01")
CANARY = "zyzzogeton"


@pytest.fixture
def me(own_home: Path, scripted: FakePlugin) -> Iterator[Assistant]:
    """An empty memory with the fake models."""
    with open_memory(own_home, scripted) as opened:
        yield opened


def slept(me: Assistant, *notes: Note) -> str:
    """Add notes and sleep; return the name of the night."""
    me.add_many(notes)
    return me.sleep().run


def homes(me: Assistant) -> list[tuple[str, str, str]]:
    """Where I lived, from when to when, in the order of time."""
    found = [fact for fact in me.store.facts.all() if fact.attribute == "lives in"]
    return spans(me.history(found[0].id)) if found else []


STEPS: dict[str, tuple[Note, ...]] = {
    "keep": (BEES,),
    "repeat": (LISBON, note("I live in Lisbon.", "2024-03-10")),
    "merge": (
        note("I planted tomatoes behind our house.", "2024-03-10"),
        note("I planted tomatoes behind our house with care.", "2024-03-10", uri="more"),
    ),
    "supersede": (LISBON, PORTO),
    "conflict": (LISBON, note("I live in Porto.", "2024-01-10")),
}


@pytest.mark.parametrize("verb", STEPS)
def test_every_change_can_be_undone_exactly(me: Assistant, verb: str) -> None:
    *before, last = STEPS[verb]
    slept(me, *before)
    me.add(last)
    state = tables(me, "memories", "evidence", "conflicts", "memory_tokens")
    me.sleep()
    [*_, change] = me.store.journal.changes()
    assert change.verb == verb
    assert tables(me, "memories", "evidence", "conflicts", "memory_tokens") != state
    [undone] = me.undo(change.id)
    assert undone.undone_at is not None
    assert tables(me, "memories", "evidence", "conflicts", "memory_tokens") == state
    with pytest.raises(UsageError, match=f"{change.id} was undone before"):
        me.undo(change.id)


@pytest.mark.parametrize("verb", STEPS)
def test_a_night_is_undone_to_the_byte_and_the_next_finds_the_same(me: Assistant, verb: str) -> None:
    *before, last = STEPS[verb]
    slept(me, *before)
    me.add(last)
    me.add(note("So much chatter today.", "2024-12-01"))
    state = tables(me)
    run = me.sleep().run
    made = [(fact.text, fact.valid_from, fact.valid_to, len(fact.sources)) for fact in me.store.facts.all()]
    assert tables(me) != state
    me.undo(run)
    assert tables(me) == state
    assert me.store.journal.run(int(run[1:])).state == "undone"
    with pytest.raises(UsageError, match=f"{run} was undone before"):
        me.undo(run)
    me.sleep()
    assert [(fact.text, fact.valid_from, fact.valid_to, len(fact.sources)) for fact in me.store.facts.all()] == made


def test_all_nights_are_undone_one_after_the_other(me: Assistant) -> None:
    states = []
    runs = []
    for one in (LISBON, BEES, PORTO, note("My sister Nora keeps bees.", "2024-07-01"), BRAGA):
        me.add(one)
        states.append(tables(me))
        runs.append(me.sleep().run)
    for run, state in zip(reversed(runs), reversed(states), strict=True):
        # What was added later waits in the later states only.
        me.undo(run)
        assert tables(me) == state
    assert me.store.facts.all() == []


def test_what_something_rests_on_is_not_undone(me: Assistant) -> None:
    first, second, third = (slept(me, one) for one in (LISBON, PORTO, BRAGA))
    state = tables(me)
    with pytest.raises(UsageError, match="later changes rest on r1: c2") as caught:
        me.undo(first)
    assert caught.value.hint == "secondme undo c2"
    with pytest.raises(UsageError, match="c3 rest on c2"):
        me.undo("c2")
    assert tables(me) == state
    me.undo(third)
    me.undo("c2")
    assert homes(me) == [("Lisbon", "2024-01-10", "")]
    assert me.undo(second) == []
    me.undo(first)
    assert me.store.facts.all() == []


def test_undoing_a_night_in_which_changes_rest_on_each_other_takes_back_all(me: Assistant) -> None:
    me.add_many([LISBON, PORTO, BRAGA])
    state = tables(me)
    run = me.sleep().run
    with pytest.raises(UsageError, match="rest on c1"):
        me.undo("c1")
    assert [change.id for change in me.undo(run)] == ["c1", "c2", "c3"]
    assert tables(me) == state


def test_undoing_a_long_night_names_only_some_of_what_rests_on_it(me: Assistant) -> None:
    slept(me, *(note(f"Person{n} lives in Lisbon.", "2024-01-10", author="Ana") for n in range(5)))
    slept(me, *(note(f"Person{n} moved to Porto.", "2024-02-10", author="Ana") for n in range(5)))
    with pytest.raises(UsageError, match="c6, c7, c8 and 2 more"):
        me.undo("r1")


@pytest.mark.parametrize(("id", "error"), [("r7", NotFound), ("c7", NotFound), ("m1", UsageError), ("x", UsageError)])
def test_what_is_not_there_cannot_be_undone(me: Assistant, id: str, error: type[Exception]) -> None:
    slept(me, LISBON)
    with pytest.raises(error):
        me.undo(id)


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_undo_works_after_a_source_was_forgotten(me: Assistant, gone: int) -> None:
    notes = [me.add(one) for one in (LISBON, PORTO, BRAGA)]
    run = me.sleep().run
    me.forget([notes[gone].id])
    me.undo(run)
    assert me.store.facts.all() == []
    assert me.store.digestion.waiting() == 2
    me.sleep()
    left = [value for place, value in enumerate(("Lisbon", "Porto", "Braga")) if place != gone]
    assert [value for value, _, _ in homes(me)] == left


def test_undo_after_forgetting_touches_no_line_that_came_later(me: Assistant) -> None:
    """A number that was free again would be given to another line, and undone with the first."""
    forgotten = me.add(BEES)
    run = me.sleep().run
    me.forget([forgotten.id])
    slept(me, LISBON)
    me.undo(run)
    [fact] = me.store.facts.all()
    assert (fact.text, len(fact.sources)) == ("I live in Lisbon.", 1)


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        (0, [("Porto", "2024-06-10", "2024-09-10"), ("Braga", "2024-09-10", "")]),
        (1, [("Lisbon", "2024-01-10", "2024-09-10"), ("Braga", "2024-09-10", "")]),
        (2, [("Lisbon", "2024-01-10", "2024-06-10"), ("Porto", "2024-06-10", "")]),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_forgetting_one_of_three_leaves_a_whole_history(
    me: Assistant, gone: int, left: list[tuple[str, str, str]], late: bool
) -> None:
    order = (LISBON, BRAGA, PORTO) if late else (LISBON, PORTO, BRAGA)
    names = {}
    for one in order:
        names[one.text] = me.add(one).id
        me.sleep()
    me.forget([names[(LISBON, PORTO, BRAGA)[gone].text]])
    me.sleep()
    assert homes(me) == left
    [now] = me.current_facts()
    assert now.value == left[-1][0]


def test_what_was_already_over_stays_over_when_what_took_its_place_is_forgotten(me: Assistant) -> None:
    slept(me, note("Until May 2024 I lived in Faro.", "2024-07-01"))
    before = homes(me)
    second = me.add(note("Until May 2024 I lived in Faro by the harbour.", "2024-07-02"))
    me.sleep()
    me.forget([second.id])
    assert homes(me) == before
    assert before[0][2] == "2024-06-01"


def test_undoing_a_late_word_on_what_has_been_forgotten_lets_the_first_hold_again(me: Assistant) -> None:
    slept(me, LISBON)
    last = me.add(BRAGA)
    me.sleep()
    run = slept(me, PORTO)
    assert len(homes(me)) == 3
    me.forget([last.id])
    me.undo(run)
    assert homes(me) == [("Lisbon", "2024-01-10", "")]


def test_a_fact_whose_words_another_note_has_too_rests_on_that_one_alone(me: Assistant) -> None:
    first = me.add(BEES)
    second = me.add(note("The garden is wet.\nMy sister Nora keeps bees.", "2024-03-01"))
    me.sleep()
    [bees] = [fact for fact in me.store.facts.all() if "bees" in fact.text]
    assert me.forget([first.id]).facts == ()
    [kept] = [fact for fact in me.store.facts.all() if "bees" in fact.text]
    assert (kept.id, [source.note_id for source in kept.sources]) == (bees.id, [2])
    assert me.store.digestion.waiting() == 0
    assert me.forget([second.id]).facts == (bees.id, "m2")


def test_a_fact_goes_with_the_note_whose_words_it_has_and_is_found_again_in_others(me: Assistant) -> None:
    first = me.add(BEES)
    me.add(note("The garden is wet.\nMy sister Nora keeps bees!", "2024-03-01"))
    me.sleep()
    [bees] = [fact for fact in me.store.facts.all() if "bees" in fact.text]
    assert len(bees.sources) == 2
    planned = me.forget([first.id], dry_run=True)
    assert planned.facts == (bees.id,)
    assert me.forget([first.id]).facts == (bees.id,)
    assert not [fact for fact in me.store.facts.all() if "bees" in fact.text]
    assert me.store.digestion.waiting() == 1
    again = me.sleep()
    assert again.changes == {"keep": 1}
    [found] = [fact for fact in me.store.facts.all() if "bees" in fact.text]
    assert (found.sources[0].note_id, len(found.sources)) == (2, 1)


def test_a_fact_that_others_said_too_stays_when_one_of_them_is_forgotten(me: Assistant) -> None:
    me.add(BEES)
    second = me.add(note("My sister Nora keeps bees.", "2024-03-01"))
    me.sleep()
    assert me.forget([second.id]).facts == ()
    [fact] = me.store.facts.all()
    assert len(fact.sources) == 1


def residue(folder: Path, *traces: bytes) -> list[tuple[str, bytes]]:
    """Which traces stand in which files, whatever their case."""
    return [
        (path.name, trace)
        for path in folder.rglob("*")
        if path.is_file()
        for trace in traces
        if trace.lower() in path.read_bytes().lower()
    ]


def test_forgetting_leaves_no_byte_of_a_fact(own_home: Path) -> None:
    plugin = FakePlugin(["1|Nora keeps a Zyzzogeton.\n1|Nora keeps a Zyzzogeton and a Quivela.\n2|none"])
    with open_memory(own_home, plugin, extractor="write") as me:
        me.add_many(note(f"The weather was number {n} and dry.", "2024-01-01", origin="clip") for n in range(50))
        said = me.add(
            note(f"Nora keeps a {CANARY} in the yard. {CANARY} chatter is what it is.", "2024-01-01", author="Nora")
        )
        me.sleep()
        [fact] = me.store.facts.all()
        assert me.store.journal.rejected(1)
        [code] = me.store.facts.codes([1]).values()
        [stem] = me.store.index.terms(CANARY)
        traces = (CANARY.encode(), stem.encode(), b"quivela", code)
        assert {trace for _, trace in residue(own_home, *traces)} == set(traces)
        assert me.forget([said.id]).facts == (fact.id,)
        assert residue(own_home, *traces) == []
    assert residue(own_home, *traces) == []


def test_undoing_a_fact_leaves_only_the_note(me: Assistant, own_home: Path) -> None:
    said = me.add(note(f"My sister keeps a {CANARY}.", "2024-01-01"))
    me.undo(me.sleep().run)
    me.forget([said.id])
    assert residue(own_home, CANARY.encode()) == []


def test_a_changed_file_is_read_where_it_changed(me: Assistant, scripted: FakePlugin) -> None:
    def version(*lines: str, on: str) -> list[str]:
        scripted.model.prompts.clear()
        slept(me, note("\n".join(lines), on, uri="/own/house.md", origin="file"))
        return [prompt.tail.partition(" =")[0] for prompt in scripted.model.prompts]

    car, boat, plane = "The car of Nora is red.", "The boat of Nora is blue.", "The plane of Nora is green."
    assert version(car, boat, "Just chatter about things.", on="2024-01-01") == [
        car,
        boat,
        "Just chatter about things.",
    ]
    assert version(car, plane, "Just chatter about things.", on="2024-01-02") == [plane]
    assert texts(me.store.facts.all()) == [car, plane]
    assert len(me.store.facts.get([1])[0].sources) == 2
    assert "blue" not in str(me.recall("What colour is the boat of Nora?"))
    # A note that says what an earlier version said is that version.
    assert version(car, boat, "Just chatter about things.", on="2024-01-03") == []
    assert texts(me.store.facts.all()) == [car, boat]
    assert version("A new line about bread.", car, boat, on="2024-01-04") == ["A new line about bread."]
    assert set(texts(me.store.facts.all())) == {car, boat, "A new line about bread."}
    assert texts(me.current_facts("boat of Nora"))[0] == boat


def test_the_other_side_of_a_conflict_is_shown_while_its_line_stands(me: Assistant) -> None:
    slept(me, LISBON, note("I live in Porto.", "2024-01-10", uri="/own/home.md", origin="file"))
    first, second = me.store.facts.all()
    assert (first.conflicts, second.conflicts) == ((second.id,), (first.id,))
    slept(me, note("The house is white.", "2024-01-11", uri="/own/home.md", origin="file"))
    [first] = me.facts([first.id])
    assert first.conflicts == ()


OLD = """
import os, signal, sys
from pathlib import Path
from secondme.store.connect import open_database
from secondme.store.schema import migrate

path, left = Path(sys.argv[1]), int(sys.argv[2])
db = open_database(path, create=False)

def die(statement):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

db.conn.set_trace_callback(die)
migrate(db, path)
"""


def test_a_memory_of_the_version_before_is_brought_up_to_date_beside_a_copy(own_home: Path) -> None:
    path = own_home / "memory.db"
    old_memory(path)
    with open_memory(own_home) as me:
        [copy] = backups(path)
        assert me.store.copied_to == copy
        assert re.fullmatch(r"memory-\d{8}T\d{6}Z-m002_facts\.db", copy.name)
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert me.store.digestion.waiting() == 2
        assert me.sleep().changes == {"keep": 2}
        old = open_copy(copy)
        assert [row[0] for row in old.conn.execute("select text from notes")] == [n.text for n in me.store.notes()][
            ::-1
        ]
        old.close()
    with open_memory(own_home) as me:
        assert me.store.copied_to is None
        copies = backups(path)
        assert copies[0] == copy
        became = [Copy(str(copies[0]), "deleted", 1), Copy(str(copies[1]), "cleaned", 1)]
        assert list(me.forget(["n2"]).copies) == became
        assert backups(path) == copies[1:]
        assert residue(own_home, b"keeps bees") == []


def test_a_migration_that_is_killed_leaves_the_memory_as_before_or_after(own_home: Path) -> None:
    path = own_home / "memory.db"
    old_memory(path)
    killed = 0
    for count in range(0, 90, 6):
        done = process(OLD, path, count)
        assert done.returncode in (0, -9), done.stderr
        killed += done.returncode == -9
        db = open_database(path, create=False)
        tables_there = {row[0] for row in db.conn.execute("select name from sqlite_master where type = 'table'")}
        applied = {row[0] for row in db.conn.execute("select name from _sqlite_migrations")}
        db.close()
        assert ("memories" in tables_there) == ("digested" in tables_there) == ("m002_facts" in applied)
    assert killed >= 3
    with open_memory(own_home) as me:
        assert me.sleep().changes == {"keep": 2}
        me.forget(["n2"])
        assert residue(own_home, b"keeps bees") == []


def test_a_memory_with_facts_of_a_newer_version_is_refused(me: Assistant, own_home: Path) -> None:
    slept(me, BEES)
    row = ("secondme", "m999_dreams", "2030-01-01")
    me.store.db.conn.execute("insert into _sqlite_migrations (migration_set, name, applied_at) values (?, ?, ?)", row)
    me.store.close()
    with pytest.raises(NewerDatabase, match="m999_dreams"):
        Store(own_home / "memory.db")


def test_what_is_exported_after_sleep_is_the_same_facts_elsewhere_and_nothing_waits_there(
    me: Assistant, tmp_path: Path
) -> None:
    import json

    slept(me, LISBON, PORTO, BEES, note("So much chatter.", "2024-03-03"))
    lines = [json.dumps(item) for item in export(me.store)]
    with open_memory(tmp_path / "other") as other:
        import_lines(other.store, lines)
        assert other.store.digestion.waiting() == 0
        assert texts(other.store.facts.all()) == texts(me.store.facts.all())
        assert homes(other) == homes(me)
        # Imported over what has been read already, nothing waits again.
        import_lines(me.store, lines)
        before = content(me)
        assert me.sleep().run == ""
        assert content(me) == before


def test_a_fact_names_its_bytes_in_the_note(me: Assistant) -> None:
    text = "Ça va – déjà vu, chatter.\n\nMy sister Nora keeps bees in Évora. Some chatter."
    slept(me, note(text, "2024-02-01"))
    [fact] = me.store.facts.all()
    [source] = fact.sources
    assert text.encode()[source.start : source.end].decode() == source.quote == "My sister Nora keeps bees in Évora."
    assert (source.line_start, source.author, source.happened_at) == (3, "me", day("2024-02-01"))


def test_facts_that_have_no_codes_get_them_later(own_home: Path, me: Assistant) -> None:
    slept(me, BEES)
    assert me.store.facts.without_codes(10) == []
    me.store.db.conn.execute("delete from memory_tokens")
    assert me.store.facts.without_codes(10) == [(1, "My sister Nora keeps bees.")]
    with me.store.writing():
        me.store.facts.save_codes(1, b"codes")
        me.store.facts.save_codes(99, b"of none")
    assert me.store.facts.codes([1, 99]) == {1: b"codes"}


@pytest.mark.parametrize("ask", [lambda f: f.matching([], limit=3), lambda f: f.matching(['"', "or", "*"], limit=3)])
def test_any_words_can_be_looked_for(me: Assistant, ask: Callable[..., list[int]]) -> None:
    slept(me, BEES)
    assert ask(me.store.facts) == []
    assert me.store.facts.matching(["goats", "bees"], limit=3) == [1]


def test_words_that_stand_in_very_many_facts_are_looked_for_together_only(me: Assistant) -> None:
    place = Place(int(me.add(BEES).id[1:]), 0, 5, 1, 1, BEES.text)
    with me.store.writing():
        edit = Edit(me.store.db, now=day("2024-01-01"))
        for number in range(COMMON + 1):
            text = f"Nora saw number {number}" + (" fly" if number == 7 else "")
            edit.add(NewFact("episodic", "evidence", text, "", "", "", 0.8, None, None), place, None)
    assert me.store.facts.matching(["nora", "saw", "fly"], limit=3) == [8]
    assert len(me.store.facts.matching(["nora", "saw"], limit=3)) == 3
    assert me.store.facts.matching(["nora", "saw", "500"], limit=3) == [501]


def test_undoing_the_last_word_after_forgetting_the_one_before_lets_the_first_hold_again(me: Assistant) -> None:
    slept(me, LISBON)
    second = me.add(PORTO)
    me.sleep()
    run = slept(me, BRAGA)
    me.forget([second.id])
    assert homes(me) == [("Lisbon", "2024-01-10", "2024-09-10"), ("Braga", "2024-09-10", "")]
    me.undo(run)
    assert homes(me) == [("Lisbon", "2024-01-10", "")]


def test_forgetting_what_said_more_lets_what_said_less_hold_again(me: Assistant) -> None:
    less, more = STEPS["merge"]
    slept(me, less)
    before = tables(me, "memories", "evidence", "memory_tokens")
    longer = me.add(more)
    assert me.sleep().changes == {"merge": 1}
    me.forget([longer.id])
    assert tables(me, "memories", "evidence", "memory_tokens") == before
