"""Whether a statement is worth keeping, as far as its wording tells."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

FEATURES = ("intercept", "words", "date", "number", "name", "own", "past", "general", "model")
WEIGHTS = (-4.2, 1.5, 0.6, 0.0, 0.7, 0.7, 0.3, -0.5, 0.45)
"""What each feature adds; fitted by tests/bench/fit_worth.py."""

_BRACKETS = re.compile(r"\[[^\]]*\]")
_DATE = re.compile(r"\[[^\]]*\d{4}\]")
_WORD = re.compile(r"[\w'’]+")
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|once|twice|dozen|half)\b", re.IGNORECASE
)
_OWN = re.compile(
    r"^\W*(?:now|yesterday|today|recently|last \w+)?\W*(?:i|i['’]\w+|my|we|we['’]\w+|our)\b", re.IGNORECASE
)
_PAST = re.compile(
    r"\b(?:went|got|made|bought|met|lost|took|found|saw|read|had|did|gave|came|began|won|told|wrote|sold|left|built|\w{3,}ed)\b",
    re.IGNORECASE,
)
_GENERAL = re.compile(
    r"\b(?:amazing|awesome|important|vital|crucial|always|never|everyone|people|life|we can|can't wait|keep \w+ing|\w+ is key)\b",
    re.IGNORECASE,
)


def features(text: str, *, author: str, model: float) -> Sequence[float]:
    """Return the features of a stand-alone statement; `model` is the log-odds that a language model gives it."""
    said = text.removeprefix(f"{author}: ")
    bare = _BRACKETS.sub("", said)
    words = _WORD.findall(bare)
    return (
        1.0,
        math.log(max(len(words), 1)),
        float(bool(_DATE.search(said))),
        float(bool(_NUMBER.search(bare))),
        float(any(word[0].isupper() and not word.startswith("I") for word in words[1:])),
        float(bool(_OWN.search(bare))),
        float(bool(_PAST.search(bare))),
        float(bool(_GENERAL.search(bare))),
        model,
    )


def worth(text: str, *, author: str, model: float) -> float:
    """Return the probability that a statement is worth keeping."""
    total = sum(
        weight * value for weight, value in zip(WEIGHTS, features(text, author=author, model=model), strict=True)
    )
    return 1 / (1 + math.exp(-total))
