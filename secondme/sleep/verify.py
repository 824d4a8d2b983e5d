"""The gate each draft passes before it is stored: everything it says stands in the lines it rests on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime

from secondme.recall.when import annotate, find_ranges
from secondme.recall.words import FUNCTION_WORDS, content_words
from secondme.sleep.clauses import coordinated, sentences
from secondme.sleep.drafts import ASSISTANT, INSTRUCTION, LOOSE_PRONOUN, is_about_assistant, is_hostile
from secondme.sleep.english import WORD, opening_end
from secondme.sleep.references import antecedent_of, opens_loosely
from secondme.sleep.vocabulary import word_set

EMPTY = "nothing is said"
NO_QUOTE = "the quote is not in the note"
NUMBER = "a number is not in the source"
NAME = "a name is not in the source"
RELATIVE_DATE = "relative date"
SEVERAL = "more than one fact"
OWN_WORDS = "words of its own"
NEGATION = "negation differs"
LANGUAGE = "another language"
EXAMPLE = "copied from the prompt's example"
TOO_LONG = "too long"
MARKUP = "control characters or markup"

NONCE = frozenset({"Zorblatt", "Quivela", "Drumsfeld", "Ostrivane", "Velmaquin", "Tharnby"})
"""Invented names for the examples in prompts: a text that has one of them was copied from there."""

LONGEST = 300
MOST_NEW_WORDS = 0.15
"""Which share of the words that carry meaning may be missing from the source."""
_WINDOW = 700
"""How many characters before the quote are looked at for what its pronoun stands for."""

_NONCE = frozenset(name.lower() for name in NONCE)
_MARKUP = re.compile(
    r"<\|?/?(?:im_start|im_end|system|user|assistant|begin|end|s|eot|start|think)\w*\|?>|\[/?INST\]|<<\s*/?SYS|###|```"
    r"|^\W*(?:system|user|assistant|instruction|human|developer|ai|response|answer|fact|output)\s*:",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_NUMBER_WORDS = word_set(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion "
    "dozen half once twice thrice both"
)
_COUNTS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_COUNTED = frozenset(map(str, range(2, 13)))
_NEGATION = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|nowhere|neither|nor|without|cannot|hardly|barely|dont|cant|wont|didnt|doesnt"
    r"|isnt|wasnt|couldnt|wouldnt|havent|hasnt|aint)\b|n['’]t\b",
    re.IGNORECASE,
)
_DATED = re.compile(r" ?\[([^\[\]\n]{1,80})\]")
_RELATIVE = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|ago|last|next|this|previous|coming|past|now|weekend)\b",
    re.IGNORECASE,
)
"""A weekday by itself is none of them: it may come round every week."""
_DAY_OF_MONTH = re.compile(
    r"\d.*\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\W+\d",
    re.IGNORECASE,
)
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ied", "ies", "ed", "es", "ly", "er", "s", "e", "y")


def problem_with(  # noqa: PLR0913  a draft is judged against all there is to know of its source
    text: str, *, quote: str, note: str, start: int, end: int, author: str, me: str, said_at: datetime
) -> str:
    """Return why a draft is not stored, "" where nothing speaks against it.

    `start` and `end` are the bytes of the quote in `note`, which may be the passage instead of the whole note. The
    words of `text` come from the quote, the names of author and user, dates that code resolved, and what the pronoun
    that opens the quote stands for in the sentence before.
    """
    raw = note.encode()
    if not 0 <= start < end <= len(raw) or raw[start:end] != quote.encode():
        return NO_QUOTE
    if problem := _form_problem(text):
        return problem
    dated = annotate(" ".join(quote.split()), said_at=said_at)
    bare = _without_author(text, author)
    core, dates = _split_dates(bare, dated)
    prefix = raw[max(0, start - _WINDOW) : start].decode(errors="ignore")
    named = _referent(quote, prefix)
    source = f"{named} {quote}"
    people = f"{author} {me}"
    if opens_loosely(core) or (opens_loosely(quote) and not _shares_word(core, named)):
        return LOOSE_PRONOUN
    if ";" in core and ";" not in quote:
        return SEVERAL
    if sum(piece[1] > piece[0] for piece in sentences(core, 0, len(core))) > 1:
        return SEVERAL
    return (
        _language_problem(core, f"{source} {people}")
        or (NEGATION if bool(_NEGATION.search(core)) != bool(_NEGATION.search(quote)) else "")
        or _word_problem(core, source=source, people=people, dates=dates)
        or (RELATIVE_DATE if _has_relative_date(bare, said_at) else "")
    )


def _form_problem(text: str) -> str:
    """Return what is wrong with a text whatever its source says."""
    if not WORD.search(text):
        return EMPTY
    if len(text) > LONGEST:
        return TOO_LONG
    if any(unicodedata.category(c) in {"Cc", "Cs", "Co", "Zl", "Zp"} for c in text) or _MARKUP.search(text):
        return MARKUP
    if any(word.lower() in _NONCE for word in _plain_words(text)):
        return EXAMPLE
    if is_hostile(text):
        return INSTRUCTION
    return ASSISTANT if is_about_assistant(text) else ""


def _without_author(text: str, author: str) -> str:
    return text[len(author) + 2 :] if author and text.startswith(f"{author}: ") else text


def _split_dates(text: str, dated: str) -> tuple[str, str]:
    """Return the text without the dates that code wrote behind its words, and all dates that code knows."""
    known = _DATED.findall(dated)
    for date in known:
        text = text.replace(f" [{date}]", "")
    return text, " ".join(known)


def _referent(quote: str, prefix: str) -> str:
    """Return what the pronoun that opens the quote stands for, if the clause right before it says so."""
    whole = prefix + quote
    pieces = [piece for sentence in sentences(whole, 0, len(whole)) for piece in coordinated(whole, *sentence)]
    for begin, stop in reversed(pieces):
        near = whole[begin : min(stop, len(prefix))]
        near = near[opening_end(near) :] if begin < len(prefix) else ""
        if WORD.search(near):
            return antecedent_of(quote, near)[0]
    return ""


def _shares_word(text: str, named: str) -> bool:
    return not {word.lower() for word in _plain_words(named)}.isdisjoint(content_words(text))


def _word_problem(core: str, *, source: str, people: str, dates: str) -> str:
    """Return what of the numbers, names and other words does not come from the source."""
    known = {word.lower() for word in _plain_words(f"{source} {people} {dates}")}
    digits = set(_NUMBER.findall(f"{source} {people} {dates}"))
    words = list(_plain_words(core))
    digits |= {str(_COUNTS.index(word) + 2) for word in known.intersection(_COUNTS)}
    known |= {_COUNTS[int(number) - 2] for number in digits if number in _COUNTED}
    if any(number not in digits for number in _NUMBER.findall(core)):
        return NUMBER
    if any(word.lower() in _NUMBER_WORDS and word.lower() not in known for word in words):
        return NUMBER
    stems = {_stem(word) for word in known} | digits
    for position, word in enumerate(words):
        is_known = word.lower() in known or (not position and (_stem(word) in stems or word.lower() in FUNCTION_WORDS))
        if word[0].isupper() and not is_known:
            return NAME
    content = [word for word in words if word.lower() not in FUNCTION_WORDS]
    new = sum(_stem(word) not in stems for word in content)
    return OWN_WORDS if new > MOST_NEW_WORDS * len(content) else ""


def _plain_words(text: str) -> Iterator[str]:
    """Yield the words without what an apostrophe adds."""
    for found in WORD.finditer(text):
        yield re.split("['’]", found[0], maxsplit=1)[0]


def _stem(word: str) -> str:
    """Return what is left of a word without its ending, the same for most forms of an English verb or noun."""
    word = word.lower()
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def _is_relative(words: str) -> bool:
    """True if the words name a day only together with the day they were said; "Thursday 13 June" needs none."""
    return bool(_RELATIVE.search(words)) and not (_DAY_OF_MONTH.search(words) and "ago" not in words.lower())


def _has_relative_date(text: str, said_at: datetime) -> bool:
    """True if a date depends on the day it was said and does not have that day behind it."""
    for found in find_ranges(text, now=said_at):
        stop = found.span[1] + (2 if text[found.span[1] : found.span[1] + 2] in {"'s", "’s"} else 0)
        inside = text.rfind("[", 0, found.span[0]) > text.rfind("]", 0, found.span[0])
        if (
            found.explicit
            and not inside
            and _is_relative(found.text)
            and "[" not in (found.text + text[stop : stop + 2])
        ):
            return True
    return False


def _language_problem(core: str, source: str) -> str:
    """Return whether the text uses a script its source does not, or none of the source's short words."""
    return LANGUAGE if _scripts(core) - _scripts(source) else ""


def _scripts(text: str) -> set[str]:
    return {"LATIN" if c.isascii() else unicodedata.name(c, "?").split()[0] for c in text if c.isalpha()}
