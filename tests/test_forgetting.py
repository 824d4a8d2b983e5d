"""Forgetting leaves nothing in any place of ours, and what was forgotten does not come back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run
from daemons import Background, wait_for
from nights import note, open_memory
from residue import CANARY, CHANNELS, counted_in, plant, word

from secondme.assistant import Assistant
from secondme.clock import now
from secondme.errors import UsageError
from secondme.exchange import export, import_lines
from secondme.ingest.sync import Sync
from secondme.records import Note
from secondme.store.copies import back_up, backups
from secondme.store.forgetting import forget_again, is_unfinished
from secondme.store.store import Store
from secondme.traces import pattern_of, traces_of

LONG = "The xylophone is in the cellar, behind the red door, under a cloth."


def test_a_word_that_went_through_every_channel_is_in_no_byte_after_its_notes_were_forgotten(
    own_home: Path, tmp_path: Path
) -> None:
    plant(own_home, tmp_path)
    before = counted_in(own_home, tmp_path / "usb")
    assert [channel for channel in CHANNELS if not before[channel]] == []
    with open_memory(own_home) as me:
        done = me.forget([one.id for one in me.notes() if CANARY in one.text.casefold()])
        assert (done.left, done.names, sorted(one.became for one in done.copies)) == (
            "", 1, ["cleaned", "cleaned", "deleted"],
        )  # fmt: skip
        after = counted_in(own_home, tmp_path / "usb")
        assert {place: count for place, count in after.items() if count} == {}
        for channel in ("", "typed", "superseded", "reworded"):
            with open_memory(own_home) as other:
                assert [one for one in traces_of(other, word(channel)) if one.found or one.unread] == []
        assert [fact.text for fact in me.current_facts()] == ["I moved to Porto.", "Tea is in the cupboard."]
        assert len(me.store.chats.turns(1)) == 1
        for run in [one.id for one in me.store.journal.runs() if one.state != "undone"]:
            me.undo(run)
    assert not any(counted_in(own_home, tmp_path / "usb").values())
    assert not list(tmp_path.rglob("*-wal")) + list(tmp_path.rglob("*-journal"))


def stays_out(me: Assistant, one: Note) -> bool:
    added = me.write([one])
    assert all(item.is_harmless and item.why.startswith("forgotten on ") for item in added.skipped)
    return not added.added and not added.known


@pytest.mark.parametrize(
    ("forgotten", "other", "is_kept_out"),
    [
        (Note(LONG, uri="/a.md", origin="file"), Note(LONG, uri="/a.md", origin="file"), True),
        (Note(LONG, uri="/a.md", origin="file"), Note("edited since", uri="/a.md", origin="file"), True),
        (Note(LONG, uri="/a.md", origin="file"), Note(LONG, uri="/moved.md", origin="file"), True),
        (Note("short", uri="/a.md", origin="file"), Note("short", uri="/moved.md", origin="file"), True),
        (Note("short", uri="/a.md", origin="file"), Note("another", uri="/b.md", origin="file"), False),
        (Note("yes", uri="/c.jsonl#L3", origin="chat"), Note("yes", uri="/c.jsonl#L9", origin="chat"), False),
        (Note("yes", uri="/c.jsonl#L3", origin="chat"), Note("no", uri="/c.jsonl#L3", origin="chat"), False),
        (Note(LONG, uri="/c.jsonl#L3", origin="chat"), Note(LONG, uri="/c.jsonl#L4", origin="chat"), True),
        (Note("ok", uri="/a.mbox#<7>", thread="t", origin="chat"), Note("ok", uri="/b.mbox#<7>", thread="t"), True),
        (Note("ok", uri="/a.mbox#<7>", thread="t", origin="chat"), Note("ok", uri="/b.mbox#<8>", thread="t"), False),
        (Note(LONG), Note(LONG, uri="/a.md", origin="file"), True),
        (Note("yes"), Note("yes", uri="/a.md", origin="file"), False),
    ],
)
def test_what_was_forgotten_stays_out_by_its_name_and_by_its_text(
    own_home: Path, forgotten: Note, other: Note, is_kept_out: bool
) -> None:
    with open_memory(own_home) as me:
        me.forget([me.add(forgotten).id])
        meant = other if other.origin != "typed" else Note(other.text, other.uri, other.thread, origin="import")
        assert stays_out(me, meant) == is_kept_out


def test_of_two_with_the_same_text_the_other_one_stays(own_home: Path) -> None:
    with open_memory(own_home) as me:
        first, second = (me.add(Note(LONG, uri=uri, origin="file")) for uri in ("/a.md", "/b.md"))
        back_up(me.store.db, me.paths.database, "test", now=now())
        me.forget([first.id])
        assert me.write([Note(LONG, uri="/b.md", origin="file")]).known == 1
        [copy] = backups(me.paths.database)
        with Store(copy) as there:
            assert [one.uri for one in there.notes()] == [second.uri]


def test_what_is_typed_again_is_kept_again_and_a_program_may_not(own_home: Path) -> None:
    with open_memory(own_home) as me:
        me.forget([me.add(Note(LONG)).id])
        with pytest.raises(UsageError, match="forgotten on"):
            me.add(Note(LONG, uri="mcp:1", origin="mcp"))
        me.add(Note(LONG))
        assert me.write([Note(LONG, uri="/a.md", origin="file")]).added == 1


def test_an_import_leaves_out_what_was_forgotten_and_says_so(call: Run, tmp_path: Path) -> None:
    call("add", LONG)
    call("add", "tea")
    call("export", tmp_path / "all.jsonl")
    assert call("forget", "n1", "--yes").code == 0
    done = call("import", tmp_path / "all.jsonl")
    assert (done.code, done.stdout) == (0, "0 versions of notes added, 1 already known\n")
    assert "forgotten on" in done.stderr


def test_an_import_of_a_kind_leaves_it_out_in_a_rehearsal_too(call: Run, tmp_path: Path) -> None:
    (tmp_path / "chat.jsonl").write_text(json.dumps({"text": LONG}) + "\n", encoding="utf-8")
    assert call("import", "jsonl", tmp_path / "chat.jsonl").code == 0
    assert call("forget", "n1", "--yes").code == 0
    for options in (["--dry-run"], []):
        done = call("import", "jsonl", tmp_path / "chat.jsonl", *options, "--json")
        assert (done.json["added"], "forgotten on" in done.json["skipped"][0]["why"]) == (0, True)


def test_a_watched_file_stays_out_edited_or_moved_until_it_is_named(call: Run, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "a.md").write_text(LONG, encoding="utf-8")
    call("watch", "add", vault, "--deleted", "keep")
    call("watch", "scan")
    assert call("forget", "--source", vault, "--yes").code == 0
    assert "forgotten on" in call("watch", "check", vault / "a.md").stdout
    (vault / "a.md").rename(vault / "b.md")
    assert call("watch", "scan").code == 0
    assert "forgotten on" in call("watch", "check", vault / "b.md").stdout
    (vault / "b.md").rename(vault / "a.md")
    (vault / "a.md").write_text(LONG + " Edited.", encoding="utf-8")
    assert call("watch", "scan").code == 0
    assert call("add", vault).code == 0
    assert call("list").code == 1
    assert call("add", vault / "a.md").stdout == "n2\n"
    assert call("watch", "scan").stdout.startswith("1 read")
    assert call("watch", "check", vault / "a.md").code == 0


def test_a_file_that_is_forgotten_while_it_is_read_does_not_come_back(own_home: Path, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "a.md").write_text(LONG, encoding="utf-8")
    with open_memory(own_home) as me, open_memory(own_home) as other, Sync(me) as sync:
        folder = me.store.sources.add_folder(str(vault), kind="notes", deleted="keep", now=now())
        sync.rescan(folder)
        sync.work()
        (vault / "a.md").write_text(LONG + " Edited.", encoding="utf-8")
        sync.rescan(folder)
        [job] = me.store.sources.lease(1, now())
        read = sync._reading.read(job, folder)
        other.forget(["n1"])
        sync._reading.store([read])
        assert not list(me.notes())
        known = me.store.sources.file(str(vault / "a.md"))
        assert known
        assert known.why.startswith("forgotten on")


def test_a_file_that_is_gone_leaves_no_name_behind(own_home: Path, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / f"{CANARY}.md").write_text(LONG, encoding="utf-8")
    with open_memory(own_home) as me, Sync(me) as sync:
        folder = me.store.sources.add_folder(str(vault), kind="notes", deleted="keep", now=now())
        sync.rescan(folder)
        sync.work()
        (vault / f"{CANARY}.md").unlink()
        me.forget(["n1"])
    assert [path for path in own_home.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()] == []


def test_a_file_that_was_deleted_and_comes_back_was_not_forgotten_by_you(own_home: Path, tmp_path: Path) -> None:
    with open_memory(own_home) as me:
        one = me.add(Note(LONG, uri="/a.md", origin="file"))
        me.store.forget([int(one.id[1:])], dry_run=False, is_lasting=False)
        assert me.write([Note(LONG, uri="/a.md", origin="file")]).added == 1


def test_a_copy_that_takes_the_place_of_the_memory_has_no_more_of_it(own_home: Path, tmp_path: Path) -> None:
    with open_memory(own_home) as me, Store(tmp_path / "copy.db") as copy:
        me.add(Note(LONG))
        me.add(Note("tea"))
        import_lines(copy, [json.dumps(line) for line in export(me.store)])
        me.forget(["n1"])
        assert forget_again(copy, me.store.tombstones.all()) == 1
        assert [one.text for one in copy.notes()] == ["tea"]
        assert copy.tombstones.since(Note(LONG, uri="/a.md", origin="file"))


def test_restoring_a_copy_forgets_again(call: Run, own_home: Path, tmp_path: Path) -> None:
    call("add", LONG)
    call("add", "tea")
    call("backup", tmp_path / "copy.db")
    kept = (tmp_path / "copy.db").read_bytes()
    call("forget", "n1", "--yes")
    (tmp_path / "copy.db").write_bytes(kept)
    assert call("restore", tmp_path / "copy.db", "--yes").code == 0
    assert [one["text"] for one in call("list", "--json").json["notes"]] == ["tea"]
    assert b"xylophone" not in (own_home / "memory.db").read_bytes()


def test_notes_are_chosen_by_whole_words_places_and_days(call: Run) -> None:
    call("add", "The Grey heron", "--at", "2024-06-01")
    call("add", "greyhound", "--at", "2024-06-02")
    call("add", "heron of stone", "--at", "2024-06-30", "--thread", "garden")
    for options, ids in (
        (["--query", "HERON grey"], ["n1"]),
        (["--query", "grey"], ["n1"]),
        (["--query", "heron"], ["n1", "n3"]),
        (["--source", "GARD"], ["n3"]),
        (["--between", "2024-06-02", "2024-06-30"], ["n2", "n3"]),
        (["--query", "heron", "--between", "2024-06-01", "2024-06-01"], ["n1"]),
    ):
        planned = call("forget", *options, "--dry-run", "--json").json
        assert (planned["dry_run"], planned["ids"]) == (True, ids)
    assert call("forget", "--query", "hero", "--yes").code == 1
    assert call("forget", "--query", "herons", "--yes").code == 1
    assert "heron of stone" in call("forget", "--query", "stone", "--dry-run").stdout


@pytest.mark.parametrize("arguments", [[], ["n1", "--query", "tea"], ["n1", "--verify", "tea"], ["--query", "..."]])
def test_what_is_to_be_forgotten_has_to_be_said_in_one_way(call: Run, arguments: list[str]) -> None:
    call("add", "tea")
    assert call("forget", *arguments, "--yes").code == 2
    assert call("show", "n1").code == 0


def test_more_ids_than_sqlite_takes_values_and_more_notes_than_it_takes_at_once(own_home: Path) -> None:
    with open_memory(own_home) as me:
        me.write(Note(f"number{number}", uri=f"/{number}.md", origin="file") for number in range(1200))
        ids = [number % 1200 + 1 for number in range(40_000)]
        assert len(me.store.forget(ids, dry_run=False).ids) == 1200
        assert not list(me.notes())


def test_looking_for_a_word_tells_where_it_is_and_never_what_is_around_it(call: Run, own_home: Path) -> None:
    call("add", f"secret {CANARY} around")
    (own_home / "state").mkdir(exist_ok=True)
    (own_home / "state" / "old.log").write_text(json.dumps(f"x{CANARY.upper()}y"), encoding="utf-8")
    found = call("forget", "--verify", CANARY)
    assert found.code == 20
    assert "in memory.db" in found.stdout
    assert "in old.log" in found.stdout
    assert "around" not in found.stdout + found.stderr
    assert "secret" not in found.stdout + found.stderr
    call("forget", "n1", "--yes")
    assert call("forget", "--verify", CANARY).code == 20
    (own_home / "state" / "old.log").unlink()
    gone = call("forget", "--verify", CANARY, "--json")
    assert (gone.code, gone.json["clean"]) == (0, True)


def test_a_copy_out_of_reach_is_named_and_cleaned_when_it_is_back(call: Run, tmp_path: Path) -> None:
    call("add", f"here is {CANARY}")
    call("add", "tea")
    disk = tmp_path / "disk"
    disk.mkdir()
    call("backup", disk / "copy.db")
    disk.rename(tmp_path / "away")
    receipt = call("forget", "n1", "--yes")
    assert f"not looked into: the copy of the memory at {disk / 'copy.db'}" in receipt.stdout
    assert call("forget", "--verify", CANARY).code == 3
    (tmp_path / "away").rename(disk)
    assert CANARY.encode() in (disk / "copy.db").read_bytes()
    assert f"in the copy of the memory at {disk / 'copy.db'}: 2 versions" in call("forget", "n2", "--yes").stdout
    assert CANARY.encode() not in (disk / "copy.db").read_bytes()
    assert call("forget", "--verify", CANARY).code == 0


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("Zürich", "ZÜRICH"),
        ("Zürich", "Zu\u0308rich"),
        ("Zürich", json.dumps("zürich")),
        ("Zürich", json.dumps("zürich").upper().replace("U00DC", "u00dc")),
        ("a/b", "a\\/b"),
        ('say "x"', json.dumps('say "x"')),
        ("日本語", json.dumps("日本語")),
    ],
)
def test_a_word_is_found_in_either_case_composed_or_escaped(word: str, written: str) -> None:
    assert pattern_of(word).search(f"--{written}--".encode())


def test_a_fact_goes_that_has_words_only_the_forgotten_note_gave(own_home: Path) -> None:
    with open_memory(own_home) as me:
        me.add(note("Tea is in the cupboard.", "2024-01-01", thread="t"))
        gone = me.add(note(f"The cupboard is called {CANARY}.", "2024-01-02", thread="t"))
        me.sleep()
        [tea] = [fact for fact in me.store.facts.all() if fact.text.startswith("Tea")]
        me.edit(tea.id, f"Tea is in {CANARY}.")
        assert len(me.forget([gone.id]).facts) == 2
        assert [fact.text for fact in me.store.facts.all()] == ["Tea is in the cupboard."]


def test_undoing_the_line_that_a_fact_was_left_with_takes_the_fact(own_home: Path) -> None:
    with open_memory(own_home) as me:
        first = me.add(note("My sister Nora keeps bees.", "2024-01-01"))
        me.sleep()
        me.add(note("My sister Nora keeps bees.", "2024-03-01"))
        second = me.sleep().run
        assert me.forget([first.id]).facts == ()
        me.undo(second)
        assert me.store.facts.all() == []
        assert me.store.db.conn.execute("select count(*) from memories").fetchone() == (0,)


@pytest.fixture
def background(run: Run, own_home: Path) -> Iterator[Background]:
    background = Background(run, own_home)
    yield background
    background.end()


def test_the_daemon_neither_brings_it_back_nor_logs_it_and_ends_what_a_reader_had_kept(
    background: Background, own_home: Path, tmp_path: Path
) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "a.md").write_text(f"{LONG} {CANARY}\n", encoding="utf-8")
    background.run("watch", "add", vault, "--deleted", "keep")
    background.start()
    wait_for(lambda: background.run("search", CANARY).code == 0)
    with Store(own_home / "memory.db") as reader, reader.reading():
        assert background.run("forget", "n1", "--yes").code == 11
    (vault / "a.md").write_text(f"{LONG} {CANARY} again\n", encoding="utf-8")
    wait_for(lambda: not is_unfinished_in(own_home))
    wait_for(lambda: "forgotten on" in background.run("watch", "check", vault / "a.md").stdout)
    assert background.run("list").code == 1
    assert [path for path in own_home.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()] == []


def is_unfinished_in(home: Path) -> bool:
    with Store(home / "memory.db") as store:
        return is_unfinished(store)
