"""An encrypted memory: unreadable without the key, whole at every instant, opened by every part of ours."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import psutil
import pytest
from conftest import ROOT, TESTS, Run
from daemons import Background, background, wait_for
from sqlcipher3 import dbapi2

from secondme.assistant import Assistant
from secondme.clock import now
from secondme.encryption import change_key
from secondme.errors import IntegrityError, Locked, WrongKey
from secondme.keys import Key, is_sealed, read_key, remember
from secondme.paths import find_paths
from secondme.records import Note
from secondme.store.copies import back_up
from secondme.store.store import Store

__all__ = ["background"]

CANARY = "zebrafish-canary"
PHRASE = "it's five random wörds"
PATIENCE = 30.0


def write(home: Path, text: str = f"the {CANARY} lives in Porto") -> Path:
    """Store one note and return the database."""
    with Assistant.open(home) as me:
        me.add(Note(text=text))
    return home / "memory.db"


def holds(folder: Path, text: str) -> list[str]:
    """Return the files of a folder that have this text in them."""
    return [path.name for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


@pytest.fixture
def key_file(tmp_path: Path, own_home: Path, call: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A memory with one note, encrypted with the key in this file, which no setting names."""
    write(own_home)
    path = tmp_path / "key"
    assert call("encrypt", "--key-file", path).code == 0
    (own_home / "config.toml").unlink()
    remember(own_home / "memory.db", None)
    return path


def test_nothing_of_a_memory_can_be_read_in_its_folder_once_it_is_encrypted(own_home: Path, call: Run) -> None:
    write(own_home)
    with Assistant.open(own_home) as me:
        backup = back_up(me.store.db, own_home / "memory.db", "test", now=now())
    left = backup.with_name(".unfinished-memory-1.db.abc")
    left.write_bytes(backup.read_bytes())
    assert {"memory.db", backup.name, left.name} <= set(holds(own_home, CANARY))
    made = call("encrypt", "--key-file", own_home.parent / "key")
    assert made.code == 0
    assert "1 automatic backup likewise" in made.stderr
    assert "without the key nobody can read it" in made.stderr
    assert holds(own_home, CANARY) == []
    assert holds(own_home, "zebrafish") == []
    assert CANARY in call("search", "zebrafish").stdout
    assert sorted(path.name for path in own_home.iterdir()) == [*("backups", "config.toml", "daemon.lock", "memory.db")]
    assert list((own_home / "backups").iterdir()) == [backup]


def test_a_key_file_is_made_private_and_random_and_is_found_by_later_commands(own_home: Path, run: Run) -> None:
    path = own_home.parent / "key"
    made = run("encrypt", "--key-file", path)
    assert made.code == 0
    assert "lose it, and nobody can" in made.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert re.fullmatch(r"[0-9a-f]{64}\n", path.read_text(encoding="ascii"))
    assert path.read_text(encoding="ascii").strip() not in made.stdout + made.stderr
    assert run("add", f"the {CANARY} is the first note").code == 0
    assert holds(own_home, "first note") == []
    assert CANARY in run("search", "zebrafish").stdout


def test_a_key_file_that_is_set_before_is_the_one_that_encrypts(own_home: Path, tmp_path: Path, call: Run) -> None:
    path = tmp_path / "key"
    assert call("add", "tea").code == 0
    assert call("config", "set", "key.file", path).code == 0
    made = call("encrypt")
    assert (made.code, path.stat().st_mode & 0o777) == (0, 0o600)
    assert call("config", "get", "key.file").stdout.strip() == str(path)
    assert call("list").code == 0


def test_encrypting_twice_and_decrypting_what_is_plain_say_so(own_home: Path, call: Run) -> None:
    write(own_home)
    plain = call("decrypt")
    assert (plain.code, "is not encrypted" in plain.stderr) == (2, True)
    assert call("rekey").code == 2
    assert call("encrypt", "--key-file", own_home.parent / "key").code == 0
    again = call("encrypt")
    assert (again.code, "is encrypted already" in again.stderr) == (2, True)


def test_decrypting_gives_back_a_plain_file_with_all_in_it(own_home: Path, key_file: Path, call: Run) -> None:
    env = {"SECONDME_KEY_FILE": str(key_file)}
    done = call("decrypt", env=env)
    assert done.code == 0
    assert not is_sealed(own_home / "memory.db")
    assert CANARY in call("search", "zebrafish").stdout
    assert call("doctor").code == 0


def test_after_rekey_only_the_new_key_opens_the_memory_and_its_backups(
    own_home: Path, key_file: Path, call: Run
) -> None:
    env, new = {"SECONDME_KEY_FILE": str(key_file)}, key_file.with_name("new")
    database = own_home / "memory.db"
    with Store(database, key=read_key(key_file)) as store:
        # Made while it is encrypted, a backup is too, and is checked with the same key.
        backup = back_up(store.db, database, "test", now=now())
    assert is_sealed(backup)
    done = call("rekey", "--key-file", new, env=env)
    assert done.code == 0
    assert "SECONDME_KEY_FILE names another file" in done.stderr
    for path in (database, backup):
        with pytest.raises(WrongKey):
            Store(path, key=read_key(key_file))
        with Store(path, key=read_key(new)) as store:
            assert store.counts()["notes"] == 1
    assert CANARY in call("search", "zebrafish").stdout


def test_a_backup_of_an_encrypted_memory_is_encrypted_and_comes_back_with_its_key(
    own_home: Path, key_file: Path, call: Run, run: Run
) -> None:
    env, copy = {"SECONDME_KEY_FILE": str(key_file)}, own_home.parent / "copy.db"
    assert call("backup", copy, env=env).code == 0
    assert is_sealed(copy)
    assert call("add", "a later note", env=env).code == 0
    assert run("restore", copy, "--yes").code == 12
    done = run("restore", copy, "--yes", env=env)
    assert done.code == 0, done.stderr
    assert "the present memory has 2, 1 of them not in the copy" in done.stderr
    assert "later" not in call("list", env=env).stdout
    # With another key, what was put aside has it too, and the copy elsewhere is named.
    new = key_file.with_name("new")
    changed = call("rekey", "--key-file", new, env=env)
    assert f"a copy you made stays as it is: {copy}" in changed.stderr
    [aside] = own_home.glob("memory.db.aside-*")
    with Store(aside, key=read_key(new)) as store:
        assert store.counts()["notes"] == 2


def test_copies_elsewhere_of_an_encrypted_memory_are_listed_with_its_key(
    own_home: Path, key_file: Path, call: Run
) -> None:
    env, copy = {"SECONDME_KEY_FILE": str(key_file)}, own_home.parent / "copy.db"
    assert call("backup", copy, env=env).code == 0
    remember(own_home / "memory.db", None)
    assert str(copy) in call("backup", "--list", env=env).stdout
    without = call("backup", "--list")
    assert (without.code, "copies elsewhere are not listed" in without.stderr) == (1, True)


def test_what_a_restore_has_left_is_erased(own_home: Path, call: Run) -> None:
    write(own_home)
    (own_home / ".restoring-abc").write_text(CANARY, encoding="ascii")
    assert call("encrypt", "--key-file", own_home.parent / "key").code == 0
    assert holds(own_home, CANARY) == []


def test_a_key_that_stays_in_the_keyring_is_told(own_home: Path, key_file: Path, call: Run) -> None:
    keyring = {"SECONDME_KEY_KEYRING": "true", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    done = call("decrypt", env={"SECONDME_KEY_FILE": str(key_file), **keyring})
    assert (done.code, "the key may still be in the keyring" in done.stderr) == (0, True)


def test_a_plain_copy_can_be_restored_where_the_key_is_lost(own_home: Path, call: Run, run: Run) -> None:
    write(own_home)
    copy, key = own_home.parent / "copy.db", own_home.parent / "key"
    assert call("backup", copy).code == 0
    assert call("encrypt", "--key-file", key).code == 0
    key.unlink()
    done = run("restore", copy, "--yes")
    assert done.code == 0, done.stderr
    assert "the copy is not encrypted" in done.stderr
    assert CANARY in run("search", "zebrafish").stdout


@pytest.mark.parametrize(
    "command",
    [
        *(
            "add more",
            "search x",
            "ask x",
            "list",
            "stats",
            "sleep",
            "export -",
            "facts",
            "doctor",
            "chat --plain",
            "log",
        ),
        *("decrypt", "rekey", "daemon start", "daemon run", "watch list"),
    ],
)
def test_without_a_key_every_command_is_one_clear_line_and_exit_code_12(
    key_file: Path, call: Run, run: Run, command: str
) -> None:
    # The daemon takes the network away from its process, for good.
    done = (run if command.startswith("daemon") else call)(*command.split())
    assert done.code == 12
    assert "encrypted, and no key was given" in done.stdout + done.stderr
    assert "key.file" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_key_is_one_clear_line(own_home: Path, key_file: Path, run: Run) -> None:
    wrong = key_file.with_name("wrong")
    wrong.write_text("ab" * 32, encoding="ascii")
    done = run("search", "zebrafish", env={"SECONDME_KEY_FILE": str(wrong)})
    assert done.code == 12
    assert done.stderr.splitlines() == [
        f"secondme: {own_home / 'memory.db'}: the key does not fit, or the beginning of the file is damaged",
        "hint: try the key again; what a key file or command gives is its first line",
    ]
    gone = run("search", "x", env={"SECONDME_KEY_FILE": str(key_file.with_name("absent"))})
    assert (gone.code, "cannot be read" in gone.stderr) == (12, True)


def test_a_command_gives_the_key_and_one_that_fails_says_so(key_file: Path, call: Run) -> None:
    assert CANARY in call("search", "zebrafish", env={"SECONDME_KEY_COMMAND": f"cat {key_file}"}).stdout
    remember(find_paths().database, None)
    failed = call("search", "zebrafish", env={"SECONDME_KEY_COMMAND": "false"})
    assert (failed.code, "the key command failed (exit code 1)" in failed.stderr) == (12, True)
    absent = call("search", "zebrafish", env={"SECONDME_KEY_COMMAND": "no-such-program --at-all"})
    assert absent.code == 12


def test_a_keyring_that_does_not_answer_is_told_and_no_reason_to_crash(key_file: Path, run: Run) -> None:
    env = {"SECONDME_KEY_KEYRING": "true", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    done = run("search", "zebrafish", env=env)
    assert done.code == 12
    assert "the keyring does not answer (NoKeyringError)" in done.stderr


def test_any_sqlcipher_opens_the_file_with_the_passphrase(own_home: Path) -> None:
    database = write(own_home)
    change_key(find_paths(), None, Key(PHRASE))
    with closing(dbapi2.connect(str(database))) as other:
        other.execute("pragma key = '{}'".format(PHRASE.replace("'", "''")))
        assert other.execute("select count(*) from notes").fetchone() == (1,)
        assert other.execute("pragma cipher_settings").fetchall()[0] == ("PRAGMA kdf_iter = 256000;",)


def test_damage_another_program_and_a_missing_key_are_told_apart(own_home: Path, tmp_path: Path) -> None:
    key = Key("ab" * 32)
    text, foreign, sealed = tmp_path / "text.db", tmp_path / "foreign.db", tmp_path / "sealed.db"
    text.write_text("dear diary\n" * 1000, encoding="ascii")
    with closing(dbapi2.connect(str(foreign))) as other:
        other.execute("create table theirs (id)")
    with Store(sealed, key=key) as store:
        store.set_meta("x", "y" * 50_000)
    for path, given, said in (
        (text, None, "not a secondme database, or damaged at its beginning"),
        (foreign, None, "belongs to another program"),
        (sealed, None, "encrypted, and no key was given"),
        (sealed, Key("other"), "the key does not fit"),
    ):
        with pytest.raises(WrongKey, match=said):
            Store(path, key=given)
    content = bytearray(sealed.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 + 99] ^= 255
    sealed.write_bytes(content)
    with pytest.raises(IntegrityError, match="damaged"):
        Store(sealed, key=key)


def test_a_rehearsal_is_made_of_an_encrypted_memory_without_a_byte_on_the_disk(own_home: Path, key_file: Path) -> None:
    with Store(own_home / "memory.db", key=read_key(key_file)) as store:
        before = sorted(own_home.rglob("*"))
        copy = store.copy()
        assert copy.counts()["notes"] == 1
        copy.set_meta("only", "there")
        assert sorted(own_home.rglob("*")) == before
        copy.close()
        assert store.meta("only") is None


def test_a_memory_that_another_process_has_open_keeps_its_key(own_home: Path, call: Run) -> None:
    database = write(own_home)
    with Store(database):
        done = call("encrypt", "--key-file", own_home.parent / "key")
        assert (done.code, "another secondme has it open" in done.stderr) == (11, True)
    assert not is_sealed(database)
    assert call("encrypt", "--key-file", own_home.parent / "key").code == 0


VICTIMS = """
import json, os, signal, sys
from secondme.encryption import change_key
from secondme.keys import Key
from secondme.paths import find_paths
STEPS = ("os.mkdir", "os.link", "os.rename", "os.remove", "os.rmdir", "open")
for line in sys.stdin:
    old, new, step, seconds = json.loads(line)
    child = os.fork()
    if child == 0:
        def count(event, arguments):
            global step
            if event in STEPS and str(find_paths().data) in str(arguments):
                step -= 1
                if step == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(count)
        signal.setitimer(signal.ITIMER_REAL, seconds)  # its signal ends a process as abruptly
        change_key(find_paths(), *(Key(text) if text else None for text in (old, new)))
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


def test_killed_at_any_moment_the_memory_is_whole_with_the_old_key_or_the_new(own_home: Path) -> None:
    """Before each step that changes a file, and at moments between them."""
    notes = [Note(text=f"{CANARY} number {n} " + "word " * 100, uri=f"n:{n}") for n in range(100)]
    with Assistant.open(own_home) as me:
        me.add_many(notes)
    database, secret = own_home / "memory.db", "ab" * 32
    command, env = [sys.executable, "-c", VICTIMS], {**os.environ, "PYTHONPATH": str(ROOT)}
    kills, seen = 0, set()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True) as victims:
        assert victims.stdin is not None
        assert victims.stdout is not None
        steps = [(step, 0.0) for step in range(2, 24)] + [(0, 0.01 * tenth) for tenth in range(1, 10)]
        for step, seconds in steps:
            texts = (secret, "") if (was_sealed := is_sealed(database)) else ("", secret)
            victims.stdin.write(json.dumps([*texts, step, seconds]) + "\n")
            victims.stdin.flush()
            kills += int(victims.stdout.readline()) != 0
            seen.add(is_sealed(database) == was_sealed)
            remember(database, Key(secret) if is_sealed(database) else None)
            with Assistant.open(own_home) as me:
                me.store.index.check()
                assert me.store.counts()["notes"] == len(notes)
            assert not (own_home / ".sealing").exists()
            assert not is_sealed(database) or holds(own_home, CANARY) == []
        victims.stdin.close()
    assert seen == {True, False}
    # Some of the moments come after the end.
    assert kills >= 15


def test_the_daemon_and_its_processes_work_with_a_key_they_were_handed(
    own_home: Path, key_file: Path, background: Background
) -> None:
    background.replies = []
    env = {"SECONDME_KEY_FILE": str(key_file)}
    assert background.run("daemon", "start", env=env).code == 0
    # It has the key now, and so have those it starts: whoever asks them needs none.
    secret = key_file.read_text(encoding="ascii").strip()
    key_file.rename(key_file.with_name("elsewhere"))
    found = background.run("search", "zebrafish", "--json").json
    assert CANARY in found["matches"][0]["text"]
    background.wait(lambda status: not status["sleep"]["waiting"] or status["models"]["loaded"])
    daemon = psutil.Process(background.pid())
    for process in (daemon, *daemon.children(recursive=True)):
        assert secret not in " ".join(process.cmdline())
        assert secret not in str(process.environ())
    assert holds(own_home, secret) == []
    refused = background.run("decrypt", env={"SECONDME_KEY_FILE": str(key_file.with_name("elsewhere"))})
    assert (refused.code, "secondme daemon stop" in refused.stderr) == (11, True)
    assert background.run("daemon", "stop").code == 0


def test_a_night_in_a_process_of_its_own_is_handed_the_key(
    own_home: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from secondme.chat.nap import Nap

    monkeypatch.setenv("SECONDME_MODELS_LANGUAGE", "")

    remember(own_home / "memory.db", read_key(key_file))
    found = Nap().run(lambda done, total: None)
    # There is no model here: it has come as far as to miss it, which is behind the lock of the memory.
    assert found["error"] == "NoModel"


def test_a_service_of_the_system_needs_a_key_that_nobody_types(key_file: Path, call: Run) -> None:
    refused = call("daemon", "install")
    assert refused.code == 2
    assert "nobody to ask for the passphrase" in refused.stderr


@contextmanager
def talking(*arguments: str) -> Iterator[pexpect.spawn]:
    """Run `secondme` on a terminal."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "plugins", ROOT / "tui", TESTS)))
    models = {"SECONDME_MODELS_LANGUAGE": "", "SECONDME_MODELS_EMBEDDER": ""}
    process = pexpect.spawn(
        sys.executable,
        ["-m", "secondme", *arguments],
        env={**os.environ, **models, "PYTHONPATH": path, "TERM": "xterm-256color"},
        timeout=PATIENCE,
        encoding="utf-8",
        dimensions=(24, 100),
    )
    process.delaybeforesend = None
    try:
        yield process
    finally:
        process.close(force=True)


def answer(process: pexpect.spawn, prompt: str, text: str) -> None:
    """Type a passphrase once it is asked for and nothing is echoed."""
    process.expect_exact(prompt)
    wait_for(lambda: not process.getecho())
    process.sendline(text)


def test_on_a_terminal_the_passphrase_is_asked_for_twice_and_then_by_each_command(own_home: Path) -> None:
    write(own_home)
    with talking("encrypt") as process:
        answer(process, "new passphrase: ", PHRASE)
        answer(process, "the same again: ", PHRASE)
        process.expect_exact("without the key nobody can read it")
        process.expect(pexpect.EOF)
        assert PHRASE not in process.before
    assert holds(own_home, CANARY) == []
    with talking("search", "zebrafish") as process:
        answer(process, "passphrase: ", PHRASE)
        process.expect_exact(CANARY)
    with talking("search", "zebrafish") as process:
        answer(process, "passphrase: ", "wrong")
        process.expect_exact("the key does not fit")
        process.expect(pexpect.EOF)
    assert process.exitstatus == 12


def test_the_doctor_says_whether_the_memory_is_encrypted_and_whether_its_key_can_be_had(
    own_home: Path, key_file: Path, call: Run
) -> None:
    def said(**env: str) -> tuple[str, str]:
        remember(own_home / "memory.db", None)
        checks = call("doctor", "--json", env=env).json["checks"]
        [one] = [one for one in checks if one["name"] == "encryption"]
        return one["level"], one["detail"]

    secret = key_file.read_text(encoding="ascii").strip()
    assert said() == ("ok", "the memory is encrypted; the passphrase is asked for")
    assert said(SECONDME_KEY_FILE=str(key_file)) == ("ok", f"the memory is encrypted; the key is in {key_file}")
    assert said(SECONDME_KEY_COMMAND="false")[0] == "warning"
    key_file.chmod(0o644)
    assert said(SECONDME_KEY_FILE=str(key_file)) == (
        "warning",
        f"others on this machine can read the key file {key_file}",
    )
    assert secret not in call("doctor", env={"SECONDME_KEY_FILE": str(key_file)}).stdout
    assert call("decrypt", env={"SECONDME_KEY_FILE": str(key_file)}).code == 0
    assert said()[1] == "the memory is not encrypted"
    assert said(SECONDME_KEY_FILE=str(key_file))[0] == "warning"


def test_an_encrypted_export_is_read_by_import_with_its_key_alone(own_home: Path, tmp_path: Path, call: Run) -> None:
    with Assistant.open(own_home) as me:
        for number in range(30):
            me.add(Note(text=f"{CANARY} {number} " + "long words " * 500, uri=f"n:{number}"))
    key, target = tmp_path / "key", tmp_path / "export"
    key.write_text(PHRASE + "\n", encoding="utf-8")
    env = {"SECONDME_KEY_FILE": str(key)}
    assert call("export", target, "--encrypt", env=env).code == 0
    assert CANARY.encode() not in target.read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    other = {"SECONDME_HOME": str(tmp_path / "other")}
    assert call("import", target, env=other).code == 12
    done = call("import", target, env={**other, **env})
    assert (done.code, "30 versions of notes added" in done.stdout) == (0, True)
    with Assistant.open(own_home) as me, Assistant.open(tmp_path / "other") as same:
        assert [note.text for note in me.notes()] == [note.text for note in same.notes()]
    with closing(dbapi2.connect(str(target))) as plain:
        plain.execute("pragma key = '{}'".format(PHRASE.replace("'", "''")))
        assert plain.execute("select count(*) from export where line like '%canary%'").fetchone() == (30,)
    wrong = key.with_name("wrong")
    wrong.write_text("another", encoding="utf-8")
    assert call("import", target, env={**other, "SECONDME_KEY_FILE": str(wrong)}).code == 12
    assert call("export", "-", "--encrypt", env=env).code == 2


def test_two_passphrases_that_differ_change_nothing(own_home: Path) -> None:
    database = write(own_home)
    with talking("encrypt") as process:
        answer(process, "new passphrase: ", PHRASE)
        answer(process, "the same again: ", "another")
        process.expect_exact("the two are not the same")
        process.expect(pexpect.EOF)
    assert process.exitstatus == 2
    assert not is_sealed(database)


def test_the_interface_asks_for_the_passphrase_before_its_screen_opens(own_home: Path) -> None:
    write(own_home)
    change_key(find_paths(), None, Key(PHRASE))
    with talking() as process:
        answer(process, "passphrase: ", PHRASE)
        assert "\x1b[?1049h" not in process.before  # no screen yet
        process.expect_exact("\x1b[?1049h")
        process.expect_exact("Threads")
        assert PHRASE not in process.before


def test_a_plain_conversation_asks_for_the_passphrase(own_home: Path) -> None:
    write(own_home)
    change_key(find_paths(), None, Key(PHRASE))
    with talking("chat", "--plain") as process:
        answer(process, "passphrase: ", PHRASE)
        process.expect_exact("you:")
        process.sendline("/quit")
        process.expect(pexpect.EOF)


def test_whoever_opens_a_memory_while_its_key_is_changed_is_told_so(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from secondme.store.presence import Presence, alone

    database = write(own_home)
    with alone(database), pytest.raises(Locked, match="another file is being put in its place"):
        Presence(database, seconds=0.0)
    Presence(database, seconds=0.0).end()
