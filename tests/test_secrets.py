"""Secrets in what is stored: found, masked wherever text comes in, told by place and kind, never by what they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run
from hypothesis import given, settings
from hypothesis import strategies as st
from limits import HOSTILE, at_most
from nights import open_memory
from secrets_set import negatives, positives

from secondme.chat.talk import Talk
from secondme.config import Config, SecretsConfig, load_config
from secondme.errors import ConfigError
from secondme.records import Masked, Note
from secondme.secrets import MASK, NAMES, find, mask, masks_in

[KEY] = [secret for kind, text, secret in positives() if kind == "aws-key" and text == secret][:1]
[PEM] = [secret for kind, text, secret in positives() if kind == "private-key" and text == secret][:1]


def test_nearly_all_secrets_are_found_and_hardly_anything_else() -> None:
    missed = [(kind, text) for kind, text, secret in positives() if secret in mask(text)]
    alarms = [text for text in negatives() if find(text)]
    assert len(positives()) >= 150
    assert len(negatives()) >= 300
    assert len(missed) <= 0.05 * len(positives()), missed
    assert len(alarms) <= 0.01 * len(negatives()), alarms


def test_every_kind_is_in_the_set_and_every_secret_is_of_its_kind() -> None:
    assert {kind for kind, _, _ in positives()} == set(NAMES)
    assert not [text for kind, text, _ in positives() if find(text) and kind not in {one.kind for one in find(text)}]


def test_a_masked_block_keeps_the_lines_below_it_where_they_are() -> None:
    text = f"first\n{PEM}\nlast"
    masked = mask(text)
    assert masked.splitlines()[0] == "first"
    assert masked.splitlines()[-1] == "last"
    assert masked.count("\n") == text.count("\n")
    assert masks_in(masked, "n1") == [Masked("n1", "private-key", 2)]


def test_a_private_key_that_is_cut_off_is_masked_up_to_its_last_line() -> None:
    cut = "\n".join(PEM.splitlines()[:4])
    assert mask(f"{cut}\n\nThen we went home by train.") == f"{MASK}private-key⟧\n\n\n\n\nThen we went home by train."


pieces = st.sampled_from(
    [text for _, text, _ in positives()] + negatives() + ["\n", " ", "⟦masked: ", "⟧", "password: "]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces | st.text(max_size=20), max_size=8).map("".join))
def test_masking_twice_changes_nothing_and_moves_no_line(text: str) -> None:
    masked = mask(text)
    assert mask(masked) == masked
    assert masked.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "piece",
    [
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "password:",
        "1234 ",
        "eyJ.",
        "DE89 ",
        "a://b:c",
        "api key ",
        "sk-",
        'token="',
        "-",
    ],
)
def test_a_text_made_to_keep_it_busy_is_looked_through_in_no_time(piece: str) -> None:
    with at_most(10):
        find(piece * (HOSTILE // len(piece)))


def test_what_is_added_is_masked_and_its_place_is_told(call: Run, own_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "keys.md"
    file.write_text(f"# Keys\n\nThe build uses {KEY} in May.\n")
    added = call("add", file)
    assert added.code == 0
    assert added.stderr.splitlines() == ["masked: aws-key in n1, line 3"]
    assert KEY in file.read_text()
    told = call("add", f"Another one: {KEY}", "--json").json
    assert told["masked"] == [{"id": "n2", "kind": "aws-key", "line": 1}]
    listed = call("secrets", "--json").json
    assert [(one["id"], one["line"], one["kind"]) for one in listed["masked"]] == [
        ("n1", 3, "aws-key"),
        ("n2", 1, "aws-key"),
    ]
    assert listed["unmasked"] == []
    assert listed["kinds"]["aws-key"] == "masked"
    assert not [path for path in own_home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert call("add", file).stderr.splitlines() == ["already known, nothing added"]


def test_a_kind_may_be_kept_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    assert find(KEY, keep=["aws-key"]) == []
    config = tmp_path / "config.toml"
    config.write_text('[secrets]\nkeep = ["card-number", "pin"]\n')
    with pytest.raises(ConfigError, match="'pin'"):
        load_config(config, environ={})


def test_what_is_said_in_the_chat_is_masked_in_note_question_and_name(own_home: Path) -> None:
    with open_memory(own_home) as me:
        talk = Talk(me)
        talk.hear(f"My key for the build is {KEY}.")
        talk.hear(f"What is {KEY} for?")
        talk.remember(f"Keep {KEY}")
        assert talk.chat is not None
        assert all(KEY not in turn.text for turn in me.store.chats.turns(talk.chat))
    assert not [path for path in own_home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def test_a_line_with_a_mask_becomes_no_fact(own_home: Path) -> None:
    with open_memory(own_home) as me:
        me.add(Note(f"My favourite key is {KEY}."))
        me.add(Note("My favourite tea is Assam."))
        me.sleep()
        assert [fact.text for fact in me.current_facts()] == ["My favourite tea is Assam."]


def test_what_was_stored_before_is_found_and_masked_without_a_trace(call: Run, own_home: Path) -> None:
    keeping = Config(secrets=SecretsConfig(keep=("aws-key",)))
    with open_memory(own_home) as me:
        me.config = keeping
        me.add(Note(f"My key is {KEY}.", uri="keys", title=f"Key {KEY}"))
        me.add(Note("My key is lost.", uri="keys"))
        me.add(Note(f"I moved to Porto with {KEY}.", uri="move"))
        me.add(Note("I like tea.", uri="tea"))
        me.sleep()
        talk = Talk(me)
        talk.hear(f"What is {KEY}?")
        assert any(KEY in fact.text for fact in me.current_facts())
    assert call("secrets").stderr.count("secondme secrets --mask") == 1
    done = call("secrets", "--mask", "--json").json
    assert done["unmasked"] == []
    assert {(one["kind"], one["is_current"]) for one in done["masked"]} == {("aws-key", False), ("aws-key", True)}
    assert not [path for path in own_home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert call("verify").code == 0
    with open_memory(own_home) as me:
        assert [match.text for match in me.recall("who moved to Porto", k=1)] == [
            f"I moved to Porto with {MASK}aws-key⟧."
        ]
        assert [note.text for note in me.store.versions("keys")] == ["My key is lost.", f"My key is {MASK}aws-key⟧."]
    assert json.loads(call("secrets", "--mask", "--json").stdout)["masked"] == done["masked"]
