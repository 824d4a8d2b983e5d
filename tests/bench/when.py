"""Measure how many time expressions are resolved to the right range: `python tests/bench/when.py DATA_FOLDER`.

The folder holds `temporal/*.json` (the test specifications of Microsoft's Recognizers-Text, MIT) and `time_questions/`
(questions about two people's chats with the numbers of the turns they ask for). Neither is part of this project.
An expression is right when a found range covers the expected days and is at most three times as long, exact when the
days are the same. A question's range is scored by the turns whose moment lies in it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from secondme.recall.when import TimeRange, annotate, find_ranges, question_range

FILES = ("DateParser", "DatePeriodParser", "HolidayParser", "DateTimeParser", "DateTimePeriodParser", "MergedParser")
NO_DATES = ("TimeParser", "TimePeriodParser", "DurationParser", "SetParser")
Period = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Case:
    """A text with the ranges that its expressions may stand for."""

    text: str
    now: datetime
    expected: tuple[tuple[Period, ...], ...]


def main(folder: Path, *, show: str = "") -> None:
    """Print one line per file; `show` names a file whose misses are listed."""
    print(f"{'file':22} {'expressions':>11} {'found':>6} {'right':>6} {'exact':>6} {'texts':>6} {'false':>6}")
    for name in (*FILES, *NO_DATES):
        measure_expressions(folder / "temporal" / f"{name}.json", is_dates=name in FILES, show=show == name)
    print(f"\n{'questions':26} {'asked':>6} {'ranged':>7} {'turns inside':>13} {'precision':>10} {'explicit':>9}")
    for path in sorted((folder / "time_questions").glob("*.json")):
        if not path.name.startswith("conversation"):
            measure_questions(path, show=show == path.stem)
    measure_chat(folder / "time_questions")


def measure_expressions(path: Path, *, is_dates: bool, show: bool) -> None:
    """Print the shares of one Recognizers file; where no dates are expected, every range is a false alarm."""
    total = found_count = right = exact = texts = false = 0
    for case in read_cases(path):
        ranges = find_ranges(case.text, now=case.now)
        texts += 1
        expected = case.expected if is_dates else ()
        false += len(ranges) > len(expected)
        for periods in expected:
            total += 1
            found_count += bool(ranges)
            is_right = any(covers(r, p) for r in ranges for p in periods)
            right += is_right
            exact += any((days(r.start, r.end)) == days(*p) for r in ranges for p in periods)
            if show and not is_right:
                print("   ", case.now.date(), case.text[:90], "|", [str(d)[:10] for d in days(*periods[-1])], end=" | ")
                print([(r.text, *(str(d)[:10] for d in days(r.start, r.end))) for r in ranges])
        if show and not expected and ranges:
            print("    false:", case.text[:90], [r.text for r in ranges])
    shares = " ".join(f"{n / total:6.1%}" if total else "     -" for n in (found_count, right, exact))
    print(f"{path.stem:22} {total:11} {shares} {texts:6} {false / texts:6.1%}")


def read_cases(path: Path) -> Iterator[Case]:
    """Yield the cases of a Recognizers file whose expected values are days."""
    for item in json.loads(path.read_text(encoding="utf-8-sig")):
        stamp = item.get("Context", {}).get("ReferenceDateTime", "2018-05-30T00:00:00")
        expected = []
        for result in item["Results"]:
            periods = tuple(read_periods(result))
            if periods:
                expected.append(periods)
        yield Case(item["Input"], datetime.fromisoformat(stamp[:19]).astimezone(), tuple(expected))


def read_periods(result: dict[str, Any]) -> Iterator[Period]:
    """Yield each reading of one result as start and exclusive end."""
    value = result.get("Value") or {}
    readings = [value.get("FutureResolution", {}), value.get("PastResolution", {}), *value.get("values", [])]
    for reading in readings:
        start, end = (
            reading.get(k) or reading.get(f"{k}Date") or reading.get(f"{k}DateTime") for k in ("start", "end")
        )
        day = reading.get("date") or reading.get("dateTime") or reading.get("value")
        try:
            if day and "T" not in str(day)[:1] and not str(day).isdigit() and len(day) >= 10:
                moment = datetime.fromisoformat(day).replace(hour=0, minute=0, second=0)
                if moment.year > 1800:
                    yield moment, moment + timedelta(days=1)
            elif (start and len(start) >= 10) or (end and len(end) >= 10):
                yield read_day(start), read_day(end)
        except ValueError:
            continue


def read_day(text: str | None) -> datetime | None:
    """Return the moment, or None for an open end."""
    return datetime.fromisoformat(text) if text else None


def days(start: datetime | None, end: datetime | None) -> tuple[datetime | None, datetime | None]:
    """Return the first and the last day, both local and without a zone."""
    first, last = (moment and moment.astimezone().replace(tzinfo=None) for moment in (start, end))
    if last is not None:
        last -= timedelta(seconds=1)
    return tuple(d and d.replace(hour=0, minute=0, second=0, microsecond=0) for d in (first, last))  # type: ignore[return-value]


def covers(found: TimeRange, period: Period) -> bool:
    """True if the range holds the expected days and is not much longer."""
    (first, last), (start, end) = days(found.start, found.end), days(*period)
    if (first is None) != (start is None) or (last is None) != (end is None):
        return False
    if first is not None and start is not None and first > start:
        return False
    # An expected period that ends with its last day named is counted exclusive there: allow that one day.
    if last is not None and end is not None and last < end:
        return False
    if first is None or last is None or start is None or end is None:
        return True
    return (last - first).days + 1 <= 3 * ((end - start).days + 1)


def measure_questions(path: Path, *, show: bool) -> None:
    """Print what share of the turns asked for lies in the question's range, and what share of the range was asked."""
    asked = ranged = explicit = 0
    inside = precision = 0.0
    for name, groups in json.loads(path.read_text(encoding="utf-8")).items():
        moments = read_moments(path.parent / f"conversation_{name.split('_')[1]}.json")
        for group in groups:
            gold = set(group["relevant_docs"])
            for question in group["questions"]:
                asked += 1
                found = question_range(question, now=moments[-1])
                if found is None:
                    continue
                ranged += 1
                explicit += found.explicit
                hits = {i for i, m in enumerate(moments) if is_inside(m, found)}
                inside += len(hits & gold) / len(gold)
                precision += len(hits & gold) / len(hits) if hits else 0
                if show and hits != gold:
                    print("   ", question, found.start, found.end, len(hits & gold), len(hits), len(gold))
    shares = f"{inside / ranged:13.3f} {precision / ranged:10.3f} {explicit / ranged:9.1%}" if ranged else ""
    print(f"{path.stem:26} {asked:6} {ranged / asked:7.1%} {shares}")


def read_moments(path: Path) -> list[datetime]:
    """Return the moment of each turn, in order."""
    chat = json.loads(path.read_text(encoding="utf-8"))
    sessions = sorted((int(key.split("_")[1]), turns) for key, turns in chat.items() if isinstance(turns, list))
    stamps = [turn["date_time"] for _, turns in sessions for turn in turns]
    return [datetime.strptime(stamp, "%I:%M:%S %p on %A %d %B, %Y").astimezone() for stamp in stamps]


def is_inside(moment: datetime, found: TimeRange) -> bool:
    """True if the moment lies in the range."""
    return (found.start is None or found.start <= moment) and (found.end is None or moment < found.end)


def measure_chat(folder: Path) -> None:
    """Print how long a chat line takes, and how many get a date."""
    lines = []
    for path in folder.glob("conversation*.json"):
        chat = json.loads(path.read_text(encoding="utf-8"))
        lines += [turn["text"] for turns in chat.values() if isinstance(turns, list) for turn in turns]
    now = datetime.now().astimezone()
    started = time.perf_counter()
    dated = sum(annotate(line, said_at=now) != line for line in lines)
    middle = time.perf_counter()
    for line in lines:
        question_range(line, now=now)
    ended = time.perf_counter()
    noted, asked = (middle - started) / len(lines) * 1e6, (ended - middle) / len(lines) * 1e6
    print(
        f"\n{len(lines)} chat lines: annotate {noted:.0f} us, question_range {asked:.0f} us a line; {dated} get a date"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), show=sys.argv[2] if len(sys.argv) > 2 else "")
