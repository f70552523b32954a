"""Makes the keys and folders that the state folder lacks. Each is quick where it is, and safe to ask twice, also at once.

On a cluster keys come from Secrets, the environment repo and the registry are servers, and nothing here runs.
"""

from pathlib import Path

from argosy import wiring
from argosy.cli import state_format
from argosy.settings import Settings

SQLITE = "sqlite:///"


def ensure(settings: Settings) -> None:
    """Make all of it: keys, the environment repo, the registry's database."""
    ensure_keys(settings)
    ensure_environment_repo(settings)
    state_format.mark(settings.home)
    if settings.tracking_uri.startswith(SQLITE) and not Path(settings.tracking_uri.removeprefix(SQLITE)).exists():
        wiring.registry(settings).check()  # which makes the database, as any first use of it


def ensure_keys(settings: Settings) -> None:
    """Make the keys that are to lie in the state folder; one that lies elsewhere is somebody's to bring."""
    paths = (settings.signing_key, settings.verifying_key, settings.hash_key)
    own = {path for path in paths if path.is_relative_to(settings.home)}
    if all(path.exists() for path in own):
        return  # before cryptography is loaded, which takes its time
    keys = wiring.keys()
    if {settings.signing_key, settings.verifying_key} <= own:
        keys.ensure_signing_pair(settings.signing_key, settings.verifying_key)
    if settings.hash_key in own:
        keys.ensure_secret(settings.hash_key)


def ensure_environment_repo(settings: Settings) -> None:
    """Make the environment repo, or add to it models of ``gitops-env`` that it does not know. A step that only reads cannot."""
    if settings.forge_uri.startswith(wiring.LOCAL):
        wiring.forge(settings, make=True)


def has_ledgers(settings: Settings) -> bool:
    """Whether there can be ledgers of retrainings."""
    uri = settings.loop_storage_uri or ""
    return not uri.startswith(SQLITE) or Path(uri.removeprefix(SQLITE)).exists()


def ensure_places(settings: Settings) -> None:
    """Make the folders that steps write to: a step sees only what is there when it starts."""
    for places in settings.places().values():
        for path, written in places:
            if written and path.is_relative_to(settings.home) and not str(path).endswith(".git"):
                path.mkdir(parents=True, exist_ok=True)
    state_format.mark(settings.home)
