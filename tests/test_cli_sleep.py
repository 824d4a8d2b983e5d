"""`secondme sleep`, `sleep status`, `sleep report`, `log` and `undo`: what a night says, and taking it back."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran, Run
from fakes import FakePlugin
from nights import exported
from test_cli_terminal import on_terminal

from secondme.assistant import Assistant
from secondme.errors import NoModel
from secondme.models.protocols import Prompt

STORY = [
    ("2024-01-10", "I live in Lisbon."),
    ("2024-06-05", "I moved to Porto."),
    ("2024-07-01", "Until last December I lived in Braga."),
]
TABLES = ("memories", "evidence", "conflicts", "memory_tokens", "memory_words")
KEYS = {
    "v",
    "run",
    "state",
    "why",
    "changes",
    "rejected",
    "calls",
    "tokens",
    "held",
    "tokens_sent",
    "tokens_evaluated",
    "tokens_written",
    "seconds",
    "passages",
    "waiting",
}
FAKES = {"SECONDME_MODELS_LANGUAGE": "scripted"}


@pytest.fixture
def memory(call: Run) -> Run:
    """Three places to live, told in three notes, not slept over, and `secondme` with the fake models."""

    def call_with_models(
        *arguments: str | Path, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None, **_: Any
    ) -> Ran:
        return call(*arguments, stdin=stdin, replies=[], env=env)

    tell(call_with_models, STORY)
    return call_with_models


def tell(call: Run, story: list[tuple[str, str]], *authors: str) -> None:
    """Add what each of the authors says on these days."""
    lines = [
        exported(text, day, uri=f"diary:{author}{day}:{text[:9]}", author=author)
        for author in authors or ("me",)
        for day, text in story
    ]
    call("import", "-", stdin="\n".join(lines))


def without_seconds(report: Any) -> Any:
    """A report but for the time it took, which goes on while it is written."""
    return {name: value for name, value in report.items() if name != "seconds"}


def dump(home: Path) -> dict[str, Any]:
    """All that facts are made of, with what the word index has of them."""
    with Assistant.open(home) as me:
        me.store.index.check()
        return {table: me.store.db.conn.execute(f"select * from {table}").fetchall() for table in TABLES}


def move_everybody(call: Run) -> None:
    """A night over twelve homes, and twelve notes that change them all."""
    people = ("Ana", "Ben", "Cleo", "Dora", "Emil", "Frida", "Gus", "Hanna", "Ida", "Jon", "Karl", "Lena")
    tell(call, [("2024-02-01", "I live in Lisbon.")], *people)
    assert call("sleep", "--json").json["changes"]["keep"] >= 12
    tell(call, [("2024-08-01", "I moved to Porto.")], *people)


def test_a_night_tells_in_json_what_it_did(memory: Run) -> None:
    done = memory("sleep", "--json")
    assert (done.code, set(done.json)) == (0, KEYS)
    assert (done.json["v"], done.json["run"], done.json["state"], done.json["why"]) == (1, "r1", "done", "")
    assert done.json["changes"] == {"keep": 2, "supersede": 1}
    assert (done.json["passages"], done.json["waiting"]) == (3, 0)


def test_a_night_tells_in_words_what_it_did_and_report_tells_the_same(memory: Run) -> None:
    tell(
        memory,
        [("2024-08-01", "Ines and Tom walked along the river for 3 hours. Ines sang chatter at the market on Sunday.")],
    )
    told = memory("sleep").stdout
    rows = dict(re.split(r" {2,}", line.strip(), maxsplit=1) for line in told.splitlines())
    assert rows["r1 done"].startswith("4 passages read in ")
    assert (rows["facts kept"], rows["superseded"], rows["repeated"], rows["conflicting"]) == ("3", "1", "0", "0")
    assert (rows["rejected"], rows["not worth keeping"]) == ("1", "1")
    assert rows["calls"] == "2"
    assert rows["tokens"].endswith(" sent, 0 written")
    assert rows["waiting"] == "0"
    again = memory("sleep", "report").stdout
    assert re.sub(r"seconds.*", "", again) == re.sub(r"seconds.*", "", told)


def test_a_report_in_json_is_that_of_the_night(memory: Run) -> None:
    done = without_seconds(memory("sleep", "--json").json)
    assert without_seconds(memory("sleep", "report", "r1", "--json").json) == done
    assert without_seconds(memory("sleep", "report", "--json").json) == done
    assert memory("sleep", "report", "r9").code == 1
    assert memory("sleep", "report", "m1").code == 2


def test_a_second_night_says_that_nothing_waits(memory: Run) -> None:
    memory("sleep")
    again = memory("sleep")
    assert (again.code, again.stdout) == (0, "nothing waits, nothing is changed\n")
    assert memory("sleep", "--json").json["changes"] == {}


def test_a_night_without_a_fact_says_that_nothing_changed(call: Run) -> None:
    call("add", "Ines sang chatter at the market on Sunday.")
    done = call("sleep", replies=[])
    assert done.code == 0
    assert ", nothing changed\n" in done.stdout


def test_a_dry_run_shows_the_changes_with_their_lines_and_stores_nothing(memory: Run, own_home: Path) -> None:
    before = dump(own_home)
    shown = memory("sleep", "--dry-run")
    assert shown.code == 0
    lines = shown.stdout.splitlines()
    assert lines[:5] == [
        "+ m1 I live in Lisbon.",
        "    n1 · 2024-01-10 · me · diary:me2024-01-10:I live in “I live in Lisbon.”",
        "+ m2 I moved to Porto.",
        "    n2 · 2024-06-05 · me · diary:me2024-06-05:I moved t “I moved to Porto.”",
        "~ m1 → m2  I live in Lisbon.",
    ]
    assert "nothing was stored" in shown.stderr
    assert dump(own_home) == before
    assert memory("log", "--json").json["runs"] == []
    found = memory("sleep", "--dry-run", "--json").json
    assert (found["run"], found["waiting"], found["changes"]) == ("", 3, {"keep": 2, "supersede": 1})
    assert [(one["verb"], one["fact"], one["replaces"]) for one in found["change_set"]] == [
        ("keep", "m1", []),
        ("supersede", "m2", ["m1"]),
        ("keep", "m3", []),
    ]
    # What was shown is what comes.
    memory("sleep")
    stored = memory("log", "--run", "r1", "--json").json["changes"]
    assert [one["fact"] for one in stored[::-1]] == ["m1", "m2", "m3"]


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        (("--max-changes", "1"), "the 1 changes are made"),
        (("--budget-seconds", "0"), "the 0 seconds are up"),
        (("--budget-tokens", "0"), "the 0 tokens are spent"),
    ],
)
def test_a_night_stops_at_its_limits_and_the_next_goes_on(memory: Run, limit: tuple[str, str], why: str) -> None:
    done = memory("sleep", *limit, "--json")
    assert (done.code, done.json["state"], done.json["why"]) == (0, "stopped", why)
    assert done.json["waiting"]
    assert memory("sleep", "--json").json["waiting"] == 0
    assert [fact["text"] for fact in memory("facts", "--json").json["facts"]] == ["I moved to Porto."]


def test_without_a_model_the_way_out_is_named_and_the_notes_wait(memory: Run, call: Run) -> None:
    done = call("sleep")
    assert (done.code, done.stdout) == (13, "")
    assert "no language model is configured" in done.stderr
    assert "secondme model pull" in done.stderr
    assert "lose nothing" in done.stderr
    assert "--no-llm" not in done.stderr
    assert call("sleep", "status", "--json").json["waiting"] == 3


def test_ctrl_c_keeps_and_reports_what_was_decided(memory: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(prompt: Prompt) -> float:
        raise KeyboardInterrupt

    for number in range(8):
        tell(memory, [("2024-09-01", f"Ines and Tom walked along the river for {number + 2} hours.")])
    with monkeypatch.context() as patch:
        patch.setattr("fakes.judge_by_word", press)
        done = memory("sleep")
    assert done.code == 130
    assert done.stdout.startswith("r1 interrupted")
    found = memory("sleep", "status", "--json").json
    assert (found["last"]["state"], found["waiting"] > 0) == ("interrupted", True)
    assert memory("sleep", "--json").json["waiting"] == 0


def test_a_model_that_dies_ends_the_night_with_the_reason(memory: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(prompt: Prompt) -> float:
        raise NoModel("the engine stopped")

    tell(memory, [("2024-09-01", "Ines and Tom walked along the river for 3 hours.")])
    with monkeypatch.context() as patch:
        patch.setattr("fakes.judge_by_word", die)
        done = memory("sleep")
    assert done.code == 13
    assert "the engine stopped" in done.stdout + done.stderr
    assert memory("sleep", "status", "--json").json["last"]["state"] == "failed"


def test_a_night_that_would_change_too_much_says_what_to_do(memory: Run) -> None:
    move_everybody(memory)
    done = memory("sleep")
    assert done.code == 3
    assert "more than 10 earlier facts would change" in done.stdout
    assert "secondme sleep --yes" in done.stderr
    done = memory("sleep", "--yes", "--json")
    assert (done.code, done.json["state"], done.json["waiting"]) == (0, "done", 0)


@pytest.mark.parametrize(("typed", "code", "left"), [("y\n", 0, 0), ("n\n", 3, 2)])
def test_a_night_that_would_change_too_much_asks(memory: Run, typed: str, code: int, left: int, tmp_path: Path) -> None:
    move_everybody(memory)
    settings = {**FAKES, "SECONDME_SCRIPT": str(tmp_path / "script.jsonl")}
    done, screen = on_terminal("sleep", typed=typed, env=settings)
    assert (done, "go on? [y/N]" in screen) == (code, True)
    assert memory("sleep", "status", "--json").json["waiting"] == left


def test_status_tells_what_waits_what_was_last_and_why_not(memory: Run, call: Run, own_home: Path) -> None:
    assert memory("sleep", "status").stdout.splitlines() == [
        "waiting   3 passages",
        "last      none yet",
        "next      when you run secondme sleep",
    ]
    memory("sleep")
    found = memory("sleep", "status", "--json").json
    assert (found["v"], found["waiting"], found["why_not"]) == (1, 0, ["nothing waits"])
    assert (found["last"]["run"], found["last"]["state"], found["last"]["changes"]) == ("r1", "done", 3)
    assert "no language model is configured" in call("sleep", "status").stdout
    absent = call("sleep", "status", env={"SECONDME_MODELS_LANGUAGE": "/nowhere/model.gguf"}).stdout
    assert "why not   there is no model file at /nowhere/model.gguf\n" in absent


def test_a_night_that_a_crash_ended_is_not_told_as_running(memory: Run, own_home: Path) -> None:
    memory("sleep", "--max-changes", "1")
    with Assistant.open(own_home) as me, me.store.writing():
        me.store.db.conn.execute("update runs set state = 'running', ended_at = null")
    assert memory("sleep", "status", "--json").json["last"]["state"] == "interrupted"
    lock = own_home / "state" / "sleep.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert memory("sleep", "status", "--json").json["last"]["state"] == "running"


def test_while_another_one_sleeps_nobody_else_does(memory: Run, own_home: Path) -> None:
    memory("sleep", "--max-changes", "1")
    [lock] = own_home.rglob("sleep.lock")
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "another secondme is asleep" in memory("sleep", "status").stdout
        for arguments in (("sleep",), ("undo", "r1", "--yes"), ("review", "--reject", "c1")):
            done = memory(*arguments)
            assert (done.code, "another secondme is asleep" in done.stderr) == (11, True)


def test_the_log_lists_nights_and_changes_the_last_first(memory: Run) -> None:
    assert "it has not slept yet" in memory("log").stderr
    memory("sleep", "--max-changes", "2")
    memory("sleep")
    lines = memory("log").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["r2", "c3", "r1", "c2", "c1"]
    assert lines[3] == "  c2 · supersede m2 · I moved to Porto. · m1 → m2"
    assert lines[2].endswith(" · stopped · scripted · 2 changes")
    found = memory("log", "--json").json
    assert set(found) == {"v", "runs", "changes"}
    assert [run["id"] for run in found["runs"]] == ["r2", "r1"]
    assert [change["id"] for change in found["changes"]] == ["c3", "c2", "c1"]
    assert set(found["changes"][0]) >= {"id", "run", "verb", "fact", "text", "made_at", "undone_at", "review"}


def test_the_log_can_be_cut_and_be_of_one_night(memory: Run) -> None:
    memory("sleep", "--max-changes", "2")
    memory("sleep")
    short = memory("log", "-n", "1")
    assert [line.split()[0] for line in short.stdout.splitlines()] == ["r2", "c3"]
    assert "1 of 3 changes" in short.stderr
    assert [change["id"] for change in memory("log", "--run", "r1", "--json").json["changes"]] == ["c2", "c1"]
    assert memory("log", "--run", "r7").code == 1


def test_the_log_marks_what_became_of_changes(memory: Run) -> None:
    memory("sleep")
    memory("review", "--accept", "c1", "--reject", "c3")
    memory("undo", "c2")
    lines = memory("log").stdout.splitlines()[1:]
    assert lines == [
        "  c3 · keep m3 · rejected",
        "  c2 · supersede m2 · undone",
        "  c1 · keep m1 · I live in Lisbon. · accepted",
    ]


def test_undoing_a_night_is_exact_and_the_notes_wait_again(memory: Run, own_home: Path) -> None:
    memory("search", "Porto")
    before = dump(own_home)
    memory("sleep")
    assert dump(own_home) != before
    undone = memory("undo", "r1", "--yes")
    assert (undone.code, undone.stdout.splitlines()[0]) == (0, "took back r1: 3 changes")
    assert undone.stdout.splitlines()[2] == "  c2 · supersede m2 · I moved to Porto. · m1 → m2"
    assert dump(own_home) == before
    assert memory("sleep", "status", "--json").json["waiting"] == 3
    assert memory("undo", "r1", "--yes").code == 2


def test_undoing_a_change_needs_no_question_and_is_exact(memory: Run, own_home: Path) -> None:
    memory("sleep", "--max-changes", "1")
    before = dump(own_home)
    memory("sleep", "--max-changes", "1")
    undone = memory("undo", "c2")
    assert (undone.code, undone.stdout) == (0, "took back c2\n  c2 · supersede m2 · I moved to Porto. · m1 → m2\n")
    assert dump(own_home) == before


def test_what_something_rests_on_is_not_undone_alone(memory: Run, own_home: Path) -> None:
    memory("sleep")
    before = dump(own_home)
    refused = memory("undo", "c1")
    assert (refused.code, refused.stdout) == (2, "")
    assert "c2 rest on c1" in refused.stderr
    assert dump(own_home) == before


def test_undoing_a_night_asks_or_refuses(memory: Run, own_home: Path) -> None:
    memory("sleep")
    before = dump(own_home)
    refused = memory("undo", "r1")
    assert (refused.code, refused.stdout) == (2, "")
    assert "secondme undo r1 --yes" in refused.stderr
    code, screen = on_terminal("undo", "r1", typed="n\n")
    assert (code, "take back 3 changes of r1? [y/N]" in screen, "nothing was taken back" in screen) == (1, True, True)
    assert dump(own_home) == before
    assert on_terminal("undo", "r1", typed="y\n")[0] == 0
    assert memory("facts").code == 1


@pytest.mark.parametrize(("id", "code"), [("r9", 1), ("c9", 1), ("m1", 2), ("n1", 2), ("r", 2), ("", 2)])
def test_what_is_no_run_and_no_change_is_not_undone(memory: Run, id: str, code: int) -> None:
    memory("sleep")
    assert memory("undo", id, "--yes").code == code


def test_progress_and_colours_are_for_terminals(memory: Run, tmp_path: Path) -> None:
    settings = {**FAKES, "SECONDME_SCRIPT": str(tmp_path / "script.jsonl")}
    _, screen = on_terminal("sleep", env=settings)
    assert "passages: 3 of 3" in screen
    assert "\x1b[1mc1\x1b[0m" in on_terminal("log", env={"NO_COLOR": ""})[1]
    assert "\x1b[1mm2\x1b[0m" in on_terminal("facts", env={"NO_COLOR": ""})[1]
    assert "\x1b" not in on_terminal("facts", env={"NO_COLOR": "1"})[1]
    assert "\x1b" not in on_terminal("log", "--plain", env={"NO_COLOR": ""})[1]


def test_terminal_codes_in_notes_do_not_reach_the_screen(call: Run, scripted: FakePlugin) -> None:
    call("add", "I moved to \x1b[31mPorto\x1b[0m last May.", replies=[])
    for command in (("sleep", "--dry-run"), ("sleep",), ("log",), ("facts",), ("review",), ("history", "m1")):
        assert "\x1b" not in call(*command, replies=[]).stdout
