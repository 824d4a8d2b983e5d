"""Lets the disk and the clock go wrong, by a library between a process and the system."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("faults.c")


def build_shim(folder: Path) -> Path:
    """Return the library, built in a folder; the test is skipped where that cannot be done."""
    compiler = shutil.which("cc")
    if not compiler or sys.platform != "linux":
        pytest.skip("a C compiler and a system that loads libraries before others are needed")
    library = folder / "faults.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-Wall", "-Werror", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return library


class WrongClock:
    """The clock of processes that have the environment of this one: it can be set at any time."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.wrong_by(0)
        self.env = {"LD_PRELOAD": str(build_shim(folder)), "FAULT_CLOCK": str(self._file)}

    def wrong_by(self, seconds: int) -> None:
        """Put the clock forward."""
        file = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(file, struct.pack("l", seconds), 0)
        os.close(file)
