"""Kills `secondme` in the middle of its work, and looks whether all that it had acknowledged is still there.

The process that is killed runs real commands, one after the other. Before each it writes down what it is about to do
and after each that it was done, so that what was stored and not yet acknowledged counts neither as kept nor as lost.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from nights import old_memory, open_memory

from secondme.records import Note
from secondme.store.checks import look_through
from secondme.store.connect import open_database
from secondme.store.copies import backups, is_good
from secondme.store.store import Store

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PATIENCE = 20.0
LOADED = (
    *(f"secondme.cli.{name}" for name in ("app", "add", "copies", "encryption", "intake", "journal", "notes", "sleep")),
    *("secondme.ingest.imports", "secondme.sleep.night", "secondme.store.replacement"),
)
OLD = ["I live in Lisbon.", "My sister Nora keeps bees."]
"""What the notes say that are there when a memory is migrated or encrypted."""
Record = tuple[str, str, list[str]]
"""An operation, whether it begins or is done, and what it is about."""


class Work:
    """What the process that will be killed does: one kind of work, over and over."""

    def __init__(self, log: Path, folder: Path, name: str) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._folder = folder
        self._name = name
        self._count = 0

    def add(self) -> None:
        """Add one note, and twenty in one transaction."""
        text = self._text()
        self._run("add", [text], "add", text)
        self._add(20)

    def forget(self) -> None:
        """Add three notes and forget one that may have been there for long."""
        self._add(3)
        notes = json.loads(self._run("list", [], "list", "--json", "-n", "0"))["notes"]
        note = random.Random(f"{self._name}{self._count}").choice(notes)
        self._run("forget", [note["text"]], "forget", note["id"], "--yes")

    def sleep(self) -> None:
        """Add notes and sleep over them."""
        self._add(8)
        self._run("sleep", [], "sleep", "--yes")

    def undo(self) -> None:
        """Sleep over new notes and take that night back."""
        self._add(4)
        run = json.loads(self._run("sleep", [], "sleep", "--yes", "--json"))["run"]
        self._run("undo", [run], "undo", run, "--yes")

    def backup(self) -> None:
        """Add a note and write a copy, to a new file and over it."""
        self._run("add", [text := self._text()], "add", text)
        copy = str(self._folder / f"{self._name}-{self._count}.db")
        for _ in range(2):
            self._run("backup", [copy], "backup", copy, "--yes")

    def restore(self) -> None:
        """Write a copy, add notes, and put the copy in the place of the memory."""
        copy = str(self._folder / f"{self._name}-{self._count}.db")
        self._run("backup", [copy], "backup", copy)
        texts = self._add(3)
        self._run("restore", texts, "restore", copy, "--yes")

    def migrate(self) -> None:
        """Open a memory whose tables are those of an earlier version."""
        self._elsewhere("old", "migrate", "list")

    def encrypt(self) -> None:
        """Encrypt a memory, with its copies."""
        self._elsewhere("plain", "encrypt", "encrypt")

    def _elsewhere(self, template: str, operation: str, *arguments: str) -> None:
        home = self._folder / f"{self._name}-{self._count}"
        self._count += 1
        shutil.copytree(self._folder / template, home)
        more = ("--key-file", f"{home}.key") if operation == "encrypt" else ()
        before = os.environ["SECONDME_HOME"]
        os.environ["SECONDME_HOME"] = str(home)
        self._run(operation, [str(home)], *arguments, *more)
        os.environ["SECONDME_HOME"] = before
        shutil.rmtree(home)

    def _text(self) -> str:
        self._count += 1
        return f"Ann met Dr {self._name.title()}{self._count} in room {self._count} on a cold day."

    def _add(self, count: int) -> list[str]:
        texts = [self._text() for _ in range(count)]
        lines = "".join(json.dumps({"text": text, "uri": text}) + "\n" for text in texts)
        self._ids = json.loads(self._run("add", texts, "add", "--jsonl", "-", "--json", stdin=lines))["ids"]
        return texts

    def _run(self, operation: str, what: list[str], *arguments: str, stdin: str = "") -> str:
        from secondme.cli.app import run

        self._note(operation, "begin", what)
        sys.stdin = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = run([*arguments])
        assert code == 0, (arguments, code, said.getvalue())
        self._note(operation, "done", what)
        return said.getvalue()

    def _note(self, operation: str, state: str, what: list[str]) -> None:
        record = json.dumps([operation, state, what])
        os.write(self._log, f"{record}\n".encode())


def serve() -> None:
    """Fork a process for each line that comes, and say how it ended: all it needs is loaded already."""
    for module in LOADED:
        import_module(module)
    for line in sys.stdin:
        kind, log, folder, name = json.loads(line)
        pid = os.fork()
        if not pid:
            work = Work(Path(log), Path(folder), name)
            while True:
                getattr(work, kind)()
        _say(pid)
        _, status = os.waitpid(pid, 0)
        _say(os.waitstatus_to_exitcode(status))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


@dataclass
class Tally:
    """What became of the kills."""

    kills: Counter[str] = field(default_factory=Counter)
    """By what was under way."""
    acknowledged: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    """Acknowledged and not there, or there by half."""
    problems: list[str] = field(default_factory=list)


class Killer:
    """A memory of its own, processes that work on it, and what is to be found in it."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self.home = folder / "home"
        self._folder = folder / "others"
        self._log = folder / "log"
        self._chance = random.Random(seed)
        self._round = 0
        self._present: set[str] = set()
        self._forgotten: set[str] = set()
        self.tally = Tally()
        (folder / "script").touch()
        settings = {"HOME": self.home, "SCRIPT": folder / "script"}
        fakes = {"MODELS_LANGUAGE": "scripted", "MODELS_EMBEDDER": "hashing"}
        paths = (ROOT, ROOT / "plugins", ROOT / "tui", TESTS, TESTS / "fake-plugin")
        self._env = {
            **os.environ,
            **{f"SECONDME_{name}": str(value) for name, value in {**settings, **fakes}.items()},
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
        }
        old = self._folder / "old"
        old.mkdir(parents=True)
        old_memory(old / "memory.db")
        shutil.copytree(old, self._folder / "plain")
        Store(self._folder / "plain" / "memory.db").close()

    def __enter__(self) -> Killer:
        """Start what starts the others."""
        self._server = subprocess.Popen(
            [sys.executable, "-c", "from kills import serve; serve()"],
            env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        """End it; whatever it has started was killed."""
        self._server.communicate()

    def kill(self, kind: str) -> None:
        """Have one kind of work done, kill it at a random moment after its first words, and look at what is there."""
        self._round += 1
        began = self._log.stat().st_size if self._log.exists() else 0
        code = self._kill(kind, began)
        records = self._records(began)
        if code != -signal.SIGKILL:
            self.tally.problems.append(f"{kind}: ended by itself with {code}")
        operation, state, what = records[-1]
        self.tally.kills[operation if state == "begin" else "between two"] += 1
        self.tally.acknowledged.update(name for name, state, _ in records if state == "done")
        pending = (operation, what) if state == "begin" else ("", [])
        self._expect(records)
        self._look(*pending)

    def finish(self) -> None:
        """Let one night come to its end: each note that is there is one fact, however often nights were killed.

        When something has been forgotten to its end, nothing forgotten is left in any file.
        """
        with open_memory(self.home) as me:
            me.forget([me.add(Note(text="Ann met nobody.")).id])
            for path in [*self.home.rglob("*"), *self._folder.glob("*.db*"), *self._folder.glob(".*")]:
                content = path.read_bytes() if path.is_file() else b""
                found = [text for text in self._forgotten if text.encode() in content]
                self.tally.problems += [f"{len(found)} forgotten texts in {path}"] if found else []
            state = me.sleep().state
            notes, facts = (sorted(one.text for one in found) for found in (me.notes(), me.current_facts()))
        if state != "done" or notes != facts:
            self.tally.problems.append(f"{state}: {len(notes)} notes, {len(facts)} facts")

    def _kill(self, kind: str, began: int) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        name = f"{kind}{chr(97 + self._round // 26 % 26)}{chr(97 + self._round % 26)}"
        self._server.stdin.write(json.dumps([kind, str(self._log), str(self._folder), name]) + "\n")
        self._server.stdin.flush()
        pid = int(self._server.stdout.readline())
        deadline = time.monotonic() + PATIENCE
        while not is_at_work(self._records(began), kind):
            assert time.monotonic() < deadline, f"{kind} acknowledged nothing"
            time.sleep(0.001)
        # What is under way takes 10 to 400 ms: a moment in it, or in what follows.
        time.sleep(self._chance.uniform(0, self._chance.choice((0.015, 0.1, 0.4))))
        os.kill(pid, signal.SIGKILL)
        return int(self._server.stdout.readline())

    def _records(self, began: int) -> list[Record]:
        if not self._log.exists():
            return []
        with self._log.open(encoding="utf-8") as file:
            file.seek(began)
            # A line that was cut off was never finished being said.
            return [tuple(json.loads(line)) for line in file if line.endswith("\n")]

    def _expect(self, records: list[Record]) -> None:
        for operation, state, what in records:
            if operation == "add" and state == "done":
                self._present.update(what)
            elif operation == "restore":
                # What was added after the copy was made is in the file that is kept aside.
                self._present.difference_update(what)
            elif operation == "forget":
                self._present.difference_update(what)
                if state == "done":
                    self._forgotten.update(what)

    def _look(self, operation: str, what: list[str]) -> None:
        with Store(self.home / "memory.db", create=False) as store:
            found = {note.text for note in store.notes()}
            missing = {"add": self._present - found, "forget": self._forgotten & found}
            if operation in ("add", "forget", "restore"):
                there = found & set(what)
                if there not in (set(), set(what)):
                    missing[operation] = set(what) - there
                # What was under way is what it was found to be, from now on.
                self._present |= there
                if operation == "forget" and not there:
                    self._forgotten.update(what)
            self.tally.lost.update({name: len(texts) for name, texts in missing.items() if texts})
            self.tally.problems += [*broken(store)]
        copies = backups(self.home / "memory.db")[-1:]
        if operation == "backup" and Path(what[0]).exists():
            copies.append(Path(what[0]))
        self.tally.problems += [f"a copy that is not whole: {copy}" for copy in copies if not is_good(copy)]
        if operation == "migrate":
            self.tally.problems += old_or_new(Path(what[0]))
        if operation == "encrypt":
            self.tally.problems += self._plain_or_encrypted(Path(what[0]))

    def _plain_or_encrypted(self, home: Path) -> list[str]:
        """Return what is wrong with a memory that was killed while it was encrypted."""
        if not (home / "memory.db").exists():
            return []  # it was killed before the file was copied, or after it was done with it
        key = Path(f"{home}.key")
        env = {**self._env, "SECONDME_HOME": str(home), **({"SECONDME_KEY_FILE": str(key)} if key.exists() else {})}
        command = [sys.executable, "-m", "secondme"]
        for words in ("verify", "list --json"):
            done = subprocess.run([*command, *words.split()], env=env, capture_output=True, text=True, check=False)
            if done.returncode:
                return [f"{words} after encrypting was killed: {done.stdout} {done.stderr}"]
        found = sorted(note["text"] for note in json.loads(done.stdout)["notes"])
        return [] if found == OLD else [f"encrypting left {found}"]


def is_at_work(records: list[Record], kind: str) -> bool:
    """True if something was acknowledged, and what is under way is of this kind."""
    return len(records) > 1 and records[-1][:2] == (kind, "begin")


def broken(store: Store) -> Iterator[str]:
    """Yield what of a memory is not whole."""
    yield from (f"{one.name}: {one.problem}" for one in look_through(store.db) if not one.ok)
    looks: Mapping[str, str] = {
        "notes without passages": """
            select id from notes where replaced_at is null and id not in (select note_id from passages)""",
        "facts without the line they rest on": """
            select id from memories where id not in (select memory_id from evidence where is_wording)""",
        "facts that no change made": "select id from memories where id not in (select memory_id from changes)",
        "facts of changes that were undone": """
            select c.id from changes c, json_each(c.operations, '$.added.memories') a
            where c.undone_at is not null and a.value in (select id from memories)""",
        "nights undone by half": """
            select run_id from changes group by run_id having count(undone_at) not in (0, count(*))""",
        "nights whose state is not that of their changes": """
            select r.id from runs r join changes c on c.run_id = r.id
            where (r.state = 'undone') <> (c.undone_at is not null)""",
        "passages read in a night that was undone": """
            select passage_id from digested d join runs r on r.id = d.run_id where r.state = 'undone'""",
    }
    for what, query in looks.items():
        if rows := store.db.conn.execute(query).fetchall():
            yield f"{what}: {rows[:5]}"


def old_or_new(home: Path) -> list[str]:
    """Return what is wrong with a memory whose migration was killed: its tables are all of before or all of now."""
    path = home / "memory.db"
    if not path.exists():
        return []  # it was killed before the file was copied, or after it was done with it
    db = open_database(path, create=False)
    applied = [row[0] for row in db.conn.execute("select name from _sqlite_migrations")]
    db.close()
    problems = [] if applied == ["m001_notes"] or len(applied) > 1 else [f"tables of {applied}"]
    with Store(path, create=False) as store:
        found = sorted(note.text for note in store.notes())
        problems += broken(store)
    return problems if found == OLD else [*problems, f"a migration left {found}"]


KINDS: tuple[Callable[[Work], None], ...] = (
    Work.add,
    Work.forget,
    Work.sleep,
    Work.undo,
    Work.backup,
    Work.restore,
    Work.migrate,
    Work.encrypt,
)


def run_kills(folder: Path, count: int, *, seed: int) -> Tally:
    """Kill so many times, each kind of work in turn, and return what became of it."""
    with Killer(folder, seed=seed) as killer:
        for number in range(count):
            killer.kill(KINDS[number % len(KINDS)].__name__)
        killer.finish()
    return killer.tally
