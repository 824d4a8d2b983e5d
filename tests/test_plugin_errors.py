"""What a plugin fails with may hold the words it was given: only its name and the kind of error are told."""

from __future__ import annotations

import os
from pathlib import Path

from conftest import ROOT, TESTS, Run
from test_plugins import install_plugin

from secondme.paths import find_paths

WORD = "zaunkoenig"
HOSTILE = "evil\x1b]0;x\x07\x1b[2J\u202e"

READER = """
from secondme.hookspecs import hookimpl
@hookimpl
def read_notes(path, text):
    if path.suffix == ".told":
        raise ValueError(f"cannot read {text}")
@hookimpl
def read_document(path):
    if path.suffix == ".opened":
        raise ValueError(f"cannot read {path.read_text()}")
"""
MODEL = """
from secondme.hookspecs import hookimpl
from fakes import ScriptedModel
class Telling(ScriptedModel):
    name = "telling"
    def reply(self, prompt, **given):
        raise RuntimeError(f"cannot answer {prompt}")
        yield ""
    def weigh(self, prompts, options, **given):
        raise RuntimeError(f"cannot weigh {prompts}")
@hookimpl
def language_model(config):
    return Telling() if config.language == "telling" else None
"""


def installed(folder: Path, name: str, code: str) -> dict[str, str]:
    """Install a plugin, and return the variables with which a process finds it and the fake models."""
    folder.mkdir()
    install_plugin(folder, name, code)
    roots = (ROOT, ROOT / "plugins", ROOT / "tui", TESTS, TESTS / "fake-plugin", folder)
    return {"PYTHONPATH": os.pathsep.join(map(str, roots))}


def kept(home: Path) -> list[Path]:
    """The files of the memory and of its state that hold the word."""
    folders = (home, find_paths().state)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if WORD in path.read_bytes().decode(errors="replace")]


def test_a_reader_that_fails_with_the_text_of_a_file_tells_none_of_it(run: Run, own_home: Path, tmp_path: Path) -> None:
    environ = installed(tmp_path / "site", "teller", READER)
    notes = tmp_path / "notes"
    notes.mkdir()
    for kind in ("told", "opened"):
        (notes / f"a.{kind}").write_text(f"The {WORD} sings.", encoding="utf-8")
    added = [run("add", notes / f"a.{kind}", env=environ) for kind in ("told", "opened")]
    assert "'teller' failed: ValueError" in added[0].stderr
    assert "skipped" in added[1].stderr
    watched = [run("watch", *words, env=environ) for words in (("add", notes), ("list",), ("check", notes / "a.told"))]
    said = "".join(ran.stdout + ran.stderr for ran in [*added, *watched])
    assert WORD not in said
    assert kept(own_home) == []


def test_a_model_that_fails_with_its_prompt_tells_none_of_it(run: Run, own_home: Path, tmp_path: Path) -> None:
    environ = {**installed(tmp_path / "site", "telling", MODEL), "SECONDME_MODELS_LANGUAGE": "telling"}
    assert run("add", f"My sister keeps a {WORD} in the old barn, and I like the sound of it.", env=environ).code == 0
    asked = run("ask", "What does my sister keep in the old barn?", env=environ)
    slept = run("sleep", env=environ)
    assert run("daemon", "start", env=environ).code == 0
    try:
        again = run("ask", "What does my sister keep in the old barn?", env=environ)
        logs = run("daemon", "logs", env=environ)
    finally:
        run("daemon", "stop", env=environ)
    assert "RuntimeError" in asked.stderr
    assert "RuntimeError" in slept.stderr
    assert "RuntimeError" in again.stderr + logs.stdout
    assert WORD not in "".join(ran.stderr for ran in (asked, slept, again, logs)) + logs.stdout
    assert [path for path in kept(own_home) if path.suffix != ".db" and "memory.db" not in path.name] == []


def test_the_name_of_a_plugin_steers_no_terminal(run: Run, own_home: Path, tmp_path: Path) -> None:
    environ = installed(tmp_path / "site", "evil", READER)
    points = tmp_path / "site" / "secondme_evil-1.2.dist-info" / "entry_points.txt"
    points.write_text(f"[secondme]\n{HOSTILE} = plugin_evil\n", encoding="utf-8")
    listed = run("plugins", env=environ)
    assert "evil " in listed.stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(listed.stdout + listed.stderr)
