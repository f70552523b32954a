"""A language model on a cluster: its pipeline ends as it does on a laptop, and its merge is served like any other.

Offline: the answerer takes sentences of the documents, the judge counts words. conftest.py and pipeline_kit.py say what must be there.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e import access_kit, story_kit
from e2e.cluster import ROOT, Cluster
from e2e.gitops_kit import git
from e2e.serving_release import Store
from e2e.story_kit import Story

pytestmark = [pytest.mark.needs("argo-workflows", "argo-cd", "argo-rollouts", "kserve"), pytest.mark.timeout(1500)]

MODEL = ROOT / "workflows" / "support_answers"
RELEASE = MODEL.name.replace("_", "-")


def _with_model(project: Path) -> None:
    shutil.copytree(MODEL, project / "workflows" / MODEL.name)


@pytest.fixture(scope="module")
def story(cluster: Cluster, store: Store, prometheus: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A project with the language model beside the other; nothing has run yet."""
    with story_kit.begin(cluster, store, prometheus, tmp_path_factory.mktemp("project"), edit=_with_model) as begun:
        begun.pipeline.install_template(MODEL)
        yield begun


def test_it_ends_as_it_does_here(story: Story, capfd: pytest.CaptureFixture[str]) -> None:
    """Every step succeeds, and the bundle is the one that the engine makes, byte for byte."""
    documents = story.pipeline.upload(ROOT / "data" / MODEL.name, to="documents")
    run = story_kit.submitted(story, capfd, MODEL.name, data=documents)
    there = story_kit.ended(story, run, capfd)
    assert there["verdict"] == "promote"
    assert there["model-digest"] == story.pipeline.here(MODEL.name)["model_digest"]
    assert story.open_request("staging").subject.model_digest == there["model-digest"]


def test_a_merge_is_served_in_staging(story: Story, prometheus: str, tmp_path: Path) -> None:
    """By the same checks, ApplicationSet and server: the pods prove the bundle, and answer with the sections that the answer is from."""
    request, delivery = story.open_request("staging"), story.staging
    _set_values(story, prometheus, tmp_path)
    story.merge(request)
    digest = request.subject.model_digest

    def served() -> bool:
        rollout = delivery.rollout(RELEASE).get("status", {})
        pods = delivery.cluster.serving(delivery.namespace, f"app=isvc.{RELEASE}-predictor")
        return rollout.get("phase") == "Healthy" and pods == {digest: 1}

    delivery.cluster.wait("the language model to be served", served, 400, namespace=delivery.namespace)
    path = f"/api/v1/namespaces/{delivery.namespace}/services/{RELEASE}-live:80/proxy/v1/models/{MODEL.name}:predict"
    asked = {"instances": [{"question": "How do I go back to the version before?"}, {"question": "Who won the cup?"}]}
    said = delivery.cluster.post(path, asked, {"X-API-Key": access_kit.KEY})
    known, unknown = said["predictions"]
    assert not known["refused"]
    assert {each["document"] for each in known["sources"]} <= set(_documents())
    assert unknown == {
        "text": "I do not find that in the documentation.",
        "refused": True,
        "sources": unknown["sources"],
    }


def _documents() -> list[str]:
    found: list[str] = yaml.safe_load((MODEL / "model.yaml").read_text(encoding="utf-8"))["documents"]
    return found


def _set_values(story: Story, prometheus: str, tmp_path: Path) -> None:
    """Push the model's values of this cluster, small and quick."""
    clone = tmp_path / "clone"
    git("clone", "--quiet", f"{story.server.address}/environment.git", str(clone), at=tmp_path)
    file = clone / "models" / MODEL.name / "values.yaml"
    values = yaml.safe_load(file.read_text(encoding="utf-8")) | {
        "replicas": 1,
        "canary": {"steps": [50, 100], "stepSeconds": 30},
        "resources": {"requests": {"cpu": "20m", "memory": "160Mi"}, "limits": {"cpu": "1", "memory": "768Mi"}},
        "server": {"image": story.image, "drainSeconds": 10, "startSeconds": 240},
        "storage": {"credentialsSecret": "store"},
        "predictionLog": {"uri": story.pipeline.predictions, "shipSeconds": 5},
        "analysis": {"sequential": {"enabled": True}, "prometheus": prometheus},
    }
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    git("commit", "--quiet", "--all", "--message", "values of this cluster", at=clone)
    git("push", "--quiet", "origin", "HEAD:main", at=clone)
