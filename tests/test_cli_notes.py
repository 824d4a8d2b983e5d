"""`secondme show`, `open`, `list` and `forget`."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from conftest import Run

from secondme.editor import command_for
from secondme.places import file_of

LONG = (
    "# Tea\n\n"
    + "\n\n".join(f"## Part {number}\n\n" + f"word{number} word{number}\n" * 40 for number in range(4))
    + "\n"
)


@pytest.fixture
def recorder(tmp_path: Path) -> tuple[str, Path]:
    """An editor that writes down its arguments and what it was given, and the file it writes to."""
    script, log = tmp_path / "recorder.py", tmp_path / "log"
    script.write_text(
        "import os, sys\n"
        "path = sys.argv[-1]\n"
        f"log = open({str(log)!r}, 'w')\n"
        "modes = [oct(os.stat(name).st_mode & 0o777) for name in (path, os.path.dirname(path))]\n"
        "print(path, *modes, file=log)\n"
        "print(open(path).read(), end='', file=log)\n",
        encoding="utf-8",
    )
    return f"{sys.executable} {script}", log


def test_a_note_is_shown_verbatim_below_its_head(call: Run) -> None:
    call("add", "-", "--at", "2024-06-01T12:00:00Z", stdin="first [/b]\n\n  indented\ttab\n")
    shown = call("show", "n1", env={"TZ": "UTC"}).stdout
    head, _, text = shown.partition("\n")
    assert head.startswith("n1 · 2024-06-01 ")
    assert " · me · typed:2024-06-01:" in head
    assert text == "first [/b]\n\n  indented\ttab\n"


def test_several_notes_are_shown_in_the_order_asked_for(call: Run) -> None:
    for text in ("one", "two"):
        call("add", text)
    assert [note["id"] for note in call("show", "n2", "n1", "--json").json["notes"]] == ["n2", "n1"]
    assert call("show", "n2", "n1").stdout.count("\n\n") == 1


def test_a_passage_is_shown_with_its_line_numbers(call: Run, tmp_path: Path) -> None:
    (tmp_path / "tea.md").write_text(LONG, encoding="utf-8")
    call("add", tmp_path / "tea.md")
    [passage] = call("show", "n1.2", "--json").json["notes"]
    assert passage["id"] == "n1.2"
    lines = LONG.split("\n")[passage["line_start"] - 1 : passage["line_end"]]
    assert passage["text"].strip() == "\n".join(lines).strip()
    shown = call("show", "n1.2").stdout.splitlines()
    assert shown[1].split()[0] == str(passage["line_start"])


@pytest.mark.parametrize("command", ["show", "open", "forget"])
@pytest.mark.parametrize(("id", "code"), [("n9", 1), ("n1.9", 1), ("9", 2), ("n", 2), ("nine", 2), ("n1.x", 2)])
def test_an_id_that_names_nothing_is_one_line(call: Run, command: str, id: str, code: int) -> None:
    call("add", "tea")
    options = ["--yes"] if command == "forget" else []
    shown = call(command, id, *options, env={"EDITOR": "true"})
    assert (shown.code, shown.stdout) == (2 if command == "forget" and id == "n1.9" else code, "")
    assert id.partition(".")[0] in shown.stderr
    assert call("show", "n1").code == 0


def test_notes_are_listed_newest_first(call: Run) -> None:
    call("add", "later", "--at", "2024-06-02")
    call("add", "earlier", "--at", "2024-06-01")
    assert [note["text"] for note in call("list", "--json").json["notes"]] == ["later", "earlier"]
    assert call("list", "-n", "1").stdout == "n1 · 2024-06-02 · me · later\n"
    assert call("list", "--until", "2024-06-01").stdout == "n2 · 2024-06-01 · me · earlier\n"


def test_a_list_of_nothing_is_1(call: Run) -> None:
    call("add", "tea")
    shown = call("list", "--author", "nobody")
    assert (shown.code, shown.stdout, shown.stderr) == (1, "", "nothing found\n")


def test_a_long_list_ends_at_20_and_0_is_all(call: Run) -> None:
    call("add", "--jsonl", "-", stdin="\n".join(f'{{"text": "{number}"}}' for number in range(25)))
    assert call("list").stdout.count("\n") == 20
    assert call("list", "-n", "0").stdout.count("\n") == 25


def test_forget_refuses_where_it_cannot_ask(call: Run) -> None:
    call("add", "tea")
    refused = call("forget", "n1")
    assert (refused.code, refused.stdout) == (2, "")
    assert "--yes" in refused.stderr
    assert call("show", "n1").code == 0


def test_a_dry_run_removes_nothing(call: Run) -> None:
    call("add", "tea")
    planned = call("forget", "n1", "--dry-run")
    assert planned.code == 0
    assert planned.stdout.startswith("would remove n1: 1 passage\n  typed:")
    assert call("show", "n1").code == 0


def test_forget_removes_for_good(call: Run, own_home: Path) -> None:
    call("add", "the word is xylophone")
    call("add", "tea")
    removed = call("forget", "n1", "--yes")
    assert (removed.code, removed.stdout.splitlines()[0]) == (0, "removed n1: 1 passage")
    assert call("show", "n1").code == 1
    assert b"xylophone" not in b"".join(path.read_bytes() for path in own_home.rglob("*") if path.is_file())


def test_forget_checks_all_ids_before_it_removes_one(call: Run) -> None:
    call("add", "tea")
    assert call("forget", "n1", "n9", "--yes").code == 1
    assert call("show", "n1").code == 0


def test_open_starts_the_editor_on_the_file(call: Run, tmp_path: Path, recorder: tuple[str, Path]) -> None:
    editor, log = recorder
    (tmp_path / "tea.md").write_text("green tea\n", encoding="utf-8")
    call("add", tmp_path / "tea.md")
    assert call("open", "n1", env={"VISUAL": editor, "EDITOR": "false"}).code == 0
    assert log.read_text().splitlines()[0].split()[0] == str(tmp_path / "tea.md")


def test_a_note_without_a_file_is_opened_as_a_private_copy_that_goes(call: Run, recorder: tuple[str, Path]) -> None:
    editor, log = recorder
    call("add", "typed tea")
    assert call("open", "n1", env={"EDITOR": editor}).code == 0
    head, text = log.read_text().split("\n", 1)
    path, mode, folder_mode = head.split()
    assert (mode, folder_mode, text) == ("0o400", "0o700", "typed tea")
    assert not Path(path).parent.exists()


def test_without_an_editor_both_variables_and_the_place_are_named(
    call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    (tmp_path / "tea.md").write_text("tea", encoding="utf-8")
    call("add", tmp_path / "tea.md")
    refused = call("open", "n1")
    assert refused.code == 2
    assert "VISUAL" in refused.stderr
    assert "EDITOR" in refused.stderr
    assert f"{tmp_path / 'tea.md'}:1" in refused.stderr


@pytest.mark.parametrize("editor", ["no-such-editor", "'unclosed", "false"])
def test_an_editor_that_does_not_work_is_named(call: Run, editor: str) -> None:
    call("add", "tea")
    refused = call("open", "n1", env={"VISUAL": "", "EDITOR": editor})
    assert (refused.code, refused.stdout) == (2, "")
    assert editor in refused.stderr
    assert "the note is at" not in refused.stderr  # the copy is gone


@pytest.mark.parametrize(
    ("editor", "command"),
    [
        ("vim", ["vim", "+7", "/n.md"]),
        ("/usr/bin/nvim -R", ["/usr/bin/nvim", "-R", "+7", "/n.md"]),
        ("nano", ["nano", "+7", "/n.md"]),
        ("emacsclient -t", ["emacsclient", "-t", "+7", "/n.md"]),
        ("micro", ["micro", "+7", "/n.md"]),
        ("hx", ["hx", "/n.md:7"]),
        ("subl -w", ["subl", "-w", "/n.md:7"]),
        ("code", ["code", "--goto", "/n.md:7"]),
        ("kate", ["kate", "--line", "7", "/n.md"]),
        ("unheard-of", ["unheard-of", "/n.md"]),
    ],
)
def test_each_editor_is_told_the_line_in_its_own_way(editor: str, command: list[str]) -> None:
    assert command_for(editor, Path("/n.md"), line=7) == command


def test_an_editor_with_a_window_is_waited_for_where_the_copy_would_go() -> None:
    assert command_for("code", Path("/n.md"), line=7, waits=True) == ["code", "--wait", "--goto", "/n.md:7"]
    assert command_for("code --wait", Path("/n.md"), line=7, waits=True) == ["code", "--wait", "--goto", "/n.md:7"]


def test_a_uri_names_its_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    assert file_of(str(path)) == (path, 0)
    assert file_of(f"{path}#L3") == (path, 3)
    assert file_of("typed:2024-06-01:abc") == (None, 0)
    assert file_of(f"{path}.gone") == (None, 0)


def test_the_database_is_private(call: Run, own_home: Path) -> None:
    call("add", "tea")
    assert stat.S_IMODE(os.stat(own_home / "memory.db").st_mode) == 0o600
