"""No process of secondme but the one that fetches a model reaches any other machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from conftest import ROOT, TESTS, ModelFile, Run
from daemons import Background, background, wait_for
from plugin_files import write_plugin

__all__ = ["background"]

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a filter in the kernel")

TRIES = r"""
import ctypes, errno, json, os, socket, subprocess, sys, threading
from secondme import network

def tried(what):
    try:
        what()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

def raw(family):
    ctypes.set_errno(0)
    made = libc.socket(family, socket.SOCK_STREAM, 0)
    return "done" if made >= 0 else errno.errorcode[ctypes.get_errno()]

libc = ctypes.CDLL(None, use_errno=True)
begun, go_on = threading.Event(), threading.Event()
said = {}
def early():
    go_on.wait()
    said["thread"] = raw(socket.AF_INET)
thread = threading.Thread(target=early)
thread.start()
how = network.give_up(keeps_loopback=sys.argv[1] == "loopback")
go_on.set()
thread.join()
server = None
if sys.argv[1] == "loopback":
    server = socket.create_server(("127.0.0.1", 0))
    said["loopback"] = tried(lambda: socket.create_connection(server.getsockname(), timeout=5).close())
    said["by name"] = tried(lambda: socket.create_connection(("localhost", server.getsockname()[1]), timeout=5).close())
said["tcp"] = tried(lambda: socket.create_connection(("192.0.2.1", 80), timeout=0.1))
said["udp"] = tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)))
said["tcp6"] = tried(lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 80)))
said["listen"] = tried(lambda: socket.socket().bind(("0.0.0.0", 0)))
said["name"] = tried(lambda: socket.getaddrinfo("example.org", 80))
said["unix"] = tried(lambda: socket.socket(socket.AF_UNIX))
said["pair"] = tried(socket.socketpair)
said["native"] = raw(socket.AF_INET)
said["packet"] = raw(17)
said["rings"] = errno.errorcode[ctypes.get_errno()] if libc.syscall(425, 8, 0) < 0 else "done"
child = [sys.executable, "-c", "import socket; socket.socket(socket.AF_INET)"]
said["child"] = subprocess.run(child, stderr=subprocess.DEVNULL).returncode
print(json.dumps({"how": how, **said}))
"""


def tries(kind: str) -> dict[str, object]:
    """What a process that gave up the network can still do."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TRIES, kind],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@LINUX
def test_the_kernel_refuses_every_socket_but_local_ones_to_all_threads_native_code_and_children() -> None:
    found = tries("none")
    assert found.pop("how") == "kernel"
    assert (found.pop("unix"), found.pop("pair")) == ("done", "done")
    assert found.pop("child") == 1
    assert set(found.values()) == {"EACCES"}, found


def test_a_server_on_this_machine_stays_in_reach_and_no_other_machine() -> None:
    found = tries("loopback")
    assert found["how"] == "interpreter"
    assert (found["loopback"], found["by name"], found["unix"], found["pair"]) == ("done",) * 4
    assert {found[what] for what in ("tcp", "udp", "tcp6", "listen", "name")} == {"EACCES"}


CALLER = """
import errno, os, socket
from pathlib import Path
from secondme.hookspecs import hookimpl
from secondme.records import Note

def call():
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=0.1)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "connected"

@hookimpl
def embedder(config):
    if config.embedder == "caller":
        with open(os.environ["SECONDME_SCRIPT"], "a") as told:
            told.write(f"{os.getpid()} {call()}\\n")
    return None

@hookimpl
def read_document(path):
    return [Note(text=f"the reader heard {call()}", uri=str(path))] if path.suffix == ".caller" else None
"""


def test_a_plugin_reaches_nothing_from_the_processes_of_the_daemon(background: Background, tmp_path: Path) -> None:
    plugins, told, notes = write_plugin(tmp_path / "plugins", "caller", CALLER), tmp_path / "told", tmp_path / "notes"
    notes.mkdir()
    (notes / "a.caller").touch()
    background.env |= {"PYTHONPATH": str(plugins), "SECONDME_SCRIPT": str(told), "SECONDME_MODELS_EMBEDDER": "caller"}
    background.run("watch", "add", notes)
    pid = background.start()
    wait_for(lambda: "the reader heard EACCES" in background.run("search", "reader").stdout)
    background.run("search", "anything")
    models = background.status()["models"]["pid"]
    wait_for(lambda: f"{models} EACCES\n" in told.read_text(encoding="utf-8"))
    if sys.platform == "linux":
        for one in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            assert "Seccomp:\t2" in Path(f"/proc/{one.pid}/status").read_text(encoding="utf-8"), one.cmdline()


def test_doctor_says_who_keeps_the_network_away(call: Run) -> None:
    found = call("doctor").stdout
    assert f"refused by the {'kernel' if sys.platform == 'linux' else 'interpreter'}" in found


RECORDER = """
import os, socket, sys

def note(file, what):
    with open(os.path.join(os.environ["RECORDED"], file), "a") as out:
        out.write(f"{what}\\n")

def hook(event, arguments):
    if event.startswith("socket."):
        local = (arguments[1] if event == "socket.__new__" else getattr(arguments[0], "family", None)) == 1
        if not local and event != "socket.gethostname":
            note("network", (event, sys.orig_argv[1:4]))

note("processes", sys.orig_argv)
sys.addaudithook(hook)
"""

FLOW = r"""
import json, os, subprocess, sys, time

home, notes = os.environ["SECONDME_HOME"], sys.argv[1]
said = []

def run(*arguments, given=""):
    command = [sys.executable, "-W", "error", "-m", "secondme", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120)
    said.append([arguments[0], done.returncode, done.stdout.replace(home, "HOME"), done.stderr.replace(home, "HOME")])
    return done

def settle(*arguments, words):
    deadline = time.monotonic() + 30
    while words not in run(*arguments).stdout:
        assert time.monotonic() < deadline, said[-1]
        said.pop()
        time.sleep(0.05)

run("add", "The spare key lies under the blue flower pot.")
run("watch", "add", notes)
try:
    assert run("daemon", "start").returncode == 0, said
    said.pop()
    settle("search", "harbour", words="harbour")
    settle("search", "dentist", words="dentist")
    run("search", "Where is the spare key?")
    run("ask", "Where is the spare key?")
finally:
    run("daemon", "stop")
run("ask", "Where is the spare key?", "--brief")
run("sleep")
run("facts")
run("undo", "r1", "--yes")
run("reindex")
run("export", home + "/out.jsonl")
run("forget", "n1", "--yes")
run("import", home + "/out.jsonl")
run("chat", "--plain", given="I moved to Porto in May.\nWhere did I move?\n/quit\n")
run("list")
print(json.dumps(said))
"""

MAIL = """From: Ann <ann@example.org>
To: me <me@example.org>
Subject: Thursday
Date: Mon, 1 Jun 2026 10:00:00 +0000

The dentist is on Thursday at nine.
"""


def flow(folder: Path, *, before: tuple[str, ...] = (), env: dict[str, str]) -> list[list[object]]:
    """What a memory in `folder` says to all that is done with it in the flow."""
    notes = folder / "notes"
    notes.mkdir(parents=True)
    (notes / "a.md").write_text("We walked along the harbour.\n", encoding="utf-8")
    (notes / "b.eml").write_text(MAIL, encoding="utf-8")
    done = subprocess.run(
        [*before, sys.executable, "-c", FLOW, str(notes)],
        env={**os.environ, **env, "SECONDME_HOME": str(folder), "SECONDME_DAEMON_MAX_LOAD": "100"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found: list[list[object]] = json.loads(done.stdout)
    return found


def alone(flow_env: dict[str, str], tmp_path: Path, *, in_own_words: tuple[str, ...] = ()) -> None:
    """Assert that all goes the same way with a network and without, and that nothing ever tries to use one.

    What a real model says differs: the marks around its evidence are of each memory.
    """
    recorded, customs = tmp_path / "recorded", tmp_path / "customs"
    recorded.mkdir()
    customs.mkdir()
    (customs / "sitecustomize.py").write_text(RECORDER, encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(customs), flow_env.get("PYTHONPATH", "")]))
    watched = {**flow_env, "PYTHONPATH": path, "RECORDED": str(recorded)}
    here, cut_off = flow(tmp_path / "a", env=flow_env), flow(tmp_path / "b", before=EMPTY_NAMESPACE, env=watched)
    assert [step[:2] for step in here] == [step[:2] for step in cut_off]
    for one, other in zip(here, cut_off, strict=True):
        assert one[0] in in_own_words or steady(one) == steady(other)
    assert [step for step in here if step[1] != 0] == []
    assert not (recorded / "network").exists(), (recorded / "network").read_text(encoding="utf-8")
    ran = (recorded / "processes").read_text(encoding="utf-8")
    assert all(f"secondme.{module}" in ran for module in ("daemon.host", "daemon.worker", "ingest.child")), ran
    subprocess.run([sys.executable, "-c", "import socket; socket.socket()"], env={**os.environ, **watched}, check=True)
    assert "socket.__new__" in (recorded / "network").read_text(encoding="utf-8")


def steady(step: list[object]) -> list[object]:
    """The step without how long it took and what time it was."""
    return [re.sub(r"[\d.:,]+( ms| s| min| seconds?)?", "0", str(part)) for part in step]


EMPTY_NAMESPACE = ("unshare", "--map-root-user", "--net")
NAMESPACES = pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run([*EMPTY_NAMESPACE, "true"], capture_output=True).returncode != 0,
    reason="network namespaces are not allowed here",
)


@NAMESPACES
def test_everything_works_without_a_network_and_nothing_tries_to_use_one(tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text(json.dumps("Under the blue flower pot. [1]") + "\n", encoding="utf-8")
    paths = (ROOT, ROOT / "plugins", ROOT / "tui", TESTS, TESTS / "fake-plugin")
    fakes = {"SECONDME_MODELS_LANGUAGE": "scripted", "SECONDME_MODELS_EMBEDDER": "hashing"}
    alone({**fakes, "SECONDME_SCRIPT": str(script), "PYTHONPATH": os.pathsep.join(map(str, paths))}, tmp_path)


@NAMESPACES
@pytest.mark.model
def test_so_it_is_with_real_models(tmp_path: Path, model_file: ModelFile) -> None:
    model_file("smollm2-135m")
    model_file("minilm-l6")
    small = {"SECONDME_MODELS_LANGUAGE": "smollm2-135m", "SECONDME_ANSWER_MAX_TOKENS": "30"}
    alone(small, tmp_path, in_own_words=("ask", "chat"))
