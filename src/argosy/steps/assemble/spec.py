"""The spec of the step ``assemble``."""

from argosy.steps.spec import Artifact, Result, StepSpec, spent

SPEC = StepSpec(
    name="assemble",
    summary="Make the bundle: prompt, retrieval settings and passages, with questions that prove it wherever it is served.",
    family="evaluate",
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("prompt", "prompt.md"),
        Artifact("snapshot", "Documents and questions."),
    ),
    outputs=(Artifact("bundle", "Folder: answers.json, prompt.md, passages.jsonl, golden.json."),),
    results=(Result("model-digest", "Digest of the bundle.", exported=True), spent("assemble")),
    preload=("bm25s", "numpy"),
    settings=("answerer", "documents", "judge", "model", "refusal", "retrieval", "serving"),
)
