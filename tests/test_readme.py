"""What the README says is so: set-up, commands, exit codes, hooks, and the Python it shows."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from conftest import ROOT, TESTS, Run
from typer.main import get_command

from secondme import errors, hookspecs
from secondme.cli.app import build_app
from secondme.config import Config, get_value
from secondme.errors import SecondmeError
from secondme.models.catalog import load_catalog
from secondme.plugins import load_plugins
from secondme.records import Note

README = (ROOT / "README.md").read_text(encoding="utf-8")
SET_UP = (
    "python3 -m venv .venv && .venv/bin/pip install '.[llama]' && .venv/bin/secondme demo",
    ".venv/bin/pip install '.[dev]' && .venv/bin/pytest -n logical",
)


def app_commands() -> dict[str, Any]:
    """The commands by their words, such as "model pull"."""
    found: dict[str, Any] = {}
    group: Any = get_command(build_app(load_plugins(installed=False)))
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        found |= {f"{name} {under}": part for under, part in inner.items()} if inner else {}
        if not inner or command.invoke_without_command:
            found[name] = command
    return found


COMMANDS = app_commands()
OPTIONS = {option for command in COMMANDS.values() for part in command.params for option in part.opts}
CODES = {
    error.exit_code for error in vars(errors).values() if isinstance(error, type) and issubclass(error, SecondmeError)
}
HOOKS = [hook for name, hook in vars(hookspecs).items() if hasattr(hook, "secondme_spec")]


def section(title: str) -> str:
    return README.partition(f"## {title}\n")[2].partition("\n## ")[0]


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_two_set_up_commands_come_first() -> None:
    assert code_blocks("console")[0].splitlines() == list(SET_UP)
    assert README.index(SET_UP[0]) < README.index("\n## ")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_named(name: str) -> None:
    group, _, command = name.partition(" ")
    row = next(
        (line for line in section("Your own memory").splitlines() if re.search(rf"`(secondme )?{group}\b", line)), ""
    )
    assert re.search(rf"`[^`]*\b{command or group}\b[^`]*`", row), f"the table of commands does not name {name}"


def test_every_option_that_is_named_exists() -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README))
    assert {"--json", "--at", "--since", "--until", "--explain", "--brief", "--no-llm", "--dry-run", "--from"} <= named
    assert named - OPTIONS == set()


def test_the_exit_codes_are_those_of_the_errors() -> None:
    listed = re.search(r"Exit codes: (.*?)\.\n\n", README, re.DOTALL)
    assert listed
    codes = {int(part.split()[0]) for part in listed[1].split("·")}
    # Done, partly done and interrupted are no errors.
    assert codes == CODES | {0, 3, 130}


def test_there_are_five_hooks() -> None:
    names = ["read_notes", "read_document", "language_model", "embedder", "register_commands"]
    assert [hook.__name__ for hook in HOOKS] == names


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__)
def test_every_hook_stands_there_with_its_signature(hook: Any) -> None:
    source = inspect.getsource(hook)
    [signature] = re.findall(r"^def .*(?=:$)", source, re.MULTILINE)
    assert signature in section("Plugins").splitlines()


def test_the_python_it_shows_is_python() -> None:
    shown = code_blocks("python")
    parsed = [block for block in shown if not block.rstrip().endswith("None")]
    assert len(parsed) == 2
    for block in parsed:
        ast.parse(block)


def test_the_example_of_a_plugin_reads_its_file(tmp_path: Path) -> None:
    [block] = [block for block in code_blocks("python") if "@hookimpl" in block]
    module = ModuleType("shown")
    exec(block, module.__dict__)
    plugins = load_plugins(installed=False)
    plugins.register(module, "shown")
    found = plugins.read_notes(tmp_path / "a.log", "one line")
    assert found is not None
    assert found == [Note(text="one line", uri=str(tmp_path / "a.log"), origin="file")]


def test_the_example_of_the_api_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [block] = [block for block in code_blocks("python") if "Assistant.open" in block]
    script = tmp_path / "script.jsonl"
    script.write_text('"You moved to Porto [1]."\n', encoding="utf-8")
    monkeypatch.syspath_prepend(str(TESTS / "fake-plugin"))
    for name, value in (("SCRIPT", str(script)), ("MODELS_LANGUAGE", "scripted"), ("MODELS_EMBEDDER", "hashing")):
        monkeypatch.setenv(f"SECONDME_{name}", value)
    exec(block, {})
    assert capsys.readouterr().out == "You moved to Porto [1]. ['diary:2024-06-01']\n"


def test_settings_and_models_that_are_named_exist() -> None:
    for key in re.findall(r"config set ([a-z_.]+)", README) + re.findall(
        r"`((?:me|models|answer|sleep|ingest|plugins)\.\w+)`", README
    ):
        get_value(Config(), key)
    aliases = re.findall(r"\| `([a-z0-9.-]+)`", section("Which model on which machine"))
    assert aliases
    assert set(aliases) <= {entry.alias for entry in load_catalog()}


def test_nothing_is_left_to_fill_in() -> None:
    assert re.findall(r"@@\w+@@", README) == []


def test_what_sleep_is_shown_to_do_is_what_it_does(call: Run) -> None:
    """All that is printed below a command stands there as shown, but for figures of time and the name of the model."""
    shown = "".join(block for block in code_blocks("console") if "secondme sleep" in block or "secondme undo" in block)
    commands = re.findall(r"^\$ secondme (.*)\n((?:(?!\$ ).*\n)*)", shown, re.MULTILINE)
    assert [shlex.split(words)[0] for words, _ in commands].count("add") == 3
    for words, output in commands:
        done = call(*shlex.split(words), replies=[], env={"SECONDME_NOW": "2024-07-02T08:00"})
        assert done.code == 0
        wanted = [line for line in output.splitlines() if line != "..."]
        for line in wanted:
            line = re.sub(r"read in \d+ s", "read in 0 s", line).replace("qwen2.5-coder-1.5b", "scripted")
            assert line in done.stdout.splitlines()
