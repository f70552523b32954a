"""The logic of ``train``: fit the chosen point on the training side, pack the bundle, write down how it went and what to watch it by."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from argosy.domain import bundle, training_record, watch_reference
from argosy.domain.data import FeatureSchema
from argosy.domain.model_settings import ModelSettings
from argosy.domain.monitor_settings import Monitor
from argosy.domain.search import Choice
from argosy.ml import bundling, checks, frames, reference_counts, refit, study
from argosy.ml.fitting import Fitting
from argosy.ml.frames import Examples
from argosy.ml.predictor import Predictor
from argosy.report import training_plots


def run(
    *,
    settings: ModelSettings,
    features: Path,
    choice: Path,
    out_bundle: Path,
    out_training: Path,
    elsewhere: Callable[[Examples], Fitting] | None = None,
) -> str:
    """Write the bundle and the training record; return the model's digest.

    *elsewhere*: who fits the training side where it lies, so that its features are never here together; None: this process.
    Raises Rejected where the training side cannot be learned from, or one side of the split is empty.
    """
    chosen = Choice.read(choice)
    holdout = frames.read(features, "holdout")
    if elsewhere is None:
        examples = frames.read(features, "train")
        checks.learnable(examples, settings)
        fitted = refit.fit(examples, chosen, settings)
    else:
        examples = frames.outline(features, "train")
        checks.learnable(examples, settings, frames.parts(features, "train"))
        fitted = refit.fit(examples, chosen, settings, elsewhere(examples))
    digest = bundling.pack(
        out_bundle,
        settings=settings,
        model=fitted.model,
        threshold=fitted.threshold,
        train=examples,
        holdout=holdout,
    )
    record = refit.record(
        fitted, examples, chosen, settings, model_digest=digest, features_digest=study.features_digest(features)
    )
    record.write(out_training / training_record.FILE)
    training_plots.write(record, out_training)
    answering = Predictor.load(out_bundle, digest)
    reference = reference_counts.of(
        answering,
        bundle.read_bins(out_bundle / bundle.BINS),
        settings.monitor or Monitor(),
        digest=digest,
        holdout=bundling.servable(answering.signature, holdout),
        train=examples,
        out_of_fold=np.asarray(fitted.predictions, np.float64),
    )
    schema = FeatureSchema.read(features / frames.SCHEMA)
    reference = reference.model_copy(update={"views": schema.views})
    reference.write(out_training / watch_reference.FILE)
    return digest
