"""What a stand-alone clause states, by rules: whose which attribute has which value, and since when."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from secondme.sleep.attributes import SECRET, Match, base_of, find_frames
from secondme.sleep.copulas import read_copula, slot_of
from secondme.sleep.sentences import split_sentences, split_speaker
from secondme.sleep.shapes import shaped, shortened
from secondme.sleep.subjects import Voice, is_new, subject_key
from secondme.sleep.wording import LONGEST_CLAUSE, Wording, is_doubtful, is_future, read_wording


@dataclass(frozen=True, slots=True)
class Statement:
    """A clause as subject, attribute and value."""

    subject: str
    """Whom or what it is about, in lower case: "nora" for her own "I", "nora's sister ana", "the car"."""
    attribute: str
    """The frame in its normal form: "lives in", "works at", "favourite colour", "chairperson"."""
    value: str
    """As written, without dates and words of change."""
    is_single: bool
    """True if only one value can hold at a time."""
    is_negated: bool
    """True if it ends or denies what an earlier clause may have said."""
    is_change: bool
    """True if its own words say that it is newer than something."""
    valid_from: datetime | None
    """Since when, where the words say so."""
    valid_to: datetime | None
    """Until when (exclusive), where the words say so; the moment of saying for what is over without a date."""
    replaces: str = ""
    """The value that it names as over: "Lisbon" in "moved from Lisbon to Porto"."""


_SEGMENT = re.compile(
    r"[,;]? (?:and|but|so) (?=(?:I|we|my|our|he|she|it|they|the) |(?:now |just |have |am )?(?:started|joined"
    r"|moved|switched|live|work|began) "
    r"|[A-Z]\w+ (?:is|was|took) )|[,;] (?=(?:I|we|my|our|he|she|it|they) )"
)
_STARTS_WITH_VERB = re.compile(r"(?:now |just |have |am )?(?:started|joined|moved|switched|live|work|began) ")
_USED_TO = re.compile(r"\bused to (?=\w)", re.I)
_PROGRESSIVE = re.compile(
    r"\b(am|is|are|was|were) (living|working|studying|using|taking|driving|playing|learning|running|listening"
    r"|wearing|reading"
    r"|drinking|eating|smoking|teaching|weighing|residing|attending|growing|costing|leaving|starting|closing"
    r"|opening) "
)
_GO_RUNNING = re.compile(r"\b(?:go|goes) ((?:runn|swimm|danc|climb|ski|cycl|hik|jogg|sail|surf)ing)\b")
_PAST_OF = {"live": "lived", "work": "worked", "study": "studied"}
_ANTECEDENT = re.compile(r"(?:changed|moved|renamed|replaced|rescheduled|repainted) ((?:my|our|the) [\w -]{2,30})$")
_PRONOUN = re.compile(r"(?:it|he|she) (?=is |are |leaves |starts |closes |opens |costs |was )")
_OTHER = re.compile(r"\b(?:second|third|other|another|spare|additional|extra|backup)\b", re.I)
_AFTER_FIGURE = re.compile(r",? (?:in|on|from|last|this|next|yesterday|today) ?\b.*$", re.I)
_WEEKDAYS = re.compile(
    r",? (?:on|at|every) ((?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekends|weekdays|bank holidays|holidays)"
    r"(?: and \w+days?)?)$", re.I
)  # fmt: skip


def parse_statement(text: str, *, author: str, me: str, said_at: datetime) -> Statement | None:
    """Return what the clause states, or None where no rule is sure.

    "I" is `author`, or `me` where there is none; dates in the words count from `said_at`.
    """
    if len(text) > LONGEST_CLAUSE or SECRET.search(text):
        return None
    speaker, plain = split_speaker(" ".join(text.split()), author)
    voice = Voice(speaker or me, me or speaker)
    if not voice.speaker:
        return None
    found: list[Statement] = []
    for sentence in split_sentences(plain):
        if is_doubtful(sentence):
            continue
        found += _parse_segments(sentence, voice, said_at)
    return _joined(found) if found else None


def _parse_segments(sentence: str, voice: Voice, said_at: datetime) -> list[Statement]:
    found, previous, start = [], "", sentence.split(" ", 1)[0]
    for position, part in enumerate(_SEGMENT.split(sentence)):
        segment = part.strip()
        if position and _STARTS_WITH_VERB.match(segment):
            segment = f"{start} {segment}"
        if (pronoun := _PRONOUN.match(segment)) and (antecedent := _ANTECEDENT.search(previous)):
            segment = f"{antecedent[1]} {segment[pronoun.end() :]}"
        if re.search(r"\bmoved$", previous) and (
            here := re.match(r"(?:I|[Ww]e) (?:am|are) (?:now )?in (?=[A-Z])", segment)
        ):
            segment = f"{start} moved to {segment[here.end() :]}"
        statement = _parse_segment(segment, voice, said_at)
        if statement:
            found.append(statement)
        previous = segment
    return found


def _joined(found: list[Statement]) -> Statement:
    """Return the first statement that holds; what was ended in the same breath is what it replaces."""
    holding = [s for s in found if not s.is_negated]
    ended = [s for s in found if s.is_negated and s.is_change]
    if not holding:
        return found[0]
    first = holding[0]
    if ended and first.subject == ended[0].subject and not first.replaces:
        return replace(first, replaces=ended[0].value, is_change=True)
    return first


def _parse_segment(segment: str, voice: Voice, said_at: datetime) -> Statement | None:
    is_past = bool(_USED_TO.search(segment))
    segment = _USED_TO.sub("", segment)
    if is_future(segment):
        if " will be " not in segment:
            return None
        segment = segment.replace(" will be ", " is ")
    wording = read_wording(segment, said_at=said_at)
    text = _in_simple_tense(wording.text)
    dated = text if wording.dated == wording.text else _in_simple_tense(wording.dated)
    statement = _read(text, dated, wording, voice, said_at)
    if statement and is_past:
        return replace(statement, valid_to=statement.valid_to or said_at)
    return statement


def _read(text: str, dated: str, wording: Wording, voice: Voice, said_at: datetime) -> Statement | None:
    """Return what times and figures say first, then what "is" says, then what the other verbs say."""
    in_dated = find_frames(dated)
    for match in in_dated:
        if "d" in match.marks and (statement := _from_match(match, wording, voice, said_at)):
            return statement
    if statement := _from_copula(dated, wording, voice):
        return statement
    for match in in_dated if text == dated else find_frames(text):
        if "d" not in match.marks and (statement := _from_match(match, wording, voice, said_at)):
            return statement
    return None


def _in_simple_tense(text: str) -> str:
    text = _GO_RUNNING.sub(lambda m: base_of(m[1]) + " regularly", text)

    def simple(match: re.Match[str]) -> str:
        base = base_of(match[2])
        if match[1] in {"was", "were"}:
            return _PAST_OF.get(base, base + "ed") + " "
        return base + " "

    return _PROGRESSIVE.sub(simple, text)


def _from_match(match: Match, wording: Wording, voice: Voice, said_at: datetime) -> Statement | None:
    """Return the statement of a verb frame, or None where its subject or value does not fit."""
    slot = _fitted(match, voice)
    if slot is None or (wording.is_visit and match.attribute in {"lives in", "works at"}):
        return None
    key, attribute, value = slot
    is_ended = "n" in match.marks
    is_change = "c" in match.marks or wording.has_change_word or is_new(match.subject)
    is_single = (
        "s" in match.marks
        and not (wording.is_also or wording.is_visit or (wording.is_passing and not is_change))
        and not (_OTHER.search(match.value) or (attribute == "works at" and _is_one_of_many(value)))
    )
    is_negated = is_ended != wording.is_denied
    base = Statement(key, attribute, value, is_single, is_negated, is_change, None, None, match.old.strip())
    if "d" not in match.marks:
        return _with_time(base, wording, said_at, is_past="p" in match.marks)
    # The date is its value, not since when it holds.
    if repeated := _WEEKDAYS.search(value):
        base = replace(base, attribute=f"{attribute} on {repeated[1].lower()}", value=value[: repeated.start()])
    if attribute == "amount" and (dated := _AFTER_FIGURE.search(value)):
        base = replace(base, value=value[: dated.start()])
        return _with_time(base, wording, said_at, is_past=False)
    return replace(base, valid_from=wording.since, valid_to=wording.until)


def _fitted(match: Match, voice: Voice) -> tuple[str, str, str] | None:
    """Return subject, attribute and value of a verb frame where they look as they must."""
    value = shaped(match.value, match.shape)
    if value is None or (not value and "n" not in match.marks):
        return None
    if match.marks in {"", "n"}:
        value = shortened(value, match.attribute)
        if value is None or not _is_plain_subject(match.subject):
            return None
    if match.attribute == "?":
        return slot_of(match.subject, value, voice)
    subject = match.subject
    if match.attribute == "partner" and " and i" in subject.lower():
        return voice.speaker.lower(), "partner", subject[: subject.lower().index(" and i")]
    key = _subject_of(match, voice)
    if not key or (match.attribute == "job" and _is_thing(subject)):
        return None
    return key, match.attribute, value


def _subject_of(match: Match, voice: Voice) -> str:
    if match.attribute == "works at" and "o" in match.marks:
        return voice.speaker.lower()
    words = match.subject
    if match.attribute == "lives in" and words.lower() in {"home", "my home", "our home"}:
        return voice.speaker.lower()
    if not words and match.marks:  # "Moved to Porto last week": notes leave out "I"
        return voice.speaker.lower() if "c" in match.marks else ""
    return subject_key(words, voice)


def _is_thing(subject: str) -> bool:
    return subject.lower().startswith(("the ", "this ", "that "))


def _with_time(base: Statement, wording: Wording, said_at: datetime, *, is_past: bool) -> Statement:
    first, last = wording.since, wording.until
    at_first, at_last = wording.at
    if is_past:
        first, last = first or at_first, last or at_last or said_at
    elif at_first and (base.is_change or base.is_negated) and first is None:
        first = at_first
    elif last and last <= said_at and first is None:
        first = at_first if at_first and at_first < last else None
    if first and last and first >= last:
        first = None
    return replace(base, valid_from=first, valid_to=last)


def _from_copula(text: str, wording: Wording, voice: Voice) -> Statement | None:
    slot = None if wording.is_visit else read_copula(text, voice)
    if slot is None:
        return None
    is_change = slot.is_change or wording.has_change_word
    is_single = slot.is_single and not wording.is_also and (is_change or not wording.is_passing)
    return Statement(
        slot.subject,
        slot.attribute,
        slot.value,
        is_single,
        wording.is_denied,
        is_change,
        wording.since,
        wording.until,
        slot.replaces,
    )


def _is_one_of_many(employer: str) -> bool:
    """True for "a desk", "the gym" and what is told of some weekdays."""
    return bool(_WEEKDAYS.search(employer)) or (employer.islower() and employer.startswith(("a ", "an ", "the ")))


def _is_plain_subject(words: str) -> bool:
    """True for "I", "my X", "the X", "Ana's X" and names: what a habit or a liking is told of."""
    first = words.split(" ", 1)[0].lower()
    return first in {"i", "we", "my", "our", "the"} or "'s " in words or all(w[:1].isupper() for w in words.split())
