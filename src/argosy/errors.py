"""The failures Argosy reports on purpose, each with the exit code that tells a retry strategy what to do.

Anything else that escapes is a bug (exit code 1) and shows its traceback. The codes are part of the interface: the compiled
manifests retry on 75 and never on the others, so a new failure takes one of these classes rather than a code of its own.
"""

import errno
from collections.abc import Iterable
from typing import ClassVar

DONE = 0
BUG = 1
INTERRUPTED = 130

BETWEEN = "\n       "
"""The separator between the problems of one message: each has a line, set in as far as the first after ``error:``."""


class ArgosyError(Exception):
    """A failure whose message says what is wrong, where, and what to do next."""

    exit_code: ClassVar[int] = BUG


class UsageError(ArgosyError):
    """The command line cannot be understood."""

    exit_code = 2


class Rejected(ArgosyError):
    """The step ran as it should; the answer is no. Doing it again gives the same answer."""

    exit_code = 10


class LocalDisk(ArgosyError):
    """This machine's disk is full or refuses writes. Not retried: the next attempt meets the same disk."""

    exit_code = 74


class TryAgain(ArgosyError):
    """The outside world failed. The same call may succeed later."""

    exit_code = 75


class Misconfigured(ArgosyError):
    """A setting, a file or a manifest is wrong. Somebody has to change it first."""

    exit_code = 78


class NotAllowed(Misconfigured):
    """Whoever asks may not see or do it; somebody else may."""


_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
_DISK_FULL_WORDS = (
    *(
        "No space left",
        "Disk quota",
        "File too large",
        "Read-only file system",
    ),  # the system's, passed on by git or DuckDB
    *("disk is full", "disk I/O error", "readonly database"),  # SQLite's
)


def is_disk_full(error: OSError) -> bool:
    """True where *error* says that a disk takes no more: full, over a quota or its largest file, read-only. See LocalDisk."""
    return error.errno in _DISK_FULL


def says_disk_full(text: str) -> bool:
    """True where a program says by *text* what :func:`is_disk_full` says of an error."""
    return any(words in text for words in _DISK_FULL_WORDS)


_DATABASE_REFUSALS = (
    *(
        "authentication failed",
        "does not exist",
        "pg_hba.conf",
        "no password supplied",
        "permission denied",
    ),  # PostgreSQL's
    *("Access denied", "Unknown database"),  # MySQL's
    "unable to open database file",  # SQLite's: no such folder, or no right to it
)


def of_database(subject: str, cause: str, *, forgets: str, setting: str) -> ArgosyError:
    """The failure that a database means which says *cause* of *subject*, a noun in the singular with its address.

    Of a connection that was refused there is only the text. *forgets*: what is lost with a file that is moved away. *setting*: the
    variable that names the database.
    """
    if says_disk_full(cause):
        return LocalDisk(f"{subject} cannot be written: {cause}. Free space there, then run again")
    if "not a database" in cause or "malformed" in cause:
        return Misconfigured(f"{subject}: {cause}. Move the file away; a new one is made, and only {forgets} is lost")
    if any(words in cause for words in _DATABASE_REFUSALS):
        return Misconfigured(f"{subject} refuses: {cause}; mend {setting}")
    return TryAgain(f"{subject} failed: {cause}")


def first_line(error: BaseException) -> str:
    """The first line of what *error* says; its kind where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def listed(problems: Iterable[str]) -> str:
    """*problems* as one message."""
    return BETWEEN.join(problems)
