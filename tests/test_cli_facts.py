"""`secondme facts` and `history`, facts by their ids, and what was so as of a day."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran, Run
from nights import exported
from sqlcipher3 import dbapi2

from secondme.errors import UsageError
from secondme.store.schema import backups

STORY = [
    ("2024-01-10", "I live in Lisbon."),
    ("2024-06-05", "I moved to Porto."),
    ("2024-07-01", "Until last December I lived in Braga."),
]
KEYS = {
    "id",
    "kind",
    "stance",
    "text",
    "subject",
    "attribute",
    "value",
    "valid_from",
    "valid_to",
    "recorded_at",
    "retired_at",
    "superseded_by",
    "conflicts",
    "confidence",
    "trust",
    "sources",
}
SOURCE_KEYS = {"id", "uri", "line_start", "line_end", "quote", "author", "happened_at", "origin", "trust"}


@pytest.fixture
def memory(call: Run) -> Run:
    """Three places to live, slept over, and `secondme` with the fake models."""

    def call_with_models(
        *arguments: str | Path, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None, **_: Any
    ) -> Ran:
        return call(*arguments, stdin=stdin, replies=[], env=env)

    tell(call_with_models, STORY)
    call_with_models("sleep")
    return call_with_models


def tell(call: Run, story: list[tuple[str, str]]) -> None:
    lines = [exported(text, day, uri=f"diary:{number}:{day}") for number, (day, text) in enumerate(story)]
    call("import", "-", stdin="\n".join(lines))


def texts(found: Ran) -> list[str]:
    return [fact["text"] for fact in found.json["facts"]]


def test_json_has_the_promised_keys(memory: Run) -> None:
    found = memory("facts", "--json").json
    assert set(found) == {"v", "facts"}
    [fact] = found["facts"]
    assert set(fact) == KEYS
    assert (fact["id"], fact["kind"], fact["stance"], fact["confidence"]) == ("m2", "episodic", "evidence", 0.8)
    assert (fact["subject"], fact["attribute"], fact["value"]) == ("me", "lives in", "Porto")
    assert (fact["valid_from"], fact["valid_to"], fact["superseded_by"]) == ("2024-06-05T12:00:00Z", None, "")
    [source] = fact["sources"]
    assert set(source) == SOURCE_KEYS
    assert (source["id"], source["uri"], source["quote"]) == ("n2", "diary:1:2024-06-05", "I moved to Porto.")
    assert (source["line_start"], source["line_end"], source["origin"]) == (1, 1, "chat")


def test_a_fact_is_shown_with_all_that_is_known_of_it(memory: Run) -> None:
    assert memory("facts").stdout.splitlines() == [
        "m2 · episodic · evidence · since 2024-06-05 · 80% sure",
        "  I moved to Porto.",
        "    n2 · 2024-06-05 · me · diary:1:2024-06-05 “I moved to Porto.”",
    ]


@pytest.mark.parametrize(
    ("as_of", "held"),
    [
        ("2023-05-01", ["Until last December [December 2023] I lived in Braga."]),
        ("2024-01-09", []),
        ("2024-01-10", ["I live in Lisbon."]),
        ("2024-03", ["I live in Lisbon."]),
        ("2024-06-04", ["I live in Lisbon."]),
        ("2024-06-05", ["I moved to Porto."]),
        ("2024-06-05T11:00:00Z", ["I live in Lisbon."]),
        ("2024", ["I moved to Porto."]),
        ("today", ["I moved to Porto."]),
    ],
)
def test_what_held_as_of_a_day_that_day_included(memory: Run, as_of: str, held: list[str]) -> None:
    found = memory("facts", "--as-of", as_of, "--json", env={"TZ": "UTC"})
    assert (texts(found), found.code) == (held, 0 if held else 1)


def test_what_begins_at_midnight_does_not_hold_the_day_before(memory: Run) -> None:
    memory("add", "--at", "2024-09-01", "I moved to Faro.")
    memory("sleep")
    assert texts(memory("facts", "--as-of", "2024-08-31", "--json")) == ["I moved to Porto."]
    assert texts(memory("facts", "--as-of", "2024-09-01", "--json")) == ["I moved to Faro."]


@pytest.mark.parametrize("command", [("facts",), ("search", "Porto"), ("ask", "Porto?", "--no-llm")])
def test_what_is_no_date_is_refused(memory: Run, command: tuple[str, ...]) -> None:
    refused = memory(*command, "--as-of", "gibberish")
    assert (refused.code, "not a date or time" in refused.stderr) == (2, True)


def test_facts_about_something_come_best_first(memory: Run) -> None:
    tell(memory, [("2024-08-01", "Nora has two green bicycles in the cellar.")])
    memory("sleep")
    assert texts(memory("facts", "--about", "green bicycles", "--json"))[0].startswith("Nora has two green bicycles")
    assert texts(memory("facts", "--about", "live in Lisbon", "--as-of", "2024-03-01", "--json"))[0] == STORY[0][1]


def test_all_facts_are_those_that_hold_no_longer_as_well(memory: Run) -> None:
    assert len(texts(memory("facts", "--all", "--json"))) == 3
    assert texts(memory("facts", "--all", "--about", "Lisbon", "--json")) == ["I live in Lisbon."]
    assert "2024-01-10 to 2024-06-05 · 80% sure · superseded by m2\n" in memory("facts", "--all").stdout


def test_a_list_that_is_cut_says_so(memory: Run) -> None:
    short = memory("facts", "--all", "-n", "2")
    assert short.stdout.count("% sure") == 2
    assert "2 of 3 facts" in short.stderr
    assert memory("facts", "--all", "-n", "0").stderr == ""


def test_no_fact_is_nothing_found(call: Run) -> None:
    call("add", "tea")
    found = call("facts")
    assert (found.code, found.stdout) == (1, "")
    assert "1 passage for secondme sleep to read" in found.stderr
    assert call("facts", "--json").json == {"v": 1, "facts": []}


def test_a_conflict_is_shown_from_both_sides(memory: Run) -> None:
    tell(memory, [("2024-08-01", "I work at Acme."), ("2024-08-01", "I work at Globex.")])
    memory("sleep")
    both = [fact for fact in memory("facts", "--json").json["facts"] if fact["attribute"] == "works at"]
    assert [(fact["id"], fact["conflicts"]) for fact in both] == [("m5", ["m4"]), ("m4", ["m5"])]
    assert memory("facts").stdout.count(" · against m") == 2
    assert "! m4 against m5" not in memory("log").stdout


def test_the_history_of_a_fact_is_in_the_order_of_time(memory: Run) -> None:
    for id in ("m1", "m2", "m3"):
        found = memory("history", id, "--json").json
        assert (found["v"], found["id"]) == (1, id)
        assert [fact["value"] for fact in found["facts"]] == ["Braga", "Lisbon", "Porto"]
    heads = memory("history", "m2").stdout.splitlines()[::3]
    assert [head.split(" · ")[3] for head in heads] == [
        "until 2024-01-01",
        "2024-01-10 to 2024-06-05",
        "since 2024-06-05",
    ]


@pytest.mark.parametrize(("id", "code"), [("m9", 1), ("n1", 2), ("m", 2), ("9", 2)])
def test_the_history_of_what_is_no_fact_is_one_line(memory: Run, id: str, code: int) -> None:
    found = memory("history", id)
    assert (found.code, found.stdout, id in found.stderr) == (code, "", True)


def test_search_as_of_a_day_knows_nothing_of_later(memory: Run) -> None:
    found = {
        match["id"] for match in memory("search", "where do I live", "--as-of", "2024-03-01", "--json").json["matches"]
    }
    assert {"n1", "m1"} <= found
    assert not {"n2", "m2"} & found
    now = {match["id"] for match in memory("search", "where do I live", "--json").json["matches"]}
    assert {"n1", "n2", "m2"} <= now
    assert "m1" not in now
    why = memory("search", "Porto", "--as-of", "2024-03-01", "--expect", "n2").stdout
    assert "n2: left out by --as-of\n" in why


def test_ask_as_of_a_day_answers_from_what_was_known(memory: Run) -> None:
    shown = memory("ask", "where do I live?", "--no-llm", "--as-of", "2024-03-01").stdout
    assert "Lisbon" in shown
    assert "Porto" not in shown
    assert "Porto" in memory("ask", "where do I live?", "--no-llm").stdout


def test_show_takes_ids_of_facts_and_notes(memory: Run) -> None:
    shown = memory("show", "m2", "n1").stdout
    assert shown.startswith("m2 · episodic · ")
    assert "“I moved to Porto.”" in shown
    assert shown.endswith("I live in Lisbon.\n")
    found = memory("show", "m2", "n1", "--json").json
    assert ([fact["id"] for fact in found["facts"]], [note["id"] for note in found["notes"]]) == (["m2"], ["n1"])
    assert memory("show", "m9").code == 1


def test_open_of_a_fact_is_at_its_line(memory: Run, tmp_path: Path) -> None:
    (tmp_path / "tea.md").write_text(
        "# Tea\n\nSome words.\n\nNora has two green bicycles in the cellar.\n", encoding="utf-8"
    )
    memory("add", tmp_path / "tea.md")
    memory("sleep")
    [fact] = memory("facts", "--about", "bicycles", "-n", "1", "--json").json["facts"]
    (tmp_path / "vim").write_text(
        f'#!{sys.executable}\nimport sys\nopen("{tmp_path}/log", "w").write(" ".join(sys.argv[1:]))\n'
    )
    os.chmod(tmp_path / "vim", 0o700)
    assert memory("open", fact["id"], env={"EDITOR": str(tmp_path / "vim")}).code == 0
    assert (tmp_path / "log").read_text() == f"+5 {tmp_path}/tea.md"


def test_a_fact_is_not_forgotten_alone(memory: Run) -> None:
    refused = memory("forget", "m2", "--yes")
    assert (refused.code, refused.stdout) == (UsageError.exit_code, "")
    assert "m2 is a fact, and facts go with their notes" in refused.stderr
    assert "secondme forget n2" in refused.stderr
    assert "secondme review --reject c2" in refused.stderr


def test_forgetting_a_note_names_the_facts_and_copies_that_go(memory: Run, own_home: Path) -> None:
    [copy] = backups(own_home / "memory.db")
    planned = memory("forget", "n2", "--dry-run").stdout
    assert planned.startswith("would remove n2: 1 passage\n")
    assert "  1 fact: m2\n" in planned
    assert f"  in the copy of the memory at {copy}: 1 version\n" in planned
    assert b"Porto" in copy.read_bytes()
    assert "  1 fact: m2\n" in memory("forget", "n2", "--yes").stdout
    assert b"Porto" not in copy.read_bytes()
    assert texts(memory("facts", "--json")) == ["I live in Lisbon."]


def test_stats_count_facts(memory: Run) -> None:
    found = memory("stats", "--json").json
    assert (found["facts"], found["retired_facts"]) == (2, 1)
    rows = memory("stats").stdout
    assert "facts             2\n" in rows
    assert "retired facts     1\n" in rows


def test_an_older_memory_is_brought_up_to_date_and_says_where_the_copy_is(call: Run, own_home: Path) -> None:
    call("add", "tea")
    database = dbapi2.connect(str(own_home / "memory.db"))
    [(migrations,)] = database.execute("select name from sqlite_master where name like '%migrations'").fetchall()
    tables = "evidence conflicts memory_words memory_tokens changes rejections digested topics memories runs"
    for table in tables.split():
        database.execute(f"drop table {table}")
    database.execute("drop index notes_thread")
    database.execute(f"delete from {migrations} where name like 'm002%'")
    database.commit()
    database.close()
    first = call("list")
    assert (first.code, "tea" in first.stdout) == (0, True)
    [copy] = backups(own_home / "memory.db")
    assert f"it is in {copy}\n" in first.stderr
    assert call("list").stderr == ""
