"""Measure how the rules of sleep treat updates: `python tests/bench/updates.py [--facts FILE] [--talk FILE] [--show]`.

`updates.toml` holds pairs of clauses; an `update` makes the earlier clause outdated, an `other` pair does not. Counted
are, of the updates, those omitted (no supersession) and those outdated (the earlier clause stays current and is not in
open conflict), and of the others the wrongly superseded. `--facts` takes numbered facts with
questions, where a later fact overrules an earlier one; `--talk` takes conversations as JSON and lists their verdicts.
"""

from __future__ import annotations

import argparse
import json
import re
import time
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from secondme.recall.when import annotate
from secondme.sleep.consolidate import Conflict, Known, Merge, Repeat, Supersede, Verdict, decide
from secondme.sleep.statements import Statement, parse_statement

START = datetime(2024, 1, 10, 12, tzinfo=UTC)
ME = "Nora"


@dataclass(frozen=True, slots=True)
class Line:
    """A clause with who said it when."""

    text: str
    author: str
    said_at: datetime


def main() -> None:
    """Print what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=Path)
    parser.add_argument("--talk", type=Path)
    parser.add_argument("--show", action="store_true", help="list the misses of the tuned half")
    arguments = parser.parse_args()
    if arguments.facts:
        measure_facts(arguments.facts)
    elif arguments.talk:
        list_supersessions(arguments.talk)
    else:
        measure_pairs(show=arguments.show)


def known_from(line: Line, id: int) -> Known:
    """Return a line as a fact."""
    statement = parse_statement(line.text, author=line.author, me=ME, said_at=line.said_at)
    first, last = (statement.valid_from, statement.valid_to) if statement else (None, None)
    is_current = last is None or last > line.said_at
    return Known(id, line.text, statement, line.said_at, 3 if line.author == ME else 2, first, last, is_current)


def measure_pairs(*, show: bool) -> None:
    """Print omitted, outdated and wrongly superseded pairs of each half."""
    pairs = tomllib.loads((Path(__file__).parent / "updates.toml").read_text(encoding="utf-8"))["pair"]
    print("half     updates omitted outdated others wrongly superseded clauses read of 80")
    for half in ("tuned", "held"):
        counts = dict.fromkeys(("update", "omitted", "outdated", "other", "wrong", "parsed"), 0)
        for pair in (p for p in pairs if p["half"] == half):
            old = known_from(Line(annotate(pair["earlier"], said_at=START), ME, START), 1)
            later = START + timedelta(days=60)
            new = known_from(Line(annotate(pair["later"], said_at=later), ME, later), 2)
            verdict = decide(new, [old])
            is_ended = isinstance(verdict, Supersede) and 1 in verdict.olds
            is_open = isinstance(verdict, Conflict)
            counts[pair["kind"]] += 1
            counts["parsed"] += (old.statement is not None) + (new.statement is not None)
            is_update = pair["kind"] == "update"
            counts["omitted"] += is_update and not is_ended
            counts["outdated"] += is_update and not is_ended and not is_open
            counts["wrong"] += not is_update and is_ended
            if show and half == "tuned" and is_update != is_ended:
                print(f"- {pair['earlier']} | {pair['later']}\n  {old.statement}\n  {new.statement}\n  {verdict}")
        print(
            f"{half:8} {counts['update']:7} {counts['omitted']:7} {counts['outdated']:8} {counts['other']:6}"
            f" {counts['wrong']:18} {counts['parsed']:18}"
        )


def consolidate(lines: Iterable[Line]) -> tuple[list[Known], list[tuple[Known, Verdict]]]:
    """Return what memory knows after these lines, and the verdicts."""
    memory: dict[int, Known] = {}
    by_subject: dict[str, list[int]] = {}
    verdicts = []
    for id, line in enumerate(lines):
        new = known_from(line, id)
        subject = new.statement.subject if new.statement else ""
        verdict = decide(new, [memory[k] for k in by_subject.get(subject, ())] if subject else [])
        verdicts.append((new, verdict))
        match verdict:
            case Repeat():
                continue
            case Merge(old=old):
                memory[old] = replace(memory[old], is_current=False)
            case Supersede(olds=olds, closes_at=closes_at):
                for old in olds:
                    memory[old] = replace(memory[old], is_current=False, valid_to=closes_at)
                new = replace(
                    new,
                    valid_from=verdict.valid_from,
                    valid_to=verdict.valid_to,
                    is_current=verdict.by is None and new.is_current,
                )
        memory[id] = new
        by_subject.setdefault(subject, []).append(id)
    return list(memory.values()), verdicts


def measure_facts(path: Path) -> None:
    """Print how many numbered facts are read, what supersedes, and whether the gold answers are the current values."""
    sample = next(s for s in json.loads(path.read_text(encoding="utf-8")) if "_sh_" in s["source"])
    texts = [m[1] for m in re.finditer(r"^\d+\. (.+)$", sample["context"], re.MULTILINE)]
    memory, verdicts = consolidate(Line(text, ME, START + timedelta(minutes=n)) for n, text in enumerate(texts))
    read = sum(k.statement is not None for k, _ in verdicts)
    single = sum(k.statement is not None and k.statement.is_single for k, _ in verdicts)
    superseding = sum(isinstance(v, Supersede) for _, v in verdicts)
    print(f"facts {len(texts)}, read {read}, single {single}, supersessions {superseding}")
    current = {k.statement.value.lower().strip(" .") for k in memory if k.statement and k.is_current}
    rivals = right = 0
    missed = []
    for question, answers in zip(sample["questions"], sample["answers"], strict=True):
        wanted = {a.lower().strip(" .") for a in answers}
        is_current = bool(wanted & current)
        left = [
            k.text
            for k in memory
            if k.is_current
            and k.statement
            and _asks_for(question, k.statement)
            and k.statement.value.lower().strip(" .") not in wanted
        ]
        right += is_current
        rivals += is_current and not left
        if not is_current or left:
            missed.append((question, sorted(wanted), left))
    print(f"questions {len(sample['questions'])}, gold answer is a current value: {right}")
    print(f"of these with no other current value in that frame: {rivals}")
    for miss in missed:
        print(" ", *miss)


def _asks_for(question: str, statement: Statement) -> bool:
    """True if the question names the subject and a word of the attribute."""
    asked = question.lower()
    words = [w for w in re.findall(r"\w+", statement.attribute) if len(w) > 3 and w not in {"with", "city", "name"}]
    return statement.subject in asked and any(w[:5] in asked for w in words)


def list_supersessions(path: Path) -> None:
    """Print each supersession, merge and conflict that a conversation gives, and the speed."""
    clauses = 0
    started = time.perf_counter()
    for sample in json.loads(path.read_text(encoding="utf-8")):
        lines = list(_lines(sample["conversation"]))
        clauses += len(lines)
        _, verdicts = consolidate(lines)
        texts = {k.id: k.text for k, _ in verdicts}
        for new, verdict in verdicts:
            if isinstance(verdict, Supersede | Conflict | Merge):
                others = (
                    verdict.olds
                    if isinstance(verdict, Supersede)
                    else verdict.others
                    if isinstance(verdict, Conflict)
                    else (verdict.old,)
                )
                print(f"{type(verdict).__name__}: {new.text}\n    {new.statement}")
                for other in others:
                    print(f"    < {texts[other]}")
        statements = [k.statement for k, _ in verdicts if k.statement]
        singles = sum(s.is_single for s in statements)
        print(f"{len(statements)} of {len(lines)} clauses read, {singles} single")
    print(f"{1e6 * (time.perf_counter() - started) / max(1, clauses):.0f} microseconds a clause, all told")


def _lines(talk: dict[str, object]) -> Iterable[Line]:
    for number in sorted(int(m[1]) for key in talk if (m := re.fullmatch(r"session_(\d+)", key))):
        at = datetime.strptime(str(talk[f"session_{number}_date_time"]).strip(), "%I:%M %p on %d %B, %Y").replace(
            tzinfo=UTC
        )
        turns = talk[f"session_{number}"]
        assert isinstance(turns, list)
        for position, turn in enumerate(turns):
            said_at = at + timedelta(seconds=20 * position)
            for sentence in re.split(r"(?<=[.!?])\s+", turn["text"]):
                yield Line(annotate(sentence, said_at=said_at), turn["speaker"], said_at)


if __name__ == "__main__":
    main()
