"""What lies on the disk is its owner's alone, whatever the umask is and whoever has changed it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run

from secondme.daemon.wire import socket_path
from secondme.paths import Paths, find_paths
from secondme.privacy import MOST, close_to_others, make_folder, open_to_others


@pytest.fixture(params=[0o000, 0o022], ids=["umask 000", "umask 022"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """The umask of a user who shares what they make."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(*roots: Path) -> dict[str, str]:
    """What others may do with anything in these folders, and with the folders."""
    found = [path for root in roots for path in (root, *root.rglob("*")) if path.exists()]
    assert found
    return {str(path): oct(path.stat().st_mode & 0o777) for path in found if path.stat().st_mode & 0o077}


def test_whatever_is_written_is_the_owners_alone(run: Run, own_home: Path, tmp_path: Path, umask: int) -> None:
    notes = tmp_path / "notes"
    notes.mkdir(0o700)
    (notes / "a.md").write_text("I live in Porto.\n", encoding="utf-8")
    (notes / "a.md").chmod(0o600)
    out = tmp_path / "out"
    out.mkdir(0o700)
    assert run("daemon", "status").code == 14
    assert run("config", "set", "me.name", "Ada").code == 0
    assert run("add", "I like tea.").code == 0
    assert run("watch", "add", notes).code == 0
    assert run("sleep", replies=[]).code == 0
    assert run("export", out / "all.jsonl").code == 0
    assert run("chat", "--plain", stdin=f"I like rain.\n/export {out / 'chat.md'}\n").code == 0
    started = run("daemon", "start")
    try:
        assert started.code == 0, started.stderr
        assert stat.S_IMODE(socket_path(find_paths()).stat().st_mode) == 0o600
        assert modes(own_home, out, socket_path(find_paths()).parent) == {}
    finally:
        assert run("daemon", "stop").code == 0
    assert {"all.jsonl", "chat.md"} <= set(os.listdir(out))
    assert {"memory.db", "config.toml", "state", "backups"} <= set(os.listdir(own_home))
    assert modes(own_home, out) == {}


def test_folders_above_a_private_one_are_private_when_they_are_made(tmp_path: Path, umask: int) -> None:
    make_folder(tmp_path / "one" / "two")
    make_folder(tmp_path / "one" / "two")
    assert modes(tmp_path / "one") == {}


def test_what_others_could_read_is_closed_and_told_once(call: Run, own_home: Path) -> None:
    call("add", "I like tea.")
    call("config", "set", "me.name", "Ada")
    (own_home / "backups").mkdir(exist_ok=True, mode=0o700)
    backup = own_home / "backups" / "memory-20240101T000000Z-night.db"
    backup.write_bytes(b"")
    opened = [own_home, own_home / "memory.db", own_home / "config.toml", own_home / "backups", backup]
    for path in opened:
        path.chmod(0o755 if path.is_dir() else 0o644)
    told = call("list")
    assert (told.code, told.stdout.count("tea")) == (0, 1)
    assert all(str(path) in told.stderr for path in opened)
    assert "now only you can" in told.stderr
    assert modes(own_home) == {}
    assert call("list").stderr == ""


def test_what_cannot_be_closed_is_told_and_doctor_lists_it(call: Run, own_home: Path) -> None:
    call("add", "I like tea.")
    own_home.chmod(0o1777)  # as /tmp is: shared on purpose
    told = call("list")
    assert f"can look into {own_home}, and that cannot be changed" in told.stderr
    privacy = next(one for one in call("doctor", "--json").json["checks"] if one["name"] == "privacy")
    assert not privacy["ok"]
    assert str(own_home) in privacy["detail"]


def test_where_no_memory_is_nothing_is_changed(own_home: Path) -> None:
    own_home.mkdir()
    own_home.chmod(0o755)
    (own_home / "diary.md").write_text("I like tea.", encoding="utf-8")
    paths = find_paths()
    assert open_to_others(paths) == []
    assert close_to_others(paths).closed == ()
    assert stat.S_IMODE(own_home.stat().st_mode) == 0o755


def test_the_memory_is_looked_at_in_a_folder_of_many_files(call: Run, own_home: Path) -> None:
    own_home.mkdir(exist_ok=True)
    for number in range(2 * MOST):
        (own_home / str(number)).touch()
    call("add", "I like tea.")
    (own_home / "memory.db").chmod(0o644)
    call("list")
    assert stat.S_IMODE((own_home / "memory.db").stat().st_mode) == 0o600


def test_files_of_others_and_links_are_left_alone(call: Run, own_home: Path, tmp_path: Path) -> None:
    call("add", "I like tea.")
    dotfile, mine = tmp_path / "dotfile.toml", own_home / "diary.md"
    dotfile.write_text('[me]\nname = "Ada"\n', encoding="utf-8")
    (own_home / "config.toml").symlink_to(dotfile)
    mine.write_text("I like rain.", encoding="utf-8")
    for path in (dotfile, mine):
        path.chmod(0o644)
    assert call("list").stderr == ""
    assert stat.S_IMODE(dotfile.stat().st_mode) == stat.S_IMODE(mine.stat().st_mode) == 0o644


def test_a_mistake_of_ours_tells_where_it_was_and_no_word_of_the_memory(tmp_path: Path) -> None:
    plugin = tmp_path / "breaking.py"
    plugin.write_text(
        "import typer\n"
        "from secondme.hookspecs import hookimpl\n"
        "def fail():\n"
        "    words = 'my canary sings'\n"
        "    raise ValueError(words + '\\x1b]0;x\\x07')\n"
        "@hookimpl\n"
        "def register_commands(app):\n"
        "    app.command('fail')(fail)\n",
        encoding="utf-8",
    )
    found = tmp_path / "breaking-1.dist-info"
    found.mkdir()
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: breaking\nVersion: 1\n", encoding="utf-8")
    (found / "entry_points.txt").write_text("[secondme]\nbreaking = breaking\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "secondme", "fail"],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("secondme failed: ValueError\n")
    assert "breaking.py:5 in fail" in done.stderr
    assert "canary" not in json.dumps(done.stderr)
    assert "\x1b" not in done.stderr


def test_paths_without_a_memory_have_nothing_to_close(tmp_path: Path) -> None:
    nowhere = Paths(tmp_path / "data", tmp_path / "config.toml", tmp_path / "state", tmp_path / "models")
    assert close_to_others(nowhere).open == ()
