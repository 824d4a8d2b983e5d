"""A watched folder is kept in step: what is on the disk is the truth."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from secondme.assistant import Assistant
from secondme.clock import now
from secondme.config import Config
from secondme.daemon.ingesting import Ingesting
from secondme.ingest import sync as sync_module
from secondme.ingest.sync import SUSPICIOUS_COUNT, Scan, Sync
from secondme.records import Note
from secondme.store.sources import Folder

START = datetime(2024, 6, 1, 12, tzinfo=UTC)


def _uri(note: Note) -> str:
    return note.uri


class Vault:
    """A watched folder, and the memory it is kept in step with."""

    def __init__(self, me: Assistant, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.me = me
        self.root = root
        self._monkeypatch = monkeypatch
        self.at(START)

    def at(self, moment: datetime) -> None:
        self._monkeypatch.setenv("SECONDME_NOW", moment.isoformat())

    def later(self, **span: int) -> None:
        self.at(now() + timedelta(**span))

    def watch(self, *, kind: str = "notes", deleted: str = "keep") -> None:
        self.me.store.sources.add_folder(str(self.root), kind=kind, deleted=deleted, now=now())  # type: ignore[arg-type]

    @property
    def folder(self) -> Folder:
        [folder] = self.me.store.sources.folders()
        return folder

    def write(self, name: str, text: str = "words\n") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def scan(self, *, accept: bool = False) -> Scan:
        with Sync(self.me) as sync:
            look = sync.rescan(self.folder, accept=accept)
            while sync.work():
                pass
            sync.settle_missing()
        return look

    def texts(self) -> dict[str, str]:
        return {os.path.relpath(note.uri, self.root): note.text for note in sorted(self.me.notes(), key=_uri)}

    def ids(self) -> dict[str, str]:
        return {os.path.relpath(note.uri, self.root): note.id for note in sorted(self.me.notes(), key=_uri)}

    def state(self, name: str) -> tuple[str, str]:
        file = self.me.store.sources.file(str(self.root / name))
        assert file is not None
        return file.state, file.why


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    root = tmp_path / "vault"
    root.mkdir()
    monkeypatch.setenv("SECONDME_MODELS_EMBEDDER", "")
    monkeypatch.setenv("SECONDME_INGEST_MAX_FILE_BYTES", "10000")
    with Assistant.open() as me:
        vault = Vault(me, root, monkeypatch)
        vault.watch()
        yield vault


def test_new_and_changed_files_are_read(vault: Vault) -> None:
    vault.write("a.md", "one\n")
    vault.write("b/c.txt", "two\n")
    assert (vault.scan().queued, vault.texts()) == (2, {"a.md": "one\n", "b/c.txt": "two\n"})
    vault.write("a.md", "one more\n")
    look = vault.scan()
    assert (look.queued, look.unchanged) == (1, 1)
    assert vault.texts()["a.md"] == "one more\n"


def test_what_did_not_change_is_not_read_again(vault: Vault) -> None:
    path = vault.write("a.md")
    vault.scan()
    assert vault.scan().unchanged == 1
    os.utime(path)
    before = vault.ids()
    assert vault.scan().queued == 1
    assert vault.ids() == before


def test_a_renamed_file_keeps_its_notes(vault: Vault) -> None:
    path = vault.write("a.md", "one\n")
    vault.scan()
    before = vault.ids()["a.md"]
    (vault.root / "sub").mkdir()
    path.rename(vault.root / "sub" / "b.md")
    vault.scan()
    assert vault.ids() == {"sub/b.md": before}


def test_a_renamed_file_is_found_by_its_new_name_and_dated_by_it(vault: Vault) -> None:
    path = vault.write("2024-05-01 harbour.md", "words\n")
    vault.scan()
    assert vault.me.recall("harbour")
    path.rename(vault.root / "2024-05-02 lighthouse.md")
    vault.scan()
    [note] = vault.me.notes()
    assert note.title == "2024-05-02 lighthouse"
    assert note.happened_at == datetime(2024, 5, 2).astimezone()
    assert vault.me.recall("lighthouse")
    assert not vault.me.recall("harbour")
    assert vault.me.store.index.waiting() == 1


def test_a_renamed_folder_keeps_all_its_notes(vault: Vault) -> None:
    for number in range(SUSPICIOUS_COUNT + 5):
        vault.write(f"old/{number}.md", f"note {number}\n")
    vault.scan()
    before = vault.ids()
    (vault.root / "old").rename(vault.root / "new")
    assert vault.scan().paused == ""
    assert {name.replace("new/", "old/"): id for name, id in vault.ids().items()} == before


def test_a_copy_is_a_note_of_its_own(vault: Vault) -> None:
    path = vault.write("a.md", "one\n")
    vault.scan()
    shutil.copy(path, vault.root / "b.md")
    vault.scan()
    assert vault.texts() == {"a.md": "one\n", "b.md": "one\n"}


def test_a_deleted_file_is_missing_first_and_its_notes_stay(vault: Vault) -> None:
    path = vault.write("a.md")
    vault.scan()
    path.unlink()
    assert vault.scan().missing == 1
    assert vault.state("a.md")[0] == "missing"
    vault.later(seconds=61)
    vault.scan()
    assert vault.state("a.md")[0] == "gone"
    assert list(vault.texts()) == ["a.md"]


def test_a_deleted_file_is_forgotten_where_the_user_said_so(vault: Vault) -> None:
    vault.watch(deleted="forget")
    path = vault.write("a.md")
    vault.write("b.md")
    vault.scan()
    path.unlink()
    vault.scan()
    assert list(vault.texts()) == ["a.md", "b.md"]
    vault.later(seconds=61)
    vault.scan()
    assert list(vault.texts()) == ["b.md"]


@pytest.mark.parametrize("deleted", ["keep", "forget"])
def test_a_file_that_comes_back_in_time_was_never_lost(vault: Vault, deleted: str) -> None:
    vault.watch(deleted=deleted)
    path = vault.write("a.md", "one\n")
    vault.scan()
    before = vault.ids()
    path.rename(vault.root.parent / "away.md")
    vault.scan()
    (vault.root.parent / "away.md").rename(path)
    vault.later(seconds=120)
    assert vault.scan().returned == 1
    assert vault.ids() == before
    assert vault.state("a.md")[0] == "present"


def test_what_is_no_longer_in_a_file_is_forgotten_where_the_user_said_so(vault: Vault) -> None:
    vault.watch(deleted="forget")
    path = vault.write("log.jsonl", '{"text": "one", "uri": "m1"}\n{"text": "two", "uri": "m2"}\n')
    vault.scan()
    path.write_text('{"text": "two", "uri": "m2"}\n', encoding="utf-8")
    vault.scan()
    assert [note.text for note in vault.me.notes()] == ["two"]


def test_a_vanished_folder_pauses_and_loses_nothing(vault: Vault) -> None:
    vault.watch(deleted="forget")
    vault.write("a.md")
    vault.scan()
    vault.root.rename(vault.root.parent / "unplugged")
    assert "no such file" in vault.scan().paused
    vault.later(hours=2)
    vault.scan()
    assert len(vault.texts()) == 1
    assert vault.me.store.sources.folders()[0].state == "paused"
    (vault.root.parent / "unplugged").rename(vault.root)
    vault.scan()
    assert vault.folder.state == "active"


def test_a_folder_that_has_lost_much_at_once_pauses_until_the_user_has_said_so(vault: Vault) -> None:
    vault.watch(deleted="forget")
    for number in range(100):
        vault.write(f"{number}.md", f"{number}\n")
    vault.scan()
    for number in range(SUSPICIOUS_COUNT + 1):
        (vault.root / f"{number}.md").unlink()
    assert vault.scan().paused == "21 of 100 files are gone at once"
    vault.later(hours=1)
    vault.scan()
    assert len(vault.texts()) == 100
    assert vault.scan(accept=True).paused == ""
    vault.later(hours=1)
    vault.scan()
    assert len(vault.texts()) == 79


def test_losing_little_by_little_is_no_accident(vault: Vault) -> None:
    for number in range(60):
        vault.write(f"{number}.md", f"{number}\n")
    vault.scan()
    for number in range(60):
        (vault.root / f"{number}.md").unlink()
        if number % 10 == 9:
            vault.later(minutes=2)
            assert vault.scan().paused == ""
            vault.later(minutes=2)
            vault.scan()


def test_a_file_that_is_ignored_from_now_on_keeps_its_notes(vault: Vault) -> None:
    vault.write("drafts/a.md")
    vault.scan()
    vault.write(".secondmeignore", "drafts/\n")
    vault.scan()
    assert list(vault.texts()) == ["drafts/a.md"]
    assert vault.state("drafts/a.md") == ("skipped", "it is left out by a rule now; its notes stay")
    (vault.root / ".secondmeignore").unlink()
    vault.scan()
    assert vault.state("drafts/a.md")[0] == "present"


def test_clips_are_found_and_marked_as_what_others_wrote(vault: Vault) -> None:
    vault.watch(kind="clips")
    vault.write("a.md", "the tides of Madeira\n")
    vault.scan()
    [note] = vault.me.notes()
    assert note.origin == "clip"
    assert vault.me.recall("tides")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\0\1\2 binary", "not text"),
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"x" * 10_001, "larger than 10,000 bytes"),
    ],
)
def test_what_cannot_be_read_is_remembered_with_the_reason(vault: Vault, content: bytes, why: str) -> None:
    (vault.root / "a.md").write_bytes(content)
    vault.scan()
    assert vault.state("a.md") == ("skipped", why)
    assert vault.scan().queued == 0


def test_half_a_character_at_the_end_is_read_and_nothing_else_is_lost(vault: Vault) -> None:
    (vault.root / "a.md").write_bytes("Grüße aus Kö".encode()[:-1])
    vault.scan()
    [text] = vault.texts().values()
    assert text == "Grüße aus K\ufffd"


def test_a_log_of_gigabytes_is_refused_unread(vault: Vault) -> None:
    with (vault.root / "big.txt").open("wb") as file:
        file.truncate(3 << 30)
    vault.scan()
    assert vault.state("big.txt")[0] == "skipped"
    assert "larger than" in vault.state("big.txt")[1]


def test_pipes_and_links_are_passed_over(vault: Vault, tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("secret\n", encoding="utf-8")
    os.mkfifo(vault.root / "pipe.md")
    (vault.root / "out.md").symlink_to(outside)
    (vault.root / "loop").symlink_to(vault.root)
    vault.write("a.md")
    look = vault.scan()
    assert list(vault.texts()) == ["a.md"]
    assert {Path(item.what).name: item.why for item in look.skipped} == {
        "pipe.md": "not a regular file",
        "out.md": "symbolic link, not followed",
        "loop": "symbolic link, not followed",
    }


def test_nothing_in_the_folder_is_changed(vault: Vault) -> None:
    for name in ("a.md", "b/c.md", "d.html", "e.jsonl"):
        vault.write(name, "<p>words</p>\n")
    vault.write(".obsidian/app.json", "{}")

    def picture() -> dict[str, tuple[int, int, bytes]]:
        found = [path for path in sorted(vault.root.rglob("*")) if path.is_file()]
        return {str(one): (one.stat().st_mtime_ns, one.stat().st_mode, one.read_bytes()) for one in found}

    before = picture()
    vault.scan()
    vault.write("a.md", "changed\n")
    before = picture()
    vault.scan()
    assert picture() == before


def test_a_folder_that_goes_while_it_is_looked_through_is_no_error(vault: Vault) -> None:
    for number in range(5):
        vault.write(f"deep/{number}/a.md")
    with Sync(vault.me) as sync:
        sync.rescan(vault.folder)
        shutil.rmtree(vault.root / "deep")
        while sync.work():
            pass
    assert vault.texts() == {}
    vault.later(seconds=61)
    assert vault.scan().paused == ""


def test_a_hint_looks_at_one_path_only(vault: Vault) -> None:
    one, two = vault.write("one.md"), vault.write("two.md")
    with Sync(vault.me) as sync:
        sync.notice([one])
        while sync.work():
            pass
        assert list(vault.texts()) == ["one.md"]
        sync.notice([vault.root.parent / "elsewhere.md", two.parent / "gone.md"])
        assert sync.work() == 0
        sync.notice([vault.root])
        assert sync.work() == 1


def test_what_many_hints_give_is_stored_at_once(vault: Vault) -> None:
    """Each transaction waits for the disk: one for each of a thousand files would take minutes."""
    paths = [vault.write(f"{number}.md", f"note {number}\n") for number in range(30)]
    with Sync(vault.me) as sync:
        _, before = vault.me.store.version()
        sync.notice(paths)
        assert vault.me.store.version()[1] == before + 1
        while sync.work():
            pass
    assert len(vault.texts()) == 30


def test_a_hint_of_a_folder_takes_what_is_in_it(vault: Vault) -> None:
    vault.write("sub/deep/a.md")
    with Sync(vault.me) as sync:
        sync.notice([vault.root / "sub"])
        assert sync.work() == 1


def test_stopping_leaves_the_rest_for_another_time(vault: Vault) -> None:
    for number in range(3):
        vault.write(f"{number}.md", f"{number}\n")
    asked = iter([False] * 4 + [True] * 10)
    with Sync(vault.me, stop=lambda: next(asked)) as sync:
        sync.rescan(vault.folder)
        assert sync.work() == 1
    assert len(vault.texts()) == 1
    with Sync(vault.me) as sync:
        assert sync.work() == 2
    assert len(vault.texts()) == 3


def _undecodable(folder: Path, name: bytes) -> Path:
    return Path(os.fsdecode(os.fsencode(folder) + b"/" + name))


def test_a_name_that_is_not_utf8_keeps_nothing_else_from_being_read(vault: Vault) -> None:
    file, folder = _undecodable(vault.root, b"caf\xe9.md"), _undecodable(vault.root, b"d\xe9")
    folder.mkdir()
    for path in (file, folder / "b.md"):
        path.write_text("words", encoding="utf-8")
    vault.write("a.md", "one\n")
    look = vault.scan()
    assert [item.why for item in look.skipped] == ["its name is not utf-8"] * 2
    assert vault.texts() == {"a.md": "one\n"}
    with Sync(vault.me) as sync:
        sync.notice([file, folder, folder / "b.md", vault.write("c.md", "two\n")])
        sync.work()
    assert vault.texts() == {"a.md": "one\n", "c.md": "two\n"}


def test_a_malformed_archive_keeps_nothing_else_from_being_read(vault: Vault) -> None:
    with zipfile.ZipFile(vault.root / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", "words " * 100)
    content = bytearray((vault.root / "a.zip").read_bytes())
    content[48:56] = b"\xff" * 8
    (vault.root / "a.zip").write_bytes(content)
    (vault.root / "b.zip").write_bytes(b"PK\5\6" + bytes(18))
    vault.write("c.md", "one\n")
    vault.scan()
    assert vault.texts() == {"c.md": "one\n"}
    assert vault.state("a.zip") == ("skipped", "not a readable archive")


def test_how_much_a_folder_has_lost_is_counted_before_it_is_said(vault: Vault) -> None:
    paths = [vault.write(f"{number:03}.md", f"{number}\n") for number in range(100)]
    vault.scan()
    for path in paths[:30]:
        path.unlink()
    with Sync(vault.me) as sync:
        sync.notice(paths[:30])
    assert (vault.folder.state, vault.folder.why) == ("paused", "30 of 100 files are gone at once")


def test_what_was_read_is_stored_before_all_is_read(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        vault.write(f"{number}.md", f"{number} {'words ' * 10}\n")
    with Sync(vault.me) as sync:
        sync.rescan(vault.folder)
        with monkeypatch.context() as patch:
            patch.setattr(sync_module, "BATCH_TEXT", 100)
            assert (sync.work(), len(vault.texts())) == (2, 2)
        monkeypatch.setattr(sync_module, "BATCH_SECONDS", 0.0)
        assert (sync.work(), len(vault.texts())) == (1, 3)
        assert (sync.work(), len(vault.texts())) == (1, 4)
        assert sync.work() == 0


def test_the_passages_of_a_note_go_into_the_word_index_at_once(vault: Vault) -> None:
    text = "".join(f"The harbour of day {number} was quiet, and we stayed there. " * 12 + "\n\n" for number in range(8))
    vault.write("a.md", text)
    vault.scan()
    # What the index keeps of itself, and one piece with all the words: a piece for each passage takes so much longer.
    (pieces,) = vault.me.store.db.conn.execute("select count(*) from passage_words_data").fetchone()
    assert pieces == 3
    [note] = vault.me.notes()
    found = vault.me.store.passages_of(int(note.id[1:]))
    assert len(found) >= 8
    assert [passage.position for passage in found] == list(range(len(found)))
    assert all(text.encode()[one.span.start : one.span.end].decode() == one.span.text for one in found)


def test_stopping_ends_between_two_hints(vault: Vault) -> None:
    paths = [vault.write("a.md"), vault.write("b.md")]
    asked = iter([False])
    with Sync(vault.me, stop=lambda: next(asked, True)) as sync:
        sync.notice(paths)
    assert vault.me.store.sources.queued(vault.folder.id) == {str(paths[0])}


def test_moments_of_a_clock_that_was_wrong_keep_nothing_waiting(vault: Vault) -> None:
    vault.watch(deleted="forget")
    gone = vault.write("gone.md")
    vault.scan()
    vault.at(datetime(2100, 1, 1, tzinfo=UTC))
    vault.write("late.md", "written in another century\n")
    gone.unlink()
    with Sync(vault.me) as sync:
        sync.rescan(vault.folder)
    vault.at(START + timedelta(hours=1))
    vault.scan()
    assert vault.texts()["late.md"] == "written in another century\n"
    assert "gone.md" in vault.texts()
    vault.later(minutes=2)
    vault.scan()
    assert list(vault.texts()) == ["late.md"]


def test_a_lease_of_a_clock_that_was_wrong_holds_nothing_back(vault: Vault) -> None:
    vault.watch()
    vault.at(datetime(2100, 1, 1, tzinfo=UTC))
    vault.write("late.md")
    with Sync(vault.me) as sync:
        sync.rescan(vault.folder)
    assert len(vault.me.store.sources.lease(10, now())) == 1
    vault.at(START)
    vault.scan()
    assert list(vault.texts()) == ["late.md"]


def test_a_folder_last_seen_by_a_clock_that_was_wrong_is_due_at_once(vault: Vault) -> None:
    vault.watch()
    vault.at(datetime(2100, 1, 1, tzinfo=UTC))
    vault.scan()
    vault.at(START)
    ingesting = Ingesting(Config, on_stored=lambda: None)
    assert ingesting._due(vault.folder) == START
    vault.scan()
    assert ingesting._due(vault.folder) == START + timedelta(minutes=Config().daemon.rescan_minutes)
