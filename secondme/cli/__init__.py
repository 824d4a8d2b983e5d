"""The command line: `main` is its one exit point. It alone prints."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import NoReturn

from secondme.errors import IntegrityError, SecondmeError


def main() -> NoReturn:
    """Run `secondme` with the arguments of the process and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character is no reason to stop
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    try:
        code = _run_command(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _drop_output()  # whoever read the output has seen enough
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _drop_output()
        return _report(IntegrityError("no space left on the device that is written to", hint="free some space"))


def _run_command(arguments: list[str]) -> int:
    try:
        # Imported here, so that an interruption while it loads is met as well.
        from secondme.cli.app import run

        return run(arguments)
    except SecondmeError as error:
        return _report(error)
    except KeyboardInterrupt:
        from secondme.cli.output import say

        say("secondme: interrupted")
        return 130


def _report(error: SecondmeError) -> int:
    from secondme.cli.output import say

    say(f"secondme: {error}")
    if error.hint:
        say(f"hint: {error.hint}")
    return error.exit_code


def _drop_output() -> None:
    # The interpreter flushes once more at its end: into nothing.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
