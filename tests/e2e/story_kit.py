"""The main job on a cluster, as tests tell it: a project, a forge behind a git server, environments, and who submits, merges and asks."""

import csv
import io
import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from argosy.adapters.local_forge.forge import LocalForge
from argosy.adapters.s3 import client
from argosy.cli import main
from argosy.domain.promotion_requests import Request, State
from e2e import access_kit, pinned
from e2e.cluster import ROOT, Cluster, Object
from e2e.git_server import GitServer
from e2e.gitops_kit import Delivery, git, own_address, serve_chart
from e2e.load_kit import Load
from e2e.pipeline_kit import HASH_KEY, MODEL, NEEDED, Pipeline, make_project
from e2e.serving_release import TIMING, Store

SMALL = {"search": {"trials": 40, "per_round": 20, "per_task": 10}}
"""Two rounds of twenty, each round in two pods that work long enough to be killed in the middle."""
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
    """Of the model that is served."""
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


@contextmanager
def begin(
    cluster: Cluster,
    store: Store,
    prometheus: str,
    folder: Path,
    *,
    platform: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, Mapping[str, str]] | None = None,
    edit: Callable[[Path], None] | None = None,
) -> Iterator[Story]:
    """A project, a forge behind a git server, two environments and the namespace of the pipeline; nothing has run yet.

    *platform*: values of that chart besides. *settings*: of the model, in place of its own. *secrets*: of the pipeline's
    namespace. *edit*: changes the project before anything is made of it.
    """
    if absent := [name for name in NEEDED if not os.environ.get(name)]:
        pytest.skip(f"set {absent[0]} to run a pipeline on the cluster")
    prefix = f"e2e-{uuid.uuid4().hex[:6]}"
    project = make_project(folder)
    if edit is not None:
        edit(project)
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
    environments = {each.environment: each.namespace for each in (staging, production)}
    around = {name: os.environ[name] for name in NEEDED}
    pipeline = Pipeline(cluster, f"{prefix}-pipelines", around, project, forge, environments, platform or {})
    _set_values(pipeline, image, prometheus)
    os.environ |= pipeline.s3()
    with (
        cluster.namespace(pipeline.namespace),
        cluster.namespace(staging.namespace),
        cluster.namespace(production.namespace),
    ):
        for delivery in (staging, production):
            cluster.apply(store.secret(delivery.namespace), access_kit.secret(delivery.namespace))
            cluster.apply(secret("argosy-predictions", delivery.namespace, pipeline.s3()))
            cluster.apply(secret("argosy-ids", delivery.namespace, {"ids.key": HASH_KEY}))
            if pipeline.online:
                cluster.apply(secret("argosy-online", delivery.namespace, pipeline.online))
        for name, values in (secrets or {}).items():
            cluster.apply(secret(name, pipeline.namespace, values))
        pipeline.prepare()
        pipeline.install_template(**{**SMALL, **(settings or {})})
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


def _set_values(pipeline: Pipeline, image: str, prometheus: str) -> None:
    """The model's values, small and quick."""
    file = pipeline.project / "gitops-env" / "models" / NAME / "values.yaml"
    values = yaml.safe_load(file.read_text(encoding="utf-8")) | {
        "replicas": REPLICAS,
        "resources": {"requests": {"cpu": "20m", "memory": "160Mi"}, "limits": {"cpu": "1", "memory": "768Mi"}},
        "server": {"image": image, "drainSeconds": 10, "startSeconds": 240},
        "storage": {"credentialsSecret": "store"},
        "predictionLog": {"uri": pipeline.predictions, "shipSeconds": 5},
        "onlineFeatures": {"secret": "argosy-online" if os.environ.get("ARGOSY_E2E_ONLINE") else ""},
        "canary": {"steps": [25, 50, 100], "stepSeconds": 30},
        "latency": {"p95Milliseconds": 100},
        "analysis": {
            **TIMING,
            "prometheus": prometheus,
            "errors": {"maximumRatio": 0.05},
            "latency": {"tolerance": 3},
        },
    }
    file.write_text(yaml.safe_dump(values), encoding="utf-8")


def submitted(story: Story, capfd: pytest.CaptureFixture[str], template: str = NAME, **parameters: str) -> str:
    """The name of a workflow that runs *template*; of the pipeline, with the story's sources."""
    capfd.readouterr()
    given = parameters or {"data": story.data}
    words = [word for name, value in given.items() for word in ("-p", f"{name}={value}")]
    assert main.run(["submit", template, "--namespace", story.pipeline.namespace, *words]) == 0
    return capfd.readouterr().out.split()[1]


def scored(folder: str) -> pa.Table:
    """The rows of every Parquet file below *folder* of the bucket."""
    bucket = folder.removeprefix("s3://").partition("/")[0]
    s3, keys = client.connect(), [key for key in keys_below(folder) if key.endswith(".parquet")]
    bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    return pa.concat_tables([pq.read_table(io.BytesIO(body)) for body in bodies])


def keys_below(folder: str) -> list[str]:
    """What lies below *folder* of the bucket."""
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    return [
        each["Key"] for each in client.connect().list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/").get("Contents", [])
    ]


def upload_tables(story: Story) -> str:
    """The customers as two tables of one folder in the bucket."""
    bucket, _, prefix = story.data.removeprefix("s3://").partition("/")
    lines = (ROOT / "data" / NAME / "customers.csv").read_bytes().splitlines(keepends=True)
    for name, part in (("a", lines[1:3000]), ("b", lines[3000:])):
        body = b"".join([lines[0], *part])
        client.connect().put_object(Bucket=bucket, Key=f"{prefix}/tables/{name}.csv", Body=body)
    return f"{story.data}/tables"


def ended(story: Story, run: str, capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Wait for *run*; what it came to."""
    code = main.run(["watch", run, "--namespace", story.pipeline.namespace])
    told = capfd.readouterr().out
    assert code == 0, told
    assert main.run(["get", run, "--json", "--namespace", story.pipeline.namespace]) == 0
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


def load_of(story: Story, environment: str = "staging") -> Load:
    """Whoever asks *environment* all the time: a canary that nobody asks is decided by nobody."""
    bodies = [{"instances": [row["features"] for row in story.golden(environment)["rows"]] * 10}]
    namespace = story.delivery(environment).namespace
    url = f"http://{NAME}-live.{namespace}/v1/models/{NAME}:predict"
    return Load(story.pipeline.cluster, namespace, story.image, url, bodies, key=access_kit.KEY)


def ask(story: Story, environment: str, namespace: str | None = None) -> None:
    """Ask the Service the bundle's own questions, by row and by whom they are about: the answers are the bundle's.

    *namespace*: where the Service is, if not the environment's.
    """
    delivery, rows = story.delivery(environment), story.golden(environment)["rows"]
    path = (
        f"/api/v1/namespaces/{namespace or delivery.namespace}/services/{NAME}-live:80/proxy/v1/models/{NAME}:predict"
    )
    known = known_customers(rows)
    assert len(known) >= len(rows) / 2
    instances = [row["features"] for row in rows] + [{"customer_id": one} for one in known]
    answer = delivery.cluster.post(path, {"instances": instances}, {"X-API-Key": access_kit.KEY})
    assert answer["predictions"] == [row["prediction"][0] for row in (*rows, *known.values())]


def known_customers(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
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


def secret(name: str, namespace: str, values: Mapping[str, str]) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": dict(values)}
