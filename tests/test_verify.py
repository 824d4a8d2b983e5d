"""`secondme verify` finds what is damaged, tells what can be made anew, and no word of any note."""

from __future__ import annotations

import json
import os
import random
import shutil
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran, Run

from secondme.store.connect import open_copy

CANARY = "zyzzogeton"
STORY = ["I live in Lisbon.", "I moved to Porto.", f"My sister {CANARY.title()} keeps bees.", "I work at Acme."]
COMMANDS = (
    ["verify"],
    ["verify", "--quick"],
    ["list"],
    ["search", "bees"],
    ["facts"],
    ["log"],
    ["show", "n3"],
    ["history", "m1"],
    ["stats"],
)


@pytest.fixture
def told(call: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Ran]:
    """A memory that was slept over, and `secondme` with the fake models."""
    monkeypatch.chdir(tmp_path)

    def say(*arguments: str | Path) -> Ran:
        return call(*arguments, replies=[])

    for text in STORY:
        say("add", text)
    assert say("sleep", "--yes").code == 0
    return say


@pytest.fixture
def database(own_home: Path) -> Path:
    return own_home / "memory.db"


def change(database: Path, statement: str, *values: Any) -> None:
    """Change the file behind the back of everything."""
    with closing(open_copy(database)) as db:
        db.conn.execute("pragma foreign_keys = off")
        db.conn.execute(statement, values)


def wrong(found: Ran) -> dict[str, list[str]]:
    """What was found to be wrong, with the names it was given."""
    return {one["name"]: one["ids"] for one in found.json["checks"] if not one["ok"]}


def test_a_whole_memory_is_found_whole(told: Callable[..., Ran]) -> None:
    found = told("verify")
    assert (found.code, found.stderr) == (0, "")
    lines = found.stdout.splitlines()
    assert all(line.startswith("ok     ") for line in lines)
    assert "ok     notes: 4" in lines
    assert "ok     lines of facts: 4" in lines
    assert told("verify", "--json").json["ok"] is True
    quick = told("verify", "--quick").stdout.splitlines()
    assert set(quick) < set(lines)
    assert "ok     notes: 4" not in quick


DURABLE = [
    ("update notes set text = 'another' where id = 2", "notes", ["n2"]),
    ("update passages set byte_end = byte_end - 1 where note_id = 3", "texts of passages", ["n3.1"]),
    ("update evidence set quote_hash = 'x' where memory_id = 1", "lines of facts", ["m1"]),
    ("update changes set reason = reason || '!' where id = 2", "journal", ["c2"]),
    ("update changes set made_at = '2020-01-01T00:00:00Z' where id = 3", "journal", ["c3"]),
    ("delete from changes where id = 1", "journal", ["c1"]),
    ("delete from chain where change_id = (select max(id) from changes)", "journal", ["c4"]),
    ("delete from notes where id = 4", "rows", None),
    ("alter table folders rename column kind to kinds", "tables", ["folders"]),
    ("drop trigger passages_added", "tables", ["passages_added"]),
]


@pytest.mark.parametrize(("statement", "name", "ids"), DURABLE)
def test_what_was_altered_is_named_and_a_copy_brings_it_back(
    told: Callable[..., Ran], database: Path, statement: str, name: str, ids: list[str] | None
) -> None:
    told("backup", "good.db")
    change(database, statement)
    found = told("verify", "--json")
    assert found.code == 20
    named = wrong(found)[name]
    assert ids in (None, named)
    assert "secondme restore" in found.stderr
    assert "reindex" not in found.stderr or name == "rows"
    assert told("restore", "good.db", "--yes").code == 0
    assert told("verify").code == 0


def test_a_journal_that_lost_its_last_change_and_its_hash_is_found(told: Callable[..., Ran], database: Path) -> None:
    change(database, "delete from changes where id = 4")
    change(database, "delete from chain where change_id = 4")
    assert wrong(told("verify", "--json"))["journal"] == ["c4"]


def test_taking_back_and_reviewing_break_no_chain(told: Callable[..., Ran]) -> None:
    assert told("review", "--accept", "c1").code == 0
    assert told("undo", "c4", "--yes").code == 0
    assert told("undo", "r1", "--yes").code == 0
    told("sleep", "--yes")
    assert told("verify").code == 0


DERIVED = [
    ("insert into passage_words (passage_words, rowid, label, text) values ('delete', 1, 'me', 'I live in Lisbon.')",),
    ("insert into memory_words (memory_words, rowid, text) values ('delete', 1, 'I live in Lisbon.')",),
    ("delete from passage_vectors where passage_id = 2",),
    ("delete from passage_tokens where passage_id = 2",),
    ("update passage_tokens set codes = x'00' where passage_id = 2",),
    ("update memory_tokens set codes = x'' where memory_id = 1",),
    ("update passage_vectors_vector_chunks00 set vectors = x'0011'",),
    ("update passage_vectors_chunks set validity = x'00'",),
    ("insert into passage_tokens values (99, zeroblob(48))",),
]


@pytest.mark.parametrize("statements", DERIVED)
def test_what_is_derived_is_made_anew_by_reindexing(
    told: Callable[..., Ran], database: Path, statements: tuple[str, ...]
) -> None:
    for statement in statements:
        change(database, statement)
    found = told("verify", "--json")
    assert found.code == 20
    assert all(one["ok"] or one["is_derived"] for one in found.json["checks"])
    assert found.json["hints"] == ["secondme reindex"]
    assert told("reindex").code == 0
    assert told("verify").code == 0
    assert "bees" in told("search", "sister keeps bees").stdout


def test_no_word_of_a_note_is_told(told: Callable[..., Ran], database: Path) -> None:
    change(database, "update notes set text = text || ' altered'")
    change(database, "update memories set text = text || ' altered'")
    change(database, "update evidence set quote_hash = 'x'")
    for found in (told("verify"), told("verify", "--json")):
        assert found.code == 20
        assert CANARY not in (found.stdout + found.stderr).lower()


def test_without_a_memory_there_is_nothing_to_verify(call: Run) -> None:
    assert call("verify").code == 10


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "an empty file": lambda content: b"",
    "a few bytes": lambda content: content[:50],
    "half of it": lambda content: content[: len(content) // 2],
    "zeros": lambda content: b"\0" * len(content),
    "a first page of zeros": lambda content: b"\0" * 4096 + content[4096:],
    "another magic": lambda content: b"X" + content[1:],
    "another page size": lambda content: content[:16] + b"\x13\x37" + content[18:],
    "another name": lambda content: content[:68] + b"ABCD" + content[72:],
    "rubbish from the second page on": lambda content: content[:4096] + b"\xa5" * (len(content) - 4096),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_memory_is_one_line_with_the_way_back_and_stays_as_it_is(
    told: Callable[..., Ran], database: Path, damage: str
) -> None:
    told("backup", "good.db")
    [copy] = (database.parent / "backups").iterdir()
    content = DAMAGES[damage](database.read_bytes())
    database.write_bytes(content)
    for command in (["list"], ["search", "x"], ["verify"], ["add", "x"], ["doctor"], ["backup", "x.db"], ["reindex"]):
        found = told(*command)
        assert found.code == 20, (command, found)
        assert database.read_bytes() == content, command
        if command[0] != "doctor":
            assert found.stderr.count("secondme: ") == 1, found.stderr
            assert f"secondme restore {copy}" in found.stderr
    assert told("restore", copy, "--yes").code == 0
    assert told("verify").code == 0
    assert len(told("list", "-n", "0").stdout.splitlines()) == len(STORY)
    [aside] = database.parent.glob("memory.db.aside-*")
    assert aside.read_bytes() == content


def test_a_damaged_copy_is_passed_over_for_an_older_one_that_is_good(told: Callable[..., Ran], database: Path) -> None:
    told("add", "one more")
    told("sleep", "--yes")
    older, newer = sorted((database.parent / "backups").iterdir())
    newer.write_bytes(newer.read_bytes()[:9000])
    database.write_bytes(b"\0" * 9000)
    assert f"secondme restore {older}\n" in told("list").stderr
    older.write_bytes(b"")
    assert "move it away, with the folder backups" in told("list").stderr


def test_where_no_copy_is_good_a_new_memory_begins_as_the_hint_says(told: Callable[..., Ran], database: Path) -> None:
    for copy in (database.parent / "backups").iterdir():
        copy.write_bytes(b"")
    database.write_bytes(b"\0" * 9000)
    assert "with the folder backups" in told("list").stderr
    database.rename(database.with_name("away"))
    (database.parent / "backups").rename(database.with_name("backups-away"))
    assert told("add", "x").code == 0


def test_names_of_tables_are_shown_without_codes(told: Callable[..., Ran], database: Path) -> None:
    change(database, 'create table "a\x1b]0;x\x07" (id)')
    found = told("verify")
    assert found.code == 20
    assert "\x1b" not in found.stdout + found.stderr


def test_flipped_bits_are_found_or_harmless_and_never_a_mistake_of_ours(
    told: Callable[..., Ran], database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, chance = database.read_bytes(), random.Random(6)
    home, codes = tmp_path / "flipped", []
    monkeypatch.setenv("SECONDME_HOME", str(home))
    used = [at for at in range(len(content)) if content[at]]
    for number in range(60):
        flipped = bytearray(content)
        flipped[chance.choice(used) if number % 4 else chance.randrange(4096)] ^= 1 << chance.randrange(8)
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        (home / "memory.db").write_bytes(flipped)
        # A flipped length may take native code down: what happens then stays in a process of its own.
        found = in_a_process_of_its_own(lambda: [told(*command).code for command in COMMANDS])
        assert set(found) <= {0, 1, 20}, (number, found)
        codes.append(found[0])
        assert (home / "memory.db").read_bytes() == flipped
    assert 20 in codes
    assert 0 in codes


def in_a_process_of_its_own(work: Callable[[], list[int]]) -> list[int]:
    """What `work` returns; fails where it raises or dies."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.write(writing, json.dumps(work()).encode())
        except BaseException:  # noqa: BLE001  it is told to whoever waits for this
            os.write(writing, json.dumps(traceback.format_exc()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    _, status = os.waitpid(pid, 0)
    assert status == 0
    found = json.loads(content)
    assert isinstance(found, list), found
    return found
