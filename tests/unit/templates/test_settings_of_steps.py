"""Which step reads what of model.yaml: a change runs again the steps that read it, and no other."""

import importlib
import json
from pathlib import Path

import pytest

from argosy.domain.compute_settings import Compute
from argosy.domain.model_settings import ModelSettings, StepResources
from argosy.engine.attempts import document_parts
from argosy.files import model_folder
from argosy.steps.spec import StepSpec
from argosy.templates import container_templates, pipeline

MODEL = Path(__file__).parents[3] / "workflows" / "churn" / "model.yaml"
STEPS = ("ingest", "validate", "build_features", "suggest", "trial", "train", "evaluate")
SPECS: dict[str, StepSpec] = {name: importlib.import_module(f"argosy.steps.{name}.spec").SPEC for name in STEPS}
TUNING = {"suggest", "trial", "train"}

CHANGES = {
    "a comment": ("seed: 7", "seed: 7  # lucky", set()),
    "blanks and quotes": ("model: churn", 'model:   "churn"', set()),
    "another way to write a number": ("holdout: 0.2", "holdout: 0.20", set()),
    "the order": ("model: churn\ntask: binary", "task: binary\nmodel: churn", set()),
    "description": ("description: Which", "description: Who, which", {"evaluate"}),
    "owner": ("owner: retention", "owner: sales", {"validate", "evaluate"}),
    "notify": ("owner: retention", "owner: retention\nnotify: {team: {}}", {"evaluate"}),
    "seed": ("seed: 7", "seed: 8", {*TUNING, "evaluate"}),
    "feature_service": ("feature_service: churn", "feature_service: other", {"build_features"}),
    "sources": ("nullable: true", "nullable: false", {"ingest", "validate", "build_features", "evaluate"}),
    "reject": ("tenure < 0", "tenure < 1", {"ingest"}),
    "label": ("[stays, leaves]", "[stays, goes]", {"validate", "build_features", "trial", "train", "evaluate"}),
    "split": ("holdout: 0.2", "holdout: 0.3", {"build_features", "trial", "train", "evaluate"}),
    "search.trials": ("trials: 100", "trials: 120", {"suggest"}),
    "search.per_round": ("per_round: 20", "per_round: 10", {"suggest", "trial", "train"}),
    "search.folds": ("folds: 5", "folds: 4", TUNING),
    "search.metric": ("metric: log_loss", "metric: f1", TUNING),
    "search.space": ("int_high: 6", "int_high: 7", TUNING),
    "training.library": ("{nthread: 1", "{library: linear, nthread: 1", TUNING),
    "training.nthread": ("nthread: 1", "nthread: 2", {"trial", "train"}),
    "training.threshold": ("threshold: f1", "threshold: half", {"train"}),
    "evaluation.sensitive": ("[female, senior_citizen]", "[female]", {"build_features", "evaluate"}),
    "evaluation.slices": ("[contract, internet_service]", "[contract]", {"build_features", "evaluate"}),
    "evaluation.business": ("false_positive: -40", "false_positive: -30", {"evaluate"}),
    "monitor.every": ("every: 1h", "every: 2h", set()),
    "monitor.window": ("window: 24h", "window: 48h", {"train"}),
    "monitor.slices": ("slices: [contract]}", "slices: []}", {"train"}),
    "compute": (
        "release_days: 180",
        "release_days: 180\ncompute: {engine: spark}",
        {"validate", "build_features", "train"},
    ),
    "resources": ("release_days: 180", "release_days: 180\nresources: {train: {memory: 2Gi}}", set()),
    "schedule": ('cron: "0 2 * * *"', 'cron: "0 3 * * *"', set()),
    "release_days": ("release_days: 180", "release_days: 90", set()),
}


def test_a_step_that_asks_spark() -> None:
    """It runs in the image with Spark, as the account whose Secret says where Spark is; others and other models stay as they are."""
    settings = model_folder.load_settings(MODEL)
    asking = settings.model_copy(update={"compute": Compute(engine="spark", steps=["validate"])})
    spec = pipeline._as_set(SPECS["validate"], asking)
    assert (spec.family, spec.keys) == ("spark", ("spark",))
    asking_more = settings.model_copy(update={"compute": Compute(engine="spark")})
    assert pipeline._as_set(SPECS["train"], asking_more).keys == ("spark",)
    assert pipeline._as_set(SPECS["trial"], asking_more) is SPECS["trial"]
    assert pipeline._as_set(SPECS["validate"], settings) is SPECS["validate"]
    assert pipeline._as_set(SPECS["build_features"], asking) is SPECS["build_features"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_runs_again_what_reads_it(change: str) -> None:
    """Each section against each step."""
    old, new, expected = CHANGES[change]
    before = MODEL.read_text(encoding="utf-8")
    after = before.replace(old, new)
    assert after != before
    again = {
        name
        for name, spec in SPECS.items()
        if document_parts.parts(before, spec.settings) != document_parts.parts(after, spec.settings)
    }
    assert again == expected


@pytest.mark.parametrize("name", STEPS)
def test_what_is_declared_is_there_and_is_the_key(name: str) -> None:
    """Each part is one of the settings, and the template hands them to the cache."""
    spec = SPECS[name]
    settings = model_folder.load_settings(MODEL)
    for part in spec.settings:
        value: object = settings
        for field in part.split("."):
            value = getattr(value, field)
    annotations = container_templates._annotations(spec)
    assert json.loads(annotations[container_templates.CACHE_PARTS]) == {"settings": sorted(spec.settings)}


def test_a_step_finds_nothing_that_it_did_not_declare() -> None:
    """Not even a default: what no key knows of must decide nothing."""
    settings = model_folder.load_settings(MODEL, ("model", "search.folds"))
    assert (settings.model, settings.search.folds) == ("churn", 5)
    for read in ("seed", "evaluation", "training", "label"):
        with pytest.raises(AttributeError, match=read):
            getattr(settings, read)
    with pytest.raises(AttributeError, match="trials"):
        _ = settings.search.trials


def test_every_section_is_somebodys() -> None:
    """A section that no cached step reads is one of those that are read as the manifest is made, or by what is never cached."""
    read = {part.partition(".")[0] for spec in SPECS.values() for part in spec.settings}
    assert set(ModelSettings.model_fields) - read == {
        *("data", "resources", "fuse", "schedule", "scoring", "release_days"),
        "retraining",
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("a: no", "a: 'no'", id="a-word-that-may-be-a-boolean"),
        pytest.param("a: 1", "a: '1'", id="a-number-and-a-text"),
        pytest.param("a: 010", "a: 10", id="octal"),
        pytest.param("a: [1, 2]", "a: [2, 1]", id="the-order-of-a-list"),
        pytest.param("a: {b: 1}", "a: {b: 2}", id="inside"),
        pytest.param("a: 1", "b: 1", id="absent"),
        pytest.param("x: &x {a: 1}\n<<: *x", "x: &x {a: 2}\n<<: *x", id="merged"),
        pytest.param("x: &x 1\na: *x", "x: &x 2\na: *x", id="an-alias"),
    ],
)
def test_what_means_something_else_is_something_else(one: str, other: str) -> None:
    """However little the texts differ."""
    assert document_parts.parts(one, ("a",)) != document_parts.parts(other, ("a",))


def test_a_document_without_end_ends() -> None:
    """Anchors that unfold into a billion entries, one inside itself, nesting without end: the text counts."""
    laughs = "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    for text in (laughs, "a: &a [*a]", "a: " + "[" * 5000):
        assert document_parts.parts(text, ("a",)) == text


def test_a_change_of_the_expectations_runs_no_other_step() -> None:
    """They go to ``validate`` alone, and definitions to ``build-features`` alone."""
    takers = {
        name: {artifact.name for artifact in spec.inputs} & {"expectations", "definitions"}
        for name, spec in SPECS.items()
    }
    assert {name: taken for name, taken in takers.items() if taken} == {
        "validate": {"expectations"},
        "build_features": {"definitions"},
    }


def test_a_step_that_needs_what_is_scarce_takes_one_of_all_teams_places() -> None:
    """Beside the lock that it may hold; a step that says nothing waits for neither."""
    scarce = StepResources(gpu=1, shared_slots="argosy")
    turns = container_templates.pod([SPECS["train"]], scarce, "argosy-m")["synchronization"]
    assert turns.model_dump(exclude_none=True, by_alias=True) == {
        "mutexes": [{"name": "argosy-m"}],
        "semaphores": [{"configMapKeyRef": {"name": "argosy-shared", "key": "slots"}, "namespace": "argosy"}],
    }
    assert container_templates.pod([SPECS["train"]], StepResources(), None)["synchronization"] is None
