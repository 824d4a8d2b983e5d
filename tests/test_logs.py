from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Run

from secondme.daemon import logs, pausing
from secondme.paths import Paths, find_paths
from secondme.store.store import Store


@pytest.fixture
def paths(monkeypatch: pytest.MonkeyPatch) -> Iterator[Paths]:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    monkeypatch.setattr(logs, "SIZE", 2000)
    found = find_paths()
    logs.set_up_logging(found)
    yield found
    for handler in list(logs.LOGGER.handlers):
        handler.close()
        logs.LOGGER.removeHandler(handler)
    logs.LOGGER.setLevel(logging.NOTSET)
    logs.LOGGER.propagate = True


def test_the_log_rotates_and_is_private(paths: Paths) -> None:
    for number in range(500):
        logs.event("work_begun", kind="sleep", number=number)
    parts = sorted(paths.logs.parent.glob(f"{paths.logs.name}*"))
    assert len(parts) == logs.COUNT
    assert sum(part.stat().st_size for part in parts) < 12_000
    assert {stat.S_IMODE(part.stat().st_mode) for part in parts} == {0o600}
    lines = logs.last_lines(paths, 3)
    assert [line.rpartition("=")[2] for line in lines] == ["497", "498", "499"]


@pytest.mark.parametrize("text", ["two words", "Grüße", "x" * 41, "line\nbreak", "/home/ann/diary.md", "a=b"])
def test_what_somebody_may_have_written_is_never_a_field(paths: Paths, text: str) -> None:
    logs.event("work_ended", error=text)
    [line] = logs.last_lines(paths, 1)
    assert line.endswith(f"work_ended error=text-of-{len(text)}")


def test_names_and_numbers_are_fields(paths: Paths) -> None:
    logs.event("work_ended", error="NoModel", count=3, seconds=1.5)
    assert logs.last_lines(paths, 1)[0].endswith("INFO work_ended error=NoModel count=3 seconds=1.5")


def test_the_end_of_the_log_is_shown(call: Run, paths: Paths) -> None:
    for number in range(5):
        logs.event("started", number=number)
    assert len(call("daemon", "logs", "-n", "2").stdout.splitlines()) == 2


def test_an_empty_log_is_said_to_be_empty(call: Run) -> None:
    assert "nothing in" in call("daemon", "logs").stderr


def test_a_pause_is_kept_in_the_memory_and_ends_by_itself(tmp_path: Path) -> None:
    now = datetime(2024, 6, 1, 12, tzinfo=UTC)
    with Store(tmp_path / "memory.db") as store:
        assert pausing.paused(store, now) == ""
        pausing.pause(store, now + timedelta(hours=2))
        assert pausing.paused(store, now).startswith("until 2024-06-01")
        assert pausing.paused(store, now + timedelta(hours=2)) == ""
        pausing.pause(store, None)
        assert pausing.paused(store, now + timedelta(days=900)) == "until you resume"
        pausing.resume(store)
        assert pausing.paused(store, now) == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "paused until you resume"),
        (("2h",), "paused until 2024-06-01 14:00"),
        (("for", "30", "minutes"), "paused until 2024-06-01 12:30"),
        (("until", "2024-06-03"), "paused until 2024-06-03 00:00"),
        (("2023-01-01",), "that moment is over: nothing is paused"),
    ],
)
def test_a_pause_is_given_in_words(
    call: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.setenv("SECONDME_NOW", "2024-06-01T12:00")
    paused = call("pause", *words)
    assert (paused.code, paused.stderr) == (0, f"{said}\n")


def test_a_pause_for_nonsense_is_refused(call: Run) -> None:
    assert call("pause", "soonish").code == 2


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("true",), 0),
        (("sh", "-c", "exit 7"), 7),
        (("sh", "-c", "kill -TERM $$"), 143),
        (("no-such-command",), 127),
        (("/",), 126),
    ],
)
def test_an_inhibited_command_ends_as_it_would_alone(run: Run, command: tuple[str, ...], code: int) -> None:
    assert run("inhibit", *command).code == code
