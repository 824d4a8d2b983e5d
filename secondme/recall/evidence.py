"""Whether what was found can hold the answer at all, judged before a model is asked."""

from __future__ import annotations

from collections.abc import Sequence

from secondme.recall.ranking import Field, Ranking
from secondme.recall.words import WORD
from secondme.records import Match

LOOKED_AT = 10
"""How many of the best passages are judged."""
ENOUGH = 0.38
"""Similarity of the best passage plus a fifth of the words it covers, below which memory does not hold the answer.

Chosen so that about 2 % of answerable questions on chats lie below; of questions on other matters 15 to 50 % did.
"""
ENOUGH_WORDS = 0.2
"""The same without vectors: the share of the question's words, by rarity, that the best passage holds."""
SPOKEN_TO = frozenset({"you", "your", "yours", "yourself"})


def holds_answer(field: Field, ranking: Ranking) -> bool:
    """True unless all that was found has hardly anything to do with the question.

    What lies in the time that the question speaks of counts as found: "what did I do last week" has no words to match.
    """
    rows = ranking.rows[:LOOKED_AT]
    if not len(rows):
        return False
    if (field.in_time[rows] > 0).any():
        return True
    covered = float(field.coverage[rows].max())
    similarity = float(ranking.similarity[:LOOKED_AT].max())
    return similarity + covered / 5 >= ENOUGH if similarity > 0 else covered >= ENOUGH_WORDS


def is_of_others(cited: Sequence[Match], named: Sequence[str]) -> bool:
    """True if the question is about one speaker, and all that was cited was said by others of themselves.

    What somebody says of the one in question counts as theirs: it names them or speaks to them.
    """
    if len(named) != 1 or not cited:
        return False
    names = set(WORD.findall(named[0].lower()))
    return not any(
        match.author in ("", named[0]) or set(WORD.findall(match.text.lower())) & (names | SPOKEN_TO) for match in cited
    )
