"""Finds what there is to watch: the version that an environment serves, and everything its windows are held against."""

import dataclasses
from pathlib import Path

from argosy import scratch
from argosy.domain import bundle, task_words
from argosy.domain.answers import answer_bundle, answer_columns
from argosy.domain.answers.answer_settings import AnswerMonitor
from argosy.domain.monitor_settings import Monitor
from argosy.domain.release import Version
from argosy.monitoring import watching
from argosy.monitoring.watching import Watched
from argosy.ports.artifacts import Artifacts
from argosy.ports.forge import Forge
from argosy.ports.objects import Objects
from argosy.ports.prediction_log import judged_of
from argosy.promotion import approval, verification


def find(
    model: str, environment: str, monitor: Monitor | None, *, forge: Forge, artifacts: Artifacts, objects: Objects
) -> Watched:
    """The approved version of *model* in *environment*, to be watched as *monitor* says; None: as models of its kind are.

    Raises UsageError for a model or an environment that does not exist, Rejected where nothing is approved or other files are stored,
    Misconfigured where the bundle is of an earlier kind, TryAgain when a store fails.
    """
    version = approval.find(forge, model, environment).version
    return of_version(version, environment, monitor, artifacts=artifacts, objects=objects)


def of_version(
    version: Version, environment: str, monitor: Monitor | None, *, artifacts: Artifacts, objects: Objects
) -> Watched:
    """*version* as it answers in *environment*, to be watched as *monitor* says. Raises as :func:`find` does."""
    with scratch.folder("drift") as place:
        folder: Path = approval.fetch_proven_bundle(artifacts, version, place / "bundle")
        if verification.is_answers(folder):
            return _answers(version, environment, monitor or AnswerMonitor(), folder, objects)
        signature, bins = bundle.Signature.read(folder / bundle.SIGNATURE), bundle.read_bins(folder / bundle.BINS)
    return Watched(
        version=version,
        environment=environment,
        features=signature.features,
        bins=bins,
        monitor=monitor or Monitor(),
        score=task_words.score(signature.task, signature.classes),
        reference=watching.stored_reference(objects, version),
    )


def _answers(version: Version, environment: str, monitor: Monitor, folder: Path, objects: Objects) -> Watched:
    """The language model *version*, whose bundle is in *folder*, with the sample of its answers that a judge judges."""
    passages = answer_bundle.passages(folder / answer_bundle.PASSAGES)
    watched = Watched(
        version=version,
        environment=environment,
        features=answer_columns.features(),
        bins=answer_columns.bins(passages),
        monitor=monitor,
        score="share refused",
        reference=watching.stored_reference(objects, version),
        held_out="the evaluation set",
        judged=Watched(
            version=version,
            environment=judged_of(environment),
            features=answer_columns.judged_features(),
            bins=answer_columns.judged_bins(),
            # Nobody judged the evaluation set without its references, as the sample is judged.
            monitor=monitor.without_slices("previous window" if monitor.baseline == "holdout" else monitor.baseline),
            score="share accepted",
            held_out="the sample before",
        ),
    )
    if watched.reference is not None and watched.reference.layout != watched.layout.digest:
        return dataclasses.replace(watched, reference=None)  # counted by an Argosy that had other bins
    return watched
