"""Records a candidate in the registry, whatever its verdict, and releases its bundle and its online features to where servers find them.

Everything here may run again after a kill: the version is found by the model's digest, ``release.json`` follows from the version alone,
and the stores take equal content twice.
"""

from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.domain import bundle as bundles
from argosy.domain import registration, training_record, watch_reference
from argosy.domain.data import Lineage
from argosy.domain.evidence import Evidence
from argosy.domain.model_settings import ModelSettings
from argosy.domain.release import OnlineStore
from argosy.domain.search import Choice, SearchHistory
from argosy.domain.training_record import TrainingRecord
from argosy.ports.artifacts import Artifacts
from argosy.ports.features import SharedOnlineStore
from argosy.ports.objects import Objects
from argosy.ports.registry import Candidate, Registry
from argosy.promotion import registering
from argosy.steps import run_notes


@dataclass(frozen=True)
class Inputs:
    """The files and folders that make up a candidate."""

    settings_file: Path
    bundle: Path
    training: Path
    history: Path
    choice: Path
    evidence: Path
    snapshot: Path
    lineage: Path
    online: Path


@dataclass(frozen=True)
class Released:
    """The addresses of a release in the model store."""

    version: int
    storage_uri: str
    online_uri: str


def run(
    *,
    settings: ModelSettings,
    inputs: Inputs,
    surroundings: dict[str, str],
    registry: Registry,
    artifacts: Artifacts,
    shared: SharedOnlineStore | None,
    objects: Objects,
    out: Path,
    image: str | None = None,
    noted: run_notes.RunNotes | None = None,
    told: Path | None = None,
) -> Released:
    """Record and judge the candidate, write the released bundle to *out* and store it.

    *surroundings*: what else identifies where this ran, as tags (versions, image). *shared*: the database that servers read features
    from, None where each fetches the files; only a candidate that will be proposed takes room there. *objects*: the monitoring
    store. *image*: the server's, by digest; None for the environment's own. *noted*: what is known of the run, whose
    circumstances are written to the folder *told*. Raises Misconfigured where evidence and bundle are not of one model.
    """
    evidence = Evidence.read(inputs.evidence / "evidence.json")
    digest = bundles.digest(inputs.bundle)
    if evidence.model_digest != digest:
        raise errors.Misconfigured(
            f"the evidence is about {evidence.model_digest}, the bundle is {digest}: not one run's outputs"
        )
    registered = registry.record(_candidate(settings, inputs, evidence, surroundings))
    registry.judge(settings.model, registered.version, registering.judgement(evidence, inputs.evidence))
    registering.keep_reference(objects, inputs.training / watch_reference.FILE, settings.model, digest)
    if noted is not None and told is not None:
        run_notes.write(noted, evidence, Lineage.read(inputs.lineage), objects, told)
    store = _online_store(settings, inputs, evidence, artifacts, shared)
    registering.release(settings, registered, inputs.bundle, out, evidence=evidence, store=store, image=image)
    return Released(
        version=registered.version,
        storage_uri=artifacts.put(
            out, bundles.store_name(settings.model, digest, (out / bundles.RELEASE).read_bytes())
        ),
        online_uri=store.text(),
    )


def _online_store(
    settings: ModelSettings, inputs: Inputs, evidence: Evidence, artifacts: Artifacts, shared: SharedOnlineStore | None
) -> OnlineStore:
    digest = bundles.digest(inputs.online)
    if shared is not None and evidence.verdict == "promote" and evidence.as_of is None:
        shared.load(inputs.online, digest, settings.model)
    return OnlineStore(uri=artifacts.put(inputs.online, f"online/{settings.model}/{_hex(digest)}"), digest=digest)


def _candidate(settings: ModelSettings, inputs: Inputs, evidence: Evidence, surroundings: dict[str, str]) -> Candidate:
    choice = Choice.read(inputs.choice)
    record = TrainingRecord.read(inputs.training / training_record.FILE)
    artifacts = {
        "model.yaml": inputs.settings_file,
        "bundle": inputs.bundle,
        "training": inputs.training,
        "search/history.json": inputs.history,
        "search/choice.json": inputs.choice,
        "data/lineage.json": inputs.lineage,
        "data/snapshot.json": inputs.snapshot / "manifest.json",
    }
    return Candidate(
        model=settings.model,
        model_digest=evidence.model_digest,
        parameters=registration.parameters(settings, choice, record),
        metrics={**registration.training_metrics(record), "search.best_score": choice.score},
        history={
            **registration.training_series(record),
            **registration.search_series(SearchHistory.read(inputs.history)),
        },
        tags={
            **surroundings,
            "image": evidence.provenance.images.get("register", "none: a process of this machine"),
            **registration.tags(settings, evidence, Lineage.read(inputs.lineage), record),
        },
        artifacts=artifacts,
    )


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")
