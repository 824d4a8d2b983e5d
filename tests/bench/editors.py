"""Replays what editors and other programs do to a watched folder, and measures how long the daemon takes to follow.

    PYTHONPATH=tests python -m bench.editors

Each row changes a real folder below a running daemon and waits until a search as a whole process finds what is new, or
no longer finds what is gone.
"""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.background import Bench, bench, until

Row = Callable[[Bench, str], Callable[[], bool]]


def found(it: Bench, word: str) -> Callable[[], bool]:
    return lambda: it.finds(word)


def note(it: Bench, word: str = "zzbefore") -> Path:
    """Return a note that the daemon has read."""
    path = it.vault / f"{word}.md"
    path.write_text(f"Some words about {word} and room for more.\n", encoding="utf-8")
    until(lambda: it.finds(word))
    return path


def plain_write(it: Bench, word: str) -> Callable[[], bool]:
    (it.vault / "plain.md").write_text(f"{word}\n", encoding="utf-8")
    return found(it, word)


def replaced_from_the_same_folder(it: Bench, word: str) -> Callable[[], bool]:
    path = note(it, "zzsame")
    path.with_suffix(".tmp").write_text(f"{word}\n", encoding="utf-8")
    os.replace(path.with_suffix(".tmp"), path)
    return found(it, word)


def replaced_from_outside(it: Bench, word: str) -> Callable[[], bool]:
    path = note(it, "zzoutside")
    outside = it.vault.parent / "outside.md"
    outside.write_text(f"{word}\n", encoding="utf-8")
    os.replace(outside, path)
    return found(it, word)


def vim(it: Bench, word: str) -> Callable[[], bool]:
    path = note(it, "zzvim")
    backup = path.with_name(f"{path.name}~")
    path.rename(backup)
    path.write_text(f"{word}\n", encoding="utf-8")
    backup.unlink()
    return found(it, word)


def git_checkout(it: Bench, word: str) -> Callable[[], bool]:
    repository = it.vault / "repository"
    repository.mkdir()

    def git(*arguments: str) -> None:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@y", *arguments]
        subprocess.run(command, cwd=repository, check=True, capture_output=True)

    git("init", "-b", "main")
    path = repository / "note.md"
    for branch, text in (("main", f"{word}\n"), ("other", "zzelsewhere\n")):
        if branch != "main":
            git("checkout", "-b", branch)
        path.write_text(text, encoding="utf-8")
        git("add", ".")
        git("commit", "-m", branch)
    until(lambda: it.finds("zzelsewhere"))
    git("checkout", "main")
    return found(it, word)


def mmap_write(it: Bench, word: str) -> Callable[[], bool]:
    path = note(it, "zzmapped")
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        content[: len(word) + 1] = f"{word} ".encode()
        content.flush()
    return found(it, word)


def renamed_folder(it: Bench, word: str) -> Callable[[], bool]:
    folder = it.vault / "three"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.md").write_text(f"{word} {number}\n", encoding="utf-8")
    until(lambda: it.finds(word))
    folder.rename(it.vault / "renamed")
    return lambda: str(it.vault / "renamed") in it.run("search", word).stdout


def folder_moved_in(it: Bench, word: str) -> Callable[[], bool]:
    folder = it.vault.parent / "populated"
    folder.mkdir()
    (folder / "in.md").write_text(f"{word}\n", encoding="utf-8")
    folder.rename(it.vault / "populated")
    return found(it, word)


def moved_out(it: Bench, word: str) -> Callable[[], bool]:
    path = note(it, word)
    path.rename(it.vault.parent / "away.md")
    return lambda: it.status()["files"].get("missing", 0) > 0


def fifty_folders_at_once(it: Bench, word: str) -> Callable[[], bool]:
    for number in range(50):
        folder = it.vault / f"many{number}" / "deep"
        folder.mkdir(parents=True)
        (folder / "a.md").write_text(f"{word}{number}\n", encoding="utf-8")
    return lambda: all(it.finds(f"{word}{number}") for number in (0, 24, 49))


def symlink(it: Bench, word: str) -> Callable[[], bool]:
    outside = it.vault.parent / "secret.md"
    outside.write_text("zzsecret\n", encoding="utf-8")
    (it.vault / "link.md").symlink_to(outside)
    (it.vault / "beside.md").write_text(f"{word}\n", encoding="utf-8")
    return lambda: it.finds(word) and not it.finds("zzsecret")


def root_removed(it: Bench, word: str) -> Callable[[], bool]:
    path = note(it, word)
    shutil.rmtree(path.parent)
    return lambda: "paused" in it.run("watch", "list").stdout and it.finds(word)


ROWS: dict[str, Row] = {
    "plain write": plain_write,
    "temporary file in the same folder, then replace": replaced_from_the_same_folder,
    "temporary file outside, replaced into the tree": replaced_from_outside,
    "backup, then a new file (vim)": vim,
    "unlink and create (git checkout)": git_checkout,
    "write through a memory map": mmap_write,
    "folder with three files renamed": renamed_folder,
    "populated folder moved in": folder_moved_in,
    "moved out of the tree (counts as missing)": moved_out,
    "50 folders made and written at once": fifty_folders_at_once,
    "symbolic link made (not followed)": symlink,
    "watched folder removed (pauses, notes stay)": root_removed,
}


def main() -> None:
    with bench(SECONDME_MODELS_EMBEDDER="") as it:
        it.start()
        for number, (name, row) in enumerate(ROWS.items()):
            followed = row(it, f"zzrow{number}x")
            print(f"{name:<50} followed after {until(followed, seconds=90):.1f} s", flush=True)


if __name__ == "__main__":
    main()
