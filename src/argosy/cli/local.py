"""What a run on this machine has in place of a cluster: endpoints and secrets by name, and the identity of the code that runs.

On a cluster a ConfigMap and Secrets say where things are, and an image digest says which code ran. Here the settings and a digest of the
installed packages do.
"""

import hashlib
import subprocess
import sysconfig
from pathlib import Path

import argosy
from argosy.settings import Settings

PROCESS_IMAGES = ("argosy/*",)
"""Images whose steps run as processes of this environment: Argosy's own."""

# What no step imports; a change there leaves every cached answer as good as it was.
NOT_IN_STEPS = {"cli", "engine", "report", "templates", "testing"}


def config_maps(settings: Settings) -> dict[str, dict[str, str]]:
    """The ConfigMaps that the manifests name."""
    return {"argosy-endpoints": {**settings.endpoints(), "ARGOSY_CODE_VERSION": code_version()}}


def secrets(settings: Settings) -> dict[str, dict[str, str]]:
    """The Secrets that the manifests name."""
    return settings.secrets()


def code_identity() -> str:
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


def code_version() -> str:
    """The commit of the project at hand, marked where files differ from it; ``unknown`` outside a repository."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return "unknown"
    return f"{commit}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else commit


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
