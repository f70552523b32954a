"""The logic of ``plan-scoring``."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.domain.model_settings import ScoringSettings
from argosy.domain.release import Version
from argosy.ports.artifacts import Artifacts
from argosy.ports.forge import Forge
from argosy.ports.prediction_log import ServedRelease
from argosy.ports.table_files import TableFiles
from argosy.promotion import approval
from argosy.scoring import part_results, parts, plan
from argosy.scoring.plan import ScoringPlan

BUNDLE, SIGNATURE = "bundle", "bundle.sig"


@dataclass(frozen=True)
class AskedScoring:
    """The parameters; each may be empty."""

    tables: str
    results: str
    as_of: str
    environment: str
    version: str
    pods: str


def run(
    *,
    model: str,
    scoring: ScoringSettings | None,
    asked: AskedScoring,
    now: datetime.datetime,
    forge: Forge,
    artifacts: Artifacts,
    opened: Callable[[str, str], TableFiles],
    bundle: Path,
) -> ScoringPlan:
    """The plan of what was *asked*; the model's files are put into the folder *bundle*.

    *opened*: gives the files at a place, which a parameter names. Raises Misconfigured for a parameter that is none and for tables that are
    not there, Rejected where nothing is approved.
    """
    as_of = plan.day(asked.as_of, now)
    from_settings, to_settings = (scoring.tables, scoring.results) if scoring else (None, None)
    # What is quick to find wrong comes first.
    tables = opened(plan.place(asked.tables, from_settings, "in", as_of), "in")
    results = opened(plan.place(asked.results, to_settings, "out", as_of), "out")
    environment = asked.environment or (scoring.environment if scoring else "production")
    version = _model(model, environment, asked.version, forge, artifacts, bundle)
    for folder in (*plan.below(asked.results, to_settings, as_of), f"version={version.version}"):
        results = results.below(folder)
    found = parts.of(tables)
    served = ServedRelease(model, environment, version.version, version.model_digest)
    return ScoringPlan(
        model=model,
        environment=environment,
        version=version.version,
        digest=version.model_digest,
        as_of=as_of,
        began=part_results.begin(results, served, now, tables.uri),
        tables=tables.uri,
        results=results.uri,
        with_features=bool(scoring and scoring.with_features),
        shares=min(len(found), plan.most_pods(scoring, asked.pods)),
        parts=plan.planned(found),
    )


def _model(model: str, environment: str, wanted: str, forge: Forge, artifacts: Artifacts, into: Path) -> Version:
    """The version that main names, which is *wanted* where one is; its files are in the folder *into*."""
    found = approval.find(forge, model, environment)
    version = found.version
    if wanted and wanted != str(version.version):
        raise errors.Rejected(
            f"main names version {version.version} of {model} for {environment}, and version {wanted} was asked for; nothing is scored"
        )
    approval.fetch_proven_bundle(artifacts, version, into / BUNDLE)
    if found.signature is None:
        raise errors.Rejected(
            f"{model} version {version.version}: main has no signature of its bundle; {approval.remedy(version)}"
        )
    (into / SIGNATURE).write_bytes(found.signature)
    return version
