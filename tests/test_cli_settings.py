"""`secondme config`."""

from __future__ import annotations

from pathlib import Path

from conftest import Run


def test_path_names_every_place(call: Run, own_home: Path) -> None:
    shown = call("config", "path").stdout
    for line in (f"config    {own_home}/config.toml", f"data      {own_home}", f"database  {own_home}/memory.db"):
        assert line in shown.splitlines()
    assert {line.split()[0] for line in shown.splitlines()} == {"config", "data", "database", "state", "models"}


def test_a_setting_that_is_set_can_be_got(call: Run, own_home: Path) -> None:
    assert call("config", "set", "me.name", "Ana [/b]").code == 0
    assert call("config", "get", "me.name").stdout == "Ana [/b]\n"
    assert "me.name = Ana [/b]\n" in call("config", "get").stdout
    assert (own_home / "config.toml").exists()


def test_lists_are_set_and_got_with_commas(call: Run) -> None:
    call("config", "set", "ingest.ignore", "*.log,drafts/")
    assert call("config", "get", "ingest.ignore").stdout == "*.log,drafts/\n"


def test_an_unknown_key_is_named(call: Run, own_home: Path) -> None:
    for arguments in (("get", "me.nam"), ("set", "me.nam", "x")):
        refused = call("config", *arguments)
        assert (refused.code, refused.stdout) == (2, "")
        assert "me.nam" in refused.stderr
    assert not own_home.exists()


def test_a_wrong_value_changes_nothing(call: Run, own_home: Path) -> None:
    refused = call("config", "set", "models.threads", "many")
    assert refused.code == 2
    assert "models.threads must be a whole number" in refused.stderr
    assert not own_home.exists()
