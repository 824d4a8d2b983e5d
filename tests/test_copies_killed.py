"""Copies in which something was being forgotten when the process was killed: nothing of them is taken for whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Ran, Run
from nights import process

from secondme.store.copies import is_good

DYING = """
import os, signal, sys
from pathlib import Path
from secondme.store.connect import open_copy
db = open_copy(Path(sys.argv[1])).conn
db.execute("pragma journal_mode = delete")
db.execute("pragma cache_size = 5")
db.execute("begin immediate")
db.execute("update notes set text = 'half done ' || hex(randomblob(3000))")
db.execute("delete from passages")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def copy(call: Run, tmp_path: Path) -> Path:
    """A copy of a memory, in which changes were being made when whoever made them was killed."""
    lines = "".join(f'{{"text": "note {number} {"words " * 300}", "uri": "u{number}"}}\n' for number in range(60))
    assert call("add", "--jsonl", "-", stdin=lines).code == 0
    path = tmp_path / "copy.db"
    assert call("backup", path).code == 0
    before = path.read_bytes()
    assert process(DYING, path).returncode == -9
    assert path.read_bytes() != before
    assert Path(f"{path}-journal").stat().st_size
    return path


def texts(found: Ran) -> set[str]:
    return {note["text"].split(" words")[0] for note in found.json["notes"]}


def test_it_is_restored_as_it_was_before(call: Run, copy: Path) -> None:
    assert call("add", "later").code == 0
    assert call("restore", copy, "--yes").code == 0
    assert texts(call("list", "-n", "0", "--json")) == {f"note {number}" for number in range(60)}
    assert call("verify").code == 0


def test_what_takes_its_place_is_whole(call: Run, copy: Path) -> None:
    assert call("add", "later").code == 0
    assert call("backup", copy, "--yes").code == 0
    assert is_good(copy)
    assert call("restore", copy, "--yes").code == 0
    assert len(texts(call("list", "-n", "0", "--json"))) == 61


def test_what_a_crash_left_of_copies_goes_when_something_is_forgotten(
    call: Run, own_home: Path, tmp_path: Path
) -> None:
    assert call("add", "the heron nests").code == 0
    copy = tmp_path / "copy.db"
    assert call("backup", copy).code == 0
    left = [
        own_home / ".restoring-abc",
        own_home / "backups" / ".unfinished-memory-x",
        own_home / "backups" / "memory-20240101T000000Z-night.db-journal",
        tmp_path / ".unfinished-copy.db.abc",
    ]
    (own_home / "backups").mkdir(exist_ok=True)
    for path in left:
        path.write_bytes(b"the heron nests")
    assert call("forget", "n1", "--yes").code == 0
    assert [path for path in left if path.exists()] == []
