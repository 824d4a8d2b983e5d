"""`secondme review`: every change with its lines, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran, Run
from nights import exported
from test_cli_terminal import on_terminal

STORY = [
    ("2024-01-10", "I live in Lisbon."),
    ("2024-06-05", "I moved to Porto."),
    ("2024-07-01", "Until last December I lived in Braga."),
]


@pytest.fixture
def memory(call: Run) -> Run:
    """Three places to live, slept over, and `secondme` with the fake models."""

    def call_with_models(
        *arguments: str | Path, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None, **_: Any
    ) -> Ran:
        return call(*arguments, stdin=stdin, replies=[], env=env)

    call_with_models("import", "-", stdin="\n".join(exported(text, day, uri=f"diary:{day}") for day, text in STORY))
    call_with_models("sleep")
    return call_with_models


def reviews(memory: Run) -> dict[str, str]:
    """What is marked on each change."""
    return {change["id"]: change["review"] for change in memory("log", "-n", "0", "--json").json["changes"]}


def now(memory: Run) -> list[str]:
    return [fact["text"] for fact in memory("facts", "--json").json["facts"]]


def test_without_a_terminal_the_changes_are_listed_with_their_lines(memory: Run) -> None:
    shown = memory("review")
    assert shown.code == 0
    lines = shown.stdout.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("c2 "))
    assert lines[start].startswith("c2 (2 of 3) supersede: ")
    assert lines[start + 1 : start + 8] == [
        "  m2 · episodic · evidence · since 2024-06-05 · 80% sure",
        "    I moved to Porto.",
        "      n2 · 2024-06-05 · me · diary:2024-06-05 “I moved to Porto.”",
        "  in the place of",
        "  m1 · semantic · evidence · 2024-01-10 to 2024-06-05 · 80% sure · superseded by m2",
        "    I live in Lisbon.",
        "      n1 · 2024-01-10 · me · diary:2024-01-10 “I live in Lisbon.”",
    ]
    assert reviews(memory) == {"c1": "", "c2": "", "c3": ""}


def test_json_lists_what_is_not_reviewed(memory: Run) -> None:
    memory("review", "--accept", "c1")
    found = memory("review", "--json").json
    assert (found["v"], found["run"]) == (1, "r1")
    assert [(change["id"], change["replaces"]) for change in found["changes"]] == [("c2", ["m1"]), ("c3", [])]


def test_a_conflict_is_reviewed_with_the_other_side(memory: Run) -> None:
    memory("add", "--at", "2024-08-01", "I work at Acme.")
    memory("add", "--at", "2024-08-01", "I work at Globex.")
    memory("sleep")
    [conflict] = [change for change in memory("review", "--json").json["changes"] if change["verb"] == "conflict"]
    assert conflict["conflicts"] == ["m4"]
    shown = memory("review").stdout
    assert "  against\n  m4 · " in shown
    assert "“I work at Acme.”" in shown.partition("  against\n")[2]


def test_changes_are_accepted_and_rejected_by_their_ids(memory: Run) -> None:
    done = memory("review", "--accept", "c3, c1", "--reject", "c2", "--json")
    assert (done.code, done.json) == (0, {"v": 1, "accepted": ["c3", "c1"], "rejected": ["c2"]})
    assert reviews(memory) == {"c1": "accepted", "c2": "rejected", "c3": "accepted"}
    assert now(memory) == ["I live in Lisbon."]
    left = memory("review")
    assert (left.code, left.stdout) == (0, "")
    assert "nothing is left to review in r1" in left.stderr


def test_what_rests_on_each_other_is_rejected_together(memory: Run) -> None:
    assert memory("review", "--reject", "c1,c2").stdout == "c1 rejected\nc2 rejected\n"
    assert now(memory) == []


def test_a_rejected_fact_does_not_come_back_with_the_next_night(memory: Run) -> None:
    memory("review", "--reject", "c2")
    memory("undo", "r1", "--yes")
    memory("sleep")
    assert now(memory) == ["I live in Lisbon."]


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("--accept", "c1,c9"), 1, "there is no c9"),
        (("--accept", "c1", "--reject", "m1"), 2, "'m1' is not the id of a change"),
        (("--accept", "c1", "--reject", "c1"), 2, "c1 cannot be both"),
        (("r1", "--accept", "c1"), 2, "either a run"),
        (("--reject", "c1"), 2, "c2 rest on c1"),
        (("r9",), 1, "there is no r9"),
        (("--reject", ","), 2, "no change is named"),
    ],
)
def test_what_cannot_be_decided_changes_nothing(memory: Run, arguments: tuple[str, ...], code: int, why: str) -> None:
    refused = memory("review", *arguments)
    assert (refused.code, refused.stdout, why in refused.stderr) == (code, "", True)
    assert reviews(memory) == {"c1": "", "c2": "", "c3": ""}


def test_before_the_first_night_there_is_nothing_to_review(call: Run) -> None:
    call("add", "tea")
    refused = call("review")
    assert (refused.code, "secondme sleep" in refused.stderr) == (1, True)


def test_on_a_terminal_each_change_is_asked_about(memory: Run) -> None:
    code, screen = on_terminal("review", typed="a\nr\ns\n")
    assert code == 0
    assert screen.count("accept, reject, edit, skip or quit? [a/r/e/s/q]") == 3
    assert "1 accepted, 1 rejected, 1 change left to review" in screen
    assert reviews(memory) == {"c1": "accepted", "c2": "rejected", "c3": ""}
    assert now(memory) == ["I live in Lisbon."]


def test_leaving_keeps_what_was_decided(memory: Run) -> None:
    code, screen = on_terminal("review", typed="a\nq\n")
    assert (code, "1 accepted, 2 changes left to review" in screen) == (0, True)
    assert reviews(memory) == {"c1": "accepted", "c2": "", "c3": ""}


def test_an_edit_asks_for_the_words_and_can_be_undone(memory: Run) -> None:
    code, screen = on_terminal("review", typed="s\ne\nI moved to Porto for good.\nq\n")
    assert (code, "m4 stands in the place of m2; undo it with: secondme undo c4" in screen) == (0, True)
    assert "1 edited, 2 changes left to review" in screen
    assert now(memory) == ["I moved to Porto for good."]
    assert memory("log").stdout.splitlines()[1] == "  c4 · edit m4 · I moved to Porto for good. · m2 → m4 · accepted"
    assert memory("undo", "c4").code == 0
    assert now(memory) == ["I moved to Porto."]


def test_an_answer_that_does_not_do_is_asked_for_again(memory: Run) -> None:
    code, screen = on_terminal("review", typed="x\nr\ne\n\na\nq\n")
    assert code == 0
    assert "a accepts it, r takes it back for good" in screen
    assert "c2 rest on c1; secondme undo c2" in screen
    assert "the fact is empty" in screen
    assert reviews(memory) == {"c1": "accepted", "c2": "", "c3": ""}
