"""The fake models as an installed plugin: replies come from the JSON lines of the file that SECONDME_SCRIPT names."""

from __future__ import annotations

import json
import os
from pathlib import Path

from fakes import HashingEmbedder, PagingModel, ScriptedModel

from secondme.config import ModelsConfig
from secondme.hookspecs import hookimpl
from secondme.models.protocols import Embedder, LanguageModel


@hookimpl
def language_model(config: ModelsConfig) -> LanguageModel | None:
    """Return a model that follows the script, where the configuration asks for `scripted` or `paging`."""
    for model in (ScriptedModel, PagingModel):
        if config.language == model.name:
            lines = Path(os.environ["SECONDME_SCRIPT"]).read_text(encoding="utf-8").splitlines()
            return model(json.loads(line) for line in lines)
    return None


@hookimpl
def embedder(config: ModelsConfig) -> Embedder | None:
    """Return the hashing embedder, where the configuration asks for `hashing`."""
    return HashingEmbedder() if config.embedder == HashingEmbedder.name else None
