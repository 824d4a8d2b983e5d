"""What others wrote cannot steer the terminal, nor hide or move anything outside of its own box."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hostile import hostile_memory
from secondme_tui.keyboard import Parser
from talking import Memory
from terminals import PASTE, Terminal, terminal
from textual.events import Key, Paste

from secondme.records import Note

HOSTILE = (
    "red \x1b]52;c;aGFja2Vk\x07\x1b]0;HACKED\x07\x1b[2J\x1b[?1049l\x1b[10;10Hmoved \x1bc\x9b2J\x90q\x9c"
    "[/b] [bold]x[/] [@click=app.quit]y[/] \u202egnirts\u2066 \x08\x08end"
)

# What the interface itself writes: colours, places, modes, keyboard protocols, the shape of the pointer.
_OURS = re.compile(rb"\x1b\[[0-9;]*[mH]|\x1b\[\?[0-9]+(?:[hl]|\$p)|\x1b\[[<>=][0-9;]*u|\x1b\]22;[a-z-]*(?:\x07|\x1b\\)")
_LEAVES = (b"\x1b[?1049l", b"\x1b[10;10Hmoved")
_CONTROL = re.compile(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")


def steering(raw: bytes) -> list[bytes]:
    """What in the bytes of a terminal does more than to show text and is not the interface's own."""
    return [*_CONTROL.findall(_OURS.sub(b"", raw)), *(one for one in _LEAVES if one in raw)]


def frame(screen: Terminal) -> list[str]:
    """What is around the text: the top bar, the prompt, the footer."""
    return [screen.lines[0], *screen.lines[-2:]]


def prepared(memory: Memory, text: str, *, uri: str = "diary:1", author: str = "[/b]\x1b[2J") -> None:
    with memory() as me:
        me.add(Note(text, uri=uri, author=author, happened_at=datetime(2024, 3, 1, tzinfo=UTC)))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_note_and_an_answer_with_escape_codes_are_words(memory: Memory, size: tuple[int, int]) -> None:
    prepared(memory, f"I live in Porto. {HOSTILE}", uri="/tmp/\x1b]0;HACKED\x07[red]file\u202e:1")
    with terminal(replies=[f"You live in Porto [1]. {HOSTILE}"], size=size) as screen:
        before = frame(screen)
        screen.send("Where do I live?\r")
        screen.until_shown("[1] n1")
        assert "x[/] [@click=app.quit]y[/] gnirts" in " ".join(screen.text.replace("▎", " ").split())
        assert frame(screen) == [before[0], before[1], screen.lines[-1]]
        screen.send("\x1b1")
        screen.until_shown("▌1 I live in Porto. red")
        assert frame(screen) == before
        screen.send("/search Porto\r")
        screen.until_shown("/search Porto")
        assert frame(screen)[0] == before[0]
        assert steering(screen.raw) == []


def test_what_is_said_and_pasted_is_words(memory: Memory) -> None:
    with terminal() as screen:
        before = frame(screen)
        screen.send(PASTE.format(HOSTILE))
        screen.until_shown("gnirts")
        assert steering(screen.raw) == []
        screen.send("\r")
        screen.until_shown("kept as n1")
        assert frame(screen) == before
        assert steering(screen.raw) == []
        # Up has it in the prompt again, and the list of what was said before.
        screen.send("\x12")
        screen.until_shown("what was said before")
        screen.send("\x1b")
        screen.until_shown("say something to keep")
        assert steering(screen.raw) == []
    with memory() as me:
        assert "gnirts" in next(me.notes()).text


def test_a_paste_presses_no_keys(memory: Memory) -> None:
    prepared(memory, "I like tea.")
    with terminal() as screen:
        screen.send(PASTE.format("hello \x1b]x\r/forget n1\r\x1by\x1b\x1b[A"))
        screen.until_shown("/forget n1")
        assert "hello ]x" in screen.text
        assert "forget this for good?" not in screen.text
        # What is typed afterwards are keys again.
        screen.send("\x1b[A")
        screen.read(0.5)
        screen.send("!\r")
        screen.until_shown("kept as n2")
    with memory() as me:
        texts = sorted(note.text for note in me.notes())
    assert texts == ["I like tea.", "hello ]x\n/fo!rget n1\ny[A"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 4096])
def test_a_paste_is_read_whole_however_it_arrives(size: int) -> None:
    sent = "ab" + PASTE.format("one \x1b[31mtwo\x1b") + "\x1b[A" + PASTE.format("three")
    parser = Parser()
    read = [event for at in range(0, len(sent), size) for event in parser.feed(sent[at : at + size])]
    texts = [event.text if isinstance(event, Paste) else event.key for event in read if isinstance(event, Paste | Key)]
    assert texts == ["a", "b", "one [31mtwo", "up", "three"]


def test_what_was_kept_is_words_when_the_conversation_is_opened_again(memory: Memory) -> None:
    with memory() as me, me.store.writing():
        chat = me.store.chats.begin(now=datetime(2024, 3, 1, tzinfo=UTC))
        turn = me.store.chats.add(chat, "asked", HOSTILE, note=None, now=datetime(2024, 3, 1, tzinfo=UTC))
        me.store.chats.answer(turn, HOSTILE, regime="none", is_whole=True, sources=[])
        me.store.chats.rename(chat, HOSTILE)
    with terminal() as screen:
        before = frame(screen)
        screen.send("\x14")
        screen.until_shown("conversations")
        assert "[/b] [bold]x[/]" in screen.text
        screen.send("\r")
        screen.until(lambda: "▎" in screen.text and screen.text.count("gnirts") >= 2)
        assert frame(screen) == before
        assert steering(screen.raw) == []


def test_an_error_with_hostile_words_is_words(memory: Memory) -> None:
    with terminal() as screen:
        before = frame(screen)
        screen.send("/open [/b] [bold]x [@click=app.quit]y[/]\r")
        screen.until_shown("is no number of a conversation")
        assert frame(screen) == before
        assert steering(screen.raw) == []


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
def test_a_line_of_ten_thousand_characters_stays_in_its_box(memory: Memory, size: tuple[int, int]) -> None:
    prepared(memory, "I live in Porto. " + "x" * 10_000)
    with terminal(replies=["You live in Porto [1] " + "y" * 10_000], size=size) as screen:
        before = frame(screen)
        screen.send("Where do I live?\r")
        screen.until_shown("[1] n1")
        assert frame(screen) == before
        screen.send("\x1b1")
        screen.until_shown("▌1 I live in Porto.")
        assert frame(screen) == before


def test_a_body_of_megabytes_is_shown_around_its_line_without_a_wait(memory: Memory) -> None:
    filler = [f"This is row {number} of nothing much at all.\n" for number in range(60_000)]
    filler[40_000] = "The zebra is called Tom.\n"
    with memory() as me:
        me.add_many([Note("".join(filler) * 2, uri="diary:1")])
    with terminal(replies=["It is called Tom [1]."]) as screen:
        before = frame(screen)
        screen.send("How is the zebra called?\r")
        screen.until_shown("[1] n1")
        begun = time.monotonic()
        screen.send("\x1b1")
        screen.until_shown("▌39995")
        assert time.monotonic() - begun < 3
        assert frame(screen) == before


def test_what_is_pasted_may_have_megabytes(memory: Memory) -> None:
    with terminal() as screen:
        before = frame(screen)
        screen.send(PASTE.format("zebra " * 20_000))
        screen.until(lambda: "zebra" in screen.text)
        screen.send("\r")
        screen.until_shown("kept as n1")
        assert "characters more" in screen.text
        assert frame(screen) == before


def test_alt_with_enter_begins_a_line_also_without_a_newer_keyboard_protocol(memory: Memory) -> None:
    with terminal() as screen:
        screen.send("I like tea.")
        screen.until_shown("I like tea.")
        screen.send("\x1b\r")
        screen.send("I like rain.\r")
        screen.until_shown("kept as n1")
    with memory() as me:
        assert [note.text for note in me.notes()] == ["I like tea.\nI like rain."]


def test_without_colours_nothing_has_one(memory: Memory) -> None:
    with terminal(env={"NO_COLOR": "1"}) as screen:
        screen.send("I like tea.\r")
        screen.until_shown("kept as n1")
        colours = re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)", screen.raw)
        assert {colour for colour in colours if len(set(colour)) > 1} == set()
        assert "F2 Chat" in screen.lines[0]


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An editor that writes down what it was given, and adds a line to it where it may."""
    script, log = tmp_path / "editor", tmp_path / "log"
    script.write_text(
        "#!/bin/sh\n"
        f'printf "%s\\n" "$@" >> {log}\n'
        "for path; do :; done\n"
        f'cat "$path" >> {log}\n'
        '[ -w "$path" ] && [ "${path##*.}" = md ] && printf " and rain" >> "$path"\n'
        "exit 0\n",
        encoding="utf-8",
    )
    script.chmod(0o700)
    # Its name tells how it takes the line.
    kak = tmp_path / "kak"
    script.rename(kak)
    monkeypatch.setenv("VISUAL", str(kak))
    return log


def test_o_opens_the_source_at_its_line_and_the_screen_is_back_afterwards(
    memory: Memory, editor: Path, tmp_path: Path
) -> None:
    file = tmp_path / "diary.txt"
    file.write_text("First.\n\nI live in Porto.\n", encoding="utf-8")
    prepared(memory, file.read_text(encoding="utf-8"), uri=str(file))
    with terminal(replies=["You live in Porto [1]."], size=(100, 30)) as screen:
        before = frame(screen)
        screen.send("Where do I live?\r")
        screen.until_shown("[1] n1")
        screen.send("\x1b")
        screen.until_shown("Take back")
        screen.send("o")
        screen.until(editor.exists)
        screen.until(lambda: frame(screen)[0] == before[0] and "[1] n1" in screen.text)
        [at, path, *_] = editor.read_text(encoding="utf-8").splitlines()
        assert path == str(file)
        assert at.startswith("+")


def test_ctrl_o_goes_on_writing_in_the_editor(memory: Memory, editor: Path) -> None:
    with terminal() as screen:
        screen.send("I like tea\x0f")
        screen.until_shown("I like tea and rain")
        assert "I like tea" in editor.read_text(encoding="utf-8")
        screen.send("\r")
        screen.until_shown("kept as n1")


def test_an_editor_that_is_not_there_is_told_of(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor")
    with terminal() as screen:
        screen.send("I like tea\x0f")
        screen.until_shown("there is no editor no-such-editor")
        screen.send("\r")
        screen.until(lambda: "no-such-editor" not in screen.text)
        assert "I like tea" in screen.text


@pytest.mark.parametrize(("screen_key", "to_the_list"), [("\x1bOR", "\x1b"), ("\x1bOS", "\t")])
def test_browse_and_timeline_come_back_from_an_editor_that_is_not_there(
    memory: Memory, monkeypatch: pytest.MonkeyPatch, screen_key: str, to_the_list: str
) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor")
    prepared(memory, "I live in Porto.")
    with terminal(size=(120, 40)) as screen:
        screen.send(screen_key)
        screen.until_shown("I live in Porto.")
        screen.send(to_the_list)
        screen.until_shown("I live in Porto.")
        screen.send("o")
        screen.until_shown("there is no editor no-such-editor")
        screen.send("\r")
        screen.until(lambda: "no-such-editor" not in screen.text)
        assert "I live in Porto." in screen.text


def test_the_line_of_a_change_opens_in_the_editor(memory: Memory, editor: Path, tmp_path: Path) -> None:
    file = tmp_path / "diary.txt"
    file.write_text("First.\n\nI live in Porto.\n", encoding="utf-8")
    prepared(memory, file.read_text(encoding="utf-8"), uri=str(file), author="me")
    with memory() as me:
        me.sleep()
    with terminal() as screen:
        screen.send("\x1b[15~")
        screen.until_shown("m1 I live in Porto.")
        screen.send("o")
        screen.until(editor.exists)
        screen.until_shown("m1 I live in Porto.")
        assert editor.read_text(encoding="utf-8").splitlines()[:2] == ["+3", str(file)]


def test_no_screen_lets_what_is_stored_steer_the_terminal(own_home: Path, tmp_path: Path) -> None:
    hostile_memory(own_home, tmp_path)
    with terminal(size=(120, 40)) as screen:
        for key, shown in (
            ("\x1bOR", "[bold]y"),
            ("\x1bOS", "[bold]y"),
            ("\x1b[15~", "[bold]y"),
            ("\x1b[17~", "daemon"),
        ):
            screen.send(key)
            screen.until_shown(shown)
        screen.send("\x1bOQ")
        screen.until_shown("Threads")
        screen.send("\x14")
        screen.until_shown("conversations")
        screen.send("\r")
        screen.until(lambda: "[bold]y" in screen.text)
        assert steering(screen.raw) == []
        assert screen.process.isalive()
