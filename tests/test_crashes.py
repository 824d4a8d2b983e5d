"""Whatever is killed in the middle of its work, nothing acknowledged is lost and nothing is left half done."""

from __future__ import annotations

from pathlib import Path

from kills import KINDS, run_kills

KILLS = 40


def test_nothing_acknowledged_is_lost_and_nothing_left_half_done_by_kills(tmp_path: Path) -> None:
    tally = run_kills(tmp_path, KILLS, seed=6)
    assert tally.problems == []
    assert not tally.lost, tally
    assert tally.kills.total() == KILLS
    assert set(tally.kills) | set(tally.acknowledged) >= {kind.__name__ for kind in KINDS}
