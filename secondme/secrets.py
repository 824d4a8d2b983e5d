"""Finds secrets in a text and masks them before it is stored: keys, tokens, passwords, numbers of cards and accounts.

A mask tells the kind and nothing else, so the text itself says where something was masked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from secondme.records import Masked
from secondme.secret_kinds import ASSIGNED, KINDS, VALUE

MASK = "⟦masked: "
"""How every mask begins."""
_MASK = re.compile(r"⟦masked: (?P<kind>[a-z]+(?:-[a-z]+)*)⟧")
_NUMBER = re.compile(r"[0-9](?:[ -]?[0-9A-Z]){7}")
_BEGIN, _END = "-----BEGIN ", "-----END "
_LONGEST_BLOCK = 64_000
"""A private key is not longer; what begins like one and never ends is masked up to its last line of letters."""
_KEY_LINE = re.compile(r"[ \t>]*(?:[A-Za-z0-9+/=_-]{16,}|[A-Za-z-]+: [^\n]*|)[ \t]*(?:\n|\Z)")

NAMES = tuple(dict.fromkeys([*(kind.name for kind in KINDS), "private-key", "password"]))
"""The kinds there are, as `secrets.keep` and the masks name them."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A stretch of a text that should not be kept."""

    kind: str
    start: int
    """First character."""
    end: int
    """The one after the last."""


def find(text: str, *, keep: Collection[str] = ()) -> list[Secret]:
    """Return the secrets in a text, in order and apart from each other, but for the kinds to be kept."""
    found = [*_private_keys(text), *_of_kinds(text), *_assigned(text)]
    apart: list[Secret] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if one.kind not in keep and (not apart or one.start >= apart[-1].end):
            apart.append(one)
    return apart


def mask(text: str, *, keep: Collection[str] = ()) -> str:
    """Return a text with its secrets masked; every line stays where it is, and masking twice changes nothing."""
    # What stood around a secret may be one itself, once that is gone.
    while secrets := find(text, keep=keep):
        parts, last = [], 0
        for one in secrets:
            lines = text.count("\n", one.start, one.end)
            parts += [text[last : one.start], f"{MASK}{one.kind}⟧", "\n" * lines]
            last = one.end
        text = "".join([*parts, text[last:]])
    return text


def masks_in(text: str, id: str) -> list[Masked]:
    """Return where something was masked in the text of the note with this id."""
    found = _MASK.finditer(text) if MASK in text else ()
    return [Masked(id, one["kind"], text.count("\n", 0, one.start()) + 1) for one in found]


def _private_keys(text: str) -> Iterator[Secret]:
    begin = text.find(_BEGIN)
    while begin >= 0:
        line_end = text.find("\n", begin)
        head = text[begin : line_end if 0 <= line_end < begin + 80 else begin + 80]
        end = begin + len(_BEGIN)
        if "PRIVATE KEY" in head:
            end = _end_of_block(text, begin)
            yield Secret("private-key", begin, end)
        begin = text.find(_BEGIN, end)


def _end_of_block(text: str, begin: int) -> int:
    closing = text.find(_END, begin, begin + _LONGEST_BLOCK)
    if closing >= 0 and text.find(_BEGIN, begin + 1, closing) < 0:
        dashes = text.find("-----", closing + len(_END), closing + 100)
        return dashes + 5 if dashes >= 0 else closing + len(_END)
    # Cut off: the lines that look like one belong to it.
    after = text.find("-----", begin + len(_BEGIN), begin + 100)
    at = after + 5 if after >= 0 else begin + len(_BEGIN)
    if text[at : at + 1] == "\n":
        at += 1
    while (line := _KEY_LINE.match(text, at)) and line.end() > at:
        at = line.end()
    return at - 1 if text[at - 1 : at] == "\n" else at


def _of_kinds(text: str) -> Iterator[Secret]:
    has_number = _NUMBER.search(text) is not None
    for kind in KINDS:
        if any(trigger in text for trigger in kind.triggers) if kind.triggers else has_number:
            for found in re.finditer(kind.pattern, text):
                group = "secret" if "secret" in found.re.groupindex else 0
                if kind.is_one(found[group]):
                    yield Secret(kind.name, *found.span(group))


def _assigned(text: str) -> Iterator[Secret]:
    """Yield the values behind a name such as "password:"."""
    low = text.lower()
    if len(low) != len(text):
        # There are letters that become two.
        low = "".join(c.lower() if c.isascii() else c for c in text)
    for name, before, is_one in ASSIGNED:
        at = low.find(name)
        while at >= 0:
            end = at + len(name)
            if not before or low[max(at - 11, 0) : at].rstrip("_- ").endswith(before):
                found = re.compile(VALUE).match(text, end)
                if found:
                    group = "bare" if found["quoted"] is None else "quoted"
                    if is_one(found[group]) and _is_value(found[group], is_quoted=group == "quoted"):
                        yield Secret("password", *found.span(group))
            at = low.find(name, end)


_STAND_IN = (
    r"my|your|the|some|new|old|example|sample|dummy|fake|test|change|replace|insert|enter|put|todo|tbd|redacted|hidden"
    r"|secret|password|passw(?:or)?d|pass|token|key|api|none|null|nil|true|false|yes|no|required|optional|string|str|int"
    r"|bool|bytes|undefined|default|placeholder|changeme|value|me|here|it|this|goes|user|name|db|root|admin"
)
# Not compiled before there is something to look at: most commands never need it.
_PLACEHOLDER = (
    rf"[x*.•·#?_-]+|⟦.*|<.*>?|\[.*|\{{.*|\$.*|%\w+%?|@\w+|.*\.\.\.+|(?:(?:{_STAND_IN})[-_ ]?)+[0-9]{{0,3}}[!.]?"
)
_NAME_IN_CODE = r"[A-Za-z_]\w*(?:(?:\.|::|->)[A-Za-z_]\w*)+|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z]+(?:_[a-z]+)+"
_DATE = re.compile(r"\d{4}-\d\d-\d\d.*|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
_WORD_ENDS = ".,;:!?"


def _is_value(value: str, *, is_quoted: bool) -> bool:
    value = value.strip()
    if not is_quoted:
        value = value.rstrip(_WORD_ENDS)
    if len(value) < 4 or re.fullmatch(_PLACEHOLDER, value, re.IGNORECASE) or _DATE.fullmatch(value):
        return False
    is_code = re.fullmatch(_NAME_IN_CODE, value) or "(" in value or value.endswith("[")
    return is_quoted or not (is_code or value.startswith(("/", "http", "~/")))
