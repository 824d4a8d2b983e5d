"""What the daemon has the model read while nobody asks."""

from __future__ import annotations

import re

import pytest
from daemons import Background, background

from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig
from secondme.records import Note

__all__ = ["background"]

QUESTION = "Where is the spare key?"
PAGING = {"SECONDME_MODELS_LANGUAGE": "paging", "SECONDME_MODELS_FRESH": "1"}
AT_ONCE = {"SECONDME_DAEMON_IDLE_MINUTES": "0"}
NO_NIGHTS = {"SECONDME_DAEMON_SLEEP_SECONDS": "0", "SECONDME_MODELS_EMBEDDER": ""}


@pytest.fixture
def paging(background: Background) -> Background:
    """A daemon to be, whose model takes pages."""
    background.replies = ["Under the blue flower pot. [1]"] * 4
    background.env |= PAGING
    return background


def begun(daemon: Background) -> list[str]:
    """The kinds of work that were begun."""
    return re.findall(r"work_begun kind=(\w+)", daemon.run("daemon", "logs", "-n", "1000").stdout)


def ended(daemon: Background) -> list[str]:
    """How the making of pages ended, each time."""
    return re.findall(r"work_ended kind=pages state=(\w+)", daemon.run("daemon", "logs", "-n", "1000").stdout)


def test_pages_are_made_after_the_night_and_an_answer_finds_them(paging: Background) -> None:
    for text in ("The spare key lies under the blue flower pot.", "The spare tyre is flat.", "Tea is best with milk."):
        paging.run("add", text)
    paging.start(**AT_ONCE)
    # The second time there was nothing left to do.
    paging.wait(lambda _: len(ended(paging)) == 2)
    assert begun(paging)[-3:] == ["sleep", "pages", "pages"]
    trace = paging.run("ask", QUESTION, "--json").json["trace"]
    assert (trace["pages_loaded"], trace["pages_made"]) == (2, 0)
    paging.wait(lambda status: status["doing"] == ["waiting"])
    assert begun(paging).count("pages") == 2
    paging.run("add", "The spare wheel is round.")
    paging.wait(lambda _: len(ended(paging)) == 4)
    assert set(ended(paging)) == {"done"}
    trace = paging.run("ask", QUESTION, "--json").json["trace"]
    assert (trace["pages_loaded"], trace["pages_made"]) == (3, 0)


def test_it_is_told_and_makes_way_at_once_for_somebody_who_asks(paging: Background) -> None:
    with Assistant.open(config=Config(models=ModelsConfig("", ""))) as me:
        me.add_many(Note(f"The spare key number {number} is blue.", uri=f"key:{number}") for number in range(4000))
    paging.start(**AT_ONCE, **NO_NIGHTS)
    found = paging.wait(lambda status: status["worker"] and status["worker"]["done"])
    assert found["worker"]["kind"] == "pages"
    assert found["worker"]["total"] == 4000
    assert found["doing"] == [f"reading ahead, {found['worker']['done']:,} of 4,000"]
    assert paging.run("ask", QUESTION).code == 0
    assert ended(paging) == ["interrupted"]
    # It goes on once it is quiet again.
    paging.wait(lambda _: len(begun(paging)) == 2)


def test_it_waits_until_nobody_has_asked_for_a_while(paging: Background) -> None:
    paging.run("add", "The spare key lies under the blue flower pot.")
    paging.start(**NO_NIGHTS)
    assert any("it waits for 10" in why for why in paging.status()["sleep"]["why_not"])
    assert "pages" not in begun(paging)


def test_what_fails_is_told_and_rests(paging: Background) -> None:
    paging.run("add", "The spare key lies under the blue flower pot.")
    paging.start(**AT_ONCE, **NO_NIGHTS, SECONDME_MODELS_LANGUAGE="absent.gguf")
    found = paging.wait(lambda status: status["errors"])
    assert "pages: " in found["errors"][0]
    assert "absent.gguf" in found["errors"][0]
    assert ended(paging) == ["failed"]
    assert begun(paging) == ["pages"]


def test_a_model_whose_answers_take_no_pages_reads_nothing_ahead(paging: Background) -> None:
    paging.run("add", "The spare key lies under the blue flower pot.")
    paging.start(**AT_ONCE, SECONDME_MODELS_FRESH="all")
    paging.wait(lambda status: status["sleep"]["waiting"] == 0)
    paging.wait(lambda status: status["doing"] == ["waiting"])
    assert "pages" not in begun(paging)
