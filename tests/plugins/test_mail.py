from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import HOSTILE, at_most
from secondme_plugins import mail, mail_messages

from secondme.records import Note, Skipped

CHANGED = datetime(2021, 5, 6, 7, 8, tzinfo=UTC)
HEAD = """From: Ann Lee <ann@example.org>
To: me@example.org
Subject: {subject}
Date: Sat, 01 Jun 2024 10:30:00 +0200
Message-ID: <{id}@example.org>
"""


def message(body: str, *, id: str = "m1", subject: str = "The boiler", more: str = "") -> str:
    return f"{HEAD.format(subject=subject, id=id)}{more}\n{body}"


def read(path: Path, content: str | bytes) -> list[Note | Skipped]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (CHANGED.timestamp(), CHANGED.timestamp()))
    found = mail.read_document(path)
    assert found is not None
    return list(found)


def only(path: Path, content: str | bytes) -> Note:
    [note] = read(path, content)
    assert isinstance(note, Note), note
    return note


def test_a_message_is_a_clip_with_sender_time_and_subject(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    assert only(path, message("It leaks again.\n")) == Note(
        text="The boiler\n\nIt leaks again.",
        uri=str(path),
        thread="mail:m1@example.org",
        author="Ann Lee",
        happened_at=datetime(2024, 6, 1, 8, 30, tzinfo=UTC),
        origin="clip",
        title="The boiler",
    )


def test_what_a_message_quotes_is_left_out(tmp_path: Path) -> None:
    body = """Tuesday is fine.

On Fri, 31 May 2024 at 09:00, Me <me@example.org> wrote:
> When can you come?
>> It drips.

See you
-- 
Ann Lee, Heating
"""
    assert only(tmp_path / "a.eml", message(body)).text == "The boiler\n\nTuesday is fine.\n\nSee you"


@pytest.mark.parametrize(
    "line", ["-----Original Message-----", "--- Original Message ---", "-----Ursprüngliche Nachricht-----"]
)
def test_a_message_below_the_answer_is_left_out(tmp_path: Path, line: str) -> None:
    text = only(tmp_path / "a.eml", message(f"Yes.\n\n{line}\nFrom: Me\n")).text
    assert "Yes." in text
    assert "Message" not in text
    assert "Nachricht" not in text


def test_an_html_message_is_read_as_words(tmp_path: Path) -> None:
    more = "Content-Type: text/html; charset=utf-8\n"
    text = only(tmp_path / "a.eml", message("<p>It <b>leaks</b></p><script>x()</script>", more=more)).text
    assert text == "The boiler\n\nIt **leaks**"


def test_attachments_are_named_and_not_read(tmp_path: Path) -> None:
    more = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n'
    body = """--b
Content-Type: text/plain; charset=utf-8

See the invoice.
--b
Content-Type: application/pdf
Content-Disposition: attachment; filename="invoice.pdf"
Content-Transfer-Encoding: base64

JVBERi0xLjQ=
--b--
"""
    text = only(tmp_path / "a.eml", message(body, more=more)).text
    assert text == "The boiler\n\nSee the invoice.\n\n[attachments: invoice.pdf]"


def test_answers_share_the_thread_of_the_first(tmp_path: Path) -> None:
    first = only(tmp_path / "a.eml", message("One", id="first"))
    more = "In-Reply-To: <first@example.org>\nReferences: <first@example.org>\n"
    second = only(tmp_path / "b.eml", message("Two", id="second", subject="Re: The boiler", more=more))
    more = "References: <first@example.org> <second@example.org>\n"
    third = only(tmp_path / "c.eml", message("Three", id="third", more=more))
    assert first.thread == second.thread == third.thread


def test_an_encoded_subject_is_decoded(tmp_path: Path) -> None:
    assert only(tmp_path / "a.eml", message("x", subject="=?utf-8?q?Gr=C3=BC=C3=9Fe?=")).title == "Grüße"


@pytest.mark.parametrize("date", ["Date: soon\n", "Date: Sat, 99 Jun 2024 10:30:00\n", ""])
def test_a_message_without_a_date_is_as_old_as_its_file(tmp_path: Path, date: str) -> None:
    assert only(tmp_path / "a.eml", f"From: a@b.c\n{date}\nwords").happened_at == CHANGED


def test_a_mailbox_is_one_note_a_message(tmp_path: Path) -> None:
    path = tmp_path / "Archive.mbox"
    box = "".join(f"From x Sat Jun  1 10:30:00 2024\n{message(f'Line {n}', id=f'm{n}')}\n\n" for n in range(3))
    notes = read(path, box)
    assert [note.uri for note in notes if isinstance(note, Note)] == [f"{path}#m{n}@example.org" for n in range(3)]
    assert [note.text for note in notes if isinstance(note, Note)] == [f"The boiler\n\nLine {n}" for n in range(3)]


def test_a_line_that_begins_with_from_does_not_part_a_message(tmp_path: Path) -> None:
    box = f"From x Sat Jun  1 10:30:00 2024\n{message('Dear,')}From here on\n\n>From us all\n"
    assert only(tmp_path / "a.mbox", box).text.endswith("From here on\n\nFrom us all")


def test_a_mailbox_cut_in_the_middle_gives_what_is_there(tmp_path: Path) -> None:
    box = "".join(f"From x Sat Jun  1 10:30:00 2024\n{message(f'Line {n}', id=f'm{n}')}\n\n" for n in range(3))
    notes = read(tmp_path / "a.mbox", box[: box.rindex("Line 2") + 3].encode())
    assert [note.text for note in notes if isinstance(note, Note)][-1] == "The boiler\n\nLin"


def test_a_file_without_suffix_is_a_mailbox_by_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "INBOX"
    assert only(path, f"From x Sat Jun  1 10:30:00 2024\n{message('Hello')}").text == "The boiler\n\nHello"
    path.write_text("Not from anyone", encoding="utf-8")
    assert mail.read_document(path) is None
    assert mail.read_document(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"just words\n", b"\xff\xfe\x00 binary"])
def test_what_is_no_message_is_skipped(tmp_path: Path, content: bytes) -> None:
    [found] = read(tmp_path / "a.eml", content)
    assert found == Skipped(str(tmp_path / "a.eml"), "not a message")


def test_a_message_without_an_id_keeps_its_name_when_the_mailbox_grows(tmp_path: Path) -> None:
    path = tmp_path / "a.mbox"
    one = "From x\nFrom: a@b.c\nSubject: one\n\nwords\n\n"
    before = only(path, one)
    after = read(path, "From x\nFrom: a@b.c\nSubject: zero\n\nothers\n\n" + one)
    assert before in after


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_mail_gives_notes_or_reasons_and_never_a_crash(tmp_path: Path, data: st.DataObject) -> None:
    more = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n'
    content = bytearray(message("--b\nContent-Type: text/html\n\n<p>x\n--b--\n", more=more).encode())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=12)):
        content[place] = data.draw(st.integers(0, 255))
    for found in read(tmp_path / "a.eml", bytes(content)) + read(tmp_path / "a.mbox", b"From x\n" + bytes(content)):
        assert isinstance(found, Note | Skipped)


def test_a_message_with_an_impossible_date_costs_no_other(tmp_path: Path) -> None:
    good = message("I come at eight.\n")
    bad = good.replace("Date: ", f"Date: Sat, 01 Jun {'9' * 30} 10:00:00 +0000\nX-Date: ").replace("<m1", "<m2")
    found = read(tmp_path / "a.mbox", "".join(f"From x\n{text}\n" for text in (good, bad, good.replace("<m1", "<m3"))))
    assert [type(item) for item in found] == [Note, Skipped, Note]


@pytest.mark.parametrize("line", ["-", "_", " ", "> ", "On a wrote:", "Am a schrieb ", "-- "])
def test_a_line_made_to_keep_a_reader_busy_does_not(line: str) -> None:
    for text in (line * (HOSTILE // len(line)) + "x", "_" * 20 + line * (HOSTILE // len(line)) + "x"):
        with at_most(1):
            mail_messages.without_quotes(text)


def test_two_messages_of_one_name_are_two_where_they_say_different_things(tmp_path: Path) -> None:
    one, other = message("I come at eight.\n"), message("I come at nine.\n")
    path = tmp_path / "a.mbox"
    found = read(path, "".join(f"From x\n{text}\n" for text in (one, other, one, other)))
    uris = [item.uri for item in found if isinstance(item, Note)]
    assert uris[0] == f"{path}#m1@example.org"
    assert uris[0] != uris[1]
    assert uris[:2] == uris[2:]
