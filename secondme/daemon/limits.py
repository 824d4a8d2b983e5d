"""What a process that runs a model may take of the machine, in case a model file or llama.cpp goes wrong."""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from secondme.config import load_config
from secondme.errors import ConfigError, NoModel
from secondme.models.files import find_model
from secondme.paths import Paths

ROOM = 8 << 30
"""Bytes of addresses beyond the model files, and of a file beyond the memory as it is."""
OPEN_FILES = 256


def limit_models(paths: Paths) -> None:
    """Bound the addresses, the open files, and the length of the files this process writes; forbid core files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    _lower(resource.RLIMIT_FSIZE, 2 * _size(paths.database) + ROOM)
    if sys.platform == "linux":  # elsewhere addresses are reserved by the terabyte
        _lower(resource.RLIMIT_AS, 2 * sum(map(_size, model_files(paths))) + ROOM)


def _lower(what: int, most: int) -> None:
    before = resource.getrlimit(what)[1]
    most = most if before == resource.RLIM_INFINITY else min(most, before)
    resource.setrlimit(what, (most, most))


def model_files(paths: Paths) -> Iterator[Path]:
    """Yield the files that may be loaded; one may come twice."""
    yield from paths.models.glob("*.gguf")
    try:
        models = load_config(paths.config).models
    except ConfigError:
        return  # no model is loaded then
    for name in filter(None, (models.language, models.embedder)):
        with contextlib.suppress(NoModel):  # a name that a plugin knows, or nothing that is loaded
            yield find_model(name, paths.models)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
