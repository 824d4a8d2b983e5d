"""Pages: kept within a budget, given back whole or not at all, and never longer there than their text."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import ROOT, TESTS, Run
from nights import open_memory
from sqlcipher3 import dbapi2

from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig
from secondme.daemon import worker
from secondme.encryption import change_key
from secondme.errors import Locked
from secondme.keys import Key, is_sealed, remember
from secondme.locks import page_lock
from secondme.paths import find_paths
from secondme.records import Note
from secondme.store import pages as pages_module
from secondme.store.connect import key_of
from secondme.store.forgetting import finish, is_unfinished
from secondme.store.page_file import no_pages
from secondme.store.page_room import PageNumbers
from secondme.store.page_sweeping import tidy_pages
from secondme.store.pages import PageStore

BUDGET = 10_000_000
MARK = b"\x81a page that can be recognised\x82"
STATE = MARK * 3000
NO_MODELS = Config(models=ModelsConfig("", ""))
KEY = Key("ab" * 32)


@pytest.fixture
def me(own_home: Path) -> Iterator[Assistant]:
    """A memory of two notes, with one passage each."""
    with open_memory(own_home) as me:
        me.add(Note("I live in Porto.", uri="diary:1"))
        me.add(Note("My sister keeps bees.", uri="diary:2"))
        yield me


@pytest.fixture
def pages(me: Assistant) -> Iterator[PageStore]:
    """Its pages."""
    with PageStore.of(me.store, budget_bytes=BUDGET) as pages:
        yield pages


def text_of(me: Assistant, note_id: int) -> str:
    [passage] = me.store.passages_of(note_id)
    return passage.span.text


def keep(pages: PageStore, me: Assistant, note_id: int, state: bytes = STATE) -> bool:
    """Keep a page of the one passage of a note, under the key `page of N`."""
    return pages.keep(f"page of {note_id}", state, of=[(note_id, text_of(me, note_id))])


def in_files(home: Path, part: bytes = MARK) -> int:
    """How often these bytes are in the files of a memory."""
    return sum(path.read_bytes().count(part) for path in home.rglob("*") if path.is_file())


def again(pages: PageStore) -> PageStore:
    """The same pages, with all of the file read anew."""
    pages.close()
    return pages


def test_a_page_is_given_back_as_it_was_and_uses_are_counted(me: Assistant, pages: PageStore) -> None:
    assert pages.load("page of 1") is None
    assert keep(pages, me, 1)
    assert pages.keep("prefix", b"\0" * 5)
    assert again(pages).load("page of 1") == STATE
    assert pages.load("prefix") == b"\0" * 5
    assert (pages.has("page of 1"), pages.has("page of 2")) == (True, False)
    found = pages.statistics()
    assert (found.pages, found.hits, found.misses) == (2, 2, 1)
    assert len(STATE) < found.bytes < 4 * len(STATE)
    assert keep(pages, me, 1, b"another")
    assert pages.load("page of 1") == b"another"


def test_the_file_is_private_and_has_neither_keys_nor_texts_in_it(
    own_home: Path, me: Assistant, pages: PageStore
) -> None:
    keep(pages, me, 1)
    data = b"".join(path.read_bytes() for path in own_home.glob("pages.*"))
    assert MARK in data
    assert b"Porto" not in data
    assert b"page of" not in data
    assert {stat.S_IMODE(path.stat().st_mode) for path in own_home.glob("pages.*")} == {0o600}


def test_without_a_budget_there_are_no_pages_and_no_file(own_home: Path, me: Assistant) -> None:
    with PageStore.of(me.store, budget_bytes=0) as none:
        assert not none.keep("prefix", b"x")
        assert not none.keep("empty", b"")
        assert (none.load("prefix"), none.has("prefix"), none.sweep(me.store)) == (None, False, 0)
        assert none.statistics() == PageNumbers()
    assert list(own_home.glob("pages*")) == []


def test_the_budget_holds_and_what_was_used_little_and_long_ago_goes_first(
    me: Assistant, pages: PageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages.budget_bytes = 4000

    def on(day: int) -> None:
        monkeypatch.setenv("SECONDME_NOW", f"2024-06-{day:02}T12:00:00Z")

    def kept() -> str:
        return "".join(name for name in "abcdef" if pages.has(name))

    on(1)
    for name in "abcd":
        assert pages.keep(name, name.encode() * 1000)
    on(2)
    assert pages.load("a")
    assert pages.keep("e", b"e" * 1000)
    # Of those that nobody used, the first.
    assert kept() == "acde"
    for _ in range(4):
        assert pages.load("c")
    on(12)
    assert pages.keep("f", b"f" * 2000)
    assert kept() == "acf"
    on(30)
    assert pages.load("f")
    assert pages.keep("a", b"a" * 1500)
    # Even what was used most makes way in time.
    assert kept() == "af"
    assert not pages.keep("b", b"b" * 4001)
    assert kept() == "af"
    pages.budget_bytes = 2500
    pages.sweep(me.store)
    assert kept() == "f"


def test_a_flipped_byte_in_a_page_is_noticed_and_only_that_page_goes(
    own_home: Path, me: Assistant, pages: PageStore
) -> None:
    keep(pages, me, 1)
    keep(pages, me, 2, b"bees")
    pages.close()
    path = own_home / "pages.db"
    data = path.read_bytes()
    path.write_bytes(data.replace(MARK, MARK.replace(b"page", b"pagf"), 1))
    assert pages.load("page of 1") is None
    assert not pages.has("page of 1")
    assert pages.load("page of 2") == b"bees"
    assert (pages.statistics().hits, pages.statistics().misses) == (1, 1)
    assert keep(pages, me, 1)
    assert pages.load("page of 1") == STATE


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    match how:
        case "truncated":
            del data[len(data) // 2 :]
        case "garbage":
            data[:] = os.urandom(len(data))
        case "text":
            data[:] = b"dear diary\n" * 1000
        case "flipped":
            for at in range(100, len(data), 512):
                data[at] ^= 255
        case "another program":
            path.unlink()
            with closing(dbapi2.connect(str(path))) as other:
                other.execute("create table pages (theirs)")
            return
        case "a table is missing":
            with closing(dbapi2.connect(str(path), isolation_level=None)) as other:
                other.execute("drop table pages")
            return
        case "no salt":
            with closing(dbapi2.connect(str(path), isolation_level=None)) as other:
                other.execute("delete from totals")
            return
    path.write_bytes(data)


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "encrypted"])
@pytest.mark.parametrize("how", ["truncated", "garbage", "text", "flipped", "another program"])
def test_a_damaged_file_is_thrown_away_and_begun_anew(
    own_home: Path, key: Key | None, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "secondme")
    with PageStore(own_home / "memory.db", key, budget_bytes=BUDGET) as pages:
        assert pages.keep("prefix", STATE)
        pages.close()
        damage(own_home / "pages.db", how)
        assert pages.load("prefix") is None
        assert caplog.messages == ["the pages could not be read, and are begun anew"]
        assert pages.keep("prefix", STATE)
        assert again(pages).load("prefix") == STATE
        assert len(caplog.messages) == 1


@pytest.mark.parametrize("how", ["a table is missing", "no salt"])
def test_a_file_without_all_of_its_tables_is_begun_anew(own_home: Path, how: str) -> None:
    with PageStore(own_home / "memory.db", None, budget_bytes=BUDGET) as pages:
        assert pages.keep("prefix", STATE)
        pages.close()
        damage(own_home / "pages.db", how)
        assert pages.load("prefix") is None
        assert pages.keep("prefix", STATE)
        assert pages.load("prefix") == STATE


def test_no_file_that_others_have_open_is_thrown_away(own_home: Path) -> None:
    """SQLite would remove the log of the new file when the old one is closed."""
    database = own_home / "memory.db"
    with (
        PageStore(database, None, budget_bytes=BUDGET) as pages,
        PageStore(database, KEY, budget_bytes=BUDGET) as other,
    ):
        assert pages.keep("prefix", STATE)
        assert other.load("prefix") is None
        assert not other.keep("prefix", b"other")
        assert pages.load("prefix") == STATE
        pages.close()
        assert other.load("prefix") is None
        assert other.keep("prefix", b"other")
        assert other.load("prefix") == b"other"


def test_an_encrypted_memory_has_encrypted_pages_and_another_key_begins_anew(own_home: Path) -> None:
    database = own_home / "memory.db"
    with PageStore(database, KEY, budget_bytes=BUDGET) as pages:
        assert pages.keep("prefix", STATE)
        assert pages.load("prefix") == STATE
        assert in_files(own_home) == 0
    assert is_sealed(own_home / "pages.db")
    for other in (Key("cd" * 32), Key("a passphrase"), None):
        with PageStore(database, other, budget_bytes=BUDGET) as pages:
            assert pages.load("prefix") is None
            assert pages.keep("prefix", STATE)
            assert pages.load("prefix") == STATE


WRITER = """
import sys
from pathlib import Path
from secondme.store.pages import PageStore

database, own = Path(sys.argv[1]), sys.argv[2]
kept = 0
with PageStore(database, None, budget_bytes=300_000) as pages:
    sys.stdin.read(1)
    for number in range(60):
        name = f"{number % 20}"
        found = pages.load(name)
        assert found in (None, name.encode() * 10_000), found
        kept += pages.keep(name, name.encode() * 10_000)
print(kept)
"""


def test_two_processes_at_once_get_whole_pages(own_home: Path) -> None:
    database = own_home / "memory.db"
    with PageStore(database, None, budget_bytes=BUDGET) as pages:
        assert pages.load("0") is None
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, TESTS)))}
    command = [sys.executable, "-c", WRITER, str(database)]
    both = [
        subprocess.Popen([*command, one], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True)
        for one in "ab"
    ]
    done = [one.communicate("x", timeout=60)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert min(int(kept) for kept in done) > 30
    with PageStore(database, None, budget_bytes=BUDGET) as pages:
        found = {name: pages.load(name) for name in map(str, range(20))}
        sizes = [len(state) for state in found.values() if state]
        assert all(state in (None, name.encode() * 10_000) for name, state in found.items())
        assert 150_000 < sum(sizes) <= 300_000
        assert pages.statistics().misses + pages.statistics().hits > 60
    with closing(dbapi2.connect(str(own_home / "pages.db"))) as db:
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]


def test_a_locked_file_is_a_miss_and_nothing_is_kept(own_home: Path, me: Assistant, pages: PageStore) -> None:
    keep(pages, me, 1)
    with closing(dbapi2.connect(str(own_home / "pages.db"), isolation_level=None)) as other:
        other.execute("begin immediate")
        assert not keep(pages, me, 2)
        # It can be read; that it was used cannot be written down.
        assert pages.load("page of 1") == STATE
        pages.close()
        other.execute("rollback")
        other.execute("pragma locking_mode = exclusive")
        other.execute("begin exclusive")
        other.execute("update totals set hits = 0")
        assert pages.load("page of 2") is None
        other.execute("rollback")
    assert again(pages).load("page of 1") == STATE


def test_a_full_disk_keeps_no_page_and_is_no_error(small_disk: Path) -> None:
    with PageStore(small_disk / "memory.db", None, budget_bytes=BUDGET) as pages:
        assert pages.keep("small", b"s" * 1000)
        assert not pages.keep("large", os.urandom(3_000_000))
        assert pages.load("large") is None
        assert pages.load("small") == b"s" * 1000


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="ascii")
    with PageStore(tmp_path / "file" / "memory.db", None, budget_bytes=BUDGET) as pages:
        assert pages.load("prefix") is None
        assert not pages.keep("prefix", STATE)
        assert pages.statistics() == PageNumbers()


def test_only_pages_of_passages_that_are_there_are_kept(me: Assistant, pages: PageStore) -> None:
    source = text_of(me, 1)
    assert not pages.keep("page", STATE, of=[(1, source + " ")])
    assert not pages.keep("page", STATE, of=[(2, source)])
    me.forget(["n1"])
    # Whoever has read it before, and is done only now, keeps nothing.
    assert not pages.keep("page", STATE, of=[(1, source)])
    assert pages.statistics().pages == 0


def test_forgetting_leaves_no_byte_of_a_page(own_home: Path, me: Assistant, pages: PageStore) -> None:
    keep(pages, me, 1)
    keep(pages, me, 2, b"of the other")
    pages.keep("prefix", b"of none")
    assert in_files(own_home) > 1000
    assert me.forget(["n1"], dry_run=True).pages == 1
    assert pages.load("page of 1") == STATE
    done = me.forget(["n1"])
    assert (done.pages, done.left) == (1, "")
    assert in_files(own_home) == 0
    assert pages.load("page of 1") is None
    assert pages.load("page of 2") == b"of the other"
    assert pages.load("prefix") == b"of none"
    # The room of what went is given back.
    assert pages.statistics().bytes < len(STATE)


def test_a_reader_keeps_bytes_for_a_while_and_forgetting_says_so(
    own_home: Path, me: Assistant, pages: PageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages_module, "REMOVING_PATIENCE", 0.1)
    keep(pages, me, 1)
    pages.close()
    with closing(dbapi2.connect(str(own_home / "pages.db"), isolation_level=None)) as other:
        other.execute("begin")
        other.execute("select count(*) from pages").fetchall()
        done = me.forget(["n1"])
        assert "another process reads the pages" in done.left
        assert is_unfinished(me.store)
        assert in_files(own_home) > 0
        other.execute("rollback")
    assert finish(me.store).left == ""
    assert not is_unfinished(me.store)
    assert in_files(own_home) == 0


def test_damaged_pages_go_as_a_whole_when_something_is_forgotten(
    own_home: Path, me: Assistant, pages: PageStore
) -> None:
    keep(pages, me, 1)
    pages.close()
    data = bytearray((own_home / "pages.db").read_bytes())
    data[100:2000] = b"\xff" * 1900
    (own_home / "pages.db").write_bytes(data)
    assert me.forget(["n1"]).left == ""
    assert in_files(own_home) == 0


def test_the_receipt_and_the_dry_run_tell_of_pages(own_home: Path, me: Assistant, pages: PageStore, call: Run) -> None:
    keep(pages, me, 1)
    pages.close()
    line = "  1 page: what the model had read of them\n"
    assert line in call("forget", "n1", "--dry-run").stdout
    assert line in call("forget", "n1", "--yes").stdout
    assert "page" not in call("forget", "n2", "--dry-run").stdout
    assert call("forget", "n2", "--yes", "--json").json["pages"] == 0
    assert in_files(own_home) == 0


def test_an_edit_removes_the_pages_of_the_former_text(own_home: Path, me: Assistant, pages: PageStore) -> None:
    keep(pages, me, 1)
    keep(pages, me, 2, b"stays")
    me.rewrite("n1", "I live in Faro.")
    assert (pages.has("page of 1"), pages.has("page of 2")) == (False, True)
    assert in_files(own_home) == 0


def test_masking_removes_the_pages_of_what_is_masked(own_home: Path, call: Run) -> None:
    secret = "AKIA" + "IOSFODNN7EXAMPL" + "Q"
    stored = call("add", f"the key is {secret}", env={"SECONDME_SECRETS_KEEP": "aws-key"})
    [id] = stored.stdout.split()
    with Assistant.open(own_home, config=NO_MODELS) as me, PageStore.of(me.store, budget_bytes=BUDGET) as pages:
        assert secret in text_of(me, 1)
        assert keep(pages, me, 1)
    assert call("secrets", "--mask").code == 0
    assert secret not in call("show", id).stdout
    assert in_files(own_home) == 0


def test_background_work_sweeps_and_removes_all_where_none_are_wanted(
    own_home: Path, me: Assistant, pages: PageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(pages, me, 1)
    keep(pages, me, 2, b"stays")
    # A file that was read again.
    me.add(Note("I live in Faro.", uri="diary:1"))
    assert in_files(own_home) > 0
    pages.close()
    monkeypatch.setenv("SECONDME_MODELS_EMBEDDER", "")
    assert worker._work("embed", [])["error"] == "NoModel"
    assert in_files(own_home) == 0
    assert pages.load("page of 2") == b"stays"
    with pytest.raises(Locked):
        tidy_pages(me.store, budget_bytes=0)
    pages.close()
    tidy_pages(me.store, budget_bytes=0)
    assert not (own_home / "pages.db").exists()


def test_verify_finds_pages_that_outlived_their_text(
    own_home: Path, me: Assistant, pages: PageStore, call: Run
) -> None:
    keep(pages, me, 1, b"the word zyzzogeton as bytes")
    pages.close()
    found = call("forget", "--verify", "zyzzogeton", "--json")
    assert found.code == 20
    places = {one["place"]: one["found"] for one in found.json["places"]}
    assert places["pages of the model"] == 1
    assert places["the files of the pages"] >= 1
    with closing(dbapi2.connect(str(own_home / "pages.db"), isolation_level=None)) as other:
        other.execute("update pages set source = x'00', state = x'0000', length = 2")
        other.execute("create trigger keep_it before delete on pages begin select raise(ignore); end")
    left = call("forget", "--verify", "zyzzogeton", "--json")
    [place] = [one for one in left.json["places"] if one["place"] == "pages of the model"]
    assert (left.code, place["found"]) == (20, 1)
    assert "pages of what is no longer there: 1" in place["looked_at"]


def test_verify_says_what_it_could_not_look_into(own_home: Path, me: Assistant, pages: PageStore, call: Run) -> None:
    keep(pages, me, 1)
    pages.close()
    me.close()
    with closing(dbapi2.connect(str(own_home / "pages.db"), isolation_level=None)) as other:
        other.execute("pragma locking_mode = exclusive")
        other.execute("begin exclusive")
        other.execute("update totals set hits = 0")
        with page_lock(me.store.path, is_shared=True):
            done = call("forget", "--verify", "zyzzogeton")
    assert done.code == 3
    assert "pages of the model: not looked into" in done.stdout


@pytest.mark.parametrize(
    ("old", "new"), [(None, KEY), (KEY, None), (KEY, Key("cd" * 32))], ids=["encrypt", "decrypt", "rekey"]
)
def test_another_key_removes_the_pages(own_home: Path, old: Key | None, new: Key | None) -> None:
    paths = find_paths()
    with Assistant.open(own_home, config=NO_MODELS) as me:
        me.add(Note("I live in Porto."))
    if old:
        change_key(paths, None, old)
    with Assistant.open(own_home, config=NO_MODELS) as me, PageStore.of(me.store, budget_bytes=BUDGET) as pages:
        assert key_of(me.store.db) == old
        assert keep(pages, me, 1)
    with PageStore(paths.database, old, budget_bytes=BUDGET) as pages:
        assert pages.load("page of 1") == STATE
        with pytest.raises(Locked):
            change_key(paths, old, new)
    change_key(paths, old, new)
    assert sorted(path.name for path in own_home.glob("pages*")) == ["pages.lock"]
    assert in_files(own_home) == 0
    remember(paths.database, None)


def test_restoring_removes_the_pages_and_no_copy_or_export_has_any(
    own_home: Path, tmp_path: Path, me: Assistant, pages: PageStore, call: Run
) -> None:
    keep(pages, me, 1)
    pages.close()
    me.close()
    copy, lines = tmp_path / "copy.db", tmp_path / "all.jsonl"
    assert call("backup", copy).code == 0
    assert call("export", lines).code == 0
    assert MARK not in copy.read_bytes() + lines.read_bytes()
    assert call("backup", own_home / "pages.db", "--yes").code == 2
    assert in_files(own_home) > 0
    assert call("restore", copy, "--yes").code == 0
    assert not (own_home / "pages.db").exists()
    assert in_files(own_home) == 0


def test_while_there_are_to_be_no_pages_nobody_makes_any(own_home: Path, me: Assistant, pages: PageStore) -> None:
    keep(pages, me, 1)
    pages.close()
    with no_pages(me.store.path):
        assert not keep(pages, me, 1)
        assert pages.load("page of 1") is None
    assert not (own_home / "pages.db").exists()
    assert keep(pages, me, 1)


def test_statistics_tell_of_pages(me: Assistant, pages: PageStore, call: Run) -> None:
    assert call("stats", "--json").json["pages"] == {"pages": 0, "bytes": 0, "hits": 0, "misses": 0}
    keep(pages, me, 1)
    pages.load("page of 1")
    pages.load("page of 2")
    pages.close()
    found = call("stats", "--json").json["pages"]
    assert found == {"pages": 1, "bytes": found["bytes"], "hits": 1, "misses": 1}
    assert found["bytes"] > len(STATE)
    assert f"pages             1, {found['bytes']:,} bytes on disk; hits 1, misses 1\n" in call("stats").stdout


def test_a_page_goes_with_what_it_was_read_behind(me: Assistant, pages: PageStore) -> None:
    of = [(2, text_of(me, 2)), (1, text_of(me, 1))]
    assert pages.keep("page", STATE, of=of)
    assert pages.outdated(me.store, [1]) == 1
    assert pages.sweep(me.store) == 0
    me.forget(["n1"])
    assert pages.load("page") is None
    assert not pages.keep("page", STATE, of=of)
    assert pages.keep("page", STATE, of=of[:1])
    assert pages.sweep(me.store) == 0


def test_what_was_wanted_is_known_until_it_is_kept_or_gone(me: Assistant, pages: PageStore) -> None:
    pages.want([(1, text_of(me, 1)), (2, text_of(me, 2)), (1, "what is not stored")])
    pages.want([(2, text_of(me, 2))])
    assert sorted(pages.used(me.store)) == [1, 2]
    assert pages.keep("page", STATE, of=[(1, text_of(me, 1))], is_ahead=True)
    # Those that are missing come first.
    assert pages.used(me.store) == [2, 1]
    assert pages.sweep(me.store) == 0
    me.forget(["n2"])
    assert pages.used(me.store) == [1]
    with closing(dbapi2.connect(str(pages.path))) as db:
        assert db.execute("select count(*) from wanted").fetchone() == (0,)


def test_what_answers_wanted_takes_the_place_of_what_nobody_asked_for(
    me: Assistant, pages: PageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3, 7):
        me.add(Note(f"Note {number}.", uri=f"diary:{number}"))
    pages.budget_bytes = 3500

    def at(time: str) -> None:
        monkeypatch.setenv("SECONDME_NOW", f"2024-06-01T{time}:00Z")

    def ahead(note_id: int, *, is_wanted: bool = False) -> bool:
        source = (note_id, text_of(me, note_id))
        if is_wanted:
            pages.want([source])
        return pages.keep(str(note_id), b"x" * 1000, of=[source], is_ahead=True)

    def kept() -> str:
        return "".join(name for name in "123456" if pages.has(name))

    at("08:00")
    # Filled ahead are nine tenths: three of them.
    assert [ahead(number) for number in (6, 5, 4, 3)] == [True, True, True, False]
    assert ahead(1, is_wanted=True)
    assert kept() == "156"
    # Newer ones that nobody asked for do not push it out, ...
    assert [ahead(4), ahead(2)] == [False, False]
    # ... and what is wanted in one hour does not take turns.
    assert [ahead(number, is_wanted=True) for number in (2, 3)] == [True, True]
    at("08:50")
    assert not ahead(4, is_wanted=True)
    assert kept() == "123"
    assert pages.load("1")
    at("10:00")
    assert ahead(4)
    assert kept() == "134"
    # What was asked for more than once stays.
    assert ahead(5, is_wanted=True)
    assert kept() == "145"
    assert pages.used(me.store)[0] == 1
