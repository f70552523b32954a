"""Records a language model in the registry, whatever its verdict, and releases its bundle; as ``register`` does for models of tables.

Everything here may run again after a kill: the version is found by the model's digest, and the store takes equal content twice.
"""

from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.domain import bundle as bundles
from argosy.domain import registration
from argosy.domain.answers.answer_settings import AnswerSettings
from argosy.domain.answers.evaluation_items import MANIFEST
from argosy.domain.data import Lineage
from argosy.domain.evidence import Evidence
from argosy.ports.artifacts import Artifacts
from argosy.ports.objects import Objects
from argosy.ports.registry import Candidate, Registry
from argosy.promotion import registering
from argosy.steps import run_notes


@dataclass(frozen=True)
class Inputs:
    """The files and folders that make up a candidate."""

    settings_file: Path
    bundle: Path
    evidence: Path
    judged: Path
    reference: Path
    snapshot: Path
    lineage: Path


@dataclass(frozen=True)
class ReleasedAnswers:
    """The number of a version, and its address in the model store."""

    version: int
    storage_uri: str


def run(
    *,
    settings: AnswerSettings,
    inputs: Inputs,
    registry: Registry,
    artifacts: Artifacts,
    objects: Objects,
    out: Path,
    image: str | None = None,
    noted: run_notes.RunNotes | None = None,
    told: Path | None = None,
) -> ReleasedAnswers:
    """Record and judge the candidate, write the released bundle to *out* and store it.

    *objects*: the monitoring store. *image*: the server's, by digest; None for the environment's own. *noted*: what is known of the run,
    whose circumstances are written to the folder *told*. Raises Misconfigured where evidence and bundle are not of one model.
    """
    evidence = Evidence.read(inputs.evidence / "evidence.json")
    digest = bundles.digest(inputs.bundle)
    if evidence.model_digest != digest:
        raise errors.Misconfigured(
            f"the evidence is about {evidence.model_digest}, the bundle is {digest}: not one run's outputs"
        )
    registered = registry.record(_candidate(settings, inputs, evidence))
    registry.judge(settings.model, registered.version, registering.judgement(evidence, inputs.evidence))
    registering.keep_reference(objects, inputs.reference, settings.model, digest)
    if noted is not None and told is not None:
        run_notes.write(noted, evidence, Lineage.read(inputs.lineage), objects, told)
    registering.release(settings, registered, inputs.bundle, out, evidence=evidence, image=image)
    name = bundles.store_name(settings.model, digest, (out / bundles.RELEASE).read_bytes())
    return ReleasedAnswers(registered.version, artifacts.put(out, name))


def _candidate(settings: AnswerSettings, inputs: Inputs, evidence: Evidence) -> Candidate:
    return Candidate(
        model=settings.model,
        model_digest=evidence.model_digest,
        parameters=registration.answer_parameters(settings),
        metrics={},
        history={},
        tags=registration.answer_tags(settings, evidence, Lineage.read(inputs.lineage)),
        artifacts={
            "model.yaml": inputs.settings_file,
            "bundle": inputs.bundle,
            "judged.jsonl": inputs.judged,
            "data/lineage.json": inputs.lineage,
            "data/snapshot.json": inputs.snapshot / MANIFEST,
        },
    )
