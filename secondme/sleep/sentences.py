"""Clauses before they are read: who speaks, which sentences state something, contractions written out."""

from __future__ import annotations

import re

from secondme.sleep.vocabulary import word_set

_I = re.IGNORECASE
_SPACE = re.compile(r"\s+")
_SPEAKER = re.compile(r"([A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,2}): (?=\S)")
_NOT_SPEAKERS = word_set(
    """
    update note fyi fact news reminder todo ps p.s edit info warning important correction btw summary decision
    status
    """
)
_OPENER = re.compile(
    r"(?:(?:well|so|oh|ah|hey|hi|hello|ok|okay|yes|yeah|yep|no|guess what|by the way|btw|fyi|update|note|news"
    r"|good news"
    r"|big news|bad news|heads up|turns out|it turns out|honestly|actually|anyway|anyways|also|plus|and|but"
    r"|then|lol|wow|haha|"
    r"folks|guys|everyone|ps|you know|i mean|to be honest|for the record|as you know|as for me|new number|reminder)"
    r"(?:[,!:;.]+|\s+-+|\s+–|\s+—)\s*|(?:and|but|so|well|anyway|oh|turns out)\s+(?:that\s+)?(?=(?:i|my|we|our"
    r"|the)\b))",
    _I,
)
_I_THINK = re.compile(
    r"i (?:think|guess|suppose|believe|am (?:happy|glad|proud) to (?:say|announce))(?: that)? (?=(?:i|my|we"
    r"|our)\b)",
    _I,
)
_QUESTION = re.compile(
    r"(?:who|what|where|when|why|how|which|whose|do|does|did|is|are|am|was|were|can|could|will|would|have|has"
    r"|had|should)\b",
    _I,
)
_SENTENCE = re.compile(r"(?<=[!?])\s+|(?<=[a-z0-9]{3}\.)\s+(?=[A-Z])|(?<=[a-z0-9]{3}\.\s)(?=[A-Z])")
_HAS_VERBS = (
    r"(?=(?:just |now |finally |recently |already |since )?(?:moved|changed|started|switched|quit|left|joined"
    r"|become|got|been"
    r"|gone|sold|relocated|turned|retired|stopped)\b)"
)
_IS_WORDS = (
    r"(?=(?:now|not|no longer|called|named|living|working|studying|based|married|engaged|divorced|single|vegan"
    r"|vegetarian"
    r"|currently|still|due|scheduled|a|an|my|our|in|on|at)\b)"
)
_CONTRACTIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, _I), replacement)
    for pattern, replacement in (
        (r"\bI'm\b", "I am"),
        (r"\b(we|you|they)'re\b", r"\1 are"),
        (r"\b(I|we|you|they)'ve\b", r"\1 have"),
        (r"\b(I|we|you|they|he|she|it)'ll\b", r"\1 will"),
        (r"\b(I|we|you|they|he|she|it)'d\b", r"\1 would"),
        (r"\b(he|she|it|that|there|here|who|what|today)'s (?=been\b)", r"\1 has "),
        (r"\b(he|she|it|that|there|here|who|what|where|today|everything)'s\b", r"\1 is"),
        (r"(?<=\w)'s " + _HAS_VERBS, " has "),
        (r"(?<=\w)'s " + _IS_WORDS, " is "),
        (r"\bcan't\b", "can not"),
        (r"\bwon't\b", "will not"),
        (r"\b(do|does|did|is|are|was|were|have|has|had|would|could|should)n['’]?t\b", r"\1 not"),
        (r"\bain't\b", "am not"),
    )
)
_TENSES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, _I), replacement)
    for pattern, replacement in (
        (r"\b(?:cannot|can not) (?:stand|bear)\b", "do not like"),
        (r"\b(have|has) not been\b", r"am not"),
        (r"\b(?:has|have|had|got|get|gets) been (?=\w+(?:ed|ut)\b|put\b|set\b|\w+en\b)", "was "),
        (r"\bgot (?=(?:pushed|moved|rescheduled|postponed|changed|renamed|promoted|bumped|delayed)\b)", "was "),
        (r"\bhave been\b", "am"),
        (r"\bhas been\b", "is"),
        (r"\b(?:have|has) (liv|us)ed (?=.*\b(?:since|for)\b)", r"\1e "),
        (r"\b(?:have|has) (work|own|play)ed (?=.*\b(?:since|for)\b)", r"\1 "),
        (r"\b(?:have|has) (?=(?:lived|worked|studied)\b)", ""),
        (
            r"\b(?:have|has) (?=(?:\w+ly |just |now )?(?:moved|changed|switched|started|begun|become|joined"
            r"|quit|left|sold|got"
            r"|gone|settled|relocated|turned|retired|stopped|given|renamed|raised|dropped|put|went|risen|cancelled|upped"
            r"|cut)\b)",
            "",
        ),
        (r"\bgiven up\b", "gave up"),
        (r"\bbegun\b", "began"),
    )
)
_HAS_TENSE = re.compile(r"\b(?:have|has|had|got|gets?|given|begun|can(?:not)?)\b", _I)


def split_speaker(text: str, author: str) -> tuple[str, str]:
    """Return who says "I" and the text without a leading `Name: `."""
    match = _SPEAKER.match(text)
    if match is None:
        return author, text
    name = match[1]
    is_speaker = name.casefold() == author.casefold() or name.casefold() not in _NOT_SPEAKERS
    return (name if is_speaker else author), text[match.end() :]


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a clause that state something: no question, no opener, contractions written out."""
    sentences = []
    for sentence in _SENTENCE.split(text):
        plain = _SPACE.sub(" ", sentence).strip()
        for _ in range(4):
            shorter = (
                _I_THINK.sub("", plain[_opener_end(plain) :], count=1)
                if _I_THINK.match(plain)
                else plain[_opener_end(plain) :]
            )
            if shorter == plain:
                break
            plain = shorter
        if not plain or plain.endswith("?") or _QUESTION.match(plain):
            continue
        sentences.append(expand(plain.rstrip(" .!;,…")))
    return sentences


def _opener_end(text: str) -> int:
    match = _OPENER.match(text)
    return match.end() if match else 0


def expand(text: str) -> str:
    """Return the text with contractions and compound tenses written plainly."""
    text = text.replace("’", "'")
    if "'" in text:
        text = _replaced(text, _CONTRACTIONS)
    if _HAS_TENSE.search(text):
        text = _replaced(text, _TENSES)
    return text


def _replaced(text: str, replacements: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    for pattern, replacement in replacements:
        text = pattern.sub(replacement, text)
    return _SPACE.sub(" ", text)
