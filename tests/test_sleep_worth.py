"""What the wording of a statement says of its worth."""

from __future__ import annotations

import pytest

from secondme.sleep.worth import FEATURES, WEIGHTS, features, worth


def seen(text: str, author: str = "") -> dict[str, float]:
    return dict(zip(FEATURES, features(text, author=author, model=0.0), strict=True))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("It was repaired [3 May 2024].", "date"),
        ("He paid 20 for it.", "number"),
        ("She has two cats.", "number"),
        ("The boat of Nora is blue.", "name"),
        ("Yesterday I slept.", "own"),
        ("She went there.", "past"),
        ("She painted it.", "past"),
        ("Success matters.", "general"),
        ("That is so kind.", "praise"),
    ],
)
def test_a_feature_is_seen_where_it_is_and_not_elsewhere(text: str, name: str) -> None:
    assert seen(text)[name] == 1
    assert seen("The boat is blue.")[name] == 0


def test_who_speaks_and_the_word_for_oneself_are_no_names() -> None:
    assert seen("Nora: we think I'm late, as I said", author="Nora")["name"] == 0
    assert seen("Nora: we like Porto", author="Nora")["name"] == 1


def test_a_date_in_brackets_is_no_number_of_its_own() -> None:
    assert seen("The boat was there [3 May 2024].")["number"] == 0


def test_a_concrete_event_is_worth_more_than_praise_and_the_model_has_a_say() -> None:
    event, praise = "In May 2023 I sailed to Madeira with Ines.", "It is always so amazing and important."
    assert worth(event, author="", model=0.0) > 0.5 > worth(praise, author="", model=0.0)
    assert worth(event, author="", model=3.0) > worth(event, author="", model=-3.0)
    assert len(WEIGHTS) == len(FEATURES)


def test_a_text_without_words_has_a_worth_too() -> None:
    assert 0 < worth("…", author="", model=0.0) < 0.5
