"""`secondme demo`: sample notes in a home of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, TESTS, Run

from secondme.assistant import Assistant
from secondme.cli.demo import demo_home
from secondme.demo import QUESTIONS

REPLIES = ["It cost a lot.", "Coffee.", "In February 2025."]


def test_the_demo_adds_the_vault_asks_and_says_what_comes_next(call: Run, own_home: Path) -> None:
    shown = call("demo", replies=REPLIES)
    assert shown.code == 0
    headings = ["1. The models", "2. The sample notes", "3. Three questions", "What to type next"]
    places = [shown.stdout.index(heading) for heading in headings]
    assert places == sorted(places)
    assert [question for question in QUESTIONS if f"\n> {question}\n" not in shown.stdout] == []
    assert "\n[" in shown.stdout
    assert not (own_home / "memory.db").exists()
    with Assistant.open(own_home / "demo", create=False) as me:
        assert me.store.counts()["notes"] > 40


def test_the_demo_runs_again_and_adds_nothing(call: Run) -> None:
    call("demo", replies=REPLIES)
    again = call("demo", replies=REPLIES)
    assert again.code == 0
    assert "\n0 notes added, " in again.stdout


def test_without_models_the_demo_shows_evidence_and_exits_with_13(call: Run) -> None:
    shown = call("demo")
    assert shown.code == 13
    assert "no language model" in shown.stderr
    for question in QUESTIONS:
        assert f"> {question}\n[1] n" in shown.stdout
    assert "What to type next" in shown.stdout


def test_models_that_cannot_be_fetched_are_named_and_the_rest_is_shown(run: Run, tmp_path: Path) -> None:
    shown = run(
        "demo",
        env={
            "SECONDME_MODELS": str(tmp_path / "models"),
            "SECONDME_MODELS_LANGUAGE": "smollm2-135m",
            "HF_ENDPOINT": "http://127.0.0.1:9",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(tmp_path),
            "PIP_CONFIG_FILE": os.devnull,
        },
    )
    assert shown.code == 13
    assert "smollm2-135m" in shown.stderr or "engine for models is not installed" in shown.stderr
    assert "Traceback" not in shown.stderr
    assert "> How much" in shown.stdout


def test_the_commands_of_the_demo_work_as_printed(run: Run, own_home: Path) -> None:
    shown = run("demo")
    commands = [
        line.strip() for line in shown.stdout.split("What to type next")[1].splitlines() if line.startswith("  ")
    ]
    assert len(commands) == 6
    path = os.pathsep.join(map(str, (ROOT, ROOT / "plugins", TESTS)))
    environ = {**os.environ, "PYTHONPATH": path, "SECONDME_MODELS_LANGUAGE": "", "SECONDME_MODELS_EMBEDDER": ""}
    for command in commands:
        done = subprocess.run(["/bin/sh", "-c", command], env=environ, capture_output=True, text=True, check=False)
        # There is no model here to answer with; everything else works.
        assert done.returncode == (13 if " ask " in command else 0), (command, done.stderr)
    assert (own_home / "memory.db").exists()


@pytest.mark.parametrize("home", [None, "somewhere"])
def test_the_demo_never_lives_in_the_memory_of_the_user(home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    from secondme.paths import find_paths

    if home:
        monkeypatch.setenv("SECONDME_HOME", home)
    else:
        monkeypatch.delenv("SECONDME_HOME")
    own = find_paths().data
    assert demo_home() != own
    assert demo_home().parent in (own, own.parent)
