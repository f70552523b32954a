"""The main job on a cluster, as one story.

A pipeline is submitted, its model reviewed, merged, synced and served, first in staging, then in production; a second one takes over
under load; a git revert takes it back. Each test begins where the one before ended.

conftest.py and pipeline_kit.py say what must be there.
"""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.cli import provenance
from argosy.domain import circumstances, environment_layout
from argosy.domain import provenance as origins
from argosy.domain.evidence import Evidence
from e2e import access_kit, story_kit
from e2e.cluster import ROOT, Cluster, helm
from e2e.gitops_kit import git
from e2e.pipeline_kit import Pipeline
from e2e.serving_release import Store
from e2e.story_kit import NAME, Story

pytestmark = [pytest.mark.needs("argo-workflows", "argo-cd", "argo-rollouts", "kserve"), pytest.mark.timeout(3000)]

PATIENT = {"search": {**story_kit.SMALL["search"], "early_stopping_rounds": 100}}
"""A trial's fits go on for five times as long, so that its pod can be killed in the middle on a fast machine too."""
FUSED = {"fuse": {"prepare": ["ingest", "validate", "build-features"], "fit": ["train", "evaluate"]}}


@pytest.fixture(scope="module")
def story(cluster: Cluster, store: Store, prometheus: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A project, a forge behind a git server, two environments and the namespace of the pipeline; nothing has run yet."""
    with story_kit.begin(cluster, store, prometheus, tmp_path_factory.mktemp("project"), settings=PATIENT) as begun:
        yield begun


def test_a_pipeline_ends_as_it_does_here(story: Story, capfd: pytest.CaptureFixture[str]) -> None:
    """Every step succeeds, a request is opened, and the model is the one the engine trains, byte for byte.

    A trial's pod is killed in the middle on the way: it costs that attempt, and every trial is recorded once.
    """
    pipeline = story.pipeline
    began = time.time()
    run = story_kit.submitted(story, capfd)
    gone = _kill_a_trial(pipeline, run)
    there = story_kit.ended(story, run, capfd)
    story.times["commit to request"] = time.time() - began
    assert there["verdict"] == "promote"

    here = pipeline.here()
    assert there["model-digest"] == here["model_digest"]
    assert set(here["nodes"]) <= set(there["nodes"])  # there an attempt more: of the trial that was killed
    killed = [name for name, node in there["nodes"].items() if _is_failed_pod(node)]
    assert 1 <= len(killed) <= gone
    assert all("trial-" in name for name in killed)
    story.digests.append(there["model-digest"])
    assert story.open_request("staging").subject.model_digest == there["model-digest"]


def test_the_request_says_which_commit_and_images_made_it(story: Story) -> None:
    """The stamp of `compile --stamp` reaches the signed evidence: commit, manifest, the digest of each step's image."""
    pipeline = story.pipeline
    (template, *_) = yaml.safe_load_all(pipeline.argosy("compile", "--stamp", f"workflows/{NAME}"))
    stamped = provenance.stated(template)
    assert stamped is not None
    request = story.open_request("staging")
    path = environment_layout.evidence_path(NAME, "staging")
    made = Evidence.model_validate_json(story.forge.read(path, request.head) or b"").provenance
    assert made == stamped
    assert all(origins.PINNED.fullmatch(image) for image in made.images.values())
    assert {"ingest", "train", "evaluate", "register", "propose"} <= made.images.keys()


def test_the_request_says_how_it_came_to_be(story: Story) -> None:
    """Where it ran, who asked, what was read and where the time went, as the steps' pods saw it."""
    request = story.open_request("staging")
    path = f"{environment_layout.evidence_folder(NAME, 'staging')}/{circumstances.FILE}"
    said = circumstances.parse(story.forge.read(path, request.head) or b"", path)
    assert (said.place.kind, said.place.namespace) == ("cluster", story.pipeline.namespace)
    assert said.asked_by.known in ("git", "system", "argo")
    assert min(each.rows for each in said.sources) > 0
    assert said.ledger is not None
    shares = {each.step: each for each in said.ledger.steps}
    assert {"ingest", "trial", "train", "evaluate"} <= shares.keys()
    assert 0 < said.ledger.waiting < said.ledger.seconds <= story.times["commit to request"]


def _kill_a_trial(pipeline: Pipeline, run: str) -> int:
    """Kill trials' pods until one had not ended yet; how many were killed."""
    cluster, at, gone = pipeline.cluster, ("--namespace", pipeline.namespace), set()

    def one() -> bool:
        pod = cluster.step_pod(pipeline.namespace, run, "trial-")
        if pod and pod not in gone:
            cluster.kubectl("delete", "pod", pod, *at, "--grace-period=0", "--force", "--wait=false")
            gone.add(pod)
        status = cluster.get("workflow", run, pipeline.namespace).get("status", {})
        assert status.get("phase") != "Succeeded", "the run ended before a trial was seen to work"
        return any(_is_failed_pod(node) for node in status.get("nodes", {}).values())

    cluster.wait("a trial that was killed", one, seconds=900, every=0.2)
    return len(gone)


def _is_failed_pod(node: Mapping[str, Any]) -> bool:
    return node["type"] == "Pod" and node["phase"] in ("Failed", "Error")


def test_a_merge_is_served_in_staging(story: Story) -> None:
    """Argo CD syncs the merge; the pods answer as the training environment did, to the last bit."""
    (first,) = story.digests
    began = time.time()
    story.merge(story.open_request("staging"))
    story.wait_served("staging", first, 600)
    story.times["merge to staging"] = time.time() - began
    story_kit.ask(story, "staging")


def test_production_follows(story: Story) -> None:
    """Staging is healthy, so production's request opens, once; its merge is served."""
    (first,) = story.digests
    assert f"{NAME} in staging" in story.converge("staging")
    story.converge("staging")
    began = time.time()
    story.merge(story.open_request("production"))
    story.wait_served("production", first, 600)
    story.times["merge to production"] = time.time() - began
    story_kit.ask(story, "production")


def test_a_table_is_scored_by_what_serves(story: Story, capfd: pytest.CaptureFixture[str]) -> None:
    """`argosy submit churn-score`: two tables by two pods, every row once, and each answer is the one that the Service gives."""
    parameters = {
        "in": story_kit.upload_tables(story),
        "out": story.pipeline.scores,
        "pods": "2",
        "as-of": "2026-01-31",
    }
    began = time.time()
    there = story_kit.ended(story, story_kit.submitted(story, capfd, f"{NAME}-score", **parameters), capfd)
    story.times["two tables scored"] = time.time() - began
    pods = [name for name, node in there["nodes"].items() if node["type"] == "Pod" and "score-batch" in name]
    assert len(pods) == 2
    found = story_kit.scored(f"{story.pipeline.scores}/as_of=2026-01-31")
    answers = dict(zip(found["customer_id"].to_pylist(), found["prediction"].to_pylist(), strict=True))
    assert len(answers) == found.num_rows == 7043
    known = story_kit.known_customers(story.golden("production")["rows"])
    assert {one: answers[one] for one in known} == {one: row["prediction"][0] for one, row in known.items()}


def test_the_next_model_takes_over_under_load(story: Story, capfd: pytest.CaptureFixture[str]) -> None:
    """Another seed gives another model; its canary goes to 100 % and no request fails.

    It is the whole search this time, a hundred trials, and the cheap steps share pods; the model is the one the engine trains all the same.
    """
    story.load = story_kit.load_of(story)
    story.load.start()
    story.pipeline.install_template(seed=8, **FUSED)
    began = time.time()
    there = story_kit.ended(story, story_kit.submitted(story, capfd), capfd)
    story.times["commit to request, 100 trials, fused"] = time.time() - began
    assert there["verdict"] == "promote"
    here = story.pipeline.here()
    assert there["model-digest"] == here["model_digest"]
    assert set(here["nodes"]) <= set(there["nodes"])
    assert "$.prepare(0).validate" in there["nodes"]
    story.digests.append(there["model-digest"])
    assert story.digests[0] != story.digests[1]
    began = time.time()
    story.merge(story.open_request("staging"))
    story.wait_served("staging", story.digests[1], 900)
    story.times["merge to 100 %"] = time.time() - began
    seen = story.load.seen()
    assert seen.failures() == {}
    assert {outcome.split()[-1] for outcome in seen.total()} == set(story.digests)
    story_kit.ask(story, "staging")


def test_the_next_model_is_asked_in_production_as_a_shadow(story: Story, tmp_path: Path) -> None:
    """`argosy env second`, merged: the answers stay those of the version that serves, and the two are compared on the rows of both."""
    clone = tmp_path / "clone"
    git("clone", "--quiet", f"{story.server.address}/environment.git", str(clone), at=tmp_path)
    story.pipeline.argosy("env", "second", NAME, "--shadow", "staging", "--folder", str(clone))
    story.pipeline.argosy("env", "check", str(clone))
    git("add", "--all", at=clone)
    git("commit", "--quiet", "--message", "try staging's version beside production's", at=clone)
    story_kit.load_of(story, "production").start()
    git("push", "--quiet", "origin", "HEAD:main", at=clone)
    production, cluster = story.production, story.pipeline.cluster
    production.refresh()

    def shadowed() -> bool:
        pods = cluster.list("pods", production.namespace, f"app=isvc.{NAME}-predictor")
        beside = {each["metadata"]["annotations"].get("argosy.dev/second-digest") for each in pods}
        return beside == {story.digests[1]} and production.rollout(NAME)["status"]["phase"] == "Healthy"

    cluster.wait("pods with a shadow", shadowed, 600, namespace=production.namespace)
    story.wait_served("production", story.digests[0], 120)
    story_kit.ask(story, "production")
    # Until then there is no second version to compare, and the command says so.
    cluster.wait("what the shadow answered in the bucket", lambda: story.pipeline.logged("production.shadow"), 60)

    def compared() -> dict[str, Any]:
        said: dict[str, Any] = json.loads(
            story.pipeline.argosy("compare", NAME, "--data", story.data, "--since", "1h", "--json")
        )
        return said if said.get("agreement") else {}

    found = cluster.wait("rows that both have answered", compared, 60)
    assert (found["way"], found["first"]["model_digest"], found["second"]["model_digest"]) == ("shadow", *story.digests)
    assert found["agreement"]["rows"] > 0
    assert found["agreement"]["largest_distance"] > 0


def test_a_git_revert_takes_it_back(story: Story, tmp_path: Path) -> None:
    """`git revert` of the merge, pushed to the git server: the model before serves again, and still no request failed."""
    assert story.load
    began = time.time()
    clone = tmp_path / "clone"
    git("clone", "--quiet", f"{story.server.address}/environment.git", str(clone), at=tmp_path)
    newest = git("log", "--first-parent", "--format=%H", "-1", "--", f"models/{NAME}/staging/version.yaml", at=clone)
    git("revert", "--no-edit", "-m", "1", newest.strip(), at=clone)
    git("push", "--quiet", "origin", "HEAD:main", at=clone)
    story.staging.refresh()
    story.wait_served("staging", story.digests[0], 900)
    story.times["revert"] = time.time() - began
    seen = story.load.seen()
    assert seen.failures() == {}
    print({what: f"{seconds:.0f} s" for what, seconds in story.times.items()}, seen.total())


def test_online_features_that_somebody_needs_stay(story: Story) -> None:
    """The nightly look drops none that an environment serves or served lately."""
    if not story.pipeline.online:
        pytest.skip("ARGOSY_E2E_ONLINE is not set, so online features are files")
    story.pipeline.start_job("argosy-online-prune")
    story_kit.ask(story, "staging")


def test_the_same_bundle_without_kserve(story: Story, tmp_path: Path) -> None:
    """A plain Deployment fetches it from the store and answers the same; it can be scaled, and is not drained below its budget."""
    cluster, namespace = story.pipeline.cluster, f"{story.pipeline.namespace}-plain"
    with cluster.namespace(namespace):
        cluster.apply(story_kit.secret("keys", namespace, story.pipeline.access), access_kit.secret(namespace))
        _install_plain(story, namespace, tmp_path)
        cluster.wait(
            "two pods",
            lambda: cluster.get("deployment", NAME, namespace)["status"].get("readyReplicas") == 2,
            namespace=namespace,
        )
        story_kit.ask(story, "staging", namespace)
        cluster.wait("the autoscaler finds what it scales", lambda: _condition(cluster, namespace, "AbleToScale"), 120)
        first, second = (pod["metadata"]["name"] for pod in cluster.list("pods", namespace))
        cluster.wait("the budget", lambda: cluster.get("pdb", NAME, namespace)["status"].get("disruptionsAllowed") == 1)
        assert cluster.evict(first, namespace).returncode == 0
        refused = cluster.evict(second, namespace)
        assert refused.returncode != 0
        assert "violate the pod's disruption budget" in refused.stderr


def _install_plain(story: Story, namespace: str, folder: Path) -> None:
    repository = story.pipeline.repository
    files = {
        "version.yaml": f"models/{NAME}/staging/version.yaml",
        "bundle.sig": f"models/{NAME}/staging/evidence/bundle.sig",
        "key.pem": "keys/signing.pub.pem",
    }
    for name, path in files.items():
        (folder / name).write_text(git("show", f"main:{path}", at=repository), encoding="utf-8")
    values = {
        "model": NAME,
        "environment": "staging",
        "mode": "plain",
        "strategy": "rolling",
        "replicas": 2,
        "resources": {"requests": {"cpu": "20m", "memory": "160Mi"}, "limits": {"cpu": "1", "memory": "768Mi"}},
        "server": {"image": story.image, "drainSeconds": 10, "startSeconds": 240},
        "storage": {
            "uri": story.pipeline.store,
            "endpoint": story.pipeline.s3()["AWS_ENDPOINT_URL"],
            "credentialsSecret": "keys",
        },
        "autoscaling": {"enabled": True, "maxReplicas": 3},
        # It needs Secrets of its own, and what is logged is the story's business in staging.
        "predictionLog": {"enabled": False},
    }
    (folder / "values.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    helm(
        *("upgrade", "--install", NAME, str(ROOT / "charts" / "inference"), "--namespace", namespace),
        *("--values", str(folder / "values.yaml"), "--values", str(folder / "version.yaml")),
        *("--set-file", f"signature={folder / 'bundle.sig'}", "--set-file", f"verifyingKey={folder / 'key.pem'}"),
    )


def _condition(cluster: Cluster, namespace: str, kind: str) -> bool:
    found = cluster.get("hpa", NAME, namespace).get("status", {}).get("conditions") or []
    return any(one["type"] == kind and one["status"] == "True" for one in found)
