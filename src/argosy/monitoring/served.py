"""Finds what there is to watch: the version that an environment serves, and everything its windows are held against."""

from pathlib import Path

from argosy import scratch
from argosy.domain import bundle, task_words
from argosy.domain.monitor_settings import Monitor
from argosy.domain.release import Version
from argosy.monitoring import watching
from argosy.monitoring.watching import Watched
from argosy.ports.artifacts import Artifacts
from argosy.ports.forge import Forge
from argosy.ports.objects import Objects
from argosy.promotion import approval


def find(
    model: str, environment: str, monitor: Monitor, *, forge: Forge, artifacts: Artifacts, objects: Objects
) -> Watched:
    """The approved version of *model* in *environment*, to be watched as *monitor* says.

    Raises UsageError for a model or an environment that does not exist, Rejected where nothing is approved or other files are stored,
    Misconfigured where the bundle is of an earlier kind, TryAgain when a store fails.
    """
    version = approval.find(forge, model, environment).version
    return of_version(version, environment, monitor, artifacts=artifacts, objects=objects)


def of_version(
    version: Version, environment: str, monitor: Monitor, *, artifacts: Artifacts, objects: Objects
) -> Watched:
    """*version* as it answers in *environment*, to be watched as *monitor* says. Raises as :func:`find` does."""
    with scratch.folder("drift") as place:
        folder: Path = approval.fetch_proven_bundle(artifacts, version, place / "bundle")
        signature, bins = bundle.Signature.read(folder / bundle.SIGNATURE), bundle.read_bins(folder / bundle.BINS)
    return Watched(
        version=version,
        environment=environment,
        signature=signature,
        bins=bins,
        monitor=monitor,
        score=task_words.score(signature.task, signature.classes),
        reference=watching.stored_reference(objects, version),
    )
