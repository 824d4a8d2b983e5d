from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import Run


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    root = tmp_path / "vault"
    (root / "drafts").mkdir(parents=True)
    (root / "a.md").write_text("The spare key lies under the pot.\n", encoding="utf-8")
    (root / "drafts" / "b.md").write_text("unfinished\n", encoding="utf-8")
    (root / "photo.jpg").write_bytes(b"\xff\xd8")
    return root


def test_a_folder_is_added_read_and_found(call: Run, vault: Path) -> None:
    added = call("watch", "add", vault)
    assert (added.code, added.stdout) == (0, f"{vault}\n")
    assert "2 files to keep in step; notes of deleted files: keep" in added.stderr
    assert "no daemon runs" in added.stderr
    scanned = call("watch", "scan")
    assert (scanned.code, scanned.stdout) == (0, "2 read, 0 unchanged, 0 missing\n")
    assert "spare key" in call("search", "spare key").stdout
    assert call("watch", "scan", vault).stdout == "0 read, 2 unchanged, 0 missing\n"


def test_the_folders_are_listed(call: Run, vault: Path) -> None:
    assert call("watch", "list").code == 10
    call("add", "x")
    assert "no folder is watched" in call("watch", "list").stderr
    call("watch", "add", vault, "--as", "clips", "--deleted", "forget")
    call("watch", "scan")
    assert call("watch", "list").stdout.startswith(f"{vault} · clips · deleted: forget · active\n  2 present")
    [folder] = call("watch", "list", "--json").json["folders"]
    assert (folder["path"], folder["kind"], folder["files"]) == (str(vault), "clips", {"present": 2, "waiting": 0})


def test_adding_again_changes_only_what_is_said(call: Run, vault: Path) -> None:
    call("watch", "add", vault, "--as", "clips", "--deleted", "forget")
    call("watch", "add", vault, "--as", "notes")
    [folder] = call("watch", "list", "--json").json["folders"]
    assert (folder["kind"], folder["deleted"]) == ("notes", "forget")


def test_removing_a_folder_keeps_its_notes(call: Run, vault: Path) -> None:
    call("watch", "add", vault)
    call("watch", "scan")
    assert "2 files stays" in call("watch", "rm", vault).stderr
    assert call("watch", "rm", vault).code == 1
    assert call("search", "spare key").code == 0


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("vault/a.md", "is no folder"),
        ("none", "no such folder"),
        ("vault/drafts", "overlaps"),
        ("home", "holds the memory itself"),
        ("/", "is more than notes"),
    ],
)
def test_a_place_that_cannot_be_watched_is_refused(
    call: Run, vault: Path, tmp_path: Path, place: str, said: str
) -> None:
    call("watch", "add", vault)
    refused = call("watch", "add", tmp_path / place)
    assert refused.code == 2
    assert said in refused.stderr


def test_a_link_to_a_folder_is_the_folder(call: Run, vault: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(vault)
    assert call("watch", "add", tmp_path / "link").stdout == f"{vault}\n"


def test_check_says_which_rule_leaves_a_file_out(call: Run, vault: Path) -> None:
    (vault / ".gitignore").write_text("# mine\ndrafts/\n", encoding="utf-8")
    call("watch", "add", vault)
    call("watch", "scan")
    checked = call("watch", "check", vault / "drafts" / "b.md")
    assert checked.code == 1
    assert checked.stdout == (f"not taken: {vault}/drafts is left out by 'drafts/' ({vault}/.gitignore:2)\n")


def test_check_says_what_is_known_of_a_file(call: Run, vault: Path, tmp_path: Path) -> None:
    (vault / "empty.md").write_text("", encoding="utf-8")
    call("watch", "add", vault)
    assert call("watch", "scan").code == 3
    taken = call("watch", "check", vault / "a.md")
    assert (taken.code, taken.stdout) == (0, f"taken: in {vault}, as notes\npresent · n1\n")
    for name, why in (("photo.jpg", "no plugin reads"), ("empty.md", "empty"), ("../x.md", "in no watched folder")):
        checked = call("watch", "check", vault / name, "--json")
        assert (checked.code, checked.json["taken"]) == (1, False)
        assert why in checked.json["why"]


def test_a_folder_that_lost_much_asks_and_is_accepted(call: Run, vault: Path) -> None:
    for number in range(40):
        (vault / f"{number}.md").write_text(f"{number}\n", encoding="utf-8")
    call("watch", "add", vault)
    call("watch", "scan")
    assert call("watch", "accept", vault).code == 2
    for number in range(40):
        (vault / f"{number}.md").unlink()
    paused = call("watch", "scan")
    assert paused.code == 3
    assert "40 of 42 files are gone at once; if that is right: secondme watch accept" in paused.stderr
    assert "paused" in call("watch", "list").stdout
    assert call("watch", "accept", vault).code == 0
    [folder] = call("watch", "list", "--json").json["folders"]
    assert (folder["state"], folder["files"]["missing"]) == ("active", 40)


def test_a_scan_says_what_it_passed_over(call: Run, vault: Path) -> None:
    os.mkfifo(vault / "pipe.md")
    call("watch", "add", vault)
    scanned = call("watch", "scan")
    assert scanned.code == 3
    assert f"skipped {vault / 'pipe.md'}: not a regular file" in scanned.stderr


def test_a_name_with_escape_codes_is_shown_harmless(call: Run, tmp_path: Path) -> None:
    root = tmp_path / "a\x1b[31mb"
    root.mkdir()
    assert "\x1b" not in call("watch", "add", root).stdout
    assert "\x1b" not in call("watch", "list").stdout


def test_a_name_that_is_not_utf8_is_refused_with_a_reason(call: Run, vault: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(vault) + b"/d\xe9"))
    folder.mkdir()
    call("watch", "add", vault)
    for command in ("add", "check"):
        refused = call("watch", command, folder)
        assert refused.code == 2
        assert "its name is not utf-8" in refused.stderr


def test_a_scan_of_one_folder_says_what_is_wrong_in_that_one(call: Run, vault: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "empty.md").write_text("", encoding="utf-8")
    call("watch", "add", vault)
    call("watch", "add", other)
    assert call("watch", "scan").code == 3
    assert (call("watch", "scan", vault).code, call("watch", "scan", vault).stderr) == (0, "")
    scanned = call("watch", "scan", other)
    assert scanned.code == 3
    assert f"skipped: {other}/empty.md: empty" in scanned.stderr


def test_a_file_that_was_read_in_part_is_said_to_be_so(call: Run, vault: Path) -> None:
    path = vault / "c.jsonl"
    path.write_text('{"text": "one"}\nno message\n', encoding="utf-8")
    call("watch", "add", vault)
    scanned = call("watch", "scan")
    why = "1 of its items could not be read: not json: expecting value at column 1"
    assert scanned.code == 3
    assert f"present, but: {path}: {why}" in scanned.stderr
    assert f"  present, but: {path}: {why}\n" in call("watch", "list").stdout
    [folder] = call("watch", "list", "--json").json["folders"]
    assert folder["problems"] == [{"path": str(path), "state": "present", "why": why}]
    checked = call("watch", "check", path)
    assert checked.code == 0
    assert f"present, but: {why} · n" in checked.stdout
    path.write_text('{"text": "one"}\n', encoding="utf-8")
    assert call("watch", "scan").code == 0
