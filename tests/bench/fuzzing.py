"""Feeds every parser with damaged and hostile input, and tells how many cases it took and what it made of them.

    python tests/bench/fuzzing.py CORPORA [--cases 2000] [--only NAME] [--seed 1] [--keep FOLDER]

What is damaged are the sample files below CORPORA, each beside small ones of its kind made here: bytes are flipped,
pieces cut, doubled and swapped between files, and words put in that parsers have stumbled over elsewhere. Each parser
runs in a process of its own, with a limit on memory and on the seconds of a case. A finding is whatever is not said in
words: an exception that is not one of ours, a crash, a case that takes too long. The input of each is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz_parsers import Feed, parsers
from limits import TooLong, at_most

MEMORY = 3 << 30
SECONDS = 10.0
"""For one case."""
LARGEST = 200_000
"""Bytes of a case."""
TOKENS = [
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\x1b[31m", b"\r", b"\n", b"\n\n", b"\t", b" " * 500),
    *(b"9" * 5000, b"-1", b"1e999", b"NaN", b"Infinity", b"4294967295", b"18446744073709551616", b"0x", b"\\ud800"),
    *(
        b"0001-01-01T00:00:00+14:00",
        b"9999-12-31T23:59:59-12:00",
        b"00010101T000000Z",
        b"99991231T235959",
        b"2024-02-30",
    ),
    *(b"[" * 3000, b"{" * 3000, b"(" * 3000, b"]" * 100, b'{"a":' * 1000, b"<b>" * 1000, b"> " * 1000, b"- " * 1000),
    *(
        b"*" * 3000,
        b"_" * 3000,
        b"`" * 3000,
        b"#" * 100,
        b"!" * 100,
        b"![" * 1000,
        b"[[" * 1000,
        b"&#0;",
        b"&#x110000;",
    ),
    *(b"---\n", b"...\n", b"&a ", b"*a", b"<!--", b"-->", b"]]>", b"<![CDATA[", b"<!DOCTYPE x [<!ENTITY a 'b'>]>"),
    *(
        b"BEGIN:VEVENT\r\n",
        b"END:VEVENT\r\n",
        b"RRULE:FREQ=SECONDLY\r\n",
        b"TZID=../../etc/passwd",
        b"From \n",
        b"=?x?q?=00?=",
    ),
    *(
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Type: multipart/mixed; boundary=x\n",
        b"charset=idna",
        b"charset=\0",
    ),
    *(
        b"%s%n",
        b"../" * 50,
        b"C:\\",
        b"'; drop table notes; --",
        b'"',
        b"'",
        b"\\",
        b"$(id)",
        b"\xe2\x80\xae",
        b"\xf3\xa0\x80\x81",
    ),
    *(
        b"NEAR(",
        b"AND OR NOT",
        b"text:",
        b"^",
        b"a*",
        b"next ",
        b"last ",
        b"in 99999999 years",
        b"century",
        b"between ",
    ),
]


@dataclass
class Outcome:
    """What became of one parser."""

    cases: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    findings: Counter[str] = field(default_factory=Counter)
    examples: dict[str, bytes] = field(default_factory=dict)


def damaged(chance: random.Random, seeds: list[bytes]) -> bytes:
    """Return one of the seeds with some of its bytes, pieces or words changed."""
    data = bytearray(chance.choice(seeds))
    if len(data) > LARGEST // 4:
        start = chance.randrange(len(data))
        data = data[start : start + LARGEST // 4] if chance.random() < 0.5 else data[: LARGEST // 4]
    for _ in range(chance.choice((1, 1, 2, 3, 6, 20))):
        at = chance.randint(0, len(data))
        to = min(len(data), at + chance.choice((1, 2, 8, 40, 400)))
        match chance.randrange(8):
            case 0 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 1:
                del data[at:to]
            case 2:
                data[at:at] = data[at:to] * chance.choice((1, 2, 30))
            case 3:
                other = chance.choice(seeds)
                place = chance.randint(0, len(other))
                data[at:to] = other[place : place + chance.choice((4, 40, 1000))]
            case 4:
                data[at:to] = chance.randbytes(to - at)
            case 5:
                del data[at:]
            case _:
                data[at:at] = chance.choice(TOKENS)
    return bytes(data[:LARGEST])


def feed_all(name: str, feed: Feed, seeds: list[bytes], numbers: Iterable[int], state: Path) -> Outcome:
    """Feed one parser and note after each case how far it has come, so that a crash of the process is one case."""
    outcome = Outcome()
    for number in numbers:
        data = damaged(random.Random(f"{name} {number}"), seeds)
        state.with_suffix(".case").write_bytes(data)
        state.with_suffix(".number").write_text(str(number), encoding="utf-8")
        began, finding = time.monotonic(), ""
        try:
            with at_most(SECONDS):
                finding = feed(data) or ""
        except TooLong as error:
            finding = f"took too long: {place_of(error)}"
        except Exception as error:  # noqa: BLE001  each is a finding
            finding = f"{type(error).__name__}: {place_of(error)}"
        seconds = time.monotonic() - began
        outcome.cases += 1
        outcome.seconds += seconds
        outcome.longest = max(outcome.longest, seconds)
        if finding:
            outcome.findings[finding] += 1
            outcome.examples.setdefault(finding, data)
        if number % 50 == 0 or finding:
            state.write_bytes(pickle.dumps(outcome))
    state.write_bytes(pickle.dumps(outcome))
    return outcome


def place_of(error: BaseException) -> str:
    """Return the last places of our own code, and the very last one, in a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/secondme" in frame.filename and "site-packages" not in frame.filename]
    return " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in [frames[-1], *reversed(ours[-2:])])


def in_process(name: str, make: Callable[[Path], Feed], seeds: list[bytes], numbers: range) -> Outcome:
    """Feed one parser in processes of its own, another one after each crash."""
    whole = Outcome()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        state = Path(folder) / "state"
        left = list(numbers)
        while left:
            pid = os.fork()
            if not pid:
                os.chdir(folder)
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                (Path(folder) / "work").mkdir(exist_ok=True)
                feed_all(name, make(Path(folder) / "work"), seeds, left, state)
                os._exit(0)
            _, status = os.waitpid(pid, 0)
            found: Outcome = pickle.loads(state.read_bytes()) if state.exists() else Outcome()
            whole.cases += found.cases
            whole.seconds += found.seconds
            whole.longest = max(whole.longest, found.longest)
            whole.findings += found.findings
            whole.examples = {**found.examples, **whole.examples}
            if not status:
                break
            died = int(state.with_suffix(".number").read_text(encoding="utf-8"))
            finding = f"its process ended with {os.waitstatus_to_exitcode(status)}"
            whole.findings[finding] += 1
            whole.examples.setdefault(finding, state.with_suffix(".case").read_bytes())
            left = left[left.index(died) + 1 :]
            state.unlink(missing_ok=True)
    return whole


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("corpora", type=Path)
    arguments.add_argument("--cases", type=int, default=2000)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--keep", type=Path, help="a folder for the input of each finding")
    given = arguments.parse_args()
    for name, parser in parsers(given.corpora).items():
        if given.only and given.only != name:
            continue
        cases = given.cases * parser.times
        first = given.seed * 1_000_000
        outcome = in_process(name, parser.make, parser.seeds, range(first, first + cases))
        found = json.dumps(outcome.findings) if outcome.findings else "nothing"
        times = f"{outcome.cases:,} cases in {outcome.seconds:.0f} s, longest {outcome.longest:.2f} s"
        print(f"{name}: {times}, found {found}", flush=True)
        for number, data in enumerate(outcome.examples.values() if given.keep else ()):
            given.keep.mkdir(exist_ok=True)
            (given.keep / f"{name}-{number}").write_bytes(data)


if __name__ == "__main__":
    main()
