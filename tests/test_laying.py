"""How evidence is laid out: in the order of time, and the best behind what comes from pages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from nights import day

from secondme.config import ModelsConfig
from secondme.errors import ConfigError
from secondme.laying import fresh_count, in_order, takes_pages
from secondme.records import Match


def match(id: str, on: str) -> Match:
    named = {"uri": "", "thread": "", "author": "", "score": 0.0, "line_start": 1, "line_end": 1}
    return Match(id=id, kind="passage", text=id, happened_at=day(on), **named)  # type: ignore[arg-type]


BEST_FIRST = [
    match("n3.1", "2024-03-03"),
    match("n10.1", "2024-03-01"),
    match("n9.2", "2024-03-01"),
    match("n1.1", "2024-03-09"),
]


@pytest.mark.parametrize(
    ("fresh", "order"),
    [
        (4, ["n9.2", "n10.1", "n3.1", "n1.1"]),
        (9, ["n9.2", "n10.1", "n3.1", "n1.1"]),
        (2, ["n9.2", "n1.1", "n10.1", "n3.1"]),
        (1, ["n9.2", "n10.1", "n1.1", "n3.1"]),
        (0, ["n9.2", "n10.1", "n3.1", "n1.1"]),
    ],
)
def test_the_best_that_are_read_anew_stand_last_and_all_else_in_the_order_of_time(fresh: int, order: list[str]) -> None:
    assert [one.id for one in in_order(BEST_FIRST, fresh)] == order


def test_everything_is_read_unless_pages_were_measured_or_are_wanted() -> None:
    models = ModelsConfig()
    assert fresh_count(models) == 0
    assert fresh_count(replace(models, language="smollm2-135m")) is None
    assert fresh_count(replace(models, fresh="4")) == 4
    assert not takes_pages(replace(models, fresh="4", language=""))
    for other in ({"page_budget": 0}, {"endpoint": "http://127.0.0.1:1/v1"}, {"fresh": "all"}):
        assert fresh_count(replace(models, **{"fresh": "4", **other})) is None  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="fresh"):
        fresh_count(replace(models, fresh="-1"))
