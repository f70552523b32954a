"""The logic of ``plan-scoring``."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from argosy import errors
from argosy.domain import environment_layout
from argosy.domain.compute_settings import Compute
from argosy.domain.model_settings import ScoringSettings
from argosy.domain.release import Version
from argosy.ports.artifacts import Artifacts
from argosy.ports.forge import Forge
from argosy.ports.prediction_log import ServedRelease
from argosy.ports.table_files import TableFiles
from argosy.promotion import approval
from argosy.promotion.approval import Approval
from argosy.scoring import part_results, parts, plan
from argosy.scoring.plan import ScoringPlan

BUNDLE, SIGNATURE = "bundle", "bundle.sig"


@dataclass(frozen=True)
class PlannedScoring:
    """A plan, and what proves the model that it names."""

    plan: ScoringPlan
    verifying_keys: bytes


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
    compute: Compute,
    asked: AskedScoring,
    now: datetime.datetime,
    forge: Forge,
    artifacts: Artifacts,
    opened: Callable[[str, str], TableFiles],
    bundle: Path,
    own_keys: Callable[[], bytes | None],
) -> PlannedScoring:
    """The plan of what was *asked*; the model's files are put into the folder *bundle*.

    *opened*: gives the files at a place, which a parameter names. *own_keys*: gives the public keys of this machine, which count where main
    has none. Raises Misconfigured for a parameter that is none, for tables that are not there and where nobody's key counts, Rejected where
    nothing is approved.
    """
    as_of = plan.day(asked.as_of, now)
    from_settings, to_settings = (scoring.tables, scoring.results) if scoring else (None, None)
    # What is quick to find wrong comes first.
    tables = opened(plan.place(asked.tables, from_settings, "in", as_of), "in")
    results = opened(plan.place(asked.results, to_settings, "out", as_of), "out")
    environment = asked.environment or (scoring.environment if scoring else "production")
    found = approval.find(forge, model, environment)
    version = _model(found, environment, asked.version, artifacts, bundle)
    for folder in (*plan.below(asked.results, to_settings, as_of), f"version={version.version}"):
        results = results.below(folder)
    tabled = parts.of(tables)
    served = ServedRelease(model, environment, version.version, version.model_digest)
    planned = ScoringPlan(
        model=model,
        environment=environment,
        version=version.version,
        digest=version.model_digest,
        as_of=as_of,
        began=part_results.begin(results, served, now, tables.uri),
        tables=tables.uri,
        results=results.uri,
        with_features=bool(scoring and scoring.with_features),
        shares=min(len(tabled), plan.most_pods(scoring, asked.pods, compute)),
        compute=compute,
        parts=plan.planned(tabled),
    )
    return PlannedScoring(planned, found.verifying_keys or own_keys() or _no_keys())


def _no_keys() -> NoReturn:
    raise errors.Misconfigured(
        f"main of the environment repo has no {environment_layout.VERIFYING_KEYS}, so nothing says whose signature counts; "
        "commit the public key there (`argosy keys list`)"
    )


def _model(found: Approval, environment: str, wanted: str, artifacts: Artifacts, into: Path) -> Version:
    """The approved version, which is *wanted* where one is; its files are in the folder *into*."""
    version = found.version
    if wanted and wanted != str(version.version):
        raise errors.Rejected(
            f"main names version {version.version} of {version.model} for {environment}, and version {wanted} was asked for; "
            "nothing is scored"
        )
    approval.fetch_proven_bundle(artifacts, version, into / BUNDLE)
    if found.signature is None:
        raise errors.Rejected(
            f"{version.model} version {version.version}: main has no signature of its bundle; {approval.remedy(version)}"
        )
    (into / SIGNATURE).write_bytes(found.signature)
    return version
