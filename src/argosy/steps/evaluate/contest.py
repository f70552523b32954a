"""The candidate against the model in production, on the same rows.

What outcome follows from which figures is ``domain.comparison``'s word, how the figures are calculated ``ml.paired``'s.
"""

from argosy import errors, scratch
from argosy.domain import comparison
from argosy.domain.evidence import ChampionRef, ComparisonResult, Table
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import ComparisonPolicy
from argosy.ml import paired
from argosy.ml.frames import Examples
from argosy.ml.predictor import Predictor
from argosy.ports.artifacts import Artifacts


def fetch(champion: ChampionRef, artifacts: Artifacts) -> Predictor:
    """The champion, proven by its digest. Raises Misconfigured where main does not say where it is."""
    if champion.model_digest is None or champion.storage_uri is None:
        raise errors.Misconfigured(
            f"main of the environment repo names a champion of {champion.model} without its place in the model store; "
            f"mend models/{champion.model}/production/version.yaml"
        )
    with scratch.folder("champion") as folder:
        fetched = folder / "bundle"
        artifacts.get(champion.storage_uri, fetched)
        return Predictor.load(fetched, champion.model_digest)


def hold(
    settings: ModelSettings, policy: ComparisonPolicy, candidate: Predictor, incumbent: Predictor, holdout: Examples
) -> tuple[ComparisonResult, Table | None]:
    """The outcome by the policy's score, and the scores that are shown beside it."""
    if reason := _incomparable(settings, candidate, incumbent, holdout):
        return comparison.impossible(policy, reason, len(holdout)), None
    answers = (
        paired.Answers(candidate.predict_matrix(holdout.matrix), _threshold(candidate)),
        paired.Answers(incumbent.predict_matrix(incumbent.encoder.table(holdout.table)), _threshold(incumbent)),
    )
    drawing = paired.Drawing(policy.confidence, policy.resamples, settings.seed)
    metrics = (policy.metric, *policy.beside)
    found = {name: paired.compare(settings.task, name, holdout.labels, *answers, drawing) for name in metrics}
    figures = found.pop(policy.metric)
    if figures is None:
        return comparison.impossible(policy, f"{policy.metric} is undefined on the holdout", len(holdout)), None
    defined = {name: pair for name, pair in found.items() if pair is not None}
    return comparison.decide(policy, figures), comparison.beside(defined) if defined else None


def _incomparable(settings: ModelSettings, candidate: Predictor, incumbent: Predictor, holdout: Examples) -> str | None:
    mine, theirs = candidate.signature, incumbent.signature
    if (theirs.task, theirs.classes) != (mine.task, mine.classes):
        return "the champion answers another question: its task or its classes differ"
    if theirs.join_keys != mine.join_keys:
        return (
            "the champion tells its examples apart by other keys, so it may have been trained on rows of this holdout"
        )
    absent = [feature.name for feature in theirs.features if feature.name not in holdout.table.column_names]
    if absent:
        return f"the champion needs the feature {absent[0]!r}, which this data has not; keep it until the champion is replaced"
    return comparison.overlap(settings.split, theirs.split)


def _threshold(predictor: Predictor) -> float:
    return 0.5 if predictor.signature.threshold is None else predictor.signature.threshold
