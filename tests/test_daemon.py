"""The background process from its start to its end, as a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, TESTS
from daemons import Background, background, is_alive, wait_for

from secondme.assistant import Assistant
from secondme.clock import now
from secondme.daemon import wire
from secondme.ingest.sync import Sync
from secondme.paths import find_paths

__all__ = ["background"]


def vault_of(tmp_path: Path) -> Path:
    vault = tmp_path / "vault"
    vault.mkdir(exist_ok=True)
    return vault


@pytest.mark.parametrize("command", ["stop", "status"])
def test_without_a_daemon_that_is_said(background: Background, command: str) -> None:
    done = background.run("daemon", command)
    assert (done.code, done.stdout) == (14, "")
    assert done.stderr == "secondme: no daemon runs over this memory\nhint: secondme daemon start\n"


def test_it_starts_once_tells_of_itself_and_stops(background: Background) -> None:
    pid = background.start()
    assert f"a daemon runs already (process {pid})" in background.run("daemon", "start").stderr
    second = background.run("daemon", "run")
    assert second.code == 11
    assert f"process {pid}" in second.stderr
    path = wire.socket_path(find_paths())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    found = background.status()
    assert (found["pid"], found["protocol"], found["models"]["loaded"]) == (pid, wire.PROTOCOL, False)
    assert found["memory"]["daemon"] < 120e6
    shown = background.run("daemon", "status").stdout
    for row in ("daemon ", "doing ", "folders ", "queue ", "models ", "memory ", "sleep ", "why not "):
        assert f"\n{row}" in f"\n{shown}"
    stopped = background.run("daemon", "stop")
    assert (stopped.code, stopped.stderr) == (0, "the daemon has ended\n")
    assert not path.exists()
    wait_for(lambda: not is_alive(pid))
    assert "started" in background.run("daemon", "logs").stdout


def in_foreground(background: Background, **env: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(map(str, (ROOT, ROOT / "plugins", TESTS, TESTS / "fake-plugin")))
    off = {"SECONDME_MODELS_LANGUAGE": "", "SECONDME_MODELS_EMBEDDER": ""}
    environ = {**os.environ, "PYTHONPATH": path, **off, **background.env, **env}
    process = subprocess.Popen([sys.executable, "-m", "secondme", "daemon", "run"], env=environ)
    wait_for(lambda: background.run("daemon", "status").code == 0)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_and_in_time(background: Background, number: signal.Signals) -> None:
    process = in_foreground(background)
    path = wire.socket_path(find_paths())
    began = time.monotonic()
    process.send_signal(number)
    assert process.wait(timeout=10) == 0
    assert time.monotonic() - began < 5
    assert not path.exists()
    assert not (background.home / "memory.db-wal").exists()


def test_a_signal_ends_it_in_time_while_a_file_is_read_that_takes_for_ever(
    background: Background, tmp_path: Path
) -> None:
    vault = vault_of(tmp_path)
    background.run("watch", "add", vault)
    for number in range(400):
        (vault / f"{number}.html").write_text("<p>words</p>" * 20_000, encoding="utf-8")
    process = in_foreground(background)
    background.wait(lambda status: "reading files" in status["doing"])
    began = time.monotonic()
    process.terminate()
    assert process.wait(timeout=10) == 0
    assert time.monotonic() - began < 5


def test_a_signal_ends_it_in_time_while_large_files_are_stored(background: Background, tmp_path: Path) -> None:
    """Cutting megabytes into passages is not interrupted: what is not stored by then is read by the next daemon."""
    vault = vault_of(tmp_path)
    text = "\n\n".join(f"Paragraph {number} tells of boats and bread at the harbour." for number in range(80_000))
    for number in range(6):
        (vault / f"{number}.md").write_text(text, encoding="utf-8")
    background.run("watch", "add", vault)
    pid = background.start()
    background.wait(lambda status: "reading files" in status["doing"])
    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not is_alive(pid))
    assert time.monotonic() - began < 5
    assert not wire.socket_path(find_paths()).exists()
    background.start()
    background.wait(lambda status: status["files"].get("present") == 6, seconds=120)


def test_a_folder_that_is_paused_is_told_of_in_the_status(background: Background, tmp_path: Path) -> None:
    vault = vault_of(tmp_path)
    (vault / "a.md").write_text("Tea\n", encoding="utf-8")
    background.run("watch", "add", vault)
    background.start()
    background.wait(lambda status: status["files"].get("present") == 1)
    shutil.rmtree(vault)
    found = background.wait(lambda status: status["paused"])
    assert found["paused"] == {str(vault): "the folder cannot be read: no such file"}
    assert f"secondme watch accept {vault}" in background.run("daemon", "status").stdout


def test_a_daemon_that_is_too_busy_to_answer_is_not_taken_for_none(background: Background) -> None:
    pid = background.start()
    os.kill(pid, signal.SIGSTOP)
    try:
        done = background.run("daemon", "status")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert done.code == 14
    assert f"the daemon does not answer (process {pid}" in done.stderr


def test_killed_it_leaves_a_socket_that_the_next_one_replaces(background: Background, tmp_path: Path) -> None:
    vault = vault_of(tmp_path)
    background.run("watch", "add", vault)
    pid = background.start()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(pid))
    assert wire.socket_path(find_paths()).exists()
    assert background.run("daemon", "status").code == 14
    (vault / "a.md").write_text("written while nobody looked\n", encoding="utf-8")
    assert background.start() != pid
    wait_for(lambda: background.run("search", "nobody looked").code == 0)


def test_what_was_being_read_when_it_was_killed_is_read_by_the_next(background: Background, tmp_path: Path) -> None:
    vault = vault_of(tmp_path)
    background.run("watch", "add", vault)
    (vault / "a.md").write_text("The lighthouse keeper\n", encoding="utf-8")
    with Assistant.open() as me:
        [folder] = me.store.sources.folders()
        with Sync(me) as sync:
            sync.rescan(folder)
        assert len(me.store.sources.lease(10, now())) == 1
    background.start()
    wait_for(lambda: background.run("search", "lighthouse").code == 0)


def test_changes_in_a_watched_folder_are_found(background: Background, tmp_path: Path) -> None:
    vault = vault_of(tmp_path)
    background.start()
    assert "the daemon reads them now" in background.run("watch", "add", vault).stderr
    path = vault / "a.md"
    path.write_text("The lighthouse keeper\n", encoding="utf-8")
    wait_for(lambda: background.run("search", "lighthouse").code == 0)
    path.write_text("The harbour master\n", encoding="utf-8")
    wait_for(lambda: background.run("search", "harbour").code == 0)
    assert background.run("search", "lighthouse").code == 1
    path.rename(vault / "b.md")
    wait_for(lambda: str(vault / "b.md") in background.run("search", "harbour", "--json").stdout)
    assert background.status()["files"]["present"] == 1


def test_a_pause_holds_and_ends(background: Background, tmp_path: Path) -> None:
    vault = vault_of(tmp_path)
    background.run("watch", "add", vault)
    background.run("pause")
    background.start()
    (vault / "a.md").write_text("The lighthouse keeper\n", encoding="utf-8")
    found = background.wait(lambda status: status["doing"] == ["paused"])
    assert "paused until you resume" in found["sleep"]["why_not"]
    assert background.run("search", "lighthouse").code == 1
    assert background.run("resume").stderr == "resumed\n"
    wait_for(lambda: background.run("search", "lighthouse").code == 0)


def test_while_a_command_inhibits_nothing_is_done(background: Background, tmp_path: Path) -> None:
    background.start()
    seen = tmp_path / "seen"
    command = f"until [ -e {seen} ]; do sleep 0.05; done; exit 7"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "plugins")))}
    inhibiting = subprocess.Popen([sys.executable, "-m", "secondme", "inhibit", "sh", "-c", command], env=environ)
    background.wait(lambda status: "inhibited by a command" in status["sleep"]["why_not"])
    seen.touch()
    assert inhibiting.wait(timeout=10) == 7
    background.wait(lambda status: "inhibited by a command" not in status["sleep"]["why_not"])


def test_settings_are_read_again_when_they_have_changed(background: Background) -> None:
    background.start()
    assert background.status()["sleep"]["seconds_left"] != 77
    background.run("config", "set", "daemon.sleep_seconds", "77")
    os.kill(background.pid(), signal.SIGHUP)
    background.wait(lambda status: status["sleep"]["seconds_left"] == 77)


def test_settings_that_cannot_be_used_are_said_and_change_nothing(background: Background) -> None:
    background.start()
    paths = find_paths()
    paths.config.parent.mkdir(parents=True, exist_ok=True)
    paths.config.write_text("[daemon]\nkeep_alive = 'soon'\n", encoding="utf-8")
    os.kill(background.pid(), signal.SIGHUP)
    wait_for(lambda: is_alive(background.pid()) and _errors(background))


def _errors(background: Background) -> list[str]:
    from secondme.daemon.client import call_any

    found = call_any(find_paths(), "status")["errors"]
    assert isinstance(found, list)
    return found


def test_two_processes_that_add_while_it_reads_lose_nothing(background: Background, tmp_path: Path) -> None:
    vault = vault_of(tmp_path)
    for number in range(300):
        (vault / f"{number}.md").write_text(f"# File {number}\n\nwords {number}\n", encoding="utf-8")
    background.run("watch", "add", vault)
    background.start()
    code = "import sys; from secondme import Assistant, Note\n" + (
        "with Assistant.open() as me:\n    for n in range(60): me.add(Note(f'{sys.argv[1]} says {n}'))\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "plugins")))}
    adding = [
        subprocess.Popen([sys.executable, "-c", code, name], env=environ, stderr=subprocess.PIPE)
        for name in ("Ann", "Bob")
    ]
    for process in adding:
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, b"")
    background.wait(lambda status: status["files"].get("present") == 300)
    assert background.run("stats", "--json").json["notes"] == 420
    assert "locked" not in background.run("daemon", "logs", "-n", "0").stdout
    assert background.run("doctor").code == 0


def test_no_word_of_the_memory_is_written_down(background: Background, tmp_path: Path) -> None:
    background.replies = ["Under the canaryfour pot. [1]"] * 3
    vault = vault_of(tmp_path)
    (vault / "canaryone.md").write_text("canarytwo words\n", encoding="utf-8")
    (vault / "bad.md").write_bytes(b"\0 canarytwo")
    background.run("add", "canarythree lies under the pot")
    background.run("watch", "add", vault)
    background.start()
    wait_for(lambda: background.run("search", "canarytwo").code == 0)
    background.run("ask", "where is canarythree")
    background.run("daemon", "stop")
    written = [path.read_bytes() for path in find_paths().logs.parent.rglob("*") if path.is_file()]
    assert any(b"work_begun" in content for content in written)
    for content in written:
        assert b"canary" not in content
    assert stat.S_IMODE(find_paths().logs.stat().st_mode) == 0o600


def test_it_starts_while_others_ask_whether_it_runs(background: Background) -> None:
    """Asking takes the lock for a moment, which must not be taken for a daemon."""
    asking = subprocess.Popen(
        [sys.executable, "-c", ASK],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        for _ in range(3):
            background.start()
            background.run("daemon", "stop")
    finally:
        asking.kill()
        asking.wait()


ASK = """
from secondme.locks import daemon_of
from secondme.paths import find_paths
while True:
    daemon_of(find_paths())
"""
