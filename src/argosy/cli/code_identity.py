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
    package = Path(argosy.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        relative = path.relative_to(package)
        if relative.parts[0] not in NOT_IN_STEPS and path.suffix != ".pyc" and path.is_file():
            digest.update(f"{relative.as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for installed in sorted(Path(sysconfig.get_path("purelib")).glob("*.dist-info")):
        digest.update(f"{installed.name}\n".encode())
    return f"sha256:{digest.hexdigest()}"
