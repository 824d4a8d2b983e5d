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


def without_orders(text: str) -> str:
    """Return words of others without the sentences that tell whoever reads them what to say: small models do it."""
    return _SENTENCE.sub(lambda found: f"{LEFT_OUT} " if _ORDER.search(found[0]) else found[0], text)


def without_markup(text: str) -> str:
    """Return the text with what a chat template may take for its markup written in other signs."""
    return _MARKUP.sub(lambda found: found[0].translate(_PLAIN), text)


def quoted(text: str) -> str:
    """Return words of others as one line without markup, headings, speakers of a prompt and numbers of evidence."""
    line = " ".join(without_markup(text).split())
    line = _SPEAKER.sub(r"\1\2 -", _HEADING.sub("", line))
    return _NUMBER.sub(r"(\1)", line)
