"""`secondme restore`: a copy takes the place of the memory in one step, nothing is overwritten, and nothing is lost."""

from __future__ import annotations

import json
import os
import random
import stat
import subprocess
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import ROOT, Run
from daemons import Background, background
from nights import killed_after, old_memory

from secondme.assistant import Assistant
from secondme.records import Note
from secondme.store.checks import look_through
from secondme.store.connect import open_copy
from secondme.store.copies import write_copy
from secondme.store.replacement import prepared, swap
from secondme.store.store import Store

__all__ = ["background"]

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)


def texts(run: Run) -> set[str]:
    """What is in the memory."""
    lines = run("export", "-").stdout.splitlines()
    return {item["text"] for item in map(json.loads, lines) if item["type"] == "note"}


def test_what_was_added_after_the_copy_comes_back_from_its_files_and_the_rest_is_kept(
    call: Run, own_home: Path, tmp_path: Path
) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "a.md").write_text("The spare key lies under the pot.\n")
    call("watch", "add", vault)
    call("watch", "scan")
    call("add", "typed before")
    copy = tmp_path / "copy.db"
    assert call("backup", copy).code == 0
    call("add", "typed later")
    (vault / "a.md").write_text("The spare key lies behind the shutter.\n")
    (vault / "b.md").write_text("The heron nests by the mill.\n")
    call("watch", "scan")
    database = own_home / "memory.db"
    good = database.read_bytes()
    database.write_bytes(good[:4096] + b"\xa5" * 30_000 + good[34_096:])
    assert call("list").code == 20
    restored = call("restore", copy, "--yes")
    assert restored.code == 0, restored.stderr
    assert "the present memory cannot be read; its file will be kept" in restored.stderr
    assert "2 read, 0 unchanged, 0 missing" in restored.stdout
    assert texts(call) == {
        "typed before",
        "The spare key lies under the pot.\n",
        "The spare key lies behind the shutter.\n",
        "The heron nests by the mill.\n",
    }
    assert call("verify").code == 0
    [aside] = own_home.glob("memory.db.aside-*")
    assert len(aside.read_bytes()) == len(good)
    assert f"the former file is kept: {aside}" in restored.stdout
    assert str(aside) in call("backup", "--list").stdout


def test_a_memory_that_can_be_read_is_set_aside_and_what_only_it_has_is_counted(
    call: Run, own_home: Path, tmp_path: Path
) -> None:
    call("add", "before")
    copy = tmp_path / "copy.db"
    call("backup", copy)
    for text in ("later", "later still"):
        call("add", text)
    asked = call("restore", copy)
    assert asked.code == 2
    assert "the present memory has 3, 2 of them not in the copy" in asked.stderr
    assert texts(call) == {"before", "later", "later still"}
    assert call("restore", copy, "--yes").code == 0
    assert texts(call) == {"before"}
    [aside] = own_home.glob("memory.db.aside-*")
    assert stat.S_IMODE((own_home / "memory.db").stat().st_mode) == 0o600
    # The way back is the same way.
    assert call("restore", aside, "--yes").code == 0
    assert texts(call) == {"before", "later", "later still"}
    assert len(list(own_home.glob("memory.db.aside-*"))) == 2


def test_what_was_forgotten_since_stays_forgotten(call: Run, own_home: Path, tmp_path: Path) -> None:
    call("add", "the heron nests by the mill, where the river bends twice")
    call("add", "stays")
    copy, again = tmp_path / "copy.db", tmp_path / "again.db"
    call("backup", copy)
    again.write_bytes(copy.read_bytes())
    assert call("forget", "n1", "--yes").code == 0
    restored = call("restore", again, "--yes")
    assert restored.code == 0, restored.stderr
    assert texts(call) == {"stays"}
    for path in own_home.rglob("*"):
        assert path.is_dir() or b"heron" not in path.read_bytes(), path


def test_a_memory_that_is_absent_is_restored_without_asking(call: Run, own_home: Path, tmp_path: Path) -> None:
    call("add", "before")
    call("backup", tmp_path / "copy.db")
    (own_home / "memory.db").unlink()
    assert call("restore", tmp_path / "copy.db").code == 0
    assert texts(call) == {"before"}
    assert list(own_home.glob("*aside*")) == []


def test_what_is_no_sound_copy_is_refused_and_nothing_is_touched(call: Run, own_home: Path, tmp_path: Path) -> None:
    call("add", "before")
    call("backup", tmp_path / "copy.db")
    content = (tmp_path / "copy.db").read_bytes()
    newer, other = tmp_path / "newer.db", tmp_path / "other.db"
    newer.write_bytes(content)
    other.write_bytes(content)
    with closing(open_copy(newer)) as db:
        row = ("secondme", "m999_dreams", "2030-01-01")
        db.conn.execute("insert into _sqlite_migrations (migration_set, name, applied_at) values (?, ?, ?)", row)
    with closing(open_copy(other)) as db:
        db.conn.execute("pragma application_id = 5")
    (tmp_path / "altered.db").write_bytes(content)
    with closing(open_copy(tmp_path / "altered.db")) as db:
        db.conn.execute("update notes set text = 'another'")
    (tmp_path / "half.db").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.db").write_text("these are no pages of a database\n" * 500)
    before = (own_home / "memory.db").read_bytes()
    names = {"newer": 2, "other": 12, "altered": 20, "half": 20, "text": 12, "absent": 10}
    for name, code in names.items():
        refused = call("restore", tmp_path / f"{name}.db", "--yes")
        assert refused.code == code, refused
        assert f"{name}.db" in refused.stderr or name in ("newer", "text")
        assert ".restoring-" not in refused.stderr
    assert call("restore", own_home / "memory.db", "--yes").code == 2
    assert (own_home / "memory.db").read_bytes() == before
    assert sorted(path.name for path in own_home.iterdir() if path.is_file()) == ["memory.db"]


@pytest.mark.parametrize("name", ["evil", "e v'il", 'e"vil'])
def test_a_copy_with_a_word_index_of_others_is_refused(call: Run, tmp_path: Path, name: str) -> None:
    call("add", "before")
    copy = tmp_path / "copy.db"
    call("backup", copy)
    quoted = name.replace('"', '""')
    with closing(open_copy(copy)) as db:
        db.conn.execute(f'create virtual table "{quoted}" using fts5 (a)')
    refused = call("restore", copy, "--yes")
    assert (refused.code, "tables" in refused.stderr) == (20, True)
    assert texts(call) == {"before"}


@pytest.mark.parametrize("statement", ["drop table tombstones", "alter table notes rename column uri to uris"])
def test_a_memory_whose_tables_are_altered_is_set_aside(
    call: Run, own_home: Path, tmp_path: Path, statement: str
) -> None:
    call("add", "before")
    call("backup", tmp_path / "copy.db")
    with closing(open_copy(own_home / "memory.db")) as db:
        db.conn.execute(statement)
    done = call("restore", tmp_path / "copy.db", "--yes")
    assert (done.code, "the present memory cannot be read" in done.stderr) == (0, True)
    assert texts(call) == {"before"}


def test_that_nobody_hears_what_is_said_ends_nothing_half_done(own_home: Path, call: Run, tmp_path: Path) -> None:
    call("add", "before")
    call("backup", tmp_path / "copy.db")
    call("add", "later")
    codes = []
    for command in (["restore", str(tmp_path / "copy.db"), "--yes"], ["show", "n99"]):
        reading, writing = os.pipe()
        os.close(reading)
        path = os.pathsep.join(map(str, (ROOT, ROOT / "plugins", ROOT / "tui")))
        env = {**os.environ, "PYTHONPATH": path, "SECONDME_MODELS_LANGUAGE": "", "SECONDME_MODELS_EMBEDDER": ""}
        line = [sys.executable, "-m", "secondme", *command]
        codes.append(subprocess.run(line, stdin=subprocess.DEVNULL, stderr=writing, env=env, check=False).returncode)
        os.close(writing)
    assert codes == [0, 1]
    assert texts(call) == {"before"}


def test_a_copy_of_an_earlier_version_is_brought_up_to_date(call: Run, own_home: Path, tmp_path: Path) -> None:
    import hashlib

    old = tmp_path / "old.db"
    old_memory(old)
    with closing(open_copy(old)) as db:
        for id, text in db.conn.execute("select id, text from notes").fetchall():
            digest = hashlib.sha256(text.encode()).hexdigest()
            db.conn.execute("update notes set digest = ? where id = ?", (digest, id))
    content = old.read_bytes()
    call("add", "now")
    assert call("restore", old, "--yes").code == 0
    assert texts(call) == {"I live in Lisbon.", "My sister Nora keeps bees."}
    assert old.read_bytes() == content
    assert call("verify").code == 0


def test_while_somebody_has_the_memory_open_nothing_takes_its_place(call: Run, own_home: Path, tmp_path: Path) -> None:
    call("add", "before")
    call("backup", tmp_path / "copy.db")
    call("add", "later")
    with Store(own_home / "memory.db", create=False):
        refused = call("restore", tmp_path / "copy.db", "--yes")
        assert refused.code == 11
    assert texts(call) == {"before", "later"}
    assert call("restore", tmp_path / "copy.db", "--yes").code == 0


def test_with_a_daemon_running_restore_says_to_stop_it(background: Background, tmp_path: Path) -> None:
    background.run("add", "before")
    background.run("backup", tmp_path / "copy.db")
    background.run("add", "later")
    background.start()
    refused = background.run("restore", tmp_path / "copy.db", "--yes")
    assert refused.code == 11
    assert "hint: secondme daemon stop" in refused.stderr
    assert "later" in background.run("list").stdout
    assert background.run("daemon", "stop").code == 0
    assert background.run("restore", tmp_path / "copy.db", "--yes").code == 0
    background.start()
    assert "later" not in background.run("list").stdout


def test_a_daemon_over_a_damaged_memory_ends_with_one_line(background: Background) -> None:
    background.run("add", "before")
    (background.home / "memory.db").write_bytes(b"\0" * 9000)
    ended = background.run("daemon", "run")
    assert ended.code == 20
    assert "is damaged" in ended.stderr
    assert (background.home / "memory.db").read_bytes() == b"\0" * 9000


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_restore_that_is_killed_leaves_the_old_one_or_the_new_one(
    own_home: Path, tmp_path: Path, is_damaged: bool
) -> None:
    database, copy, chance = own_home / "memory.db", tmp_path / "copy.db", random.Random(6)
    with Assistant.open() as me:
        me.write([Note(f"before {number} " * 50, uri=f"b:{number}") for number in range(50)])
        write_copy(me.store.db, copy)
        me.write([Note("later", uri="later")])
    good = database.read_bytes()
    present = good if not is_damaged else good[:8192] + b"\xa5" * 8192 + good[16384:]
    restored = 0
    for _ in range(6):
        for path in own_home.glob("memory.db*"):
            path.unlink()
        database.write_bytes(present)

        def work() -> None:
            with prepared(copy, database) as ready:
                swap(ready, database, now=NOW)
            time.sleep(20)

        with killed_after(work):
            time.sleep(chance.uniform(0, 0.25))
        if database.read_bytes() != present:
            restored += 1
            with Store(database, create=False) as store:
                assert all(one.ok for one in look_through(store.db))
                assert store.counts()["notes"] == 50
            [aside] = own_home.glob("memory.db.aside-*")
            assert aside.read_bytes() == present
    with suppress(FileNotFoundError), prepared(copy, database) as ready:
        swap(ready, database, now=NOW)
    assert list(own_home.glob(".restoring-*")) == []
