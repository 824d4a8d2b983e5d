"""Where things live. Paths are computed here and created by whoever writes to them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True, slots=True)
class Paths:
    """The places of one memory."""

    data: Path
    """The folder with the database."""
    config: Path
    """The configuration file, which need not exist."""
    state: Path
    """Logs and what may be lost."""
    models: Path
    """Model files, shared by all memories of this user."""

    @property
    def database(self) -> Path:
        """The one file that holds the memory."""
        return self.data / "memory.db"

    @property
    def logs(self) -> Path:
        """The log of the background process; older parts lie beside it."""
        return self.state / "daemon.log"


def find_paths(home: str | os.PathLike[str] | None = None) -> Paths:
    """Return the places under `home`, else under SECONDME_HOME, else where the platform keeps such things."""
    models = Path(os.environ.get("SECONDME_MODELS") or platformdirs.user_cache_path("secondme") / "models").expanduser()
    chosen = home or os.environ.get("SECONDME_HOME")
    if chosen:
        root = Path(chosen).expanduser().absolute()
        return Paths(data=root, config=root / "config.toml", state=root / "state", models=models)
    return Paths(
        data=platformdirs.user_data_path("secondme"),
        config=platformdirs.user_config_path("secondme") / "config.toml",
        state=platformdirs.user_state_path("secondme"),
        models=models,
    )
