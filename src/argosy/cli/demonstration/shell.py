"""Runs the verbs as a user would: as commands, shown before they run. What is shown is therefore what works."""

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.cli.demonstration.stages import faint, say

KINDS = {
    kind.exit_code: kind
    for kind in (errors.UsageError, errors.Rejected, errors.LocalDisk, errors.TryAgain, errors.Misconfigured)
}


def command(*words: str) -> list[str]:
    """The command line of *words*, by the interpreter that runs this."""
    return [str(Path(sys.executable).with_name("argosy")), *words]


def program() -> str:
    """What a user types for ``argosy``: that word, where it is this installation's; otherwise its path."""
    own = Path(command()[0])
    if shutil.which("argosy") == str(own):
        return "argosy"
    here = Path.cwd()
    return shlex.quote(str(own.relative_to(here) if own.is_relative_to(here) else own))


def show(*words: str) -> None:
    """Print the command as a user would type it."""
    say(faint(f"   $ argosy {shlex.join(words)}"))


def run(*words: str, expected: Collection[int] = (errors.DONE,)) -> int:
    """Run the command; what it prints is seen. Raises what its exit code stands for where that is not *expected*."""
    show(*words)
    code = subprocess.run(command(*words), check=False).returncode
    _check(words, code, expected)
    return code


def glance(*words: str, lines: int) -> None:
    """Run the command and print the first *lines* of what it says."""
    show(*words)
    done = subprocess.run(command(*words), check=False, stdout=subprocess.PIPE, text=True)
    _check(words, done.returncode, {errors.DONE})
    printed = done.stdout.rstrip().splitlines()
    say("\n".join(printed[:lines]))
    if len(printed) > lines:
        say(faint(f"   … {len(printed) - lines} lines more: argosy {shlex.join(words)}"))


def ask(*words: str, expected: Collection[int] = (errors.DONE,)) -> Any:
    """Run the command with ``--json`` and return what it answers; progress and errors, on standard error, are seen."""
    show(*words, "--json")
    done = subprocess.run(command(*words, "--json"), check=False, stdout=subprocess.PIPE, text=True)
    _check(words, done.returncode, expected)
    return json.loads(done.stdout)


def _check(words: tuple[str, ...], code: int, expected: Collection[int]) -> None:
    if code in expected:
        return
    if code in {errors.INTERRUPTED, -2}:
        raise KeyboardInterrupt
    kind = KINDS.get(code, errors.ArgosyError)
    raise kind(f"the demo stopped: `argosy {shlex.join(words)}` ended with {code}; what it said is above")
