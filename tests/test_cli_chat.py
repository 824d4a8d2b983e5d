"""`secondme chat`: the conversation line by line, and what there is without a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from conftest import ROOT, TESTS, Ran, Run
from nights import open_memory
from test_cli_terminal import on_terminal

from secondme.models.prompts import NOT_IN_MEMORY
from secondme.store.chats import Chat, Turn

QUESTION = "Where did Ana move in spring?"


@pytest.fixture
def memory(call: Run) -> Run:
    """Two messages with vectors, and `secondme` to talk with."""
    ana = {"text": "Ana moved to Porto in spring", "uri": "chat:1", "happened_at": "2024-03-01T10:00:00Z"}
    ben = {"text": "Ben bought a bicycle", "uri": "chat:2", "happened_at": "2024-04-01T10:00:00Z"}
    call("add", "--jsonl", "-", stdin=f"{json.dumps(ana)}\n{json.dumps(ben)}", replies=[])
    return call


def say(memory: Run, *lines: str, replies: Sequence[str] = (), options: Sequence[str] = ()) -> Ran:
    """What comes of some lines."""
    return memory("chat", "--plain", *options, stdin="".join(f"{line}\n" for line in lines), replies=list(replies))


def turns(home: Path, chat: int = 1) -> list[Turn]:
    with open_memory(home) as me:
        return list(me.store.chats.turns(chat))


def chats(home: Path) -> list[Chat]:
    with open_memory(home) as me:
        return list(me.store.chats.list())


def test_what_is_told_is_kept_and_how_to_take_it_back_is_said(memory: Run, own_home: Path) -> None:
    said = say(memory, "I moved to Faro.")
    assert (said.code, said.stdout) == (0, "kept as n3; to take it back: /forget n3\n")
    assert said.stderr == ""
    assert [turn.text for turn in turns(own_home)] == ["I moved to Faro."]


def test_an_answer_is_said_with_its_sources_and_kept(memory: Run, own_home: Path) -> None:
    said = say(memory, QUESTION, replies=["  Ana moved to Porto [1]."])
    assert said.code == 0
    assert said.stdout == "Ana moved to Porto [1].\n[1] n1 · 2024-03-01 · chat:1\n"
    assert said.stderr == "reading 2 passages\n"
    [turn] = turns(own_home)
    assert (turn.answer, turn.is_whole, [one.id for one in turn.sources]) == (
        "Ana moved to Porto [1].",
        True,
        ["n1", "n2"],
    )


def test_what_no_source_says_is_marked_and_explained(memory: Run) -> None:
    said = say(memory, QUESTION, replies=["Ana moved to Porto [1]. Moving is always very tiring for everybody there."])
    assert said.stdout.startswith("Ana moved to Porto [1]. ° Moving is always")
    assert "° the model's own words, from no source" in said.stderr


def test_what_memory_does_not_hold_comes_with_what_is_closest(memory: Run, own_home: Path) -> None:
    said = say(memory, QUESTION, replies=[NOT_IN_MEMORY])
    assert said.code == 0
    assert said.stdout.splitlines()[0] == NOT_IN_MEMORY
    assert said.stdout.splitlines()[1].startswith("closest: n1 · 2024-03-01 · Ana moved to Porto in spring")
    assert turns(own_home)[0].regime == "abstained"


def test_without_a_model_the_closest_passages_are_named_and_the_talk_goes_on(memory: Run, own_home: Path) -> None:
    said = memory("chat", "--plain", stdin=f"{QUESTION}\nI like tea.\n")
    assert said.code == 0
    assert "closest: n1 · " in said.stdout
    assert "no language model is configured" in said.stderr
    assert "kept as n3" in said.stdout
    assert [(turn.kind, turn.answer, turn.is_whole) for turn in turns(own_home)] == [
        ("asked", "", False),
        ("said", "", True),
    ]


def test_a_follow_up_is_understood(memory: Run, own_home: Path) -> None:
    say(memory, QUESTION, "And why?", replies=["Ana moved to Porto [1].", "In spring [1]."])
    assert [turn.answer for turn in turns(own_home)] == ["Ana moved to Porto [1].", "In spring [1]."]


def test_commands_are_obeyed(memory: Run, own_home: Path) -> None:
    said = say(memory, "I like tea.", "/search bicycle", "/threads", "/serch x", "/copy", "/quit", "never heard")
    assert said.code == 0
    assert "n2 · 2024-04-01 · Ben bought a bicycle" in said.stdout
    assert "· I like tea. · 1 turn · here" in said.stdout
    assert "there is no /serch; /search" in said.stderr
    assert "a screen is needed to copy" in said.stderr
    assert len(turns(own_home)) == 1


def test_between_off_and_on_nothing_is_kept(memory: Run, own_home: Path) -> None:
    said = say(memory, "/off", "I like tea.", "/on", "I like cocoa.")
    assert said.stdout.count("kept as") == 1
    assert [turn.text for turn in turns(own_home)] == ["", "", "I like cocoa."]


def test_what_needs_a_yes_is_not_done_through_a_pipe(memory: Run) -> None:
    said = say(memory, "/forget n1", "y")
    assert "would remove n1: 1 passage" in said.stdout
    assert "nothing was done" in said.stderr
    assert memory("show", "n1").code == 0


def test_on_a_terminal_a_yes_forgets(memory: Run) -> None:
    code, screen = on_terminal("chat", "--plain", typed="/forget n1\nn\n/forget n1\ny\n/quit\n")
    assert code == 0
    assert "secondme, line by line. /help lists the commands" in screen
    assert screen.count("forget this for good? It cannot be taken back [y/N]") == 2
    assert screen.index("nothing was done") < screen.index("removed n1: 1 passage")
    assert memory("show", "n1").code == 1


def test_a_conversation_is_gone_on_with_by_its_number(memory: Run, own_home: Path) -> None:
    say(memory, "I like tea.")
    say(memory, "I like cocoa.", options=["1"])
    assert [turn.text for turn in turns(own_home)] == ["I like tea.", "I like cocoa."]
    refused = say(memory, "I like milk.", options=["7"])
    assert (refused.code, "there is no conversation 7" in refused.stderr) == (1, True)


def test_another_conversation_is_opened_and_named(memory: Run, own_home: Path) -> None:
    said = say(memory, "I like tea.", "/new", "I like cocoa.", "/open 1", "/delete 9")
    assert "another conversation\n" in said.stdout
    assert said.stdout.endswith("I like tea.\n")
    assert len(chats(own_home)) == 2


def test_a_line_that_cannot_be_kept_is_named_and_the_talk_goes_on(memory: Run) -> None:
    said = say(memory, "word " * 1_200_000, "I like tea.")
    assert (said.code, "max_file_bytes" in said.stderr, "kept as n3" in said.stdout) == (0, True, True)


@pytest.mark.parametrize("given", [b"", b"\n \n\x1b[31m\n", b"/quit"])
def test_no_words_leave_nothing(call: Run, own_home: Path, given: bytes) -> None:
    said = call("chat", "--plain", stdin=given)
    assert (said.code, said.stdout, said.stderr) == (0, "", "")
    assert chats(own_home) == []


def test_the_last_line_needs_no_newline_and_no_line_has_to_be_text(call: Run, own_home: Path) -> None:
    said = call("chat", "--plain", stdin=b"tea \xff\xfe and \x1b]52;c;aGk=\x07cake\ncocoa")
    assert said.code == 0
    assert [turn.text for turn in turns(own_home)] == ["tea \ufffd\ufffd and cake", "cocoa"]


def test_what_a_model_says_cannot_steer_the_terminal(memory: Run) -> None:
    said = say(memory, QUESTION, replies=["Ana moved to \x1b]52;c;aGk=\x07\x1b[31mPorto [1]."])
    assert "\x1b" not in said.stdout
    assert "Porto [1]." in said.stdout


def test_the_memory_is_made_where_there_is_none(run: Run, own_home: Path) -> None:
    said = run("chat", "--plain", stdin="I like tea.\n")
    assert (said.code, said.stdout) == (0, "kept as n1; to take it back: /forget n1\n")
    assert said.stderr == ""
    assert len(turns(own_home)) == 1


def test_output_that_nobody_reads_is_no_error_and_what_was_said_is_kept(own_home: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    environ = {**os.environ, "SECONDME_MODELS_EMBEDDER": "", "SECONDME_MODELS_LANGUAGE": ""}
    command = [sys.executable, "-m", "secondme", "chat", "--plain"]
    done = subprocess.run(
        command, input=b"I like tea.\n", env=environ, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [turn.text for turn in turns(own_home)] == ["I like tea."]


@pytest.mark.parametrize(
    ("arguments", "hint"), [(("chat",), "secondme chat --plain"), (("chat", "3"), "secondme chat --plain")]
)
def test_a_screen_needs_a_terminal(call: Run, own_home: Path, arguments: tuple[str, ...], hint: str) -> None:
    refused = call(*arguments)
    assert (refused.code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("secondme: chat needs a terminal\n")
    assert hint in refused.stderr
    assert not own_home.exists()


def test_secondme_alone_without_a_terminal_shows_its_help(call: Run, own_home: Path) -> None:
    shown = call()
    assert (shown.code, shown.stdout) == (2, "")
    assert shown.stderr.startswith("Usage: secondme ")
    assert "\n  chat " in shown.stderr
    assert not own_home.exists()


def test_a_night_can_be_had(run: Run, own_home: Path) -> None:
    said = run("chat", "--plain", stdin="My sister Nora keeps bees.\n/sleep\n/facts\n/sleep\n", replies=[])
    assert said.code == 0
    assert "r1 done\n" in said.stdout
    assert "My sister Nora keeps bees." in said.stdout.partition("r1 done\n")[2]
    assert said.stdout.endswith("nothing waits to be slept over\n")


SLOW = """
import os, sys, time
from fakes import FakePlugin, ScriptedModel

class Slow(ScriptedModel):
    def reply(self, prompt, **options):
        for word in super().reply(prompt, **options):
            yield word
            if "Porto" in word:
                print("begun", file=sys.stderr, flush=True)
                time.sleep(60)

plugin = FakePlugin()
plugin.model = Slow(["Ana moved to Porto. She likes it there very much."])

import secondme.plugins
load = secondme.plugins.load_plugins

def load_plugins(*arguments, **options):
    loaded = load(installed=False)
    loaded.register(plugin, "slow")
    return loaded

secondme.plugins.load_plugins = load_plugins
import secondme.cli.app
secondme.cli.app.load_plugins = load_plugins
sys.argv = ["secondme", "chat", "--plain"]
from secondme.cli import main
main()
"""


@pytest.fixture
def slow(memory: Run, own_home: Path) -> Iterator[subprocess.Popen[str]]:
    """`secondme chat --plain` as a process with a model that stops in the middle of its answer."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "plugins", TESTS)))
    models = {"SECONDME_MODELS_LANGUAGE": "scripted", "SECONDME_MODELS_EMBEDDER": "hashing"}
    # What was started in the background of a shell ignores interrupts, and so would what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW],
        env={**os.environ, **models, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def read_until(process: subprocess.Popen[str], line: str) -> None:
    """Read what a process says to stderr, up to a line."""
    assert process.stderr is not None
    for said in process.stderr:
        if said == f"{line}\n":
            return
    raise AssertionError(f"it never said {line!r}")


def test_an_interrupt_stops_the_answer_keeps_what_came_and_the_talk_goes_on(
    slow: subprocess.Popen[str], own_home: Path
) -> None:
    tell(slow, QUESTION)
    read_until(slow, "begun")
    slow.send_signal(signal.SIGINT)
    read_until(slow, "stopped")
    out, _ = slow.communicate("I like tea.\n", timeout=60)
    assert slow.returncode == 0
    assert "Ana moved to" in out
    assert "kept as n3" in out
    asked, told = turns(own_home)
    assert (asked.answer.startswith("Ana moved to"), "likes it" in asked.answer) == (True, False)
    assert (asked.is_whole, told.text) == (False, "I like tea.")
    # Forgetting what it was drawn from finds it, though it was stopped before its marks.
    assert {one.id for one in asked.sources} == {"n1", "n2"}


def test_an_interrupt_while_nothing_is_answered_leaves(slow: subprocess.Popen[str], own_home: Path) -> None:
    tell(slow, "I like tea.")
    assert slow.stdout is not None
    assert slow.stdout.readline().startswith("kept as n3")
    slow.send_signal(signal.SIGINT)
    _, err = slow.communicate(timeout=60)
    assert (slow.returncode, err) == (130, "secondme: interrupted\n")
    assert len(turns(own_home)) == 1


def test_what_was_asked_outlives_a_process_that_is_killed(slow: subprocess.Popen[str], own_home: Path) -> None:
    tell(slow, QUESTION)
    read_until(slow, "begun")
    slow.kill()
    slow.communicate(timeout=60)
    [turn] = turns(own_home)
    assert (turn.text, turn.answer, turn.is_whole) == (QUESTION, "", False)
