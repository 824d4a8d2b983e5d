"""A night with a real model: facts are found, read once, and come out the same again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import ModelFile

from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig
from secondme.plugins import load_plugins
from secondme.records import Filters, Note

pytestmark = pytest.mark.model

LINES = (
    "I live in Lisbon, near the old market.",
    "My sister Nora has kept bees since 2019.",
    "What a day, honestly.",
    "Bought a green bicycle yesterday for 380 euros.",
    "Never give up on what you love.",
    "I work at the harbour museum.",
    "The dentist moved my appointment to 14 March.",
    "Music is so good for the soul.",
    "My brother Pedro is allergic to peanuts.",
    "We are going to sail to Nazaré in August.",
    "I love olives on pizza.",
    "I moved to Porto.",
)


@pytest.fixture
def me(own_home: Path, model_file: ModelFile) -> Iterator[Assistant]:
    """A dozen lines, a small language model and the real embedder."""
    models = ModelsConfig(str(model_file("smollm2-135m")), str(model_file("minilm-l6")), context=1024, threads=1)
    with Assistant.open(own_home, config=Config(models=models), plugins=load_plugins(installed=False)) as opened:
        opened.add_many(
            Note(text, uri=f"note:{number}", happened_at=datetime(2024, 3, number, 12, tzinfo=UTC))
            for number, text in enumerate(LINES, 1)
        )
        yield opened


def test_a_night_finds_facts_and_reads_its_instructions_once(me: Assistant) -> None:
    report = me.sleep()
    assert (report.state, report.passages, report.waiting) == ("done", len(LINES), 0)
    facts = me.store.facts.all()
    found = {fact.sources[0].quote for fact in facts}
    assert {"I live in Lisbon, near the old market.", "I moved to Porto."} <= found
    assert len(facts) >= 5
    # The instructions are longer than any line: sent with each question, read with the first.
    assert 3 <= report.calls < len(LINES)
    assert report.tokens_written == 0
    assert report.tokens_sent > 100 * report.calls
    assert report.tokens_evaluated < report.tokens_sent / 2
    assert [match.text for match in me.recall("Where do I live?", k=1, filters=Filters(kind="fact"))] == [
        "I moved to Porto."
    ]


def test_a_night_that_was_undone_finds_the_same_again(me: Assistant) -> None:
    run = me.sleep().run
    before = [(fact.text, fact.valid_from, fact.valid_to) for fact in me.store.facts.all()]
    me.undo(run)
    assert me.store.facts.all() == []
    again = me.sleep()
    assert [(fact.text, fact.valid_from, fact.valid_to) for fact in me.store.facts.all()] == before
    # The instructions were read by the first night.
    assert again.tokens_evaluated < again.tokens_sent / 2
