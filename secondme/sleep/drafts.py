"""Makes a clause stand alone: without its courtesies, with its dates, with the name its pronoun stands for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from secondme.recall.when import annotate, find_ranges
from secondme.records import FactKind
from secondme.sleep.clauses import FEWEST_WORDS, Clause, count_words
from secondme.sleep.english import (
    IRREGULAR_PASTS,
    TASK,
    ending_start,
    has_verb,
    is_courtesy,
    lacks_subject,
    opening_end,
    opens_command,
)
from secondme.sleep.references import antecedent_of, points_outside

TOO_LITTLE = "too little"
COURTESY = "a wish or a compliment"
LISTENER = "about the listener"
ASSISTANT = "about the assistant"
INSTRUCTION = "an instruction"
LOOSE_PRONOUN = "loose pronoun"
NO_STATEMENT = "no statement"

_FLAGS = re.IGNORECASE
_KNOWN = re.compile(r"\b(?:you|ya)\s+know\b(?=\s*[,.!?]|\s*$)|,\s*(?:you|ya)\s+know\b", _FLAGS)
_LISTENER = re.compile(r"\b(?:you|your|yours|yourself|yourselves|u|ur|ya|y['’]?all)(?:['’](?:re|ve|ll|d))?\b", _FLAGS)
_ASSISTANT = re.compile(
    r"\bas\s+an?\s+(?:ai|artificial\s+intelligence|language\s+model|large\s+language)\b|\bhelpful\s+(?:ai\s+)?assistant\b"
    r"|\b(?:you\s+are|you['’]re)\s+(?:an?\s+|the\s+|my\s+)?(?:\w+\s+){0,2}?(?:assistant|chatbot|language\s+model|ai)\b"
    r"|\b(?:i\s+am|i['’]m)\s+(?:an?\s+|the\s+|your\s+)?(?:\w+\s+){0,2}?(?:chatbot|language\s+model|ai\s+(?:assistant|model)"
    r"|(?:virtual|digital)\s+assistant|ai\W*$)"
    r"|\b(?:the|this|an?|our)\s+(?:(?:ai|virtual|digital)\s+assistant|chatbot|language\s+model)\s+(?:is|was|will|should|must|"
    r"can|has|said|says|answers|never|always)\b"
    r"|\bthe\s+assistant\s+(?:must|should|never|always|answers|replies)\b|\b(?:chatgpt|copilot)\s+(?:is|will|should|must|said|says)\b",
    _FLAGS,
)
_HOSTILE = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\s+(?:(?:all|any|the|your|these|every|my|of)\s+)*"
    r"(?:(?:previous|prior|above|earlier|preceding|system|safety|former)\s+(?:\w+\s+)?"
    r"(?:instructions?|prompts?|rules|guidelines|directions|commands|messages?)|(?<=your\s)(?:instructions|prompts?|guidelines|rules))\b"
    r"|\byou\s+(?:must|should|will|have\s+to|are\s+to|need\s+to)\s+(?:now|from\s+now|answer|reply|respond|obey)\b"
    r"|\bfrom\s+now\s+on,?\s+(?:you|always|answer|reply|respond)\b|\b(?:act|behave)\s+as\s+(?:if\s+you|an?\s+(?:ai|assistant))\b"
    r"|\breveal\s+(?:your|the)\s+(?:system\s+)?(?:prompt|instructions)\b|\b(?:new|important)\s+instructions?\s*:|\bjailbreak",
    _FLAGS,
)
_PLEA = re.compile(
    r"(?:please|pls|plz|kindly|let['’]?s|let\s+(?:me|us)|feel\s+free|don['’]?t\s+(?:forget|worry|hesitate|you|be|give)"
    r"|never\s+give|just\s+(?:let|tell|ask|remember|keep)|rest\s+assured|best\s+of|can['’]?t\s+wait)\b",
    _FLAGS,
)
_WISH = re.compile(
    r"(?:(?:i\s+|we\s+|i['’]m\s+|really\s+|just\s+)*(?:hop(?:e|ing)|wish(?:ing)?|bet|rooting|praying)\s+(?:\w+\s+)?"
    r"(?:you|it|that|this|all|they|for|the|everything|everyone|to\s+(?:see|hear))\b"
    r"|(?:i['’]?m|i\s+am|we['’]re|we\s+are)?\s*(?:so|really|very|super|just|also|always)*\s*(?:so|really|very|super|just)?\s*"
    r"(?:glad|happy|proud|sorry|thrilled|excited|delighted|pleased|stoked|pumped|jealous)\s+"
    r"(?:for|of|to\s+(?:hear|see)|that\s+you|you|it|(?:i|we)\s+could|it['’]s|they|things|things)\b"
    r"|(?:(?:i|we)\s+)?(?:really\s+|100%\s+|totally\s+|completely\s+|truly\s+|so\s+|do\s+|can\s+)*(?:appreciate|agree|understand|admire|"
    r"see\s+(?:what|how|why)|get\s+(?:it|that|what))\b"
    r"|(?:i|we)\s+can['’]?t\s+wait|looking\s+forward\s+to\s+(?:it|hear|see)|(?:it|that)['’]?s?\s+(?:great|good|nice)\s+to)",
    _FLAGS,
)
_ELLIPTIC = re.compile(
    r"(?:need|want|love|hate|miss|plan|prefer|like|enjoy|live|work)\s+(?:to|my|our|in|as|at|on)\b", _FLAGS
)
_BEFORE_COMMAND = re.compile(
    r"(?:(?:don['’]?t|do\s+not|never|always|just|also|then|first|next|finally|now),?\s+|(?:if|when|whenever)\b[^,]{1,60},\s+)*",
    _FLAGS,
)

_HALF = re.compile(r"(?:since|because|when|if|while|although|until|unless|as)\s+(?:[^\s,]+\s*){1,7}$", _FLAGS)
"""A short subordinate clause that answers somebody's question."""
_TIMED = re.compile(r"(?:since|until)\s+(?=last|early|late|mid|the|\d|[A-Z])(?:[^\s,]+\s+){1,5}?(?:I|we|my|our)\s+\w")
"""The same words before a time: the statement follows."""

_HEDGE = re.compile(
    r"\b(?:maybe|perhaps|probably|possibly|presumably|apparently|i\s+(?:think(?!\s+(?:of|about))|guess|believe|suppose|assume|reckon)|might|may\s+be|"
    r"could\s+be|not\s+(?:\w+\s+)?sure|unsure|kind\s+of|sort\s+of|seems?|as\s+far\s+as|if\s+i\s+remember|hopefully|"
    r"thinking\s+(?:of|about)|considering|i\s+may|we\s+may|not\s+certain|supposedly|allegedly|roughly\s+speaking)\b",
    _FLAGS,
)
_PREFERENCE = re.compile(
    r"\b(?:i|we|they|he|she|my\s+\w+)\s+(?:(?:really|also|still|just|absolutely|do|don['’]?t|doesn['’]?t|always|never|truly|"
    r"totally|especially|much|would|didn['’]?t|can)\s+)*(?:likes?|loves?|hates?|prefers?|enjoys?|dislikes?|adores?)\b"
    r"|\b(?-i:[A-Z]\w+)\s+(?:(?:really|also|still|just|always|never)\s+)?(?:likes|loves|hates|prefers|enjoys|dislikes|adores)\b"
    r"|\bi['’]d\s+(?:rather|prefer)\b|\bcan(?:['’]?t|not)\s+(?:stand|bear)\b|\bfavou?rites?\b|\bfave\b|\ballergic\b"
    r"|\bintoleran(?:t|ce)\b|\bfond\s+of\b|\b(?:am|is|are|['’]m|['’]s)\s+(?:really\s+|very\s+)?into\b|\bpassionate\s+about\b"
    r"|\b(?:fan|lover)\s+of\b|\b(?:vegan|vegetarian)\b|^(?:love|hate|prefer|like|enjoy)\b",
    _FLAGS,
)
_PROCEDURE = re.compile(
    r"^(?:in\s+order\s+)?to\s+[a-z]+\b[^,]{0,80},\s*(?:first\s+|you\s+(?:have\s+to|need\s+to|can|must)\s+|just\s+)?[a-z]+"
    r"|\balways\b.*\bbefore\b|\bnever\b.*\bbefore\b|\bbefore\b.*\balways\b"
    r"|\bhow\s+to\b|^(?:remember\s+to|make\s+sure|don['’]?t\s+forget)\b|\byou\s+(?:have|need)\s+to\b",
    _FLAGS,
)
_PAST = re.compile(
    rf"\b(?:was|were|had|did|didn['’]?t|wasn['’]?t|weren['’]?t|{'|'.join(sorted(IRREGULAR_PASTS))}|[a-z]{{2,}}ed)\b",
    _FLAGS,
)
_USUAL = re.compile(
    r"\b(?:am|is|are|be|being|been|feel|feels|feeling|keeps?|get|gets|to|can|can['’]t|will|so|very|more|really|super|too|and)"
    r"\s+(?:\w+ly\s+)?(?:[a-z]+ed|read|let|put|set|cost|cut|hit|hurt|beat|quit)\b(?=\s+(?:in|by|and|on|about|to|for|of)\b|\W*$)"
    r"|['’](?:m|s|re)\s+(?:\w+\s+)?[a-z]+ed\b|[\w]+-[a-z]+ed\b|\b[a-z]+ed-"
    r"|\b(?:read|let|put|set|cost|cut|hit|hurt|bit|felt|lay|beat|quit|need|indeed|exceed|proceed|succeed|speed|feed|seed|weed|"
    r"bleed|breed|hundred|embed|united|used)\b",
    _FLAGS,
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A clause made to stand alone."""

    text: str
    """What is stored as the fact."""
    clause: Clause
    """The stretch of the note it rests on, without what was left out around it."""
    kind: FactKind
    is_hedged: bool
    """True where the author was not sure."""


def draft(clause: Clause, *, author: str, me: str, said_at: datetime, before: Sequence[str]) -> Draft | str:
    """Return the clause as a text that stands alone, or in a few words why it cannot.

    `author` is empty in one's own notes, where nobody is spoken to; `before` holds the clauses before it in the same
    passage, nearest last.
    """
    bare = _bared(clause)
    text = " ".join(bare.text.split())
    if problem := _problem(text, is_addressed=bool(author)):
        return problem
    near = before[-1] if before else ""
    name, end = antecedent_of(text, near[opening_end(near) :])
    whole = f"{' '.join(name.split())}{text[end:]}" if name else text
    if points_outside(whole):
        return LOOSE_PRONOUN
    dated = annotate(whole, said_at=said_at)
    is_other = bool(author) and author != me and not dated.startswith(author)
    return Draft(f"{author}: {dated}" if is_other else dated, bare, kind_of(text, said_at=said_at), is_hedged(text))


def kind_of(text: str, *, said_at: datetime) -> FactKind:
    """Return which kind of fact `text` states, by rules."""
    if _PREFERENCE.search(text):
        return "preference"
    if TASK.match(text) or _PROCEDURE.search(text) or _is_command(text):
        return "procedure"
    is_dated = any(found.explicit for found in find_ranges(text, now=said_at))
    return "episodic" if is_dated or _PAST.search(_USUAL.sub(" ", text)) else "semantic"


def is_hedged(text: str) -> bool:
    """True if the words show that their author was not sure."""
    return bool(_HEDGE.search(text))


def is_about_assistant(text: str) -> bool:
    """True if `text` says what an assistant is or does."""
    return bool(_ASSISTANT.search(text))


def is_hostile(text: str) -> bool:
    """True if `text` tells a language model what to do."""
    return bool(_HOSTILE.search(text))


def _bared(clause: Clause) -> Clause:
    """Return the clause without the words around the statement."""
    start, end = opening_end(clause.text), ending_start(clause.text)
    if start >= end:
        return clause
    head, kept = clause.text[:start], clause.text[start:end]
    first = clause.start + len(head.encode())
    line = clause.line_start + head.count("\n")
    return replace(
        clause,
        text=kept,
        start=first,
        end=first + len(kept.encode()),
        line_start=line,
        line_end=line + kept.count("\n"),
    )


def _problem(text: str, *, is_addressed: bool) -> str:
    """Return why a text cannot be a statement about its author's world."""
    if is_hostile(text):
        return INSTRUCTION
    if is_about_assistant(text):
        return ASSISTANT
    if count_words(text) < FEWEST_WORDS and not TASK.match(text):
        return TOO_LITTLE
    if is_courtesy(text) or _WISH.match(text):
        return COURTESY
    if text[:6].lower() == "please" or (is_addressed and (_PLEA.match(text) or _is_command(text))):
        return INSTRUCTION
    if is_addressed and _LISTENER.search(_KNOWN.sub(" ", text)):
        return LISTENER
    if lacks_subject(text):
        return LOOSE_PRONOUN
    if not is_addressed:
        return ""
    if _HALF.match(text) and not _TIMED.match(text[0].lower() + text[1:]):
        return NO_STATEMENT
    return "" if not text.isascii() or has_verb(text) else NO_STATEMENT


def _is_command(text: str) -> bool:
    begin = _BEFORE_COMMAND.match(text)
    return bool(TASK.match(text)) or (opens_command(text[begin.end() if begin else 0 :]) and not _ELLIPTIC.match(text))
