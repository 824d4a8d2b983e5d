"""Where things live."""

from __future__ import annotations

from pathlib import Path

import pytest

from secondme.paths import find_paths


def test_a_given_home_holds_everything_but_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDME_HOME", str(tmp_path / "other"))
    monkeypatch.setenv("SECONDME_MODELS", str(tmp_path / "models"))
    paths = find_paths(tmp_path / "mine")
    assert paths.database == tmp_path / "mine" / "memory.db"
    assert paths.config == tmp_path / "mine" / "config.toml"
    assert paths.state == tmp_path / "mine" / "state"
    assert paths.models == tmp_path / "models"


def test_the_variable_is_used_without_a_given_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDME_HOME", str(tmp_path / "other"))
    assert find_paths().data == tmp_path / "other"


def test_a_tilde_and_a_relative_home_are_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert find_paths("~/mine").data == tmp_path / "mine"
    assert find_paths("mine").data == tmp_path / "mine"


def test_models_do_not_follow_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECONDME_MODELS")
    models = find_paths(tmp_path / "one").models
    assert models == find_paths(tmp_path / "two").models
    assert tmp_path / "user" in models.parents


def test_without_anything_the_folders_of_the_platform_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECONDME_HOME")
    paths = find_paths()
    for path in (paths.data, paths.config, paths.state):
        assert tmp_path / "user" in path.parents


def test_computing_paths_creates_nothing(tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    find_paths(tmp_path / "mine")
    find_paths()
    assert sorted(tmp_path.rglob("*")) == before
