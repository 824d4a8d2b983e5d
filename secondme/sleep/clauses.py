"""Cuts a passage into the statements it holds, each with the bytes where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from secondme.ingest.frontmatter import front_matter_end
from secondme.records import Span
from secondme.sleep.english import (
    TASK,
    URL,
    WORD,
    is_boilerplate,
    is_courtesy,
    is_finite,
    is_surely_finite,
)
from secondme.sleep.references import antecedent_of, points_outside
from secondme.sleep.vocabulary import word_set

MOST_BYTES = 300
MOST_WORDS = 40
FEWEST_WORDS = 3
_LONGEST_SENTENCE = 2000
"""A run without any full stop that is longer than this many characters is not a sentence."""

_FENCE = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"[ ]{0,3}#{1,6}(?:[ \t]|$)")
_UNDERLINE = re.compile(r"[ ]{0,3}(?:=+|-{2,})[ \t]*$")
_RULE = re.compile(r"[ ]{0,3}[-*_](?:[ \t]*[-*_]){2,}[ \t]*$")
_INDENTED = re.compile(r"(?: {4}|\t)[ \t]*\S")
_QUOTE = re.compile(r"[ \t]*(?:[-*+][ \t]+)?>")
_TABLE = re.compile(r"[ \t]*\||[^|\n]{0,200} \| [^|\n]{0,200} \| ")
_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,9}[.)])[ \t]+")
_CODE = re.compile(
    r"[ \t]*(?:(?:>>>|\$)[ \t]|(?:def|class|import|from|return|const|let|var|function|public|private|static|#include|"
    r"if|for|while)\b[^\n]{0,200}[={}();<>:]+[ \t]*$)|[^\n]{0,300}(?:[{}]|\);|\};)[ \t]*$|"
    r"[ \t]*</?[a-zA-Z][^\n]{0,200}>[ \t]*$|<!--"
)
_PICTURE = re.compile(
    r"!\[[^\]\n]{0,200}\](?:\([^)\n]{0,400}\)|\[[^\]\n]{0,100}\])?|!\[\[[^\]\n]{0,200}\]\]|"
    r"\[(?:shar|sen[dt]|image|photo|picture|video|audio|voice|sticker|gif|attach)[^\]\n]{0,400}\]",
    re.IGNORECASE,
)
_STOP = re.compile(
    r"(?<![.!?…])[.!?…]++[\"'”’»)\]*_]*+(?=\s|$)|[。！？]++[\"'”’」』）]*+"
    r"|(?<=\s)[\U0001F300-\U0001FAFF\u2600-\u27BF\uFE0F]++(?=\s+[A-Z])"
)
_LAST_TOKEN = re.compile(r"[^\s(\"“]{1,12}$")
_NEVER_END = word_set(
    "mr. mrs. ms. dr. prof. st. mt. rev. gen. sgt. capt. lt. col. hon. e.g. i.e. cf. ca. vs. approx. fig. dept."
)
_MAY_END = word_set("etc. jr. sr. inc. ltd. co. corp. a.m. p.m. am. pm. ave. rd. blvd. min. max. tel. ext.")
_BEFORE_NUMBER = word_set("no. nr. vol. p. pp. ch. jan. feb. mar. apr. jun. jul. aug. sep. sept. oct. nov. dec.")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+")
_STARTER = re.compile(
    r"(?:I|We|He|She|It|They|You|My|Our|His|Her|Their|The|This|That|There|A|An|In|On|At|But|And|So|Then)\b"
)

_JOINT = re.compile(
    r"\s*;\s+|,?\s+(?:and(?:\s+(?:then|now|also))?|but|yet)\s+|,\s+so\s+|\s+[-–—]+\s+|(?<=\w)—(?=\w)", re.IGNORECASE
)
_SUBJECT = re.compile(r"(?:(?:I|we|he|she|they|it|you|there)(?:['’][a-z]+)?)(?=\s|$)", re.IGNORECASE)
_NOUN = re.compile(r"(?:my|our|his|her|their|the|this|that|a|an)\s+((?:[\w'’-]+\s+){2,6})", re.IGNORECASE)
_DEPENDENT = re.compile(
    r"\W*(?:if|when|whenever|because|although|though|since|while|after|before|as|unless|until|once|whether|how|why|what|"
    r"that|even)\b",
    re.IGNORECASE,
)
_EMBEDDING = re.compile(
    r"\b(?:sa(?:y|ys|id)|tells?|told|th(?:ink|inks|ought)|believ\w+|hop(?:e|es|ed|ing)|wish\w*|guess\w*|suppose|hear[ds]?|"
    r"knows?|knew|dream\w*|imagin\w+|pretend\w*|claim\w*|if|unless|whether|ask(?:s|ed)|not\s+sure|wonder\w*|so\s+that)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(r"\?[\"'”’»)\]\s!?.]*$")
_KNOWN_TAG = re.compile(r",\s+(?:you|ya)\s+know\?\W*$", re.IGNORECASE)
_CONTRACTED = re.compile(r"\b(?:i|we|he|she|they)['’](?:m|re|ve|s|d|ll)\b", re.IGNORECASE)
_WIDE = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Clause:
    """One statement of a passage, as it stands there."""

    text: str
    """Verbatim: exactly the bytes `start:end` of the note, decoded."""
    start: int
    """First byte in the UTF-8 text of the note."""
    end: int
    """Byte after the last."""
    line_start: int
    line_end: int


def clauses(span: Span, *, markdown: bool) -> list[Clause]:
    """Return the statements of a passage in order: no headings, code, quotes, questions or courtesies."""
    found: list[Clause] = []
    text, done, byte, line = span.text, 0, span.start, span.line_start
    for start, end in _statements(text, _body_start(span, markdown), markdown):
        byte += len(text[done:start].encode())
        line += text.count("\n", done, start)
        words = text[start:end]
        stop = byte + len(words.encode())
        last = line + words.count("\n")
        if stop - byte <= MOST_BYTES:
            found.append(Clause(words, byte, stop, line, last))
        done, byte, line = end, stop, last
    return found


def sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where each sentence of `text[start:end]` begins and ends, without the space around it."""
    begin = start
    for stop in _STOP.finditer(text, start, end):
        if _ends_sentence(text, stop, end):
            yield _trimmed(text, begin, stop.end())
            begin = stop.end()
    if begin < end:
        yield _trimmed(text, begin, end)


def count_words(text: str) -> int:
    """Return how many words `text` has, "I'm" being two; in a script without spaces two characters count as one."""
    return len(WORD.findall(text)) + len(_CONTRACTED.findall(text)) + len(_WIDE.findall(text)) // 2


def _body_start(span: Span, markdown: bool) -> int:
    return front_matter_end(span.text) if markdown and span.start == 0 else 0


def _statements(text: str, start: int, markdown: bool) -> Iterator[tuple[int, int]]:
    for block in _blocks(text, start, markdown):
        for sentence in sentences(text, *block):
            if sentence[1] - sentence[0] > _LONGEST_SENTENCE:
                continue
            for piece in coordinated(text, *sentence):
                if _is_statement(text[piece[0] : piece[1]]):
                    yield piece


def _is_statement(text: str) -> bool:
    words = count_words(URL.sub(" ", text))
    is_enough = words >= FEWEST_WORDS or bool(TASK.match(text) and words > 1)
    is_whole = text.count('"') % 2 == 0 and text.count("“") == text.count("”")
    return is_enough and is_whole and words <= MOST_WORDS and not _is_waste(text)


def _is_waste(text: str) -> bool:
    if is_boilerplate(text) or not WORD.search(URL.sub(" ", text)):
        return True
    is_question = bool(_ASKS.search(text[-20:])) and not _KNOWN_TAG.search(text[-30:])
    return is_question or is_courtesy(text)


# Lines and blocks


def _blocks(text: str, start: int, markdown: bool) -> Iterator[tuple[int, int]]:
    """Yield the stretches of prose: paragraphs, list items and lines that stand alone."""
    prose: list[tuple[int, int]] = []
    for begin, end, joins in _prose_lines(text, start, markdown):
        if prose and not (joins and _is_wrapped(text, prose[-1], begin)):
            yield from _without_pictures(text, prose[0][0], prose[-1][1])
            prose = []
        if end > begin:
            prose.append((begin, end))
    if prose:
        yield from _without_pictures(text, prose[0][0], prose[-1][1])


def _is_wrapped(text: str, above: tuple[int, int], begin: int) -> bool:
    """True if the line at `begin` goes on where the one above broke off."""
    return above[1] - above[0] >= 60 or text[begin : begin + 1].islower()


def _prose_lines(text: str, start: int, markdown: bool) -> Iterator[tuple[int, int, bool]]:
    """Yield each line of prose with whether it may belong to the one before; an empty one where prose is broken off."""
    fence, is_quoted, was_blank, in_list = "", False, True, False
    for begin, end, next_line in _lines(text, start):
        line = text[begin : min(end, begin + 1000)]
        is_blank, mark = not line.strip(), _FENCE.match(line)
        if fence or mark:
            if mark:
                fence = mark[1] if not fence else "" if mark[1].startswith(fence) else fence
            yield begin, begin, False
            continue
        item = _ITEM.match(line)
        in_list = bool(item) or (in_list and (not was_blank or line[:1] in " \t"))
        is_quoted = bool(_QUOTE.match(line)) or (markdown and is_quoted and not is_blank and not item)
        is_title = markdown and bool(_HEADING.match(line) or (not is_blank and _UNDERLINE.match(next_line)))
        is_code = bool(_CODE.match(line)) or (markdown and was_blank and not in_list and bool(_INDENTED.match(line)))
        is_other = is_blank or is_quoted or is_title or is_code or bool(_TABLE.match(line) or _RULE.match(line))
        was_blank = is_blank or (was_blank and is_code)
        if is_other:
            yield begin, begin, False
        elif item:
            yield begin + item.end(), end, False
        else:
            yield begin + len(line) - len(line.lstrip()), end, True


def _lines(text: str, start: int) -> Iterator[tuple[int, int, str]]:
    """Yield the begin and end of each line with the opening of the next."""
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        stop = text.find("\n", end + 1, end + 80)
        yield start, end, text[end + 1 : stop if stop >= 0 else end + 80]
        start = end + 1


def _without_pictures(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for picture in _PICTURE.finditer(text, start, end):
        yield start, picture.start()
        start = picture.end()
    yield start, end


# Sentences and clauses


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    return start + left, max(start + left, start + len(piece.rstrip()))


def _ends_sentence(text: str, stop: re.Match[str], end: int) -> bool:
    if stop[0] != "." or stop.end() >= end:
        return True
    token = _LAST_TOKEN.search(text, max(0, stop.start() - 12), stop.end())
    word = token[0].lower() if token else ""
    at = stop.end()
    while at < end - 1 and text[at].isspace() and at < stop.end() + 20:
        at += 1
    if word in _NEVER_END or (word in _BEFORE_NUMBER and text[at].isdigit()):
        return False
    if word in _MAY_END:
        return text[at].isupper()
    return word == "i." or not _INITIALS.fullmatch(word) or bool(_STARTER.match(text, at))


def coordinated(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where the parts of a sentence are that have a subject and a verb of their own."""
    begin, counted, depth = start, start, 0
    for joint in _JOINT.finditer(text, start, end):
        depth += sum(1 if c in "(“[" else -1 if c in ")”]" else 0 for c in text[counted : joint.start()])
        is_quoted = text.count('"', start, joint.start()) % 2
        counted = joint.start()
        if depth or is_quoted or joint.start() <= begin:
            continue
        left, right = text[begin : joint.start()], _JOINT.split(text[joint.end() : end], maxsplit=1)[0]
        if _stands_alone(left) and _opens_clause(right) and not _leans_on(right, left):
            yield begin, joint.start()
            begin = joint.end()
    yield _trimmed(text, begin, end)


def _stands_alone(left: str) -> bool:
    words = WORD.findall(left)
    if len(words) < FEWEST_WORDS or _DEPENDENT.match(left) or _EMBEDDING.search(left):
        return False
    return any(is_finite(word) for word in (words if _CONTRACTION.match(words[0]) else words[1:]))


def _leans_on(right: str, left: str) -> bool:
    """True if `right` loses what its pronouns stand for when it is cut off: "I met Ana and I liked her"."""
    return points_outside(right) and not antecedent_of(right, left)[0]


def _opens_clause(right: str) -> bool:
    if subject := _SUBJECT.match(right):
        return len(WORD.findall(right[subject.start() : subject.end() + 80])) >= 2
    noun = _NOUN.match(right[:120])
    return bool(noun) and any(is_surely_finite(word) for word in WORD.findall(noun[1] if noun else "")[1:])


_CONTRACTION = re.compile(r"[^\W\d_]+['’](?:m|re|ve|s|ll|d)$")
