from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from conftest import ROOT, TESTS, ModelFile, Run
from secrets_set import positives
from sqlcipher3 import dbapi2

from secondme.models.catalog import get_entry

CANARY = "zyzzogeton"


def on_a_terminal(*arguments: str | Path, reply: str, embedder: str = "") -> tuple[int, str]:
    """Run `secondme` with a terminal on all sides, type `reply` into it, and return exit code and what it showed."""
    terminal, inside = pty.openpty()
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "plugins", TESTS, TESTS / "fake-plugin")))
    models = {"SECONDME_MODELS_LANGUAGE": "", "SECONDME_MODELS_EMBEDDER": embedder}
    environ = {**os.environ, "PYTHONPATH": paths, **models}
    command = [sys.executable, "-m", "secondme", *map(str, arguments)]
    running = subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, env=environ)
    os.close(inside)
    os.write(terminal, reply.encode())
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 1024)
        except OSError:  # how Linux says that nobody is left on the other side
            break
        if not piece:
            break
        shown += piece
    os.close(terminal)
    return running.wait(timeout=60), shown.decode()


def test_an_export_taken_in_elsewhere_is_exported_the_same(run: Run, tmp_path: Path) -> None:
    run("add", "I moved to Porto — 漢字 \u2028 🙂")
    run("add", "-", stdin="two\nlines")
    file = tmp_path / "all.jsonl"
    done = run("export", file, "--json")
    assert done.json == {"v": 1, "file": str(file), "versions": 2, "more": {}}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    elsewhere = {"SECONDME_HOME": str(tmp_path / "elsewhere")}
    assert run("import", file, "--json", env=elsewhere).json == {
        "v": 1,
        "added": 2,
        "known": 0,
        "more": {},
        "skipped": [],
        "masked": [],
    }
    exported = run("export", "-", env={**elsewhere, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert exported.stdout == file.read_text(encoding="utf-8")
    again = run("import", "-", stdin=exported.stdout, env=elsewhere)
    assert (again.code, again.stdout) == (0, "0 versions of notes added, 2 already known\n")


def test_export_does_not_replace_a_file_without_a_yes(call: Run, tmp_path: Path) -> None:
    call("add", "one")
    file = tmp_path / "all.jsonl"
    file.write_text("precious", encoding="utf-8")
    refused = call("export", file)
    assert refused.code == 2
    assert "--yes replaces it" in refused.stderr
    assert file.read_text(encoding="utf-8") == "precious"
    assert call("export", file, "--yes").code == 0
    assert json.loads(file.read_text(encoding="utf-8"))["text"] == "one"
    assert [path.name for path in tmp_path.iterdir() if "jsonl" in path.name] == ["all.jsonl"]


@pytest.mark.parametrize(("reply", "code", "kept"), [("n\n", 1, True), ("y\n", 0, False)])
def test_export_asks_on_a_terminal(call: Run, tmp_path: Path, reply: str, code: int, kept: bool) -> None:
    call("add", "one")
    file = tmp_path / "all.jsonl"
    file.write_text("precious", encoding="utf-8")
    left, shown = on_a_terminal("export", file, reply=reply)
    assert left == code, shown
    assert f"replace {file}?" in shown.replace("\r\n", "")
    assert (file.read_text(encoding="utf-8") == "precious") == kept


def test_export_refuses_the_database_devices_and_folders_that_are_not_there(
    call: Run, own_home: Path, tmp_path: Path
) -> None:
    call("add", "one")
    for target in (own_home / "memory.db", Path("/dev/null"), tmp_path, tmp_path / "no" / "such.jsonl"):
        refused = call("export", target, "--yes")
        assert (refused.code, refused.stdout) == (2, ""), target
    assert call("export", "-", "--json").code == 2
    assert len(call("export", "-").stdout.splitlines()) == 1


def test_export_without_a_memory_says_so(call: Run, own_home: Path) -> None:
    assert call("export", "-").code == 10
    assert not own_home.exists()


def test_a_broken_line_is_named_and_the_exit_code_says_partly_done(call: Run, tmp_path: Path) -> None:
    call("add", "one")
    good = call("export", "-").stdout
    mixed = good.replace('"one"', '"two"').replace("typed:", "other:") + '{"v": 9}\n' + "\x1b[31mrubbish\n"
    done = call("import", "-", "--json", stdin=mixed)
    assert done.code == 3
    assert (done.json["added"], done.json["known"]) == (1, 0)
    assert [item["what"] for item in done.json["skipped"]] == ["line 2", "line 3"]
    assert "skipped line 2: only lines with" in done.stderr
    assert "\x1b" not in done.stderr + done.stdout


def test_what_an_import_masks_is_named(call: Run) -> None:
    [key] = [secret for kind, text, secret in positives() if kind == "aws-key" and text == secret][:1]
    call("add", "one")
    lines = call("export", "-").stdout.replace('"one"', f'"The build uses {key}."').replace("typed:", "other:")
    done = call("import", "-", stdin=lines)
    assert (done.code, done.stderr) == (0, "masked: aws-key in n2, line 1\n")


def test_very_many_broken_lines_are_not_all_named(call: Run) -> None:
    done = call("import", "-", stdin="rubbish\n" * 500)
    assert (done.code, done.stdout) == (3, "0 versions of notes added, 0 already known\n")
    assert len(done.stderr.splitlines()) == 21
    assert "skipped 480 more lines" in done.stderr


def test_importing_what_is_not_there_makes_no_memory(call: Run, own_home: Path, tmp_path: Path) -> None:
    for source in (tmp_path / "no.jsonl", tmp_path):
        assert call("import", source).code == 2
    assert not own_home.exists()


def test_imported_notes_get_their_vectors(call: Run, tmp_path: Path) -> None:
    call("add", "one")
    lines = call("export", "-").stdout
    elsewhere = {"SECONDME_HOME": str(tmp_path / "elsewhere")}
    call("import", "-", stdin=lines, replies=[], env=elsewhere)
    assert call("stats", "--json", env=elsewhere).json["with_vectors"] == 1


def test_stats_count_what_is_stored(call: Run, tmp_path: Path) -> None:
    diary = tmp_path / "diary.md"
    for text in ("# June\n\nOne.\n", "# June\n\nTwo.\n"):
        diary.write_text(text, encoding="utf-8")
        call("add", diary, replies=[])
    call("add", "typed", "--at", "2023-01-05T12:00:00Z")
    found = call("stats", "--json").json
    assert (found["notes"], found["earlier_versions"], found["passages"], found["with_vectors"]) == (2, 1, 2, 1)
    assert found["by_origin"] == {"file": 1, "typed": 1}
    assert found["by_month"]["2023-01"] == 1
    assert (found["oldest"], found["embedder"]) == ("2023-01-05T12:00:00Z", "hashing:384")
    assert found["bytes_per_passage"] == found["bytes"] / 2 > 0
    shown = call("stats").stdout
    assert "origin file       1\n" in shown
    assert "2023-01           1\n" in shown


def test_stats_of_an_emptied_memory_are_zero(call: Run) -> None:
    [id] = call("add", "one").stdout.split()
    call("forget", id, "--yes")
    found = call("stats", "--json").json
    assert (found["notes"], found["oldest"], found["by_month"], found["bytes_per_passage"]) == (0, None, {}, 0)
    assert call("stats").code == 0


def test_reindex_mends_what_doctor_finds(call: Run, own_home: Path) -> None:
    call("add", "the heron nests by the weir", replies=[])
    call("reindex", replies=[])
    database = dbapi2.connect(str(own_home / "memory.db"), isolation_level=None)
    database.execute("delete from passage_tokens")
    database.execute("insert into passage_words (passage_words) values ('delete-all')")
    database.close()
    assert call("doctor").code == 20
    done = call("reindex", replies=[])
    assert (done.code, done.stderr) == (0, "1 passages can be found by words, 1 by vectors\n")
    assert call("doctor").code == 0
    assert "heron" in call("search", "heron").stdout


def test_reindex_without_the_embedder_rebuilds_words_and_says_what_is_missing(call: Run, tmp_path: Path) -> None:
    call("add", "one")
    missing = {"SECONDME_MODELS_EMBEDDER": "minilm-l6", "SECONDME_MODELS": str(tmp_path / "models")}
    done = call("reindex", env=missing)
    assert done.code == 3
    assert "words are rebuilt; 1 passages wait for vectors" in done.stderr
    assert "hint: " in done.stderr


def test_reindex_shows_progress_on_a_terminal_only(call: Run) -> None:
    call("add", "one")
    assert call("reindex", replies=[]).stderr == "1 passages can be found by words, 1 by vectors\n"
    call("add", "two")
    code, shown = on_a_terminal("reindex", reply="", embedder="hashing")
    assert code == 0
    assert "vectors: 1 of 1" in shown
    assert "2 passages can be found by words, 2 by vectors" in shown


def test_doctor_tells_of_every_check_and_of_no_note(run: Run) -> None:
    run("add", f"the {CANARY} is secret", replies=[])
    done = run("doctor", "--json", replies=[])
    assert (done.code, done.json["ok"]) == (0, True)
    names = [one["name"] for one in done.json["checks"]]
    assert {"driver", "settings", "database", "vectors", "disk of models", "round trip"} <= set(names)
    shown = run("doctor", replies=[])
    assert shown.stdout.startswith("ok ")
    assert CANARY not in done.stdout + shown.stdout + shown.stderr


def test_doctor_ends_with_the_exit_code_of_what_is_wrong(call: Run, own_home: Path, tmp_path: Path) -> None:
    missing = {"SECONDME_MODELS_LANGUAGE": "smollm2-135m", "SECONDME_MODELS": str(tmp_path / "models")}
    done = call("doctor", env=missing)
    assert done.code == 13
    assert "hint: secondme model pull smollm2-135m" in done.stdout
    own_home.mkdir(mode=0o700)
    (own_home / "config.toml").write_text("[nonsense]\n", encoding="utf-8")
    done = call("doctor", env=missing)
    assert done.code == 2
    assert "unknown table [nonsense]" in done.stdout
    (own_home / "memory.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    (own_home / "memory.db").chmod(0o600)
    assert call("doctor", env=missing).code in (12, 20)


def test_doctor_names_a_driver_that_cannot_be_loaded_and_looks_at_the_rest(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sqlcipher3.py").write_text("raise ImportError('libcrypto is missing')\n", encoding="utf-8")
    done = run("doctor", "--json", env={"PYTHONPATH": os.pathsep.join(map(str, (tmp_path, ROOT, ROOT / "plugins")))})
    assert done.code == 20
    broken = {one["name"]: one["detail"] for one in done.json["checks"] if one["level"] == "wrong"}
    assert set(broken) == {"driver", "encryption", "round trip"}
    assert broken["driver"] == "a library it needs cannot be loaded: libcrypto is missing"


def models_folder(folder: Path) -> dict[str, str]:
    return {"SECONDME_MODELS": str(folder)}


def test_the_models_are_listed_with_what_is_here_and_in_use(call: Run, tmp_path: Path) -> None:
    entry = get_entry("minilm-l6")
    env = {**models_folder(tmp_path), "SECONDME_MODELS_EMBEDDER": "minilm-l6"}
    (tmp_path / entry.file).write_bytes(b"GGUF")
    found = call("model", "list", "--json", env=env).json
    here = {item["alias"]: (item["present"], item["in_use"]) for item in found["models"]}
    assert here["minilm-l6"] == (True, True)
    assert here["qwen2.5-coder-1.5b"] == (False, False)
    row = next(item for item in found["models"] if item["alias"] == "minilm-l6")
    assert (row["size"], row["licence"], row["role"]) == (entry.size, "Apache-2.0", "embedder")
    lines = call("model", "list", env=env).stdout.splitlines()
    assert "in use" in next(line for line in lines if line.startswith("minilm-l6"))
    assert "not here" in next(line for line in lines if line.startswith("smollm2"))


def test_a_chosen_model_is_in_the_settings(call: Run, own_home: Path, tmp_path: Path) -> None:
    env = models_folder(tmp_path)
    done = call("model", "use", "smollm2-135m", env=env)
    assert done.code == 0
    assert 'language = "smollm2-135m"' in (own_home / "config.toml").read_text(encoding="utf-8")
    assert "secondme model pull smollm2-135m" in done.stderr
    assert "SECONDME_MODELS_LANGUAGE is set to something else" in done.stderr
    done = call("model", "use", "minilm-l6", env={**env, "SECONDME_MODELS_EMBEDDER": "minilm-l6"})
    assert 'embedder = "minilm-l6"' in (own_home / "config.toml").read_text(encoding="utf-8")
    assert "secondme reindex" in done.stderr
    assert "something else" not in done.stderr


def test_a_model_file_of_ones_own_can_be_chosen(call: Run, own_home: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    assert call("model", "use", own).code == 13
    own.write_bytes(b"GGUF")
    refused = call("model", "use", own)
    assert refused.code == 13
    assert f"hint: secondme model use {own} --trust\n" in refused.stderr
    assert call("model", "use", own, "--trust").code == 0
    assert sha256(b"GGUF").hexdigest() in (own_home / "config.toml").read_text(encoding="utf-8")
    assert call("model", "use", own).code == 0
    assert f'language = "{own}"' in (own_home / "config.toml").read_text(encoding="utf-8")
    assert call("model", "use", own, "--embedder").code == 0
    assert f'embedder = "{own}"' in (own_home / "config.toml").read_text(encoding="utf-8")
    unknown = call("model", "use", "gpt")
    assert unknown.code == 13
    assert "minilm-l6" in unknown.stderr


def test_a_file_at_hand_is_pulled_when_it_is_trusted(call: Run, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF and all the rest")
    env = models_folder(tmp_path / "models")
    assert call("model", "pull", "--from", own, env=env).code == 20
    assert call("model", "pull", "minilm-l6", "--from", own, env=env).code == 20
    done = call("model", "pull", "--from", own, "--trust", env=env)
    assert (done.code, done.stdout) == (0, f"{tmp_path / 'models' / 'own.gguf'}\n")
    assert Path(done.stdout.strip()).read_bytes() == own.read_bytes()
    assert call("model", "use", "own.gguf", env=env).code == 0
    assert call("model", "pull", env=env).code == 2
    assert call("model", "pull", "gpt", env=env).code == 13


def test_a_damaged_model_is_found_by_verifying(call: Run, tmp_path: Path) -> None:
    env = models_folder(tmp_path)
    assert call("model", "verify", env=env).code == 13
    assert call("model", "verify", "minilm-l6", env=env).code == 13
    entry = get_entry("minilm-l6")
    with (tmp_path / entry.file).open("wb") as file:
        file.write(b"GGUF")
        file.truncate(entry.size)
    done = call("model", "verify", env=env)
    assert (done.code, done.stdout) == (20, "minilm-l6: damaged\n")
    assert "secondme model pull minilm-l6" in done.stderr


@pytest.mark.model
def test_a_whole_model_is_pulled_from_a_file_and_verified(call: Run, tmp_path: Path, model_file: ModelFile) -> None:
    env = models_folder(tmp_path / "models")
    done = call("model", "pull", "minilm-l6", "--from", model_file("minilm-l6"), env=env)
    assert done.stdout == f"{tmp_path / 'models' / get_entry('minilm-l6').file}\n"
    assert call("model", "verify", env=env).stdout == "minilm-l6: whole\n"
    assert call("model", "pull", "minilm-l6", env=env).code == 0
