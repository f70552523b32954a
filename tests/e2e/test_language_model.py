"""A language model on a cluster: its pipeline ends as it does on a laptop, its merge is served, and judged answers decide its canaries.

One story; each test begins where the one before ended. Offline: the answerer takes sentences of the documents, the judge counts words.
conftest.py and pipeline_kit.py say what must be there.
"""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e import access_kit, story_kit
from e2e.cluster import ROOT, Cluster, Object
from e2e.gitops_kit import git
from e2e.load_kit import Load
from e2e.serving_release import TIMING, Store
from e2e.story_kit import Story

pytestmark = [pytest.mark.needs("argo-workflows", "argo-cd", "argo-rollouts", "kserve"), pytest.mark.timeout(2400)]

MODEL = ROOT / "workflows" / "support_answers"
RELEASE = MODEL.name.replace("_", "-")
JUDGED = {"serving": {"judging": {"share": 1.0, "per_minute": 6000}}}
"""Every answer, so that a canary of a few minutes has enough of them."""
LENIENT = {
    "performance.accepted": {"at_least": 0},
    "performance.refused_wrongly": {"at_most": 1},
    "relevancy.mean": {"at_least": 0},
}


def _with_model(project: Path) -> None:
    """Add the model, and let its policy pass a version that refuses nearly everything: here that is for the canary to see."""
    shutil.copytree(MODEL, project / "workflows" / MODEL.name)
    file = project / "gitops-env" / "policies" / f"{MODEL.name}.yaml"
    policy = yaml.safe_load(file.read_text(encoding="utf-8"))
    for limit in policy["limits"]:
        limit.update(LENIENT.get(limit["metric"], {}))
    policy["comparison"]["margin"] = 1.0
    file.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")


@pytest.fixture(scope="module")
def story(cluster: Cluster, store: Store, prometheus: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A project with the language model beside the other; nothing has run yet."""
    with story_kit.begin(cluster, store, prometheus, tmp_path_factory.mktemp("project"), edit=_with_model) as begun:
        begun.pipeline.install_template(MODEL, **JUDGED)
        begun.data = begun.pipeline.upload(ROOT / "data" / MODEL.name, to="documents")
        yield begun


def test_it_ends_as_it_does_here(story: Story, capfd: pytest.CaptureFixture[str]) -> None:
    """Every step succeeds, and the bundle is the one that the engine makes, byte for byte."""
    there = story_kit.ended(story, story_kit.submitted(story, capfd, MODEL.name, data=story.data), capfd)
    assert there["verdict"] == "promote"
    assert there["model-digest"] == story.pipeline.here(MODEL.name)["model_digest"]
    assert story.open_request("staging").subject.model_digest == there["model-digest"]


def test_a_merge_is_served_in_staging(story: Story, prometheus: str, tmp_path: Path) -> None:
    """By the same checks, ApplicationSet and server: the pods prove the bundle, and answer with the sections that the answer is from."""
    request, delivery = story.open_request("staging"), story.staging
    _set_values(story, prometheus, tmp_path)
    story.merge(request)
    _wait_served(story, request.subject.model_digest, 400)
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


def test_a_version_that_answers_as_well_goes_to_all(story: Story, capfd: pytest.CaptureFixture[str]) -> None:
    """Its answers are a sentence longer; the judged sample and refusals of both versions let it go on, and nobody was sent away."""
    story.load = _asking(story)
    story.load.start()
    began, digest = time.time(), _next_version(story, capfd, answerer={"sentences": 5})
    _wait_served(story, digest, 900)
    (run,) = story.pipeline.cluster.list("analysisruns", story.staging.namespace)
    told = {each["name"]: each for each in run["status"]["metricResults"]}
    assert set(told) >= BY_ANSWERS
    assert {told[name]["phase"] for name in BY_ANSWERS} == {"Successful"}
    # Undecided until enough was judged of both: an answer at the first look would be one about nothing.
    looks = {name: [each["phase"] for each in told[name]["measurements"]] for name in sorted(BY_ANSWERS)}
    assert all(set(each[:-1]) <= {"Inconclusive"} for each in looks.values())
    seen = story.load.seen().since(began)
    print(f"{time.time() - began:.0f} s from the change to all; looks {looks}; {seen.total()}")
    assert seen.failures() == {}


def test_a_version_that_refuses_what_the_old_one_answers_is_given_up(
    story: Story, capfd: pytest.CaptureFixture[str]
) -> None:
    """By refusals, though every request ends with status 200; the old version answers everything again."""
    delivery, old = story.staging, story.pipeline.cluster.serving(story.staging.namespace, PODS)
    _next_version(story, capfd, answerer={"sentences": 5, "least_cover": 0.95})

    def aborted() -> str:
        status = delivery.rollout(RELEASE)["status"]
        return str(status["message"]) if status.get("abort") and status["phase"] == "Degraded" else ""

    message = delivery.cluster.wait("the canary to be given up", aborted, 900, namespace=delivery.namespace)
    assert "answers-" in message
    last = max(delivery.cluster.list("analysisruns", delivery.namespace), key=_created)
    failed = {each["name"] for each in last["status"]["metricResults"] if each["phase"] == "Failed"}
    print(message, failed)
    assert failed
    assert failed <= BY_ANSWERS
    delivery.cluster.wait(
        "the old version alone", lambda: delivery.cluster.serving(delivery.namespace, PODS) == old, 120
    )
    assert story.load is not None
    assert story.load.seen().failures() == {}


PODS = f"app=isvc.{RELEASE}-predictor"
BY_ANSWERS = {f"answers-{name}" for name in ("not-accepted", "unfaithful", "toxic", "refused")}


def _created(run: Object) -> str:
    return str(run["metadata"]["creationTimestamp"])


def _next_version(story: Story, capfd: pytest.CaptureFixture[str], **changes: Any) -> str:
    """Run the pipeline with *changes* of its settings and merge what it proposes; the digest of the bundle."""
    story.pipeline.install_template(MODEL, **JUDGED, **changes)
    there = story_kit.ended(story, story_kit.submitted(story, capfd, MODEL.name, data=story.data), capfd)
    request = story.open_request("staging")
    assert request.subject.model_digest == there["model-digest"]
    story.merge(request)
    return str(request.subject.model_digest)


def _wait_served(story: Story, digest: str, seconds: float) -> None:
    """Until staging serves that bundle from its one pod, and Argo Rollouts calls it healthy."""
    delivery = story.staging

    def served() -> bool:
        rollout = delivery.rollout(RELEASE).get("status", {})
        return rollout.get("phase") == "Healthy" and delivery.cluster.serving(delivery.namespace, PODS) == {digest: 1}

    delivery.cluster.wait("the language model to be served", served, seconds, namespace=delivery.namespace)


def _asking(story: Story) -> Load:
    """Whoever asks staging the questions of the evaluation that have an answer, one a request, all the time."""
    lines = (MODEL / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    bodies = [{"instances": [{"question": each["question"]}]} for each in map(json.loads, lines) if each["sections"]]
    namespace = story.staging.namespace
    url = f"http://{RELEASE}-live.{namespace}/v1/models/{MODEL.name}:predict"
    return Load(story.pipeline.cluster, namespace, story.image, url, bodies, key=access_kit.KEY)


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
        "analysis": {
            "sequential": {"enabled": True, "longestSeconds": 900},
            **TIMING,
            "prometheus": prometheus,
            "errors": {"maximumRatio": 0.05},
            "latency": {"tolerance": 3},
        },
    }
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    git("commit", "--quiet", "--all", "--message", "values of this cluster", at=clone)
    git("push", "--quiet", "origin", "HEAD:main", at=clone)
