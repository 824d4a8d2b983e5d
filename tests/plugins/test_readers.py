from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from secondme_plugins import jsonl, markdown, text

from secondme.ingest.frontmatter import front_matter, front_matter_end
from secondme.records import Note, Skipped

CHANGED = datetime(2021, 5, 6, 7, 8, tzinfo=UTC)


def day(year: int, month: int, date: int) -> datetime:
    return datetime(year, month, date).astimezone()


def file(folder: Path, name: str, text: str = "words") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    os.utime(path, (CHANGED.timestamp(), CHANGED.timestamp()))
    return path


def read_markdown(folder: Path, name: str, text: str) -> Note:
    (note,) = markdown.read_notes(file(folder, name, text), text) or []
    return note


def test_a_markdown_file_is_one_note_with_all_its_text(tmp_path: Path) -> None:
    text = "---\ntitle: Trip\n---\n# Other\n\n- [ ] buy [[Tickets]]\n"
    note = read_markdown(tmp_path, "a.md", text)
    uri = str(tmp_path / "a.md")
    assert note == Note(text=text, uri=uri, thread=uri, happened_at=CHANGED, origin="file", title="Trip")


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("a.md", "---\ntitle: 'no: really'\n---\n# Other\n", "no: really"),
        ("a.md", "---\ntitle: no\n---\n", "no"),
        ("a.md", "---\ntitle: [Linked]\n---\n# Other\n", "Linked"),
        ("a.md", '---\ntitle: "x\\e[2Jy\\u202e"\n---\n', "xy"),
        ("a.md", "---\ntitle: foo: bar\n---\n\n# Heading\n", "Heading"),
        ("a.md", "# Heading *one*\n\n## Two\n", "Heading *one*"),
        ("a.md", "words\n\n# Usage\n", "a"),
        ("Long walks.MARKDOWN", "words", "Long walks"),
        ("a.md", "", "a"),
    ],
)
def test_the_title_comes_from_front_matter_heading_or_name(tmp_path: Path, name: str, text: str, title: str) -> None:
    assert read_markdown(tmp_path, name, text).title == title


@pytest.mark.parametrize(
    ("name", "text", "moment"),
    [
        ("2020-01-01.md", "---\ndate: 2024-06-01\ncreated: 2023-01-01\n---\n", day(2024, 6, 1)),
        ("a.md", "---\ncreated: 2024-06-01T10:30:00Z\n---\n", datetime(2024, 6, 1, 10, 30, tzinfo=UTC)),
        ("a.md", "---\ncreated: 2024-06-01 10:30\n---\n", datetime(2024, 6, 1, 10, 30).astimezone()),
        ("a.md", "---\ncreated: [[2024-06-01]]\n---\n", day(2024, 6, 1)),
        ("2020-01-01.md", "---\ndate: soon\n---\n", day(2020, 1, 1)),
        ("2024-06-01.md", "", day(2024, 6, 1)),
        ("2024_06_01.md", "", day(2024, 6, 1)),
        ("20240601 Standup.md", "", day(2024, 6, 1)),
        ("2024-13-45.md", "", CHANGED),
        ("12345678.md", "", CHANGED),
        ("120240601.md", "", CHANGED),
        ("a.md", "", CHANGED),
    ],
)
def test_the_date_comes_from_front_matter_name_or_file(tmp_path: Path, name: str, text: str, moment: datetime) -> None:
    happened_at = read_markdown(tmp_path, name, text).happened_at
    assert happened_at == moment
    assert happened_at.tzinfo is not None


def test_each_reader_leaves_other_files_alone() -> None:
    for reader in (markdown, text, jsonl):
        assert reader.read_notes(Path("a.pdf"), "") is None
        assert reader.read_notes(Path("md"), "") is None


@pytest.mark.parametrize("name", ["2024_06_01.txt", "2024_06_01.text", "2024_06_01.TXT"])
def test_a_plain_text_file_is_one_note(tmp_path: Path, name: str) -> None:
    uri = str(file(tmp_path, name))
    (note,) = text.read_notes(Path(uri), "# words\n") or []
    assert note == Note(
        text="# words\n", uri=uri, thread=uri, happened_at=day(2024, 6, 1), origin="file", title="2024_06_01"
    )


def test_properties_are_strings_and_nothing_is_guessed() -> None:
    text = "---\na: no\nb: 12:30\nc: 0123\nd: [[Link]]\ne: 2024-06-01\nf: {g: ~}\n---\n"
    assert front_matter(text) == {
        "a": "no", "b": "12:30", "c": "0123", "d": [["Link"]], "e": "2024-06-01", "f": {"g": "~"},
    }  # fmt: skip


@pytest.mark.parametrize(
    "block",
    [
        "a: &x [1]\nb: *x",
        "a: " + "[" * 9 + "]" * 9,
        "a: " + "[" * 3000,
        "a: foo: bar",
        "- just\n- a list",
        "just words",
        "a: !!python/object/apply:os.system [x]\n b",
        'a: "\\UFFFFFFFF"',
        "a: \x07",
        "? [a]\n: b",
        "a: b\n" * 20_000,
        "",
    ],
)
def test_properties_that_cannot_be_read_are_just_text(block: str) -> None:
    began = time.perf_counter()
    assert front_matter(f"---\n{block}\n---\nwords\n") == {}
    assert time.perf_counter() - began < 1


@given(st.text(st.sampled_from("a:-[]{}&*!|>'\"%@`?,#~ \n\t\\0é.<=") | st.characters(codec="utf-8"), max_size=80))
def test_no_front_matter_makes_reading_fail(block: str) -> None:
    assert isinstance(front_matter(f"---\n{block}\n---\n"), dict)


def test_the_front_matter_ends_with_its_closing_line() -> None:
    assert front_matter_end("---\na: b\n---\nx") == len("---\na: b\n---")
    assert front_matter_end("---\n---\nx") == 7
    assert front_matter_end("---\na: b\n...\nx") == len("---\na: b\n...")
    assert front_matter_end("---\nno end\n") == 0
    assert front_matter_end("text\n---\na: b\n---\n") == 0
    assert front_matter_end("---\n" + "x" * 70_000 + "\n---\n") == 0


def read_chat(folder: Path, *lines: object) -> list[Note | Skipped]:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n"
    return jsonl.read_notes(file(folder, "chat.jsonl", text), text) or []


def test_each_line_of_a_chat_log_is_a_note(tmp_path: Path) -> None:
    path = str(tmp_path / "chat.jsonl")
    full = {"text": "hi", "uri": "chat:1", "thread": "t", "author": "Ada", "happened_at": "2024-06-01T10:00:00+02:00"}
    assert read_chat(
        tmp_path, full, "", {"text": "bye", "more": 1, "author": None}, {"text": "late", "happened_at": 0}
    ) == [
        Note("hi", "chat:1", "t", "Ada", datetime(2024, 6, 1, 8, tzinfo=UTC), "import"),
        Note("bye", f"{path}#L3", path, "", CHANGED, "import"),
        Note("late", f"{path}#L4", path, "", datetime(1970, 1, 1, tzinfo=UTC), "import"),
    ]


def test_escape_codes_hidden_in_json_are_cleaned(tmp_path: Path) -> None:
    (note,) = read_chat(tmp_path, {"text": "a\x1b[2Jb\ud800\r\nc", "author": "\u202eAda", "uri": "x\x00y"})
    assert isinstance(note, Note)
    assert (note.text, note.author, note.uri) == ("ab\nc", "Ada", "xy")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "a"', "not json: expecting ',' delimiter at column 13"),
        ("[" * 100_000, "nested too deeply"),
        ('["text"]', "not an object"),
        ("{}", "no text"),
        ({"text": " \n"}, "no text"),
        ({"text": 5}, "no text"),
        ({"text": "a", "author": 5}, "author is not text"),
        ({"text": "a", "happened_at": "yesterday"}, "happened_at is not a date: 'yesterday'"),
        ({"text": "a", "happened_at": True}, "happened_at is not a date: 'True'"),
        ('{"text": "a", "happened_at": 1e400}', "happened_at is not a date: 'inf'"),
        ({"text": "a", "happened_at": "0001-01-01"}, "happened_at is not a date: '0001-01-01'"),
    ],
)
def test_a_broken_line_is_named_and_the_others_are_read(tmp_path: Path, line: object, reason: str) -> None:
    found = read_chat(tmp_path, {"text": "one"}, line, {"text": "three"})
    assert found[1] == Skipped(f"{tmp_path}/chat.jsonl#L2", reason)
    assert [item.text for item in found if isinstance(item, Note)] == ["one", "three"]


def test_json_lines_that_are_no_chat_are_skipped_with_one_line(tmp_path: Path) -> None:
    (skipped,) = read_chat(tmp_path, {"id": 1}, {"id": 2}, {"id": 3})
    assert skipped == Skipped(str(tmp_path / "chat.jsonl"), "none of its 3 lines is a message: no text")
