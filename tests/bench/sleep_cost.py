"""Measure what a night costs and makes: calls, tokens, seconds, facts, and a sample of them to check by hand.

usage: python tests/bench/sleep_cost.py --loader LOCOMO.PY DATA.json [--extractor write] [--sample FILE]
Every conversation gets a memory of its own. "tokens of conversation" are counted by the language model.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from secondme import Assistant
from secondme.config import SleepConfig, load_config
from secondme.paths import find_paths
from secondme.records import Fact


def load_module(path: str) -> ModuleType:
    """Import the file that reads the conversations."""
    spec = importlib.util.spec_from_file_location("conversations", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look themselves up by the name of their module.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def sample_line(fact: Fact) -> str:
    """Return a fact with the line it rests on, for a person to judge."""
    source = fact.sources[0]
    return f"{fact.kind[:4]} | {fact.text} | {source.author} {source.happened_at:%Y-%m-%d}: {source.quote}"


def main() -> None:
    """Sleep over each conversation and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--loader", required=True)
    parser.add_argument("--extractor", default="select")
    parser.add_argument("--sample", help="where 100 random facts go")
    args = parser.parse_args()
    reader = load_module(args.loader)
    totals: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    facts: list[Fact] = []
    settings = replace(load_config(find_paths().config), sleep=SleepConfig(extractor=args.extractor))
    for conversation in reader.load(args.data):
        with tempfile.TemporaryDirectory() as home, Assistant.open(home, config=settings) as me:
            notes = reader.notes_of(conversation)
            me.add_many(notes)
            model = me.model()
            totals["turns"] += len(notes)
            totals["tokens of conversation"] += sum(model.count(f"{note.author}: {note.text}") for note in notes)
            started = time.monotonic()
            report = me.sleep()
            totals["milliseconds"] += round(1000 * (time.monotonic() - started))
            for name in ("calls", "tokens_sent", "tokens_evaluated", "tokens_written"):
                totals[name] += getattr(report, name)
            totals.update({f"verb {verb}": count for verb, count in report.changes.items()})
            rejected.update(report.rejected)
            facts += me.current_facts()
    turns = totals["turns"]
    figures = {
        **totals,
        "facts": len(facts),
        "facts per 100 turns": round(100 * len(facts) / turns, 1),
        "evaluated per token of conversation": round(totals["tokens_evaluated"] / totals["tokens of conversation"], 2),
        "seconds per turn": round(totals["milliseconds"] / 1000 / turns, 3),
        "kinds": Counter(fact.kind for fact in facts),
        "rejected": dict(rejected.most_common()),
    }
    print(json.dumps(figures, indent=2))
    if args.sample:
        chosen = random.Random(1).sample(facts, min(100, len(facts)))
        Path(args.sample).write_text("\n".join(map(sample_line, chosen)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
