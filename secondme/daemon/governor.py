"""Decides whether the machine and its user can spare the work: pure rules over what was read of both."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from secondme.config import DaemonConfig
    from secondme.store.journal import Run

NOON = 12
HALF_FULL, NEARLY_EMPTY = 50, 15
"""Percent of the battery."""
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What the machine is doing."""

    on_battery: bool
    battery_percent: float | None
    load: float
    """Percent of the processor that other programs use, averaged over a minute."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What decides on whether work may be done."""

    machine: Machine
    idle_seconds: float
    """Since somebody asked."""
    is_inhibited: bool
    paused: str
    """Until when all is paused, in words; empty while it is not."""
    waiting: int
    """Passages to sleep over."""
    seconds_left: float
    """Of what a night may take until noon."""
    tokens_left: int

    def during_a_night(self) -> Readings:
        """Return the readings without what a night itself changes: its own load, budget and work."""
        idle = replace(self.machine, load=0.0)
        return replace(self, machine=idle, waiting=1, seconds_left=1.0, tokens_left=1)


def why_not_idle(readings: Readings, config: DaemonConfig) -> list[str]:
    """Return what keeps work from being done that takes all of an idle machine, each in a few words."""
    machine, found = readings.machine, why_not_work(readings)
    if readings.idle_seconds < config.idle_minutes * 60:
        asked = int(readings.idle_seconds // 60)
        found.append(f"somebody asked {asked} min ago; it waits for {config.idle_minutes}")
    if machine.on_battery and not config.on_battery:
        found.append("on battery")
    elif machine.on_battery and (machine.battery_percent or 0) <= HALF_FULL:
        found.append(f"the battery is at {machine.battery_percent or 0:.0f} %")
    if machine.load > config.max_load:
        found.append(f"other programs use {machine.load:.0f} % of the processor; the limit is {config.max_load}")
    return found


def why_not_sleep(readings: Readings, config: DaemonConfig) -> list[str]:
    """Return what keeps a night from beginning, each in a few words; nothing where it may."""
    found = why_not_idle(readings, config)
    if readings.seconds_left <= 0:
        found.append(f"the {config.sleep_seconds:,} seconds until noon are spent")
    if readings.tokens_left <= 0:
        found.append(f"the {config.sleep_tokens:,} tokens until noon are spent")
    return found if readings.waiting else [*found, "nothing waits"]


def why_not_work(readings: Readings) -> list[str]:
    """Return what keeps files from being read and vectors from being computed."""
    found = [f"paused {readings.paused}"] if readings.paused else []
    if readings.is_inhibited:
        found.append("inhibited by a command")
    battery = readings.machine.battery_percent
    if readings.machine.on_battery and battery is not None and battery < NEARLY_EMPTY:
        found.append(f"the battery is nearly empty ({battery:.0f} %)")
    return found


class Meter:
    """Measures the machine, looked at every few seconds."""

    def __init__(self) -> None:
        self._last: tuple[float, float, float] | None = None
        self._load = 0.0

    def read(self, own: Iterable[int]) -> Machine:
        """Return what the machine is doing; what the processes `own` use of it does not count."""
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
        on_battery = battery is not None and battery.power_plugged is False
        times = psutil.cpu_times()
        total, idle = sum(times[:8]), times.idle + getattr(times, "iowait", 0.0)
        now = (total, idle, sum(map(_processor_time, own)))
        if self._last is not None and total > self._last[0]:
            span, rest, mine = (after - before for after, before in zip(now, self._last, strict=True))
            # A process of ours that has ended takes its past with it.
            load = min(max((span - rest - max(mine, 0.0)) / span, 0.0), 1.0) * 100
            weight = min(span / (os.cpu_count() or 1) / MINUTE, 1.0)
            self._load += weight * (load - self._load)
        self._last = now
        return Machine(on_battery, battery.percent if battery else None, self._load)


def _processor_time(pid: int) -> float:
    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(used.user + used.system)


def noon_before(now: datetime) -> datetime:
    """Return the last local noon: nights are counted from one to the next."""
    local = now.astimezone()
    noon = local.replace(hour=NOON, minute=0, second=0, microsecond=0)
    # The clock may have been changed in between: noon of the day before is not always 24 hours ago.
    return noon if noon <= local else (noon.replace(tzinfo=None) - timedelta(days=1)).astimezone()


def budget_left(runs: Iterable[Run], config: DaemonConfig, *, now: datetime) -> tuple[float, int]:
    """Return the seconds and tokens that nights may still take until noon, those slept by hand counted as well.

    `runs` come newest first.
    """
    since, seconds, tokens = noon_before(now), float(config.sleep_seconds), config.sleep_tokens
    for run in runs:
        if run.started_at < since:
            break
        if run.started_at > now:  # by a clock that was wrong: it would count until that day comes
            continue
        seconds -= run.report.get("seconds", 0.0)
        tokens -= run.report.get("tokens_evaluated", 0) + run.report.get("tokens_written", 0)
    return max(seconds, 0.0), max(tokens, 0)
