"""The images that run as processes of this environment, and the command line that each kind of step starts with."""

import fnmatch
import sys
from collections.abc import Mapping
from pathlib import Path

from argosy.engine.attempts.environment import expand
from argosy.engine.manifest.pod_model import Container

PYTHON = ("python", "python3")


def is_process(image: str, patterns: tuple[str, ...]) -> bool:
    """True where steps of *image* run as processes of this environment. A pattern is matched against the whole reference."""
    return any(fnmatch.fnmatchcase(image, pattern) for pattern in patterns)


def command_of(container: Container, variables: Mapping[str, str], script: Path | str | None) -> tuple[str, ...]:
    """The argument list of *container*. *script*: the file that a script template's source is in, as the process sees it."""
    expanded = [expand(word, variables) for word in (*container.command, *container.args)]
    return (*expanded, str(script)) if script else tuple(expanded)


def with_this_python(argv: tuple[str, ...]) -> tuple[str, ...]:
    """*argv* with ``python`` as the Python that runs the engine."""
    return (sys.executable, *argv[1:]) if argv and argv[0] in PYTHON else argv
