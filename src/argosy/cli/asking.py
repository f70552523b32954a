"""Finds out who asks for a run, before it starts: git's author where the command is typed, else the account of this machine."""

import getpass
import platform
import subprocess
from pathlib import Path

from argosy.domain.asker import LONGEST, Asker

PATIENCE_SECONDS = 30


def here(folder: Path) -> Asker:
    """Whoever asks for a run of what lies in *folder*: by git's ``user.name`` and ``user.email`` there, else by the account.

    It is their own word: whoever may type the command may set both.
    """
    name, email = (_git(folder, f"user.{each}") for each in ("name", "email"))
    machine = platform.node()[:LONGEST]
    if name or email:
        return Asker(
            name=" ".join(filter(None, (name, f"<{email}>" if email else "")))[:LONGEST], known="git", machine=machine
        )
    try:
        return Asker(name=getpass.getuser()[:LONGEST], known="system", machine=machine)
    except (KeyError, OSError):  # an account without a name, as containers have
        return Asker(machine=machine)


def _git(folder: Path, name: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "config", "--get", name],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return " ".join(done.stdout.split()) if done.returncode == 0 else ""
