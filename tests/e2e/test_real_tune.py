"""Tuning with the smallest real model: what is measured, what is written, and that an interrupt leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ModelFile, Run

from secondme.config import load_config

pytestmark = pytest.mark.model

WITH_MODEL = {"SECONDME_MODELS_LANGUAGE": "smollm2-135m"}
PLACES = ("Lisbon", "Porto", "Braga", "Faro", "Evora", "Coimbra", "Sintra", "Tomar", "Lagos", "Beja", "Viseu", "Leiria")
CONFIG = """# these are mine
[models]
first_word_ms = 1  # sooner than can be
embedder = ""
[answer]
max_tokens = 50
"""


@pytest.fixture(autouse=True)
def memory(call: Run, own_home: Path, model_file: ModelFile) -> None:
    """Twelve notes, and settings with comments."""
    model_file("smollm2-135m")
    for place in PLACES:
        call("add", f"In {place} I bought a green bicycle and rode it along the river.")
    (own_home / "config.toml").write_text(CONFIG, encoding="utf-8")


def test_what_is_chosen_is_written_and_the_rest_of_the_file_stays(call: Run, own_home: Path) -> None:
    shown = call("tune", "--json", "--fresh", "2", env=WITH_MODEL)
    assert shown.code == 0
    found = shown.json
    assert (found["written"], found["is_small"], found["fewest"], found["passages"]) == (False, False, 2, 10)
    assert (own_home / "config.toml").read_text(encoding="utf-8") == CONFIG
    assert [row["kv"] for row in found["kinds"]] == ["f16", "q8_0", "q4_0"]
    exact, half, least = (row["token_bytes"] for row in found["kinds"])
    assert exact > 1.5 * half > 1.8 * least > 0
    assert all(row["load_seconds"] > 0 for row in found["kinds"])
    assert min(row["speed"][way] for row in found["threads"] for way in ("reading", "writing")) > 0
    words = {row["fresh"]: row["tokens"] for row in found["first_words"]}
    assert list(words) == [None, 4, 3, 2, 1, 0]
    assert sorted(words.values(), reverse=True) == list(words.values())
    # No number meets a target of a millisecond: the fewest that were allowed are left.
    assert found["settings"]["models.fresh"] == "2"

    told = call("tune", "--yes", "--fresh", "2", env=WITH_MODEL)
    assert told.code == 0
    assert "which cannot be met: with 2 read anew" in told.stdout
    written = (own_home / "config.toml").read_text(encoding="utf-8")
    for kept in ("# these are mine", "first_word_ms = 1  # sooner than can be", "max_tokens = 50"):
        assert kept in written
    assert load_config(own_home / "config.toml", environ={}).models.fresh == "2"
    assert list(own_home.glob(".secondme-tune-*")) == []


def test_an_interrupt_ends_it_and_leaves_nothing(own_home: Path) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell ignores it
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "secondme", "tune", "--yes"],
        env={**os.environ, **WITH_MODEL},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    # The first pages are made once threads have been measured.
    while not list(own_home.glob(".secondme-tune-*/pages.db")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, b"")
    assert stderr.decode().splitlines()[-1] == "secondme: interrupted"
    assert (own_home / "config.toml").read_text(encoding="utf-8") == CONFIG
    assert list(own_home.glob(".secondme-tune-*")) == []
