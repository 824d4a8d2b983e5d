from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from conftest import ModelFile
from fakes import FakePlugin
from plugin_files import write_plugin

from secondme.assistant import Assistant
from secondme.config import Config
from secondme.doctor import Check, check, exit_code
from secondme.errors import IntegrityError, NoModel
from secondme.models.catalog import get_entry
from secondme.models.checks import verify_model
from secondme.plugins import Plugins, load_plugins
from secondme.records import Note

CANARY = "zyzzogeton"


@pytest.fixture(autouse=True)
def no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configure no models and return an empty folder for them."""
    monkeypatch.setenv("SECONDME_MODELS_LANGUAGE", "")
    monkeypatch.setenv("SECONDME_MODELS_EMBEDDER", "")
    monkeypatch.setenv("SECONDME_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def plugins() -> Plugins:
    """The built-in readers and the fake models."""
    loaded = load_plugins({"llama", "endpoint"}, installed=False)
    loaded.register(FakePlugin(), "scripted")
    return loaded


@pytest.fixture
def me(own_home: Path, plugins: Plugins) -> Iterator[Assistant]:
    """A memory with one secret in it."""
    with Assistant.open(own_home, config=Config(), plugins=plugins) as opened:
        opened.add_many([Note(text=f"the {CANARY} is secret", uri=f"{CANARY}:1", author=CANARY, title=CANARY)])
        yield opened


def of(checks: list[Check], name: str) -> Check:
    return next(one for one in checks if one.name == name)


def problems(checks: list[Check]) -> list[Check]:
    """What is not well, the free space of the disk this runs on aside."""
    return [one for one in checks if not one.ok and not one.name.startswith("disk")]


def test_a_home_that_is_not_there_yet_is_well_and_stays_away(own_home: Path, plugins: Plugins) -> None:
    checks = check(plugins=plugins)
    assert problems(checks) == []
    assert exit_code(checks) == 0
    assert of(checks, "database").detail == "nothing is stored yet"
    assert of(checks, "round trip").detail == "written, read, and found by words"
    assert not own_home.exists()
    assert not list(own_home.parent.glob(".secondme-doctor*"))


def test_a_memory_in_use_is_well_and_none_of_its_words_are_told(
    me: Assistant, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDME_MODELS_EMBEDDER", "hashing")
    checks = check(plugins=plugins)
    assert problems(checks) == []
    assert "notes: 1" in of(checks, "database").detail
    assert of(checks, "vectors").detail == "of hashing:384, 0 passages without"
    assert of(checks, "round trip").detail == "written, read, and found by words and vectors"
    assert CANARY not in json.dumps([asdict(one) for one in checks])
    assert [note.text for note in me.notes()] == [f"the {CANARY} is secret"]


def test_versions_of_driver_and_extension_are_named(plugins: Plugins) -> None:
    detail = of(check(plugins=plugins), "driver").detail
    assert all(f"{name} " in detail for name in ("sqlcipher3", "SQLite", "SQLCipher", "sqlite-vec", "FTS5"))


def test_a_damaged_database_is_an_integrity_problem(me: Assistant, own_home: Path, plugins: Plugins) -> None:
    me.store.close()
    path = own_home / "memory.db"
    path.write_bytes(path.read_bytes()[:20_000])
    checks = check(plugins=plugins)
    assert not of(checks, "database").ok
    assert exit_code(checks) == 20
    assert of(checks, "round trip").ok


def test_a_file_that_is_no_database_is_named(own_home: Path, plugins: Plugins) -> None:
    own_home.mkdir(mode=0o700)
    (own_home / "memory.db").write_bytes(b"something else altogether")
    (own_home / "memory.db").chmod(0o600)
    checks = check(plugins=plugins)
    assert of(checks, "database").exit_code == 12
    assert exit_code(checks) == 12


def test_an_index_that_lost_a_row_is_found(me: Assistant, plugins: Plugins) -> None:
    me.store.db.conn.execute("delete from passage_vectors")
    found = of(check(plugins=plugins), "database")
    assert (found.ok, found.exit_code) == (False, 20)
    assert "reindex" in found.hint


def test_vectors_of_another_embedder_call_for_a_reindex(
    me: Assistant, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDME_MODELS_EMBEDDER", "hashing")
    me.store.db.conn.execute("update meta set value = 'other:64' where key = 'embedder'")
    found = of(check(plugins=plugins), "vectors")
    assert (found.exit_code, found.hint) == (20, "secondme reindex")
    assert "other:64" in found.detail


def test_many_passages_without_vectors_are_a_warning(
    me: Assistant, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDME_MODELS_EMBEDDER", "hashing")
    me.write([Note(text=f"note {number}", uri=f"diary:{number}") for number in range(101)])
    checks = check(plugins=plugins)
    found = of(checks, "vectors")
    assert (found.ok, found.detail) == (False, "101 passages wait for vectors")
    assert exit_code(checks) == 0


def test_files_that_others_can_read_are_a_problem_and_a_folder_they_can_list_a_warning(
    me: Assistant, own_home: Path, plugins: Plugins
) -> None:
    own_home.chmod(0o755)
    found = of(check(plugins=plugins), "privacy")
    assert (found.ok, found.exit_code, found.hint) == (False, 0, f"chmod 700 {own_home}")
    (own_home / "memory.db").chmod(0o644)
    checks = check(plugins=plugins)
    assert "memory.db" in of(checks, "privacy").detail
    assert exit_code(checks) == 20


@pytest.mark.parametrize("folder", ["Dropbox", "Google Drive", "OneDrive - Work"])
def test_a_synchronised_folder_is_a_warning(tmp_path: Path, plugins: Plugins, folder: str) -> None:
    checks = check(tmp_path / folder / "memory", plugins=plugins)
    found = of(checks, "place")
    assert not found.ok
    assert folder in found.detail
    assert exit_code(checks) == 0


def test_changed_settings_are_listed_with_their_source(
    own_home: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_home.mkdir(mode=0o700)
    (own_home / "config.toml").write_text('[me]\nname = "Ana"\n[answer]\nevidence = 4\n', encoding="utf-8")
    monkeypatch.setenv("SECONDME_ANSWER_EVIDENCE", "5")
    settings = of(check(plugins=plugins), "settings").detail.split("; ")
    assert f"me.name = 'Ana' from {own_home / 'config.toml'}" in settings
    assert "answer.evidence = 5 from SECONDME_ANSWER_EVIDENCE" in settings
    assert not [line for line in settings if line.startswith("me.") and "Ana" not in line]


def test_settings_that_cannot_be_read_are_named_and_the_rest_is_looked_at(own_home: Path, plugins: Plugins) -> None:
    own_home.mkdir(mode=0o700)
    (own_home / "config.toml").write_text("[me]\nnmae = 'Ana'\n", encoding="utf-8")
    checks = check(plugins=plugins)
    found = of(checks, "settings")
    assert "me.nmae" in found.detail
    assert "name" in found.hint
    assert found.exit_code == 2
    assert of(checks, "round trip").ok


def test_a_plugin_that_failed_is_named(plugins: Plugins) -> None:
    broken = load_plugins(installed=False, disabled={"llama", "endpoint"})
    assert exit_code(check(plugins=broken)) == 0
    broken.load(EntryPoint("org", "no_such_module", "secondme"), "1.0")
    checks = check(plugins=broken)
    assert of(checks, "plugins").detail.startswith("org could not be loaded: ModuleNotFoundError")
    assert exit_code(checks) == 2


def test_a_missing_model_alone_has_its_own_exit_code(
    plugins: Plugins, no_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDME_MODELS_LANGUAGE", "smollm2-135m")
    checks = check(plugins=plugins)
    found = of(checks, "language model")
    assert (found.exit_code, found.hint) == (13, "secondme model pull smollm2-135m")
    assert exit_code(checks) == 13


def test_a_truncated_model_is_damaged(plugins: Plugins, no_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDME_MODELS_EMBEDDER", "minilm-l6")
    no_models.mkdir()
    (no_models / get_entry("minilm-l6").file).write_bytes(b"GGUF and then too little")
    checks = check(plugins=plugins)
    assert "damaged" in of(checks, "embedder").detail
    assert exit_code(checks) == 20


def test_a_model_file_of_ones_own_has_to_be_a_gguf_file(
    plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.gguf"
    monkeypatch.setenv("SECONDME_MODELS_LANGUAGE", str(path))
    assert of(check(plugins=plugins), "language model").exit_code == 13
    path.write_bytes(b"GGUF and more")
    untrusted = of(check(plugins=plugins), "language model")
    assert (untrusted.exit_code, untrusted.hint) == (13, f"secondme model use {path} --trust")
    assert "not trusted" in untrusted.detail
    monkeypatch.setenv("SECONDME_MODELS_TRUSTED", hashlib.sha256(path.read_bytes()).hexdigest())
    assert of(check(plugins=plugins), "language model").ok
    path.write_bytes(b"ELF")
    assert "not a GGUF file" in of(check(plugins=plugins), "language model").detail


def test_a_model_nobody_knows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDME_MODELS_EMBEDDER", "hashing")
    checks = check(plugins=load_plugins({"llama", "endpoint"}, installed=False))
    assert of(checks, "embedder").exit_code == 13


def test_verifying_tells_absent_damaged_and_unknown_models_apart(no_models: Path) -> None:
    assert verify_model("own.gguf", no_models) is None
    with pytest.raises(NoModel, match="not on this machine"):
        verify_model("minilm-l6", no_models)
    entry = get_entry("minilm-l6")
    no_models.mkdir()
    with (no_models / entry.file).open("wb") as file:
        file.write(b"GGUF")
        file.truncate(entry.size)
    with pytest.raises(IntegrityError, match="checksum is wrong"):
        verify_model("minilm-l6", no_models)


FAILING = """
import os, signal
from secondme.errors import ConfigError, NoModel
from secondme.hookspecs import hookimpl

@hookimpl
def embedder(config):
    {}
"""


@pytest.mark.parametrize(
    ("failure", "detail", "hint"),
    [
        (
            "os.kill(os.getpid(), signal.SIGILL)",
            f"the system ended it ({(signal.strsignal(signal.SIGILL) or '').lower()})",
            "--no-cache-dir",
        ),
        (
            "os.kill(os.getpid(), signal.SIGABRT)",
            f"the system ended it ({(signal.strsignal(signal.SIGABRT) or '').lower()})",
            "models.context",
        ),
        ("raise ConfigError('models.kv is 3', hint='known: f16')", "models.kv is 3; known: f16", ""),
        ("raise NoModel('llama.cpp stopped with code 1')", "llama.cpp stopped with code 1", ""),
    ],
)
def test_an_engine_that_does_not_run_a_model_is_named_and_the_rest_is_looked_at(
    plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: str, detail: str, hint: str
) -> None:
    (tmp_path / "own.gguf").write_bytes(b"GGUF")
    monkeypatch.setenv("SECONDME_MODELS_EMBEDDER", str(tmp_path / "own.gguf"))
    site = write_plugin(tmp_path / "site", "failing", FAILING.format(failure))
    (site / "llama_cpp.py").write_text("__version__ = '1'\n", encoding="utf-8")
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.delenv("SECONDME_PLUGINS", raising=False)
    checks = check(plugins=plugins)
    engine = of(checks, "engine")
    assert (engine.ok, engine.exit_code) == (False, 13)
    assert engine.detail == f"llama-cpp-python does not run the models: {detail}"
    assert hint in engine.hint
    assert of(checks, "round trip").detail == "written, read, and found by words"


@pytest.mark.model
def test_a_whole_model_is_verified_and_its_engine_loaded(
    model_file: ModelFile, no_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = model_file("minilm-l6")
    no_models.mkdir()
    (no_models / path.name).symlink_to(path)
    monkeypatch.setenv("SECONDME_MODELS_EMBEDDER", "minilm-l6")
    done: list[tuple[str, int, int]] = []
    checks = check(plugins=load_plugins(installed=False), progress=lambda *step: done.append(step))
    assert of(checks, "embedder").detail.endswith("checksum right")
    assert of(checks, "engine").detail.startswith("llama-cpp-python ")
    assert of(checks, "round trip").detail == "written, read, and found by words and vectors"
    assert done[-1][1:] == (get_entry("minilm-l6").size,) * 2


def test_a_disk_that_cannot_be_written_fails_the_round_trip(own_home: Path, plugins: Plugins) -> None:
    own_home.mkdir(mode=0o700)
    if shutil.which("mount") is None or os.geteuid() != 0:
        own_home.chmod(0o500)
    else:
        mount = ["mount", "-t", "tmpfs", "-o", "ro,size=2m,mode=0700", "tmpfs", str(own_home)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("no disk can be mounted here")
    try:
        checks = check(plugins=plugins)
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", "--lazy", str(own_home)], check=True)
        own_home.chmod(0o700)
    assert of(checks, "round trip").exit_code == 20
    assert "cannot be written" in of(checks, "round trip").detail


def test_a_home_that_cannot_be_entered_is_named_and_the_rest_is_looked_at(
    plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A name too long for the disk fails for root as well, as a closed folder fails for everyone else.
    monkeypatch.setenv("SECONDME_HOME", str(tmp_path / ("a" * 300)))
    checks = check(plugins=plugins)
    assert exit_code(checks) == 20
    assert of(checks, "driver").ok


def test_the_worst_problem_decides_the_exit_code() -> None:
    found = [Check("a", False, "", exit_code=code) for code in (13, 2, 20)]
    assert exit_code(found) == 20
    assert exit_code(found[:2]) == 2
    assert exit_code(found[:1]) == 13
    assert exit_code([Check("a", False, ""), Check("b", True, "", exit_code=20)]) == 0
