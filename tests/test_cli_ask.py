"""`secondme ask`: an answer as it comes, its sources, and what happens without a model or an answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run
from plugin_files import write_plugin

from secondme.models.prompts import NOT_IN_MEMORY

QUESTION = "Where did Ana move in spring?"


@pytest.fixture
def memory(call: Run) -> Run:
    """One message of March and one of April, with vectors, and `secondme` to ask."""
    ana = {"text": "Ana moved to Porto in spring", "uri": "chat:1", "happened_at": "2024-03-01T10:00:00Z"}
    ben = {"text": "Ben bought a bicycle", "uri": "chat:2", "happened_at": "2024-04-01T10:00:00Z"}
    call("add", "--jsonl", "-", stdin=f"{json.dumps(ana)}\n{json.dumps(ben)}", replies=[])
    return call


def test_the_answer_is_followed_by_its_sources(memory: Run) -> None:
    said = memory("ask", QUESTION, replies=["  Ana moved to Porto [1]."])
    assert said.code == 0
    assert said.stdout == "Ana moved to Porto [1].\n[1] n1 · 2024-03-01 · chat:1\n"
    assert said.stderr == ""


def test_a_source_keeps_the_number_it_has_in_the_text(memory: Run) -> None:
    said = memory("ask", "What did Ben buy?", replies=["Ben bought a bicycle [2]."])
    assert said.stdout == "Ben bought a bicycle [2].\n[2] n2 · 2024-04-01 · chat:2\n"


def test_json_has_the_promised_keys(memory: Run) -> None:
    said = memory("ask", QUESTION, "--json", replies=["Ana moved to Porto [1]."]).json
    assert set(said) == {"v", "text", "abstained", "citations", "regime", "trace"}
    assert (said["v"], said["text"], said["abstained"]) == (1, "Ana moved to Porto [1].", False)
    [source] = said["citations"]
    assert (source["id"], source["uri"], source["happened_at"]) == ("n1", "chat:1", "2024-03-01T10:00:00Z")
    assert said["trace"]["tokens_written"] > 0


def test_brief_is_a_phrase_and_nothing_else(memory: Run) -> None:
    assert memory("ask", QUESTION, "--brief", replies=["Porto"]).stdout == "Porto\n"


def test_what_memory_does_not_hold_is_said_on_stdout_with_1(memory: Run) -> None:
    said = memory("ask", QUESTION, replies=[NOT_IN_MEMORY])
    assert (said.code, said.stdout) == (1, f"{NOT_IN_MEMORY}\n")
    assert memory("ask", QUESTION, "--json", replies=[NOT_IN_MEMORY]).json["abstained"] is True


def test_escape_codes_of_a_model_do_not_reach_the_terminal(memory: Run) -> None:
    said = memory("ask", QUESTION, replies=["Ana moved to \x1b[31mPorto\x1b[0m [1]."])
    assert "\x1b" not in said.stdout
    assert "Porto" in said.stdout


def test_without_a_model_the_way_out_is_named(memory: Run) -> None:
    said = memory("ask", QUESTION)
    assert (said.code, said.stdout) == (13, "")
    assert "secondme model pull" in said.stderr
    assert "--no-llm" in said.stderr


def test_evidence_needs_no_model(memory: Run) -> None:
    said = memory("ask", QUESTION, "--no-llm", "-k", "1")
    assert (said.code, said.stdout.count("\n")) == (0, 2)
    assert said.stdout.startswith("[1] n")
    found = memory("ask", QUESTION, "--no-llm", "--json").json
    assert (found["text"], found["regime"], found["abstained"]) == ("", "retrieval", False)
    assert {match["id"] for match in found["citations"]} == {"n1", "n2"}


def test_no_evidence_is_1(memory: Run) -> None:
    said = memory("ask", QUESTION, "--no-llm", "--author", "nobody")
    assert (said.code, said.stdout) == (1, "memory does not hold anything on this\n")


def test_filters_restrict_what_is_answered_from(memory: Run) -> None:
    found = memory("ask", QUESTION, "--no-llm", "--json", "--until", "2024-03").json
    assert {match["id"] for match in found["citations"]} == {"n1"}


def test_an_empty_question_is_refused(memory: Run) -> None:
    assert memory("ask", "  ", replies=[]).code == 2


def test_an_interruption_keeps_what_came(memory: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
from fakes import HashingEmbedder, ScriptedModel
from secondme.hookspecs import hookimpl

class Stopped(ScriptedModel):
    def reply(self, prompt, *, max_tokens, grammar="", stop=(), usage=None):
        yield "Ana moved to "
        yield "Porto and "
        yield "then "
        raise KeyboardInterrupt

@hookimpl
def language_model(config):
    return Stopped()
"""
    monkeypatch.syspath_prepend(str(write_plugin(tmp_path / "site", "stopped_model", code)))
    said = memory("ask", QUESTION)
    assert said.code == 130
    assert said.stdout.startswith("Ana moved to Porto")
    assert said.stdout.endswith("\n")
    assert said.stderr.endswith("secondme: interrupted\n")
