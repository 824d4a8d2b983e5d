from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import HOSTILE, at_most
from secondme_plugins import whatsapp

from secondme.records import Note, Skipped

ANDROID = """{first}, 09:05 - Messages and calls are end-to-end encrypted. No one outside can read them.
{first}, 09:05 - Ann Lee: Morning!
{first}, 21:15 - Me: The boiler leaks
again, and nobody is there
{second}, 07:00 - Ann Lee: <Media omitted>
{second}, 07:01 - Ann Lee: I come at 8: promised
"""


def chat(path: Path, text: str) -> list[Note | Skipped]:
    found = whatsapp.read_notes(path, text)
    assert found is not None
    return found


def said(path: Path, text: str) -> list[tuple[str, datetime | None, str]]:
    return [(note.author, note.happened_at, note.text) for note in chat(path, text) if isinstance(note, Note)]


def local(year: int, month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second).astimezone()


def test_a_chat_is_one_note_a_message() -> None:
    path = Path("/x/WhatsApp Chat with Ann.txt")
    found = chat(path, ANDROID.format(first="30/05/2024", second="31/05/2024"))
    notes = [item for item in found if isinstance(item, Note)]
    assert [(note.author, note.text) for note in notes] == [
        ("Ann Lee", "Morning!"),
        ("Me", "The boiler leaks\nagain, and nobody is there"),
        ("Ann Lee", "I come at 8: promised"),
    ]
    assert {(note.thread, note.origin) for note in notes} == {("whatsapp:Ann", "import")}
    assert len({note.uri for note in notes}) == 3
    assert all(note.uri.startswith(f"{path}#") for note in notes)
    assert [item.why for item in found if isinstance(item, Skipped)] == [
        "1 pictures, films and other media are not in the export"
    ]


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        ("30/05/2024, 21:15 - Ann: hi", (2024, 5, 30, 21, 15)),
        ("30.05.24, 21:15 - Ann: hi", (2024, 5, 30, 21, 15)),
        ("[30.05.24, 21:15:07] Ann: hi", (2024, 5, 30, 21, 15, 7)),
        ("5/30/24, 9:15\u202fPM - Ann: hi", (2024, 5, 30, 21, 15)),
        ("5/30/24, 12:05 AM - Ann: hi", (2024, 5, 30, 0, 5)),
        ("\u200e[5/30/24, 9:15:07\u202fp.m.] Ann: hi", (2024, 5, 30, 21, 15, 7)),
        ("2024-05-30, 21:15 - Ann: hi", (2024, 5, 30, 21, 15)),
        ("2024/5/30 21.15 - Ann: hi", (2024, 5, 30, 21, 15)),
    ],
)
def test_every_form_of_date_is_read(line: str, moment: tuple[int, ...]) -> None:
    assert said(Path("/x/_chat.txt"), line) == [("Ann", local(*moment), "hi")]


def test_day_and_month_are_told_apart_by_the_whole_chat() -> None:
    day_first = "03/04/2024, 10:00 - A: one\n17/04/2024, 10:00 - A: two\n"
    assert [moment for _, moment, _ in said(Path("/x/a.txt"), day_first)] == [
        local(2024, 4, 3, 10),
        local(2024, 4, 17, 10),
    ]
    month_first = "3/4/24, 10:00 AM - A: one\n3/17/24, 10:00 AM - A: two\n"
    assert said(Path("/x/a.txt"), month_first)[0][1] == local(2024, 3, 4, 10)


def test_days_that_would_go_back_in_time_are_read_the_other_way_round() -> None:
    text = "1/5/24, 10:00 - A: one\n2/3/24, 10:00 - A: two\n"
    assert said(Path("/x/a.txt"), text)[0][1] == local(2024, 1, 5, 10)


def test_dates_that_may_be_either_are_said_to_be_in_doubt() -> None:
    doubt, note = chat(Path("/x/a.txt"), "03/04/2024, 10:00 - A: one\n")
    assert doubt == Skipped("/x/a.txt#dates", "day and month could be the other way round: day first", True)
    assert isinstance(note, Note)
    assert note.happened_at == local(2024, 4, 3, 10)


def test_a_date_that_does_not_exist_costs_one_message() -> None:
    text = "30/05/2024, 10:00 - A: one\n31/06/2024, 10:00 - A: two\n30/06/2024, 10:00 - A: three\n"
    found = chat(Path("/x/a.txt"), text)
    assert [item.text for item in found if isinstance(item, Note)] == ["one", "three"]
    assert Skipped("/x/a.txt:2", "its date does not exist") in found


def test_the_same_chat_exported_later_names_its_messages_the_same() -> None:
    early = ANDROID.format(first="30/05/2024", second="31/05/2024")
    late = early + "01/06/2024, 07:01 - Ann Lee: On my way\n"
    assert _ids(early) < _ids(late)


def _ids(text: str) -> set[str]:
    found = chat(Path("/x/WhatsApp Chat with Ann.txt"), text)
    return {item.uri.partition("#")[2] for item in found if isinstance(item, Note)}


def test_saying_the_same_twice_in_a_minute_is_two_messages() -> None:
    assert len(_ids("30/05/2024, 10:00 - A: yes\n30/05/2024, 10:00 - A: yes\n")) == 2


@pytest.mark.parametrize("name", ["WhatsApp Chat with Ann.txt", "WhatsApp Chat with Ann (1).txt"])
def test_the_number_a_browser_adds_is_no_part_of_the_name(name: str) -> None:
    [note] = [item for item in chat(Path("/x") / name, "30/05/2024, 10:00 - A: yes\n") if isinstance(item, Note)]
    assert note.thread == "whatsapp:Ann"


@pytest.mark.parametrize("text", ["Just a text\nwith lines\n", "12/13 is a fraction - is it: yes\n"])
def test_a_text_that_is_no_chat_is_left_to_others(text: str) -> None:
    assert whatsapp.read_notes(Path("/x/a.txt"), text) is None


def test_the_archive_a_phone_shares_is_read(tmp_path: Path) -> None:
    path = tmp_path / "WhatsApp Chat - Ann.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_chat.txt", "[30.05.24, 21:15:07] Ann: hi\n")
        archive.writestr("photo.jpg", b"x")
    found = whatsapp.read_document(path)
    assert found is not None
    [note] = found
    assert isinstance(note, Note)
    assert (note.text, note.thread) == ("hi", "whatsapp:Ann")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04"])
def test_a_broken_archive_is_said_to_be_broken(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "WhatsApp Chat - Ann.zip"
    path.write_bytes(content)
    [found] = whatsapp.read_document(path) or []
    assert isinstance(found, Skipped)
    assert found.why.startswith("not a readable archive")


def test_other_archives_are_left_alone(tmp_path: Path) -> None:
    assert whatsapp.read_document(tmp_path / "photos.zip") is None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*"0123456789/.-:,[] \nAPM", "Ann: hi", "\u200e", "\u202f", " - "]), max_size=60))
def test_any_text_gives_notes_or_reasons_and_never_a_crash(parts: list[str]) -> None:
    text = "30/05/2024, 10:00 - A: one\n30/05/2024, 10:01 - A: two\n" + "".join(parts)
    assert all(isinstance(item, Note | Skipped) for item in chat(Path("/x/a.txt"), text))


def test_a_message_of_empty_lines_without_end_costs_no_more_than_another() -> None:
    text = f"30/05/2024, 10:00 - A: one\n30/05/2024, 10:01 - A: two{chr(10) * HOSTILE}three\n"
    with at_most(1):
        found = said(Path("/x/a.txt"), text)
    assert [words.split() for _, _, words in found] == [["one"], ["two", "three"]]


def test_that_a_message_was_edited_is_no_part_of_it() -> None:
    text = "30/05/2024, 10:00 - A: one <This message was edited> \n30/05/2024, 10:01 - A: two\n"
    assert [words for _, _, words in said(Path("/x/a.txt"), text)] == ["one", "two"]


def test_an_archive_that_cannot_be_unpacked_is_said_to_be_broken(tmp_path: Path) -> None:
    path = tmp_path / "WhatsApp Chat with Ann.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("chat.txt", "words " * 100)
    content = bytearray(path.read_bytes())
    content[38:46] = b"\xff" * 8
    path.write_bytes(content)
    assert list(whatsapp.read_document(path) or ()) == [Skipped(str(path), "not a readable archive")]
