"""Verdicts from the wording alone, for facts that no frame could read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from secondme.sleep.values import significant_words, words_of
from secondme.sleep.verdicts import Conflict, Known, Merge, Repeat, Supersede, Verdict, interval_of, start_of
from secondme.sleep.vocabulary import word_set

EVENTS = frozenset(
    ["visited", "bought", "met", "adopted", "attended", "joined", "watched", "saw", "finished", "won", "went to"]
)
_TURNING = word_set(
    """
    if might may would could want used was were will hope maybe said says also other second
    """
)
_IRREGULAR = word_set(
    """
    went had was were saw met ate got made took did came bought ran spent won lost
    """
)


def ending_by_wording(new: Known, earlier: Sequence[Known]) -> Verdict | None:
    """Return the verdict for a denial in the very words of a fact that no frame could read."""
    words = significant_words(new.text)
    for known in earlier:
        if not known.is_current or known.statement is not None or known.said_at > new.said_at or len(words) < 3:
            continue
        if words == significant_words(known.text) and _polarity(new.text) and not _polarity(known.text):
            if known.trust > new.trust:
                return Conflict((known.id,))
            first, last = interval_of(new)
            return Supersede((known.id,), max(first or new.said_at, start_of(known)), first or new.said_at, last, None)
    return None


def _polarity(text: str) -> bool:
    words = set(words_of(text))
    return bool(words & {"not", "no", "never", "anymore", "longer", "without"}) or any(w.endswith("n't") for w in words)


def by_wording(new: Known, earlier: Sequence[Known]) -> Verdict | None:
    """Return Repeat or Merge for a fact in nearly the words of an earlier one."""
    words = Counter(words_of(new.text))
    for known in earlier:
        if not known.is_current or _polarity(known.text) != _polarity(new.text) or _is_other_event(new, known):
            continue
        old = Counter(words_of(known.text))
        if words == old:
            return Repeat(known.id)
        if len(old) < 4 or _marks(new.text) - _marks(known.text) or _marks(known.text) - _marks(new.text):
            continue
        shared = (words & old).total()
        if shared == old.total() and shared / words.total() >= 0.7 and known.trust <= new.trust:
            return Merge(known.id)
        if 2 * shared / (words.total() + old.total()) >= 0.95 or (
            shared == words.total() and shared / old.total() >= 0.7
        ):
            return Repeat(known.id)
    return None


def _marks(text: str) -> frozenset[str]:
    """The numbers and names of a text, and the words that turn its meaning."""
    words = text.replace("’", "'").split()
    names = {w.strip(".,;:!?()\"'").lower() for w in words if w[:1].isupper() or any(c.isdigit() for c in w)}
    return frozenset(names | (_TURNING & set(words_of(text))))


def _is_other_event(new: Known, known: Known) -> bool:
    """True if two tellings of something that happens again and again may mean two times."""
    days_apart = abs((new.said_at - known.said_at).days)
    if days_apart < 1:
        return False
    statements = [s for s in (new.statement, known.statement) if s]
    return any(s.attribute in EVENTS for s in statements) or (len(statements) < 2 and _tells_of_past(new.text))


def _tells_of_past(text: str) -> bool:
    return any(w in _IRREGULAR or (w.endswith("ed") and len(w) > 4) for w in words_of(text))
