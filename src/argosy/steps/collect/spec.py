"""The spec of the step ``collect``."""

from argosy.steps.spec import Artifact, Parameter, Result, StepSpec, spent

SPEC = StepSpec(
    name="collect",
    summary="Read documents, questions and labelled answers into an immutable snapshot; refuse questions about sections that are gone.",
    family="data",
    parameters=(Parameter("data", "Folder or bucket that holds the documents."),),
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("questions", "questions.jsonl"),
        Artifact("labelled", "labelled.jsonl"),
    ),
    outputs=(
        Artifact(
            "snapshot", "Folder: manifest.json (SnapshotManifest), the documents, questions.jsonl, labelled.jsonl."
        ),
        Artifact("lineage", "lineage.json (Lineage): where, when, how much."),
    ),
    results=(Result("snapshot-digest", "Digest of manifest.json."), spent("collect")),
    keys=("data",),
    provenance="noted",
    reads=("{{inputs.parameters.data}}",),
    settings=("documents", "model", "retrieval"),
)
