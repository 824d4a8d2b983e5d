"""Disks that fail, fill up or cannot be written, too few open files, old drivers: one clear line, and nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Run
from nights import process
from shims import build_shim

from secondme.assistant import Assistant
from secondme.store.connect import SAFE_SQLITE
from secondme.store.store import Store

FAILING = """
import contextlib, ctypes, io, sys
from pathlib import Path
from secondme.cli.app import run
from secondme.errors import IntegrityError
from secondme.store.store import Store

shim = ctypes.CDLL(None)
shim.fault_arm.argtypes, shim.fault_hits.restype = [ctypes.c_char_p, ctypes.c_long], ctypes.c_long
path, call, acknowledged, failed = Path(sys.argv[1]), sys.argv[2].encode(), {"first"}, 0

def add(text):
    with contextlib.redirect_stdout(io.StringIO()):
        run(["add", text])
    acknowledged.add(text)

add("first")
for after in range(int(sys.argv[3])):
    shim.fault_arm(call, after)
    try:
        add(f"{call} fails after {after}")
        hits = 0
    except IntegrityError as error:
        assert str(path) in str(error) and error.hint and error.exit_code == 20, error
        hits = shim.fault_hits()
        assert hits, error
        failed += 1
    shim.fault_arm(b"", 0)
    with Store(path, create=False) as store:
        store.index.check()
        found = {note.text for note in store.notes()}
    assert acknowledged <= found, acknowledged - found
    assert len(found - acknowledged) <= 1, found
    acknowledged |= found
print(failed)
"""


@pytest.fixture
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Configure no models."""
    monkeypatch.setenv("SECONDME_MODELS_LANGUAGE", "")
    monkeypatch.setenv("SECONDME_MODELS_EMBEDDER", "")


@pytest.mark.usefixtures("no_models")
@pytest.mark.parametrize(("call", "times"), [("fsync", 4), ("write", 12), ("truncate", 2), ("read", 8)])
def test_a_disk_that_fails_at_any_moment_loses_nothing_and_is_named(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, times: int
) -> None:
    monkeypatch.setenv("LD_PRELOAD", str(build_shim(tmp_path)))
    done = process(FAILING, own_home / "memory.db", call, times)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 1


CROWDED = """
import contextlib, io, os, resource, sys
from secondme.cli import _run

def said(*arguments):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        return _run([*arguments]), out.getvalue()

assert said("add", "first")[0] == 0
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
codes = []
for more in range(1, 14):
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1 + more, hard))
    code, text = said("add", f"with {more} more")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert code == 0 or (text.startswith("secondme: ") and "hint: " in text), text
    assert (said("search", f"with {more} more")[1].find(f"with {more} more") >= 0) == (code == 0)
    codes.append(code)
print(codes[0], codes[-1], set(codes) - {0, 20})
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="how many files are open is not told here")
@pytest.mark.usefixtures("no_models")
def test_too_many_open_files_are_one_line_and_20(own_home: Path) -> None:
    done = process(CROWDED)
    assert (done.stdout.strip(), done.stderr) == ("20 0 set()", "")


FULL = """
import contextlib, io, os, sys
from pathlib import Path
from secondme.cli import _run

home = Path(os.environ["SECONDME_HOME"])

def said(*arguments):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        return _run([*arguments]), out.getvalue()

said("add", "I met Ann in Lisbon.")
said("sleep", "--yes")
said("add", "I met Bob in Porto.")
said("export", str(home / "export.jsonl"))
state = lambda: (said("list", "--json"), said("facts", "--json"), said("log", "--json"))
before = state()
with contextlib.suppress(OSError), open(home / "filler", "wb", buffering=0) as filler:
    while True:
        filler.write(b"x" * 512)
for line in sys.argv[1:]:
    code, text = said(*line.split())
    assert code == 20 and "no space left" in text and "Traceback" not in text, (line, code, text)
(home / "filler").unlink()
assert state() == before
assert said("add", "I met Eve in Braga.")[0] == said("sleep", "--yes")[0] == 0
"""


def in_namespace(mounting: str, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python code where disks can be mounted without being root; skip the test where that is not permitted."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare command here")
    alone = ["unshare", "--user", "--map-root-user", "--mount"]
    may = subprocess.run([*alone, "true"], capture_output=True, check=False)
    if may.returncode:
        pytest.skip(f"no name space of its own is to be had here: {may.stderr.decode().strip()}")
    command = [
        *alone,
        "sh",
        "-ec",
        f'{mounting}; exec "$@"',
        "sh",
        sys.executable,
        "-W",
        "error",
        "-c",
        code,
        *arguments,
    ]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, capture_output=True, text=True, env=environ, check=False, timeout=60)


def test_every_command_that_writes_names_a_full_disk_and_leaves_all_as_it_was(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_home.mkdir()
    (tmp_path / "script").touch()
    monkeypatch.setenv("SECONDME_SCRIPT", str(tmp_path / "script"))
    monkeypatch.setenv("SECONDME_MODELS_LANGUAGE", "scripted")
    monkeypatch.setenv("SECONDME_MODELS_EMBEDDER", "hashing")
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "fake-plugin"))
    mounting = 'mount -t tmpfs -o size=2m,mode=0700 tmpfs "$SECONDME_HOME"'
    lines = ("add a text", "sleep --yes", "undo r1 --yes", "forget n1 --yes", "pin n1", "pause 1h", "reindex")
    done = in_namespace(mounting, FULL, *lines, f"import {own_home}/export.jsonl")
    assert done.returncode == 0, done.stderr


READ_ONLY = """
import contextlib, io, sys
from secondme.cli import _run
for line in sys.argv[1:]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = _run(line.split())
    assert code == 20, (line, code, out.getvalue())
    assert "cannot be read or written" in out.getvalue() and "hint: check the folder" in out.getvalue(), out.getvalue()
"""


@pytest.mark.parametrize("what", ["memory.db", ""])
@pytest.mark.usefixtures("no_models")
def test_a_file_and_a_folder_that_cannot_be_written_are_named(own_home: Path, what: str) -> None:
    with Assistant.open() as me:
        me.write([])
        before = me.store.counts()["notes"]
    place = f'"$SECONDME_HOME"/{what}'
    mounting = f"mount --bind {place} {place}; mount -o remount,bind,ro {place}"
    done = in_namespace(mounting, READ_ONLY, "add a text", "pause 1h", "reindex")
    assert done.returncode == 0, done.stderr
    with Assistant.open() as me:
        assert me.store.counts()["notes"] == before


def test_what_cannot_be_kept_in_a_conversation_is_told_by_the_exit_code(own_home: Path, run: Run) -> None:
    with Store(own_home / "memory.db") as store:
        store.db.conn.execute("begin immediate")
        said = run("chat", "--plain", stdin="I met Ann in Lisbon.\n")
    assert said.code == 11
    assert "another process is writing" in said.stderr


def standard_library(folder: Path) -> Path:
    """The driver of the standard library under the name of ours."""
    version = process("import sqlite3; print(sqlite3.sqlite_version)").stdout.strip()
    if tuple(map(int, version.split("."))) >= SAFE_SQLITE:
        pytest.skip(f"the standard library has SQLite {version}, which is safe")
    package = folder / "old" / "sqlcipher3"
    package.mkdir(parents=True)
    for name in ("__init__", "dbapi2"):
        (package / f"{name}.py").write_text("from sqlite3.dbapi2 import *\n", encoding="utf-8")
    return folder / "old"


@pytest.mark.usefixtures("no_models")
def test_a_driver_with_an_unsafe_sqlite_is_refused(own_home: Path, tmp_path: Path) -> None:
    folder = standard_library(tmp_path)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    command = [sys.executable, "-m", "secondme", "add", "a text"]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False, timeout=60)
    assert done.returncode == 20
    assert "can corrupt a database that two processes use" in done.stderr
    assert "hint: pip install --upgrade sqlcipher3" in done.stderr
    assert not own_home.exists()
