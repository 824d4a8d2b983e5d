"""When the machine and its user can spare the work."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from secondme.config import DaemonConfig
from secondme.daemon.governor import (
    Machine,
    Meter,
    Readings,
    budget_left,
    noon_before,
    why_not_idle,
    why_not_sleep,
    why_not_work,
)

CONFIG = DaemonConfig()
IDLE = Readings(
    machine=Machine(on_battery=False, battery_percent=None, load=0.0),
    idle_seconds=600.0,
    is_inhibited=False,
    paused="",
    waiting=5,
    seconds_left=3600.0,
    tokens_left=500_000,
)


def on_battery(percent: float | None, load: float = 0.0) -> Machine:
    return Machine(on_battery=True, battery_percent=percent, load=load)


def test_an_idle_machine_sleeps() -> None:
    assert why_not_sleep(IDLE, CONFIG) == []
    assert why_not_work(IDLE) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"idle_seconds": 599.0}, "somebody asked 9 min ago; it waits for 10"),
        ({"machine": on_battery(90)}, "on battery"),
        ({"machine": on_battery(None)}, "on battery"),
        ({"machine": Machine(False, None, 51.0)}, "other programs use 51 % of the processor; the limit is 50"),
        ({"seconds_left": 0.0}, "the 3,600 seconds until noon are spent"),
        ({"tokens_left": 0}, "the 500,000 tokens until noon are spent"),
        ({"waiting": 0}, "nothing waits"),
        ({"is_inhibited": True}, "inhibited by a command"),
        ({"paused": "until you resume"}, "paused until you resume"),
    ],
)
def test_each_reason_not_to_sleep_is_said(changes: dict[str, Any], why: str) -> None:
    assert why_not_sleep(replace(IDLE, **changes), CONFIG) == [why]


def test_all_reasons_are_said_at_once() -> None:
    readings = replace(IDLE, idle_seconds=0.0, waiting=0, is_inhibited=True)
    assert len(why_not_sleep(readings, CONFIG)) == 3


def test_pages_are_made_as_nights_are_slept_but_for_the_budget_of_these() -> None:
    assert why_not_idle(replace(IDLE, waiting=0, seconds_left=0.0, tokens_left=0), CONFIG) == []
    for changes in (
        {"idle_seconds": 599.0},
        {"machine": on_battery(90)},
        {"is_inhibited": True},
        {"paused": "for 1 h"},
    ):
        assert len(why_not_idle(replace(IDLE, **changes), CONFIG)) == 1


@pytest.mark.parametrize(("percent", "sleeps"), [(51.0, True), (50.0, False), (None, False)])
def test_who_allows_sleep_on_battery_keeps_half_of_it(percent: float | None, sleeps: bool) -> None:
    readings = replace(IDLE, machine=on_battery(percent))
    assert (why_not_sleep(readings, replace(CONFIG, on_battery=True)) == []) == sleeps


@pytest.mark.parametrize(("percent", "works"), [(15.0, True), (14.9, False), (None, True)])
def test_files_are_read_until_the_battery_is_nearly_empty(percent: float | None, works: bool) -> None:
    assert (why_not_work(replace(IDLE, machine=on_battery(percent))) == []) == works


def test_a_night_under_way_is_not_ended_by_what_it_does_itself() -> None:
    busy = replace(IDLE, machine=Machine(False, None, 99.0), waiting=0, seconds_left=0.0, tokens_left=0)
    assert why_not_sleep(busy.during_a_night(), CONFIG) == []
    assert why_not_sleep(replace(busy, idle_seconds=0.0).during_a_night(), CONFIG) != []


@pytest.mark.parametrize(
    ("now", "noon"),
    [
        ("2024-06-01T12:00", "2024-06-01T12:00"),
        ("2024-06-01T11:59", "2024-05-31T12:00"),
        ("2024-03-31T08:00", "2024-03-30T12:00"),
        ("2024-10-27T08:00", "2024-10-26T12:00"),
    ],
)
def test_nights_are_counted_from_noon_to_noon_even_when_the_clock_changes(
    monkeypatch: pytest.MonkeyPatch, now: str, noon: str
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        found = noon_before(datetime.fromisoformat(now).astimezone())
        assert found == datetime.fromisoformat(noon).astimezone()
    finally:
        monkeypatch.undo()
        time.tzset()


def test_what_was_slept_since_noon_counts_whoever_began_it() -> None:
    now = datetime(2024, 6, 1, 23).astimezone()

    def run(hours_ago: float, **report: float) -> Any:
        return SimpleNamespace(started_at=now - timedelta(hours=hours_ago), report=report)

    runs = [
        run(1, seconds=100.0, tokens_evaluated=1000, tokens_written=50),
        run(2),
        run(3, seconds=200.0),
        run(20, seconds=3000.0),
    ]
    assert budget_left(runs, CONFIG, now=now) == (3300.0, 498_950)
    assert budget_left([run(1, seconds=9999.0)], CONFIG, now=now)[0] == 0.0


def test_a_night_of_a_clock_that_was_wrong_spends_nothing_of_later_ones() -> None:
    now = datetime(2024, 6, 1, 12, 30).astimezone()
    report = {"seconds": 9999.0}
    ran: Any = SimpleNamespace(started_at=now + timedelta(days=9999), report=report)
    assert budget_left([ran], CONFIG, now=now) == (CONFIG.sleep_seconds, CONFIG.sleep_tokens)


def test_a_meter_counts_what_others_use_and_not_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([(0.0, 0.0), (60.0, 60.0), (120.0, 60.0)])
    own = iter([0.0, 60.0, 60.0])

    def cpu_times() -> Any:
        busy, idle = next(times)
        return _Times(busy, idle)

    monkeypatch.setattr(psutil, "cpu_times", cpu_times)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr("secondme.daemon.governor._processor_time", lambda pid: next(own))
    meter = Meter()
    assert meter.read([1]).load == 0.0
    assert meter.read([1]).load == 0.0
    assert meter.read([1]).load == 100.0


class _Times(tuple[float, ...]):
    """What psutil tells of the processor: a tuple with names."""

    idle: float

    def __new__(cls, busy: float, idle: float) -> _Times:
        found = super().__new__(cls, (busy, 0.0, 0.0, idle, 0.0, 0.0, 0.0, 0.0))
        found.idle = idle
        return found


def test_a_meter_reads_the_machine_it_is_on() -> None:
    found = Meter().read([])
    assert 0.0 <= found.load <= 100.0
