"""Commands that install Argosy by its bare name, which brings whatever was registered under that name on the index that is asked.

A name is nobody's until somebody registers it, and a version behind it changes nothing about whose it is. A wheel by its address, a folder
and a line with the hash of the file are what they say.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import PurePosixPath
from typing import Any

OURS, PROJECT = "argosy", "pyproject.toml"
_GAP = r"[^\n;&|`]*?"
_INSTALLER = (
    rf"(?:\bpip[\d.]*\b{_GAP}\s(?:install|download|wheel)|\bpipx\b{_GAP}\s(?:install|inject|run)|\buvx"
    rf"|\buv\b{_GAP}\s(?:add|install|run\s{_GAP}--with|tool\s+run)|\b(?:conda|mamba)\b{_GAP}\sinstall|\b(?:poetry|pdm)\s+add|\beasy_install)\b"
)
_NAME = r"argosy(?![\w./-])(?:\s*\[[^\]\n]*\])?"
_COMMAND = re.compile(rf"{_INSTALLER}{_GAP}(?:(?<=[\s'\"=]){_NAME}(?P<rest>[^\n]*))", re.IGNORECASE)
_REQUIREMENT = re.compile(rf"^\s*(?:-\s+)?['\"]?{_NAME}\s*(?P<rest>(?:[=<>~!;,@].*)?)['\"]?\s*$", re.IGNORECASE)
_REQUIREMENTS = re.compile(
    r"(.*/)?[^/]*(requirements|constraints)[^/]*\.(txt|in)|(.*/)?requirements/[^/]+", re.IGNORECASE
)


def commands(text: str) -> list[str]:
    """The commands in *text*, a script, a workflow or a page, that install it so."""
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [line.strip() for line in lines for found in _COMMAND.finditer(line) if not _is_addressed(found["rest"])]


def requirements(path: str, text: str) -> Iterator[str]:
    """The lines of *text*, if *path* is that of a list of requirements or of a project, that do."""
    if PurePosixPath(path).name == PROJECT:
        yield from filter(_is_bare, _of_project(text))
        return
    if not _REQUIREMENTS.fullmatch(path):
        return
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if _is_bare(line.partition(" #")[0]):
            yield line.strip()


def _of_project(text: str) -> Iterator[str]:
    """What a ``pyproject.toml`` asks for, its build too. Our own asks for parts of itself, and no index is asked then."""
    try:
        found = tomllib.loads(text)
        project, build = found.get("project", {}), found.get("build-system", {})
        if project.get("name") == OURS:
            return
        groups: Mapping[str, Any] = {**project.get("optional-dependencies", {}), **found.get("dependency-groups", {})}
        asked = chain(project.get("dependencies", ()), build.get("requires", ()), *groups.values())
        yield from (line for line in asked if isinstance(line, str))
    except (tomllib.TOMLDecodeError, AttributeError, TypeError):
        return  # no installer reads it either


def _is_bare(line: str) -> bool:
    found = _REQUIREMENT.fullmatch(line)
    return found is not None and not _is_addressed(found["rest"]) and "--hash=sha256:" not in found["rest"]


def _is_addressed(rest: str) -> bool:
    return re.match(r"\s*@\s*\S", rest) is not None
