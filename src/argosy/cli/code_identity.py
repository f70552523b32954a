"""The identity of the code on this machine, in place of a cluster's images: which of them are this environment, and what code is in it.

On a cluster an image's digest says which code ran. Here a digest of what is installed does.
"""

import functools
import hashlib
import sysconfig
from pathlib import Path

import argosy

OWN_IMAGES = ("argosy/*", "*/argosy/*", "argosy-*", "*/argosy-*")
"""Images whose steps are this package: they run as processes of this environment."""

# What no step imports; a change there leaves every cached answer as good as it was.
NOT_IN_STEPS = {"cli", "engine", "exporter", "templates", "testing"}


@functools.cache
def digest() -> str:
    """A digest of the code that steps run: our own modules that a step can import, and the name and version of every package installed."""
    digest = hashlib.sha256()
    digest.update(_own_lines())
    for name in installed():
        digest.update(f"{name}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def own() -> str:
    """A digest of our own modules that a step can import."""
    return f"sha256:{hashlib.sha256(_own_lines()).hexdigest()}"


def installed() -> list[str]:
    """The name and version of every package installed, as its folder is called."""
    return sorted(found.name for found in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))


@functools.cache
def _own_lines() -> bytes:
    """A line a module: its path and its digest."""
    package = Path(argosy.__file__).parent
    lines = []
    for path in sorted(package.rglob("*")):
        relative = path.relative_to(package)
        if relative.parts[0] not in NOT_IN_STEPS and path.suffix != ".pyc" and path.is_file():
            lines.append(f"{relative.as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    return "".join(lines).encode()
