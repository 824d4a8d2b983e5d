"""Export to a folder of Markdown and back: nothing is lost, nothing of the user's is touched."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nights import open_memory

from secondme.assistant import Assistant
from secondme.errors import IntegrityError, UsageError
from secondme.exchange import export, import_lines
from secondme.records import Note
from secondme.vault import LINES, MANIFEST, VaultReading, write_vault

NOW = datetime(2024, 9, 1, 8, tzinfo=UTC)


@pytest.fixture
def me(lived: Assistant) -> Assistant:
    """A memory that lived."""
    return lived


def lines_of(me: Assistant) -> list[str]:
    return [json.dumps(item) for item in export(me.store)]


def taken(folder: Path, home: Path) -> tuple[list[str], list[str]]:
    """The export of a memory that took in a folder, and what could not be read."""
    with open_memory(home) as other:
        reading = VaultReading(folder, NOW)
        done = import_lines(other.store, reading.lines())
        return lines_of(other), [f"{one.what}: {one.why}" for one in (*reading.skipped, *done.skipped)]


def test_all_of_a_memory_comes_back_from_the_folder(me: Assistant, tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    write_vault(export(me.store), folder)
    assert taken(folder, tmp_path / "other") == (lines_of(me), [])
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o600}
    notes = [path for path in (folder / "Notes").iterdir() if "Lisbon" in path.read_text()]
    assert [path.name for path in notes] == [
        "2024-01-10 I live in Lisbon. My sister Nora keeps bees. Ça va some chat.md"
    ]
    facts = (folder / "Facts" / "me.md").read_text()
    assert "[[Notes/2024-06-10 I moved to Porto|source]]" in facts
    assert "[[Facts/me]]" in (folder / "Memory.md").read_text()


TEXTS = st.text(min_size=1, max_size=60) | st.sampled_from(
    [
        "---\ntitle: x\n---\nbody",
        "---\n",
        "a\n\n\n",
        "\n\nb",
        "```\n---\n```",
        "---\nuri: other\n---\n",
        "[[x]] #tag\t",
        "C" * 300,
    ]
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    notes=st.lists(
        st.builds(
            Note,
            text=TEXTS,
            uri=st.sampled_from(["", "a", "../../etc/x", "con", "/a/b.md#L1"]) | st.text(max_size=6),
            title=st.sampled_from(["", "CON", "a/b", "..", "Ünï", "x" * 90]) | st.text(max_size=12),
            thread=st.text(max_size=4),
            author=st.text(max_size=4),
        ),
        max_size=6,
    )
)
def test_any_text_and_name_comes_back_as_it_was(notes: list[Note]) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        with open_memory(root / "one") as one:
            one.write(notes)
            write_vault(export(one.store), root / "vault")
            exported = lines_of(one)
        assert taken(root / "vault", root / "two") == (exported, [])
        assert {path.parent.name for path in (root / "vault").rglob("*.md")} <= {"Notes", "Earlier versions", "vault"}


def test_a_note_that_was_changed_is_a_new_version_and_the_user_s_files_stay(me: Assistant, tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    write_vault(export(me.store), folder)
    (folder / "My own.md").write_text("mine")
    [path] = [path for path in (folder / "Notes").iterdir() if "prefer tea" in path.read_text()]
    path.write_text(path.read_text().replace("prefer tea", "prefer mate"))
    reading = VaultReading(folder, datetime(2025, 1, 1, tzinfo=UTC))
    done = import_lines(me.store, reading.lines())
    assert done.added == 1
    assert [note.text for note in me.store.versions("clip:1")] == [
        "I prefer mate in all things.",
        "I prefer tea in all things.",
    ]
    again = write_vault(export(me.store), folder)
    assert again.kept == []
    assert (folder / "My own.md").read_text() == "mine"
    assert taken(folder, tmp_path / "other") == (lines_of(me), [])


def test_what_was_forgotten_goes_from_the_folder_too_unless_it_was_changed(me: Assistant, tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    write_vault(export(me.store), folder)
    names = {
        word: path for path in (folder / "Notes").iterdir() for word in ("Lisbon", "gym") if word in path.read_text()
    }
    names["gym"].write_text(names["gym"].read_text() + "more")
    me.forget([note.id for note in me.notes() if "Lisbon" in note.text or "gym" in note.text])
    write_vault(export(me.store), folder)
    assert not names["Lisbon"].exists()
    assert names["gym"].exists()
    assert taken(folder, tmp_path / "other") == (lines_of(me), [])


def test_an_export_that_was_cut_off_goes_on_and_takes_its_own_files_for_nobody_else_s(
    me: Assistant, tmp_path: Path
) -> None:
    folder = tmp_path / "vault"
    write_vault(export(me.store), folder)
    [path] = [path for path in (folder / "Notes").iterdir() if "prefer tea" in path.read_text()]

    def told(tea: str, last: int) -> Iterator[dict[str, object]]:
        """An export in which a note says something else, which breaks off after so many lines."""
        with closing(export(me.store)) as items:
            for number, item in enumerate(items):
                if number == last:
                    raise OSError(28, "No space left on device")
                is_note = item["type"] == "note"
                yield (
                    {**item, "text": item["text"].replace("in all things.", f"in all things.\n{tea}")}
                    if is_note
                    else item
                )

    with pytest.raises(IntegrityError, match="no space left"):
        write_vault(told("mate", 20), folder)
    assert "mate" in path.read_text()
    (folder / "Notes" / ".unfinished-x").write_text("what a kill left")
    assert write_vault(told("milk", 10**6), folder).kept == []
    assert "milk" in path.read_text()
    assert not [one for one in folder.rglob(".*") if one.name not in (MANIFEST, LINES)]


def test_a_link_that_the_user_has_put_in_the_place_of_a_file_stays(me: Assistant, tmp_path: Path) -> None:
    folder, own = tmp_path / "vault", tmp_path / "own.md"
    write_vault(export(me.store), folder)
    [path] = [path for path in (folder / "Notes").iterdir() if "Lisbon" in path.read_text()]
    own.write_text(path.read_text())
    path.unlink()
    path.symlink_to(own)
    assert write_vault(export(me.store), folder).kept == [f"Notes/{path.name}"]
    me.forget([note.id for note in me.notes() if "Lisbon" in note.text])
    write_vault(export(me.store), folder)
    assert path.is_symlink()
    assert own.exists()


@pytest.mark.parametrize(
    "files",
    [{"diary.md": "mine"}, {MANIFEST: "{"}, {MANIFEST: '{"v": 1, "files": [], "notes": 3}'}],
)
def test_a_folder_that_is_no_export_is_left_alone(me: Assistant, tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with pytest.raises(UsageError):
        write_vault(export(me.store), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_folder_made_to_read_files_elsewhere_reads_none(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('---\nuri: "x"\n---\nthe secret')
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "link.md").symlink_to(tmp_path / "secret")
    (vault / LINES).symlink_to(tmp_path / "secret")
    (vault / "plain.md").write_text("no head")
    listed = [
        ["../secret", "0"],
        ["link.md", "0"],
        [str(tmp_path / "secret"), "0"],
        ["plain.md", "0"],
        ["absent.md", "0"],
    ]
    (vault / MANIFEST).write_text(json.dumps({"v": 1, "files": {}, "notes": listed}))
    reading = VaultReading(vault, NOW)
    assert list(reading.lines()) == []
    assert len(reading.skipped) == len(listed)


def test_the_commands_write_a_folder_and_take_it_in(call: Run, tmp_path: Path) -> None:
    assert call("add", "The spare key lies under the pot. [/x] [[link]]").code == 0
    folder = tmp_path / "vault"
    assert call("export", "--format", "markdown", folder).code == 0
    assert call("export", "--format", "markdown", folder, "--json").json["versions"] == 1
    assert call("export", "--format", "markdown", "-").code == 2
    first = call("export", "-").stdout
    other = {"SECONDME_HOME": str(tmp_path / "other")}
    assert call("import", folder, env=other).code == 0
    assert call("import", folder, "--json", env=other).json["added"] == 0
    assert call("export", "-", env=other).stdout == first
    next((folder / "Notes").glob("* The spare key lies under the pot. x link.md")).unlink()
    ended = call("import", folder, env=other)
    assert ended.code == 3
    assert "no such file" in ended.stderr
