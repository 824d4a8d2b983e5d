"""`secondme add`: texts, stdin, files, folders, JSON lines, and everything that is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run
from plugin_files import write_plugin

from secondme.assistant import Assistant


def test_a_text_is_added_once_and_known_the_second_time(call: Run) -> None:
    first = call("add", "I moved to Porto.")
    again = call("add", "I moved to Porto.")
    assert (first.code, first.stdout, again.code, again.stdout) == (0, "n1\n", 0, "n1\n")
    assert "already known, nothing added" in again.stderr
    assert "already known" not in first.stderr


def test_json_says_what_was_added_known_and_skipped(call: Run) -> None:
    assert call("add", "tea", "--json").json == {
        "v": 1,
        "ids": ["n1"],
        "added": 1,
        "known": 0,
        "skipped": [],
        "masked": [],
    }
    assert call("add", "tea", "--json").json == {
        "v": 1,
        "ids": ["n1"],
        "added": 0,
        "known": 1,
        "skipped": [],
        "masked": [],
    }


def test_words_without_quotes_are_one_note(call: Run) -> None:
    call("add", "I", "like", "tea")
    assert call("show", "n1", "--json").json["notes"][0]["text"] == "I like tea"


def test_options_say_when_who_and_where(call: Run) -> None:
    call("add", "Ana likes tea", "--at", "2024-06-01T12:00:00Z", "--author", "Ana", "--thread", "tea talk")
    [note] = call("show", "n1", "--json").json["notes"]
    assert (note["happened_at"], note["author"], note["thread"]) == ("2024-06-01T12:00:00Z", "Ana", "tea talk")


def test_the_date_may_be_a_phrase(call: Run) -> None:
    call("add", "rain", "--at", "yesterday", env={"SECONDME_NOW": "2024-06-02T12:00:00Z", "TZ": "UTC"})
    assert call("show", "n1", "--json").json["notes"][0]["happened_at"].startswith("2024-06-01")


def test_what_is_no_date_is_refused_and_nothing_is_stored(call: Run, own_home: Path) -> None:
    refused = call("add", "rain", "--at", "whenever")
    assert refused.code == 2
    assert "whenever" in refused.stderr
    assert not own_home.exists()


@pytest.mark.parametrize("text", ["", "   ", "\n\t ", "\x1b[31m\x1b[0m"])
def test_an_empty_text_is_refused_with_2(call: Run, own_home: Path, text: str) -> None:
    refused = call("add", text)
    assert (refused.code, refused.stdout) == (2, "")
    assert refused.stderr == "secondme: nothing to store: the text is empty\n"
    assert not own_home.exists()


def test_nothing_at_all_is_refused_and_stdin_is_not_read(call: Run) -> None:
    assert call("add", stdin="unread").code == 2


def test_stdin_is_read_where_a_dash_says_so(call: Run) -> None:
    assert call("add", "-", stdin="Grüße aus 東京 🌧\nsecond line\n").stdout == "n1\n"
    assert "Grüße aus 東京 🌧\nsecond line\n" in call("show", "n1").stdout


def test_empty_stdin_is_refused(call: Run) -> None:
    assert call("add", "-", stdin=" \n").code == 2


def test_stdin_that_is_no_text_is_refused(call: Run, own_home: Path) -> None:
    refused = call("add", "-", stdin=b"PK\0\0binary\0")
    assert (refused.code, refused.stderr) == (2, "secondme: stdin is not text\n")


def test_stdin_in_another_encoding_loses_no_letter(call: Run) -> None:
    call("add", "-", stdin="Grüße".encode("cp1252"))
    assert "Grüße" in call("show", "n1").stdout


def test_escape_codes_and_markup_are_harmless(run: Run) -> None:
    run("add", "red \x1b[31malert\x1b]52;c;aGk=\x07 [/b] [bold]x")
    for shown in (run("show", "n1"), run("search", "alert"), run("list"), run("search", "alert", "--json")):
        assert shown.code == 0
        assert "\x1b" not in shown.stdout
        assert "red alert [/b] [bold]x" in shown.stdout


def test_an_argument_that_is_no_utf8_is_kept_with_marks(run: Run) -> None:
    """As much of the words as there is; a dropped byte would go unnoticed."""
    import os
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "secondme", "add", b"caf\xff tea"], check=True, env=os.environ)
    assert "caf� tea" in run("show", "n1").stdout


def test_files_and_folders_are_taken_in(call: Run, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    (notes / "deep").mkdir(parents=True)
    (notes / "a.md").write_text("# Tea\ngreen tea", encoding="utf-8")
    (notes / "deep" / "b.txt").write_text("black tea", encoding="utf-8")
    (notes / "photo.jpg").write_bytes(b"\xff\xd8\0\0")
    single = tmp_path / "single.md"
    single.write_text("white tea", encoding="utf-8")
    added = call("add", notes, single)
    assert (added.code, added.stdout, added.stderr) == (0, "n1\nn2\nn3\n", "")
    again = call("add", notes, single, "--json")
    assert (again.json["added"], again.json["known"]) == (0, 3)
    assert call("show", "n1", "--json").json["notes"][0]["uri"] == str(notes / "a.md")


def test_many_notes_are_summed_up(call: Run, tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"{number:02}.md").write_text(f"note {number}", encoding="utf-8")
    assert call("add", tmp_path).stdout == "12 notes added, 0 already known (n1 to n12)\n"


def test_what_cannot_be_read_is_named_and_the_rest_is_added(call: Run, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "good.md").write_text("good", encoding="utf-8")
    (notes / "empty.md").write_text("", encoding="utf-8")
    (notes / "binary.md").write_bytes(b"a\0b")
    (notes / "big.md").write_text("x" * 2000, encoding="utf-8")
    (notes / "loop").symlink_to(notes)
    (notes / "long.md").write_text("word " * 150, encoding="utf-8")
    added = call("add", notes, "--json", env={"SECONDME_INGEST_MAX_FILE_BYTES": "1000"})
    assert (added.code, added.json["added"]) == (3, 2)
    why = {Path(item["what"]).name: item["why"] for item in added.json["skipped"]}
    assert set(why) == {"empty.md", "binary.md", "big.md", "loop"}
    assert [name for name in why if name not in added.stderr] == []
    assert added.stderr.count("\n") == 4


def test_a_line_of_100_000_characters_and_broken_front_matter_are_added(call: Run, tmp_path: Path) -> None:
    (tmp_path / "long.md").write_text("word" * 25_000, encoding="utf-8")
    (tmp_path / "broken.md").write_text("---\ntitle: [unclosed\n---\nbody\n", encoding="utf-8")
    added = call("add", tmp_path, "--json")
    assert (added.code, added.json["added"], added.json["skipped"]) == (0, 2, [])


def test_a_named_file_that_no_reader_takes_is_skipped_aloud(call: Run, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff\xd8")
    assert call("add", photo).code == 3


@pytest.mark.parametrize("name", ["./notes/x.md", "missing.md", "/no/such/folder", "notes/x.md", "../x", "diary.txt"])
def test_a_path_that_does_not_exist_is_refused_and_not_taken_for_a_text(
    call: Run, own_home: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own_home.parent)
    refused = call("add", name)
    assert refused.code == 2
    assert f"no such file or folder: {name}" in refused.stderr
    assert not own_home.exists()


@pytest.mark.parametrize(
    "text", ["either/or", "read README.md again", "v1.2", "https://example.org/a.html", "hm...", "~"]
)
def test_a_text_with_dots_and_slashes_is_a_text(call: Run, text: str) -> None:
    assert call("add", text).code == 0
    assert text in call("show", "n1").stdout


def test_a_missing_file_among_others_is_skipped(call: Run, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("tea", encoding="utf-8")
    added = call("add", tmp_path / "a.md", tmp_path / "b.md")
    assert (added.code, added.stdout) == (3, "n1\n")
    assert f"skipped {tmp_path / 'b.md'}: no such file or folder" in added.stderr


def test_words_beside_a_file_are_refused(call: Run, tmp_path: Path) -> None:
    refused = call("add", "milk", tmp_path)
    assert refused.code == 2
    assert "'milk' is not" in refused.stderr


def test_json_lines_keep_what_they_say(call: Run, tmp_path: Path) -> None:
    message = {
        "text": "hello",
        "uri": "chat:1",
        "thread": "chat",
        "author": "Ana",
        "happened_at": "2024-06-01T10:00:00Z",
    }
    for name in ("chat.jsonl", "chat.ndjson"):
        (tmp_path / name).write_text(json.dumps(message) + "\n", encoding="utf-8")
    assert call("add", "--jsonl", tmp_path / "chat.jsonl").stdout == "n1\n"
    assert call("add", "--jsonl", tmp_path / "chat.ndjson", "--json").json["known"] == 1
    assert call("add", "--jsonl", "-", "--json", stdin=json.dumps(message)).json["known"] == 1
    [note] = call("show", "n1", "--json").json["notes"]
    assert {key: note[key] for key in message} == message


def test_bad_json_lines_are_named_by_their_number_and_the_rest_is_added(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text('{"text": "good"}\nnot json\n{"text": " "}\n{"text": "nul \\u0000 byte"}\n', encoding="utf-8")
    added = call("add", "--jsonl", path, "--json")
    assert (added.code, added.json["added"]) == (3, 2)
    assert [item["what"] for item in added.json["skipped"]] == [f"{path}#L2", f"{path}#L3"]
    assert call("show", "n1", "--json").json["notes"][0]["uri"] == f"{path}#L1"
    assert call("show", "n2", "--json").json["notes"][0]["text"] == "nul  byte"


def test_json_lines_from_stdin_without_names_do_not_replace_each_other(call: Run) -> None:
    call("add", "--jsonl", "-", stdin='{"text": "one"}')
    call("add", "--jsonl", "-", stdin='{"text": "two"}')
    assert {note["text"] for note in call("list", "--json").json["notes"]} == {"one", "two"}


def test_the_same_word_by_another_person_or_at_another_time_is_another_note(call: Run) -> None:
    for options in (
        (),
        ("--author", "Ana"),
        ("--author", "Ben"),
        ("--at", "2024-06-01 10:00"),
        ("--at", "2024-06-01 11:00"),
    ):
        assert call("add", "yes", *options, "--json").json["added"] == 1
        assert call("add", "yes", *options, "--json").json["known"] == 1


def test_a_file_of_json_lines_that_is_missing_is_refused(call: Run) -> None:
    refused = call("add", "--jsonl", "missing.jsonl")
    assert refused.code == 2
    assert "missing.jsonl" in refused.stderr


def test_dates_for_files_are_refused(call: Run, tmp_path: Path) -> None:
    assert call("add", tmp_path, "--at", "2024-06-01").code == 2


def test_one_text_does_not_load_the_embedder_and_a_folder_does(call: Run, tmp_path: Path, own_home: Path) -> None:
    call("add", "one text", replies=[])
    with Assistant.open(own_home) as me:
        assert me.store.index.waiting() == 1
    (tmp_path / "a.md").write_text("tea", encoding="utf-8")
    call("add", tmp_path / "a.md", replies=[])
    with Assistant.open(own_home) as me:
        assert me.store.index.waiting() == 0


def test_without_the_embedder_that_is_configured_notes_are_added_and_the_reason_is_told(
    call: Run, tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text("green tea", encoding="utf-8")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF cut sh")
    added = call("add", tmp_path / "a.md", env={"SECONDME_MODELS_EMBEDDER": str(tmp_path / "broken.gguf")})
    assert (added.code, added.stdout) == (0, "n1\n")
    assert added.stderr.startswith("found by words only for now: ")
    assert added.stderr.count("\n") == 1
    assert "n1" in call("search", "tea").stdout


def test_an_interruption_while_vectors_are_computed_loses_no_note(
    call: Run, tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
from fakes import HashingEmbedder
from secondme.hookspecs import hookimpl

class Interrupted(HashingEmbedder):
    def tokens(self, text):
        raise KeyboardInterrupt

@hookimpl
def embedder(config):
    return Interrupted()
"""
    monkeypatch.syspath_prepend(str(write_plugin(tmp_path / "site", "interrupting", code)))
    (tmp_path / "a.md").write_text("tea", encoding="utf-8")
    stopped = call("add", tmp_path / "a.md")
    assert stopped.code == 130
    assert "all notes are stored" in stopped.stderr
    assert "vectors of 1 passage follow later" in stopped.stderr
    assert call("list").code == 0


@pytest.mark.parametrize("target", ["link", "gone"])
def test_a_link_that_leads_nowhere_is_no_text(call: Run, tmp_path: Path, target: str) -> None:
    (tmp_path / "link").symlink_to(target)
    shown = call("add", tmp_path / "link", "--json")
    assert shown.code == 3
    assert shown.json["ids"] == []
    assert str(tmp_path) in shown.stderr


def test_a_folder_without_permission_is_named(call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    shown = call("add", closed)
    closed.chmod(0o700)
    assert shown.code == 3
    assert "no permission" in shown.stderr
