"""Makes words of others inert in a prompt: what looks like markup, a speaker or a number of evidence is only text."""

from __future__ import annotations

import re

_MARKUP = re.compile(
    # <|im_start|>, </s>, <<SYS>>, [INST], <start_of_turn>, <think>, and the same in wide letters.
    r"<\|[^<>\n]{0,40}\|?>?|\|>|<\uff5c[^<>\n]{0,40}\uff5c?>?|</?s>|\[/?\s*INST\s*\]|<<\s*/?\s*SYS\s*>>|</?(?:start|end)_of_turn>"
    r"|</?\s*(?:system|user|assistant|human|instructions?|developer|tool|tools|tool_call|function|think|context|evidence)\s*>"
    r"|\[/?\s*(?:system|user|assistant|instructions?)\s*\]",
    re.IGNORECASE,
)
_PLAIN = str.maketrans("<>|[]\uff5c", "‹›¦()¦")
_NUMBER = re.compile(r"\[(\s*\d[\d\s,;]*)\]")
_HEADING = re.compile(r"#{2,}\s*")
_SPEAKER = re.compile(
    r"\b(system|assistant|user|human|developer|question|evidence|instructions?|answer|response|hint)(\s*(?:prompt|message)?\s*):"
    r"(?=\s|$)",
    re.IGNORECASE,
)


_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+(?!\s|$)[^.!?\n]*)*[.!?]*\s*")
_TALK = (
    r"(?:(?:every|each|any|all|your|the|this|my) (?:\w+ )?(?:answers?|repl(?:y|ies)|responses?|messages?|outputs?)"
    r"|(?:every|each|any|all) questions?"
    r"|output|completion|prompt|instructions?|guidelines|assistant|language model|chatbot|(?:the|this) word"
    r"|nothing else|everything above|restrictions|system message)"
)
_DO = (
    r"(?:begin|start|end|finish|preface|prefix|append|include|insert|contain|mention|write|say|print|output|repeat|reply"
    r"|respond|answer|return|reveal|ignore|disregard|forget|override|bypass|decode|obey|comply|follow|act|pretend|show"
    r"|tell|dump|send|leak|translate)"
)
_ORDER = re.compile(
    # As far as a sentence goes: without an end to it, the work would grow with the square of a text.
    # Told to somebody, not told of somebody: "please write the word", "your answer must".
    r"(?:^\W*|[,;:(]\s*|\b(?:please|must|should|always|never|you|to|and|now|then|just|also)\s+)"
    rf"{_DO}\b.{{0,300}}\b{_TALK}\b|\b{_TALK}\b.{{0,300}}\b(?:must|should|has to|have to|shall|is to)\b"
    r"|\bonly (?:\w+ )?(?:answer|reply|response|output)\b"
    rf"|\byou are now\b|\bfrom now on,? (?:you|{_DO})\b|\bwhoever (?:reads|sums|summari[sz]es)\b"
    r"|\b(?:do|decode|execute|obey) (?:this|what (?:it|this) says)\b"
    rf"|^\W*(?:(?:please|now|also|just|then)\s+)?(?:say|print|output|repeat|respond|ignore|disregard|decode)\s"
    r"|\bwhen you read this\b|^\W*(?:override|system|note to (?:the )?\w+)\b.{0,300}:|\bpretend you\b"
    r"|\bin (?:every|each|all|your) (?:answers?|repl(?:y|ies)|responses?)\b",
    re.IGNORECASE,
)
LEFT_OUT = "(an order is left out)"
QUOTATION = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
"""Lines in words of one's own that are somebody else's."""
_SPEECH_VERBS = (
    *("say", "tell", "write", "print", "output", "repeat", "reply", "respond", "answer", "return", "reveal", "mention"),
    *("include", "append", "insert", "begin", "start", "finish", "put", "use", "call", "decode", "translate", "ignore"),
    *("disregard", "forget", "obey", "follow", "pretend", "act", "stop"),
)
_SPEECH = rf"(?:{'|'.join(_SPEECH_VERBS)})"
_MAY_BE_ORDER = re.compile(
    rf"^\W*(?:\w[\w ]{{0,20}}:\W*)?(?:(?:please|now|also|just|then|first|always|never)\W+)*{_SPEECH}\b"
    # A capital letter in the middle: it was glued to the sentence before it.
    rf"|(?-i:\b(?:{'|'.join(verb.capitalize() for verb in _SPEECH_VERBS)})\b)"
    rf"|\b(?:please|must|should|has to|have to|let|only)\b.{{0,100}}\b{_SPEECH}\b"
    r"|\b(?:answers?|reply|replies|responses?|output|prompt|instructions?|assistant|chatbot|language model)\b"
    r"|\b(?:next|first|last|system) (?:message|word|line|sentence)\b"
    r"|\b(?:reads?|sums?|summari[sz]es?|sees?) (?:up )?(?:this|that|it)\b",
    re.IGNORECASE,
)


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a text, each with the space behind it; a line ends one as well."""
    return _SENTENCE.findall(text)


def may_be_order(sentence: str) -> bool:
    """True if a sentence may tell its reader what to say: more than small models must not read are taken for that."""
    return bool(_ORDER.search(sentence) or _MAY_BE_ORDER.search(sentence))


def without_orders(text: str) -> str:
    """Return words of others without the sentences that surely tell their reader what to say: small models do it."""
    return _SENTENCE.sub(lambda found: f"{LEFT_OUT} " if _ORDER.search(found[0]) else found[0], text)


def without_markup(text: str) -> str:
    """Return the text with what a chat template may take for its markup written in other signs."""
    return _MARKUP.sub(lambda found: found[0].translate(_PLAIN), text)


def quoted(text: str) -> str:
    """Return words of others as one line without markup, headings, speakers of a prompt and numbers of evidence."""
    line = " ".join(without_markup(text).split())
    line = _SPEAKER.sub(r"\1\2 -", _HEADING.sub("", line))
    return _NUMBER.sub(r"(\1)", line)
