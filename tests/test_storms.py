"""Many processes at once over one memory, some of them stopped, some with a clock that is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

from conftest import Run
from daemons import QUICK, Background, background, is_alive, wait_for  # noqa: F401  a fixture
from shims import WrongClock
from storms import storm

SECONDS = 3.0
CENTURY = 76 * 365 * 24 * 3600


def test_four_writers_two_readers_and_who_empties_the_log_lose_nothing(own_home: Path) -> None:
    left = storm(own_home, SECONDS)
    assert left.written > 4
    assert left.forgotten > 0
    assert left.reads > 2
    assert (left.lost, left.returned, left.halves) == (0, 0, 0)


def is_found(background: Background, word: str) -> bool:  # noqa: F811
    return background.run("search", word).code == 0


def test_of_daemons_that_begin_at_once_one_stays(background: Background, run: Run, own_home: Path) -> None:  # noqa: F811
    assert run("add", "a text").code == 0
    command = [sys.executable, "-m", "secondme", "daemon", "run"]
    begun = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **QUICK})
        for _ in range(4)
    ]
    try:
        wait_for(lambda: sum(one.poll() is not None for one in begun) == 3)
        [stays] = [one for one in begun if one.poll() is None]
        wait_for(lambda: background.run("daemon", "status").code == 0)
        assert background.pid() == stays.pid
        for one in begun:
            if one is not stays:
                _, said = one.communicate(timeout=10)
                assert one.returncode == 11
                assert b"a daemon runs already" in said
                assert b"Traceback" not in said
        assert background.run("daemon", "stop").code == 0
    finally:
        for one in begun:
            one.kill()
            one.communicate()


def test_a_daemon_that_is_stopped_keeps_nobody_from_writing_and_goes_on_later(
    background: Background,  # noqa: F811
    tmp_path: Path,
) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    background.run("watch", "add", vault)
    pid = background.start()
    background.wait(lambda status: status["doing"] == ["waiting"])
    os.kill(pid, signal.SIGSTOP)
    try:
        assert background.run("add", "written while it was stopped").code == 0
        (vault / "a.md").write_text("saved while it was stopped\n", encoding="utf-8")
        status = background.run("daemon", "status")
        assert status.code == 14
        assert "does not answer" in status.stderr
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: "saved while" in background.run("search", "stopped").stdout)
    assert "written while" in background.run("search", "stopped").stdout
    assert is_alive(pid)


def test_a_clock_that_jumps_and_jumps_back_keeps_no_file_from_being_read(
    background: Background,  # noqa: F811
    tmp_path: Path,
) -> None:
    clock, vault = WrongClock(tmp_path), tmp_path / "vault"
    vault.mkdir()
    background.run("watch", "add", vault)
    background.start(**clock.env)
    for number, seconds in enumerate((CENTURY, 0)):
        clock.wrong_by(seconds)
        (vault / f"{number}.md").write_text(f"heron number{number}\n", encoding="utf-8")
        wait_for(partial(is_found, background, f"number{number}"))
    assert background.status()["errors"] == []
