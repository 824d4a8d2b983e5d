"""What can be typed behind a slash: each command, what it refuses, and what it asks before it does it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakePlugin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nights import note, open_memory

from secondme.assistant import Assistant
from secondme.chat import lines
from secondme.chat.commands import COMMANDS, Reply, attempt, completions, confirmed, run
from secondme.chat.talk import Talk, ask, keep_answer
from secondme.errors import NotFound, UsageError
from secondme.records import Note
from secondme.store.copies import backups


@pytest.fixture
def me(own_home: Path, scripted: FakePlugin) -> Iterator[Assistant]:
    """Two homes, slept over: m1 was replaced by m2."""
    with open_memory(own_home, scripted) as opened:
        opened.add_many([note("I live in Lisbon.", "2024-01-10"), note("I moved to Porto.", "2024-06-10")])
        opened.sleep()
        yield opened


@pytest.fixture
def talk(me: Assistant) -> Talk:
    """A conversation in which nothing was said yet."""
    return Talk(me)


@pytest.fixture
def answered(talk: Talk) -> Talk:
    """A conversation with something told, and a question that was answered."""
    talk.hear("I like tea.")
    talk.me.model().replies.append("You moved to Porto [2].")  # type: ignore[attr-defined]
    heard = talk.hear("Where have I lived before Porto?")
    stream = ask(talk.me, heard)
    "".join(stream)
    keep_answer(talk.me, heard, stream.answer, stream.evidence, is_whole=True)
    talk.answered(heard, stream.answer)
    return talk


def yes(reply: Reply) -> Reply:
    """Say yes to what is asked."""
    assert reply.confirm
    return confirmed(reply)


def test_help_names_every_command_with_its_argument(talk: Talk) -> None:
    shown = run(talk, "/help").text.splitlines()
    assert len(shown) == len(COMMANDS)
    for line, command in zip(shown, COMMANDS.values(), strict=True):
        assert line.startswith(f"/{command.name} {command.argument}".rstrip())
        assert line.endswith(command.help)


@pytest.mark.parametrize(
    ("line", "error", "hint"),
    [
        ("/", "there is no /", "/help"),
        ("/xyz", "there is no /xyz", "/help"),
        ("/serch porto", "there is no /serch", "/search"),
        ("/FO", "there is no /FO", "/forget"),
        ("//help", "there is no //help", "/help"),
        ("/etc/hosts is broken", "there is no /etc/hosts", "/help"),
    ],
)
def test_what_is_no_command_is_answered_with_those_near_it(talk: Talk, line: str, error: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        run(talk, line)
    assert str(refused.value) == error
    assert refused.value.hint.split()[0].startswith(hint)


@pytest.mark.parametrize("name", [one.name for one in COMMANDS.values() if one.argument[:1] not in ("", "[")])
def test_a_command_without_what_it_needs_says_what_that_is(talk: Talk, name: str) -> None:
    for line in (f"/{name}", f"/{name}  "):
        with pytest.raises(UsageError, match=f"/{name} needs {COMMANDS[name].argument}"):
            run(talk, line)
    assert talk.chats() == []


def test_commands_are_read_whatever_their_case_and_space(talk: Talk) -> None:
    assert run(talk, "  /Search\tporto ").text == run(talk, "/search porto").text


def test_very_many_words_and_digits_are_looked_for_and_refused(talk: Talk) -> None:
    assert "no conversation" in attempt(talk, "/threads " + " ".join(map(str, range(5000)))).text
    for command in ("/open", "/delete"):
        assert "is no number of a conversation" in attempt(talk, f"{command} {'9' * 5000}").text


def _is_harmless(line: str) -> bool:
    return line[:2].lower() not in ("/e", "/s")  # what writes files and what sleeps


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([f"/{name} " for name in COMMANDS]), st.text(max_size=30) | st.just("\udcff\ud800 a"))
def test_no_line_makes_a_command_raise_what_is_no_error_of_ours(talk: Talk, name: str, rest: str) -> None:
    if _is_harmless(name):
        assert isinstance(attempt(talk, name + rest), Reply)


def test_completions_are_the_commands_a_line_may_become() -> None:
    assert [one.name for one in completions("/")] == list(COMMANDS)
    assert [one.name for one in completions("/FO")] == ["forget"]
    assert [one.name for one in completions("/o")] == ["off", "on", "open"]
    for line in ("", "hello", "/open 3", "/x", "/open\n"):
        assert completions(line) == []


def test_attempt_says_what_went_wrong(talk: Talk) -> None:
    assert attempt(talk, "/open x") == Reply("'x' is no number of a conversation; /threads lists them")
    assert attempt(talk, "/help") == run(talk, "/help")


def test_what_needs_no_confirmation_is_done_at_once() -> None:
    assert confirmed(Reply("done", confirm="sure?")) == Reply("done")


def test_remember_keeps_a_text_as_it_is(talk: Talk) -> None:
    assert run(talk, "/remember Where is the key?").text == "kept as n3"
    assert talk.me.note("n3")[0].text == "Where is the key?"


def test_forget_takes_ids_shows_what_goes_and_asks(answered: Talk) -> None:
    asked = run(answered, "/forget n2")
    [copy] = backups(answered.me.paths.database)
    assert asked.text.splitlines() == [
        "would remove n2: 1 passage",
        f"  {answered.me.note('n2')[0].uri}",
        "  1 fact: m2",
        "  1 turn of conversations",
        f"  in the copy of the memory at {copy}: 1 version",
    ]
    assert "cannot be taken back" in asked.confirm
    assert answered.me.note("n2")
    assert yes(asked).text.startswith("removed n2: 1 passage")
    with pytest.raises(NotFound):
        answered.me.note("n2")
    assert [turn.text for turn in answered.me.store.chats.turns(1)] == ["I like tea."]


def test_forget_takes_several_ids(answered: Talk) -> None:
    yes(run(answered, "/forget n1 n3"))
    assert [one.id for one in answered.me.notes()] == ["n2"]


def test_forget_with_words_shows_which_notes_have_them(talk: Talk) -> None:
    shown = run(talk, "/forget porto")
    assert shown.text.splitlines()[0] == "which one? /forget ID"
    assert "n2 · 2024-06-10 · me · I moved to Porto." in shown.text
    assert shown.confirm == ""
    assert run(talk, "/forget n1 and more").text.startswith("which one?")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/forget n9", "there is no n9"),
        ("/forget m2", "m2 is a fact"),
        ("/forget n1.1", "n1.1 is part of a note"),
        ("/forget n1x", "not an id of a note"),
    ],
)
def test_what_cannot_be_forgotten_is_refused_before_anything_is_asked(talk: Talk, line: str, why: str) -> None:
    assert why in attempt(talk, line).text
    assert attempt(talk, line).confirm == ""
    assert len(list(talk.me.notes())) == 2


def test_in_an_empty_memory_nothing_is_found(tmp_path: Path) -> None:
    with open_memory(tmp_path / "empty") as me:
        talk = Talk(me)
        for line, why in (
            ("/forget porto", "nothing found; /forget takes ids"),
            ("/search porto", "nothing found"),
            ("/facts", "no fact is known; /sleep makes"),
            ("/sleep", "nothing waits to be slept over"),
            ("/undo", "there is nothing to undo"),
            ("/threads", "no conversation is kept"),
            ("/threads x", "no conversation has these words"),
            ("/export", "nothing was said yet"),
            ("/name x", "nothing was said yet"),
            ("/delete", "nothing was said yet"),
            ("/open 1", "there is no conversation 1"),
        ):
            assert attempt(talk, line).text.startswith(why)
            assert (attempt(talk, line).confirm, attempt(talk, line).effect) == ("", "")


def test_search_finds_passages_and_facts(talk: Talk) -> None:
    found = run(talk, "/search porto").text
    assert "n2 · 2024-06-10 · me · I moved to Porto." in found
    assert "m2 · " in found


def test_facts_are_those_that_hold_or_are_about_something(talk: Talk) -> None:
    assert run(talk, "/facts").text == "m2 · since 2024-06-10 · I moved to Porto."
    assert run(talk, "/facts porto").text == "m2 · since 2024-06-10 · I moved to Porto."


def test_as_of_another_day_what_held_then_is_known(talk: Talk, monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    # West of Greenwich, the end of a day is in the next one by UTC.
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    try:
        assert run(talk, "/as-of 2024-03-01").text.startswith("questions are about 2024-03-01, as it was known then")
        assert run(talk, "/facts").text == "m1 · 2024-01-10 to 2024-06-10 · I live in Lisbon."
        assert talk.hear("Where do I live?").as_of == talk.as_of
        assert run(talk, "/as-of now").text == "questions are about now"
        assert talk.as_of is None
        run(talk, "/as-of 2024-03-01")
        assert (run(talk, "/as-of").text, talk.as_of) == ("questions are about now", None)
        assert "not a date" in attempt(talk, "/as-of soonish").text
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_sleep_is_left_to_the_screen_where_something_waits(talk: Talk) -> None:
    assert run(talk, "/sleep") == Reply("nothing waits to be slept over")
    talk.hear("My sister Nora keeps bees.")
    assert run(talk, "/sleep") == Reply(effect="sleep")


def test_undo_takes_back_the_last_night_after_a_yes(talk: Talk) -> None:
    asked = run(talk, "/undo")
    assert (asked.confirm, len(talk.me.current_facts())) == ("take back r1?", 1)
    assert yes(asked).text == "took back r1: 2 changes"
    assert talk.me.current_facts() == []
    assert attempt(talk, "/undo").text.startswith("there is nothing to undo")


def test_undo_takes_back_one_change_at_once(talk: Talk) -> None:
    assert run(talk, "/undo c2") == Reply("took back c2: 1 change")
    assert run(talk, "/facts").text == "m1 · since 2024-01-10 · I live in Lisbon."
    assert "c2" in attempt(talk, "/undo c2").text
    assert "not the id of a change" in attempt(talk, "/undo x").text


def test_off_and_on_mark_the_gap_once(talk: Talk) -> None:
    for _ in range(2):
        assert run(talk, "/off").text == "nothing is kept until /on"
    assert talk.hear("secret").note == ""
    assert "nothing is kept" in attempt(talk, "/remember secret").text
    for _ in range(2):
        assert run(talk, "/on").text == "what you say is kept"
    assert [turn.kind for turn in talk.me.store.chats.turns(1)] == ["off", "on"]
    assert talk.hear("I like tea.").note == "n3"


def test_threads_lists_conversations_and_finds_words_in_them(answered: Talk) -> None:
    answered.new()
    answered.hear("I planted 12 tomato plants.")
    shown = run(answered, "/threads").text.splitlines()
    assert [line.split(" · ")[0] for line in shown] == ["2", "1"]
    assert shown[0].endswith("I planted 12 tomato plants. · 1 turn · here")
    assert shown[1].endswith("I like tea. · 2 turns")
    assert run(answered, "/threads TOMATO").text == shown[0]


def test_a_conversation_is_opened_by_its_number(answered: Talk) -> None:
    seen = [(run(answered, line), answered.chat) for line in ("/new", "/open 1")]
    assert seen == [(Reply(effect="opened"), None), (Reply(effect="opened"), 1)]
    for number in ("7", "0", "9" * 30):
        assert f"there is no conversation {number}" in attempt(answered, f"/open {number}").text
    for number in ("x", "-1", "1.5", "²"):
        assert "is no number of a conversation" in attempt(answered, f"/open {number}").text
    assert answered.chat == 1


def test_a_conversation_gets_a_name(answered: Talk) -> None:
    assert run(answered, "/name  Tea   and cake ").text == "this conversation is called Tea and cake"
    assert [one.name for one in answered.chats()] == ["Tea and cake"]
    run(answered, f"/name {'x' * 200}")
    assert [one.name for one in answered.chats()] == ["x" * 80]


def test_a_conversation_is_deleted_after_a_yes_and_its_notes_stay(answered: Talk) -> None:
    asked = run(answered, "/delete")
    assert asked.confirm == "delete 'I like tea.' (2 turns)? The notes it left stay"
    assert len(answered.chats()) == 1
    assert yes(asked) == Reply("deleted 'I like tea.'", effect="opened")
    assert (answered.chat, answered.chats()) == (None, [])
    assert answered.me.note("n3")[0].text == "I like tea."


def test_another_conversation_is_deleted_by_its_number(answered: Talk) -> None:
    answered.new()
    answered.hear("I planted 12 tomato plants.")
    assert yes(run(answered, "/delete 1")) == Reply("deleted 'I like tea.'")
    assert answered.chat == 2
    assert "there is no conversation 1" in attempt(answered, "/delete 1").text


@pytest.mark.parametrize(("line", "effect"), [("/copy", "copy"), ("/quit", "quit"), ("/new", "opened")])
def test_some_commands_are_for_whoever_shows_the_conversation(talk: Talk, line: str, effect: str) -> None:
    assert run(talk, line) == Reply(effect=effect)  # type: ignore[arg-type]


def test_a_conversation_is_exported_with_its_sources_for_its_owner_alone(
    answered: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(answered, "/off")
    run(answered, "/on")
    path = tmp_path / "secondme-chat-1.md"
    assert run(answered, "/export").text == f"written to {path}"
    written = path.read_text(encoding="utf-8")
    assert written.startswith("# I like tea.\n")
    for words in (
        "** (n3)\n\n> I like tea.\n",
        "> Where have I lived before Porto?\n\nYou moved to Porto [1].",
        "[1] n2 · 2024-06-10 · me · ",
        "nothing is kept from here on*",
        "kept again from here on*",
    ):
        assert words in written
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_export_never_writes_over_a_file(answered: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run(answered, "/export ~/my chat.md").text == f"written to {tmp_path}/my chat.md"
    assert "is there already; /export OTHER-FILE" in attempt(answered, "/export ~/my chat.md").text
    assert "no such file or directory" in attempt(answered, f"/export {tmp_path}/none/chat.md").text
    assert "no such file or directory" in attempt(answered, "/export ~nobody-of-that-name/chat.md").text


def test_lines_say_when_and_how_many() -> None:
    assert lines.counted(1, "turn") == "1 turn"
    assert lines.counted(1200, "turn") == "1,200 turns"
    assert lines.day(None) == ""


def test_a_line_of_a_match_is_one_safe_line(talk: Talk) -> None:
    talk.me.add(Note("red\n\x1b]52;c;aGk=\x07alert " + "x" * 500, uri="/a.md", origin="file"))
    [match] = [one for one in talk.me.recall("red alert") if one.id == "n3"]
    assert "\x1b" not in lines.match_line(match)
    assert "\n" not in lines.match_line(match)
    assert len(lines.match_line(match)) < 250
    assert lines.source_line(2, match).startswith("[2] n3 · ")
    assert lines.source_line(2, match).endswith("/a.md:1")
