"""Whatever is stored, given or wrong, no command lets a byte of it steer the terminal."""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest
from conftest import Run
from hostile import CODES, hostile_memory, steering
from typer.main import get_command

from secondme.cli.app import build_app
from secondme.plugins import load_plugins

OURS = re.compile(r"\x1b\[(?:[0-9;]*m|K)|\r(?=\x1b\[K)")
"""What we write ourselves: styles, and a line that is written again."""
NAMED = "nothing/" + CODES.replace("/", "")
"""A path of a file that is not there."""

RUNS: dict[str, list[list[str]]] = {
    "add": [[CODES], [CODES, "--json"], ["--author", CODES, "tea"], [NAMED], ["--at", CODES, "tea"]],
    "search": [["live"], ["live", "--json"], ["live", "--explain"], [CODES], ["--since", CODES, "x"], ["-k", CODES]],
    "ask": [["Where do I live?", "--no-llm"], ["Where do I live?", "--no-llm", "--json"], [CODES, "--no-llm"]],
    "chat": [["--plain"], ["99999", "--plain"], [CODES, "--plain"]],
    "facts": [[], ["--json"], ["--about", "live"], ["--all"], ["--about", CODES], ["--as-of", CODES]],
    "history": [["m1"], ["m1", "--json"], [CODES]],
    "review": [["r1"], ["r1", "--json"], [CODES], ["--accept", CODES]],
    "log": [[], ["--json"], ["--run", "r1"], ["--run", CODES]],
    "quarantine": [[], ["--json"], [CODES], ["--source", CODES], ["--release", "n7", "--yes"], ["--release", CODES]],
    "show": [["n1"], ["n1", "--json"], ["n1.1"], ["m1"], ["m1", "--json"], ["n5"], [CODES]],
    "open": [["n1"], ["n5"], [CODES]],
    "list": [[], ["--json"], ["--source", "diary"], ["--author", CODES], ["--since", CODES]],
    "edit": [["n3", CODES], [CODES, "tea"], ["m1", CODES]],
    "pin": [["n1"], ["m1"], [CODES]],
    "export": [["-"], [NAMED], ["--format", "markdown", NAMED], ["--json", "all.jsonl"]],
    "import": [["-"], [NAMED], [CODES, "x"], ["jsonl", NAMED]],
    "pause": [[CODES], []],
    "resume": [[]],
    "inhibit": [[CODES], ["true"]],
    "doctor": [[], ["--json"]],
    "stats": [[], ["--json"]],
    "reindex": [[]],
    "backup": [[NAMED], ["copy.db"], ["--list"], ["--list", "--json"]],
    "verify": [[], ["--json"], ["--quick"]],
    "restore": [[NAMED], [NAMED, "--yes"]],
    "encrypt": [["--key-file", NAMED], [CODES]],
    "decrypt": [[CODES], []],
    "rekey": [["--key-file", NAMED], [CODES]],
    "mcp": [[CODES]],
    "secrets": [[], ["--mask"]],
    "plugins": [[], ["--json"]],
    "demo": [["--plain"]],
    "sleep": [["--dry-run"], ["--json"], []],
    "sleep status": [[], ["--json"]],
    "sleep report": [[], ["--json"], [CODES]],
    "watch add": [[NAMED], ["--as", CODES, "."], ["."]],
    "watch list": [[], ["--json"]],
    "watch check": [[], ["--json"], [NAMED], ["."]],
    "watch scan": [[], [NAMED]],
    "watch accept": [[NAMED], ["."]],
    "watch rm": [[NAMED], ["."]],
    "daemon run": [[CODES]],
    "daemon start": [[CODES]],
    "daemon stop": [[], [CODES]],
    "daemon status": [[], ["--json"], [CODES]],
    "daemon logs": [[], ["-n", CODES]],
    "daemon install": [[CODES]],
    "daemon uninstall": [[CODES]],
    "model list": [[], ["--json"]],
    "model pull": [[CODES], ["--from", NAMED, "x"]],
    "model use": [[CODES], ["--embedder", CODES]],
    "model verify": [[CODES]],
    "tune": [[], ["--json"], ["--fresh", CODES]],
    "config path": [[]],
    "config get": [["me.name"], [], [CODES]],
    "config set": [["me.name", CODES], ["models.language", CODES], [CODES, "x"], ["answer.evidence", CODES]],
    "undo": [["c1", "--yes"], ["r1", "--yes"], [CODES]],
    "forget": [["n1", "--dry-run"], ["n1", "--yes"], [CODES]],
}
"""How each command is met with hostile data, arguments and paths, the ones that remove something last."""


def commands() -> list[str]:
    """The names of all commands, those of groups with the name of the group before them."""
    found: list[str] = []

    def walk(command: object, name: tuple[str, ...]) -> None:
        below = getattr(command, "commands", {})
        if not below or getattr(command, "invoke_without_command", False):
            found.append(" ".join(name))
        for one, what in below.items():
            walk(what, (*name, one))

    walk(get_command(build_app(load_plugins(installed=False))), ())
    return [name for name in found if name]


@pytest.fixture
def hostile(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a hostile memory, with the fake models; we are in a folder with a hostile name."""
    below = tmp_path / CODES.replace("/", "")
    below.mkdir()
    (below / f"{CODES.replace('/', '')}.md").write_text(f"{CODES}\nI live in Rome.", encoding="utf-8")
    (below / "bad.md").write_bytes(b"\x00\x01\xff\xfe" * 99)
    monkeypatch.chdir(below)
    monkeypatch.setenv("VISUAL", CODES.replace("/", ""))
    hostile_memory(own_home, tmp_path)
    return own_home


def test_every_command_is_tried_with_hostile_data() -> None:
    missing = sorted(set(commands()) - set(RUNS))
    assert not missing, f"say in RUNS of tests/test_outputs.py how to run these with hostile data: {missing}"
    assert sorted(set(RUNS) - set(commands())) == []


def test_no_command_lets_what_is_stored_or_given_steer_the_terminal(call: Run, hostile: Path) -> None:
    leaks: dict[str, list[str]] = {}
    said = 0
    for name, runs in RUNS.items():
        for arguments in runs:
            stdin = f'{{"v": 1, "type": "{CODES}"}}\n/threads\n/open 1\nI live in {CODES}.\nWhere do I live?\n'
            try:
                done = call(*name.split(), *arguments, stdin=stdin, replies=[f"In {CODES} [1]."] * 3)
            except Exception as error:  # noqa: BLE001  all that go wrong are told at once
                leaks[ascii(" ".join((name, *arguments))[:60])] = traceback.format_exception(error)[-3:]
                continue
            said += "[bold]y[/]" in done.stdout
            if found := steering(done.stdout) + steering(done.stderr):
                leaks[ascii(" ".join((name, *arguments))[:60])] = found[:3]
    assert leaks == {}, json.dumps(leaks, indent=1)
    # It was there to be met.
    assert said > 20


ON_A_TERMINAL = (
    "list",
    "search live",
    "show n1",
    "show m1",
    "facts --all",
    "quarantine",
    "log --run r1",
)


@pytest.mark.parametrize("line", ON_A_TERMINAL)
def test_with_colours_nothing_but_our_own_steers_the_terminal(hostile: Path, line: str) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm-256color"}
    environ |= {"SECONDME_MODELS_LANGUAGE": "", "SECONDME_MODELS_EMBEDDER": ""}
    process = pexpect.spawn(sys.executable, ["-m", "secondme", *line.split()], env=environ, timeout=30)
    process.expect(pexpect.EOF)
    shown = process.before.decode(errors="surrogateescape").replace("\r\n", "\n")
    process.close()
    assert "[bold]y[/]" in shown
    assert "\x1b[31m" not in shown
    assert steering(OURS.sub("", shown)) == []
