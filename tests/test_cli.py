"""The command line as a whole: help, exit codes, errors in one line, pipes, plugins."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from conftest import ROOT, Run
from plugin_files import write_plugin
from typer.main import get_command

from secondme import __version__
from secondme.cli import table

COMMANDS = [name for helps in table.COMMANDS.values() for name in helps]


@pytest.mark.parametrize("module", table.COMMANDS)
def test_a_module_has_just_the_commands_and_help_it_is_known_for(module: str) -> None:
    found = typer.Typer()
    # One command alone would be taken for all of the program.
    found.callback()(lambda: None)
    import_module(f"secondme.cli.{module}").register(found)
    group: Any = get_command(found)
    assert list(group.commands) == list(table.COMMANDS[module])
    for name, command in group.commands.items():
        sentence = " ".join(command.help.split()).partition(". ")[0]
        assert sentence.removesuffix(".") == table.COMMANDS[module][name].removesuffix(".")


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a command leaves loaded, in a process of its own."""
    code = (
        "import sys\nfrom secondme.cli import main\n"
        "try:\n    main()\nfinally:\n    print('loaded:', *sys.modules, file=sys.stderr)"
    )
    path = os.pathsep.join(str(ROOT / one) for one in ("", "plugins", "tui"))
    environ = {**os.environ, "PYTHONPATH": path, "SECONDME_MODELS_EMBEDDER": "", "SECONDME_MODELS_LANGUAGE": ""}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
    [line] = [line for line in done.stderr.splitlines() if line.startswith("loaded:")]
    return set(line.split()[1:])


@pytest.mark.parametrize("arguments", [("add", "tea"), ("list",), ("edit", "n1", "tea"), ("chat", "--plain")])
def test_a_command_loads_no_other_command_and_no_screen(own_home: Path, arguments: tuple[str, ...]) -> None:
    loaded = loaded_by(*arguments)
    [own] = [module for module, names in table.COMMANDS.items() if arguments[0] in names]
    others = {f"secondme.cli.{module}" for module in table.COMMANDS if module != own}
    assert f"secondme.cli.{own}" in loaded
    assert loaded & others == set()
    assert {name for name in loaded if name.partition(".")[0] in ("textual", "secondme_tui", "llama_cpp")} == set()


def test_completion_knows_every_command(call: Run) -> None:
    completion = {"_SECONDME_COMPLETE": "complete_bash", "COMP_WORDS": "secondme add ", "COMP_CWORD": "1"}
    shown = call("add", env={**completion, "COMP_WORDS": "secondme "})
    assert set(COMMANDS) <= set(shown.stdout.split())


def test_help_names_every_command(call: Run) -> None:
    shown = call("--help")
    assert shown.code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in shown.stdout] == []
    assert shown.stderr == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(call: Run, command: str) -> None:
    shown = call(command, "--help")
    assert shown.code == 0
    assert f"Usage: secondme {command}" in shown.stdout


def test_the_version_is_shown(call: Run) -> None:
    assert call("--version").stdout == f"secondme {__version__}\n"


def test_without_a_command_help_goes_to_stderr_and_the_exit_code_is_2(run: Run) -> None:
    shown = run()
    assert (shown.code, shown.stdout) == (2, "")
    assert "Usage: secondme" in shown.stderr


@pytest.mark.parametrize("group", ["config", "model"])
def test_a_group_without_a_command_shows_its_help_and_exits_with_2(call: Run, group: str) -> None:
    shown = call(group)
    assert (shown.code, shown.stdout) == (2, "")
    assert shown.stderr.startswith(f"Usage: secondme {group} ")


def test_a_mistyped_command_is_answered_with_the_right_one(call: Run) -> None:
    shown = call("serch", "x")
    assert shown.code == 2
    assert "Did you mean 'search'?\nhint: secondme --help\n" in shown.stderr


@pytest.mark.parametrize(
    "arguments", [("search",), ("search", "x", "-k", "0"), ("search", "x", "-k", "many"), ("list", "--kind", "x")]
)
def test_wrong_arguments_exit_with_2_in_two_lines(call: Run, arguments: tuple[str, ...]) -> None:
    shown = call(*arguments)
    assert (shown.code, shown.stdout) == (2, "")
    assert shown.stderr.startswith("secondme: ")
    assert shown.stderr.endswith(f"hint: secondme {arguments[0]} --help\n")
    assert shown.stderr.count("\n") == 2


@pytest.mark.parametrize(
    "arguments", [("search", "x"), ("ask", "x"), ("list",), ("show", "n1"), ("forget", "n1", "-y")]
)
def test_reading_a_memory_that_does_not_exist_exits_with_10_and_makes_none(
    call: Run, own_home: Path, arguments: tuple[str, ...]
) -> None:
    shown = call(*arguments)
    assert shown.code == 10
    assert "no memory here yet" in shown.stderr
    assert not own_home.exists()


def test_a_closed_pipe_is_no_error(run: Run, own_home: Path, tmp_path: Path) -> None:
    lines = "".join(f'{{"text": "line {number} {"word " * 50}"}}\n' for number in range(500))
    run("add", "--jsonl", "-", stdin=lines)
    environ = {**os.environ, "SECONDME_MODELS_EMBEDDER": ""}
    command = [sys.executable, "-m", "secondme", "list", "-n", "0", "--json"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, env=environ, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr.decode()) == (0, "")


def test_output_that_is_closed_just_before_its_end_is_no_error(own_home: Path) -> None:
    """What little a command prints is written by the last flush only."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "secondme", "--version"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr.decode()) == (0, "")


def test_an_error_while_the_output_is_closed_is_no_traceback(own_home: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "secondme", "show", "n1"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writer)
    assert done.returncode == 10
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_output_to_a_full_disk_is_one_line_and_20(own_home: Path) -> None:
    command = [sys.executable, "-m", "secondme", "--version"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == 20
    assert done.stderr.startswith(b"secondme: no space left on the device")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(("closed", "code"), [("<&-", 2), (">&-", 0), ("2>&-", 0), ("<&- >&- 2>&-", 2)])
def test_closed_streams_are_no_traceback(own_home: Path, closed: str, code: int) -> None:
    words = "-" if "<&-" in closed else "tea"
    command = ["sh", "-c", f'"$0" -m secondme add {words} {closed}', sys.executable]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(("home", "arguments"), [("relative", ["list"]), ("", ["add", "."])])
def test_a_folder_that_is_gone_is_one_line(tmp_path: Path, own_home: Path, home: str, arguments: list[str]) -> None:
    environ = {**os.environ, "SECONDME_HOME": home or str(own_home)}
    script = 'cd "$1" && rmdir "$1" && shift && exec "$0" -P -m secondme "$@"'
    (tmp_path / "gone").mkdir()
    command = ["sh", "-c", script, sys.executable, str(tmp_path / "gone"), *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"secondme: the folder you are in is gone")


def test_a_file_that_is_no_database_is_refused_and_left_alone(call: Run, own_home: Path) -> None:
    own_home.mkdir(mode=0o700)
    (own_home / "memory.db").write_bytes(b"my own precious file " * 400)
    (own_home / "memory.db").chmod(0o600)
    refused = call("add", "tea")
    assert (refused.code, refused.stdout) == (12, "")
    assert refused.stderr.startswith(f"secondme: {own_home}/memory.db: ")
    assert (own_home / "memory.db").read_bytes() == b"my own precious file " * 400


def test_a_clock_that_is_no_date_is_named(call: Run) -> None:
    refused = call("add", "tea", env={"SECONDME_NOW": "soon"})
    assert (refused.code, "SECONDME_NOW is not a date" in refused.stderr) == (2, True)


def test_an_interruption_is_one_line_and_130(own_home: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "messages.jsonl"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "secondme", "add", "--jsonl", str(pipe)]
    # What was started in the background of a shell ignores interrupts, and so would what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: SIM117
        # Opening the pipe returns once the process has opened it too: it is at work then.
        with pipe.open("w"):
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "secondme: interrupted\n")


def test_broken_settings_leave_help_and_config_path_working(call: Run, own_home: Path) -> None:
    own_home.mkdir()
    (own_home / "config.toml").write_text("[models]\nlanguag = 1\n", encoding="utf-8")
    assert call("--help").code == 0
    shown = call("config", "path")
    assert (shown.code, shown.stderr) == (0, "")
    assert str(own_home / "config.toml") in shown.stdout
    refused = call("add", "something")
    assert refused.code == 2
    assert str(own_home / "config.toml") in refused.stderr
    assert "models.languag" in refused.stderr


def test_a_broken_plugin_is_one_line_and_the_command_goes_on(
    call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(
        str(write_plugin(tmp_path / "site", "broken_one", "raise RuntimeError('half\\nwritten')"))
    )
    shown = call("add", "a text")
    assert (shown.code, shown.stdout) == (0, "n1\n")
    assert [line for line in shown.stderr.splitlines() if "broken_one" in line] == [
        "secondme: plugin 'broken_one' could not be loaded: RuntimeError: half written"
    ]


def test_commands_of_plugins_are_found_and_run(call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
from secondme.hookspecs import hookimpl

@hookimpl
def register_commands(app):
    @app.command()
    def wave(name: str) -> None:
        "Wave at somebody."
        print(f"waves at {name}")
"""
    monkeypatch.syspath_prepend(str(write_plugin(tmp_path / "site", "waving", code)))
    assert "Wave at somebody." in call("--help").stdout
    assert call("wave", "Ana").stdout == "waves at Ana\n"
    listed = call("plugins", "--json").json
    assert {"name": "waving", "version": "1.0", "hooks": ["register_commands"]} in listed["plugins"]
    assert listed["v"] == 1


def test_plugins_that_failed_are_listed_with_the_reason(
    call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(write_plugin(tmp_path / "site", "broken_two", "raise RuntimeError('half')")))
    assert {"name": "broken_two", "why": "RuntimeError: half"} in call("plugins", "--json").json["failed"]
    assert "markdown" in call("plugins").stdout


def test_nothing_is_coloured_for_a_pipe(run: Run) -> None:
    run("add", "green tea")
    for shown in (run("search", "tea", "--explain"), run("list"), run("show", "n1"), run("search", "tea", "--plain")):
        assert "\x1b" not in shown.stdout + shown.stderr


def test_help_starts_fast() -> None:
    """The figure to hold is 0.15 s above a bare interpreter: less than five times what typer alone takes anywhere."""

    def seconds(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    commands = (("-c", "pass"), ("-c", "import typer"), ("-m", "secondme", "--help"))
    rounds = [[seconds(*command) for command in commands] for _ in range(6)]
    bare, typer, shown = (min(column) for column in zip(*rounds, strict=True))
    assert shown - bare < 4.6 * (typer - bare)
