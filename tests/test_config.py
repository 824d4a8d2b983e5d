"""Settings: defaults, the file, the environment, and writing one key."""

from __future__ import annotations

import ast
import dataclasses
import os
import stat
from pathlib import Path

import pytest
import tomlkit

import secondme.config
from secondme.config import Config, IngestConfig, ModelsConfig, get_value, load_config, set_value
from secondme.errors import ConfigError

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "config.example.toml"


def described_defaults() -> str:
    """The text of config.example.toml as the source of the settings has it."""
    tree = ast.parse(Path(secondme.config.__file__).read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    lines = ["# Every setting with its default. What SECONDME_<TABLE>_<KEY> says wins over this file."]
    for table in dataclasses.fields(Config):
        values = getattr(Config(), table.name)
        node = classes[type(values).__name__]
        lines += ["", f"# {ast.get_docstring(node)}", f"[{table.name}]"]
        for key, comment in zip(node.body[1::2], node.body[2::2], strict=True):
            assert isinstance(key, ast.AnnAssign)
            assert isinstance(key.target, ast.Name)
            assert isinstance(comment, ast.Expr)
            assert isinstance(comment.value, ast.Constant)
            assert isinstance(comment.value.value, str)
            value = getattr(values, key.target.id)
            shown = tomlkit.item(value).as_string()
            lines += [f"# {comment.value.value}", f"{key.target.id} = {shown}"]
    return "\n".join(lines) + "\n"


def test_the_example_holds_the_defaults() -> None:
    assert load_config(EXAMPLE, environ={}) == Config()


def test_the_example_holds_every_key_with_its_description() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == described_defaults()


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_config(tmp_path / "none.toml", environ={}) == Config()


@pytest.mark.parametrize("text", ["[chat]\nx = " + "9" * 5000, "x = " + "[" * 5000, "\0", "[[", "me = 1"])
def test_a_file_that_is_no_settings_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config\.toml"):
        load_config(path, environ={})


def test_the_file_beats_the_defaults_and_leaves_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[models]\nlanguage = "smollm2-135m"\n[ingest]\nignore = ["*.log", "drafts/"]\n')
    config = load_config(path, environ={})
    assert config.models == ModelsConfig(language="smollm2-135m")
    assert config.ingest == IngestConfig(ignore=("*.log", "drafts/"))


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[models]\nlanguage = "from-file"\ncontext = 1\n')
    environ = {
        "SECONDME_MODELS_LANGUAGE": "",
        "SECONDME_MODELS_CONTEXT": "2048",
        "SECONDME_INGEST_IGNORE": "*.log, tmp/,",
    }
    config = load_config(path, environ=environ)
    assert config.models == ModelsConfig(language="", context=2048)
    assert config.ingest.ignore == ("*.log", "tmp/")


def test_variables_that_are_no_settings_are_left_alone(tmp_path: Path) -> None:
    environ = {"SECONDME_HOME": "/a", "SECONDME_MODELS": "/b", "SECONDME_NOW": "2024-01-01", "MODELS_LANGUAGE": "c"}
    environ["SECONDME_OF_ANOTHER_PROGRAM"] = "d"
    assert load_config(tmp_path / "none.toml", environ=environ) == Config()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[models]\nlangage = "x"\n', "models.langage"),
        ('[modles]\nlanguage = "x"\n', "modles"),
        ("[empty]\n", "empty"),
        ('language = "x"\n', "language"),
        ('models = "x"\n', "models"),
        ("[models]\ncontext = true\n", "models.context"),
        ("[models]\ncontext = -1\n", "models.context"),
        ("[models]\ncontext = 1.5\n", "models.context"),
        ("[models]\nlanguage = 3\n", "models.language"),
        ('[ingest]\nignore = "*.log"\n', "ingest.ignore"),
        ("[ingest]\nignore = [1]\n", "ingest.ignore"),
        ("[models\n", "line 1"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_key(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path, environ={})
    assert str(path) in str(caught.value)
    assert named in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe[models]", None])
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "config.toml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"config\.toml"):
        load_config(path, environ={})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECONDME_MODELS_CONTEXT", "many"),
        ("SECONDME_MODELS_CONTEXT", "-1"),
        ("SECONDME_MODELS_LANGAGE", "x"),
        ("SECONDME_MODEL_LANGUAGE", "x"),
    ],
)
def test_a_wrong_variable_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        load_config(tmp_path / "none.toml", environ={name: value})


def test_an_error_says_what_is_known() -> None:
    with pytest.raises(ConfigError) as caught:
        get_value(Config(), "models.langage")
    assert "language, embedder" in caught.value.hint


@pytest.mark.parametrize(
    ("key", "value"),
    [("models.language", ModelsConfig().language), ("answer.evidence", 10), ("ingest.ignore", ())],
)
def test_a_value_is_read_by_its_name(key: str, value: object) -> None:
    assert get_value(Config(), key) == value


@pytest.mark.parametrize("key", ["language", "models", "models.", ".language", "models.language.x", "nothing.here", ""])
def test_a_key_that_names_nothing_is_refused(tmp_path: Path, key: str) -> None:
    path = tmp_path / "config.toml"
    with pytest.raises(ConfigError):
        get_value(Config(), key)
    with pytest.raises(ConfigError):
        set_value(path, key, "x")
    assert not path.exists()


def test_setting_a_key_keeps_comments_and_other_keys(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('# mine\n[models]\nlanguage = "old"  # the one I like\ncontext = 512\n\n[me]\nname = "Ana"\n')
    set_value(path, "models.language", "new")
    set_value(path, "answer.evidence", "4")
    set_value(path, "ingest.ignore", "*.log, tmp/")
    text = path.read_text()
    assert text.startswith('# mine\n[models]\nlanguage = "new"  # the one I like\ncontext = 512\n')
    config = load_config(path, environ={})
    assert (config.models.language, config.models.context, config.me.name) == ("new", 512, "Ana")
    assert (config.answer.evidence, config.ingest.ignore) == (4, ("*.log", "tmp/"))


def test_setting_a_key_makes_a_private_file_and_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    set_value(path, "me.name", 'Ana "the" \\ first\n')
    assert load_config(path, environ={}).me.name == 'Ana "the" \\ first\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["config.toml"]


def test_setting_a_key_follows_a_link_to_the_file(tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.toml"
    kept.write_text('[me]\nname = "Ana"\n')
    path = tmp_path / "config.toml"
    path.symlink_to(kept)
    set_value(path, "me.name", "Bea")
    assert path.is_symlink()
    assert load_config(kept, environ={}).me.name == "Bea"


@pytest.mark.parametrize(
    ("before", "key", "text"),
    [
        ('[me]\nname = "Ana"\n', "models.context", "many"),
        ('[me]\nname = "Ana"\n', "models.context", "-1"),
        ('[me]\nname = "Ana"\n', "me.name", "\udcff"),
        ("[models]\nlangage = 1\n", "me.name", "Bea"),
        ("[models\n", "me.name", "Bea"),
    ],
)
def test_nothing_is_written_when_the_result_would_be_unusable(tmp_path: Path, before: str, key: str, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(before)
    with pytest.raises(ConfigError, match=r"config\.toml"):
        set_value(path, key, text)
    assert path.read_text() == before
    assert os.listdir(tmp_path) == ["config.toml"]


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        set_value(tmp_path / "file" / "config.toml", "me.name", "Ana")


def test_a_number_that_has_to_be_positive_is_not_taken_as_0(tmp_path: Path) -> None:
    assert load_config(tmp_path / "none", {"SECONDME_MODELS_THREADS": "0"}).models.threads == 0
    with pytest.raises(ConfigError, match=r"SECONDME_ANSWER_EVIDENCE: answer\.evidence"):
        load_config(tmp_path / "none", {"SECONDME_ANSWER_EVIDENCE": "0"})


@pytest.mark.parametrize(("given", "value"), [("true", True), ("False", False), (" TRUE ", True)])
def test_a_claim_is_set_by_word(given: str, value: bool) -> None:
    config = load_config(Path("none.toml"), environ={"SECONDME_DAEMON_AUTOSTART": given})
    assert config.daemon.autostart is value


@pytest.mark.parametrize("given", ["1", "yes", ""])
def test_what_is_neither_true_nor_false_is_refused(given: str) -> None:
    with pytest.raises(ConfigError, match="must be true or false"):
        load_config(Path("none.toml"), environ={"SECONDME_DAEMON_AUTOSTART": given})


def test_a_number_is_no_claim(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[daemon]\nautostart = 1\n")
    with pytest.raises(ConfigError, match="must be true or false, not 1"):
        load_config(path, environ={})
