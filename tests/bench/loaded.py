"""Models that are loaded once and given to every memory that a bench opens."""

from __future__ import annotations

from secondme.config import ModelsConfig
from secondme.hookspecs import hookimpl
from secondme.models.protocols import Embedder, LanguageModel
from secondme.plugins import Plugins


class Loaded:
    """A plugin that gives every memory the same models."""

    def __init__(self, plugins: Plugins, config: ModelsConfig) -> None:
        self.model, self.vectors = plugins.language_model(config), plugins.embedder(config)

    @hookimpl
    def language_model(self, config: ModelsConfig) -> LanguageModel | None:
        """Return the model."""
        return self.model

    @hookimpl
    def embedder(self, config: ModelsConfig) -> Embedder | None:
        """Return the embedder."""
        return self.vectors
