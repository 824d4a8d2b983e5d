"""Records of the memory as JSON and back, for the way between the processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from secondme.records import Answer, Filters, Match


def filters_record(filters: Filters) -> dict[str, Any]:
    """Return filters as JSON."""
    return _plain(asdict(filters))


def filters_from(record: Mapping[str, Any]) -> Filters:
    """Return the filters in a record of `filters_record`."""
    return Filters(**{item.name: _revived(item.name, record.get(item.name)) for item in fields(Filters)})


def match_record(match: Match) -> dict[str, Any]:
    """Return a match as JSON, exactly as it is."""
    return _plain({item.name: getattr(match, item.name) for item in fields(Match)} | {"arms": dict(match.arms)})


def match_from(record: Mapping[str, Any]) -> Match:
    """Return the match in a record of `match_record`."""
    return Match(**{item.name: _revived(item.name, record[item.name]) for item in fields(Match)})


def answer_record(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON."""
    return {
        "text": answer.text,
        "citations": [match_record(match) for match in answer.citations],
        "abstained": answer.abstained,
        "regime": answer.regime,
        "trace": dict(answer.trace),
    }


def answer_from(record: Mapping[str, Any]) -> Answer:
    """Return the answer in a record of `answer_record`."""
    citations = tuple(match_from(match) for match in record["citations"])
    return Answer(record["text"], citations, record["abstained"], record["regime"], record["trace"])


_MOMENTS = ("happened_at", "since", "until", "as_of")


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in record.items()}


def _revived(name: str, value: Any) -> Any:
    if name in _MOMENTS:
        return datetime.fromisoformat(value) if value else None
    return "" if value is None else value
