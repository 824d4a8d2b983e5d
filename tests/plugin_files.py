"""Writes plugins that secondme finds as if they were installed."""

from __future__ import annotations

from pathlib import Path


def write_plugin(folder: Path, name: str, code: str) -> Path:
    """Write the plugin `name` into `folder`, which has to be on the path of the interpreter, and return the folder."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[secondme]\n{name} = {name}\n", encoding="utf-8")
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    return folder
