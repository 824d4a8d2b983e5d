"""Fit the weights of sleep, and compare what tells one thing from another.

usage: python tests/bench/fit_sleep.py worth LABELLED.jsonl [--no-model]
       python tests/bench/fit_sleep.py outdating

`worth` fits secondme/sleep/worth.py. A line of the file: {"set": "chat", "author": "Ana", "text": "Ana: I moved to
Porto.", "worth": 1, "held": false}. `outdating` fits secondme/sleep/outdating.py to the pairs of `updates.toml`, all
but those of "blind held". Printed are areas under the ROC curve for what was fitted to and what was held out, and
the weights; for pairs also how many of each set would be taken for updates at several bars.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondme.config import load_config
from secondme.models.prompts import OUTDATED, outdated_prompt
from secondme.models.protocols import LanguageModel, Usage
from secondme.paths import find_paths
from secondme.plugins import load_plugins
from secondme.sleep import outdating, worth
from secondme.sleep.extract import Selector
from secondme.sleep.verdicts import Known

Floats = NDArray[np.float64]
RIDGE = 1.0
BATCH = 8
HELD = "blind held"
START = datetime(2024, 1, 10, 12, tzinfo=UTC)


def area(scores: Floats, worth: Floats) -> float:
    """Return how often a line worth keeping scores above one that is not."""
    good, bad = scores[worth == 1][:, None], scores[worth == 0]
    return round(float((good > bad).mean() + 0.5 * (good == bad).mean()), 3)


def fit(table: Floats, worth: Floats) -> Floats:
    """Return the weights of a logistic regression with a ridge, the first column being the intercept."""
    mean, spread = table.mean(0), table.std(0) + 1e-9
    mean[0], spread[0] = 0.0, 1.0
    scaled, weights = (table - mean) / spread, np.zeros(table.shape[1])
    ridge = RIDGE * np.eye(len(weights))
    ridge[0, 0] = 0.0
    for _ in range(60):
        chance = 1 / (1 + np.exp(-scaled @ weights))
        slope = scaled.T @ (scaled * (chance * (1 - chance))[:, None]) + ridge
        weights -= np.linalg.solve(slope, scaled.T @ (chance - worth) + ridge @ weights)
    found: Floats = weights / spread
    found[0] -= (weights[1:] * mean[1:] / spread[1:]).sum()
    return found


def open_model() -> LanguageModel:
    """Return the configured language model."""
    model = load_plugins().language_model(load_config(find_paths().config).models)
    assert model is not None
    return model


def fit_worth(path: Path, *, with_model: bool) -> None:
    """Print what tells facts from talk, and the weights."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    odds = [0.0] * len(lines)
    if with_model:
        selector, texts = Selector(open_model(), me="me"), [line["text"] for line in lines]
        odds = [one for at in range(0, len(texts), BATCH) for one in selector.odds(texts[at : at + BATCH], Usage())]
    table = np.array(
        [worth.features(line["text"], author=line["author"], model=one) for line, one in zip(lines, odds, strict=True)]
    )
    is_worth = np.array([float(line["worth"]) for line in lines])
    held = np.array([bool(line["held"]) for line in lines])
    lengths = np.array([float(len(line["text"])) for line in lines])
    wording = table[:, :-1] @ fit(table[~held][:, :-1], is_worth[~held])
    weights = fit(table[~held], is_worth[~held])
    for name, scores in (("length", lengths), ("wording", wording), ("model", table[:, -1]), ("all", table @ weights)):
        print(f"{name:8} fitted {area(scores[~held], is_worth[~held])} held out {area(scores[held], is_worth[held])}")
    print({name: round(float(weight), 2) for name, weight in zip(worth.FEATURES, weights, strict=True)})


def fit_outdating() -> None:
    """Print what tells updates from look-alikes, the weights, and what would be taken for an update."""
    pairs = tomllib.loads((Path(__file__).parent / "updates.toml").read_text(encoding="utf-8"))["pair"]
    prompts = [outdated_prompt(pair["earlier"], pair["later"]) for pair in pairs]
    model = open_model()
    weighed = [row for at in range(0, len(prompts), BATCH) for row in model.weigh(prompts[at : at + BATCH], OUTDATED)]
    table = np.array(
        [
            outdating.features(pair["later"], pair["earlier"], model=yes - no)
            for pair, (yes, no) in zip(pairs, weighed, strict=True)
        ]
    )
    truth = np.array([float(pair["kind"] == "update") for pair in pairs])
    halves = np.array([pair["half"] for pair in pairs])
    held = halves == HELD
    weights = fit(table[~held], truth[~held])
    scores = table @ weights
    for name, values in (("model", table[:, -1]), ("all", scores)):
        print(f"{name:8} fitted {area(values[~held], truth[~held])} held out {area(values[held], truth[held])}")
    print({name: round(float(weight), 2) for name, weight in zip(outdating.FEATURES, weights, strict=True)})
    asked = np.array([outdating.may_outdate(_known(pair["later"], 60), _known(pair["earlier"], 0)) for pair in pairs])
    for half in dict.fromkeys(halves.tolist()):
        for kind in (1.0, 0.0):
            mask = (halves == half) & (truth == kind)
            at = {bar: int((asked & mask & (scores >= bar)).sum()) for bar in (1.0, 1.5, 1.75, 2.0, 2.5)}
            print(f"{half:13} {'updates' if kind else 'look-alikes':12} {int(mask.sum()):3} taken at {at}")


def _known(text: str, days: int) -> Known:
    """Return a clause as a current fact said so many days after the first."""
    return Known(days, text, None, START + timedelta(days=days), 3, None, None, True)


def main() -> None:
    """Do what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    labelled = what.add_parser("worth")
    labelled.add_argument("labelled", type=Path)
    labelled.add_argument("--no-model", action="store_true")
    what.add_parser("outdating")
    args = parser.parse_args()
    if args.what == "worth":
        fit_worth(args.labelled, with_model=not args.no_model)
    else:
        fit_outdating()


if __name__ == "__main__":
    main()
