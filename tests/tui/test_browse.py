"""Browsing on the screen: finding while typing, seeing where it stands, changing, pinning, forgetting."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from screens import Open, Screen
from secondme_tui.found import Section
from secondme_tui.queries import detail as details
from secondme_tui.screens.browse import BrowseScreen
from secondme_tui.widgets.results import Results
from textual import events
from textual.drivers.headless_driver import HeadlessDriver
from textual.widgets import Input, Static

from secondme.assistant import Assistant
from secondme.chat.talk import Talk
from secondme.records import Note, Origin

Memory = Callable[[], Assistant]
LIMIT = 0.05
"""Seconds that nothing may take on the thread of the screen."""
ROUNDS = 4


def told(text: str, day: str, *, uri: str = "", thread: str = "", author: str = "", origin: Origin = "typed") -> Note:
    moment = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    return Note(text, uri=uri, thread=thread, author=author, origin=origin, happened_at=moment)


def moved(me: Assistant) -> None:
    """Three notes of one life, slept over: m3 is where I live, m1 and m2 where I did."""
    me.add_many([told("I live in Lisbon.", "2024-01-05", uri="diary:1")])
    me.sleep()
    me.add_many([told("I moved to Porto.", "2024-06-05", uri="diary:6")])
    me.sleep()
    me.add_many([told("I moved to Braga.", "2024-08-05", uri="diary:8")])
    me.sleep()


def ids(screen: Screen) -> list[str]:
    """The ids of what is listed."""
    return [row.id for row in screen.app.screen.query_one(Results).rows]


async def listed(screen: Screen, *wanted: str) -> None:
    """Wait until exactly these are listed."""
    await screen.until(lambda: ids(screen) == [*wanted])


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the editor be a program that writes down what it was given; return where."""
    seen, script = tmp_path / "seen", tmp_path / "vim"
    program = "import sys; open(sys.argv[1], 'w').write(' '.join(sys.argv[2:]))"
    script.write_text(f'#!/bin/sh\n{shlex.quote(sys.executable)} -c "{program}" {shlex.quote(str(seen))} "$@"\n')
    script.chmod(0o755)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(script))
    # There is no terminal that would have to be left.
    monkeypatch.setattr(HeadlessDriver, "can_suspend", property(lambda _: True))
    return seen


async def test_a_word_is_found_before_it_is_typed_to_its_end(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(told("My sister sails to Madeira.", "2024-01-05"))
        me.add(told("The rent is due on Monday.", "2024-01-06"))
    async with show(mode="browse") as screen:
        await listed(screen, "n2", "n1")
        await screen.type("sis")
        await listed(screen, "n1")
        await screen.type("x")
        await screen.until_shown("nothing found for “sisx”")


async def test_what_is_typed_is_found_without_enter_and_shown_where_it_stands(show: Open, memory: Memory) -> None:
    with memory() as me:
        paragraphs = [f"Day {n}: nothing worth telling, only some weather and a walk." for n in range(60)]
        paragraphs[40] = "The plumber came and mended the boiler. See [[Kitchen]] and [[Bills|the bill]]."
        me.add(told("\n\n".join(paragraphs), "2024-05-01", uri="/home/me/diary.md", origin="file"))
        me.add(told("The garden is full of bees.", "2024-05-02"))
    async with show(mode="browse") as screen:
        await screen.type("boiler")
        await screen.until_shown("1 found by words")
        await screen.until(lambda: re.search("▌ *81 The plumber came", screen.text))
        [found] = ids(screen)
        assert found.startswith("n1.")
        text = screen.text
        assert "/home/me/diary.md:" in text
        assert "before and after" in text
        assert f"↑ n1.{int(found[3:]) - 1} · 2024-05-01" in text
        assert f"↓ n1.{int(found[3:]) + 1} · 2024-05-01" in text
        assert "Kitchen · Bills" in text


async def test_pinned_things_come_first_and_then_the_newest_of_all(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.write(told(f"Note number {n}.", f"2024-{n % 12 + 1:02}-01", uri=f"note:{n}") for n in range(250))
        me.pin("n7")
    async with show(mode="browse") as screen:
        await screen.until_shown("1 pinned · the newest 199 of 250 notes")
        assert ids(screen)[0] == "n7"
        assert len(ids(screen)) == 200
        results = screen.app.screen.query_one(Results)
        await screen.until(lambda: results.option_count == 200)
        await screen.press("escape", "end")
        assert results.row is not None
        assert results.row.id == ids(screen)[-1]


async def test_an_empty_memory_says_how_to_fill_it_and_what_is_not_found_is_said(show: Open, memory: Memory) -> None:
    async with show(mode="browse") as screen:
        await screen.until_shown("nothing is kept yet")
        with memory() as me:
            me.add(told("Bees.", "2024-05-02"))
        await screen.press("f2", "f3")
        await listed(screen, "n1")
        await screen.type("zebra")
        await screen.until_shown("nothing found for “zebra”")
        await listed(screen)
        await screen.press("escape", "escape")
        await listed(screen, "n1")
        await screen.press("escape", "ctrl+f", "tab", "tab", "tab")
        await screen.type("nobody")
        await screen.until_shown("nothing fits these filters")


@pytest.mark.parametrize(
    ("field", "text", "found"),
    [
        ("since", "last March", ["n3", "n2"]),
        ("until", "2024-01", ["n1"]),
        ("author", "nora", ["n3"]),
        ("source", "diary", ["n2"]),
        ("thread", "chat with", ["n3"]),
    ],
)
@pytest.mark.parametrize("words", ["", "bees"])
async def test_a_filter_restricts_what_is_listed_and_found(  # noqa: PLR0913
    show: Open, memory: Memory, monkeypatch: pytest.MonkeyPatch, words: str, field: str, text: str, found: list[str]
) -> None:
    monkeypatch.setenv("SECONDME_NOW", "2024-06-15T12:00:00Z")
    with memory() as me:
        me.add(told("Bees in winter.", "2024-01-20", uri="old:1", thread="old", author="Ines"))
        me.add(told("Bees in spring.", "2024-04-02", uri="/home/me/diary.md", origin="file"))
        me.add(told("Bees on the chat with you", "2024-05-02", uri="m:3", thread="Chat with Nora", author="Nora"))
    async with show(mode="browse") as screen:
        await screen.type(words)
        await screen.until(lambda: sorted(ids(screen)) == ["n1", "n2", "n3"])
        await screen.press("ctrl+f")
        screen.app.screen.query_one(f"#filter-{field}", Input).focus()
        await screen.type(text)
        await screen.until(lambda: sorted(ids(screen)) == sorted(found))


async def test_what_is_no_date_is_said_and_the_list_stays(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(told("Bees.", "2024-05-02"))
    async with show(mode="browse", size=(80, 24)) as screen:
        await listed(screen, "n1")
        await screen.press("ctrl+f", "tab")
        await screen.type("Smarch")
        await screen.until_shown("not a date or time: 'Smarch'")
        assert ids(screen) == ["n1"]


async def test_facts_alone_can_be_listed_and_found(show: Open, memory: Memory) -> None:
    with memory() as me:
        moved(me)
    async with show(mode="browse") as screen:
        await listed(screen, "n3", "n2", "n1")
        await screen.press("ctrl+f", "left")
        await listed(screen, "m3")
        await screen.press("slash")
        await screen.type("braga")
        await screen.until_shown("1 found by words")
        assert ids(screen) == ["m3"]
        await screen.press("ctrl+f", "left", "ctrl+f")
        await screen.until(lambda: ids(screen)[:1] == ["n3"])


async def test_a_fact_is_shown_with_its_evidence_and_its_history(show: Open, memory: Memory) -> None:
    with memory() as me:
        moved(me)
        me.pin("m3")
    async with show(mode="browse") as screen:
        await screen.until(lambda: ids(screen)[:1] == ["m3"])
        await screen.until_shown("over time")
        shown = " ".join(screen.text.replace("│", " ").split())
        for words in (
            "m1 · 2024-01-05 to 2024-06-05",
            "replaced by m2",
            "▸ m3 · since 2024-08-05",
            "rests on",
            "diary:8",
        ):
            assert words in shown, words
        await screen.press("escape", "down")
        await screen.until_shown("facts from it")


def test_of_a_fact_that_was_replaced_it_is_told_by_which(memory: Memory) -> None:
    with memory() as me:
        moved(me)
        found = details.detail(Talk(me), "m2")
    assert found.sections[0] == Section("replaced by", ["m3 · since 2024-08-05 · I moved to Braga."])


async def test_conflicts_of_a_fact_are_shown(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add_many([told("My sister is called Ana.", "2024-01-05"), told("My sister is called Eva.", "2024-01-05")])
        me.sleep()
        against = [fact for fact in me.store.facts.all() if fact.conflicts]
        assert against
        me.pin(against[0].id)
    async with show(mode="browse") as screen:
        await screen.until_shown("against it stands")


async def test_arrows_move_in_the_results_while_typing_goes_on(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(told("Bees in the garden.", "2024-05-01"))
        me.add(told("Bees on the roof.", "2024-05-02"))
    async with show(mode="browse") as screen:
        await screen.type("bees")
        await screen.until_shown("2 found")
        await screen.until(lambda: len(ids(screen)) == 2)
        first, second = ids(screen)
        await screen.until_shown(f"{first} ")
        await screen.press("down")
        results = screen.app.screen.query_one(Results)
        assert results.row is not None
        assert results.row.id == second
        await screen.type(" roof")
        await listed(screen, "n2", "n1")
        assert screen.app.screen.query_one("#browse-query", Input).value == "bees roof"


async def test_a_key_pins_and_lets_go_again(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(told("Old bees.", "2024-05-01"))
        me.add(told("New bees.", "2024-05-02"))
    async with show(mode="browse") as screen:
        await listed(screen, "n2", "n1")
        await screen.press("escape", "down", "p")
        await listed(screen, "n1", "n2")
        await screen.until_shown("n1 · ★ pinned")
        with memory() as me:
            assert me.store.pins.ids() == ["n1"]
        await screen.press("home", "p")
        await listed(screen, "n2", "n1")
        await screen.until(lambda: "pinned" not in screen.text)


async def test_forgetting_lists_exactly_what_goes_and_takes_a_yes(show: Open, memory: Memory) -> None:
    with memory() as me:
        moved(me)
    async with show(mode="browse") as screen:
        await screen.type("braga")
        await screen.until(lambda: ids(screen)[:1] == ["n3"])
        await screen.press("escape", "d")
        await screen.until_shown("would remove n3: 1 passage")
        assert "1 fact: m3" in screen.text
        await screen.press("n")
        assert ids(screen)[:1] == ["n3"]
        await screen.press("d")
        await screen.until_shown("would remove n3")
        await screen.press("y")
        await screen.until(lambda: "n3" not in ids(screen))
        with memory() as me:
            assert [note.id for note in me.notes()] == ["n2", "n1"]


async def test_a_fact_alone_is_not_forgotten_and_what_to_do_is_said(show: Open, memory: Memory) -> None:
    with memory() as me:
        moved(me)
        me.pin("m3")
    async with show(mode="browse", size=(80, 24)) as screen:
        await screen.until(lambda: ids(screen)[:1] == ["m3"])
        await screen.press("escape", "d")
        await screen.until_shown("m3 is a fact, and facts go with their notes")
        await screen.until_shown("forget what it rests on: secondme forget n3")


async def test_what_another_process_forgot_is_said_to_be_gone(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(told("Old bees.", "2024-05-01"))
        me.add(told("New bees.", "2024-05-02"))
    async with show(mode="browse") as screen:
        await listed(screen, "n2", "n1")
        with memory() as me:
            me.forget(["n1"])
        await screen.press("escape", "down")
        await screen.until_shown("there is no n1")
        assert isinstance(screen.app.screen, BrowseScreen)


async def test_what_was_typed_is_changed_in_place(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(told("The bees are ill.", "2024-05-02"))
    async with show(mode="browse") as screen:
        await listed(screen, "n1")
        await screen.press("escape", "e")
        await screen.until_shown("n1 as you typed it")
        await screen.press("end")
        await screen.type(" Or not.")
        await screen.press("ctrl+s")
        await listed(screen, "n2")
        with memory() as me:
            assert [note.text for note in me.notes()] == ["The bees are ill. Or not."]


async def test_a_fact_is_put_in_other_words(show: Open, memory: Memory) -> None:
    with memory() as me:
        moved(me)
        me.pin("m3")
    async with show(mode="browse") as screen:
        await screen.until(lambda: ids(screen)[:1] == ["m3"])
        await screen.press("escape", "e")
        await screen.until_shown("the fact in your words")
        await screen.press("end", "backspace")
        await screen.type(", Portugal.")
        await screen.press("ctrl+s")
        await screen.until(lambda: _worded(memory) == ["I moved to Braga, Portugal."])


def _worded(memory: Memory) -> list[str]:
    with memory() as me:
        return [fact.text for fact in me.current_facts() if "Braga" in fact.text]


async def test_enter_and_o_open_the_source_at_its_line_and_e_opens_a_file(
    show: Open, memory: Memory, editor: Path, tmp_path: Path
) -> None:
    path = tmp_path / "diary.md"
    path.write_text("\n\n".join(["A day like any other, with rain and some tea. " * 5] * 20 + ["The boiler broke."]))
    with memory() as me:
        me.add(told(path.read_text(), "2024-05-02", uri=str(path), origin="file"))
    async with show(mode="browse") as screen:
        await screen.type("boiler")
        await screen.until_shown("1 found")
        for keys in (["enter"], ["escape", "o"], ["e"]):
            await screen.press(*keys)
            given = await screen.until(lambda: editor.exists() and editor.read_text())
            line, name = given.split(" ", 1)
            assert name == str(path)
            assert int(line.removeprefix("+")) > 30
            editor.unlink()


async def test_without_an_editor_it_is_said_and_the_screen_stays(
    show: Open, memory: Memory, editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDITOR")
    with memory() as me:
        me.add(told("Bees.", "2024-05-02"))
    async with show(mode="browse") as screen:
        await listed(screen, "n1")
        await screen.press("escape", "o")
        await screen.until_shown("neither VISUAL nor EDITOR names an editor")
        await screen.press("escape")
        assert isinstance(screen.app.screen, BrowseScreen)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 16)])
async def test_text_is_shown_as_it_is_and_steers_nothing(show: Open, memory: Memory, size: tuple[int, int]) -> None:
    with memory() as me:
        me.add(told("[/b] [bold]x\x1b]52;c;aGk=\x07 [@click=app.quit]y[/]", "2024-05-02", uri="[/red]", thread="[b]t"))
    async with show(mode="browse", size=size) as screen:
        await listed(screen, "n1")
        await screen.until(lambda: screen.text.count("[/b] [bold]x") == 2)
        await screen.type("[bold]x")
        await screen.until_shown("1 found")
        assert "\x1b" not in screen.text


async def test_a_huge_note_is_shown_in_part_around_what_matched(show: Open, memory: Memory) -> None:
    lines = [f"line {n} " + "padding " * (150 if n % 3 == 1 else 5) for n in range(5000)]
    lines[3000] = "padding " * 1200 + "zanzibar " + "padding " * 200
    with memory() as me:
        me.write([told("\n".join(lines), "2024-05-02", uri="/big.log", origin="file")])
    async with show(mode="browse") as screen:
        await listed(screen, "n1")
        await screen.until(lambda: "lines behind; o opens all of it" in _detail(screen))
        assert "line 0 padding" in _detail(screen)
        assert len(_detail(screen)) < 20_000
        await screen.type("zanzibar")
        await screen.until_shown("▌3001 … ")
        assert "zanzibar" in _detail(screen)
        assert "lines before" in _detail(screen)
        assert len(_detail(screen)) < 20_000


def _detail(screen: Screen) -> str:
    return str(screen.app.screen.query_one("#detail-text", Static).content)


async def test_keys_are_not_held_up_while_ten_thousand_notes_are_searched(
    show: Open, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["sister", "bakery", "tide", "boiler", "garden", "bees", "doctor", "walk", "garage", "butter", "rain"]
    with memory() as me:
        picked = ([words[(n * step) % len(words)] for step in (1, 3, 7, 11)] for n in range(10_000))
        me.write(
            told(f"{' '.join(some)} item{n}", f"20{n % 20 + 4:02}-05-01", uri=f"m:{n}", thread=f"t{n // 40}")
            for n, some in enumerate(picked)
        )
    spent: list[float] = []
    late: list[float] = []
    run = asyncio.events.Handle._run

    def timed(handle: asyncio.events.Handle) -> None:
        before = time.thread_time()
        run(handle)
        spent.append(time.thread_time() - before)

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.002)
            late.append(time.perf_counter() - before - 0.002)

    async with show(mode="browse") as screen:
        await screen.until_shown("the newest 200 of 10,000 notes")
        await screen.type("rain")
        await screen.until_shown("found by words")
        await screen.pilot.pause(0.5)
        monkeypatch.setattr(asyncio.events.Handle, "_run", timed)
        ticking = asyncio.create_task(tick())
        # What is done for a key is done again when the same key is pressed in the next round; what other programs on
        # the machine or a collection of the whole test process add comes at random. So of each key the best round
        # counts: a block that belongs to the key is in all of them. The processor time of each callback of the loop
        # is what the screen itself does; how late a task is called back has in it what threads hold up as well.
        rounds = [await _typed(screen, "bakery butter item4711", spent, late) for _ in range(ROUNDS)]
        ticking.cancel()
    for at, key in enumerate(["clear", *"bakery butter item4711"]):
        assert min(one[at][0] for one in rounds) <= LIMIT, f"key {at} ({key}) takes processor time"
        assert min(one[at][1] for one in rounds) <= LIMIT, f"key {at} ({key}) holds up the loop"


async def _typed(screen: Screen, text: str, spent: list[float], late: list[float]) -> list[tuple[float, float]]:
    """Type a text; return for each key the longest callback and the longest delay until its results were shown."""
    browse = screen.app.screen
    assert isinstance(browse, BrowseScreen)
    found = []
    for end, letter in enumerate(f"\0{text}"):
        spent.clear()
        late.clear()
        # All is listed again where nothing is typed any more.
        key = events.Key({"\0": "ctrl+u", " ": "space"}.get(letter, letter), letter)
        key.set_sender(screen.app)
        screen.app.post_message(key)
        while browse.shown is None or browse.shown.words != text[:end]:
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.05)  # the rows are drawn with the next frames
        found.append((max(spent), max(late)))
    return found
