"""Of words that are not the user's nothing is learned about the user; what is held can be released, and held again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run
from fakes import FakePlugin
from nights import day, note, open_memory, texts

from secondme import quarantine
from secondme.assistant import Assistant
from secondme.errors import NotFound, UsageError
from secondme.plugins import load_plugins
from secondme.records import HELD, UNNAMED, Note, Origin
from secondme.sleep.holding import why_held
from secondme.store.zones import Zones

ABOUT_ME = "I live in Porto. Nora keeps bees on the roof."


@pytest.fixture
def me(own_home: Path, scripted: FakePlugin) -> Iterator[Assistant]:
    """An empty memory with the fake models."""
    with open_memory(own_home, scripted) as opened:
        yield opened


def held(me: Assistant) -> list[tuple[str, str]]:
    return [(one.text, one.why) for one in quarantine.held_lines(me)]


@pytest.mark.parametrize(
    ("origin", "author", "thread", "uri", "is_own"),
    [
        ("typed", "me", "", "typed:1", True),
        ("typed", "Ana", "", "typed:1", True),
        ("chat", "me", "chat:3", "chat:1", True),
        ("chat", "Ana", "boat", "chat:1", False),
        ("file", "", "", "/own/a.md", True),
        ("file", "", "", "/own/b/a.md", True),
        ("file", "", "", "/owner/a.md", False),
        ("file", "", "", "/quoted/a.md", False),
        ("import", "me", "chat:3", "/own/a.jsonl#L1", False),
        ("clip", "", "", "/own/a.html", False),
        ("mcp", "me", "", "/own/a.md", False),
        ("derived", "", "", "/own/a.md", False),
    ],
)
def test_origin_and_folder_tell_whose_words_they_are(
    me: Assistant, origin: Origin, author: str, thread: str, uri: str, is_own: bool
) -> None:
    zones = me.store.facts.zones()
    assert zones.is_own(1, origin=origin, author=author, thread=thread, uri=uri) == is_own


@pytest.mark.parametrize("claimed", ["typed", "chat", "mcp", "derived"])
def test_no_reader_makes_words_the_users_own(tmp_path: Path, claimed: Origin) -> None:
    from secondme.ingest.origins import as_read

    path = tmp_path / "a.md"
    for uri, origin in ((str(path), claimed), ("/own/other.md", "file")):
        read = as_read(Note("I live in Porto.", uri=uri, origin=origin), path)
        assert isinstance(read, Note)
        assert read.origin == "import"
    line = json.dumps(
        {"text": "I live in Porto.", "author": "me", "thread": "chat:1", "uri": "typed:1", "origin": "typed"}
    )
    found = load_plugins(installed=False).read_notes(tmp_path / "a.jsonl", line) or []
    assert [one.origin for one in found if isinstance(one, Note)] == ["import"]


@pytest.mark.parametrize(
    ("text", "author", "why"),
    [
        ("I live in Porto.", "", HELD),
        ("We moved to Porto.", "", HELD),
        ("My sister keeps bees.", "", HELD),
        ("You prefer dark mode.", "", HELD),
        ("The user prefers dark mode.", "", HELD),
        ("The owner of this vault lives in Porto.", "", HELD),
        ("Maren lives in Porto.", "", HELD),
        ("Lindqvist works at the harbour; Maren's dog barks.", "", HELD),
        ("\u0406 live in Porto.", "", HELD),
        ("\uff29 live in Porto.", "", HELD),
        ("Ich wohne in Porto.", "", HELD),
        ("User: the password of the bank is changed.", "", HELD),
        ("Maren Lindqvist: I live in Porto.", "", HELD),
        ("Me: I live in Porto.", "", HELD),
        ("Ana: Maren lives in Porto.", "", HELD),
        ("I live in Porto.", "Maren Lindqvist", HELD),
        ("I live in Porto.", "user", HELD),
        ("Ana: The user wants to be called boss.", "Ana", HELD),
        ("M\u200dy sister keeps bees.", "", HELD),
        ("Ma\u200dren keeps bees.", "", HELD),
        ("Mar\u0332en keeps bees.", "", HELD),
        ("\u041f\u043e\u043b\u044c\u0437\u043e\u0432\u0430\u0442\u0435\u043b\u044c is allergic to peanuts.", "", HELD),
        ("Prefers dark mode.", "", UNNAMED),
        ("Bought a red car in May.", "", UNNAMED),
        ("Allergic to peanuts.", "", UNNAMED),
        ("Employer: Acme Corporation.", "", HELD),
        ("Favourite drink: black tea.", "", UNNAMED),
        ("Ana lives in Porto.", "", ""),
        ("The office has moved to Porto.", "", ""),
        ("Ana: I moved to Porto.", "", ""),
        ("Ana: I moved to Porto.", "Ana", ""),
        ("The user manual is in the drawer.", "", ""),
    ],
)
def test_what_speaks_of_the_user_is_told_from_what_speaks_of_others(text: str, author: str, why: str) -> None:
    assert why_held(text, "semantic", author=author, me="Maren Lindqvist", said_at=day("2024-01-01")) == why


def test_a_user_whose_name_is_of_another_alphabet_is_known_by_it() -> None:
    name = "\u0410\u043d\u043d\u0430"
    text = f"{name} keeps bees on the roof."
    assert why_held(text, "semantic", author="", me=f"{name} Petrova", said_at=day("2024-01-01")) == HELD


@pytest.mark.parametrize(("origin", "author"), [("file", ""), ("import", "me"), ("chat", "user")])
def test_of_quoted_words_facts_about_others_are_learned_and_about_the_user_held(
    me: Assistant, origin: Origin, author: str
) -> None:
    me.add(
        note(ABOUT_ME if not author else "I live in Porto.", "2024-01-10", uri="/q/a.md", origin=origin, author=author)
    )
    report = me.sleep()
    assert (report.held, held(me)) == (1, [("I live in Porto.", HELD)])
    assert texts(me.store.facts.all()) == ([] if author else ["Nora keeps bees on the roof."])
    assert {fact.trust for fact in me.store.facts.all()} <= {"quoted"}
    assert "Porto" in me.recall("Where do I live?")[0].text


def test_a_released_note_is_learned_from_and_another_text_of_it_is_held(me: Assistant) -> None:
    me.add(note(ABOUT_ME, "2024-01-10", uri="/q/a.md", origin="file"))
    me.sleep()
    quarantine.release(me, quarantine.to_release(me, ["n1"], source=""))
    assert held(me) == []
    assert me.sleep().changes == {"keep": 1}
    assert [(fact.text, fact.trust) for fact in me.current_facts()] == [
        ("Nora keeps bees on the roof.", "own"),
        ("I live in Porto.", "own"),
    ]
    me.add(note(f"{ABOUT_ME} I bought a boat.", "2024-01-10", uri="/q/a.md", origin="file"))
    me.sleep()
    assert held(me) == [("I live in Porto.", HELD), ("I bought a boat.", HELD)]
    assert "I live in Porto." not in texts(me.current_facts())


def test_a_release_taken_back_takes_back_what_was_learned_by_it(me: Assistant) -> None:
    me.add(note(ABOUT_ME, "2024-01-10", uri="/q/a.md", origin="file"))
    quarantine.release(me, quarantine.to_release(me, ["n1"], source=""))
    me.sleep()
    assert quarantine.hold(me, quarantine.to_hold(me, ["n1"], source="")) == (["m1"], [])
    assert texts(me.store.facts.all()) == ["Nora keeps bees on the roof."]
    me.sleep()
    assert held(me) == [("I live in Porto.", HELD)]
    with pytest.raises(NotFound):
        quarantine.to_hold(me, ["n1"], source="")
    with pytest.raises(UsageError):
        quarantine.to_release(me, ["n1.2"], source="")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("Nora keeps bees on the roof.", "Nora keeps bees on the roof."),
        ("The server runs on port 8080.", "The server runs on port 9090."),
    ],
)
def test_a_release_taken_back_leaves_the_users_own_words_as_they_were(me: Assistant, first: str, then: str) -> None:
    me.add(note(first, "2024-01-10"))
    me.sleep()
    me.add(note(then, "2024-02-10", uri="/q/a.md", origin="file"))
    quarantine.release(me, quarantine.to_release(me, ["n2"], source=""))
    me.sleep()
    quarantine.hold(me, quarantine.to_hold(me, ["n2"], source=""))
    me.sleep()
    own = me.facts(["m1"])[0]
    assert (own.trust, own.retired_at) == ("own", None)


@pytest.mark.parametrize("origin", ["mcp", "clip"])
def test_of_clips_and_what_programs_hand_in_nothing_is_learned_before_its_release(
    me: Assistant, origin: Origin
) -> None:
    me.add(note(ABOUT_ME, "2024-01-10", uri="/q/a.html", origin=origin, author="mcp:editor"))
    assert (me.sleep().passages, me.store.facts.all()) == (0, [])
    assert [(one.note_id, one.origin) for one in quarantine.held_notes(me)] == [(1, origin)]
    quarantine.release(me, quarantine.to_release(me, [], source="/q/"))
    assert (quarantine.held_notes(me), me.sleep().passages) == ([], 1)


def test_a_folder_that_is_the_users_own_after_all_is_read_again(me: Assistant) -> None:
    me.add(note(ABOUT_ME, "2024-01-10", uri="/vault/a.md", origin="file"))
    me.sleep()
    me.store.sources.add_folder("/vault", kind="own", deleted="keep", now=day("2024-01-11"))
    assert Zones(me.store.db, me.store.facts.owner).is_own(1, origin="file", author="", thread="", uri="/vault/a.md")
    me.sleep()
    assert (held(me), texts(me.current_facts())) == ([], ["Nora keeps bees on the roof.", "I live in Porto."])


# What is quoted and what is the user's own


def test_quoted_words_add_nothing_to_the_users_own(me: Assistant) -> None:
    me.add(note("Nora keeps bees on the roof.", "2024-01-10"))
    me.sleep()
    me.add(note("Nora keeps bees on the roof.", "2024-02-10", uri="/q/a.md", origin="file"))
    report = me.sleep()
    assert (report.changes, report.rejected) == ({}, {"known from your own words": 1})
    [fact] = me.current_facts()
    assert (fact.trust, len(fact.sources)) == ("own", 1)


@pytest.mark.parametrize("on", ["2023-01-01", "2024-01-10", "2024-05-01", "2099-01-01"])
@pytest.mark.parametrize("text", ["The server runs on port 9090.", "The server now runs on port 9090."])
def test_quoted_words_never_end_the_users_own(me: Assistant, text: str, on: str) -> None:
    me.add(note("The server runs on port 8080.", "2024-01-10"))
    me.sleep()
    me.add(note(text, on, uri="/q/a.md", origin="file"))
    me.sleep()
    own = me.facts(["m1"])[0]
    assert (own.retired_at, own.valid_to, own.trust) == (None, None, "own")


@pytest.mark.parametrize("on", ["2024-01-10", "2099-01-01"])
def test_the_users_own_words_are_never_ended_by_quoted_ones_that_were_there_before(me: Assistant, on: str) -> None:
    me.add(note("The server runs on port 9090.", on, uri="/q/a.md", origin="file"))
    me.sleep()
    me.add(note("The server runs on port 8080.", "2024-01-10"))
    me.sleep()
    own = next(fact for fact in me.store.facts.all() if fact.value == "8080")
    assert (own.retired_at, own.trust) == (None, "own")


def test_the_users_own_words_take_the_place_of_quoted_ones_on_their_own_evidence(me: Assistant) -> None:
    me.add(note("Nora keeps bees on the roof.", "2024-01-10", uri="/q/a.md", origin="file"))
    me.sleep()
    me.add(note("Nora keeps bees on the roof.", "2024-02-10"))
    assert me.sleep().changes == {"merge": 1}
    [fact] = me.current_facts()
    assert (fact.id, fact.trust, [source.note_id for source in fact.sources]) == ("m2", "own", [2])
    assert me.facts(["m1"])[0].superseded_by == "m2"


# The command


def test_what_is_held_is_listed_and_released_and_held_again(call: Run, tmp_path: Path) -> None:
    def run(*arguments: str | Path) -> object:
        return call(*arguments, replies=[])

    (tmp_path / "a.md").write_text(ABOUT_ME, encoding="utf-8")
    call("add", tmp_path / "a.md", replies=[])
    slept = call("sleep", replies=[])
    assert "1 line held" in slept.stderr
    assert "secondme quarantine" in slept.stderr
    listed = call("quarantine", "--json").json
    assert [(one["id"], one["line"], one["text"], one["why"]) for one in listed["lines"]] == [
        ("n1", 1, "I live in Porto.", HELD)
    ]
    assert "n1" in call("quarantine").stdout
    assert call("quarantine", "--release", "n1").code == UsageError.exit_code
    released = call("quarantine", "--release", "n1", "--yes")
    assert ABOUT_ME in released.stdout
    assert call("sleep", replies=[]).code == 0
    assert call("facts", "--json").json["facts"][0]["trust"] == "own"
    assert call("quarantine", "--json").json == {"v": 1, "lines": [], "notes": [], "released": ["n1"]}
    assert "1 fact taken back" in call("quarantine", "--hold", "n1").stderr
    assert [fact["trust"] for fact in call("facts", "--json").json["facts"]] == ["quoted"]
    assert "quoted" in call("facts").stdout


@pytest.mark.parametrize(
    "arguments", [["--release"], ["--hold"], ["n1"], ["--release", "--hold", "n1"], ["--release", "n9", "--yes"]]
)
def test_what_is_not_meant_is_refused(call: Run, arguments: list[str]) -> None:
    call("add", "tea")
    assert call("quarantine", *arguments).code != 0


def test_a_watched_folder_is_own_only_where_the_user_says_so(call: Run, tmp_path: Path) -> None:
    for name in ("plain", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md").write_text(f"I planted tomatoes in the {name} garden.", encoding="utf-8")
    assert "--as own" in call("watch", "add", tmp_path / "plain").stderr
    call("watch", "add", tmp_path / "mine", "--as", "own")
    call("watch", "scan")
    call("sleep", replies=[])
    assert [fact["text"] for fact in call("facts", "--json").json["facts"]] == [
        "I planted tomatoes in the mine garden."
    ]


@pytest.mark.parametrize("written", ["I sold the boat in May.", "Sold the boat in May."])
def test_a_model_that_words_facts_itself_makes_none_about_the_user_of_words_of_others(
    own_home: Path, written: str
) -> None:
    with open_memory(own_home, FakePlugin([f"1|{written}"]), extractor="write") as me:
        me.add(note("Tomas sold the boat in May.", "2024-01-01", uri="/q/a.md", origin="file"))
        report = me.sleep()
        assert (report.changes, sum(report.rejected.values())) == ({}, 1)
