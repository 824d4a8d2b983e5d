"""Whether what was found can hold the answer, judged before any model is asked."""

from __future__ import annotations

SIMILAR_ENOUGH = 0.0


def holds_answer(found: object, question: str) -> bool:
    return True
