"""What is chosen by what was measured, and what `secondme tune` says where there is nothing to measure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st

from secondme.config import ModelsConfig
from secondme.errors import ConfigError
from secondme.laying import fresh_count
from secondme.models import catalog
from secondme.tuning import (
    FirstWord,
    OfKind,
    OfThreads,
    Speed,
    changes,
    choose_fresh,
    choose_kind,
    choose_threads,
    fewest_fresh,
    thread_counts,
    with_fresh,
)

MODEL = "smollm2-135m"
WORDS = [FirstWord(None, 8.0, 640), *(FirstWord(fresh, 0.4 + 0.6 * fresh, 60 * fresh) for fresh in (4, 3, 2, 1, 0))]
"""With 0 to 4 read anew an answer begins after 0.4, 1.0, 1.6, 2.2 and 2.8 seconds."""


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> ModelsConfig:
    """Settings with a model of which the catalog knows that two passages have to be read anew."""
    known = tuple(replace(one, fresh=2) if one.alias == MODEL else one for one in catalog.load_catalog())
    monkeypatch.setattr(catalog, "load_catalog", lambda: known)
    return ModelsConfig(MODEL)


def of_threads(**seconds: float) -> list[OfThreads]:
    """Rows such as one=4.0 for threads on which an answer takes so long."""
    numbers = {"one": 1, "two": 2, "three": 3, "four": 4}
    return [OfThreads(numbers[name], speed_of(took)) for name, took in seconds.items()]


def speed_of(seconds: float) -> Speed:
    speed = Speed(reading=500 / seconds, writing=60 / seconds)
    assert speed.seconds == pytest.approx(seconds)
    return speed


def test_up_to_eight_cores_each_number_of_threads_is_tried_and_a_few_of_more() -> None:
    assert thread_counts(2, 2, 2) == [1, 2]
    assert thread_counts(4, 8, 4) == [1, 2, 3, 4, 8]
    assert thread_counts(20, 40, 20) == [1, 2, 4, 6, 8, 12, 16, 20, 40]
    assert thread_counts(20, 20, 5) == [1, 2, 4, 5, 6, 8, 12, 16, 20]


def test_threads_change_only_for_what_is_notably_faster() -> None:
    assert choose_threads(of_threads(one=9.0, two=5.0, four=4.9), 2) == 2
    assert choose_threads(of_threads(one=9.0, two=5.0, four=4.0), 2) == 4
    assert choose_threads(of_threads(one=4.0, two=8.0), 2) == 1


def test_of_threads_as_fast_as_the_best_the_fewest_are_taken() -> None:
    assert choose_threads(of_threads(one=9.0, two=4.1, three=4.05, four=4.0), 1) == 2


def test_what_was_read_is_kept_as_it_is_unless_another_way_is_faster_and_as_exact() -> None:
    kinds = {kv: OfKind(kv, speed_of(seconds)) for kv, seconds in (("f16", 4.0), ("q8_0", 3.9), ("q4_0", 1.0))}
    assert choose_kind(list(kinds.values()), "f16") == "f16"
    assert choose_kind(list(kinds.values()), "q4_0") == "q4_0"
    kinds["q8_0"] = OfKind("q8_0", speed_of(3.0))
    assert choose_kind(list(kinds.values()), "f16") == "q8_0"


@pytest.mark.parametrize(
    ("fewest", "target", "chosen"),
    [(0, 1.0, 1), (0, 0.1, 0), (0, 2.3, 3), (0, 9.0, None), (2, 1.0, 2), (2, 2.3, 3), (None, 1.0, None)],
)
def test_as_much_is_read_anew_as_the_target_allows_and_never_too_little(
    fewest: int | None, target: float, chosen: int | None
) -> None:
    assert choose_fresh(WORDS, fewest, target) == chosen


@given(
    st.dictionaries(st.integers(0, 6), st.floats(0, 20), max_size=6),
    st.floats(0, 20),
    st.none() | st.integers(0, 8),
    st.floats(0, 20),
)
def test_whatever_was_measured_quality_goes_before_speed(
    seconds: dict[int, float], all_read: float, fewest: int | None, target: float
) -> None:
    rows = [FirstWord(None, all_read, 0), *(FirstWord(fresh, took, 0) for fresh, took in seconds.items())]
    chosen = choose_fresh(rows, fewest, target)
    assert chosen is None or (fewest is not None and chosen >= fewest)
    in_time = [row for row in rows if row.seconds <= target]
    if chosen is None and fewest is not None and all_read > target:
        assert not [row for row in in_time if row.fresh is not None and row.fresh >= fewest]


def test_the_fewest_are_what_was_measured_for_the_model_or_more_where_the_user_wants_more(
    measured: ModelsConfig,
) -> None:
    assert fewest_fresh(measured, None) == 2
    assert fewest_fresh(measured, 1) == 2
    assert fewest_fresh(measured, 3) == 3
    assert fewest_fresh(replace(measured, fresh="0"), None) == 2


def test_for_a_model_that_was_not_measured_only_the_user_can_allow_pages() -> None:
    unknown = ModelsConfig("/models/any.gguf")
    assert fewest_fresh(unknown, None) is None
    assert fewest_fresh(unknown, 2) == 2
    assert fewest_fresh(replace(unknown, fresh="3"), None) == 3
    assert fewest_fresh(replace(unknown, fresh="3"), 1) == 1
    assert fewest_fresh(replace(unknown, fresh="all"), None) is None


def test_a_setting_that_means_the_same_is_left_as_it_is(measured: ModelsConfig) -> None:
    assert with_fresh(measured, 2) == measured
    assert with_fresh(replace(measured, fresh="2"), 2).fresh == "2"
    assert with_fresh(replace(measured, fresh="4"), 2).fresh == "auto"
    assert with_fresh(measured, 3).fresh == "3"
    assert with_fresh(measured, None).fresh == "all"
    assert with_fresh(ModelsConfig("/models/any.gguf"), None).fresh == "auto"


@pytest.mark.parametrize("fresh", [None, 0, 1, 2, 5])
@pytest.mark.parametrize("before", ["auto", "all", "0", "2"])
def test_what_is_written_means_what_was_chosen(measured: ModelsConfig, before: str, fresh: int | None) -> None:
    assert fresh_count(with_fresh(replace(measured, fresh=before), fresh)) == fresh


def test_only_what_differs_is_written() -> None:
    models = ModelsConfig()
    assert changes(models, models) == {}
    assert changes(models, replace(models, threads=2, kv="q8_0")) == {"models.threads": "2", "models.kv": "q8_0"}


def test_a_model_that_runs_elsewhere_has_nothing_to_tune(call: Run) -> None:
    call("add", "I live in Rome.", replies=[])
    done = call("tune", replies=[])
    assert (done.code, done.stdout) == (2, "")
    assert "scripted is not run by llama.cpp in secondme" in done.stderr


def test_without_a_memory_or_with_an_empty_one_there_is_nothing_to_measure_with(call: Run) -> None:
    assert call("tune", replies=[]).code == 10
    call("add", "I live in Rome.", replies=[])
    call("forget", "n1", "--yes", replies=[])
    done = call("tune", replies=[])
    assert done.code == 10
    assert "nothing is stored yet" in done.stderr


def test_without_a_model_the_way_to_one_is_said(call: Run, own_home: Path) -> None:
    call("add", "I live in Rome.")
    done = call("tune")
    assert (done.code, done.stdout) == (13, "")
    assert "hint: secondme model list" in done.stderr
    assert [path.name for path in own_home.glob(".secondme-tune-*")] == []


def test_a_number_that_is_none_is_refused_before_anything_is_measured(call: Run) -> None:
    call("add", "I live in Rome.", replies=[])
    assert call("tune", "--fresh", "-1", replies=[]).code == 2
    with pytest.raises(ConfigError, match="fresh"):
        fresh_count(ModelsConfig(fresh="few"))
