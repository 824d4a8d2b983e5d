"""What makes an earlier statement untrue where no rule reads both: wording and a model together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes import FakePlugin
from nights import note, open_memory

from secondme.assistant import Assistant
from secondme.records import Origin
from secondme.sleep.outdating import LIKELY, bare, log_odds, may_outdate
from secondme.sleep.verdicts import Known

HETZNER = "The staging server is hosted on Hetzner."
MIGRATED = "We migrated the staging server to DigitalOcean."


def known(text: str, month: int, *, trust: int = 3, is_event: bool = False) -> Known:
    return Known(month, text, None, datetime(2024, month, 1, tzinfo=UTC), trust, None, None, True, is_event)


@pytest.fixture
def me(own_home: Path, scripted: FakePlugin) -> Iterator[Assistant]:
    with open_memory(own_home, scripted) as opened:
        yield opened


def told(me: Assistant, origin: Origin = "typed") -> dict[str, int]:
    me.add(note(HETZNER, "2024-01-10", origin=origin))
    me.add(note(MIGRATED, "2024-03-10", origin=origin))
    return dict(me.sleep().changes)


def test_what_the_model_calls_outdated_is_superseded(me: Assistant, scripted: FakePlugin) -> None:
    scripted.model.judge = lambda prompt: 1.0
    assert told(me) == {"keep": 1, "supersede": 1}
    [new] = me.current_facts()
    assert new.text == MIGRATED
    asked = scripted.model.prompts[-1].tail
    assert asked == f"1. {HETZNER}\n2. {MIGRATED}\nIs the first line outdated now?"


def test_what_the_model_does_not_call_outdated_stays(me: Assistant) -> None:
    assert told(me) == {"keep": 2}


def test_what_happened_stays_true_whatever_the_model_says(me: Assistant, scripted: FakePlugin) -> None:
    scripted.model.judge = lambda prompt: 1.0
    me.add(note("The staging server burned down in January 2024.", "2024-01-10"))
    me.add(note(MIGRATED, "2024-03-10"))
    assert me.sleep().changes == {"keep": 2}


def test_in_talk_the_model_is_not_asked(me: Assistant, scripted: FakePlugin) -> None:
    scripted.model.judge = lambda prompt: 1.0
    assert told(me, origin="chat") == {"keep": 2}
    assert not [prompt for prompt in scripted.model.prompts if "outdated" in prompt.tail]


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (known("The staging server has a blue case.", 3), known(HETZNER, 1)),
        (known("My sister moved her staging server to Hetzner.", 3), known(HETZNER, 1)),
        (known("We also moved the second staging server.", 3), known(HETZNER, 1)),
        (known(MIGRATED, 1), known(HETZNER, 3)),
        (known(MIGRATED, 3, trust=1), known(HETZNER, 1)),
        (known(f"Ana: {MIGRATED}", 3), known(HETZNER, 1)),
        (known(MIGRATED, 3), known("We paid for the staging server.", 1, is_event=True)),
        (known("I sold the car.", 3), known(HETZNER, 1)),
    ],
    ids=[
        "no change",
        "another's",
        "another one",
        "earlier",
        "less trusted",
        "another speaker",
        "event",
        "no shared word",
    ],
)
def test_what_cannot_end_a_statement_is_not_asked_about(new: Known, old: Known) -> None:
    assert may_outdate(known(MIGRATED, 3), known(HETZNER, 1))
    assert not may_outdate(new, old)


def test_a_model_that_doubts_outweighs_the_wording() -> None:
    new, old = known(MIGRATED, 3), known(HETZNER, 1)
    assert log_odds(new, old, model=-1.0) < LIKELY < log_odds(new, old, model=1.0)


def test_speaker_and_dates_are_not_part_of_what_is_asked() -> None:
    assert bare("Ana: I moved in March [March 2024].") == "I moved in March."
