from __future__ import annotations

import os
import re
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes import FakePlugin
from sqlcipher3 import dbapi2

from secondme.assistant import Assistant
from secondme.clean import clean
from secondme.config import Config
from secondme.errors import IntegrityError, Locked, NewerDatabase, NoDatabase, SecondmeError, WrongKey
from secondme.plugins import load_plugins
from secondme.records import Filters, Note
from secondme.store.forgetting import is_unfinished
from secondme.store.store import Store

DAY = datetime(2024, 6, 1, tzinfo=UTC)
CANARY = "zyzzogeton"


@pytest.fixture
def me(own_home: Path, scripted: FakePlugin) -> Iterator[Assistant]:
    """A memory with the hashing embedder."""
    plugins = load_plugins(installed=False)
    plugins.register(scripted, "scripted")
    with Assistant.open(own_home, config=Config(), plugins=plugins) as opened:
        yield opened


def process(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A Python process that runs `code`, to be talked to."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, text=True)


def words(texts: Iterable[Note]) -> set[str]:
    return {note.text for note in texts}


def assert_whole(path: Path) -> None:
    with Store(path, create=False) as store:
        store.index.check()


ADDING = """
import sys
from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig
from secondme.records import Note
with Assistant.open(sys.argv[1], config=Config(models=ModelsConfig(language="", embedder=""))) as me:
    for number in range(int(sys.argv[3])):
        note = me.add(Note(text=f"{sys.argv[2]} {number} " + "word " * 200))
        print(note.id, number, flush=True)
"""


def test_what_was_acknowledged_survives_kill_9(own_home: Path) -> None:
    acknowledged: dict[str, str] = {}
    for round in range(10):
        running = process(ADDING, own_home, f"round {round}", 1_000_000)
        assert running.stdout is not None
        for _ in range(3 + 3 * round):
            id, number = running.stdout.readline().split()
            acknowledged[id] = f"round {round} {number} "
        running.send_signal(signal.SIGKILL)
        rest, _ = running.communicate()
        for line in rest.splitlines(keepends=True):
            if line.endswith("\n"):
                id, number = line.split()
                acknowledged[id] = f"round {round} {number} "
        assert running.returncode == -signal.SIGKILL
    with Store(own_home / "memory.db", create=False) as store:
        store.index.check()
        for id, beginning in acknowledged.items():
            note = store.note(int(id[1:]))
            assert note is not None
            assert note.text.startswith(beginning)
            assert store.passages_of(int(id[1:]))


def test_processes_create_and_fill_one_memory_at_once(own_home: Path) -> None:
    waiting = "import sys\nfrom secondme.assistant import Assistant\nprint('ready', flush=True)\nsys.stdin.readline()\n"
    running = [process(waiting + ADDING, own_home, name, 40) for name in ("first", "second", "third")]
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    outputs = [one.communicate(timeout=60)[0].splitlines() for one in running]
    assert [one.returncode for one in running] == [0, 0, 0]
    ids = [line.split()[0] for output in outputs for line in output]
    assert len(set(ids)) == 120
    with Store(own_home / "memory.db", create=False) as store:
        store.index.check()
        assert store.counts()["notes"] == 120


def test_a_note_with_another_text_replaces_the_earlier_one_which_stays_readable(me: Assistant) -> None:
    first = me.add(Note(text="the key is under the mat", uri="diary"))
    second = me.add(Note(text="the key is with Ana", uri="diary"))
    assert first.id != second.id
    assert words(me.notes()) == {"the key is with Ana"}
    assert [note.text for note in me.store.versions("diary")] == ["the key is with Ana", "the key is under the mat"]
    assert me.note(first.id)[0].text == "the key is under the mat"
    assert {match.text for match in me.recall("where is the key under the mat")} == {"the key is with Ana"}
    me.store.index.check()


def test_the_earlier_text_added_again_is_current_again_under_its_old_id(me: Assistant) -> None:
    first = me.add(Note(text="one", uri="diary"))
    me.add(Note(text="two", uri="diary"))
    again = me.add(Note(text="one", uri="diary"))
    assert again.id == first.id
    assert words(me.notes()) == {"one"}
    assert [match.text for match in me.recall("one")] == ["one"]
    assert me.store.counts()["earlier_versions"] == 1


def test_no_version_was_replaced_before_it_was_added(me: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    for year, text in ((2100, "first"), (2024, "second")):
        monkeypatch.setenv("SECONDME_NOW", f"{year}-01-01T00:00:00Z")
        me.add(Note(text=text, uri="item"))
    [(added, replaced)] = me.store.db.conn.execute(
        "select added_at, replaced_at from notes where replaced_at is not null"
    ).fetchall()
    assert added == replaced == "2100-01-01T00:00:00Z"


def test_adding_the_same_again_adds_nothing(me: Assistant) -> None:
    notes = [Note(text=f"note {number}", uri=f"diary:{number}") for number in range(3)]
    assert me.add_many(notes).added == 3
    again = me.add_many([*notes, Note(text="note 3", uri="diary:3")])
    assert (again.added, again.known, len(again.ids)) == (1, 3, 4)


def test_halves_of_characters_are_no_reason_not_to_keep_a_note(me: Assistant) -> None:
    note = me.add(Note(text="words \ud800", author="An\udcffn", thread="\ud800"))
    assert me.note(note.id)[0].author == clean("An\udcffn")


def test_notes_are_listed_newest_first_and_filtered(me: Assistant) -> None:
    for number, author in enumerate(("ana", "ben", "ana")):
        me.add(Note(text=f"turn {number}", thread="talk", author=author, happened_at=DAY + timedelta(days=number)))
    assert [note.text for note in me.notes()] == ["turn 2", "turn 1", "turn 0"]
    assert [note.text for note in me.notes(Filters(author="Ana"))] == ["turn 2", "turn 0"]
    later = Filters(since=DAY + timedelta(days=1), until=DAY + timedelta(days=2))
    assert [note.text for note in me.notes(later)] == ["turn 1"]
    assert not list(me.notes(Filters(source="elsewhere")))
    assert [note.text for note in me.notes(Filters(source="TAL"), limit=1)] == ["turn 2"]


def residue(folder: Path, *traces: bytes) -> dict[str, list[bytes]]:
    """Which traces are found in which file of the memory, in any case."""
    found = {
        path.name: [trace for trace in traces if trace.lower() in path.read_bytes().lower()]
        for path in folder.iterdir()
        if path.is_file()
    }
    return {name: some for name, some in found.items() if some}


def test_forgetting_leaves_no_byte(me: Assistant, own_home: Path) -> None:
    me.add_many([Note(text=f"note {number} about the weather", uri=f"keep:{number}") for number in range(50)])
    me.add_many([Note(text=f"the {CANARY} stands here and 漢字仮名 too", uri=f"{CANARY}:diary", title=CANARY)])
    me.add_many([Note(text=f"the {CANARY} has moved", uri=f"{CANARY}:diary", author=f"{CANARY}son")])
    [current] = me.store.notes(Filters(source=CANARY))
    [passage] = me.store.passages_of(int(current.id[1:]))
    code = me.store.index.codes(me.store.index.passages_with("n.uri = ?", [current.uri]))[passage.id]
    # "zyzzogeton" as porter leaves it in the word index.
    [stem] = me.store.index.terms(CANARY)
    traces = (CANARY.encode(), stem.encode(), "漢字仮".encode(), code)
    assert residue(own_home, *traces)

    forgotten = me.forget([current.id])

    assert (len(forgotten.ids), forgotten.uris, forgotten.passages) == (2, (f"{CANARY}:diary",), 1)
    assert residue(own_home, *traces) == {}
    me.store.close()
    assert residue(own_home, *traces) == {}
    assert_whole(own_home / "memory.db")


def test_a_dry_run_of_forgetting_removes_nothing(me: Assistant) -> None:
    note = me.add(Note(text="stay", uri="diary"))
    assert me.forget([note.id], dry_run=True).passages == 1
    assert words(me.notes()) == {"stay"}


def test_forgetting_while_another_process_reads_is_ended_by_any_later_one(me: Assistant, own_home: Path) -> None:
    note, other_note = me.add(Note(text=CANARY)), me.add(Note(text="tea"))
    with Store(own_home / "memory.db") as other, other.reading():
        me.store.db.conn.execute("pragma busy_timeout = 20")
        assert "another process is reading" in me.forget([note.id]).left
        assert is_unfinished(me.store)
    assert words(me.notes()) == {"tea"}
    assert residue(own_home, CANARY.encode())
    assert me.forget([other_note.id]).left == ""
    assert not is_unfinished(me.store)
    assert residue(own_home, CANARY.encode()) == {}


def test_files_are_private(me: Assistant, own_home: Path) -> None:
    me.add(Note(text="secret"))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in own_home.iterdir()}
    assert modes == {"memory.db": 0o600, "memory.db-wal": 0o600, "memory.db-shm": 0o600}
    assert stat.S_IMODE(own_home.stat().st_mode) == 0o700


def test_a_memory_that_is_not_there_is_not_made_by_reading(own_home: Path) -> None:
    with pytest.raises(NoDatabase, match="no memory here yet"):
        Store(own_home / "memory.db", create=False)
    assert not own_home.exists()


def test_another_process_that_writes_for_long_is_named_as_a_lock(me: Assistant, own_home: Path) -> None:
    code = """
import sys
from pathlib import Path
from secondme.store.store import Store
with Store(Path(sys.argv[1])) as store, store.writing():
    print("held", flush=True)
    sys.stdin.read()
"""
    holder = process(code, own_home / "memory.db")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    me.store.db.conn.execute("pragma busy_timeout = 50")
    with pytest.raises(Locked, match="another process is writing"):
        me.add(Note(text="now"))
    assert not list(me.notes())
    holder.communicate("")
    me.add(Note(text="later"))
    assert words(me.notes()) == {"later"}


def read_all(path: Path) -> None:
    with Store(path) as store:
        store.index.check()
        list(store.notes())


def explained(path: Path) -> SecondmeError:
    """The error of opening and reading all of a file; it is one line that names the file."""
    with pytest.raises(SecondmeError) as caught:
        read_all(path)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("content", [b"this is no database, whatever its name says", os.urandom(8192)])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "memory.db"
    path.write_bytes(content)
    assert isinstance(explained(path), WrongKey)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    other = dbapi2.connect(str(path))
    other.execute("create table bookmarks (url)")
    other.close()
    content = path.read_bytes()
    error = explained(path)
    assert isinstance(error, WrongKey)
    assert "another program" in str(error)
    assert path.read_bytes() == content


def test_an_encrypted_database_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    other = dbapi2.connect(str(path))
    other.execute("pragma key = 'secret'")
    other.execute("create table notes (text)")
    other.close()
    assert "encrypted" in str(explained(path))


def test_a_database_of_a_newer_secondme_is_refused(me: Assistant, own_home: Path) -> None:
    me.add(Note(text="kept"))
    row = ("secondme", "m999_dreams", "2030-01-01")
    me.store.db.conn.execute("insert into _sqlite_migrations (migration_set, name, applied_at) values (?, ?, ?)", row)
    me.store.close()
    with pytest.raises(NewerDatabase, match="m999_dreams") as caught:
        Store(own_home / "memory.db")
    assert "upgrade" in caught.value.hint


@pytest.mark.parametrize("damage", ["truncated", "overwritten"])
def test_a_damaged_database_is_named_as_damaged(me: Assistant, own_home: Path, damage: str) -> None:
    me.add_many([Note(text=f"note {number} " * 50, uri=f"diary:{number}") for number in range(300)])
    me.store.close()
    path = own_home / "memory.db"
    content = path.read_bytes()
    middle = len(content) // 2
    rubbish = b"" if damage == "truncated" else b"\xa5" * 65536
    path.write_bytes(content[:middle] + rubbish + content[middle + 65536 : len(content) if rubbish else middle])
    error = explained(path)
    assert isinstance(error, IntegrityError)
    assert error.hint


def test_a_missing_index_row_is_found_and_mended_by_reindexing(me: Assistant) -> None:
    me.add_many([Note(text="where the heron nests", uri="diary")])
    execute = me.store.db.conn.execute
    execute("delete from passage_vectors")
    with pytest.raises(IntegrityError, match="1 vectors do not fit"):
        me.store.index.check()
    command = "insert into passage_words (passage_words, rowid, label, text) values ('delete', 1, '', ?)"
    execute(command, ("where the heron nests",))
    with pytest.raises(IntegrityError, match="word index"):
        me.store.index.check()
    assert me.reindex() == 0
    me.store.index.check()
    assert [match.text for match in me.recall("heron")] == ["where the heron nests"]


def test_a_full_disk_stores_nothing_by_halves_and_the_next_add_works(small_disk: Path) -> None:
    home = small_disk / "home"
    with Assistant.open(home, config=Config(), plugins=load_plugins(installed=False)) as me:
        first = me.write([Note(text="before", uri="before")])
        notes = [Note(text=f"{CANARY} {number} " * 100, uri=f"big:{number}") for number in range(2000)]
        with pytest.raises(IntegrityError, match="no space left") as caught:
            me.write(notes)
        assert "free some space" in caught.value.hint
        assert (first.added, words(me.notes())) == (1, {"before"})
        assert me.write([Note(text="after", uri="after")]).added == 1
        me.store.index.check()
    with Store(home / "memory.db", create=False) as store:
        store.index.check()
        assert words(store.notes()) == {"before", "after"}


def test_a_disk_that_is_full_from_the_start_is_named(small_disk: Path) -> None:
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(b"x" * 4_000_000)
    assert "no space left" in str(explained(small_disk / "memory.db"))
    filler.unlink()
    assert_whole(small_disk / "memory.db")


def test_a_disk_that_became_full_is_named_to_readers_and_loses_nothing(small_disk: Path) -> None:
    home = small_disk / "home"
    with Assistant.open(home, config=Config(), plugins=load_plugins(installed=False)) as me:
        me.write([Note(text="before", uri="before")])
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(b"x" * 4_000_000)
    assert "no space left" in str(explained(home / "memory.db"))
    filler.unlink()
    with Store(home / "memory.db", create=False) as store:
        assert words(store.notes()) == {"before"}


def test_a_disk_that_cannot_be_written_is_named(small_disk: Path) -> None:
    home = small_disk / "home"
    with Assistant.open(home, config=Config(), plugins=load_plugins(installed=False)) as me:
        me.write([Note(text="before", uri="before")])
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    error = explained(home / "memory.db")
    assert isinstance(error, IntegrityError)
    assert re.search("cannot be read or written .*(readonly|unable to open)", str(error))


def test_a_limit_on_file_size_stores_nothing_by_halves(own_home: Path) -> None:
    code = """
import resource, signal, sys
from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig
from secondme.errors import IntegrityError
from secondme.records import Note
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
none = Config(models=ModelsConfig(language="", embedder=""))
with Assistant.open(sys.argv[1], config=none) as me:
    me.write([Note(text="before", uri="before")])
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    try:
        me.write([Note(text=f"{number} " * 500, uri=f"big:{number}") for number in range(2000)])
    except IntegrityError as error:
        print(error.exit_code, error, flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(me.write([Note(text="after", uri="after")]).added, flush=True)
"""
    soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if soft != resource.RLIM_INFINITY:
        pytest.skip("the size of files is limited here already")
    output, _ = process(code, own_home).communicate(timeout=60)
    lines = output.splitlines()
    assert lines[0].startswith("20 ")
    assert lines[1:] == ["1"]
    with Store(own_home / "memory.db", create=False) as store:
        store.index.check()
        assert words(store.notes()) == {"before", "after"}


def test_a_log_that_tells_two_texts_of_one_item_adds_nothing_the_second_time(own_home: Path) -> None:
    told = [Note("We meet at six.", uri="m1"), Note("We meet at seven.", uri="m1")]
    with Assistant.open(own_home) as me:
        assert me.write(told).added == 2
        again = me.write(told)
        assert (again.added, again.known) == (0, 2)
        assert [note.text for note in me.notes()] == ["We meet at seven."]
        assert me.write(told[:1]).added == 1
        assert [note.text for note in me.notes()] == ["We meet at six."]
