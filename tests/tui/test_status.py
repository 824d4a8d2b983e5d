"""The status on the screen: memory, models, this process, the daemon."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import ROOT, TESTS
from daemons import Background, background
from fakes import FakePlugin
from screens import Open
from secondme_tui.queries.status import daemon_rows, month_rows, months_of, speed_of
from textual.widgets import Sparkline

from secondme.assistant import Assistant
from secondme.records import Note

__all__ = ["background"]

Memory = Callable[[], Assistant]
HOSTILE = "[/b] [bold]x\x1b]52;c;aGk=\x07"
SIZES = [(80, 24), (120, 40), (40, 20)]


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)


def test_months_without_notes_are_shown_too_and_each_number_is_said() -> None:
    months = months_of({"2023-11": 3, "2024-02": 1_200})
    assert months == [("2023-11", 3), ("2023-12", 0), ("2024-01", 0), ("2024-02", 1200)]
    assert month_rows(months) == [("2023 Nov–Dec", "3, 0"), ("2024 Jan–Feb", "0, 1,200")]
    assert months_of({}) == []
    assert len(months_of({"0001-01": 1, "2024-02": 1})) == 24
    assert months_of({"0001-01": 1}) == [("0001-01", 1)]


def test_the_speed_of_an_answer_counts_from_its_first_word() -> None:
    assert speed_of({"tokens_written": 30, "seconds": 5.0, "seconds_to_first_word": 2.0}) == 10.0
    assert speed_of({"seconds": 5.0, "why": "nothing comes close"}) is None
    assert speed_of({"tokens_written": 1, "seconds": 2.0, "seconds_to_first_word": 2.0}) is None


def test_what_a_daemon_says_is_bounded_and_may_be_less_than_expected() -> None:
    many = [{"path": f"/a/{number}", "state": "skipped", "why": HOSTILE + "w" * 9999} for number in range(20)]
    rows = daemon_rows({"pid": 7, "problems": many, "sleep": {"why_not": ["on battery"]}})
    assert ("does not sleep", "on battery") in rows
    assert [words for name, words in rows if name == "problem"][-1] == "… 15 more"
    assert max(len(words) for _, words in rows) <= 300
    assert daemon_rows({})[0] == ("daemon", "process ?, since ?")


@pytest.mark.parametrize("size", SIZES)
async def test_an_empty_memory_and_a_machine_without_a_daemon_have_words(show: Open, size: tuple[int, int]) -> None:
    async with show(mode="status", size=size) as screen:
        await screen.until_shown("nothing is stored")
        # All that will be there is there once the memory of this process was looked at twice.
        await screen.until(lambda: screen.app.screen.query_one("#process-plot").display)
        await screen.press("end")
        await screen.until_shown("to start it     d; or: secondme")
        assert max(map(len, screen.lines)) <= size[0]


async def test_what_is_stored_is_told_in_numbers(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(Note(f"I live in {HOSTILE}.", uri="a:1", happened_at=noon("2024-01-05")))
        me.add(Note("I live in Porto.", uri="a:1", happened_at=noon("2024-03-05")))
        me.add(Note("It rained.", origin="clip", happened_at=noon("2024-05-05")))
        me.sleep()
        me.add(Note("I like tea.", happened_at=noon("2024-05-06")))
    async with show(mode="status") as screen:
        for words in (
            "notes           3, and 1 earlier version",
            "by origin       typed 2, clip 1",
            "oldest, newest  2024-03-05, 2024-05-06",
            "waiting         1 for vectors, 1 for sleep",
            "facts           1, and 0 retired",
            "notes a month, 2024-03 to 2024-05",
            "2024 Mar–May    1, 0, 2",
            "r1  ",
            "· done · 1 passage, ",
            "language        qwen2.5-coder-1.5b, ",
        ):
            await screen.until_shown(words)
        assert screen.app.screen.query_one("#month-plot Sparkline", Sparkline).data == [1, 0, 2]
        with memory() as me:
            me.add(Note("I like rain.", happened_at=noon("2024-05-07")))
        await screen.press("r")
        await screen.until_shown("notes           4, and")


async def test_the_speed_of_the_last_answers_is_told(show: Open, memory: Memory, scripted: FakePlugin) -> None:
    scripted.model.replies.append("You live in Porto [1].")
    with memory() as me:
        me.add(Note("I live in Porto."))
    async with show() as screen:
        await screen.type("Where do I live?")
        await screen.press("enter")
        await screen.until_shown("[1] n1")
        assert [trace["tokens_written"] for trace in screen.app.recent] == [5]
        screen.app.recent.clear()
        await screen.press("f6")
        await screen.until_shown("no model has answered since this began")
        for written in (30, 60):
            screen.app.recent.append({"tokens_written": written, "seconds": 5.0, "seconds_to_first_word": 2.0})
        await screen.press("r")
        await screen.until_shown("20.0 tokens a second: 60 tokens written")
        assert "before it       10.0" in screen.text
        assert screen.app.screen.query_one("#speed-plot Sparkline", Sparkline).data == [10.0, 20.0]


async def test_it_looks_by_itself_while_it_is_shown_and_only_then(show: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secondme_tui.screens.status.EVERY", 0.05)
    async with show(mode="status") as screen:
        status: Any = screen.app.screen
        await screen.until(lambda: len(status._used) > 3)
        assert "memory, each" in screen.text
        await screen.press("f2")
        await screen.until(lambda: not status._looking)
        seen = len(status._used)
        await screen.pilot.pause(0.3)
        assert len(status._used) == seen
        await screen.press("f6")
        await screen.until(lambda: len(status._used) > seen + 2)


async def test_what_cannot_be_read_is_said_in_its_place_each_time_and_the_screen_stays(
    show: Open, memory: Memory
) -> None:
    async with show(mode="status") as screen:
        await screen.until_shown("nothing is stored yet")
        with memory() as me:
            me.store.db.conn.execute("alter table passages_waiting rename to elsewhere")
        await screen.press("r")
        await screen.until_shown("error           ")
        assert not screen.app.screen.is_modal
        with memory() as me:
            me.store.db.conn.execute("alter table elsewhere rename to passages_waiting")
        await screen.press("r")
        await screen.until_shown("nothing is stored yet")


async def test_a_key_stops_the_daemon_and_starts_one(
    show: Open, background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = os.pathsep.join(map(str, (ROOT, ROOT / "plugins", TESTS, TESTS / "fake-plugin")))
    for name, value in {"PYTHONPATH": path, "SECONDME_MODELS_LANGUAGE": "", "SECONDME_MODELS_EMBEDDER": ""}.items():
        monkeypatch.setenv(name, value)
    first = background.start()
    async with show(mode="status") as screen:
        await screen.until_shown(f"process {first}, since")
        assert "does not sleep" in screen.text
        assert "nothing waits" in screen.text
        await screen.press("d")
        await screen.until_shown("to start it")
        await screen.press("d")
        await screen.until_shown("daemon          process ")
        assert background.pid() != first
        assert f"process {background.pid()}, since" in screen.text
