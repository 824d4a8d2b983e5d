"""Measure updates: `python tests/bench/updates.py [--rules] [--show]`.

`updates.toml` holds pairs of clauses, the second said two months after the first: an `update` makes the first outdated,
an `other` pair does not. Each pair is added to a memory of its own and slept over, with the configured model; with
`--rules` the clauses go to the rules of consolidation alone. Counted are, of the updates, those omitted (the first
clause was not superseded) and those outdated (it still holds and is in no open conflict), and of the others the wrongly
superseded, for each set of pairs that the file names. Of the held half only totals are meant to be looked at.
"""

from __future__ import annotations

import argparse
import tempfile
import tomllib
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from secondme import Assistant, Note
from secondme.config import Config, MeConfig, ModelsConfig, load_config
from secondme.hookspecs import hookimpl
from secondme.models.protocols import Embedder, LanguageModel
from secondme.paths import find_paths
from secondme.plugins import Plugins, load_plugins
from secondme.recall.when import annotate
from secondme.sleep.consolidate import Conflict, Known, Supersede, decide
from secondme.sleep.statements import parse_statement

ME = "Nora"
START = datetime(2024, 1, 10, 12, tzinfo=UTC)
LATER = START + timedelta(days=60)
BOTH_FACTS, ENDED, OPEN = "both became facts", "ended", "open"


def by_rules(earlier: str, later: str) -> set[str]:
    """Return what the rules alone make of a pair."""
    old, new = _known(earlier, START, 1), _known(later, LATER, 2)
    verdict = decide(new, [old])
    found = {BOTH_FACTS}
    if isinstance(verdict, Supersede) and 1 in verdict.olds:
        found.add(ENDED)
    if isinstance(verdict, Conflict):
        found.add(OPEN)
    return found


def _known(text: str, said_at: datetime, id: int) -> Known:
    dated = annotate(text, said_at=said_at)
    statement = parse_statement(dated, author=ME, me=ME, said_at=said_at)
    first, last = (statement.valid_from, statement.valid_to) if statement else (None, None)
    return Known(id, dated, statement, said_at, 3, first, last, last is None or last > said_at)


def by_night(earlier: str, later: str, me: Assistant) -> set[str]:
    """Return what a night makes of a pair in an empty memory."""
    me.add(Note(earlier, uri="1", happened_at=START))
    me.add(Note(later, uri="2", happened_at=LATER))
    me.sleep()
    facts = me.store.facts.all()
    old = [fact for fact in facts if fact.sources[0].uri == "1"]
    found = {BOTH_FACTS} if len({fact.sources[0].uri for fact in facts}) == 2 else set()
    if any(fact.superseded_by and fact.valid_to for fact in old):
        found.add(ENDED)
    if any(fact.conflicts for fact in old):
        found.add(OPEN)
    return found


class Loaded:
    """A plugin with the configured models, loaded once: for every pair anew would take longer than all else."""

    def __init__(self, config: Config, plugins: Plugins) -> None:
        self._model = plugins.language_model(config.models)
        self._embedder = plugins.embedder(config.models)

    @hookimpl
    def language_model(self, config: ModelsConfig) -> LanguageModel | None:
        """Return the language model."""
        return self._model

    @hookimpl
    def embedder(self, config: ModelsConfig) -> Embedder | None:
        """Return the embedder."""
        return self._embedder


def main() -> None:
    """Print the counts of each half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", action="store_true")
    parser.add_argument("--show", action="store_true", help="list the misses, but for the held half")
    arguments = parser.parse_args()
    pairs = tomllib.loads((Path(__file__).parent / "updates.toml").read_text(encoding="utf-8"))["pair"]
    settings = replace(load_config(find_paths().config), me=MeConfig(name=ME))
    counts: Counter[tuple[str, str]] = Counter()
    plugins = load_plugins()
    if not arguments.rules:
        plugins.register(Loaded(settings, load_plugins()), "loaded")
    for pair in pairs:
        half, is_update = pair["half"], pair["kind"] == "update"
        if arguments.rules:
            found = by_rules(pair["earlier"], pair["later"])
        else:
            with tempfile.TemporaryDirectory() as home, Assistant.open(home, config=settings, plugins=plugins) as me:
                found = by_night(pair["earlier"], pair["later"], me)
        is_ended = ENDED in found
        counts[half, "update" if is_update else "other"] += 1
        counts[half, BOTH_FACTS] += BOTH_FACTS in found
        counts[half, "omitted"] += is_update and not is_ended
        counts[half, "outdated"] += is_update and not is_ended and OPEN not in found
        counts[half, "wrong"] += not is_update and is_ended
        if arguments.show and half != "held" and is_update != is_ended:
            print(f"- {pair['earlier']} | {pair['later']}: {', '.join(sorted(found)) or 'not both became facts'}")
    for half in dict.fromkeys(pair["half"] for pair in pairs):
        names = ("update", "omitted", "outdated", "other", "wrong", BOTH_FACTS)
        print(half, {name: counts[half, name] for name in names})


if __name__ == "__main__":
    main()
