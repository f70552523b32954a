"""In whose name somebody at the keyboard acts."""

import argparse
import getpass
import subprocess

from argosy import errors


def named(arguments: argparse.Namespace) -> str:
    """The name given with ``--as``, else the one that git or the machine has."""
    if arguments.name is None:
        return _me()
    if not arguments.name.strip():
        raise errors.UsageError("--as names nobody; say in whose name")
    name: str = arguments.name
    return name


def _me() -> str:
    """Who is at the keyboard, as git has it, else as the machine has it."""
    try:
        done = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=False)
        return done.stdout.strip() or getpass.getuser()
    except (OSError, KeyError) as error:
        raise errors.UsageError("say in whose name: --as NAME") from error
