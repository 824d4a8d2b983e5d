"""The command line: `main` is its one exit point. It alone prints."""

from __future__ import annotations

import io
import os
import sys
from typing import NoReturn

from secondme.errors import SecondmeError


def main() -> NoReturn:
    """Run `secondme` with the arguments of the process and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character is no reason to stop
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    try:
        # Imported here, so that an interruption while it loads is met as well.
        from secondme.cli.app import run

        code = run(arguments)
        sys.stdout.flush()
        return code
    except SecondmeError as error:
        _report(str(error), error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        _report("interrupted")
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough; the interpreter flushes once more at its end, into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _report(message: str, hint: str = "") -> None:
    from secondme.clean import clean

    sys.stdout.flush()
    print(clean(f"secondme: {message}"), file=sys.stderr)
    if hint:
        print(clean(f"hint: {hint}"), file=sys.stderr)
