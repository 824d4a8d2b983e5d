"""The review of a night on the screen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from screens import Open, Screen
from secondme_tui.queries.review import PAGE
from secondme_tui.screens.dialogs import Trouble
from secondme_tui.widgets.changes import Changes
from secondme_tui.widgets.preview import Preview

from secondme.assistant import Assistant
from secondme.chat.lines import counted
from secondme.locks import sleep_lock
from secondme.paths import find_paths
from secondme.records import Note

Memory = Callable[[], Assistant]


def told(text: str, month: int, *, uri: str = "") -> Note:
    return Note(text, uri=uri or f"diary:{month}", author="me", happened_at=datetime(2024, month, 5, 12, tzinfo=UTC))


@pytest.fixture
def night(memory: Memory) -> Memory:
    """Two notes of one life, slept over: c1 made m1, c2 put m2 in its place."""
    with memory() as me:
        me.add_many([told("I live in Lisbon.", 1), told("I moved to Porto.", 6)])
        me.sleep()
    return memory


def in_hand(screen: Screen) -> str:
    return screen.app.screen.query_one(Changes).in_hand


async def until_told(screen: Screen, words: str) -> None:
    """Wait for a short message; run_test shows none on the screen."""
    await screen.until(lambda: any(words in one.message for one in screen.app._notifications))


def states(memory: Memory) -> list[str]:
    with memory() as me:
        return [change.review for change in me.store.journal.changes()]


async def test_a_night_is_shown_as_a_diff_with_the_lines_it_rests_on(show: Open, night: Memory) -> None:
    async with show(mode="review") as screen:
        await screen.until_shown("c2")
        text = screen.text
        assert "c1 · keep · □ to review" in text
        assert "+ m1 I live in Lisbon.\n    n1 · 2024-01-05 · me · diary:1 “I live in Lisbon.”" in text
        assert "c2 · supersede · □ to review" in text
        assert "+ m2 I moved to Porto.\n~ m1 → m2 I live in Lisbon.\n    n2 · 2024-06-05" in text
        assert in_hand(screen) == "c1"


async def test_what_was_said_again_and_what_conflicts_have_signs_of_their_own(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add_many([told("I work at Acme.", 7), told("I work at Globex.", 7, uri="b")])
        me.add(told("I work at Acme.", 8))
        me.sleep()
    async with show(mode="review") as screen:
        await screen.until_shown("conflict")
        assert "! m2 I work at Globex.\n! m1 against m2 I work at Acme.\n" in screen.text
        # The line that the change brought comes first.
        assert "= m1 I work at Acme.\n    n3 · 2024-08-05 · me · diary:8 “I work at Acme.”\n    n1" in screen.text


async def test_the_head_tells_what_the_night_did_and_what_it_turned_down(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(told("I have a cat called Tom. It was chatter.", 8))
        report = me.sleep()
        me.add(told("I like tea.", 9))
    async with show(mode="review") as screen:
        await screen.until_shown("r1 · ")
        assert " · scripted · done" in screen.text
        cost = f"{counted(report.calls, 'call')} · {counted(report.tokens, 'token')} · "
        assert f"1 passage read · 1 waiting · {cost}" in screen.text
        assert "1 keep · 1 to review" in screen.text
        assert "1 line turned down: 1 loose pronoun" in screen.text


async def test_a_night_that_was_cut_short_says_why(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add_many([told("I live in Lisbon.", 1), told("I like tea.", 2)])
        why = me.sleep(max_changes=1).why
    assert why
    async with show(mode="review") as screen:
        await screen.until_shown(f"stopped: {why}")


async def test_accepting_goes_on_to_the_next_change_to_review(show: Open, night: Memory) -> None:
    async with show(mode="review") as screen:
        await screen.until_shown("c2")
        await screen.press("a")
        await screen.until_shown("c1 · keep · ✓ accepted")
        assert in_hand(screen) == "c2"
        assert "1 to review" in screen.text
        assert states(night) == ["accepted", ""]
        await screen.press("a")
        await screen.until_shown("all reviewed")
        assert in_hand(screen) == "c2"
        assert states(night) == ["accepted", "accepted"]


async def test_keys_in_quick_succession_each_mean_the_change_that_was_in_hand(show: Open, night: Memory) -> None:
    async with show(mode="review") as screen:
        await screen.until_shown("c2")
        await screen.pilot.press("a", "r")
        await screen.until_shown("c2 · supersede · ✗ rejected")
        assert states(night) == ["accepted", "rejected"]


async def test_rejecting_takes_it_back_for_good_and_its_words_stay_in_sight(show: Open, night: Memory) -> None:
    async with show(mode="review") as screen:
        await screen.until_shown("c2")
        await screen.press("j", "r")
        await screen.until_shown("c2 · supersede · ✗ rejected")
        assert "- m2 I moved to Porto." in screen.text
        assert "~ m1 → m2" not in screen.text
        assert in_hand(screen) == "c1"
        with night() as me:
            assert [fact.text for fact in me.current_facts()] == ["I live in Lisbon."]
        # What is gone cannot be judged again.
        await screen.press("j", "a")
        await until_told(screen, "c2 was rejected before")
        assert states(night) == ["", "rejected"]


async def test_what_a_later_change_rests_on_is_not_rejected_and_stays_in_hand(show: Open, night: Memory) -> None:
    async with show(mode="review") as screen:
        await screen.until_shown("c2")
        await screen.press("r")
        await screen.until(lambda: isinstance(screen.app.screen, Trouble))
        assert "c2 rest on c1" in screen.text
        await screen.press("escape")
        await screen.until(lambda: in_hand(screen) == "c1")
        assert "c1 · keep · □ to review" in screen.text
        assert states(night) == ["", ""]


async def test_a_fact_is_put_in_ones_own_words(show: Open, night: Memory) -> None:
    async with show(mode="review") as screen:
        await screen.until_shown("c2")
        await screen.press("j", "e")
        await screen.until_shown("m2 in your own words")
        await screen.press("end", "backspace")
        await screen.type(" for good.")
        await screen.press("ctrl+s")
        await screen.until_shown("+ m3 I moved to Porto for good.")
        assert "c3 · edit · ✓ accepted" in screen.text
        assert "~ m2 → m3 I moved to Porto." in screen.text
        assert in_hand(screen) == "c1"
        with night() as me:
            assert [fact.text for fact in me.current_facts()] == ["I moved to Porto for good."]


async def test_words_that_are_left_as_they_were_change_nothing(show: Open, night: Memory) -> None:
    async with show(mode="review") as screen:
        await screen.until_shown("c2")
        for key in ("escape", "ctrl+s"):
            await screen.press("e")
            await screen.until_shown("m1 in your own words")
            await screen.press(key)
            await screen.until_shown("c1 · keep · □ to review")
        assert states(night) == ["", ""]


@pytest.mark.parametrize(("down", "up"), [("j", "k"), ("down", "up")])
async def test_one_goes_through_the_changes_by_keys_and_stops_at_the_ends(
    show: Open, night: Memory, down: str, up: str
) -> None:
    async with show(mode="review") as screen:
        await screen.until_shown("c2")
        await screen.press(down, down)
        assert in_hand(screen) == "c2"
        await screen.press(up, up)
        assert in_hand(screen) == "c1"


async def test_a_key_jumps_to_the_next_change_to_review(show: Open, night: Memory) -> None:
    with night() as me:
        me.add(told("I like tea.", 7))
        me.sleep()
        me.undo("r2")
        me.add(told("I have a cat.", 8))
        me.sleep()
        me.accept("c4")
    async with show(mode="review") as screen:
        await screen.until_shown("c4 · keep · ✓ accepted")
        await screen.press("n")
        await screen.until(lambda: in_hand(screen) == "c5")
        await screen.press("a", "n")
        await until_told(screen, "nothing is left to review in r3")


async def test_the_source_is_shown_at_its_line_and_the_next_one_when_asked_again(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add_many([told("First.\n\nI work at Acme.", 7), told("I work at Acme.", 8)])
        me.sleep()
    async with show(mode="review") as screen:
        await screen.until_shown("m1 I work at Acme.")
        await screen.press("enter")
        await screen.until_shown("▌3 I work at Acme.")
        await screen.press("enter")
        await screen.until_shown("▌1 I work at Acme.")
        await screen.press("enter")
        await screen.until_shown("▌3 I work at Acme.")
        await screen.press("escape")
        assert not screen.app.screen.query_one(Preview).display


async def test_an_open_source_follows_the_change_in_hand(show: Open, night: Memory) -> None:
    async with show(mode="review") as screen:
        await screen.until_shown("c2")
        await screen.press("enter")
        await screen.until_shown("▌1 I live in Lisbon.")
        await screen.press("j")
        await screen.until_shown("▌1 I moved to Porto.")


async def test_a_night_is_undone_after_a_question_that_names_how_many_changes(show: Open, night: Memory) -> None:
    async with show(mode="review") as screen:
        await screen.until_shown("c2")
        await screen.press("u")
        await screen.until_shown("take back r1 with its 2 changes?")
        await screen.press("n")
        await screen.until_shown("c1 · keep · □ to review")
        with night() as me:
            assert len(me.current_facts()) == 1
        await screen.press("u", "y")
        await screen.until_shown("c1 · keep · ✗ undone")
        assert " · undone" in screen.lines[1]
        assert "- m1 I live in Lisbon." in screen.text
        with night() as me:
            assert me.current_facts() == []
            assert me.store.digestion.waiting() == 2
        await screen.press("u")
        await until_told(screen, "r1 was undone before")


async def test_one_goes_to_earlier_and_later_nights(show: Open, night: Memory) -> None:
    with night() as me:
        me.add(told("I like tea.", 7))
        me.sleep()
    async with show(mode="review") as screen:
        await screen.until_shown("m3 I like tea.")
        assert "[ r1" in screen.text
        await screen.press("left_square_bracket")
        await screen.until_shown("] r2")
        assert "m1 I live in Lisbon." in screen.text
        await screen.press("left_square_bracket")
        await until_told(screen, "there is no earlier night")
        await screen.press("right_square_bracket")
        await screen.until_shown("m3 I like tea.")


async def test_without_a_night_it_says_how_to_have_one(show: Open, memory: Memory) -> None:
    async with show(mode="review") as screen:
        await screen.until_shown("Nothing waits for a night.")
    with memory() as me:
        me.add(told("I like tea.", 7))
    async with show(mode="review") as screen:
        await screen.until_shown("There was no night yet.")
        assert "1 passage to sleep over." in screen.text
        assert "/sleep in the chat" in screen.text
        await screen.press("a", "r", "e", "n", "o", "u", "left_square_bracket", "enter")
        assert "There was no night yet." in screen.text
        # One that was had meanwhile is there when we come back.
        with memory() as me:
            me.sleep()
        await screen.press("f2")
        await screen.press("f5")
        await screen.until_shown("m1 I like tea.")


async def test_a_night_without_changes_says_so(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(told("It was chatter.", 7))
        me.sleep()
    async with show(mode="review") as screen:
        await screen.until_shown("This night changed nothing.")
        assert "no changes" in screen.text


async def test_a_night_in_another_process_locks_what_is_said_on_changes(show: Open, night: Memory) -> None:
    async with show(mode="review") as screen:
        await screen.until_shown("c2")
        with night() as me, sleep_lock(me.paths):
            await screen.press("j", "r")
            await screen.until(lambda: isinstance(screen.app.screen, Trouble))
            assert "Another process is writing" in screen.text
            await screen.press("escape")
        await screen.until_shown("c2 · supersede · □ to review")
        await screen.until(lambda: in_hand(screen) == "c2")
        await screen.press("r")
        await screen.until_shown("c2 · supersede · ✗ rejected")


async def test_a_memory_that_does_not_open_is_told_of_once(show: Open) -> None:
    async with show() as screen:
        database = find_paths().database
        for file in database.parent.glob(f"{database.name}*"):
            file.unlink()
        database.write_bytes(b"no database at all" * 500)
        await screen.press("f5")
        await screen.until(lambda: isinstance(screen.app.screen, Trouble))
        await screen.press("escape")
        await screen.until(lambda: not isinstance(screen.app.screen, Trouble))
        assert "the nights cannot be shown" in screen.text
        # Another job has been done on the same thread: it was not asked for the nights again.
        done: list[None] = []
        screen.app.session.run(lambda _: None, done.append, failed=lambda _: done.append(None), desk="review")
        await screen.until(lambda: done)
        assert not isinstance(screen.app.screen, Trouble)


async def test_a_long_night_is_gone_through_page_by_page(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add_many([told(f"My dog number {n} is called Rex{n}.", 7, uri=f"d:{n}") for n in range(PAGE + 5)])
        report = me.sleep()
        assert sum(report.changes.values()) == PAGE + 5
        for number in range(3, PAGE + 3):
            me.accept(f"c{number}")
    async with show(mode="review") as screen:
        await screen.until_shown(f"5 to review · 1 to {PAGE} of {PAGE + 5} shown")
        await screen.press("end")
        assert in_hand(screen) == f"c{PAGE}"
        await screen.press("j")
        await screen.until(lambda: in_hand(screen) == f"c{PAGE + 1}")
        await screen.press("k")
        await screen.until(lambda: in_hand(screen) == f"c{PAGE}")
        await screen.press("n")
        await screen.until(lambda: in_hand(screen) == f"c{PAGE + 3}")
        await screen.press("a", "a", "a")
        await screen.until(lambda: in_hand(screen) == "c1")
        assert "2 to review" in screen.text


async def test_hostile_words_are_shown_as_words(show: Open, memory: Memory) -> None:
    with memory() as me:
        me.add(told("My dog [/b] \x1b]52;c;aGk=\x07 is called Rex.", 7, uri="[/red]\x1b[2J\u202e:1"))
        me.sleep()
    async with show(mode="review") as screen:
        await screen.until_shown("m1 My dog [/b] is called Rex.")
        assert "· [/red]:1 “My dog [/b] is called Rex.”" in screen.text
        await screen.press("enter")
        await screen.until_shown("▌1 My dog [/b]")
        assert not set("\x1b\x07\u202e") & set(screen.text)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_the_change_in_hand_is_in_sight_at_any_size(show: Open, night: Memory, size: tuple[int, int]) -> None:
    async with show(mode="review", size=size) as screen:
        await screen.until_shown("c2")
        await screen.press("j", "enter")
        await screen.until_shown("▌1 I moved to Porto.")
        await screen.until_shown("+ m2 I moved to Porto.")
        assert "Accept" in screen.lines[-1]
