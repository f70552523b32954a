"""Looks at what a run's steps find round them on this machine, and keeps it in the run's folder."""

import os
import platform
import re
from pathlib import Path

from argosy import errors
from argosy.cli import code_identity
from argosy.domain.surroundings import FILE, Surroundings
from argosy.files import processors

INSTALLED = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)\.dist-info")


def here() -> Surroundings:
    """Those of this process, which are those of the steps that it starts."""
    system = os.uname()
    found = (INSTALLED.fullmatch(name) for name in code_identity.installed())
    return Surroundings(
        python=platform.python_version(),
        system=f"{system.sysname} {system.release} {system.machine}",
        processor=processors.model_name() or system.machine,
        cores=os.cpu_count() or 1,
        own_code=code_identity.own(),
        packages={each["name"].replace("_", "-").lower(): each["version"] for each in found if each},
    )


def keep(folder: Path) -> None:
    """Write them to a run's *folder*, once: a run that is resumed began with what it began with."""
    if not (folder / FILE).exists():
        here().write(folder / FILE)


def kept(folder: Path) -> Surroundings | None:
    """Those of the run in *folder*; None where it was run by an Argosy that kept none, or on a cluster."""
    try:
        return Surroundings.read(folder / FILE) if (folder / FILE).exists() else None
    except errors.Misconfigured:
        return None
