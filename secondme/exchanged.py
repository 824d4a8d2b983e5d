"""What a line of an export may hold: every value is checked and cleaned before it comes near the tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, get_args

from secondme.clean import clean
from secondme.clock import to_text
from secondme.records import FactKind, Regime, Stance
from secondme.store.chats import TurnKind
from secondme.store.edit import SETTABLE
from secondme.store.journal import Review, State, Verb
from secondme.store.sources import Deleted, Kind
from secondme.store.taking import Unusable

Check = Callable[[Any], Any]

HIGHEST = 2**40
"""No memory has so many of anything."""
MOST_SALTS = 16
_HASH = re.compile(r"[0-9a-f]{64}")
_SALT = re.compile(r"[0-9a-f]{16,128}")


def moment_text(value: object) -> str:
    """Return a moment in the form it is stored in."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    try:
        moment = datetime.fromisoformat(value)
        text = to_text(moment)
    except (ValueError, OverflowError) as error:
        raise ValueError("is not a date") from error
    if moment.tzinfo is None:
        raise ValueError("has no time zone")
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return clean(value)


def _some_text(value: object) -> str:
    if not (text := _text(value)).strip():
        raise ValueError("must not be empty")
    return text


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < HIGHEST:
        raise ValueError("must be a whole number from 0")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("must be a number from 0 to 1")
    return float(value)


def _hash(value: object) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise ValueError("must be a SHA-256 in hex")
    return value


def _salts(value: object) -> list[str]:
    salts: list[str] = _list_of(_text)(value)
    if not 0 < len(salts) <= MOST_SALTS or not all(_SALT.fullmatch(salt) for salt in salts):
        raise ValueError(f"must be 1 to {MOST_SALTS} numbers in hex")
    return salts


def _path(value: object) -> str:
    path = _text(value)
    if not re.match(r"/|[A-Za-z]:[\\/]", path) or ".." in re.split(r"[\\/]", path):
        raise ValueError("must be a whole path")
    return path


def _one_of(kind: Any, *more: str) -> Check:
    known = (*(one for one in get_args(kind) if isinstance(one, str)), *more)

    def check(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return value

    return check


def _or_none(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _list_of(check: Check) -> Check:
    def checked(value: object) -> list[Any]:
        if not isinstance(value, list):
            raise ValueError("must be a list")
        return [check(one) for one in value]

    return checked


def _several(*checks: Check) -> Check:
    def checked(value: object) -> list[Any]:
        if not isinstance(value, list) or len(value) != len(checks):
            raise ValueError(f"must be lists of {len(checks)}")
        return [check(one) for check, one in zip(checks, value, strict=True)]

    return checked


def _object(shape: Mapping[str, Check]) -> Check:
    return lambda value: checked(value, shape)


def checked(value: object, shape: Mapping[str, Check]) -> dict[str, Any]:
    """Return what of an object is known, checked. Raises ValueError naming the key."""
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    found = {}
    for key, check in shape.items():
        try:
            found[key] = check(value.get(key))
        except ValueError as error:
            raise ValueError(f"{key} {error}") from error
    return found


def _report(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return {clean(key): _plain(one, 0) for key, one in value.items()}


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict) and depth < 4:
        return {clean(key): _plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list) and depth < 4:
        return [_plain(one, depth + 1) for one in value]
    # A whole number may be too large to be asked whether it is finite.
    if value is None or (isinstance(value, int | float) and -HIGHEST < value < HIGHEST):
        return value
    raise ValueError("holds what no report does")


def _settings(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.keys() <= set(SETTABLE):
        raise ValueError("sets what no change does")
    kinds = {name: _or_none(_number if name == "superseded_by" else moment_text) for name in SETTABLE}
    return {name: _several(kinds[name], kinds[name])(pair) for name, pair in value.items()}


_NOTE = {"uri": _some_text, "digest": _hash}
_PLACE = {**_NOTE, "start": _number, "end": _number}
_ADDED = {
    "memories": _list_of(_number),
    "evidence": _list_of(_number),
    "conflicts": _list_of(_several(_number, _number)),
}
_FACT = {
    "id": _number,
    "kind": _one_of(FactKind),
    "stance": _one_of(Stance),
    "text": _some_text,
    **dict.fromkeys(("subject", "attribute", "value"), _text),
    "certainty": _share,
    "recorded_at": moment_text,
    **dict.fromkeys(("valid_from", "valid_to", "retired_at"), _or_none(moment_text)),
    "superseded_by": _or_none(_number),
    "evidence": _list_of(_object({"id": _number, **_PLACE, "is_wording": _truth})),
}
_CHANGE = {
    **dict.fromkeys(("id", "run", "fact"), _number),
    "verb": _one_of(Verb),
    "reason": _text,
    "operations": _object({"added": _object(_ADDED), "set": _list_of(_several(_number, _settings))}),
    "made_at": moment_text,
    "undone_at": _or_none(moment_text),
    "review": _one_of(Review),
}
_SOURCE = {"number": _number, **_NOTE, "passage": _or_none(_number), "is_cited": _truth}
_TURN = {
    "chat": _number,
    "kind": _one_of(TurnKind),
    "text": _text,
    "said_at": moment_text,
    "note": _or_none(_object(_NOTE)),
    "answer": _text,
    "regime": _one_of(Regime, ""),
    "is_whole": _truth,
    "sources": _list_of(_object(_SOURCE)),
}
_SHAPES: Mapping[str, Mapping[str, Check]] = {
    "release": {**_NOTE, "released_at": moment_text},
    "run": {
        "id": _number,
        "started_at": moment_text,
        "ended_at": _or_none(moment_text),
        "state": _one_of(State),
        "model": _text,
        "report": _report,
    },
    "fact": _FACT,
    "conflict": {"facts": _several(_number, _number)},
    "change": _CHANGE,
    "rejection": {**_PLACE, "text": _text, "reason": _text, "run": _or_none(_number)},
    "read": {**_NOTE, "passages": _list_of(_several(_number, _or_none(_number)))},
    "pin": {"uri": _or_none(_some_text), "fact": _or_none(_number)},
    "chat": {"id": _number, "name": _text, "started_at": moment_text},
    "turn": _TURN,
    "folder": {
        "path": _path,
        "kind": _one_of(Kind),
        "deleted": _one_of(Deleted),
        "state": _one_of(None, "active", "paused"),
        "why": _text,
        "added_at": moment_text,
    },
    "salts": {"salts": _salts},
    "tombstone": {"fingerprint": _hash, "forgotten_at": moment_text},
}
TYPES = ("note", *_SHAPES)


def parse_mark(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a line that is no note holds, with its type. Raises Unusable."""
    try:
        return {"type": found["type"], **checked(found, _SHAPES[found["type"]])}
    except ValueError as error:
        raise Unusable(str(error)) from error
