"""Measures the background process on real folders, a real model and real kills.

    python tests/bench/background.py folders CORPUS...   # time until searchable, memory, idle processor, a save
    python tests/bench/background.py tree                # 10,000 files: looking through them again at the start
    python tests/bench/background.py kills [COUNT]       # kill -9 of the daemon and of the process with the models
    python tests/bench/background.py asking              # first word warm and cold; speed while a night is under way

Each works in a folder of its own below the one for temporary files. `asking` needs the configured models.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

SAVES = 40
FILES = 10_000
QUIET_SECONDS = 60.0


class Bench:
    """A memory and a folder of its own, and the daemon over both."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.vault = folder / "vault"
        self.vault.mkdir()
        self.env = {**os.environ, "SECONDME_HOME": str(folder / "home"), **settings}
        self.run("watch", "add", self.vault)

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "secondme", *map(str, arguments)]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)

    def status(self) -> dict[str, Any]:
        done = self.run("daemon", "status", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def start(self) -> int:
        done = self.run("daemon", "start")
        assert done.returncode == 0, done.stderr
        return int(self.status()["pid"])

    def stop(self) -> None:
        self.run("daemon", "stop")

    def finds(self, word: str) -> bool:
        return self.run("search", word).returncode == 0

    def texts(self) -> list[str]:
        lines = self.run("export", "-").stdout.splitlines()
        return [json.loads(line)["text"] for line in lines]


@contextmanager
def bench(**settings: str) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        found = Bench(Path(folder), **settings)
        try:
            yield found
        finally:
            found.stop()


def until(condition: Callable[[], Any], *, step: float = 0.02, seconds: float = 600.0) -> float:
    """Return the seconds until `condition` holds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it never happened"
        time.sleep(step)
    return time.monotonic() - began


def shares(values: Sequence[float]) -> str:
    ordered = sorted(values)
    return f"p50 {statistics.median(ordered):.2f} s, p95 {ordered[int(0.95 * (len(ordered) - 1))]:.2f} s"


def family_memory(pid: int) -> float:
    """Return the megabytes a daemon and its children have for themselves."""
    total = 0
    for one in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        try:
            total += one.memory_full_info().uss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


def told(it: Bench) -> str:
    """Return the memory of each process as the daemon tells it."""
    return ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in it.status()["memory"].items() if size)


def processor_time(pid: int) -> float:
    return sum(psutil.Process(pid).cpu_times()[:4])


def folders(corpora: list[str]) -> None:
    with bench(SECONDME_MODELS_EMBEDDER="") as it:
        pid = it.start()
        for corpus in corpora:
            shutil.copytree(corpus, it.vault / Path(corpus).name, copy_function=shutil.copyfile)
        (it.vault / "last.md").write_text("zzlastword\n", encoding="utf-8")
        began, peak = time.monotonic(), 0.0
        while not is_read(it):
            peak = max(peak, family_memory(pid))
            time.sleep(0.5)  # asking takes processors from what is measured
        seconds = time.monotonic() - began
        files = it.status()["files"]
        print(
            f"{files['present']:,} files searchable {seconds:.1f} s after the last was copied, settling included: "
            f"{files['present'] / seconds:,.0f} files/s; peak memory {peak:.0f} MB; {files}"
        )
        time.sleep(5)
        before = processor_time(pid)
        time.sleep(QUIET_SECONDS)
        used = (processor_time(pid) - before) / QUIET_SECONDS
        print(f"idle: {100 * used:.3f} % of a processor over {QUIET_SECONDS:.0f} s; memory {told(it)}")
        delays = [save(it, number) for number in range(SAVES)]
        print(f"saved to searchable, {SAVES} times: {shares(delays)}, most {max(delays):.2f} s")
        it.stop()
        began = time.monotonic()
        it.start()
        print(f"stopped and started: answers after {time.monotonic() - began:.2f} s")
        it.run("search", "words")
        times = [timed(lambda: it.run("search", "the garden in spring")) for _ in range(20)]
        print(f"search through the socket as a whole process, 20 times: {shares(times)}")


def is_read(it: Bench) -> bool:
    found = it.status()
    return bool(found["files"].get("waiting") == 0 and found["doing"] == ["waiting"] and it.finds("zzlastword"))


def save(it: Bench, number: int) -> float:
    (it.vault / "edited.md").write_text(f"A line about zzword{number}\n", encoding="utf-8")
    return until(lambda: it.finds(f"zzword{number}"))


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def tree() -> None:
    with bench(SECONDME_MODELS_EMBEDDER="") as it:
        for number in range(FILES):
            folder = it.vault / str(number % 100)
            folder.mkdir(exist_ok=True)
            (folder / f"{number}.md").write_text(f"# Note {number}\n\nSome words of note {number}.\n", encoding="utf-8")
        first = timed(lambda: it.run("watch", "scan"))
        again = [timed(lambda: it.run("watch", "scan")) for _ in range(5)]
        print(f"{FILES:,} files read in {first:.1f} s; looked through again, as a whole process: {shares(again)}")
        empty = [timed(lambda: it.run("watch", "list")) for _ in range(5)]
        print(f"a process that only lists the folders: {shares(empty)}")
        it.start()
        seconds = until(lambda: it.status()["doing"] == ["waiting"])
        print(f"the daemon has looked through them {seconds:.2f} s after it answered; memory {told(it)}")


def kills(count: int) -> None:
    kill_daemons(count)
    kill_models(count)


def kill_daemons(count: int) -> None:
    chance = random.Random(1)
    with bench(SECONDME_MODELS_EMBEDDER="") as it:
        written, recovered = [], []
        for round_ in range(count):
            pid = it.start()
            for number in range(30):
                text = f"Round {round_} line {number}\n"
                (it.vault / f"{round_}-{number}.md").write_text(text, encoding="utf-8")
                written.append(text)
            # From before the files have settled until after the last is read.
            time.sleep(chance.uniform(1.9, 2.4))
            os.kill(pid, signal.SIGKILL)
            recovered.append(timed(it.start))
            os.kill(it.status()["pid"], signal.SIGKILL)
        it.start()
        until(lambda: it.status()["files"].get("present") == len(written))
        stored = it.texts()
        lost, twice = set(written) - set(stored), len(stored) - len(set(stored))
        print(
            f"daemon killed {2 * count} times: {len(lost)} of {len(written):,} items lost, {twice} stored twice; "
            f"up again: {shares(recovered)}; doctor: {it.run('doctor').returncode}"
        )


def kill_models(count: int) -> None:
    chance = random.Random(2)
    with bench() as it:
        it.run("add", "The spare key lies under the blue flower pot.")
        daemon = it.start()
        failed, recovered = 0, []
        for _ in range(count):
            asking = subprocess.Popen(
                [sys.executable, "-m", "secondme", "search", "spare key"],
                env=it.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            time.sleep(chance.uniform(0.1, 0.8))
            if models := it.status()["models"]["pid"]:
                os.kill(models, signal.SIGKILL)
            failed += asking.wait() != 0
            recovered.append(timed(lambda: it.finds("spare key")))
        alive = it.status()["pid"] == daemon
        print(
            f"process with the models killed {count} times: {failed} searches failed, the daemon lived: {alive}, "
            f"{len(it.texts())} of 1 notes there; the next search: {shares(recovered)}"
        )


def asking() -> None:
    question = "Where is the spare key?"
    never, settings = "SECONDME_DAEMON_SLEEP_SECONDS", {"IDLE_MINUTES": "0", "MAX_LOAD": "100", "SLEEP_SECONDS": "0"}
    with bench(**{f"SECONDME_DAEMON_{name}": value for name, value in settings.items()}) as it:
        it.run("add", "The spare key lies under the blue flower pot.")
        cold = [first_word(it, question) for _ in range(3)]
        it.start()
        loading = first_word(it, question)
        warm = [first_word(it, question) for _ in range(5)]
        print(
            f"first word: without a daemon {shares(cold)}; first through it {loading:.2f} s; then {shares(warm)}; "
            f"warm against cold {statistics.median(warm) / statistics.median(cold):.2f}"
        )
        for number in range(400):
            text = f"# Day {number}\n\nI met Ann at the harbour on day {number} and we spoke of boats and of bread.\n"
            (it.vault / f"{number}.md").write_text(text, encoding="utf-8")
        until(lambda: it.status()["sleep"]["waiting"] > 390)
        # Vectors are computed whenever nobody asks; what is measured begins when they are all there.
        until(lambda: has_all_vectors(it), step=1)
        # Each question finds other evidence, so that none is answered from what was read before.
        whole(it, "What did we speak of on day 399?")
        alone = [whole(it, f"What did we speak of on day {day}?") for day in range(10, 60, 10)]
        it.stop()
        it.env[never] = "3600"
        it.start()
        whole(it, "What did we speak of on day 399?")
        during, nights = [], 0
        for day in range(15, 65, 10):
            until(lambda: it.status()["doing"][0].startswith("sleeping"), seconds=120)
            nights += 1
            time.sleep(2)
            during.append(whole(it, f"What did we speak of on day {day}?"))
        ratio = statistics.median(alone) / statistics.median(during)
        print(
            f"whole answers: alone {shares(alone)}; asked in the middle of {nights} nights {shares(during)}; "
            f"speed against alone {ratio:.2f}"
        )


def has_all_vectors(it: Bench) -> bool:
    counts = json.loads(it.run("stats", "--json").stdout)
    return bool(counts["with_vectors"] == counts["passages"])


def first_word(it: Bench, question: str) -> float:
    began = time.monotonic()
    command = [sys.executable, "-m", "secondme", "ask", question]
    with subprocess.Popen(command, env=it.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        seconds = time.monotonic() - began
        process.stdout.read()
    return seconds


def whole(it: Bench, question: str) -> float:
    return timed(lambda: it.run("ask", question))


def main() -> None:
    match sys.argv[1:]:
        case ["folders", *corpora] if corpora:
            folders(corpora)
        case ["tree"]:
            tree()
        case ["kills", *count]:
            kills(int(count[0]) if count else 50)
        case ["asking"]:
            asking()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
