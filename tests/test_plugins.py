from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pluggy
import pytest
import typer

from secondme.config import ModelsConfig
from secondme.errors import UsageError
from secondme.hookspecs import hookimpl
from secondme.plugins import Plugins, load_plugins
from secondme.records import Note, Skipped


class Shouting:
    """Reads .loud files and adds one command."""

    @hookimpl
    def read_notes(self, path: Path, text: str) -> list[Note] | None:
        return [Note(text=text.upper())] if path.suffix == ".loud" else None

    @hookimpl
    def register_commands(self, app: typer.Typer) -> None:
        app.command("shout")(lambda: None)


class Failing:
    @hookimpl
    def read_notes(self, path: Path, text: str) -> Iterable[Note] | None:
        if path.suffix == ".usage":
            raise UsageError("this file is locked with a password")
        return self._read() if path.suffix == ".broken" else None

    def _read(self) -> Iterator[Note]:
        yield Note(text="one")
        raise KeyError("two")

    @hookimpl
    def register_commands(self, app: typer.Typer) -> None:
        raise RuntimeError("no commands today")


class Mistyped:
    @hookimpl
    def read_note(self, path: Path) -> None:
        return None


class WrongArgument:
    @hookimpl
    def read_notes(self, file: Path) -> None:
        return None


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the import path where a test installs plugin packages."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("plugin_")]:
        del sys.modules[name]


def install_plugin(folder: Path, name: str, code: str) -> None:
    (folder / f"plugin_{name}.py").write_text(code, encoding="utf-8")
    information = folder / f"secondme_{name}-1.2.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: secondme-{name}\nVersion: 1.2\n", encoding="utf-8"
    )
    (information / "entry_points.txt").write_text(f"[secondme]\n{name} = plugin_{name}\n", encoding="utf-8")


GOOD = """
from secondme import hookspecs, records
@hookspecs.hookimpl
def read_notes(path, text):
    return [records.Note(text="mine")] if path.suffix == ".md" else None
"""


def test_an_installed_plugin_is_asked_before_the_built_in_ones(install: Path) -> None:
    install_plugin(install, "good", GOOD)
    assert load_plugins().read_notes(Path("a.md"), "theirs") == [Note(text="mine", origin="import")]
    entry = next(info for info in load_plugins().listing() if info.name == "good")
    assert (entry.version, entry.hooks) == ("1.2", ("read_notes",))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("raise SystemExit('leave')", "SystemExit: leave"),
        ("def broken(:", "SyntaxError"),
        (GOOD.replace("read_notes", "read_nots"), "unknown hook 'read_nots'"),
        (GOOD.replace("path, text", "pth, text").replace("path.", "pth."), "pth"),
    ],
)
def test_a_broken_plugin_is_named_and_the_others_work(install: Path, code: str, reason: str) -> None:
    install_plugin(install, "bad", code)
    install_plugin(install, "good", GOOD)
    plugins = load_plugins()
    assert [failure.what for failure in plugins.failed if failure.what in {"bad", "good"}] == ["bad"]
    failure = next(failure for failure in plugins.failed if failure.what == "bad")
    assert reason in failure.why
    assert "\n" not in failure.why
    assert "bad" not in {info.name for info in plugins.listing()}
    assert plugins.read_notes(Path("a.md"), "") == [Note(text="mine", origin="import")]
    assert plugins.read_notes(Path("a.unknown"), "") is None


def test_a_plugin_with_the_name_of_a_built_in_one_is_broken(install: Path) -> None:
    install_plugin(install, "markdown", GOOD)
    assert "markdown" in {failure.what for failure in load_plugins().failed}


def test_installed_plugins_can_be_switched_off(install: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_plugin(install, "good", GOOD)
    assert "good" not in {info.name for info in load_plugins(installed=False).listing()}
    monkeypatch.setenv("SECONDME_PLUGINS", "off")
    assert "good" not in {info.name for info in load_plugins().listing()}
    assert "good" in {info.name for info in load_plugins(installed=True).listing()}


def test_disabled_plugins_are_not_imported(install: Path) -> None:
    install_plugin(install, "bad", "raise RuntimeError('imported')")
    plugins = load_plugins(disabled=["bad", "jsonl"])
    assert "bad" not in {failure.what for failure in plugins.failed}
    assert "jsonl" not in {info.name for info in plugins.listing()}
    assert plugins.read_notes(Path("a.jsonl"), "{}") is None


def test_a_test_can_register_an_object_that_comes_first() -> None:
    plugins = load_plugins(installed=False)
    plugins.register(Shouting(), "shouting")
    assert plugins.read_notes(Path("a.loud"), "hey") == [Note(text="HEY", origin="import")]
    assert plugins.listing()[-1].hooks == ("read_notes", "register_commands")


@pytest.mark.parametrize("plugin", [Mistyped(), WrongArgument()])
def test_an_unusable_plugin_is_refused_and_leaves_nothing_behind(plugin: object) -> None:
    plugins = Plugins()
    with pytest.raises(pluggy.PluginValidationError):
        plugins.register(plugin, "unusable")
    assert plugins.listing() == []
    assert plugins.read_notes(Path("a"), "") is None
    plugins.register(Shouting(), "unusable")


def test_a_reader_that_fails_costs_one_file() -> None:
    plugins = Plugins()
    plugins.register(Failing(), "failing")
    assert plugins.read_notes(Path("a.broken"), "") == [Skipped("a.broken", "plugin 'failing' failed: KeyError")]
    assert plugins.read_notes(Path("a.usage"), "") == [Skipped("a.usage", "this file is locked with a password")]
    assert plugins.read_notes(Path("a.other"), "") is None


def test_a_reader_that_returns_something_else_costs_one_file() -> None:
    class Dicts:
        @hookimpl
        def read_notes(self, path: Path, text: str) -> list[dict[str, str]]:
            return [{"text": text}]

    plugins = Plugins()
    plugins.register(Dicts(), "dicts")
    assert plugins.read_notes(Path("a.md"), "x") == [Skipped("a.md", "a plugin returned something that is no note")]


def test_a_plugin_that_cannot_add_its_commands_takes_none_away() -> None:
    plugins = Plugins()
    plugins.register(Shouting(), "shouting")
    plugins.register(Failing(), "failing")
    app = typer.Typer()
    plugins.register_commands(app)
    assert [command.name for command in app.registered_commands] == ["shout"]
    assert plugins.failed == (Skipped("failing", "RuntimeError: no commands today"),)


def test_without_a_plugin_for_it_there_is_no_model() -> None:
    assert Plugins().language_model(ModelsConfig()) is None
    assert Plugins().embedder(ModelsConfig()) is None


def test_loading_plugins_imports_nothing_heavy() -> None:
    heavy = "{'llama_cpp', 'numpy', 'rich', 'markdown_it', 'yaml', 'typer', 'sqlite_utils', 'huggingface_hub', 'httpx'}"
    code = (
        f"import sys, secondme.plugins as p; p.load_plugins(installed=False); print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Stumbling:
    @hookimpl
    def read_document(self, path: Path) -> Iterator[Note] | None:
        if path.suffix in (".pdf", ".stumble"):
            raise KeyError("odd")
        return None


def test_a_plugin_that_stumbles_over_a_file_leaves_it_to_the_others() -> None:
    plugins = load_plugins(installed=False)
    plugins.register(Stumbling(), "stumbling")
    assert plugins.reads_document(Path("a.pdf"))
    assert not plugins.reads_document(Path("a.md"))
    assert not plugins.reads_document(Path("a.stumble"))
    assert [item.why for item in plugins.read_document(Path("none.pdf")) if isinstance(item, Skipped)] != []
    assert list(plugins.read_document(Path("a.stumble"))) == [
        Skipped("a.stumble", "plugin 'stumbling' failed: KeyError")
    ]


def test_what_a_reader_says_of_a_file_it_fails_on_is_not_passed_on() -> None:
    """It may hold the text of the file."""

    class Telling:
        @hookimpl
        def read_notes(self, path: Path, text: str) -> list[Note]:
            raise ValueError(f"cannot make sense of {text!r}")

    plugins = Plugins()
    plugins.register(Telling(), "telling")
    [skipped] = plugins.read_notes(Path("a.md"), "the zanzibar diary") or []
    assert isinstance(skipped, Skipped)
    assert (skipped.what, "ValueError" in skipped.why, "zanzibar" in skipped.why) == ("a.md", True, False)
