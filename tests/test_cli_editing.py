"""`secondme edit` and `secondme pin`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from conftest import Run
from nights import open_memory

from secondme.records import Note


@pytest.fixture
def memory(call: Run, tmp_path: Path) -> Run:
    """n1 was typed and made m1, n2 was read from a file; `secondme` with the fake models."""
    path = tmp_path / "notes.md"
    path.write_text("Ben bought a bicycle", encoding="utf-8")

    def call_with_models(*arguments: str | Path, **options: object) -> object:
        return call(*arguments, replies=[], **options)  # type: ignore[arg-type]

    call("add", "--at", "2024-06-01", "I live in Lisbon.", replies=[])
    call("add", path, replies=[])
    call("sleep", replies=[])
    return call_with_models  # type: ignore[return-value]


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that does to a file what the Python in this file says of its `text`, and is the editor."""
    deed, seen = tmp_path / "deed.py", tmp_path / "opened"
    script = tmp_path / "an editor.py"
    script.write_text(
        "import os, sys\nfrom pathlib import Path\n"
        "mode = os.stat(sys.argv[-1]).st_mode & 0o777\n"
        f"Path({str(seen)!r}).write_text(f'{{sys.argv[-1]}} {{mode:o}}')\n"
        "path = Path(sys.argv[-1])\ntext = path.read_text()\n"
        f"exec(Path({str(deed)!r}).read_text())\n"
        "path.write_text(text)\n",
        encoding="utf-8",
    )
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{shlex.quote(sys.executable)} {shlex.quote(str(script))}")
    return deed


def opened(tmp_path: Path) -> str:
    """Which file was opened in the editor, and who may read it; "" where none was."""
    path = tmp_path / "opened"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def test_a_note_that_was_typed_gets_another_text_and_keeps_its_time(memory: Run) -> None:
    done = memory("edit", "n1", "I", "live", "in Porto.")
    assert (done.code, done.stdout, done.stderr) == (0, "n3\n", "")
    new, old = memory("show", "n3", "n1", "--json").json["notes"]
    assert (new["text"], old["text"]) == ("I live in Porto.", "I live in Lisbon.")
    assert (new["uri"], new["happened_at"]) == (old["uri"], old["happened_at"])
    assert "n1" not in memory("list").stdout


def test_a_note_that_was_said_in_a_conversation_can_be_edited(memory: Run) -> None:
    memory("chat", "--plain", stdin="My sister Nora keeps bees.\n")
    assert memory("edit", "n3", "My sister Nora keeps goats.").stdout == "n4\n"
    assert memory("search", "goats", "--json").json["matches"][0]["id"] == "n4"


def test_a_fact_gets_other_words(memory: Run) -> None:
    done = memory("edit", "m1", "I live in Lisbon, in Rua Nova.")
    assert (done.code, done.stdout) == (0, "m3\n")
    facts = [fact["text"] for fact in memory("facts", "--json").json["facts"]]
    assert "I live in Lisbon, in Rua Nova." in facts
    assert "I live in Lisbon." not in facts


@pytest.mark.parametrize("id", ["n1", "m1"])
def test_without_a_text_an_editor_opens(memory: Run, editor: Path, tmp_path: Path, id: str) -> None:
    editor.write_text('text = text.replace("Lisbon", "Faro") + "\\n"', encoding="utf-8")
    done = memory("edit", id)
    assert (done.code, done.stdout) == (0, "n3\n" if id == "n1" else "m3\n")
    assert "I live in Faro." in memory("show", done.stdout.strip()).stdout
    path, mode = opened(tmp_path).rsplit(" ", 1)
    assert (Path(path).name, mode) == (f"{id}.md", "600")
    assert not Path(path).parent.exists()


@pytest.mark.parametrize("id", ["n1", "m1"])
def test_what_is_left_as_it_was_changes_nothing_and_exits_with_1(memory: Run, editor: Path, id: str) -> None:
    editor.write_text('text = text + "\\n\\n"', encoding="utf-8")
    for arguments in ((), (" I live in Lisbon. ",)):
        done = memory("edit", id, *arguments)
        assert (done.code, done.stdout, done.stderr) == (1, "", "nothing was changed\n")
    assert memory("show", "n3").code == 1


@pytest.mark.parametrize("id", ["n1", "m1"])
@pytest.mark.parametrize(
    ("deed", "code", "why"),
    [
        ('text = " \\n"', 2, "empty"),
        ("sys.exit(3)", 2, "ended with exit code 3"),
        ("path.unlink(); sys.exit()", 2, "the editor left no file behind"),
    ],
)
def test_an_editor_that_leaves_nothing_changes_nothing(
    memory: Run, editor: Path, id: str, deed: str, code: int, why: str
) -> None:
    editor.write_text(deed, encoding="utf-8")
    refused = memory("edit", id)
    assert (refused.code, refused.stdout, why in refused.stderr) == (code, "", True)
    assert memory("list").stdout.count("\n") == 2


def test_what_the_editor_leaves_is_cleaned(memory: Run, editor: Path) -> None:
    editor.write_text('text = "red \\x1b[31malert"', encoding="utf-8")
    memory("edit", "n1")
    assert memory("show", "n3", "--json").json["notes"][0]["text"] == "red alert"


def test_a_note_from_a_file_is_refused_before_an_editor_opens(memory: Run, editor: Path, tmp_path: Path) -> None:
    editor.write_text("", encoding="utf-8")
    for arguments in ((), ("another text",)):
        refused = memory("edit", "n2", *arguments)
        assert (refused.code, refused.stdout) == (2, "")
        assert "n2 is not something you typed" in refused.stderr
        assert "hint: change it there: secondme open n2" in refused.stderr
    assert opened(tmp_path) == ""


def test_what_somebody_else_said_is_not_changed(memory: Run, own_home: Path) -> None:
    with open_memory(own_home) as me:
        me.add(Note("I keep goats.", author="Ana", origin="chat"))
    assert "n3 is not something you typed" in memory("edit", "n3", "I keep bees.").stderr


def test_an_earlier_version_is_not_put_in_the_place_of_the_current_one(memory: Run) -> None:
    memory("edit", "n1", "I live in Porto.")
    refused = memory("edit", "n1", "I live in Faro.")
    assert refused.code == 2
    assert "n1 is an earlier version of n3\nhint: secondme edit n3\n" in refused.stderr
    assert memory("show", "n3", "--json").json["notes"][0]["text"] == "I live in Porto."


@pytest.mark.parametrize(
    ("id", "code", "why"),
    [("n9", 1, "there is no n9"), ("m9", 1, "there is no m9"), ("x", 2, "'x' is not an id"), ("c1", 2, "'c1' is not")],
)
@pytest.mark.parametrize("command", ["edit", "pin"])
def test_what_is_not_there_is_neither_edited_nor_pinned(
    memory: Run, editor: Path, command: str, id: str, code: int, why: str
) -> None:
    refused = memory(command, id)
    assert (refused.code, refused.stdout, why in refused.stderr) == (code, "", True)
    assert opened(editor.parent) == ""


@pytest.mark.parametrize("command", ["edit", "pin"])
def test_where_there_is_no_memory_none_is_made(call: Run, own_home: Path, command: str) -> None:
    assert call(command, "n1").code == 10
    assert not own_home.exists()


def test_without_an_editor_it_is_said_how_to_name_one(memory: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    refused = memory("edit", "n1")
    assert (refused.code, "neither VISUAL nor EDITOR names an editor" in refused.stderr) == (2, True)


def test_pins_are_set_and_let_go_of(memory: Run, own_home: Path) -> None:
    assert memory("pin", "n2").stderr == "n2 is pinned\n"
    assert memory("pin", "m1").code == 0
    with open_memory(own_home) as me:
        assert me.store.pins.ids() == ["m1", "n2"]
    let_go = memory("pin", "n2", "--off")
    assert (let_go.code, let_go.stderr) == (0, "n2 is no longer pinned\n")
    assert memory("pin", "n2", "--off").code == 0
    with open_memory(own_home) as me:
        assert me.store.pins.ids() == ["m1"]
