"""The application as a whole: what a mistake of ours leaves on the terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

BROKEN = """
from secondme_tui.app import SecondmeApp
from textual.events import Mount

class Broken(SecondmeApp):
    CSS_PATH = "STYLES"

    def on_mount(self) -> None:
        canary = "zzcanary words of the memory"
        raise RuntimeError(f"about {canary}")

Broken().run()
"""


def test_a_mistake_of_ours_shows_where_it_was_and_no_word_of_the_memory(tmp_path: Path) -> None:
    """Textual shows the values of all variables, which are what people keep here."""
    program = tmp_path / "broken.py"
    program.write_text(BROKEN.replace("STYLES", str(ROOT / "tui" / "secondme_tui" / "secondme.tcss")), encoding="utf-8")
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tui", ROOT / "plugins")))
    controller, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, program],
            stdin=terminal,
            stdout=terminal,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, "TERM": "xterm"},
            check=False,
            timeout=60,
        )
    finally:
        os.close(controller)
        os.close(terminal)
    assert "secondme failed: RuntimeError" in done.stderr
    assert "in on_mount" in done.stderr
    assert "zzcanary" not in done.stderr
