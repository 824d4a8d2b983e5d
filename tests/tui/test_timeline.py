"""The timeline on the screen: a calendar, and what happened on a day of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from screens import Open, Screen
from secondme_tui.widgets.heatmap import Heatmap, level_of, limits_of
from textual.content import Content
from textual.widgets import Static

from secondme.assistant import Assistant
from secondme.chat.talk import Talk
from secondme.records import Note

Memory = Callable[[], Assistant]
HOSTILE = "[/b] [bold]x\x1b]52;c;aGk=\x07"
SIZES = [(80, 24), (120, 40), (40, 20)]


@pytest.fixture(autouse=True)
def in_june(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is Wednesday, the 5th of June 2024."""
    monkeypatch.setenv("SECONDME_NOW", "2024-06-05T12:00:00+00:00")


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)


def cells(screen: Screen) -> dict[str, str]:
    """The line of each weekday without its name."""
    found = {line.strip()[:3]: line.strip()[4:] for line in screen.lines[2:10]}
    return {day: found[day] for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


def test_levels_are_quarters_of_the_days_that_have_anything() -> None:
    days = [date(2024, 1, 1) + timedelta(number) for number in range(8)]
    limits = limits_of(dict(zip(days, [1, 1, 2, 3, 5, 8, 20, 900], strict=True)))
    assert limits == [2, 5, 20]
    assert [level_of(count, limits) for count in (1, 2, 3, 5, 6, 20, 21, 900)] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert limits_of({}) == []
    assert limits_of(dict.fromkeys(days, 7)) == []


async def test_an_empty_memory_says_so_and_keys_do_no_harm(show: Open, memory: Memory) -> None:
    async with show(mode="timeline") as screen:
        await screen.until_shown("nothing has happened yet")
        await screen.press("up", "t", "left_square_bracket", "o", "enter", "escape")
        assert "nothing has happened yet" in screen.text
        with memory() as me:
            me.add(Note("Now there is something.", happened_at=noon("2024-06-04")))
        await screen.press("f2", "f4")
        await screen.until_shown("Now there is something.")


@pytest.mark.parametrize("size", SIZES)
async def test_it_begins_at_the_last_day_that_holds_something_and_lists_it(
    show: Open, memory: Memory, size: tuple[int, int]
) -> None:
    with memory() as me:
        me.add(Note(f"{HOSTILE} first words\nsecond line", author="[red]Anna", happened_at=noon("2024-05-30")))
        me.add(Note("earlier", happened_at=noon("2024-03-01")))
    async with show(mode="timeline", size=size) as screen:
        await screen.until_shown("n1 ·")
        assert "Thu 2024-05-30 · 1 note" in screen.text
        assert "n1 · [red]Anna · [/b] [bold]x" in screen.text
        assert "\x1b" not in screen.text
        assert not screen.app.screen.is_modal
        assert max(map(len, screen.lines)) <= size[0]


@pytest.mark.parametrize(("size", "weeks", "cell"), [((80, 24), 53, 1), ((120, 40), 53, 2), ((40, 20), 34, 1)])
async def test_how_much_there_is_of_a_day_is_told_by_a_sign(
    show: Open, memory: Memory, size: tuple[int, int], weeks: int, cell: int
) -> None:
    with memory() as me:
        for back, count in ((0, 1), (1, 1), (2, 2), (3, 3), (4, 4), (5, 9)):
            for number in range(count):
                day = noon("2024-06-05") - timedelta(weeks=back)
                me.add(Note(f"{back} {number}", happened_at=day))
    async with show(mode="timeline", size=size) as screen:
        await screen.until_shown("◆ here")
        await screen.until_shown("n1 ·")
        lines = cells(screen)
        assert lines["Wed"][::cell][-6:] == "█▓▒▒░◆"
        assert set(lines["Tue"]) <= {"·", " "}
        assert len(lines["Wed"][::cell]) == weeks
        assert "· none ░ 1 ▒ 2–3 ▓ 4 █ 5 or more ◆ here" in " ".join(screen.text.split())
        assert "May" in screen.lines[2]


async def test_the_cursor_goes_by_days_weeks_and_years_and_back_to_today(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(Note("A leap day.", happened_at=noon("2024-02-29")))
    async with show(mode="timeline", size=(80, 24)) as screen:
        await screen.until_shown("Thu 2024-02-29 · 1 note")
        for keys, shown in (
            (["left"], "Thu 2024-02-22 · nothing"),
            (["right", "right"], "Thu 2024-03-07 · nothing"),
            (["up"], "Wed 2024-03-06 · nothing"),
            (["left", "down"], "Thu 2024-02-29 · 1 note"),
            (["right_square_bracket"], "Fri 2025-02-28 · nothing"),
            (["pageup", "pageup"], "Tue 2023-02-28 · nothing"),
            (["t"], "Wed 2024-06-05 · today · nothing"),
        ):
            await screen.press(*keys)
            await screen.until_shown(shown)
            assert "◆" in "".join(cells(screen).values())


async def test_a_key_shows_what_is_chosen_and_another_closes_it(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(Note(f"{HOSTILE}\nthe second line", happened_at=noon("2024-06-04")))
        me.add(Note("\n\nI live in Porto.", happened_at=noon("2024-06-04") + timedelta(hours=1)))
        me.sleep()
    for size in SIZES:
        async with show(mode="timeline", size=size) as screen:
            await screen.until_shown("2 notes · 2 facts")
            await screen.press("enter", "enter")
            await screen.until_shown("▌2 the second line")
            await screen.press("end", "enter")
            await screen.until_shown("m2 · 2024-06-04")
            await screen.until_shown("▌3 I live in Porto.")
            await screen.press("escape")
            assert "▌3" not in screen.text
            await screen.press("escape", "left")
            await screen.until_shown("Tue 2024-05-28 · nothing")


async def test_a_question_of_a_day_is_shown_with_its_answer(
    show: Open, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with memory() as me:
        me.add(Note("I live in Porto.", happened_at=noon("2024-06-05")))
        turn = Talk(me).hear("Where do I live?").turn
        with me.store.writing():
            me.store.chats.answer(turn, "In Porto, of course.", regime="none", is_whole=True, sources=[])
    async with show(mode="timeline") as screen:
        await screen.until_shown("1 note · 1 question")
        await screen.press("enter", "end", "enter")
        await screen.until_shown("▌3 In Porto, of course.")


async def test_of_a_full_day_and_a_long_note_a_part_is_shown(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.write(Note(f"number {n}", uri=f"a:{n}", happened_at=noon("2024-06-04")) for n in range(250))
        me.write([Note("w" * 3_000_000, uri="long", happened_at=noon("2024-06-05"))])
    async with show(mode="timeline") as screen:
        await screen.until_shown("n251 ·")
        await screen.press("enter", "enter")
        await screen.until_shown("▌1")
        shown = screen.app.screen.query_one("#preview-text", Static).content
        assert isinstance(shown, Content)
        assert len(shown.plain) < 10_000
        await screen.press("escape", "escape", "up")
        await screen.until_shown("Tue 2024-06-04 · 250 notes")
        await screen.press("enter", "end")
        await screen.until_shown("… 50 more")
        await screen.press("enter", "o")
        assert "more" in screen.text


async def test_an_editor_opens_what_is_chosen(show: Open, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    with memory() as me:
        me.add(Note("something", happened_at=noon("2024-06-04")))
    monkeypatch.setenv("VISUAL", "no-such-editor")
    async with show(mode="timeline") as screen:
        await screen.until_shown("n1 ·")
        monkeypatch.setattr(type(screen.app._driver), "can_suspend", True)
        await screen.press("o")
        await screen.until_shown("there is no editor no-such-editor")


async def test_a_click_chooses_a_day(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(Note("something", happened_at=noon("2024-06-05")))
    async with show(mode="timeline", size=(80, 24)) as screen:
        await screen.until_shown("Wed 2024-06-05 · today")
        # The last but one column, the line of Friday.
        await screen.pilot.click(Heatmap, offset=(4 + 51, 5))
        await screen.until_shown("Fri 2024-05-31 · nothing")
