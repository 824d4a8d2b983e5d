"""Where a text stands: the file and line that its uri names, if it names one."""

from __future__ import annotations

import os
import re
from pathlib import Path


def place(uri: str, line: int) -> str:
    """Return where a text stands, in the form that editors and terminals open."""
    return f"{uri}:{line}" if uri.startswith("/") and "#L" not in uri else uri


def file_of(uri: str) -> tuple[Path | None, int]:
    """Return the file a uri names, None where it names none, and the line it names, 0 where it names none."""
    name, row = uri, 0
    line = re.search(r"#L(\d+)$", uri)
    if line and not os.path.exists(uri):
        name, row = uri[: line.start()], int(line[1])
    return (Path(name), row) if os.path.isabs(name) and os.path.isfile(name) else (None, 0)
