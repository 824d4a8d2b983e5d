"""Copies of the memory: made while others write, checked before they count, kept by age, whole whatever happens."""

from __future__ import annotations

import os
import random
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from conftest import Run
from daemons import wait_for
from hypothesis import given
from hypothesis import strategies as st
from nights import killed_after, open_memory

from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig
from secondme.errors import IntegrityError
from secondme.records import Note
from secondme.store import copies
from secondme.store.checks import look_through
from secondme.store.connect import open_copy
from secondme.store.copies import backups, made_at, superfluous, write_copy
from secondme.store.store import Store

NONE = Config(models=ModelsConfig(language="", embedder=""))
START = datetime(2024, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def me(own_home: Path) -> Iterator[Assistant]:
    """A memory with the fake models and one note that was not slept over."""
    with open_memory(own_home) as opened:
        opened.add_many([Note("I live in Lisbon.", uri="diary:1")])
        yield opened


def texts_in(copy: Path) -> list[str]:
    """The texts of all notes in a copy."""
    with closing(open_copy(copy)) as db:
        return [row[0] for row in db.conn.execute("select text from notes order by id")]


def test_a_copy_holds_all_there_is_and_is_private(call: Run, tmp_path: Path) -> None:
    call("add", "the heron nests by the mill")
    target = tmp_path / "copy.db"
    made = call("backup", target)
    assert (made.code, made.stdout) == (0, "")
    assert f"1 note, {target.stat().st_size:,} bytes, checked: {target}\n" in made.stderr
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert texts_in(target) == ["the heron nests by the mill"]
    with closing(open_copy(target)) as db:
        assert all(one.ok for one in look_through(db))
    assert sorted(path.name for path in tmp_path.glob("*copy.db*")) == ["copy.db"]


def test_a_copy_that_exists_is_replaced_only_on_demand(call: Run, tmp_path: Path) -> None:
    call("add", "one")
    target = tmp_path / "copy.db"
    target.write_bytes(b"precious")
    refused = call("backup", target)
    assert refused.code == 2
    assert "exists" in refused.stderr
    assert target.read_bytes() == b"precious"
    assert call("backup", target, "--yes").code == 0
    assert texts_in(target) == ["one"]


@pytest.mark.parametrize("where", ["home/memory.db", "home", "nowhere/copy.db", os.fsdecode(b"\xff.db")])
def test_a_copy_is_not_written_where_it_cannot_be(call: Run, tmp_path: Path, where: str) -> None:
    call("add", "one")
    assert call("backup", tmp_path / where, "--yes").code == 2
    assert call("list").code == 0


def test_copies_are_listed_with_those_elsewhere(call: Run, tmp_path: Path, own_home: Path) -> None:
    assert call("backup", "--list").code == 1
    call("add", "one")
    call("backup", tmp_path / "copy.db")
    call("sleep", replies=[])
    listed = call("backup", "--list").stdout
    assert str(tmp_path / "copy.db") in listed
    assert [str(copy) in listed for copy in backups(own_home / "memory.db")] == [True]
    assert call("backup").code == 2


def test_others_write_while_a_copy_is_made(me: Assistant, tmp_path: Path) -> None:
    me.write([Note(f"note {number} " * 200, uri=f"n:{number}") for number in range(300)])
    with Store(me.store.path) as other:
        steps = []

        def write(done: int, total: int) -> None:
            steps.append((done, total))
            text = f"meanwhile {len(steps)}"
            if len(steps) < 3:
                other.db.conn.execute("insert or replace into meta values (?, 'x')", (text,))

        before = copies.STEPS
        copies.STEPS = 10
        try:
            write_copy(me.store.db, tmp_path / "copy.db", progress=write)
        finally:
            copies.STEPS = before
    assert len(steps) > 2
    assert all(done <= total for done, total in steps)
    assert len(texts_in(tmp_path / "copy.db")) == 301
    assert me.store.meta("meanwhile 1") == "x"


def test_an_interrupted_copy_leaves_nothing(me: Assistant, tmp_path: Path) -> None:
    me.write([Note(f"note {number} " * 2000, uri=f"n:{number}") for number in range(200)])

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    (tmp_path / "there").mkdir()
    with pytest.raises(KeyboardInterrupt):
        write_copy(me.store.db, tmp_path / "there" / "copy.db", progress=interrupt)
    assert list((tmp_path / "there").iterdir()) == []


def test_a_note_forgotten_while_a_copy_is_made_is_in_no_copy(me: Assistant, tmp_path: Path) -> None:
    me.write([Note(f"note {number} " * 2000, uri=f"n:{number}") for number in range(200)])
    with Store(me.store.path) as other:
        numbers = [2]

        def forget(done: int, total: int) -> None:
            if numbers:
                other.db.conn.execute("delete from passages where note_id = ?", (numbers[0],))
                other.db.conn.execute("delete from notes where id = ?", (numbers.pop(),))

        with pytest.raises(IntegrityError, match="notes were forgotten meanwhile"):
            write_copy(me.store.db, tmp_path / "copy.db", progress=forget)
    assert not (tmp_path / "copy.db").exists()


def test_a_draft_that_forgetting_has_removed_becomes_no_copy_and_the_one_before_stays(
    me: Assistant, tmp_path: Path
) -> None:
    me.write([Note(f"note {number} " * 2000, uri=f"n:{number}") for number in range(200)])
    target = tmp_path / "copy.db"
    write_copy(me.store.db, target)
    before = target.read_bytes()

    def remove(done: int, total: int) -> None:
        for draft in copies.drafts_of(target):
            draft.unlink()

    with pytest.raises(IntegrityError, match=f"{target}: notes were forgotten meanwhile"):
        write_copy(me.store.db, target, progress=remove)
    with Store(me.store.path) as other:

        def forget(done: int, total: int) -> None:
            other.db.conn.execute("delete from passages where note_id = 2")
            other.db.conn.execute("delete from notes where id = 2")

        with pytest.raises(IntegrityError, match="notes were forgotten meanwhile"):
            write_copy(me.store.db, target, progress=forget)
    assert target.read_bytes() == before


def test_before_a_night_and_only_where_something_changed_the_memory_is_copied(me: Assistant) -> None:
    path = me.store.path
    assert backups(path) == []
    me.sleep(dry_run=True)
    assert backups(path) == []
    me.sleep()
    [first] = backups(path)
    assert (stat.S_IMODE(first.stat().st_mode), stat.S_IMODE(first.parent.stat().st_mode)) == (0o600, 0o700)
    with closing(open_copy(first)) as db:
        assert db.conn.execute("select count(*) from notes").fetchone() == (1,)
        assert db.conn.execute("select count(*) from memories").fetchone() == (0,)
    me.sleep()
    assert backups(path) == [first]
    me.add_many([Note("I moved to Porto.", uri="diary:2")])
    me.sleep()
    assert backups(path)[0] == first
    assert len(backups(path)) == 2


def test_nothing_is_copied_again_where_nothing_was_written(me: Assistant) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=2)
    first = copies.back_up(me.store.db, me.store.path, "night", now=moment)
    later = moment + timedelta(days=1)
    os.utime(first, (later.timestamp(), later.timestamp()))
    assert copies.back_up(me.store.db, me.store.path, "night", now=later) == first
    me.add(Note("two"))
    os.utime(me.store.path.with_name("memory.db-wal"), (later.timestamp() + 9, later.timestamp() + 9))
    assert copies.back_up(me.store.db, me.store.path, "night", now=later) != first


def test_a_large_memory_is_copied_once_in_half_a_day(me: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "LARGE", 1000)
    for hours in (0, 1, 11, 13, 14):
        me.add(Note(f"after {hours}"))
        copies.back_up_for_night(me.store.db, me.store.path, now=START + timedelta(hours=hours))
    assert [made_at(copy) for copy in backups(me.store.path)] == [START, START + timedelta(hours=13)]


MOMENTS = st.lists(st.integers(0, 60 * 24 * 3).map(lambda number: START + timedelta(minutes=20 * number)), max_size=60)


@given(MOMENTS)
def test_the_newest_copies_and_one_a_day_and_week_are_kept(moments: list[datetime]) -> None:
    kept = sorted(set(moments) - superfluous(moments), reverse=True)
    ordered = sorted(set(moments), reverse=True)
    assert kept[:3] == ordered[:3]
    assert len(kept) <= 3 + 7 + 4
    days = {moment.date() for moment in ordered}
    assert {moment.date() for moment in kept} >= set(sorted(days, reverse=True)[:7])
    weeks = {moment.isocalendar()[:2] for moment in ordered}
    assert {moment.isocalendar()[:2] for moment in kept} >= set(sorted(weeks, reverse=True)[:4])
    # What was kept is kept again: copies that go do not take others with them.
    assert superfluous(kept) == set()


def test_a_copy_a_day_for_months_leaves_ten() -> None:
    moments = [START + timedelta(days=number) for number in range(120)]
    kept = sorted(set(moments) - superfluous(moments), reverse=True)
    assert kept[:7] == [START + timedelta(days=number) for number in range(119, 112, -1)]
    assert len(kept) == 9


def test_old_copies_go_when_a_new_one_is_made(me: Assistant) -> None:
    folder = me.store.path.parent / "backups"
    for number in range(20):
        me.add(Note(f"note {number}"))
        copies.back_up(me.store.db, me.store.path, "night", now=START + timedelta(minutes=number))
    found = backups(me.store.path)
    assert [made_at(copy).minute for copy in found] == [17, 18, 19]
    (folder / ".unfinished-memory-x.db.abc").write_bytes(b"left by a crash")
    (folder / ".unfinished-memory-y.db.abc").write_bytes(b"being written")
    os.utime(folder / ".unfinished-memory-x.db.abc", (1, 1))
    (folder / "mine.db").write_bytes(b"not ours")
    me.add(Note("one more"))
    copies.back_up(me.store.db, me.store.path, "night", now=START + timedelta(minutes=30))
    names = {path.name for path in folder.iterdir()} - {path.name for path in backups(me.store.path)}
    assert names == {"mine.db", ".unfinished-memory-y.db.abc"}


def test_a_full_disk_leaves_no_copy_and_no_half_of_one(me: Assistant, call: Run, small_disk: Path) -> None:
    me.write([Note(f"note {number} " * 2000, uri=f"n:{number}") for number in range(200)])
    (small_disk / "copy.db").write_bytes(b"the one before")
    failed = call("backup", small_disk / "copy.db", "--yes")
    assert failed.code == 20
    assert f"{small_disk}/copy.db: no space left on the disk; no copy was made" in failed.stderr
    assert [path.name for path in small_disk.iterdir()] == ["copy.db"]
    assert (small_disk / "copy.db").read_bytes() == b"the one before"


def test_a_night_without_room_for_its_copy_does_not_begin(own_home: Path, small_disk: Path) -> None:
    with open_memory(own_home) as me:
        me.write([Note(f"note {number} " * 2000, uri=f"n:{number}") for number in range(60)])
        (own_home / "backups").symlink_to(small_disk)
        with pytest.raises(IntegrityError, match="no copy was made"):
            me.sleep()
        assert me.store.journal.runs() == []
        assert list(small_disk.iterdir()) == []
        assert [note.text for note in me.notes()]


def copy_for_ever(memory: Path, target: Path) -> None:
    """What the process that will be killed does."""
    with Store(memory, create=False) as store:
        while True:
            write_copy(store.db, target)


def test_a_copy_that_is_killed_is_the_old_one_or_the_new_one(me: Assistant, tmp_path: Path) -> None:
    target, chance = tmp_path / "there" / "copy.db", random.Random(6)
    target.parent.mkdir()
    me.write([Note(f"note {number} " * 200, uri=f"n:{number}") for number in range(100)])
    for count in range(102, 112):
        me.add(Note(f"one more: {count}"))
        earlier = target.stat().st_ino if target.exists() else 0
        with killed_after(lambda: copy_for_ever(me.store.path, target)):
            wait_for(partial(is_another, target, earlier))
            time.sleep(chance.uniform(0, 0.1))
        assert len(texts_in(target)) == count
        with closing(open_copy(target)) as db:
            assert all(one.ok for one in look_through(db))


def is_another(path: Path, earlier: int) -> bool:
    """True if the file at `path` is there and is not the earlier one."""
    return path.exists() and path.stat().st_ino != earlier


@pytest.mark.parametrize("name", ["memory.db", "memory.db-wal", "memory.db-journal", "config.toml"])
def test_no_copy_takes_the_name_of_a_file_the_memory_needs(own_home: Path, call: Run, name: str) -> None:
    assert call("add", "tea").code == 0
    refused = call("backup", own_home / name, "--yes")
    assert refused.code == 2
    assert "cannot be replaced by a copy" in refused.stderr
    assert call("list").code == 0


def test_a_memory_that_is_not_sound_gives_no_copy(me: Assistant, tmp_path: Path) -> None:
    me.store.db.conn.execute("delete from passage_words_data where id > 10")
    with pytest.raises(IntegrityError, match="not sound"):
        copies.write_copy(me.store.db, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()
