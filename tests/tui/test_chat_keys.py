"""Every key of the conversation does what the footer and the help say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fakes import FakePlugin
from screens import Open, Screen
from secondme_tui.screens.dialogs import Choose, Help
from secondme_tui.widgets.completions import Completions
from secondme_tui.widgets.preview import Preview
from secondme_tui.widgets.prompt import Prompt
from secondme_tui.widgets.transcript import FoldLine, Transcript
from secondme_tui.widgets.turn import TurnView
from talking import Memory, say, until_told
from textual.widgets import OptionList

from secondme.clock import now
from secondme.records import Note


@pytest.fixture
def two_sources(memory: Memory, scripted: FakePlugin) -> None:
    """Two notes and an answer that rests on both."""
    with memory() as me:
        me.add_many([Note("First.\n\nI live in Porto.", uri="diary:1"), Note("I live by the sea.", uri="diary:2")])
    scripted.model.replies.append("You live in Porto [1] by the sea [2].")


def prompt(screen: Screen) -> Prompt:
    return screen.app.screen.query_one(Prompt)


def preview(screen: Screen) -> Preview:
    return screen.app.screen.query_one(Preview)


def choices(screen: Screen) -> int:
    return screen.app.screen.query_one(OptionList).option_count


async def ask(screen: Screen) -> None:
    await say(screen, "Where do I live?")
    await screen.until_shown("[2] n")


async def test_numbers_show_the_sources_of_the_turn_in_hand_and_escape_closes_them(
    show: Open, two_sources: None
) -> None:
    async with show() as screen:
        await ask(screen)
        await screen.press("escape")
        shown = set()
        for key in ("1", "2"):
            await screen.press(key)
            await screen.until(lambda: preview(screen).display and "▌" in screen.text)
            shown |= {words for words in ("▌3 I live in Porto.", "▌1 I live by the sea.") if words in screen.text}
            await screen.press("escape")
            assert not preview(screen).display
        assert len(shown) == 2
        await screen.press("3")
        assert not preview(screen).display


async def test_alt_and_a_number_shows_a_source_of_the_last_answer_from_the_prompt(
    show: Open, two_sources: None
) -> None:
    async with show() as screen:
        await ask(screen)
        # What only tells something has no sources and is not meant.
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n3")
        assert prompt(screen).has_focus
        await screen.press("alt+1")
        await screen.until_shown("▌")
        first = screen.text
        await screen.press("alt+2")
        await screen.until(lambda: screen.text != first and "▌" in screen.text)
        assert prompt(screen).text == ""


async def test_the_nearest_passages_have_numbers_too_where_memory_holds_no_answer(
    show: Open, memory: Memory, scripted: FakePlugin
) -> None:
    with memory() as me:
        me.add(Note("I live in Porto.", uri="diary:1"))
    scripted.model.replies.append("Not in memory.")
    async with show() as screen:
        await say(screen, "What is the name of my sister?")
        await screen.until_shown("what comes closest:")
        await screen.press("alt+1")
        await screen.until_shown("▌1 I live in Porto.")


async def test_y_copies_the_answer_or_what_was_said(show: Open, two_sources: None) -> None:
    async with show() as screen:
        await ask(screen)
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n3")
        await screen.press("escape", "y")
        await until_told(screen, "copied")
        assert screen.app.clipboard == "I like tea."
        await screen.press("k", "y")
        await screen.until(lambda: screen.app.clipboard == "You live in Porto by the sea [1][2].")


async def test_u_takes_back_only_the_turn_in_hand(show: Open, memory: Memory) -> None:
    async with show() as screen:
        for number, text in enumerate(("I like tea.", "The boat is red."), 1):
            await say(screen, text)
            await screen.until_shown(f"kept as n{number}")
        await screen.press("escape", "up", "u")
        await screen.until_shown("taken back")
        with memory() as me:
            assert [note.text for note in me.notes()] == ["The boat is red."]
        assert "kept as n2" in screen.text


@pytest.mark.parametrize("key", ["enter", "space", "z"])
async def test_a_finished_topic_is_one_line_that_a_key_unfolds_and_folds(
    show: Open, two_sources: None, scripted: FakePlugin, key: str
) -> None:
    scripted.model.replies.append("It is red [1].")
    async with show() as screen:
        await ask(screen)
        await say(screen, "What colour has the boat?")
        await screen.until_shown("▸ 1 turn · Where do I live?")
        assert "by the sea [1][2]" not in screen.text
        await screen.press("escape", "up")
        assert isinstance(screen.app.focused, FoldLine)
        await screen.press(key)
        await screen.until_shown("by the sea [1][2]")
        assert "▾ 1 turn · Where do I live?" in screen.text
        await screen.press(key)
        await screen.until(lambda: "by the sea [1][2]" not in screen.text)


async def test_z_folds_the_topic_of_the_turn_in_hand(show: Open, two_sources: None, scripted: FakePlugin) -> None:
    scripted.model.replies.append("It is red [1].")
    async with show() as screen:
        await ask(screen)
        await say(screen, "What colour has the boat?")
        await screen.until_shown("▸ 1 turn")
        await screen.press("escape", "up", "enter")
        await screen.until_shown("by the sea [1][2]")
        await screen.press("down")
        assert isinstance(screen.app.focused, TurnView)
        await screen.press("z")
        await screen.until_shown("▸ 1 turn")
        assert isinstance(screen.app.focused, FoldLine)


async def test_escape_goes_between_prompt_and_conversation(show: Open) -> None:
    async with show() as screen:
        await screen.press("escape")
        assert prompt(screen).has_focus
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n1")
        await screen.press("escape")
        assert isinstance(screen.app.focused, TurnView)
        await screen.press("escape")
        assert prompt(screen).has_focus


async def test_ctrl_t_offers_the_conversations_and_goes_on_with_the_chosen_one(show: Open) -> None:
    async with show() as screen:
        await screen.press("ctrl+t")
        await until_told(screen, "no conversation is kept")
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n1")
        await screen.press("ctrl+n")
        await screen.until_shown("another conversation")
        await say(screen, "The boat is red.")
        await screen.until_shown("kept as n2")
        await screen.press("ctrl+t")
        await screen.until(lambda: isinstance(screen.app.screen, Choose))
        await screen.type("tea")
        await screen.until(lambda: choices(screen) == 1)
        await screen.press("enter")
        await screen.until_shown("kept as n1")
        assert "The boat" not in screen.text


async def test_ctrl_n_begins_another_conversation_and_keeps_the_history_once(show: Open) -> None:
    async with show() as screen:
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n1")
        for _ in range(3):
            await screen.press("ctrl+n")
        await screen.until_shown("another conversation")
        assert prompt(screen).said == ("I like tea.",)


async def test_ctrl_r_finds_what_was_said_before(show: Open) -> None:
    async with show() as screen:
        for number, text in enumerate(("I like tea.", "The boat is red."), 1):
            await say(screen, text)
            await screen.until_shown(f"kept as n{number}")
        await screen.press("ctrl+r")
        await screen.until_shown("what was said before")
        await screen.type("tea")
        await screen.until(lambda: choices(screen) == 1)
        await screen.press("enter")
        await screen.until(lambda: prompt(screen).text == "I like tea.")


async def test_up_and_down_go_through_what_was_said_also_before_this_start(show: Open) -> None:
    async with show() as screen:
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n1")
    async with show() as screen:
        await say(screen, "The boat is red.")
        await screen.until_shown("kept as n2")
        await screen.type("half a")
        await screen.press("up")
        assert prompt(screen).text == "The boat is red."
        await screen.press("up", "up")
        assert prompt(screen).text == "I like tea."
        await screen.press("down", "down")
        assert prompt(screen).text == "half a"


@pytest.mark.parametrize("key", ["alt+enter", "ctrl+j", "shift+enter"])
async def test_a_newline_has_a_key_and_enter_sends(show: Open, memory: Memory, key: str) -> None:
    async with show() as screen:
        await screen.type("I like tea.")
        await screen.press(key)
        await say(screen, "I like rain.")
        await screen.until_shown("kept as n1")
        with memory() as me:
            assert [note.text for note in me.notes()] == ["I like tea.\nI like rain."]


async def test_tab_completes_the_command_in_hand_and_arrows_choose_among_those_offered(show: Open) -> None:
    async with show() as screen:
        await screen.type("/o")
        await screen.until_shown("/off")
        offered = screen.app.screen.query_one(Completions)
        assert [option.id for option in offered.options] == ["off", "on", "open"]
        await screen.press("down", "down", "tab")
        await screen.until(lambda: prompt(screen).text == "/open ")
        assert not offered.display
        await screen.press("ctrl+u")
        await screen.type("/ex")
        await screen.press("tab")
        await screen.until(lambda: prompt(screen).text == "/export ")


async def test_f1_lists_keys_and_commands(show: Open) -> None:
    async with show() as screen:
        await screen.press("f1")
        await screen.until(lambda: isinstance(screen.app.screen, Help))
        assert "chat.threads" in screen.text
        await screen.press("f1")
        await screen.until(lambda: not isinstance(screen.app.screen, Help))


@pytest.mark.parametrize(
    ("key", "mode"), [("f2", "chat"), ("f3", "browse"), ("f4", "timeline"), ("f5", "review"), ("f6", "status")]
)
async def test_f_keys_show_the_screens_and_the_conversation_stays(show: Open, key: str, mode: str) -> None:
    async with show() as screen:
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n1")
        await screen.press(key)
        await screen.until(lambda: screen.app.current_mode == mode)
        await screen.press("f2")
        await screen.until_shown("kept as n1")


async def test_the_palette_runs_what_the_screen_can_do(show: Open) -> None:
    async with show() as screen:
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n1")
        await screen.press("ctrl+p")
        await screen.type("New")
        await screen.until_shown("chat.new")
        await screen.press("down", "enter")
        await screen.until_shown("another conversation")


async def test_keys_can_be_others_by_the_ids_that_help_shows(show: Open) -> None:
    async with show(keys={"chat.new": "ctrl+g"}) as screen:
        await say(screen, "I like tea.")
        await screen.until_shown("kept as n1")
        await screen.press("ctrl+g")
        await screen.until_shown("another conversation")


async def test_a_topic_ends_after_a_pause_and_is_folded_when_reopened(show: Open, memory: Memory) -> None:
    with memory() as me, me.store.writing():
        chat = me.store.chats.begin(now=now())
        for hours in (5, 1):
            me.store.chats.add(chat, "said", f"{hours} hours ago", note=None, now=now() - timedelta(hours=hours))
    async with show(chat=chat) as screen:
        await screen.until_shown("1 hours ago")
        assert "▸ 1 turn · 5 hours ago" in screen.text
        assert len(screen.app.screen.query_one(Transcript).query(TurnView)) == 1


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "nord", "solarized-light"])
async def test_what_is_muted_is_between_the_text_and_its_background(show: Open, theme: str) -> None:
    async with show(theme=theme) as screen:
        await say(screen, "/off")
        await screen.until_shown("nothing is kept")
        greeting = screen.app.screen.query_one("#chat-greeting")
        styles = [one.style for one in greeting.render_line(0) if one.style and one.text.strip()]
        sides = (greeting.visual_style.foreground, greeting.visual_style.background)
        dark, light = sorted(sum(side.rgb) for side in sides if side)
        for style in styles:
            assert style.color
            assert style.color.triplet
            assert dark + 60 < sum(style.color.triplet) < light - 60


async def test_a_block_of_code_is_copied_alone_and_what_the_mouse_marked_by_ctrl_c(
    show: Open, scripted: FakePlugin, memory: Memory
) -> None:
    scripted.model.replies.append("Use this [1].\n\n```sh\nmake tea\n```\n")
    with memory() as me:
        me.add(Note("To make tea, use make tea."))
    async with show() as screen:
        await screen.type("How do I make tea?")
        await screen.press("enter")
        await screen.until_shown("[1] n1")
        await screen.press("escape", "Y")
        await screen.until(lambda: screen.app.clipboard == "make tea\n")
        said = screen.app.screen.query_one(".said")
        await screen.pilot.mouse_down(said, offset=(2, 0))
        await screen.pilot.hover(said, offset=(8, 0))
        await screen.pilot.mouse_up(said, offset=(8, 0))
        await screen.press("ctrl+c")
        await screen.until(lambda: screen.app.clipboard.startswith("How"))
        assert screen.app.is_running
