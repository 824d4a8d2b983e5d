"""What the status asks of the memory, of the machine and of the daemon."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from secondme.chat.lines import counted
from secondme.clean import one_line
from secondme.errors import Locked, NoDaemon, NoModel
from secondme.store.statistics import Statistics, measure

if TYPE_CHECKING:
    from secondme.chat.talk import Talk
    from secondme.paths import Paths
    from secondme.store.journal import Run

Row = tuple[str, str]
"""A name, and what there is to say."""
PATIENCE = 10.0
"""Seconds a daemon has to begin or to end."""
LOOK = 0.1
"""Seconds between looks at whether it has."""
FEW = 5
"""How many of the last nights, errors and problems are shown."""
LONGEST = 300
"""Columns of one thing that is said."""
MONTHS = 24
NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Memory:
    """What is stored, in words and numbers."""

    version: tuple[int, int]
    """What changes when the memory does."""
    rows: Sequence[Row]
    months: Sequence[tuple[str, int]]
    """The last months with their notes, those without any as well."""
    nights: Sequence[Row]
    is_asleep: bool
    """True while a night is under way."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What runs on this machine."""

    models: Sequence[Row]
    used: int
    """Bytes this process has in memory."""
    daemon: Sequence[Row]
    """What the daemon says of itself; nothing where none runs."""


def memory(talk: Talk, before: Memory | None) -> Memory:
    """Return what is stored; nothing is counted again while the memory is as it was `before`."""
    store = talk.me.store
    version = store.version()
    # A night that is under way may end without a trace.
    if before and before.version == version and not before.is_asleep:
        return before
    found, waiting = measure(store), store.digestion.waiting()
    files = [store.path.with_name(store.path.name + end) for end in ("", "-wal")]
    sizes = [path.stat().st_size if path.exists() else 0 for path in files]
    runs = store.journal.runs()[:FEW]
    is_asleep = bool(runs) and runs[0].state == "running" and _is_asleep(talk.me.paths)
    nights = [(run.id, _night(run, is_asleep=is_asleep)) for run in runs]
    return Memory(version, _memory_rows(found, waiting, sizes), months_of(found.by_month), nights, is_asleep)


def _memory_rows(found: Statistics, waiting: int, sizes: Sequence[int]) -> list[Row]:
    without = found.passages - found.with_vectors
    origins = ", ".join(f"{name} {count:,}" for name, count in found.by_origin.items())
    span = [f"{moment.astimezone():%Y-%m-%d}" for moment in (found.oldest, found.newest) if moment]
    return [
        ("notes", f"{found.notes:,}, and {counted(found.earlier_versions, 'earlier version')}"),
        ("by origin", origins or "nothing is stored yet"),
        ("oldest, newest", ", ".join(span) or "nothing is stored yet"),
        ("passages", f"{found.passages:,}"),
        ("waiting", f"{without:,} for vectors, {waiting:,} for sleep"),
        ("facts", f"{found.facts:,}, and {found.retired_facts:,} retired"),
        ("on disk", f"{megabytes(sizes[0])}, and {megabytes(sizes[1])} of log"),
        ("a passage takes", f"{found.bytes_per_passage:,.0f} bytes"),
    ]


def months_of(by_month: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the last months up to the newest that has notes, those without any as well."""
    if not by_month:
        return []
    year, month = map(int, max(by_month).split("-"))
    oldest = min(by_month)
    found: list[tuple[str, int]] = []
    while len(found) < MONTHS and year > 0:
        name = f"{year:04}-{month:02}"
        if name < oldest:
            break
        found.append((name, by_month.get(name, 0)))
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return found[::-1]


def month_rows(months: Iterable[tuple[str, int]]) -> list[Row]:
    """Return the months with their notes in words, a row for each half of a year."""
    halves: dict[tuple[str, bool], list[tuple[str, int]]] = {}
    for name, count in months:
        year, month = name.split("-")
        halves.setdefault((year, month > "06"), []).append((NAMES[int(month) - 1], count))
    return [
        (f"{year} {'–'.join(dict.fromkeys((said[0][0], said[-1][0])))}", ", ".join(f"{count:,}" for _, count in said))
        for (year, _), said in halves.items()
    ]


def _night(run: Run, *, is_asleep: bool) -> str:
    report = run.report
    # By a crash, which the next night notes.
    state = "interrupted" if run.state == "running" and not is_asleep else run.state
    parts = [f"{run.started_at.astimezone():%Y-%m-%d %H:%M}", state]
    if "passages" in report:
        parts.append(f"{counted(report['passages'], 'passage')}, {counted(report.get('calls', 0), 'call')}")
        parts.append(duration(report.get("seconds", 0.0)))
    return " · ".join([*parts, *filter(None, [one_line(str(report.get("why", "")), LONGEST)])])


def _is_asleep(paths: Paths) -> bool:
    from secondme.locks import sleep_lock

    try:
        with sleep_lock(paths):
            return False
    except Locked:
        return True


def machine(talk: Talk) -> Machine:
    """Return which models there are, what this process takes, and what the daemon does."""
    import psutil

    return Machine(_models(talk), int(psutil.Process().memory_info().rss), daemon(talk))


def _models(talk: Talk) -> list[Row]:
    models = talk.me.config.models
    served = f"served by {models.endpoint}" if models.endpoint else _model(models.language, talk.me.paths)
    stored = talk.me.store.index.embedder
    return [
        ("language", served),
        ("context", f"{models.context:,} tokens"),
        ("embedder", _model(models.embedder, talk.me.paths)),
        ("vectors", f"of {stored}" if stored else "none are stored"),
    ]


def _model(name: str, paths: Paths) -> str:
    """Return whether a model is there, without loading it."""
    from secondme.models.catalog import find_entry
    from secondme.models.files import find_model

    if not name:
        return "none is configured"
    if not find_entry(name) and not name.endswith(".gguf"):
        return f"{name}, of a plugin"
    try:
        path = find_model(name, paths.models)
    except NoModel as error:
        return f"{name}, absent: {error}{f' ({error.hint})' if error.hint else ''}"
    return f"{name}, present, {megabytes(path.stat().st_size)}"


def daemon(talk: Talk) -> list[Row]:
    """Return what the daemon says of itself; nothing where none runs."""
    from secondme.daemon.client import call_any

    try:
        return daemon_rows(call_any(talk.me.paths, "status"))
    except NoDaemon:
        return []


def daemon_rows(found: Mapping[str, Any]) -> list[Row]:
    """Return the record of a daemon in words; one of another version may say less."""
    files, models, sleep = dict(found.get("files", {})), found.get("models", {}), found.get("sleep", {})
    unread, model = files.pop("waiting", 0), models.get("model")
    told = ", ".join(f"{count:,} {state}" for state, count in files.items() if count) or "no files"
    used = [f"{name} {megabytes(size)}" for name, size in found.get("memory", {}).items() if size]
    left = f"{duration(sleep.get('seconds_left', 0))} and {sleep.get('tokens_left', 0):,} tokens left until noon"
    problems = [f"{one['path']}: {one['state']}: {one['why']}" for one in found.get("problems", ())]
    polled = [f"{root}: {why}" for root, why in found.get("polled", {}).items()]
    rows = [
        ("daemon", f"process {found.get('pid', '?')}, since {_minute(str(found.get('since', '?')))}"),
        ("doing", "; ".join(found.get("doing", ()))),
        ("folders", f"{counted(found.get('folders', 0), 'folder')} watched: {told}"),
        ("queue", f"{counted(unread, 'file')} to read, {counted(sleep.get('waiting', 0), 'passage')} to sleep over"),
        ("models", f"{model} {'loaded' if models.get('loaded') else 'not loaded'}" if model else "none"),
        ("memory", ", ".join(used)),
        ("may sleep for", left),
        *(("does not sleep", why) for why in sleep.get("why_not", ())),
        *_some("polled", polled),
        *_some("problem", problems),
        *_some("error", found.get("errors", ())),
    ]
    return [(name, one_line(words, LONGEST)) for name, words in rows]


def _minute(text: str) -> str:
    """Return a moment as the clock on the wall says it; what is none is returned as it is."""
    try:
        return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return text


def _some(name: str, said: Sequence[str]) -> list[Row]:
    rows = [(name, words) for words in said[-FEW:]]
    return [*rows, (name, f"… {len(said) - FEW:,} more")] if len(said) > FEW else rows


def start(talk: Talk) -> str:
    """Start the daemon and wait until it answers; return what became of it. Raises NoDaemon."""
    from secondme.daemon.client import call_any, start_daemon

    start_daemon()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            return f"the daemon runs (process {call_any(talk.me.paths, 'hello')['pid']})"
        except NoDaemon:
            time.sleep(LOOK)
    raise NoDaemon("the daemon did not start", hint="secondme daemon logs; or see it: secondme daemon run")


def stop(talk: Talk) -> str:
    """End the daemon and wait until it has ended; return what became of it. Raises NoDaemon."""
    from secondme.daemon.client import call_any
    from secondme.locks import daemon_lock

    pid = call_any(talk.me.paths, "stop")["pid"]
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            with daemon_lock(talk.me.paths):
                return "the daemon has ended"
        except Locked:
            time.sleep(LOOK)
    raise NoDaemon(f"the daemon (process {pid}) does not end", hint=f"kill {pid}")


def speed_of(trace: Mapping[str, Any]) -> float | None:
    """Return the tokens a second of an answer once it had begun, None where no model wrote it."""
    written, seconds, first = (trace.get(name) for name in ("tokens_written", "seconds", "seconds_to_first_word"))
    if not written or seconds is None or first is None or seconds <= first:
        return None
    return float(written / (seconds - first))


def speed_rows(traces: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return how fast the last answers were written."""
    found = [(trace, speed) for trace in traces if (speed := speed_of(trace)) is not None]
    if not found:
        return [("answers", "no model has answered since this began")]
    trace, speed = found[-1]
    said = f"{trace['tokens_written']:,} tokens written in {trace['seconds']:.1f} s"
    first = f"the first word after {trace['seconds_to_first_word']:.1f} s"
    sent = f"{trace.get('tokens_evaluated', 0):,} of {trace.get('tokens_sent', 0):,} tokens read anew"
    if pages := trace.get("pages_loaded", 0) + trace.get("pages_made", 0):
        sent += f", {trace['pages_loaded']} of {pages} pages at hand"
    return [
        ("last answer", f"{speed:.1f} tokens a second: {said}, {first}, {sent}"),
        ("before it", ", ".join(f"{one:.1f}" for _, one in found[-11:-1]) or "none"),
    ]


def megabytes(size: float) -> str:
    """Return a number of bytes as a person reads it."""
    return f"{size / 1e6:,.1f} MB" if size < 1e8 else f"{size / 1e6:,.0f} MB"


def duration(seconds: float) -> str:
    """Return a time as a person reads it."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
