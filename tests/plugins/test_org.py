from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from limits import HOSTILE, at_most
from secondme_plugins import org

from secondme.records import Note

CHANGED = datetime(2021, 5, 6, 7, 8, tzinfo=UTC)


def read(folder: Path, text: str, name: str = "a.org") -> Note:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    os.utime(path, (CHANGED.timestamp(), CHANGED.timestamp()))
    [note] = org.read_notes(path, text) or []
    return note


def test_an_org_file_is_one_note_with_all_its_text(tmp_path: Path) -> None:
    text = "#+TITLE: The boat\n#+DATE: <2024-06-01 Sat>\n* Hull\nTarred.\n"
    note = read(tmp_path, text)
    path = str(tmp_path / "a.org")
    assert note == Note(text, path, path, "", datetime(2024, 6, 1).astimezone(), "file", "The boat")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("* TODO Paint it :boat:home:\n", "Paint it"),
        ("** Deep\n", "Deep"),
        ("* DONE  Sail to :b: and back\n", "Sail to :b: and back"),
        ("* :tags:\n", ":tags:"),
        ("*bold* words\n* One\n", "One"),
        ("words only\n", "a"),
        ("#+title:   Lower case  \n", "Lower case"),
    ],
)
def test_the_title_is_a_keyword_or_the_first_headline(tmp_path: Path, text: str, title: str) -> None:
    assert read(tmp_path, text).title == title


@pytest.mark.parametrize(
    ("name", "text", "day"),
    [
        ("a.org", ":PROPERTIES:\n:CREATED: [2024-06-01 Sat 10:30]\n:END:\n", "2024-06-01"),
        ("2024-06-01.org", "words", "2024-06-01"),
        ("a.org", "#+DATE: soon\n", "2021-05-06"),
    ],
)
def test_the_date_is_given_in_the_file_or_its_name(tmp_path: Path, name: str, text: str, day: str) -> None:
    found = read(tmp_path, text, name).happened_at
    assert found is not None
    assert found.astimezone().date().isoformat() == day


@pytest.mark.parametrize("begin", ["* a", "* TODO", "#+DATE: ", "#+DATE: <a", "#+TITLE:", ":CREATED: ", "*", "* a :b"])
@pytest.mark.parametrize("filler", [" ", "*", ":", "a ", "<", "\n"])
def test_a_line_made_to_keep_a_reader_busy_does_not(tmp_path: Path, begin: str, filler: str) -> None:
    text = f"{begin}{filler * (HOSTILE // len(filler))}b\n"
    with at_most(1):
        assert read(tmp_path, text).text == text
