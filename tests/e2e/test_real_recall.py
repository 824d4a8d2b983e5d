"""Recall with the real embedder on the sample vault: what words alone find, and what only meaning does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bench import demo_answers
from conftest import ModelFile
from fakes import ScriptedModel

from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig
from secondme.hookspecs import hookimpl
from secondme.models.protocols import LanguageModel
from secondme.plugins import Plugins, load_plugins
from secondme.recall.evidence import holds_answer
from secondme.records import Note

pytestmark = pytest.mark.model

QUESTIONS = demo_answers.read_questions()
ANSWERABLE = [entry for entry in QUESTIONS if entry["kind"] != demo_answers.UNANSWERABLE]
AT_LEAST = 27


class Scripted:
    """A plugin with a scripted model beside the real embedder."""

    def __init__(self) -> None:
        self.model = ScriptedModel()

    @hookimpl
    def language_model(self, config: ModelsConfig) -> LanguageModel | None:
        """Return the scripted model."""
        return self.model


def open_assistant(home: Path, embedder: str, plugins: Plugins | None = None) -> Assistant:
    # One thread: several wait for each other while other programs run.
    config = Config(models=ModelsConfig("", embedder, threads=1))
    return Assistant.open(home, config=config, plugins=plugins or load_plugins(installed=False))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for the sample vault, which the first test that needs it fills."""
    return tmp_path_factory.mktemp("vault")


@pytest.fixture
def embedder(model_file: ModelFile) -> str:
    """The path of the real embedder."""
    return str(model_file("minilm-l6"))


@pytest.fixture
def me(filled: Path, embedder: str) -> Iterator[Assistant]:
    """The sample vault with real vectors."""
    with open_assistant(filled, embedder) as opened:
        if not opened.store.counts()["notes"]:
            demo_answers.add_vault(opened)
        yield opened


def test_the_evidence_of_nearly_all_questions_is_among_the_first_five(me: Assistant) -> None:
    missed = [
        entry["question"]
        for entry in ANSWERABLE
        if not any(demo_answers.proves(match, entry) for match in me.recall(entry["question"], k=5))
    ]
    assert len(ANSWERABLE) - len(missed) >= AT_LEAST, missed


def test_nearly_all_questions_with_an_answer_are_worth_asking(me: Assistant) -> None:
    found = [me.search(entry["question"]) for entry in ANSWERABLE]
    assert sum(holds_answer(each.field, each.ranking) for each in found) >= 28


@pytest.mark.parametrize(
    ("question", "holds"),
    [
        ("canine illness", "The dog was sick all night"),
        ("my automobile needs fixing", "brought the car to the garage for repair"),
        ("somebody got married", "the wedding of my sister was lovely"),
        ("trouble sleeping", "insomnia again, awake until four"),
        ("earnings from my employer", "the salary arrived on Monday"),
    ],
)
def test_a_paraphrase_without_a_common_word_is_found_by_meaning(
    own_home: Path, embedder: str, question: str, holds: str
) -> None:
    texts = (
        "The dog was sick all night",
        "brought the car to the garage for repair",
        "the wedding of my sister was lovely",
        "insomnia again, awake until four",
        "the salary arrived on Monday",
        "planted tomatoes on the balcony",
        "the train to Vienna was late",
        "read a novel about the sea",
    )
    with open_assistant(own_home, embedder) as me:
        me.add_many(Note(text, uri=text, happened_at=datetime(2024, 6, 1, tzinfo=UTC)) for text in texts)
        assert me.recall(question)[0].text == holds
    with open_assistant(own_home, "") as wordy:
        assert not any(match.text == holds and match.arms["words"] > 0 for match in wordy.recall(question))


def test_vectors_survive_reopening(me: Assistant, filled: Path, embedder: str) -> None:
    question = ANSWERABLE[0]["question"]
    before = [(match.id, match.score) for match in me.recall(question)]
    assert me.store.index.waiting() == 0
    with open_assistant(filled, embedder) as again:
        assert again.store.index.waiting() == 0
        assert [(match.id, match.score) for match in again.recall(question)] == before
        assert again.recall(question)[0].arms["tokens"] > 0
        again.store.index.check()


def test_the_bench_of_answers_sees_words_and_evidence(me: Assistant, filled: Path, embedder: str) -> None:
    scripted = Scripted()
    plugins = load_plugins(installed=False)
    plugins.register(scripted, "scripted")
    entry = next(entry for entry in ANSWERABLE if entry["expected"] == ["1,450"])
    scripted.model.replies += ["Elvio paid 1450 € for the Panda.", "It was sold for 12 €.", "That is not in memory."]
    with open_assistant(filled, embedder, plugins) as asked:
        results = [demo_answers.ask(asked, entry, brief=False) for _ in range(3)]
    assert [(result.has_words, result.has_evidence) for result in results] == [
        (True, True),
        (False, True),
        (False, False),
    ]
    [row, whole] = demo_answers.report(results)
    assert (row["kind"], whole["kind"], row["questions"]) == ("fact", "all answerable", 3)
    assert (row["all_words"], row["evidence_cited"], row["abstained"]) == (0.333, 0.667, 0.333)
