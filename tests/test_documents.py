"""Files that nobody trusts are read by a process of its own, and cost no more than that."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from plugin_files import write_plugin

from secondme.assistant import Assistant
from secondme.clock import now
from secondme.config import IngestConfig
from secondme.ingest import documents
from secondme.ingest.documents import ChildDied, Documents, Stopped, digest_of, stat_of
from secondme.ingest.sync import Sync
from secondme.records import Note, Skipped

ODD = """
import os, signal, sys, time
from secondme.hookspecs import hookimpl
from secondme.records import Note, Skipped

@hookimpl
def read_document(path):
    return _read(path) if path.suffix == ".odd" else None

def _read(path):
    word = path.read_text()
    note = Note("read", str(path), str(path), origin="file")
    if word == "allocate":
        bytearray(4 << 30)
    elif word == "open":
        [open("/dev/null") for _ in range(1000)]
    elif word == "write":
        with open(str(path) + ".out", "wb") as file:
            file.write(b"x")
    elif word == "print":
        print("a line for nobody", flush=True)
        sys.stdout.write("no frame")
    elif word == "raise":
        yield note
        raise OSError("broken")
    elif word == "wrong":
        yield "no note"
    elif word == "exit":
        os._exit(3)
    elif word == "spin":
        while True:
            pass
    elif word == "wait":
        time.sleep(600)
    elif word == "die":
        yield note
        os.kill(os.getpid(), signal.SIGKILL)
    yield note
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for files; readers know the plugin for `.odd` ones."""
    plugins = write_plugin(tmp_path / "plugins", "odd", ODD)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(plugins), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.syspath_prepend(str(plugins))
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


@pytest.fixture
def reader() -> Iterator[Documents]:
    with Documents(IngestConfig()) as reader:
        yield reader


def odd(folder: Path, word: str, name: str = "a.odd") -> Path:
    path = folder / name
    path.write_text(word, encoding="utf-8")
    return path


@pytest.mark.parametrize("word", ["fine", "print"])
def test_a_document_is_read(folder: Path, reader: Documents, word: str) -> None:
    path = odd(folder, word)
    assert list(reader.read(path)) == [Note("read", str(path), str(path), origin="file")]


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("allocate", "reading it takes too much memory"),
        ("open", "plugin 'odd' failed: OSError: too many open files"),
        ("write", "plugin 'odd' failed: OSError: file too large"),
        ("raise", "plugin 'odd' failed: OSError"),
        ("wrong", "a plugin returned no note"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="addresses are limited on Linux only")
def test_what_a_reader_may_not_do_is_said(folder: Path, reader: Documents, word: str, why: str) -> None:
    found = list(reader.read(odd(folder, word)))
    assert [item.why for item in found if isinstance(item, Skipped)] == [why]
    # One that failed is as good as new.
    assert len(list(reader.read(odd(folder, "fine")))) == 1


@pytest.mark.parametrize(("word", "why"), [("exit", r"its reader failed \(3\)"), ("die", "it took too much memory")])
def test_a_reader_that_dies_costs_its_file_and_the_next_is_read(
    folder: Path, reader: Documents, word: str, why: str
) -> None:
    with pytest.raises(ChildDied, match=why):
        list(reader.read(odd(folder, word)))
    assert len(list(reader.read(odd(folder, "fine")))) == 1


@pytest.mark.parametrize("at", ["no date", "0001-01-01T00:00:00+14:00", "9" * 5000])
def test_a_reader_that_gives_a_note_an_impossible_date_has_failed(at: str) -> None:
    with pytest.raises(ChildDied, match="no note"):
        documents._item({"note": ["text", "uri", "", "", at, "file", ""]}, Path("a"))


def test_a_reader_that_computes_without_end_is_ended(
    folder: Path, reader: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "PROCESSOR", 0)
    with pytest.raises(ChildDied, match="it took too much time"):
        list(reader.read(odd(folder, "spin")))


def test_a_reader_that_says_nothing_is_ended(folder: Path, reader: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "SILENCE", 0.1)
    with pytest.raises(ChildDied, match="said nothing"):
        list(reader.read(odd(folder, "wait")))


def test_reading_stops_when_it_is_told_to(folder: Path) -> None:
    with Documents(IngestConfig(), stop=lambda: True) as reader, pytest.raises(Stopped):
        list(reader.read(odd(folder, "wait")))


def flate_bomb(megabytes: int) -> bytes:
    """A PDF whose one page unpacks to that many megabytes of nothing."""
    packer, block = zlib.compressobj(1), bytes(1 << 20)
    packed = b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()
    head = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    pages = b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
    page = b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>\nendobj\n"
    stream = b"4 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream\nendobj\n" % (len(packed), packed)
    return head + pages + page + stream + b"trailer\n<< /Size 5 /Root 1 0 R >>\n%%EOF\n"


@pytest.mark.skipif(sys.platform != "linux", reason="addresses are limited on Linux only")
def test_a_pdf_that_unpacks_to_gigabytes_costs_only_itself(folder: Path, reader: Documents) -> None:
    path = folder / "a.pdf"
    path.write_bytes(flate_bomb(1500))
    assert path.stat().st_size < 10 << 20
    assert [type(item) for item in reader.notes(path)] == [Skipped]
    assert len(list(reader.notes(odd(folder, "fine")))) == 1


def test_what_came_before_a_death_is_given_out_and_the_reason_too(folder: Path, reader: Documents) -> None:
    path = odd(folder, "die")
    assert list(reader.notes(path)) == [
        Note("read", str(path), str(path), origin="file"),
        Skipped(str(path), "it took too much memory"),
    ]


def test_a_file_with_items_without_end_is_cut(folder: Path, reader: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_NOTES", 1)
    path = folder / "a.mbox"
    path.write_text("From x\nFrom: a@b.c\n\none\n\n" * 3, encoding="utf-8")
    found = list(reader.read(path))
    assert [type(item) for item in found] == [Note, Skipped]
    assert len(list(reader.read(path, is_named=True))) == 3


def test_one_process_reads_many_files(folder: Path, reader: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "FILES_PER_CHILD", 3)
    processes = []
    for number in range(5):
        list(reader.read(odd(folder, "fine", f"{number}.odd")))
        processes.append(reader._child and reader._child.pid)
    assert processes[0] == processes[1] != processes[3] == processes[4]
    assert processes[2] is None


def test_a_module_that_lies_where_it_is_called_from_is_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "json.py").write_text("raise SystemExit(3)", encoding="utf-8")
    monkeypatch.chdir(folder)
    with Documents(IngestConfig()) as reader:
        assert [type(one) for one in reader.read(odd(folder, "fine"))] == [Note]


def test_only_the_reader_that_was_named_reads(folder: Path) -> None:
    with Documents(IngestConfig(), only="pdf") as reader:
        assert list(reader.read(odd(folder, "fine"))) == []


def test_a_file_beyond_the_limit_is_refused_unless_it_was_named(folder: Path) -> None:
    path = odd(folder, "fine")
    with Documents(IngestConfig(max_document_bytes=3)) as reader:
        assert list(reader.notes(path)) == [Skipped(str(path), "larger than 3 bytes")]
        assert len(list(reader.notes(path, is_named=True))) == 1


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert stat_of(tmp_path / "pipe", 10) == Skipped(str(tmp_path / "pipe"), "not a regular file")
    assert stat_of(Path("/dev/zero"), 10) == Skipped("/dev/zero", "not a regular file")
    assert stat_of(tmp_path / "none", 10) == Skipped(str(tmp_path / "none"), "no such file or directory")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    with pytest.raises(OSError, match="Too many levels"):
        digest_of(tmp_path / "link")


def watched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Assistant:
    monkeypatch.setenv("SECONDME_MODELS_EMBEDDER", "")
    monkeypatch.setenv("SECONDME_NOW", datetime(2024, 6, 1, tzinfo=UTC).isoformat())
    me = Assistant.open()
    [one] = [me.store.sources.add_folder(str(folder), kind="notes", deleted="keep", now=now())]
    with Sync(me) as sync:
        sync.rescan(one)
    return me


def test_a_file_that_kills_its_reader_twice_is_quarantined_until_it_changes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = odd(folder, "die"), odd(folder, "fine", "b.odd")
    with watched(folder, monkeypatch) as me, Sync(me) as sync:
        assert sync.work() == 2
        assert [note.uri for note in me.notes()] == [str(other)]
        assert sync.work() == 0
        monkeypatch.setenv("SECONDME_NOW", "2024-06-01T00:01:00Z")
        assert sync.work() == 1
        file = me.store.sources.file(str(path))
        assert file
        assert (file.state, file.why) == ("quarantined", "its reader died: it took too much memory")
        monkeypatch.setenv("SECONDME_NOW", "2024-06-01T01:00:00Z")
        [one] = me.store.sources.folders()
        sync.rescan(one)
        assert sync.work() == 0
        odd(folder, "fine")
        sync.rescan(one)
        assert sync.work() == 1
        assert len(list(me.notes())) == 2


def test_a_file_that_was_being_read_when_the_process_died_again_and_again_is_quarantined(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = odd(folder, "fine")
    with watched(folder, monkeypatch) as me:
        for _ in range(5):
            assert [job.path for job in me.store.sources.lease(10, now())] == [str(path)]
            me.store.sources.end_leases()
        with Sync(me) as sync:
            assert sync.work() == 1
        file = me.store.sources.file(str(path))
        assert file
        assert file.state == "quarantined"


def test_a_reader_that_is_told_to_stop_leaves_the_file_for_another_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = odd(folder, "wait")
    with watched(folder, monkeypatch) as me:
        asked = iter([False])
        with Sync(me, stop=lambda: next(asked, True)) as sync:
            assert sync.work() == 0
        odd(folder, "fine")
        with Sync(me) as sync:
            assert sync.work() == 1
        assert [note.uri for note in me.notes()] == [str(path)]


def test_a_file_with_text_without_end_is_cut(folder: Path, reader: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_TEXT", 1 << 20)
    path = folder / "a.mbox"
    path.write_text(f"From x\nFrom: a@b.c\n\n{'words ' * 100_000}\n\n" * 3, encoding="utf-8")
    assert list(reader.read(path))[1:] == [Skipped(str(path), "only its first 1 MB of text are taken")]
    assert len(list(reader.read(path, is_named=True))) == 3


def test_a_file_that_was_read_in_part_is_remembered_with_the_reason_until_it_changes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MOST_NOTES", 1)
    path, one = folder / "a.mbox", "From x\nFrom: a@b.c\n\n{}\n\n"
    path.write_text(one.format("one") + one.format("two"), encoding="utf-8")
    with watched(folder, monkeypatch) as me, Sync(me) as sync:
        sources = me.store.sources
        [vault] = sources.folders()
        for _ in range(2):
            assert sync.work() == 1
            [file] = sources.problems(folder_id=vault.id)
            assert (file.path, file.state, file.why) == (str(path), "present", "only its first 1 items are taken")
            assert sources.problems(folder_id=vault.id + 1) == []
            assert len(list(me.notes())) == 1
            os.utime(path)
            sync.rescan(vault)
        sync.work()
        path.write_text(one.format("one"), encoding="utf-8")
        sync.rescan(vault)
        assert sync.work() == 1
        assert sources.problems() == []


def test_what_is_left_out_on_purpose_makes_no_file_a_problem(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    event = "BEGIN:VEVENT\r\nUID:{0}\r\nSUMMARY:{0}\r\nDTSTART:19800605T080000Z\r\n{1}END:VEVENT\r\n"
    events = event.format("birthday", "RRULE:FREQ=YEARLY\r\n") + event.format("off", "STATUS:CANCELLED\r\n")
    (folder / "a.ics").write_text(f"BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n", encoding="utf-8")
    with watched(folder, monkeypatch) as me, Sync(me) as sync:
        assert sync.work() == 1
        assert me.store.sources.problems() == []
        assert {note.title for note in me.notes()} == {"birthday"}
