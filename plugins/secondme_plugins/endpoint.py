"""Language models behind an OpenAI-compatible server on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secondme.hookspecs import hookimpl

if TYPE_CHECKING:
    from secondme.config import ModelsConfig
    from secondme.models.protocols import LanguageModel


@hookimpl
def language_model(config: ModelsConfig) -> LanguageModel | None:
    """Return the model behind the endpoint of the configuration. Raises ConfigError unless it is on this machine."""
    if not config.endpoint:
        return None
    from secondme_plugins.endpoint_client import EndpointModel

    return EndpointModel(config)
