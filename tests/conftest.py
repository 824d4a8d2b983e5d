"""Every test has its own home; models are the one thing shared with the user, and only read."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from fakes import FakePlugin
from hypothesis import settings
from lives import NOW, live
from nights import open_memory

from secondme.assistant import Assistant
from secondme.cli import main
from secondme.clock import to_text
from secondme.models.catalog import get_entry
from secondme.paths import find_paths

# What is found by chance is found at a desk; a check that decides on a change has to decide the same way twice.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

TESTS = Path(__file__).parent
ROOT = TESTS.parent
# Found before any test moves HOME: model files are big and downloading them is the user's decision.
MODELS = find_paths().models
REQUIRE_MODELS = os.environ.get("SECONDME_REQUIRE_MODELS") == "1"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of `secondme` left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.stdout)


class Run(Protocol):
    """Run `secondme` as a process of its own."""

    def __call__(
        self,
        *arguments: str | Path,
        stdin: str | bytes | None = None,
        replies: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Ran:
        """Return what it did; no models are configured unless `replies` are given or `env` names some."""


class ModelFile(Protocol):
    """Find a model file on this machine."""

    def __call__(self, alias: str) -> Path:
        """Return its path; where it is absent the test is skipped, or fails under SECONDME_REQUIRE_MODELS=1."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under SECONDME_REQUIRE_MODELS=1 a test that needs a model fails where it would be skipped."""
    report = yield
    if REQUIRE_MODELS and report.skipped and item.get_closest_marker("model"):
        report.outcome = "failed"
        report.longrepr = f"skipped though models are required: {report.longreprtext}"
    return report


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point every place of the user below tmp_path and return the home folder of secondme, not yet made."""
    for name in os.environ:
        # The size of a terminal that tests are started on holds for none that they open.
        if name.startswith("SECONDME_") or name in ("COLUMNS", "LINES"):
            monkeypatch.delenv(name)
    user = tmp_path / "user"
    monkeypatch.setenv("HOME", str(user))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(user / name.lower()))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(user / "run"))
    monkeypatch.setenv("SECONDME_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SECONDME_MODELS", str(MODELS))
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def no_thread_outlives_its_test() -> Iterator[None]:
    """Fail a test that leaves a thread running."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5
    leaked = [thread for thread in threading.enumerate() if thread not in before]
    for thread in leaked:
        thread.join(max(0.0, deadline - time.monotonic()))
    assert not [thread.name for thread in leaked if thread.is_alive()]


@pytest.fixture
def scripted() -> FakePlugin:
    """A plugin with a scripted model and a hashing embedder; put its replies into `scripted.model.replies`."""
    return FakePlugin()


@pytest.fixture
def lived(own_home: Path, scripted: FakePlugin, monkeypatch: pytest.MonkeyPatch) -> Iterator[Assistant]:
    """A memory that lived, open; the clock stands still, so that it can be compared with another."""
    monkeypatch.setenv("SECONDME_NOW", to_text(NOW))
    with open_memory(own_home, scripted) as me:
        live(me)
        yield me


@pytest.fixture
def model_file() -> ModelFile:
    """Find a model of the catalog on this machine."""

    def find(alias: str) -> Path:
        path = MODELS / get_entry(alias).file
        if not path.exists():
            pytest.skip(f"{path} is absent: secondme model pull {alias}")
        return path

    return find


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes, where one can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `secondme` with arguments as a process of its own, with the fake models where `replies` are given."""

    def run_secondme(
        *arguments: str | Path,
        stdin: str | bytes | None = None,
        replies: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Ran:
        environ = {**os.environ, **_model_settings(tmp_path, replies)}
        environ["PYTHONPATH"] = os.pathsep.join(
            map(str, (ROOT, ROOT / "plugins", ROOT / "tui", TESTS, TESTS / "fake-plugin"))
        )
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "secondme", *map(str, arguments)],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env={**environ, **(env or {})},
            check=False,
            timeout=120,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run_secondme


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `secondme` as `run` does, but within the process of the test, which is many times faster."""

    def call_secondme(
        *arguments: str | Path,
        stdin: str | bytes | None = None,
        replies: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Ran:
        given = stdin.encode() if isinstance(stdin, str) else stdin or b""
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(TESTS / "fake-plugin"))
            patch.setattr(sys, "argv", ["secondme", *map(str, arguments)])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))
            for name, value in {**_model_settings(tmp_path, replies), **(env or {})}.items():
                patch.setenv(name, value)
            capsys.readouterr()
            with pytest.raises(SystemExit) as left:
                main()
        said = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Ran(left.value.code, said.out, said.err)

    return call_secondme


def _model_settings(folder: Path, replies: Sequence[str] | None) -> dict[str, str]:
    """The variables for the fake models with these replies, or for no models."""
    if replies is None:
        return {"SECONDME_MODELS_LANGUAGE": "", "SECONDME_MODELS_EMBEDDER": ""}
    script = folder / "script.jsonl"
    script.write_text("".join(json.dumps(reply) + "\n" for reply in replies), encoding="utf-8")
    fakes = {"SCRIPT": str(script), "MODELS_LANGUAGE": "scripted", "MODELS_EMBEDDER": "hashing"}
    return {f"SECONDME_{name}": value for name, value in fakes.items()}
