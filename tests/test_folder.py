from __future__ import annotations

import inspect
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import at_most

from secondme.config import IngestConfig
from secondme.errors import ConfigError
from secondme.hookspecs import hookimpl
from secondme.ingest.folder import Reader, decode, walk
from secondme.ingest.ignore import base_rules
from secondme.plugins import Plugins, load_plugins
from secondme.records import Note, Skipped

NOBODY = 65534


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return load_plugins(installed=False)


def write(root: Path, *names: str, text: str = "words\n") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def names(root: Path, *, ignore: tuple[str, ...] = (), home: Path = Path("/nowhere")) -> list[str]:
    found = walk(root, ignore=ignore, home=home)
    return [str(path.relative_to(root)) for path in found if isinstance(path, Path)]


def read(path: Path, plugins: Plugins, *, named: bool = False, limit: int = 1000) -> list[Note | Skipped]:
    with Reader(plugins, IngestConfig(max_file_bytes=limit)) as reader:
        return list(reader.read(path, named=named))


def why(path: Path, plugins: Plugins, *, named: bool = False, limit: int = 1000) -> list[str]:
    return [item.why for item in read(path, plugins, named=named, limit=limit) if isinstance(item, Skipped)]


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path, "b.md", "a/z.md", "a/b/c.md", "c.txt", "a.md")
    assert names(tmp_path) == ["a/b/c.md", "a/z.md", "a.md", "b.md", "c.txt"]


def test_what_is_not_the_users_writing_is_left_out(tmp_path: Path) -> None:
    write(
        tmp_path,
        "keep.md",
        ".hidden.md",
        ".obsidian/app.md",
        ".trash/old.md",
        "node_modules/x/readme.md",
        "a.md~",
        "#a.md#",
    )
    write(
        tmp_path,
        ".a.md.swp",
        "~$a.md",
        "4913",
        "x.tmp",
        "y.part",
        "z.crdownload",
        "memory.db",
        "memory.db-wal",
        "v/pyvenv.cfg",
    )
    write(tmp_path, "v/lib/readme.md", "media/.nomedia", "media/x.md", ".note.md.icloud", "my.db notes.md")
    assert names(tmp_path) == ["keep.md", "my.db notes.md"]


def test_a_tagged_cache_is_left_out_and_a_false_tag_is_not(tmp_path: Path) -> None:
    write(tmp_path, "cache/CACHEDIR.TAG", text="Signature: 8a477f597d28d172789f06886806bc55\n")
    write(tmp_path, "notes/CACHEDIR.TAG", text="something else\n")
    write(tmp_path, "cache/x.md", "notes/x.md")
    assert names(tmp_path) == ["notes/CACHEDIR.TAG", "notes/x.md"]


def test_hidden_folders_above_the_root_do_not_count(tmp_path: Path) -> None:
    write(tmp_path, ".config/node_modules/notes/a.md")
    assert names(tmp_path / ".config/node_modules/notes") == ["a.md"]


def test_ignore_files_count_from_their_folder_and_the_inner_one_wins(tmp_path: Path) -> None:
    write(tmp_path, ".gitignore", text="drafts/\n*.txt\n/only-here.md\n!\n")
    write(tmp_path, "sub/.secondmeignore", text="private*\n!keep.txt\n!.hidden.md\n")
    write(
        tmp_path, "a.md", "b.txt", "drafts/c.md", "only-here.md", "sub/only-here.md", "sub/private.md", "sub/keep.txt"
    )
    write(tmp_path, "sub/.hidden.md", "sub/drafts/d.md", "private.md")
    assert names(tmp_path) == ["a.md", "private.md", "sub/.hidden.md", "sub/keep.txt", "sub/only-here.md"]


def test_patterns_of_the_configuration_count_too(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "archive/b.md", "c.md")
    assert names(tmp_path, ignore=("archive/", "c.*")) == ["a.md"]
    with pytest.raises(ConfigError, match=r"ingest\.ignore"):
        names(tmp_path, ignore=("!",))


@pytest.mark.parametrize(
    "pattern", ["*a*a*a*a*a*a*a*a*a*a*b", "*" * 3000 + "b", "a**a**a**a**a**b", "**/a/" * 200 + "b"]
)
def test_a_pattern_made_to_take_for_ever_matches_nothing(tmp_path: Path, pattern: str) -> None:
    (tmp_path / ".gitignore").write_text(f"{pattern}\n*.log\n", encoding="utf-8")
    write(tmp_path, "a" * 200 + ".md", "a/" * 40 + "c.md", "b.log")
    with at_most(5):
        assert names(tmp_path) == ["a/" * 40 + "c.md", "a" * 200 + ".md"]


@pytest.mark.parametrize("pattern", ["a[b-\\ud800d]?.md", "[z-a].md", "[a--b].md", "[[:x:]]", "\\"])
def test_a_line_that_is_no_pattern_matches_nothing(tmp_path: Path, pattern: str) -> None:
    (tmp_path / ".gitignore").write_text(f"{pattern}\n*.log\n", encoding="utf-8")
    write(tmp_path, "note.md", "b.log")
    assert names(tmp_path) == ["note.md"]


@given(st.binary(max_size=200) | st.text("*?[]!/\\-a^ ", max_size=30).map(str.encode))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_rules_or_are_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".gitignore").write_bytes(content)
    rules = base_rules(tmp_path, []).inside(tmp_path, {".gitignore"})
    with at_most(5):
        rules.ignores(str(tmp_path / "a" / ("a" * 100)), is_folder=False)


def test_the_own_data_folder_is_never_read(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "home/b.md")
    (tmp_path / "link").symlink_to(tmp_path / "home")
    assert names(tmp_path, home=tmp_path / "link") == ["a.md"]
    assert list(walk(tmp_path / "home", home=tmp_path / "link")) == [
        Skipped(str(tmp_path / "home"), "holds the memory itself")
    ]


def test_links_are_not_followed_so_a_loop_is_harmless(tmp_path: Path) -> None:
    write(tmp_path, "notes/a.md", "outside/b.md")
    (tmp_path / "notes/loop").symlink_to(tmp_path / "notes")
    (tmp_path / "notes/out.md").symlink_to(tmp_path / "outside/b.md")
    found = list(walk(tmp_path / "notes", home=Path("/nowhere")))
    notes = tmp_path / "notes"
    link = "symbolic link, not followed"
    assert found == [notes / "a.md", Skipped(str(notes / "loop"), link), Skipped(str(notes / "out.md"), link)]


def test_a_link_that_leads_nowhere_costs_only_itself(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    (tmp_path / "self.md").symlink_to("self.md")
    (tmp_path / "gone.md").symlink_to("never.md")
    link = "symbolic link, not followed"
    found = [Skipped(str(tmp_path / name), link) for name in ("gone.md", "self.md")]
    assert list(walk(tmp_path, home=Path("/nowhere"))) == [tmp_path / "a.md", *found]


def test_the_root_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path, "notes/a.md")
    (tmp_path / "link").symlink_to(tmp_path / "notes")
    assert list(walk(tmp_path / "link", home=Path("/nowhere"))) == [tmp_path / "notes/a.md"]


def test_pipes_and_sockets_are_named_and_not_waited_for(
    tmp_path: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket has to be short
    os.mkfifo("pipe.md")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.md")
        assert [item.why for item in walk(tmp_path, home=Path("/nowhere")) if isinstance(item, Skipped)] == [
            "not a regular file"
        ] * 2
        assert why(tmp_path / "pipe.md", plugins) == ["not a regular file"]
        assert why(tmp_path / "socket.md", plugins) == ["not a regular file"]
    assert why(tmp_path, plugins, named=True) == ["not a regular file"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that a user without rights can enter, as tmp_path is not."""
    folder = Path(os.path.realpath(tempfile.mkdtemp()))
    folder.chmod(0o755)
    yield folder
    (folder / "closed").chmod(0o755)
    shutil.rmtree(folder)


def test_a_folder_or_file_without_permission_is_skipped_and_the_rest_is_read(
    open_folder: Path, plugins: Plugins
) -> None:
    write(open_folder, "a.md", "closed/b.md", "locked.md", "z.md")
    (open_folder / "inside.md").symlink_to("closed/b.md")
    (open_folder / "closed").chmod(0)
    (open_folder / "locked.md").chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        found = list(walk(open_folder, home=Path("/nowhere")))
        reasons = why(open_folder / "locked.md", plugins)
    finally:
        os.seteuid(user)
    closed = Skipped(str(open_folder / "closed"), "no permission to read it")
    link = Skipped(str(open_folder / "inside.md"), "symbolic link, not followed")
    assert found == [open_folder / "a.md", closed, link, open_folder / "locked.md", open_folder / "z.md"]
    assert reasons == ["no permission to read it"]


def test_a_folder_that_is_not_there_is_skipped(tmp_path: Path) -> None:
    write(tmp_path, "file.md")
    assert [item.why for item in walk(tmp_path / "none", home=tmp_path) if isinstance(item, Skipped)] == [
        "no such file"
    ]
    assert [item.why for item in walk(tmp_path / "file.md", home=tmp_path) if isinstance(item, Skipped)] == [
        "not a folder"
    ]


def test_a_folder_deeper_than_python_recurses_is_walked(tmp_path: Path) -> None:
    write(tmp_path, "d/" * 200 + "a.md")
    assert names(tmp_path / ("d/" * 199)) == ["d/a.md"]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        found = list(walk(tmp_path, home=Path("/nowhere")))
    finally:
        sys.setrecursionlimit(limit)
    assert len(found) == 1


def test_a_name_that_is_not_utf8_is_skipped(tmp_path: Path, plugins: Plugins) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md"))).write_text("x", encoding="utf-8")
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xe9"))
    folder.mkdir()
    (folder / "a.md").write_text("x", encoding="utf-8")
    file, skipped = (Skipped(f"{tmp_path}/{name}", "its name is not utf-8") for name in ("caf\ufffd.md", "d\ufffd"))
    assert list(walk(tmp_path, home=Path("/nowhere"))) == [file, skipped]
    assert list(walk(folder, home=Path("/nowhere"))) == [skipped]
    assert read(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md")), plugins) == [file]


def test_a_note_is_the_cleaned_file_under_its_absolute_path(
    tmp_path: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbfone\r\n\x1b[31mtwo\x1b[0m [/b]\r\n")
    monkeypatch.chdir(tmp_path)
    (note,) = read(Path("a.md"), plugins)
    assert isinstance(note, Note)
    assert (note.text, note.uri) == ("one\ntwo [/b]\n", str(tmp_path / "a.md"))


def test_a_kind_of_file_that_no_plugin_reads_is_reported_only_when_named(tmp_path: Path, plugins: Plugins) -> None:
    write(tmp_path, "a.py")
    assert read(tmp_path / "a.py", plugins) == []
    assert why(tmp_path / "a.py", plugins, named=True) == ["no plugin reads this kind of file"]
    (tmp_path / "photo.jpg").write_bytes(bytes(range(256)) * 8)
    assert read(tmp_path / "photo.jpg", plugins) == []
    assert why(tmp_path / "photo.jpg", plugins, named=True) == ["larger than 1,000 bytes"]


def test_a_named_link_is_followed_and_a_found_one_is_not(tmp_path: Path, plugins: Plugins) -> None:
    write(tmp_path, "a.md")
    (tmp_path / "link.md").symlink_to("a.md")
    (tmp_path / "loop.md").symlink_to("loop.md")
    (note,) = read(tmp_path / "link.md", plugins, named=True)
    assert isinstance(note, Note)
    assert note.uri == str(tmp_path / "a.md")
    assert why(tmp_path / "link.md", plugins) == ["not a regular file"]
    assert why(tmp_path / "loop.md", plugins, named=True) == ["not a regular file"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\t\r\n", "empty"),
        (b"\xef\xbb\xbf\xe2\x80\x8b", "empty"),
        (b"a\0b", "not text"),
        (b"\xff\xfe\0", "not text"),
        (b"\xff\x01\x02\x03\x04", "not text"),
        (b"x" * 1001, "larger than 1,000 bytes"),
    ],
)
def test_what_is_no_note_is_skipped_with_the_reason(tmp_path: Path, plugins: Plugins, data: bytes, reason: str) -> None:
    (tmp_path / "a.md").write_bytes(data)
    assert why(tmp_path / "a.md", plugins) == [reason]


def test_a_missing_file_is_skipped(tmp_path: Path, plugins: Plugins) -> None:
    assert why(tmp_path / "a.md", plugins) == ["no such file"]
    assert why(tmp_path / ("a" * 300 + ".md"), plugins) == ["its path is too long"]


def test_a_file_whose_size_is_not_what_it_holds_is_skipped(plugins: Plugins) -> None:
    """Files of the kernel say that they are empty and are not; a file that grows meanwhile looks the same."""
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc")
    assert why(Path(f"/proc/{os.getpid()}/status"), plugins, named=True, limit=100_000) == [
        "it changed while it was read"
    ]


def test_a_reader_that_fails_costs_one_file(tmp_path: Path) -> None:
    class Failing:
        @hookimpl
        def read_notes(self, path: Path, text: str) -> list[Note] | None:
            raise ZeroDivisionError("oh")

    own = load_plugins(installed=False)
    own.register(Failing(), "failing")
    write(tmp_path, "a.md")
    assert why(tmp_path / "a.md", own) == ["plugin 'failing' failed: ZeroDivisionError"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("naïve 漢字".encode(), "naïve 漢字"),
        ("naïve 漢字".encode("utf-8-sig"), "naïve 漢字"),
        ("naïve 漢字".encode("utf-16"), "naïve 漢字"),
        (b"\xfe\xff" + "漢字".encode("utf-16-be"), "漢字"),
        ("naïve €5".encode("cp1252"), "naïve €5"),
        ("漢字\n".encode() + b"na\xefve\n", "漢字\nnaïve\n"),
        (b"\x00\x01", None),
    ],
)
def test_the_usual_encodings_are_read(data: bytes, text: str | None) -> None:
    assert decode(data) == text


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_not_text(data: bytes) -> None:
    text = decode(data)
    assert text is None or "\0" not in text
