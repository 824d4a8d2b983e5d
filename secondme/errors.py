"""What can go wrong, one class per case, each with the exit code the command line returns for it.

SecondmeError
├── UsageError       2   wrong arguments
│   └── ConfigError  2   wrong configuration
├── NotFound         1   no such note, passage or model
├── NewerDatabase    2   the file was written by a newer secondme
├── NoDatabase      10   nothing is stored yet
├── Locked          11   another process holds the database
├── WrongKey        12   the file is encrypted or not a database
├── NoModel         13   a model is missing or cannot be loaded
├── NoDaemon        14   the background process does not answer
└── IntegrityError  20   the stored data, the disk or a model file is damaged
    └── Damaged     20   the database is
"""

from __future__ import annotations

from typing import ClassVar


class SecondmeError(Exception):
    """An error the user can do something about; `hint` says what."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(SecondmeError):
    """Wrong arguments."""


class ConfigError(UsageError):
    """The configuration file or an environment variable holds something unusable."""


class NotFound(SecondmeError):
    """Nothing is stored under that id or name."""

    exit_code = 1


class NewerDatabase(SecondmeError):
    """The database was written by a newer secondme than this one."""


class NoDatabase(SecondmeError):
    """Nothing is stored yet."""

    exit_code = 10


class Locked(SecondmeError):
    """Another process held the database for longer than we wait."""

    exit_code = 11


class WrongKey(SecondmeError):
    """The file is encrypted with another key, or is not a database."""

    exit_code = 12
    needs_key = False
    """True where no key was given and one may help."""


class NoModel(SecondmeError):
    """A model is missing, cannot be loaded, or its engine is not installed."""

    exit_code = 13


class NoDaemon(SecondmeError):
    """The background process does not run, or does not answer."""

    exit_code = 14


class IntegrityError(SecondmeError):
    """Stored data, the disk below it or a model file is damaged or full."""

    exit_code = 20


class Damaged(IntegrityError):
    """The database file is not as it was written; nothing of ours writes to it any more."""
