from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import Run

CHAT = "30/05/2024, 09:05 - Ann: Morning!\n31/05/2024, 21:15 - Me: The boiler leaks\n"
MAIL = "From x\nFrom: Ann <a@b.c>\nDate: Sat, 01 Jun 2024 10:30:00 +0200\nMessage-ID: <{id}@b.c>\n\nIt leaks\n\n"


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    path = tmp_path / "WhatsApp Chat with Ann.txt"
    path.write_text(CHAT, encoding="utf-8")
    return path


def test_an_export_is_taken_in_once(call: Run, chat: Path) -> None:
    first = call("import", "whatsapp", chat)
    assert (first.code, first.stdout, first.stderr) == (0, "2 notes added, 0 already known\n", "")
    assert call("import", "whatsapp", chat).stdout == "0 notes added, 2 already known\n"
    assert "boiler" in call("search", "boiler").stdout


def test_exported_again_under_another_name_only_what_is_new_is_added(call: Run, chat: Path) -> None:
    call("import", "whatsapp", chat)
    again = chat.with_name("WhatsApp Chat with Ann (1).txt")
    again.write_text(f"{CHAT}01/06/2024, 08:00 - Ann: I come at ten\n", encoding="utf-8")
    assert call("import", "whatsapp", again, "--dry-run").stdout == "1 note would be added, 2 already known\n"
    assert call("import", "whatsapp", again).stdout == "1 note added, 2 already known\n"


def test_a_mailbox_in_another_place_only_adds_what_is_new(call: Run, tmp_path: Path) -> None:
    for name, ids in (("a.mbox", "12"), ("b.mbox", "123")):
        (tmp_path / name).write_text("".join(MAIL.format(id=id) for id in ids), encoding="utf-8")
    assert call("import", "mail", tmp_path / "a.mbox").stdout.startswith("2 notes added")
    assert call("import", "mail", tmp_path / "b.mbox").stdout == "1 note added, 2 already known\n"


def test_a_dry_run_stores_nothing_and_needs_no_memory(call: Run, chat: Path, own_home: Path) -> None:
    tried = call("import", "whatsapp", chat, "--dry-run", "--json")
    assert tried.json == {"v": 1, "added": 2, "known": 0, "skipped": [], "dry_run": True}
    assert not own_home.exists()


def test_a_folder_is_looked_through_for_one_kind(call: Run, chat: Path, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("a note\n", encoding="utf-8")
    (tmp_path / "shopping.txt").write_text("milk\n", encoding="utf-8")
    assert call("import", "whatsapp", tmp_path).stdout == "2 notes added, 0 already known\n"


def test_what_is_skipped_is_said_once_for_each_reason(call: Run, tmp_path: Path) -> None:
    events = "".join(f"BEGIN:VEVENT\r\nUID:{number}\r\nEND:VEVENT\r\n" for number in range(3))
    good = "BEGIN:VEVENT\r\nUID:x\r\nSUMMARY:Dinner\r\nDTSTART:20240601T190000Z\r\nEND:VEVENT\r\n"
    path = tmp_path / "a.ics"
    path.write_text(f"BEGIN:VCALENDAR\r\n{events}{good}END:VCALENDAR\r\n", encoding="utf-8")
    done = call("import", "ics", path)
    assert (done.code, done.stdout) == (0, "1 note added, 0 already known\n")
    assert done.stderr == f"skipped {path}#0 and 2 more: nothing is said in it\n"
    again = call("import", "ics", path, "--json")
    assert len(again.json["skipped"]) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("foo", "{chat}"), 2, "nothing reads 'foo'"),
        (("whatsapp", "{chat}.none"), 2, "no such file or folder"),
        (("whatsapp",), 2, "import which whatsapp file?"),
        (("{chat}", "--dry-run"), 2, "--dry-run goes with a kind"),
        (("a", "b", "c"), 2, "import takes one file, or a kind and a path"),
        (("pdf", "{chat}"), 3, "no plugin reads this kind of file"),
        (("pdf", "{folder}"), 1, "nothing of the kind pdf is there"),
    ],
)
def test_a_mistake_is_one_clear_line(call: Run, chat: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = call("import", *(word.format(chat=chat, folder=chat.parent) for word in arguments))
    assert done.code == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_export_wrote_is_still_taken_in(call: Run, tmp_path: Path) -> None:
    call("add", "The spare key lies under the pot.")
    call("export", tmp_path / "all.jsonl")
    assert call("import", tmp_path / "all.jsonl").stdout == "0 versions of notes added, 1 already known\n"


def test_conversations_are_imported_with_who_said_what(call: Run, tmp_path: Path) -> None:
    messages = [{"uuid": "m1", "sender": "human", "text": "Which knot?", "created_at": "2024-06-01T08:30:00Z"}]
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([{"uuid": "c1", "name": "Boats", "chat_messages": messages}]), encoding="utf-8")
    assert call("import", "claude", path).stdout == "1 note added, 0 already known\n"
    [note] = call("list", "--json").json["notes"]
    assert (note["thread"], note["happened_at"]) == ("claude:c1", "2024-06-01T08:30:00Z")


def test_a_pipe_is_refused_and_not_waited_for(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    os.mkfifo(path)
    for arguments in (("import", "chatgpt", path), ("add", path)):
        done = call(*arguments)
        assert done.code == 3
        assert "not a regular file" in done.stderr


def test_a_mailbox_with_one_name_twice_adds_what_it_says(call: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.mbox"
    head = "From x\nFrom: a@b.c\nMessage-ID: <m{0}@b.c>\n\nsaid {1}\n\n"
    path.write_text("".join(head.format(id, at) for at, id in enumerate((1, 2, 3, 4, 5, 5))), encoding="utf-8")
    assert call("import", "mail", path).stdout == "6 notes added, 0 already known\n"
    assert len(call("list", "--json").json["notes"]) == 6
    assert call("import", "mail", path).stdout == "0 notes added, 6 already known\n"
