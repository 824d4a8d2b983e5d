from __future__ import annotations

import importlib
import tomllib
from datetime import datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from secondme.plugins import Plugins
from secondme.records import Note, Skipped

FOLDER = Path(__file__).parents[2] / "plugins/example-plugin"


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    """The example as its own pyproject.toml announces it."""
    monkeypatch.syspath_prepend(str(FOLDER))
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))
    ((name, module),) = project["project"]["entry-points"]["secondme"].items()
    plugins = Plugins()
    plugins.register(importlib.import_module(module), name)
    return plugins


def test_the_example_reads_a_table(plugins: Plugins) -> None:
    path = Path("/notes/journal.tsv")
    text = "2024-06-01\tWalked to the lighthouse.\n\nsoon\tnothing\n2024-06-02\t\n"
    day = datetime(2024, 6, 1).astimezone()
    uri = str(path)
    assert plugins.read_notes(path, text) == [
        Note("Walked to the lighthouse.", uri=f"{uri}#L1", thread=uri, happened_at=day, origin="file"),
        Skipped(f"{uri}#L3", "does not begin with a date such as 2024-06-01"),
        Skipped(f"{uri}#L4", "no text after the date"),
    ]
    assert plugins.read_notes(Path("a.md"), text) is None


def test_the_command_of_the_example_prints_a_line_that_it_reads(plugins: Plugins) -> None:
    app = typer.Typer()
    app.callback()(lambda: None)  # with one command alone, typer takes no command name
    plugins.register_commands(app)
    line = CliRunner().invoke(app, ["tsv-template"]).stdout
    (note,) = plugins.read_notes(Path("journal.tsv"), line) or []
    assert isinstance(note, Note)
    assert "lighthouse" in note.text
