"""`secondme search`: what is found, what is explained, and that no question makes it stumble."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran, Run
from fakes import FakePlugin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secondme.assistant import Assistant
from secondme.plugins import load_plugins
from secondme.records import Note

KEYS = {
    "id",
    "kind",
    "text",
    "uri",
    "thread",
    "author",
    "title",
    "happened_at",
    "line_start",
    "line_end",
    "score",
    "arms",
}
MESSAGES = [
    {"text": "Ana moved to Porto in spring", "uri": "chat:1", "thread": "chat", "author": "Ana"},
    {"text": "Ben bought a green bicycle", "uri": "chat:2", "thread": "chat", "author": "Ben"},
    {"text": "the dentist is in Rua Nova", "uri": "diary:1", "thread": "diary", "author": "me"},
]
DAYS = ["2024-03-01T10:00:00Z", "2024-04-01T10:00:00Z", "2024-05-01T10:00:00Z"]


@pytest.fixture
def memory(call: Run) -> Run:
    """Three notes with vectors, and `secondme` to search them with."""

    def call_with_vectors(*arguments: str | Path, env: Mapping[str, str] | None = None, **_: Any) -> Ran:
        return call(*arguments, replies=[], env=env)

    lines = (json.dumps({**message, "happened_at": day}) for message, day in zip(MESSAGES, DAYS, strict=True))
    call("add", "--jsonl", "-", stdin="\n".join(lines), replies=[])
    return call_with_vectors


def test_json_has_the_promised_keys(memory: Run) -> None:
    found = memory("search", "green bicycle", "--json")
    assert set(found.json) == {"v", "matches", "trace"}
    best = found.json["matches"][0]
    assert set(best) == KEYS
    assert (best["id"], best["kind"], best["author"], best["uri"]) == ("n2", "passage", "Ben", "chat:2")
    assert best["happened_at"] == DAYS[1]
    trace = found.json["trace"]
    assert (trace["candidates"], trace["passages"], trace["time"]) == (3, 3, None)
    assert (trace["vectors"], trace["no_vectors"]) == (True, "")
    assert trace["words"] == ["green", "bicycle"]


def test_the_best_match_comes_first_with_id_day_author_and_place(memory: Run) -> None:
    lines = memory("search", "green bicycle").stdout.splitlines()
    assert lines[:2] == ["n2 · 2024-04-01 · Ben · chat:2", "  Ben bought a green bicycle"]


def test_words_need_no_quotes(memory: Run) -> None:
    assert memory("search", "green", "bicycle").stdout == memory("search", "green bicycle").stdout


def test_k_limits_the_matches(memory: Run) -> None:
    assert len(memory("search", "green bicycle", "-k", "1", "--json").json["matches"]) == 1


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (("--since", "2024-04-01"), {"n2", "n3"}),
        (("--until", "2024-04-01"), {"n1", "n2"}),
        (("--until", "2024-03"), {"n1"}),
        (("--since", "2024-04-01", "--until", "2024-04-01"), {"n2"}),
        (("--until", "2024"), {"n1", "n2", "n3"}),
        (("--source", "diary"), {"n3"}),
        (("--author", "ana"), {"n1"}),
        (("--kind", "passage"), {"n1", "n2", "n3"}),
    ],
)
def test_filters_restrict(memory: Run, options: tuple[str, ...], ids: set[str]) -> None:
    found = memory("search", "Porto bicycle dentist", *options, "--json", env={"TZ": "UTC"})
    assert {match["id"] for match in found.json["matches"]} == ids


@pytest.mark.parametrize("options", [("--author", "nobody"), ("--kind", "fact"), ("--since", "2025-01-01")])
def test_nothing_found_is_one_sentence_and_1(memory: Run, options: tuple[str, ...]) -> None:
    found = memory("search", "Porto", *options)
    assert (found.code, found.stdout, found.stderr) == (1, "", "nothing found\n")
    assert memory("search", "Porto", *options, "--json").json["matches"] == []


@pytest.mark.parametrize("options", [("--since", "whenever"), ("--until", "whenever")])
def test_a_filter_that_is_no_date_is_refused(memory: Run, options: tuple[str, ...]) -> None:
    assert memory("search", "Porto", *options).code == 2


@pytest.mark.parametrize("question", ["", "  "])
def test_an_empty_question_is_refused(memory: Run, question: str) -> None:
    found = memory("search", question)
    assert (found.code, found.stderr) == (2, "secondme: the question is empty\n")


@pytest.mark.parametrize("question", ["'\"*()-", "🌧 🌧", "AND OR NOT NEAR", "x" * 100_000, "a\x1b[31mb", "%", "[/b]"])
def test_odd_questions_are_questions(memory: Run, question: str) -> None:
    found = memory("search", "--", question)
    assert found.code in (0, 1)
    assert "Traceback" not in found.stderr


def test_without_an_embedder_words_find_and_the_reason_is_told(memory: Run, call: Run) -> None:
    found = call("search", "green bicycle", "--json").json
    assert found["trace"]["vectors"] is False
    assert "models.embedder" in found["trace"]["no_vectors"]
    assert "n2" in [match["id"] for match in found["matches"]]
    assert "no vectors: no embedder is configured" in call("search", "green bicycle", "--explain").stdout


def test_explain_shows_each_share_the_words_and_the_time(memory: Run) -> None:
    shown = memory("search", "what did Ben buy in April 2024", "--explain").stdout
    assert "words +" in shown
    assert "tokens +" in shown
    assert "named +4.00" in shown
    assert "words: ben, buy, april, 2024" in shown
    assert "time: 'in April 2024' is 2024-04-01" in shown or "time: 'April 2024' is 2024-04-01" in shown
    assert "ranked 3 of 3 passages" in shown


def test_what_was_expected_is_told_its_rank_beside_the_last_one_shown(memory: Run) -> None:
    shown = memory("search", "green bicycle", "-k", "1", "--expect", "n3").stdout
    assert "n3: number " in shown
    assert "of 3; the last one shown is n2, number 1" in shown
    expected = memory("search", "green bicycle", "-k", "1", "--expect", "n3", "--json").json["expected"]
    assert expected["rank"] in (2, 3)
    assert expected["last"] == "n2"
    assert expected["score"] < expected["last_score"]
    assert set(expected["arms"]) == set(expected["last_arms"]) != set()
    assert "n2: number 1 of 3; shown" in memory("search", "green bicycle", "--expect", "n2").stdout


@pytest.mark.parametrize(
    ("options", "named"),
    [(("--author", "Ben"), "--author"), (("--since", "2024-04-15"), "--since"), (("--source", "diary"), "--source")],
)
def test_what_a_filter_leaves_out_is_told_which_one(memory: Run, options: tuple[str, ...], named: str) -> None:
    assert f"n1: left out by {named}\n" in memory("search", "Porto", *options, "--expect", "n1").stdout


def test_an_earlier_version_is_told_which_one_is_current(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("green tea", encoding="utf-8")
    call("add", path)
    path.write_text("black tea", encoding="utf-8")
    call("add", path)
    assert "n1: an earlier version of n2" in call("search", "tea", "--expect", "n1").stdout


def test_expecting_what_does_not_exist_is_not_found(memory: Run) -> None:
    found = memory("search", "Porto", "--expect", "n99")
    assert (found.code, found.stdout) == (1, "")
    assert "there is no n99" in found.stderr


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=st.text(min_size=1).filter(lambda text: bool(text.strip())))
def test_no_question_makes_search_raise(question: str, own_home: Path, scripted: FakePlugin) -> None:
    plugins = load_plugins(installed=False)
    plugins.register(scripted, "fake")
    with Assistant.open(own_home, plugins=plugins) as me:
        me.add_many([Note(text, uri=text) for text in ("Ana moved to Porto", 'ben\'s "green" bicycle (*)')])
        assert len(me.recall(question)) <= 2


def test_an_embedder_that_cannot_be_used_is_said(memory: Run) -> None:
    found = memory("search", "Porto", env={"SECONDME_MODELS_EMBEDDER": "/nowhere/embedder.gguf"})
    assert "found by words only for now: " in found.stderr
