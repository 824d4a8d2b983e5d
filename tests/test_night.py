"""A night: what it stores, how it stops, and that a crash, a bad model or a second run changes nothing of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from fakes import FakePlugin, judge_by_word
from nights import content, day, note, open_memory, process, tables, texts

from secondme.assistant import Assistant
from secondme.errors import NoModel
from secondme.models.protocols import Prompt
from secondme.records import Note
from secondme.store.store import Store

NOW = "2024-09-01T08:00:00Z"


@pytest.fixture(autouse=True)
def fixed_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock, so that two nights can be compared."""
    monkeypatch.setenv("SECONDME_NOW", NOW)


@pytest.fixture
def me(own_home: Path, scripted: FakePlugin) -> Iterator[Assistant]:
    """An empty memory with the fake models."""
    with open_memory(own_home, scripted) as opened:
        yield opened


def life() -> list[Note]:
    """Notes that keep, repeat, merge, supersede, conflict and reject."""
    return [
        note("I live in Lisbon. My sister Nora keeps bees. Some chatter about the weather today.", "2024-01-10"),
        note("I went to the gym. I went to the gym. It was so.", "2024-02-01"),
        note("My sister Nora keeps bees.", "2024-03-01"),
        note("I moved to Porto.\nI bought a green bicycle for 380 euros.", "2024-06-10", uri="/own/a", origin="file"),
        note("My favourite colour is green. My favourite colour is blue.", "2024-06-11"),
        note("I moved to Braga and my phone number changed.", "2024-07-10"),
        note("Until last December I lived in Faro.", "2024-07-12"),
        note("Maybe we go sailing in Nazaré next week.", "2024-07-14", author="Ana", origin="chat", thread="boat"),
        note("I planted 12 tomato plants behind the house.", "2024-07-15", author="Ana", origin="chat", thread="boat"),
    ]


def asks(plugin: FakePlugin, judge: Callable[[Prompt], float]) -> None:
    plugin.model.judge = judge


def test_a_night_reads_all_that_waits_and_a_second_one_does_nothing(me: Assistant) -> None:
    me.add_many(life())
    seen: list[tuple[int, int]] = []
    report = me.sleep(progress=lambda done, all: seen.append((done, all)))
    assert (report.run, report.state, report.why, report.waiting) == ("r1", "done", "", 0)
    assert report.passages == len(me.store.digestion.queue()) + sum(1 for _ in seen) == seen[-1][0] == seen[-1][1]
    assert set(report.changes) == {"keep", "repeat", "supersede", "conflict"}
    assert report.rejected["not worth keeping"] == 1
    assert report.calls == me.store.journal.run(1).report["calls"] == len(me.model().prompts)  # type: ignore[attr-defined]
    before, asked = content(me), report.calls
    again = me.sleep()
    assert (again.run, again.state, again.passages, again.calls, again.changes) == ("", "done", 0, 0, {})
    assert content(me) == before
    assert len(me.store.journal.runs()) == 1
    assert len(me.model().prompts) == asked  # type: ignore[attr-defined]


SLEEPING = """
import os, signal, sys
from pathlib import Path
from fakes import FakePlugin, judge_by_word
from nights import open_memory
from secondme.store.journal import Journal
from secondme.store.digestion import Digestion

home, place, last = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
left = last

def die_at(name):
    global left
    if name == place:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

def judge(prompt):
    die_at("question")
    return judge_by_word(prompt)

plugin = FakePlugin()
plugin.model.judge = judge
with open_memory(home, plugin) as me:
    # Dying at a statement is dying before it, in the middle of a transaction or between two.
    me.store.db.conn.set_trace_callback(lambda statement: die_at("statement"))
    print(me.sleep().state)
"""


def killed(home: Path, place: str, count: int) -> bool:
    """Sleep in another process that dies at a place; False where it came to its end before."""
    done = process(SLEEPING, home, place, count, now=NOW)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode == -9


@pytest.fixture
def undisturbed(tmp_path: Path) -> str:
    """What a night without a crash stores of `life`."""
    with open_memory(tmp_path / "undisturbed") as other:
        other.add_many(life())
        assert other.sleep().state == "done"
        return content(other)


def test_a_night_that_is_killed_again_and_again_stores_what_one_without_a_crash_does(
    own_home: Path, undisturbed: str
) -> None:
    with open_memory(own_home) as me:
        me.add_many(life())
    # Each night dies a little later than the one before, in the middle of ever other decisions.
    steps = [killed(own_home, "statement", 60 + 59 * place) for place in range(7)]
    assert sum(steps) >= 4
    with open_memory(own_home) as me:
        me.sleep()
        assert content(me) == undisturbed
        me.store.index.check()
        assert {run.state for run in me.store.journal.runs()[1:]} <= {"interrupted", "done"}


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_night_killed_while_the_model_is_asked_goes_on_where_it_stopped(
    own_home: Path, undisturbed: str, count: int
) -> None:
    with open_memory(own_home) as me:
        me.add_many(life())
    assert killed(own_home, "question", count)
    with open_memory(own_home) as me:
        assert me.sleep().state == "done"
        assert content(me) == undisturbed


def test_a_line_with_several_facts_is_stored_as_a_whole_or_not_at_all(own_home: Path) -> None:
    """Killed between two facts of one line, the next night would take the line for judged."""
    plugin = FakePlugin(["1|Ana sold the boat.\n1|Ana bought a kayak."] * 2)
    with open_memory(own_home, plugin, extractor="write") as me:
        me.add(note("I sold the boat and bought a kayak", "2024-07-01", author="Ana", origin="chat"))
        me.store.db.conn.execute(
            """create temp trigger second before insert on memories when (select count(*) from memories) = 1
               begin select raise(fail, 'the process ends here'); end"""
        )
        with pytest.raises(Exception, match="the process ends here"):
            me.sleep()
        assert tables(me)["memories"] == []
        me.store.db.conn.execute("drop trigger temp.second")
        me.sleep()
        assert texts(me.store.facts.all()) == ["Ana sold the boat.", "Ana bought a kayak."]


def test_another_process_writes_while_the_model_is_asked(me: Assistant, scripted: FakePlugin, own_home: Path) -> None:
    me.add(note("My brother Pedro keeps goats.", "2024-01-10"))
    me.add(note("My sister Nora keeps bees.", "2024-01-11"))
    wrote: list[str] = []

    def write(prompt: Prompt) -> float:
        with Store(own_home / "memory.db") as other, other.writing():
            other.db.conn.execute("pragma busy_timeout = 0")
            other.db.conn.execute("insert into meta values (?, 'x')", (f"asked {len(wrote)}",))
        wrote.append(prompt.tail)
        return 1.0

    asks(scripted, write)
    report = me.sleep()
    assert (report.state, len(wrote)) == ("done", report.calls)
    assert report.calls == 2
    assert not me.store.db.conn.in_transaction


@pytest.mark.parametrize("how", ["forgotten", "replaced", "typed anew"])
def test_what_goes_while_the_model_is_asked_is_not_stored(me: Assistant, scripted: FakePlugin, how: str) -> None:
    me.add(note("My sister Nora keeps bees.", "2024-01-10", uri="diary"))

    def meddle(prompt: Prompt) -> float:
        scripted.model.judge = judge_by_word
        if how == "forgotten":
            me.forget(["n1"])
        else:
            me.add(note("My brother Pedro keeps goats.", "2024-01-11", uri="diary"))
        if how == "typed anew":
            me.add(note("My sister Nora keeps bees.", "2024-01-10", uri="diary"))
        return 1.0

    asks(scripted, meddle)
    report = me.sleep()
    assert (report.state, report.waiting) == ("done", 0)
    assert (
        texts(me.store.facts.all())
        == {
            "forgotten": [],
            "replaced": ["My brother Pedro keeps goats."],
            "typed anew": ["My sister Nora keeps bees."],
        }[how]
    )
    assert len(tables(me)["evidence"]) == len(me.store.facts.all())


def test_a_note_added_during_the_night_is_read_in_it(me: Assistant, scripted: FakePlugin) -> None:
    me.add(note("My sister Nora keeps bees.", "2024-01-10"))

    def add(prompt: Prompt) -> float:
        scripted.model.judge = judge_by_word
        me.add(note("My brother Pedro keeps goats.", "2024-01-09"))
        return 1.0

    asks(scripted, add)
    assert (me.sleep().waiting, len(me.store.facts.all())) == (0, 2)


def test_a_night_stops_at_its_limits_and_the_next_goes_on(me: Assistant, own_home: Path, undisturbed: str) -> None:
    me.add_many(life())
    first = me.sleep(max_changes=2)
    assert (first.state, first.why, sum(first.changes.values())) == ("stopped", "the 2 changes are made", 2)
    assert first.waiting > 0
    second = me.sleep(budget_tokens=1)
    assert (second.state, second.why) == ("stopped", "the 1 tokens are spent")
    assert second.tokens > 0
    third = me.sleep(budget_seconds=0)
    assert (third.state, third.why, third.passages, third.calls) == ("stopped", "the 0 seconds are up", 0, 0)
    assert me.store.journal.run(3).report["why"] == "the 0 seconds are up"
    assert me.sleep().state == "done"
    assert content(me) == undisturbed


def test_a_night_that_would_change_too_many_earlier_facts_stops_before(own_home: Path) -> None:
    with open_memory(own_home) as me:
        me.add_many(note(f"Person{n} lives in Lisbon.", "2024-01-10", uri=f"a:{n}", origin="file") for n in range(15))
        assert me.sleep().changes == {"keep": 15}
        me.add_many(note(f"Person{n} moved to Porto.", "2024-02-10", uri=f"b:{n}", origin="file") for n in range(15))
        stopped = me.sleep(max_share=0.05)
        assert (stopped.state, stopped.changes) == ("stopped", {"supersede": 10})
        assert stopped.why == "more than 10 earlier facts would change"
        assert stopped.waiting == 5
        assert me.sleep().changes == {"supersede": 5}
        assert sum(fact.retired_at is not None for fact in me.store.facts.all()) == 15


def test_an_interrupt_keeps_what_is_decided_and_leaves_the_rest(
    me: Assistant, scripted: FakePlugin, undisturbed: str
) -> None:
    me.add_many(life())

    def press(prompt: Prompt) -> float:
        if "tomato" in prompt.tail:
            raise KeyboardInterrupt
        return judge_by_word(prompt)

    asks(scripted, press)
    report = me.sleep()
    assert (report.state, report.why) == ("interrupted", "it was interrupted")
    assert report.passages > 0
    assert report.waiting > 0
    [run] = me.store.journal.runs()
    assert (run.state, run.report["passages"]) == ("interrupted", report.passages)
    asks(scripted, judge_by_word)
    assert me.sleep().state == "done"
    assert content(me) == undisturbed


@pytest.mark.parametrize("place", [20, 90, 200, 400, 700, 1100, 1600])
def test_an_interrupt_at_any_line_of_code_loses_nothing(me: Assistant, undisturbed: str, place: int) -> None:
    me.add_many(life())
    left = place

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith(("/night.py", "/settle.py", "/journal.py")):
            return None
        left -= event == "line"
        if not left:
            left = -1
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assert me.sleep().state == "interrupted"
    except KeyboardInterrupt:
        assert place == 20, "only before the night has begun"
    finally:
        sys.settrace(before)
    assert left == -1
    assert not me.store.db.conn.in_transaction
    assert me.sleep().state == "done"
    assert content(me) == undisturbed


def test_a_rehearsal_stores_nothing(me: Assistant) -> None:
    me.add_many(life())
    before = content(me)
    report = me.sleep(dry_run=True)
    assert (report.run, report.state, report.waiting) == ("", "done", 0)
    assert report.changes
    assert content(me) == before
    assert me.store.journal.runs() == []
    real = me.sleep()
    assert (real.changes, real.rejected) == (report.changes, report.rejected)


def test_without_a_model_nothing_is_touched(own_home: Path) -> None:
    from secondme.config import Config, ModelsConfig

    with Assistant.open(own_home, config=Config(models=ModelsConfig("", ""))) as me:
        assert me.sleep().state == "done"
        me.add(note("My sister Nora keeps bees.", "2024-01-10"))
        with pytest.raises(NoModel):
            me.sleep()
        assert (me.store.journal.runs(), me.store.digestion.waiting()) == ([], 1)


def test_a_model_that_fails_once_is_asked_again(me: Assistant, scripted: FakePlugin, undisturbed: str) -> None:
    me.add_many(life())
    failures = iter([False, False, True])

    def fail(prompt: Prompt) -> float:
        if next(failures, False):
            raise NoModel("the server is gone")
        return judge_by_word(prompt)

    asks(scripted, fail)
    assert me.sleep().state == "done"
    assert content(me) == undisturbed


def test_a_model_that_fails_twice_ends_the_night_and_the_passages_wait(
    me: Assistant, scripted: FakePlugin, undisturbed: str
) -> None:
    me.add_many(life())

    def fail(prompt: Prompt) -> float:
        if "tomato" in prompt.tail:
            raise NoModel("the server is gone")
        return judge_by_word(prompt)

    asks(scripted, fail)
    with pytest.raises(NoModel, match="the server is gone"):
        me.sleep()
    [run] = me.store.journal.runs()
    assert (run.state, run.report["why"]) == ("failed", "the server is gone")
    assert me.store.digestion.waiting() > 0
    asks(scripted, judge_by_word)
    assert me.sleep().state == "done"
    assert content(me) == undisturbed


def test_a_clock_that_goes_backwards_between_two_nights_changes_no_fact(
    me: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *rest = life()
    me.add(first)
    me.sleep()
    monkeypatch.setenv("SECONDME_NOW", "2021-01-01T00:00:00Z")
    me.add_many(rest)
    assert me.sleep().state == "done"
    timeline = [(fact.value, fact.valid_from) for fact in me.store.facts.about("me", "lives in") if fact.valid_from]
    assert [value for value, _ in sorted(timeline, key=lambda pair: str(pair[1]))] == ["Lisbon", "Porto", "Braga"]
    assert [run.started_at.year for run in me.store.journal.runs()] == [2021, 2024]
    me.undo("r2")
    assert len(me.store.facts.all()) == 2
    assert me.sleep(dry_run=True).state == "done"


def test_thirty_pages_and_pages_of_code_are_read_to_their_end(me: Assistant) -> None:
    pages = "\n\n".join(f"On the way to stop {n} I met Person{n} and bought {n + 3} apples." for n in range(300))
    endless = " ".join(f"and then table {n} went to Nora" for n in range(3000))
    code = "```python\nfor row in range(3):\n    print(row)\n```\n"
    bare = "import os\n\ndef main():\n    return os.remove('x')\n"
    me.add_many(
        [
            note(pages, "2024-01-01"),
            note(endless, "2024-01-02"),
            note(code, "2024-01-03"),
            note(bare, "2024-01-04", uri="main.py", origin="file"),
        ]
    )
    report = me.sleep()
    assert (report.state, report.waiting) == ("done", 0)
    facts = me.store.facts.all()
    assert len([fact for fact in facts if "apples" in fact.text]) == 300
    assert max(len(fact.text) for fact in facts) <= 300
    assert max(len(prompt.tail) for prompt in me.model().prompts) < 1000  # type: ignore[attr-defined]
    assert not [fact for fact in facts if "print" in fact.text or "os." in fact.text]


def test_the_same_fact_five_hundred_times_is_one_fact(me: Assistant) -> None:
    me.add_many(note("My sister Nora keeps bees.", "2024-01-10", uri=f"note:{n}") for n in range(500))
    report = me.sleep()
    assert report.changes == {"keep": 1, "repeat": 499}
    [fact] = me.store.facts.all()
    assert (len(fact.sources), fact.confidence) == (500, 0.99)


def test_a_night_keeps_another_one_away(me: Assistant, scripted: FakePlugin, own_home: Path) -> None:
    from secondme.errors import Locked

    me.add(note("My sister Nora keeps bees.", "2024-01-10"))

    def sleep_too(prompt: Prompt) -> float:
        with open_memory(own_home) as other:
            with pytest.raises(Locked):
                other.sleep()
            with pytest.raises(Locked):
                other.undo("r1")
        return 1.0

    asks(scripted, sleep_too)
    assert me.sleep().state == "done"
    assert os.listdir(me.paths.state)
    assert day("2024-01-10") == me.store.facts.all()[0].valid_from
