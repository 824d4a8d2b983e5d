"""The command line: `main` is its one exit point. It alone prints."""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from types import TracebackType
from typing import NoReturn

from secondme.errors import IntegrityError, SecondmeError, UsageError

_FULL = ("no space left on the device that is written to", "free some space")
_MANY = ("too many files are open", "close programs, or raise the limit: ulimit -n 1024")
_OF_THE_SYSTEM = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EMFILE: _MANY,
    errno.ENFILE: _MANY,
    errno.EROFS: ("the disk cannot be written", "check the disk"),
    errno.EIO: ("the disk has an error", "check the disk"),
}
"""What the system says that is no mistake of ours, whichever command meets it, and what to do."""


def main() -> NoReturn:
    """Run `secondme` with the arguments of the process and leave with its exit code."""
    _open_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character is no reason to stop
    sys.excepthook = _tell_mistake
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
        if error.errno == errno.ENOENT and not _is_somewhere():
            return _report(UsageError("the folder you are in is gone", hint="cd to one that exists"))
        if error.errno not in _OF_THE_SYSTEM:
            raise
        what, hint = _OF_THE_SYSTEM[error.errno]
        if (what, hint) == _FULL:
            _drop_output()
        return _report(IntegrityError(f"{error.filename}: {what}" if error.filename else what, hint=hint))
    except Exception:
        # A damaged file makes mistakes of any kind, anywhere: what is wrong with it is said, and any other goes on up.
        if damage := _find_damage():
            return _report(damage)
        raise


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


def _find_damage() -> SecondmeError | None:
    """Return what is wrong with the memory, where something is: then that is what a mistake comes from."""
    from secondme.paths import find_paths
    from secondme.store.damage import find_damage

    return find_damage(find_paths().database)


def _report(error: SecondmeError) -> int:
    from secondme.cli.output import say

    say(f"secondme: {error}")
    if error.hint:
        say(f"hint: {error.hint}")
    return error.exit_code


def _tell_mistake(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say where a mistake of ours was; what the error itself says may be words of the memory, and stays unsaid."""
    print(f"secondme failed: {kind.__name__}", file=sys.stderr)
    for place in traceback.extract_tb(trace):
        print(f"  {os.path.basename(place.filename)}:{place.lineno} in {place.name}", file=sys.stderr)
    print("what was said to be stored is stored", file=sys.stderr)


def _open_missing_streams() -> None:
    # Python has None for a stream that whoever started us has closed. A file opened later would get its number, and
    # what is printed: so each number is taken, in order.
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  open until the process ends


def _is_somewhere() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _drop_output() -> None:
    # The interpreter flushes once more at its end: into nothing.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
