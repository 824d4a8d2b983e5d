"""What tells how things are never tells what is in the memory: a word put everywhere turns up in none of it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from conftest import Run
from nights import note, open_memory

from secondme.paths import find_paths

CANARY = "zaunkoenig"

TELLS = (
    "doctor",
    "doctor --json",
    "stats",
    "stats --json",
    "sleep status",
    "sleep status --json",
    "daemon status",
    "daemon status --json",
    "daemon logs",
    "verify",
    "verify --json",
    "plugins --json",
    "config path",
)


def fill(home: Path) -> None:
    """Put the word into notes, facts, names, questions and answers."""
    with open_memory(home) as me:
        me.add_many(
            [
                note(f"I live in {CANARY}. I like {CANARY} tea.", "2024-01-10", uri="diary:1", thread=CANARY),
                note(f"Nora keeps a {CANARY}.", "2024-01-11", uri=f"{CANARY}:2", author=CANARY, origin="import"),
            ]
        )
        assert me.sleep().changes
        with me.store.writing():
            chat = me.store.chats.begin(now=me.store.journal.runs()[0].started_at)
            me.store.chats.rename(chat, CANARY)


def tellers(call: Run) -> dict[str, str]:
    """What each command that tells how things are says, where the word is in it."""
    found = {line: call(*line.split()) for line in TELLS}
    return {line: ran.stdout + ran.stderr for line, ran in found.items() if CANARY in ran.stdout + ran.stderr}


def state_with_the_word() -> list[Path]:
    """The files of the state folder, logs among them, that hold the word."""
    state = find_paths().state
    return [path for path in state.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]


def test_what_tells_how_things_are_tells_no_word(call: Run, own_home: Path) -> None:
    fill(own_home)
    assert CANARY in call("list").stdout
    assert tellers(call) == {}
    assert state_with_the_word() == []


def test_nor_does_a_damaged_memory(call: Run, own_home: Path) -> None:
    fill(own_home)
    path = own_home / "memory.db"
    content = bytearray(path.read_bytes())
    for at in range(8192, len(content) - 64, 4096):
        content[at : at + 16] = b"\xff" * 16
    path.write_bytes(content)
    assert call("verify").code == 20
    assert tellers(call) == {}
    assert state_with_the_word() == []


def test_nor_does_a_daemon_that_meets_bad_files_and_is_killed(
    run: Run, call: Run, own_home: Path, tmp_path: Path
) -> None:
    fill(own_home)
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "good.md").write_text(f"I saw a {CANARY}.", encoding="utf-8")
    (folder / "bad.pdf").write_bytes(b"%PDF-1.7 " + CANARY.encode() * 50)
    (folder / "bad.docx").write_bytes(b"PK\x03\x04" + CANARY.encode() * 50)
    (folder / "bad.ics").write_text(
        f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:{CANARY}\nSUMMARY:{CANARY}", encoding="utf-8"
    )
    assert call("watch", "add", folder).code in (0, 3)
    assert run("daemon", "start").code == 0
    try:
        assert run("ask", f"Where is {CANARY}?", "--no-llm").code in (0, 1)
        assert tellers(call) == {}
    finally:
        pid = call("daemon", "status", "--json").json["pid"]
        os.kill(pid, signal.SIGKILL)
    assert tellers(call) == {}
    assert find_paths().logs.stat().st_size
    assert state_with_the_word() == []
