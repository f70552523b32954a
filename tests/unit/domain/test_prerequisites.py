"""What installed pipelines name, read from their manifests."""

from pathlib import Path

import pytest
import yaml

from argosy.domain import prerequisites
from argosy.domain.diagnosis import CheckState
from kit import quick_yaml


def test_our_pipelines_name_the_usual(root: Path) -> None:
    """What is looked for where none is installed is what ours of tables name; a language model's names the key of its endpoint, too."""
    texts = {path.parent.name: path.read_text(encoding="utf-8") for path in root.glob("workflows/*/pipeline.yaml")}
    answers = prerequisites.of([quick_yaml.load(texts.pop("support_answers"))])
    assert texts
    assert prerequisites.of(list(map(yaml.safe_load, texts.values()))) == prerequisites.USUAL
    assert answers.accounts - prerequisites.USUAL.accounts == {"argosy-chat"}
    assert answers.secrets.items() - prerequisites.USUAL.secrets.items() == {("argosy-chat", True)}


def test_whatever_names_a_secret() -> None:
    """In a variable, a volume, a container set or a sidecar; one place that cannot do without it is enough."""
    template = {
        "containerSet": {"containers": [{"envFrom": [{"secretRef": {"name": "a", "optional": True}}]}]},
        "sidecars": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "a", "key": "k"}}}]}],
        "volumes": [{"secret": {"secretName": "b", "optional": True}}],
    }
    found = prerequisites.of([{"spec": {"templates": [template]}}])
    assert found.secrets == {"a": False, "b": True}
    said = list(prerequisites.secrets(found, {}, lambda _: None))
    assert [(one.state, one.said) for one in said] == [
        (CheckState.WRONG, "there is no Secret a"),
        (CheckState.OK, "b need not be there"),
    ]


@pytest.mark.parametrize(
    ("files", "state"),
    [
        pytest.param(["pipeline.yaml"], CheckState.OK, id="pipeline-only"),
        pytest.param(["pipeline.yaml", "retrain.yaml"], CheckState.WRONG, id="trained-by-itself"),
    ],
)
def test_the_ledger_is_needed_where_something_decides_by_it(root: Path, files: list[str], state: CheckState) -> None:
    """A pipeline alone only tells it what became of a retraining."""
    texts = [(root / "workflows" / "churn" / name).read_text(encoding="utf-8") for name in files]
    found = prerequisites.of([quick_yaml.load(text) for text in texts])
    said = next(one for one in prerequisites.secrets(found, {}, lambda _: None) if "argosy-loop" in one.said)
    assert said.state is state


@pytest.mark.parametrize(
    ("repository", "state"),
    [
        pytest.param({"s3": {"bucket": "b", "useSDKCreds": True}}, CheckState.OK, id="identity"),
        pytest.param({"gcs": {"bucket": "b", "serviceAccountKeySecret": {"name": "a", "key": "k"}}}, CheckState.WRONG, id="gcs"),
        pytest.param({"archiveLogs": True}, CheckState.WRONG, id="no-place"),
        pytest.param({}, CheckState.WRONG, id="none"),
        pytest.param(None, CheckState.UNKNOWN, id="not-seen"),
    ],
)  # fmt: skip
def test_artifact_store(repository: dict[str, object] | None, state: CheckState) -> None:
    """A place, and what opens it."""
    assert prerequisites.artifact_store(repository, "ml", lambda _: None).state is state
