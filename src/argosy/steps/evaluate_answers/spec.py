"""The spec of the step ``evaluate-answers``."""

from argosy.steps.spec import Artifact, Parameter, Result, StepSpec, spent

SPEC = StepSpec(
    name="evaluate-answers",
    summary="Have the model and the champion answer the same questions, judge both, measure the judge. Ends 0 whatever the verdict.",
    family="evaluate",
    parameters=(
        Parameter("cause", "What the retraining was started for (Cause, JSON); empty where it was not.", default=""),
    ),
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("champion", "champion.json and policy.yaml."),
        Artifact("snapshot", "Documents, questions and labelled answers."),
        Artifact("bundle", "The candidate."),
    ),
    outputs=(
        Artifact(
            "evidence", "Folder: evidence.json (Evidence), evidence.md, model-card.md and review.jsonl (ReviewItem)."
        ),
        Artifact("judged", "judged.jsonl (JudgedAnswer): every answer and what the judge says of it."),
        Artifact("reference", "reference.json (WatchReference): these answers, counted as a server's are."),
    ),
    results=(
        Result("verdict", "promote, reject, inconclusive or champion.", exported=True),
        spent("evaluate-answers"),
    ),
    keys=("chat", "store"),
    provenance="stated",
    preload=("bm25s", "numpy", "scipy.stats"),
    settings=(
        *("answerer", "description", "judge", "model", "notify", "owner", "prices", "refusal", "review", "seed"),
        "task",
    ),
)
