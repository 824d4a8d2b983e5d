"""The parsers that `bench/fuzzing.py` feeds: what each takes, and what it may do with it."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from plugins.test_chat_exports import CLAUDE, GPT
from plugins.test_documents_read import docx_of, pdf_of

from secondme import frames
from secondme.assistant import Assistant
from secondme.chat import commands
from secondme.chat.talk import Talk
from secondme.citations import Citer
from secondme.clean import clean, one_line
from secondme.clock import parse_moment
from secondme.config import Config, ModelsConfig, load_config
from secondme.errors import SecondmeError
from secondme.exchange import import_lines
from secondme.ingest.documents import ChildDied, _item
from secondme.ingest.folder import decode, notes_in
from secondme.ingest.frontmatter import front_matter, front_matter_end
from secondme.ingest.ignore import base_rules
from secondme.ingest.prepare import prepare
from secondme.ingest.segment import segment
from secondme.models.files import find_model
from secondme.plugins import load_plugins
from secondme.recall.when import annotate, find_ranges, question_range
from secondme.records import Note, Skipped

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
NO_MODELS = Config(models=ModelsConfig(language="", embedder=""))

Feed = Callable[[bytes], str | None]
"""Takes one input; returns what is wrong with what came of it."""


@dataclass(frozen=True)
class Parser:
    """One parser."""

    make: Callable[[Path], Feed]
    """Returns what feeds it, given a folder to work in; called in the process that does."""
    seeds: list[bytes]
    times: int = 1
    """How many times as many cases as others it gets."""


def parsers(corpora: Path) -> dict[str, Parser]:
    """Return all parsers by name, with what is damaged for them."""
    notes = sample(corpora, "md")
    words = [line for note in notes[:40] for line in note.split(b"\n") if line.strip()][:400]
    return {
        "text": Parser(text_reader("a.txt"), [*notes, *sample(corpora, "txt")]),
        "markdown": Parser(text_reader("a.md"), notes),
        "org": Parser(text_reader("a.org"), sample(corpora, "org")),
        "jsonl": Parser(text_reader("a.jsonl"), [json_lines()]),
        "whatsapp": Parser(text_reader("WhatsApp Chat.txt"), sample(corpora / "exports" / "whatsapp", "txt")),
        "html": Parser(document_reader("html", "a.html"), [HTML, *notes[:20]]),
        "pdf": Parser(document_reader("pdf", "a.pdf"), [pdf_of("one", "two"), pdf_of("a", info="/Title (b)")]),
        "docx": Parser(document_reader("docx", "a.docx"), made(docx_of, "a.docx")),
        "ics": Parser(document_reader("ics", "a.ics"), sample(corpora, "ics")),
        "mail": Parser(document_reader("mail", "a.eml"), sample(corpora, "eml")),
        "mbox": Parser(document_reader("mail", "a.mbox"), sample(corpora, "mbox")),
        "chatgpt": Parser(document_reader("chatgpt", "conversations.json"), [json.dumps(GPT).encode()]),
        "claude": Parser(document_reader("claude", "conversations.json"), [json.dumps(CLAUDE).encode()]),
        "archives": Parser(document_reader("chatgpt", "a.zip"), [zipped(json.dumps(GPT))]),
        "front matter": Parser(lambda _: feed_front_matter, [*FRONTS, *notes[:50]], 5),
        "segmenter": Parser(lambda _: feed_segmenter, notes),
        "ignore rules": Parser(ignore_rules, [IGNORED], 2),
        "search": Parser(searching, words),
        "dates": Parser(lambda _: feed_dates, [*DATES, *words], 5),
        "import": Parser(importing, [exported()]),
        "settings": Parser(settings, [SETTINGS], 2),
        "frames": Parser(lambda _: feed_frames, [frames.pack({"op": "ask", "question": "x" * 50, "k": [1, {}]})], 10),
        "notes of a reader": Parser(lambda _: feed_items, [json.dumps(one).encode() for one in ITEMS], 10),
        "model files": Parser(model_files, [b"GGUF\3\0\0\0" + bytes(64)], 2),
        "citations": Parser(lambda _: feed_citations, [*CITED, *words], 5),
        "slash commands": Parser(slash_commands, [f"/{name} n1 words".encode() for name in TYPED]),
        "clean": Parser(lambda _: feed_clean, [*notes, b"\x1b]8;;http://x\x07a\x1b]8;;\x07\x9b1m"], 5),
    }


def sample(folder: Path, suffix: str) -> list[bytes]:
    """The files of a kind, at most 200 of them."""
    found = sorted(folder.rglob(f"*.{suffix}"))[:: max(1, len(sorted(folder.rglob(f"*.{suffix}"))) // 200)]
    return [path.read_bytes() for path in found] or [b"words"]


def made(write: Callable[..., Path], name: str) -> list[bytes]:
    """The bytes of a document that a function writes."""
    with tempfile.TemporaryDirectory() as folder:
        return [write(Path(folder) / name, "one", "two").read_bytes()]


def zipped(content: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", content)
    return out.getvalue()


def json_lines() -> bytes:
    messages = [
        {"text": "hello", "uri": "u1", "thread": "t", "author": "Ann", "happened_at": "2024-06-01T12:00:00Z"},
        {"text": "again", "happened_at": 1717231800, "title": "x"},
    ]
    return "".join(json.dumps(one) + "\n" for one in messages).encode()


def exported() -> bytes:
    moment = "2024-06-01T12:00:00Z"
    texts = {"uri": "u1", "title": "", "text": "hello", "thread": "t", "author": "me", "origin": "typed"}
    line = {"v": 1, "type": "note", **texts, "happened_at": moment, "added_at": moment, "replaced_at": None}
    return f"{json.dumps(line)}\n{json.dumps({**line, 'text': 'other', 'replaced_at': moment})}\n".encode()


def problem_in(items: Iterable[Note | Skipped] | None) -> str | None:
    """What is wrong with what a reader returned; each note is made ready as for storing."""
    for item in items or ():
        if isinstance(item, Skipped):
            if "failed:" in item.why:
                return item.why.partition("failed: ")[2].partition(":")[0] + " in a reader"
            continue
        ready = prepare(item, NO_MODELS)
        if not isinstance(ready, Skipped):
            ready[0].text.encode()
            assert ready[0].happened_at is not None
    return None


def text_reader(name: str) -> Callable[[Path], Feed]:
    def make(folder: Path) -> Feed:
        plugins = load_plugins(installed=False)
        return lambda data: problem_in(notes_in(folder / name, data, plugins))

    return make


def document_reader(kind: str, name: str) -> Callable[[Path], Feed]:
    def make(folder: Path) -> Feed:
        plugins, path = load_plugins(installed=False).only(kind), folder / name

        def feed(data: bytes) -> str | None:
            path.write_bytes(data)
            try:
                return problem_in(plugins.read_document(path))
            except (MemoryError, RecursionError):
                return None  # the process that reads says so

        return feed

    return make


def feed_front_matter(data: bytes) -> None:
    text = clean(decode(data) or "")
    for one in (text, f"---\n{text}\n---\n"):
        assert 0 <= front_matter_end(one) <= len(one)
        front_matter(one)


def feed_segmenter(data: bytes) -> None:
    text = clean(decode(data) or "")
    for markdown in (True, False):
        spans = segment(text, markdown=markdown)
        whole = text.encode()
        for one in spans:
            assert whole[one.start : one.end].decode() == one.text


def ignore_rules(folder: Path) -> Feed:
    def feed(data: bytes) -> None:
        (folder / ".gitignore").write_bytes(data)
        rules = base_rules(folder, []).inside(folder, {".gitignore"})
        for name in ("a.md", "notes/" + "a" * 200 + ".txt", "été/x y.md", "-", "[a]"):
            rules.ignores(str(folder / name), is_folder=False)

    return feed


def searching(folder: Path) -> Feed:
    me = Assistant.open(folder / "home", config=NO_MODELS, plugins=load_plugins(installed=False))
    me.write([Note(text=text) for text in ("I met Ann in Lisbon.", "where the heron nests", "彼は東京に住んでいる")])

    def feed(data: bytes) -> None:
        question = data.decode("utf-8", "surrogateescape")
        if question.strip():
            me.recall(question, k=3)

    return feed


def feed_dates(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for one in find_ranges(text, now=NOW):
        assert one.start is None or one.end is None or one.start <= one.end
    question_range(text, now=NOW)
    annotate(text, said_at=NOW)
    try:
        parse_moment(text, now=NOW)
    except SecondmeError:
        return


def importing(folder: Path) -> Feed:
    me = Assistant.open(folder / "home", config=NO_MODELS, plugins=load_plugins(installed=False))

    def feed(data: bytes) -> None:
        import_lines(me.store, data.split(b"\n"))

    return feed


def settings(folder: Path) -> Feed:
    path = folder / "config.toml"

    def feed(data: bytes) -> None:
        path.write_bytes(data)
        try:
            load_config(path, environ={})
        except SecondmeError:
            return

    return feed


def feed_frames(data: bytes) -> None:
    stream = io.BytesIO(data)
    try:
        while frames.read(stream) is not None:
            pass
        frames.unpack(data)
    except frames.BadFrame:
        return


def feed_items(data: bytes) -> None:
    try:
        item = _item(frames.unpack(data), Path("a"))
    except (ChildDied, frames.BadFrame):
        return
    problem_in([item])


def model_files(folder: Path) -> Feed:
    path = folder / "a.gguf"

    def feed(data: bytes) -> None:
        path.write_bytes(data)
        try:
            find_model(str(path), folder)
        except SecondmeError:
            return

    return feed


def feed_citations(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    citer = Citer(["Ann met Bob in Lisbon", "the heron nests"], "Who met Bob?")
    whole = "".join(citer.pieces(text[at : at + 7] for at in range(0, len(text), 7)))
    assert len(whole) <= 20 * len(text) + 100


def slash_commands(folder: Path) -> Feed:
    me = Assistant.open(folder / "home", config=NO_MODELS, plugins=load_plugins(installed=False))
    me.write([Note(text=text) for text in ("I met Ann in Lisbon.", "where the heron nests")])
    talk = Talk(me)

    def feed(data: bytes) -> None:
        line = "/" + data.decode("utf-8", "surrogateescape").removeprefix("/")
        if not line.startswith("/e"):  # what writes files
            commands.attempt(talk, line)

    return feed


def feed_clean(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    once = clean(text)
    assert clean(once) == once
    once.encode()
    assert not any(character in once for character in "\x1b\x9b\x07\x08\u202e")
    one_line(text, 40).encode()


HTML = b"""<html><head><title>The Lock &amp; Key</title><style>p {color: red}</style><meta charset="utf-8"></head><body>
<h1>Locks</h1><script>alert(1)</script><p>The <b>spare key</b> <a href="x">lies</a>.</p><table><tr><td>a<td>b</table>
<img src="data:image/png;base64,AAAA" alt="A pot"><ul><li>one<li>two</ul><pre><code>x</code></pre></body></html>"""
FRONTS = [
    b"---\ntitle: a\ndate: 2024-06-01\ntags: [a, b]\naliases:\n  - x\n---\nwords\n",
    b"---\na: {b: [c, {d: e}]}\n...\n",
]
IGNORED = b"*.log\n!keep.log\n/build/\n**/x/**\na[b-d]?.md\n\\#x\n# comment\n  \nfoo/*/bar\n"
DATES = [
    *(b"last Tuesday at 5pm", b"between March 3rd and 5 April 2023", b"two weeks ago", b"in the summer of 1999"),
    *(
        b"since last year",
        b"2024-06-01 14:30",
        b"the day before yesterday",
        b"1st half of 2020",
        b"in 3 months",
        b"noon",
    ),
]
SETTINGS = b'[me]\nname = "Ann"\n[ingest]\nmax_file_bytes = 1000\nignore = ["*.log", "x"]\n[daemon]\nautostart = true\n'
ITEMS = [
    {"note": ["text", "uri", "thread", "author", "2024-06-01T12:00:00+00:00", "file", "title"]},
    {"skipped": ["what", "why", True]},
]
CITED = [b"Ann met Bob [1]. The heron nests [2][3], [ 1, 2 ; 9]. Yes.", b"No. [1] e.g. Mr. X [12]", b"[1][1][1]" * 20]
TYPED = [name for name in commands.COMMANDS if name not in ("export", "sleep")]
