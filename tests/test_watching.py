"""What programs do to a folder is told as hints for the right paths."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from watchdog.observers.api import BaseObserver

from secondme.daemon.watching import Watcher

QUIET, PATIENCE = 0.05, 5.0


class Heard:
    """What a watcher tells, as it comes."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.lost: list[tuple[str, str]] = []
        self.calls = 0
        self._changed = threading.Condition()

    def on_paths(self, root: str, paths: list[Path]) -> None:
        with self._changed:
            self.calls += 1
            self.paths.update(os.path.relpath(path, root) for path in paths)
            self._changed.notify_all()

    def on_lost(self, root: str, why: str) -> None:
        with self._changed:
            self.lost.append((root, why))
            self._changed.notify_all()

    def wait(self, condition: Callable[[], bool]) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, PATIENCE)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def watcher(heard: Heard) -> Iterator[Watcher]:
    found = Watcher(heard.on_paths, heard.on_lost, quiet=QUIET, longest=1.0, look=0.1)
    yield found
    found.close()


@pytest.fixture
def root(tmp_path: Path, watcher: Watcher) -> Path:
    """A watched folder with a note in it, another in a folder, and folders that nobody cares for."""
    root = tmp_path / "vault"
    for folder in ("sub", ".git", ".obsidian"):
        (root / folder).mkdir(parents=True)
    (root / "note.md").write_text("one\n", encoding="utf-8")
    (root / "sub" / "deep.md").write_text("two\n", encoding="utf-8")
    watcher.set_folders([str(root)], ignore=())
    return root


def write(root: Path) -> None:
    (root / "note.md").write_text("changed\n", encoding="utf-8")


def append(root: Path) -> None:
    with (root / "note.md").open("a", encoding="utf-8") as file:
        file.write("more\n")


def rename_over(root: Path) -> None:
    """Obsidian, VS Code and many more: a temporary file takes the place."""
    (root / "note.md.tmp").write_text("changed\n", encoding="utf-8")
    os.replace(root / "note.md.tmp", root / "note.md")


def back_up_and_write(root: Path) -> None:
    """Vim: the old file becomes the backup, a new one is written, the backup goes."""
    (root / "4913").write_text("", encoding="utf-8")
    (root / "4913").unlink()
    (root / "note.md").rename(root / "note.md~")
    (root / "note.md").write_text("changed\n", encoding="utf-8")
    (root / "note.md~").unlink()


def move_in(root: Path) -> None:
    other = root.parent / "other.md"
    other.write_text("new\n", encoding="utf-8")
    other.rename(root / "note.md")


def touch(root: Path) -> None:
    os.utime(root / "note.md")


@pytest.mark.parametrize("change", [write, append, rename_over, back_up_and_write, move_in, touch])
def test_however_an_editor_saves_its_note_is_told(root: Path, heard: Heard, change: Callable[[Path], None]) -> None:
    change(root)
    assert heard.wait(lambda: "note.md" in heard.paths)


def remove(root: Path) -> None:
    (root / "sub" / "deep.md").unlink()


def move_out(root: Path) -> None:
    (root / "sub" / "deep.md").rename(root.parent / "away.md")


@pytest.mark.parametrize("change", [remove, move_out])
def test_what_goes_is_told(root: Path, heard: Heard, change: Callable[[Path], None]) -> None:
    change(root)
    assert heard.wait(lambda: "sub/deep.md" in heard.paths)


def test_a_renamed_file_is_told_under_both_names(root: Path, heard: Heard) -> None:
    (root / "note.md").rename(root / "sub" / "other.md")
    assert heard.wait(lambda: {"note.md", "sub/other.md"} <= heard.paths)


def test_a_tree_that_is_moved_in_is_told(root: Path, heard: Heard) -> None:
    tree = root.parent / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "a.md").write_text("a\n", encoding="utf-8")
    tree.rename(root / "tree")
    assert heard.wait(lambda: "tree" in heard.paths)


def test_a_folder_that_is_new_is_watched_too(root: Path, heard: Heard) -> None:
    (root / "new").mkdir()
    assert heard.wait(lambda: "new" in heard.paths)
    heard.paths.clear()
    (root / "new" / "a.md").write_text("a\n", encoding="utf-8")
    assert heard.wait(lambda: bool(heard.paths & {"new/a.md", "new"}))


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_checkout_is_told(root: Path, heard: Heard) -> None:
    shutil.rmtree(root / ".git")

    def git(*arguments: str) -> None:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@y", *arguments]
        subprocess.run(command, cwd=root, check=True, capture_output=True)

    git("init", "-b", "main")
    git("add", ".")
    git("commit", "-m", "one")
    git("checkout", "-b", "other")
    (root / "note.md").write_text("on the branch\n", encoding="utf-8")
    git("commit", "-am", "two")
    assert heard.wait(lambda: "note.md" in heard.paths)
    heard.paths.clear()
    git("checkout", "main")
    assert heard.wait(lambda: "note.md" in heard.paths)
    assert not [path for path in heard.paths if path.startswith(".git/")]


def test_what_happens_in_folders_that_are_left_out_is_not_told(root: Path, heard: Heard) -> None:
    (root / ".obsidian" / "workspace.json").write_text("{}", encoding="utf-8")
    (root / ".git" / "index").write_text("x", encoding="utf-8")
    write(root)
    assert heard.wait(lambda: "note.md" in heard.paths)
    assert heard.paths == {"note.md"}


def test_reading_a_note_is_not_told(root: Path, heard: Heard) -> None:
    (root / "note.md").read_text(encoding="utf-8")
    (root / "sub" / "deep.md").unlink()
    assert heard.wait(lambda: "sub/deep.md" in heard.paths)
    assert "note.md" not in heard.paths


def test_a_file_that_is_being_written_is_told_when_it_rests_or_after_a_while(root: Path, heard: Heard) -> None:
    began = time.monotonic()
    with (root / "long.md").open("w", encoding="utf-8") as file:
        while not heard.paths and time.monotonic() - began < PATIENCE:
            file.write("line\n")
            file.flush()
    assert heard.paths == {"long.md"}
    assert time.monotonic() - began >= 0.9


def test_many_saves_are_one_hint(root: Path, heard: Heard) -> None:
    for _ in range(20):
        write(root)
    assert heard.wait(lambda: "note.md" in heard.paths)
    assert heard.calls == 1


def test_a_folder_that_is_gone_is_told_and_watched_again_when_it_is_back(
    root: Path, watcher: Watcher, heard: Heard
) -> None:
    root.rename(root.parent / "away")
    assert heard.wait(lambda: (str(root), "no such file or directory") in heard.lost)
    (root.parent / "away").rename(root)
    watcher.set_folders([str(root)], ignore=())
    write(root)
    assert heard.wait(lambda: "note.md" in heard.paths)


def test_another_folder_in_its_place_is_told(root: Path, heard: Heard) -> None:
    root.rename(root.parent / "away")
    root.mkdir()
    assert heard.wait(lambda: bool(heard.lost))


def test_a_folder_that_is_no_longer_wanted_is_not_told_of(root: Path, watcher: Watcher, heard: Heard) -> None:
    watcher.set_folders([], ignore=())
    write(root)
    other = root.parent / "other"
    other.mkdir()
    watcher.set_folders([str(other)], ignore=())
    (other / "a.md").write_text("a\n", encoding="utf-8")
    assert heard.wait(lambda: bool(heard.paths))
    assert heard.paths == {"a.md"}


@pytest.mark.parametrize(
    ("number", "why"), [(errno.ENOSPC, "no space left on device"), (errno.EMFILE, "too many open files")]
)
def test_where_the_system_cannot_watch_the_folder_is_polled_and_that_is_said(
    tmp_path: Path, watcher: Watcher, heard: Heard, monkeypatch: pytest.MonkeyPatch, number: int, why: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(BaseObserver, "schedule", refuse)
    watcher.set_folders([str(tmp_path)], ignore=())
    assert watcher.polled() == {str(tmp_path): why}
    assert heard.lost == [(str(tmp_path), why)]


WATCH = """
import sys
from secondme.daemon.watching import Watcher
watcher = Watcher(lambda root, paths: None, lambda root, why: None)
watcher.set_folders([sys.argv[1]], ignore=())
print(*watcher.polled().values())
watcher.close()
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="limits of its own need a name space of its own")
@pytest.mark.parametrize(
    ("limit", "value", "why"),
    [
        ("max_inotify_watches", 5, "the system watches no more folders"),
        ("max_inotify_instances", 0, "inotify instance limit reached"),
        ("max_inotify_watches", 500, ""),
    ],
)
def test_a_folder_is_polled_where_the_system_watches_only_part_of_it(
    tmp_path: Path, limit: str, value: int, why: str
) -> None:
    """watchdog passes over folders below the first that the system refuses, so the kernel itself has to be asked."""
    vault = tmp_path / "vault"
    for number in range(20):
        (vault / str(number) / "deep").mkdir(parents=True)
    command = f'echo {value} > /proc/sys/user/{limit} || exit 77; exec "$@"'
    done = subprocess.run(
        [*("unshare", "--user", "--map-root-user", "sh", "-c", command, "sh", sys.executable, "-c", WATCH), vault],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    if done.returncode in (1, 77) and "Traceback" not in done.stderr:
        pytest.skip(f"no name space for limits here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith(why)
    assert bool(done.stdout.strip()) == bool(why)


def test_a_folder_that_does_not_exist_is_polled(tmp_path: Path, watcher: Watcher) -> None:
    watcher.set_folders([str(tmp_path / "none")], ignore=())
    assert watcher.polled() == {str(tmp_path / "none"): "no such file or directory"}


def test_events_that_were_lost_are_made_up_for_by_a_look_at_everything(root: Path, heard: Heard) -> None:
    logging.getLogger("watchdog.observers").warning("the queue of events overflowed")
    assert heard.wait(lambda: (str(root), "more happened than could be told") in heard.lost)
