"""The fakes keep the promises of the protocols they stand in for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fakes import FakePlugin, HashingEmbedder, ScriptedModel

from secondme.config import ModelsConfig
from secondme.models.protocols import Embedder, LanguageModel, Prompt, Usage
from secondme.plugins import load_plugins

if TYPE_CHECKING:
    from conftest import Run

PROMPT = Prompt(prefix="Answer.", pages=("one page",), tail="Where do I live?", lead="In")


def test_the_fakes_are_what_the_protocols_ask_for() -> None:
    assert isinstance(ScriptedModel(), LanguageModel)
    assert isinstance(HashingEmbedder(), Embedder)


def test_a_reply_comes_word_by_word_and_is_counted() -> None:
    model, usage = ScriptedModel(["In Porto [1].\nSince May.", "second"]), Usage()
    pieces = list(model.reply(PROMPT, max_tokens=10, usage=usage))
    assert pieces == ["In", " Porto", " [1].", "\nSince", " May."]
    assert usage == Usage(tokens_sent=8, tokens_evaluated=8, tokens_written=5, truncated=False)
    assert "".join(model.reply(PROMPT, max_tokens=10)) == "second"
    assert (model.calls, model.tokens_sent, model.tokens_written, model.prompts) == (2, 16, 6, [PROMPT, PROMPT])


def test_a_reply_ends_at_its_cap_and_at_a_stop_word() -> None:
    model, usage = ScriptedModel(["one two three", "one\n\ntwo"]), Usage()
    assert "".join(model.reply(PROMPT, max_tokens=2, usage=usage)) == "one two"
    assert usage.truncated
    assert "".join(model.reply(PROMPT, max_tokens=9, stop=["\n\n"], usage=usage)) == "one"


def test_closing_a_reply_stops_it() -> None:
    model = ScriptedModel(["one two three"])
    pieces = model.reply(PROMPT, max_tokens=9)
    next(pieces)
    pieces.close()
    assert (model.tokens_written, model.closed_early) == (1, 1)


def test_an_exhausted_script_is_an_error() -> None:
    with pytest.raises(AssertionError, match="no reply left"):
        next(ScriptedModel().reply(PROMPT, max_tokens=9))


def test_options_are_weighed_by_content_without_a_script() -> None:
    model, usage = ScriptedModel(), Usage()
    prompts = [PROMPT, Prompt(PROMPT.prefix, tail="some chatter")]
    (yes, no), (chatter_yes, chatter_no) = model.weigh(prompts, ["yes", "no"], usage=usage)
    assert (yes, chatter_no) == (0.0, 0.0)
    assert no == chatter_yes < -20
    assert (model.calls, model.prompts, model.tokens_sent, usage.tokens_sent) == (2, prompts, 11, 11)
    model.judge = lambda prompt: 0.25
    assert np.exp(model.weigh([PROMPT], ["yes", "no"])) == pytest.approx(np.array([[0.25, 0.75]]))


def test_equal_words_have_equal_unit_vectors_and_others_do_not() -> None:
    vectors = HashingEmbedder().tokens("Porto is porto")
    assert vectors.shape == (3, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.array_equal(vectors[0], vectors[2])
    assert abs(float(vectors[0] @ vectors[1])) < 0.3
    assert HashingEmbedder().tokens(" ").shape == (0, 384)
    assert np.array_equal(HashingEmbedder().tokens("porto")[0], vectors[0])
    assert HashingEmbedder().pieces("Porto is porto") == ["porto", "is", "porto"]


def test_the_plugin_answers_for_any_model_but_none() -> None:
    plugin = FakePlugin(["hello"])
    assert plugin.language_model(ModelsConfig()) is plugin.model
    assert plugin.embedder(ModelsConfig()) is plugin.hashing
    assert plugin.language_model(ModelsConfig(language="")) is None
    assert plugin.embedder(ModelsConfig(embedder="")) is None


def test_the_plugin_goes_before_the_built_in_ones(scripted: FakePlugin) -> None:
    plugins = load_plugins(installed=False)
    plugins.register(scripted, "scripted")
    assert plugins.language_model(ModelsConfig()) is scripted.model
    assert plugins.embedder(ModelsConfig()) is scripted.hashing


def test_the_installed_plugin_follows_the_script_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "script").write_text("".join(json.dumps(reply) + "\n" for reply in ["two\nlines", "é"]))
    monkeypatch.setenv("SECONDME_SCRIPT", str(tmp_path / "script"))
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "fake-plugin"))
    plugins = load_plugins()
    model = plugins.language_model(ModelsConfig(language="scripted"))
    assert model is not None
    assert ["".join(model.reply(PROMPT, max_tokens=9)) for _ in range(2)] == ["two\nlines", "é"]
    assert isinstance(plugins.embedder(ModelsConfig(embedder="hashing")), Embedder)


def test_a_process_of_its_own_has_the_fakes_and_no_other_model(run: Run) -> None:
    listed = run("plugins")
    assert listed.code == 0
    assert "fake" in listed.stdout
    added = run("add", "--json", "The spare key lies under the blue flower pot.", replies=[])
    assert (added.code, added.json["added"]) == (0, 1)
    found = run("search", "--json", "Where is the spare key?", replies=[])
    assert "blue flower pot" in found.json["matches"][0]["text"]
