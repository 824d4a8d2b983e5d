"""Whether a statement makes an earlier one untrue where no rule reads both: its wording and a model, together."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from secondme.models.prompts import OUTDATED, outdated_prompt
from secondme.models.protocols import LanguageModel, Usage
from secondme.recall.words import content_words
from secondme.sleep.english import PERSONS
from secondme.sleep.verdicts import Known

FEATURES = ("intercept", "of the old", "of the new", "change", "another matter", "both own", "figures", "model")
WEIGHTS = (-4.69, 0.21, 0.27, 3.0, -1.84, -1.04, 2.66, 5.07)
"""What each feature adds to the log-odds; fitted by tests/bench/fit_sleep.py.

Fitted to 316 pairs, 187 of them look-alikes. Of an update and a look-alike held out, a model of 1.5B alone ranks the
update higher in 85 of 100 cases, with the wording in 93.
"""
LIKELY = 1.75
"""The least log-odds: of 217 look-alikes three that the words let through are above it."""
BELIEVED = 2.0
"""What a model says is believed up to here."""
STEM = 5
ASKED = 3
"""About how many earlier statements the model is asked at most, the latest ones."""

_CHANGE = re.compile(
    r"\b(?:now|no longer|any ?more|moved|new|switched|changed?|started|bec[ao]me|left|quit|sold|cancell?ed|promoted"
    r"|upgraded|replaced|renamed|instead|turned|went (?:up|down)|dropped|extended|postponed|rescheduled|pushed|raised"
    r"|from now on|these days|got rid|gave up|stopped|joined|retired|divorced|broke up|lost|took over|taken over"
    r"|(?:down|up) to|is called|again|since|migrated|closed|ditched|bumped|split up|after all|back (?:to|on|in)|already"
    r"|finally)\b",
    re.IGNORECASE,
)
_ANOTHER_MATTER = re.compile(
    r"\b(?:other|another|second|also|too|as well|might|would|could|may|if|want|hope|dream|thinking|considering|plan"
    r"|planning|used to|when i was|weekend|visit\w*|holiday|sometimes|guest|spare|temporar\w*|borrow\w*|rent(?:ed|al)?"
    rf"|ago|last year|once|almost|nearly|like|love|parents|friends|kids|client|{'|'.join(sorted(PERSONS))})\b",
    re.IGNORECASE,
)
_OWN = re.compile(r"\W*(?:i|we|my|our)\b", re.IGNORECASE)
_SPEAKER = re.compile(r"[A-Z][\w .-]{0,40}: ")
_DATES = re.compile(r" ?\[[^\]]*\]")


def find_outdated(
    new: Known, earlier: Sequence[Known], *, model: LanguageModel, usage: Usage
) -> tuple[Known | None, int]:
    """Return the earlier statement that a new one makes untrue, if any, and how often the model was asked."""
    asked = [old for old in earlier if may_outdate(new, old)][-ASKED:]
    if not asked:
        return None, 0
    prompts = [outdated_prompt(bare(old.text), bare(new.text)) for old in asked]
    weights = model.weigh(prompts, OUTDATED, usage=usage)
    odds = [log_odds(new, old, model=yes - no) for old, (yes, no) in zip(asked, weights, strict=True)]
    best = max(range(len(asked)), key=odds.__getitem__)
    return (asked[best] if odds[best] >= LIKELY else None), len(asked)


def may_outdate(new: Known, old: Known) -> bool:
    """True if it is worth asking: a later word of change by the same speaker, on words of the earlier statement."""
    is_later = old.is_current and not old.is_event and old.said_at < new.said_at and old.trust <= new.trust
    if not is_later or _speaker(new.text) != _speaker(old.text):
        return False
    _, of_old, _, change, another_matter, *_ = features(bare(new.text), bare(old.text), model=0.0)
    return bool(change and of_old and not another_matter)


def log_odds(new: Known, old: Known, *, model: float) -> float:
    """Return how likely the new statement makes the old one untrue; `model` is what a language model gives it."""
    values = features(bare(new.text), bare(old.text), model=model)
    return math.fsum(weight * value for weight, value in zip(WEIGHTS, values, strict=True))


def bare(text: str) -> str:
    """Return a statement without who said it and without the dates that were written into it."""
    return _DATES.sub("", _SPEAKER.sub("", text, count=1))


def _speaker(text: str) -> str:
    found = _SPEAKER.match(text)
    return found[0] if found else ""


def features(new: str, old: str, *, model: float) -> Sequence[float]:
    """Return what of two bare statements tells whether the new one ends the old; `model` as in `log_odds`."""
    earlier, later = ({word[:STEM] for word in content_words(text)} for text in (old, new))
    shared = len(earlier & later)
    known = {word.lower() for word in _ANOTHER_MATTER.findall(old)}
    others = [word for word in _ANOTHER_MATTER.findall(new) if word.lower() not in known]
    return (
        1.0,
        shared / max(len(earlier), 1),
        shared / max(len(later), 1),
        float(bool(_CHANGE.search(new))),
        float(bool(others)),
        float(bool(_OWN.match(old)) == bool(_OWN.match(new))),
        float(bool(re.search(r"\d", old)) == bool(re.search(r"\d", new))),
        max(-BELIEVED, min(BELIEVED, model)),
    )
