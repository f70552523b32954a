"""The main job on a cluster, as one story.

A pipeline is submitted, its model reviewed, merged, synced and served, first in staging, then in production; a second one takes over
under load; a git revert takes it back. Each test begins where the one before ended.

conftest.py and pipeline_kit.py say what must be there.
"""

import csv
import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.adapters.local_forge.forge import LocalForge
from argosy.adapters.s3 import client
from argosy.cli import main
from argosy.domain.promotion_requests import Request, State
from e2e import pinned
from e2e.cluster import ROOT, Cluster, Object, helm
from e2e.git_server import GitServer
from e2e.gitops_kit import Delivery, git, own_address, serve_chart
from e2e.load_kit import Load
from e2e.pipeline_kit import MODEL, NEEDED, Pipeline, make_project
from e2e.serving_release import Store

pytestmark = [pytest.mark.needs("argo-workflows", "argo-cd", "argo-rollouts", "kserve"), pytest.mark.timeout(3000)]

SMALL = {"search": {"trials": 40, "per_round": 20, "per_task": 10}}
"""Two rounds of twenty, each round in two pods that work long enough to be killed in the middle."""
FUSED = {"fuse": {"prepare": ["ingest", "validate", "build-features"], "fit": ["train", "evaluate"]}}
NAME = MODEL.name


@dataclass
class Story:
    """What the tests share, and what they have come to."""

    pipeline: Pipeline
    server: GitServer
    staging: Delivery
    production: Delivery
    image: str
    data: str = ""
    digests: list[str] = field(default_factory=list)
    """Of the models that were proposed, in order."""
    times: dict[str, float] = field(default_factory=dict)
    """Seconds that the ways took."""
    load: Load | None = None

    @property
    def forge(self) -> LocalForge:
        """The requests, as the pipeline and the reviewer see them."""
        return LocalForge(self.pipeline.repository, {})

    def open_request(self, environment: str) -> Request:
        """The one that is open for *environment*."""
        (request,) = [
            each
            for each in self.forge.requests()
            if each.state is State.OPEN and each.subject.environment == environment
        ]
        return request

    def merge(self, request: Request) -> None:
        """As its reviewer does, checks and all; and the webhook tells Argo CD."""
        self.pipeline.argosy("pr", "merge", str(request.number), "--as", "ada")
        self.pipeline.give_forge()
        self.delivery(request.subject.environment).refresh()

    def delivery(self, environment: str) -> Delivery:
        """The one of *environment*."""
        return {"staging": self.staging, "production": self.production}[environment]

    def wait_served(self, environment: str, model_digest: str, seconds: float) -> None:
        """Until *environment* serves that model from every pod, and Argo Rollouts and Argo CD call it healthy."""
        delivery = self.delivery(environment)

        def served() -> bool:
            rollout = delivery.rollout(NAME).get("status", {})
            pods = delivery.cluster.serving(delivery.namespace, f"app=isvc.{NAME}-predictor")
            return rollout.get("phase") == "Healthy" and pods == {model_digest: REPLICAS} and delivery.is_settled(NAME)

        delivery.cluster.wait(
            f"{environment} serves {model_digest[:19]}", served, seconds, namespace=delivery.namespace
        )

    def converge(self, environment: str) -> str:
        """One look at the canaries, as the platform has one every two minutes; what it said."""
        return self.pipeline.start_job(f"argosy-converge-{environment}")

    def golden(self, environment: str) -> dict[str, Any]:
        """The bundle's own questions and answers, from where its version.yaml says it lies."""
        text = git("show", f"main:models/{NAME}/{environment}/version.yaml", at=self.pipeline.repository)
        bucket, _, prefix = yaml.safe_load(text)["storageUri"].removeprefix("s3://").partition("/")
        body = client.connect().get_object(Bucket=bucket, Key=f"{prefix.rstrip('/')}/golden.json")["Body"]
        found: dict[str, Any] = json.loads(body.read())
        return found


REPLICAS = 3


@pytest.fixture(scope="module")
def story(cluster: Cluster, store: Store, prometheus: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A project, a forge behind a git server, two environments and the namespace of the pipeline; nothing has run yet."""
    if absent := [name for name in NEEDED if not os.environ.get(name)]:
        pytest.skip(f"set {absent[0]} to run a pipeline on the cluster")
    prefix = f"e2e-{uuid.uuid4().hex[:6]}"
    project = make_project(tmp_path_factory.mktemp("project"))
    forge = Path(os.environ["ARGOSY_E2E_FORGE"]) / prefix
    forge.mkdir(parents=True)
    server = GitServer(forge, own_address())
    staging, production = (
        Delivery(cluster, server.address, prefix, environment) for environment in ("staging", "production")
    )
    image = os.environ.get("ARGOSY_E2E_SERVE_IMAGE") or pinned.image("serve")
    serve_chart(forge, ROOT / "charts" / "inference")
    for delivery in (staging, production):
        _address(project, delivery)
    _set_values(project, image, prometheus)
    environments = {each.environment: each.namespace for each in (staging, production)}
    around = {name: os.environ[name] for name in NEEDED}
    pipeline = Pipeline(cluster, f"{prefix}-pipelines", around, project, forge, environments)
    os.environ |= pipeline.s3()
    with (
        cluster.namespace(pipeline.namespace),
        cluster.namespace(staging.namespace),
        cluster.namespace(production.namespace),
    ):
        for delivery in (staging, production):
            cluster.apply(store.secret(delivery.namespace))
            if pipeline.online:
                cluster.apply(_secret("argosy-online", delivery.namespace, pipeline.online))
        pipeline.prepare()
        pipeline.install_template(**SMALL)
        for delivery in (staging, production):
            delivery.start()
        yield Story(pipeline, server, staging, production, image, data=pipeline.upload())
        if os.environ.get("ARGOSY_E2E_KEEP") != "1":
            staging.stop()
            production.stop()
            pipeline.remove()
    server.stop()


def _address(project: Path, delivery: Delivery) -> None:
    """Write into the project's gitops-env/ what a platform engineer writes: addresses, and the chart's revision."""
    for file in (project / "gitops-env" / "clusters" / delivery.environment).iterdir():
        text = delivery.addressed(file.read_text(encoding="utf-8"))
        file.write_text(text.replace("revision: 0.1.0", "revision: main"), encoding="utf-8")


def _set_values(project: Path, image: str, prometheus: str) -> None:
    """The model's values, small and quick."""
    file = project / "gitops-env" / "models" / NAME / "values.yaml"
    values = yaml.safe_load(file.read_text(encoding="utf-8")) | {
        "replicas": REPLICAS,
        "resources": {"requests": {"cpu": "20m", "memory": "160Mi"}, "limits": {"cpu": "1", "memory": "768Mi"}},
        "server": {"image": image, "drainSeconds": 10, "startSeconds": 240},
        "storage": {"credentialsSecret": "store"},
        "onlineFeatures": {"secret": "argosy-online" if os.environ.get("ARGOSY_E2E_ONLINE") else ""},
        "canary": {"steps": [25, 50, 100], "stepSeconds": 30},
        "latency": {"p95Milliseconds": 100},
        "analysis": {
            "prometheus": prometheus,
            "intervalSeconds": 5,
            "windowSeconds": 20,
            "minimumRequests": 25,
            "errors": {"maximumRatio": 0.05},
            "latency": {"tolerance": 3},
        },
    }
    file.write_text(yaml.safe_dump(values), encoding="utf-8")


def _submitted(story: Story, capfd: pytest.CaptureFixture[str]) -> str:
    capfd.readouterr()
    words = ["submit", NAME, "--namespace", story.pipeline.namespace, "-p", f"data={story.data}"]
    assert main.run(words) == 0
    return capfd.readouterr().out.split()[1]


def _ended(story: Story, run: str, capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Wait for *run*; what it came to."""
    code = main.run(["watch", run, "--namespace", story.pipeline.namespace])
    told = capfd.readouterr().out
    assert code == 0, told
    assert main.run(["get", run, "--json", "--namespace", story.pipeline.namespace]) == 0
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


def test_a_pipeline_ends_as_it_does_here(story: Story, capfd: pytest.CaptureFixture[str]) -> None:
    """Every step succeeds, a request is opened, and the model is the one the engine trains, byte for byte.

    A trial's pod is killed in the middle on the way: it costs that attempt, and every trial is recorded once.
    """
    pipeline = story.pipeline
    began = time.time()
    run = _submitted(story, capfd)
    gone = _kill_a_trial(pipeline, run)
    there = _ended(story, run, capfd)
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
    _ask(story, "staging")


def test_production_follows(story: Story) -> None:
    """Staging is healthy, so production's request opens, once; its merge is served."""
    (first,) = story.digests
    assert f"{NAME} in staging" in story.converge("staging")
    story.converge("staging")
    began = time.time()
    story.merge(story.open_request("production"))
    story.wait_served("production", first, 600)
    story.times["merge to production"] = time.time() - began
    _ask(story, "production")


def test_the_next_model_takes_over_under_load(story: Story, capfd: pytest.CaptureFixture[str]) -> None:
    """Another seed gives another model; its canary goes to 100 % and no request fails.

    It is the whole search this time, a hundred trials, and the cheap steps share pods; the model is the one the engine trains all the same.
    """
    story.load = _load(story)
    story.load.start()
    story.pipeline.install_template(seed=8, **FUSED)
    began = time.time()
    there = _ended(story, _submitted(story, capfd), capfd)
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
    _ask(story, "staging")


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
    _ask(story, "staging")


def test_the_same_bundle_without_kserve(story: Story, tmp_path: Path) -> None:
    """A plain Deployment fetches it from the store and answers the same; it can be scaled, and is not drained below its budget."""
    cluster, namespace = story.pipeline.cluster, f"{story.pipeline.namespace}-plain"
    with cluster.namespace(namespace):
        cluster.apply(_secret("keys", namespace, story.pipeline.access))
        _install_plain(story, namespace, tmp_path)
        cluster.wait("two pods", lambda: cluster.get("deployment", NAME, namespace)["status"].get("readyReplicas") == 2)
        _ask(story, "staging", namespace)
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


def _load(story: Story) -> Load:
    bodies = [{"instances": [row["features"] for row in story.golden("staging")["rows"]] * 10}]
    url = f"http://{NAME}-live.{story.staging.namespace}/v1/models/{NAME}:predict"
    return Load(story.pipeline.cluster, story.staging.namespace, story.image, url, bodies)


def _ask(story: Story, environment: str, namespace: str | None = None) -> None:
    """Ask the Service the bundle's own questions, by row and by whom they are about: the answers are the bundle's.

    *namespace*: where the Service is, if not the environment's.
    """
    delivery, rows = story.delivery(environment), story.golden(environment)["rows"]
    path = (
        f"/api/v1/namespaces/{namespace or delivery.namespace}/services/{NAME}-live:80/proxy/v1/models/{NAME}:predict"
    )
    known = _customers(rows)
    assert len(known) >= len(rows) / 2
    instances = [row["features"] for row in rows] + [{"customer_id": one} for one in known]
    body = json.dumps({"instances": instances})
    answer = json.loads(delivery.cluster.kubectl("create", "--raw", path, "--filename", "-", given=body))
    assert answer["predictions"] == [row["prediction"][0] for row in (*rows, *known.values())]


def _customers(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The rows that are about a customer whom nobody else of the sources is like, by customer."""
    with (ROOT / "data" / NAME / "customers.csv").open(encoding="utf-8", newline="") as stream:
        customers = list(csv.DictReader(stream))
    found = {}
    for row in rows:
        wanted = {name: row["features"][name] for name in ("tenure", "monthly_charges", "total_charges")}
        alike = [
            one for one in customers if all(one[name] and float(one[name]) == value for name, value in wanted.items())
        ]
        if len(alike) == 1:
            found[alike[0]["customer_id"]] = row
    return found


def _secret(name: str, namespace: str, values: Mapping[str, str]) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": dict(values)}
