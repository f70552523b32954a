"""Models that ask Spark, on a cluster: Spark's own scheduler starts executors as pods beside the steps that ask, and takes them away again.

One story, from the customers to a table that is scored. Besides what pipeline_kit.py names, the image `spark` has to be on the node
(`python images/build.py spark`, which `make images` leaves out).
"""

import contextlib
import json
import os
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from argosy import scratch, wiring
from argosy.adapters.local_forge.forge import LocalForge
from argosy.cli import main
from argosy.domain.data import SnapshotManifest, ValidationResult
from argosy.domain.promotion_requests import State
from argosy.files import model_folder
from argosy.steps.build_features import run as build_features
from argosy.steps.ingest import run as ingest
from e2e import story_kit
from e2e.cluster import ROOT, Cluster, Object
from e2e.pipeline_kit import MODEL, NEEDED, Pipeline, make_project
from e2e.serving_release import Store

pytestmark = [pytest.mark.needs("argo-workflows"), pytest.mark.timeout(2400)]

MASTER = "k8s://https://kubernetes.default.svc"
EXECUTORS = "spark-role=executor"
ROOMY = {"cpu": "200m", "cpu_limit": "1", "memory": "2Gi"}
SETTINGS: dict[str, Any] = {
    "search": {"trials": 10, "per_round": 10, "per_task": 10, "early_stopping_rounds": 10},
    "compute": {
        "engine": "spark",
        "workers": 2,
        "options": {
            "spark.executor.memory": "640m",
            "spark.kubernetes.executor.request.cores": "100m",
            "spark.sql.shuffle.partitions": "8",
            "spark.sql.adaptive.enabled": "false",
        },
    },
    "resources": dict.fromkeys(("validate", "build-features", "train", "score-batch"), ROOMY),
}
ASKED_OF_SPARK = {
    "type": "expect_column_value_z_scores_to_be_less_than",
    "kwargs": {"column": "monthly_charges", "threshold": 3, "double_sided": True},
    "meta": {"critical": False, "why": "Asked by Great Expectations' own engine for Spark: it is not compiled."},
}


@dataclass
class Watched:
    """Executors that were seen: pods by name, with the step's pod that each goes with; and the one that was killed."""

    owners: dict[str, str] = field(default_factory=dict)
    killed: list[str] = field(default_factory=list)

    def look(self, cluster: Cluster, namespace: str) -> list[Object]:
        """The executors that run now."""
        found = cluster.list("pods", namespace, EXECUTORS)
        for pod in found:
            self.owners[pod["metadata"]["name"]] = pod["metadata"]["ownerReferences"][0]["name"]
        return [pod for pod in found if pod["status"]["phase"] == "Running"]


@pytest.fixture(scope="module")
def pipeline(cluster: Cluster, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The pipeline of a model that asks Spark, in a namespace whose platform lets it start executors."""
    if absent := [name for name in NEEDED if not os.environ.get(name)]:
        pytest.skip(f"set {absent[0]} to run a pipeline on the cluster")
    name = f"spark-{uuid.uuid4().hex[:6]}"
    project = make_project(tmp_path_factory.mktemp("project"))
    expectations = project / "workflows" / MODEL.name / "expectations.json"
    written = json.loads(expectations.read_text(encoding="utf-8"))
    written["suites"]["business"].append(ASKED_OF_SPARK)
    expectations.write_text(json.dumps(written), encoding="utf-8")
    forge = Path(os.environ["ARGOSY_E2E_FORGE"]) / name
    forge.mkdir(parents=True)
    around = {each: os.environ[each] for each in NEEDED}
    made = Pipeline(cluster, name, around, project, forge, {}, {"spark": {"executors": True}})
    os.environ |= made.s3()
    with cluster.namespace(name):
        made.prepare()
        shared = {"ARGOSY_SPARK_MASTER": MASTER, "ARGOSY_SPARK_FOLDER": made.store.removesuffix("store") + "spark"}
        cluster.apply(story_kit.secret("argosy-spark", name, {**made.access, **shared}))
        made.install_template(**SETTINGS)
        yield made
    if os.environ.get("ARGOSY_E2E_KEEP") != "1":
        made.remove()


def ended(
    pipeline: Pipeline, template: str, parameters: dict[str, str], *, kill: bool = False
) -> tuple[Object, Watched]:
    """A workflow that ran *template*, and the executors that it had; *kill*: one of two that fit together is killed."""
    words = [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]
    before = {each["metadata"]["name"] for each in pipeline.cluster.list("workflows", pipeline.namespace)}
    assert main.run(["submit", template, "--namespace", pipeline.namespace, *words]) == 0
    (run,) = {each["metadata"]["name"] for each in pipeline.cluster.list("workflows", pipeline.namespace)} - before
    with watching(pipeline, kill=kill) as watched:
        return pipeline.ended_workflow(run, 1800), watched


@contextlib.contextmanager
def watching(pipeline: Pipeline, *, kill: bool) -> Iterator[Watched]:
    """Look at executors all the time."""
    watched, over = Watched(), threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            running = watched.look(pipeline.cluster, pipeline.namespace)
            train = [pod for pod in running if "-train-" in pod["metadata"]["ownerReferences"][0]["name"]]
            if kill and not watched.killed and len(train) == 2:
                watched.killed.append(train[0]["metadata"]["name"])
                at = ("--namespace", pipeline.namespace, "--grace-period=0", "--force")
                pipeline.cluster.kubectl("delete", "pod", watched.killed[0], *at)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield watched
    finally:
        over.set()
        looking.join()


def result(run: Object, step: str, name: str) -> str:
    """The output parameter *name* of *step*; of an attempt that failed there is a name alone."""
    nodes = [node for node in run["status"]["nodes"].values() if node.get("templateName") == step]
    values = {
        each["value"]
        for node in nodes
        for each in node.get("outputs", {}).get("parameters", [])
        if each["name"] == name and "value" in each
    }
    (value,) = values
    return str(value)


def test_steps_have_executors_of_their_own(pipeline: Pipeline, tmp_path: Path) -> None:
    """Pods of validate, build-features and train; one is killed while a model is fitted, and the run succeeds all the same.

    The rows that were joined are those that DuckDB joins here, to the last bit, and no executor is left.
    """
    run, watched = ended(pipeline, MODEL.name, {"data": pipeline.upload()}, kill=True)
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert watched.killed
    asking = {
        step
        for step in ("validate", "build-features", "train")
        if any(f"-{step}-" in each for each in watched.owners.values())
    }
    assert asking == {"validate", "build-features", "train"}
    assert result(run, "build-features", "features-digest") == features_here(tmp_path)
    pipeline.cluster.wait(
        "executors to be gone", lambda: not pipeline.cluster.list("pods", pipeline.namespace, EXECUTORS)
    )


def features_here(folder: Path) -> str:
    """The digest of the features that the model's own settings give without Spark."""
    settings = model_folder.load_settings(MODEL / "model.yaml")
    ingest.run(
        settings=settings,
        location=ROOT / "data" / MODEL.name,
        tables=wiring.tables(),
        code_version="test",
        now=lambda: "2026-01-01T00:00:00Z",
        report=print,
        outputs=ingest.IngestOutputs(folder / "snapshot", folder / "rejected", folder / "lineage.json"),
    )
    digest = SnapshotManifest.read(folder / "snapshot" / "manifest.json").content_digest()
    ValidationResult(snapshot_digest=digest, results=[]).write(folder / "validation" / "validation.json")
    outputs = build_features.FeatureOutputs(folder / "features", folder / "online")
    with scratch.folder("features") as place:
        build_features.run(
            settings=settings,
            snapshot=folder / "snapshot",
            validation=folder / "validation",
            tables=wiring.tables(),
            features=wiring.features(MODEL / "features.py", settings, place / "repository"),
            outputs=outputs,
        )
    return build_features.digest(outputs.features)


def test_executors_score_tables(pipeline: Pipeline) -> None:
    """Each part by one of them, every row once; what lies in the folder that both sides see is gone when it is over."""
    forge = LocalForge(pipeline.repository, {})
    (request,) = [each for each in forge.requests() if each.state is State.OPEN]
    pipeline.argosy("pr", "merge", str(request.number), "--as", "ada")
    pipeline.give_forge()
    tables = f"{pipeline.store.removesuffix('store')}data/customers.csv"
    asked = {"in": tables, "out": pipeline.scores, "as-of": "2026-01-31", "environment": "staging"}
    run, watched = ended(pipeline, f"{MODEL.name}-score", asked)
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert any("-score-batch-" in owner for owner in watched.owners.values())
    found = story_kit.scored(f"{pipeline.scores}/as_of=2026-01-31")
    assert len(set(found["customer_id"].to_pylist())) == found.num_rows == 7043
    assert not story_kit.keys_below(pipeline.store.removesuffix("store") + "spark")


def test_a_driver_without_memory_names_the_setting(pipeline: Pipeline) -> None:
    """It is not tried again as it is: the same work needs the same memory."""
    small = {**SETTINGS["resources"], "build-features": {**ROOMY, "memory": "400Mi"}}
    pipeline.install_template(**{**SETTINGS, "resources": small})
    run, _ = ended(pipeline, MODEL.name, {"data": pipeline.upload()})
    assert run["status"]["phase"] == "Failed"
    nodes = [node for node in run["status"]["nodes"].values() if node.get("templateName") == "build-features"]
    attempts = [node for node in nodes if node["type"] == "Pod"]
    assert len(attempts) == 1, [node.get("message") for node in attempts]
    at = ("--namespace", pipeline.namespace)
    said = pipeline.argosy("why", run["metadata"]["name"], *at, KUBECONFIG=os.environ["KUBECONFIG"])
    assert "Spark's driver" in said or "OOMKilled" in said  # whichever of the two processes the kernel took
    assert "raise resources.build-features.memory in model.yaml" in said
