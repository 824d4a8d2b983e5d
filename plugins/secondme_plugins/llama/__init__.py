"""Language models and embedders in GGUF files, run by llama.cpp in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secondme.hookspecs import hookimpl

if TYPE_CHECKING:
    from secondme.config import ModelsConfig
    from secondme.models.protocols import Embedder, LanguageModel


@hookimpl
def language_model(config: ModelsConfig) -> LanguageModel | None:
    """Return the language model of the configuration. Raises NoModel and ConfigError."""
    if config.endpoint or not config.language:
        return None
    from secondme.models.checks import checked_digest, usable_model
    from secondme.paths import find_paths
    from secondme_plugins.llama.language import LlamaModel

    folder = find_paths().models
    path = usable_model(config.language, folder, trusted=config.trusted)
    return LlamaModel(path, config, digest=checked_digest(path, folder))


@hookimpl
def embedder(config: ModelsConfig) -> Embedder | None:
    """Return the embedder of the configuration. Raises NoModel."""
    if not config.embedder:
        return None
    from secondme.models.checks import usable_model
    from secondme.paths import find_paths
    from secondme_plugins.llama.embedding import LlamaEmbedder

    path = usable_model(config.embedder, find_paths().models, trusted=config.trusted)
    return LlamaEmbedder(config.embedder, path)
