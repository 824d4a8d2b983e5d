"""What is known of watched folders: their files, what is in them, and the queue of those to be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from secondme.assistant import Assistant
from secondme.errors import UsageError
from secondme.records import Note
from secondme.store.connect import open_database, writing
from secondme.store.schema import backups
from secondme.store.sources import LEASE, File, Folder, Sources
from secondme.store.store import Store

NOW = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "memory.db") as store:
        yield store


@pytest.fixture
def sources(store: Store) -> Sources:
    return store.sources


@pytest.fixture
def folder(sources: Sources) -> Folder:
    return sources.add_folder("/notes", kind="notes", deleted="keep", now=NOW)


def file_of(folder: Folder, name: str, **changes: object) -> File:
    values = {"size": 1, "mtime_ns": 2, "inode": 3, "digest": "d", "state": "present", **changes}
    return File(f"{folder.path}/{name}", folder.id, **values)  # type: ignore[arg-type]


def enqueue(store: Store, folder: Folder, *names: str) -> None:
    with store.writing():
        store.sources.enqueue([f"{folder.path}/{name}" for name in names], folder.id, NOW)


def test_the_files_below_a_folder_are_not_those_of_one_whose_name_begins_with_its(store: Store, folder: Folder) -> None:
    with store.writing():
        for name in ("a.md", "b/c.md", "b.md", "bc/d.md", "b/e/f.md"):
            store.sources.save(file_of(folder, name))
    assert sorted(store.sources.files(folder.id, "/notes/b")) == ["/notes/b/c.md", "/notes/b/e/f.md"]
    assert list(store.sources.files(folder.id, "/notes/b.md")) == ["/notes/b.md"]
    assert len(store.sources.files(folder.id)) == 5


def test_a_folder_is_watched_once_and_added_again_changes_how(sources: Sources, folder: Folder) -> None:
    again = sources.add_folder("/notes", kind="clips", deleted="forget", now=NOW + timedelta(days=1))
    assert sources.folders() == [again]
    assert (again.id, again.kind, again.deleted, again.added_at) == (folder.id, "clips", "forget", NOW)


@pytest.mark.parametrize("path", ["/notes/sub", "/"])
def test_folders_do_not_overlap(sources: Sources, folder: Folder, path: str) -> None:
    with pytest.raises(UsageError, match="overlaps"):
        sources.add_folder(path, kind="notes", deleted="keep", now=NOW)
    sources.add_folder("/notes-2", kind="notes", deleted="keep", now=NOW)


def test_a_folder_is_found_by_what_is_in_it(sources: Sources, folder: Folder) -> None:
    assert sources.folder_of("/notes/a/b.md") == sources.folder_of("/notes") == folder
    assert sources.folder_of("/notes-2/a.md") is None


def test_what_is_known_of_a_file_is_stored_with_what_is_in_it(store: Store, folder: Folder) -> None:
    file = file_of(folder, "a.md", state="missing", missing_since=NOW)
    with store.writing():
        store.sources.save(file, ["u1", "u2", "u1"])
        store.sources.save(file_of(folder, "a.mdx"))
    assert store.sources.file(file.path) == file
    assert store.sources.items(file.path) == ["u1", "u2"]
    assert list(store.sources.files(folder.id, "/notes/a.md")) == [file.path]
    assert store.sources.missing(NOW) == [file]
    assert store.sources.first_missing() == NOW
    store.sources.pause(folder.id, "gone")
    assert store.sources.missing(NOW) == []


def test_removing_a_folder_removes_what_is_known_of_its_files_and_no_note(store: Store, folder: Folder) -> None:
    with store.writing():
        store.sources.save(file_of(folder, "a.md"), ["u1"])
    enqueue(store, folder, "b.md")
    store.sources.remove_folder(folder.id)
    assert store.sources.file("/notes/a.md") is None
    assert store.sources.lease(10, NOW) == []
    assert store.sources.items("/notes/a.md") == []


def test_an_attempt_is_counted_before_it_is_made(store: Store, folder: Folder) -> None:
    enqueue(store, folder, "a.md")
    [job] = store.sources.lease(10, NOW)
    assert job.attempts == 1
    assert store.sources.lease(10, NOW) == []
    with Store(store.path) as other:
        [again] = other.sources.lease(10, NOW + LEASE)
    assert again.attempts == 2


def test_one_that_was_begun_before_comes_alone(store: Store, folder: Folder) -> None:
    enqueue(store, folder, "a.md", "b.md", "c.md")
    [first, *_] = store.sources.lease(1, NOW)
    store.sources.end_leases()
    assert [job.path for job in store.sources.lease(10, NOW)] == ["/notes/b.md", "/notes/c.md"]
    assert [(job.path, job.attempts) for job in store.sources.lease(10, NOW)] == [(first.path, 2)]


def test_a_file_put_off_comes_when_its_time_has_come(store: Store, folder: Folder) -> None:
    enqueue(store, folder, "a.md")
    [job] = store.sources.lease(10, NOW)
    with store.writing():
        store.sources.put_off(job, NOW + timedelta(seconds=30), "", is_counted=False)
    assert store.sources.lease(10, NOW) == []
    assert store.sources.next_job() == NOW + timedelta(seconds=30)
    [again] = store.sources.lease(10, NOW + timedelta(seconds=30))
    assert again.attempts == 1
    with store.writing():
        store.sources.finish(again.path)
    assert store.sources.next_job() is None


def test_two_processes_never_read_the_same_file(store: Store, folder: Folder) -> None:
    enqueue(store, folder, *(f"{number}.md" for number in range(10)))
    with Store(store.path) as other:
        taken = [store.sources.lease(3, NOW), other.sources.lease(3, NOW), store.sources.lease(9, NOW)]
    paths = [job.path for jobs in taken for job in jobs]
    assert len(paths) == len(set(paths)) == 10


def test_a_memory_without_folders_is_brought_up_to_date_and_keeps_its_notes(own_home: Path) -> None:
    with Assistant.open() as me:
        me.add(Note("The spare key lies under the pot."))
    path = own_home / "memory.db"
    db = open_database(path, create=False)
    with writing(db):
        for table in ("jobs", "file_items", "files", "folders"):
            db.conn.execute(f"drop table {table}")
        db.conn.execute("delete from _sqlite_migrations where name like 'm003%'")
    db.close()
    with Assistant.open() as me:
        assert me.store.copied_to in backups(path)
        assert [note.text for note in me.notes()] == ["The spare key lies under the pot."]
        assert me.store.sources.folders() == []
