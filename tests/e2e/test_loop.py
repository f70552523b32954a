"""The loop on a cluster, as one story: unusual requests lead to one opened request that says why, and nobody touched anything.

A model is served in staging. Its callers change; what they ask is logged, shipped and looked at; an alert fires in a real Prometheus, goes
through a real Alertmanager to Argo Events, and starts one workflow, whose first step lets it in. The model it trains is proposed with its
cause, merged, and goes to 100 %. Each test begins where the one before ended.

Besides what the main job needs (pipeline_kit.py): Argo Events, ARGOSY_E2E_BUS (a NATS server with JetStream), and Alertmanager here.
"""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from argosy_kind import customers
from e2e import access_kit, loop_kit, prometheus, story_kit
from e2e.cluster import Cluster, Object
from e2e.gitops_kit import own_address
from e2e.load_kit import Load
from e2e.loop_kit import Alertmanager
from e2e.serving_release import Store
from e2e.story_kit import NAME, Story

pytestmark = [
    pytest.mark.needs("argo-workflows", "argo-cd", "argo-rollouts", "kserve", "argo-events"),
    pytest.mark.timeout(3000),
]


@dataclass
class Loop:
    """What the tests share."""

    story: Story
    prometheus: str
    alertmanager: Alertmanager
    folder: Path
    shifted: float = 0.0
    """When callers changed: seconds since 1970."""


@pytest.fixture(scope="module")
def loop(cluster: Cluster, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """The model served in staging; nothing unusual has been asked yet."""
    bus, folder, host = loop_kit.bus(), tmp_path_factory.mktemp("loop"), own_address()
    project = tmp_path_factory.mktemp("project")
    secrets = {"argosy-events": {"alertmanager": loop_kit.TOKEN, "push": uuid.uuid4().hex}}
    platform = {"events": loop_kit.events(bus), "exporter": {"enabled": True}, "networkPolicy": {"enabled": False}}
    with (
        loop_kit.alertmanager(folder, host) as alertmanager,
        prometheus.running(
            cluster, folder, host, rules=[loop_kit.rules(folder)], alertmanager=alertmanager.address
        ) as watching,
        story_kit.begin(
            cluster,
            store,
            watching,
            project,
            platform=platform,
            secrets=secrets,
            settings=customers.settings(),
            edit=customers.name_the_time,
        ) as story,
    ):
        alertmanager.tell(loop_kit.webhook(cluster, story.pipeline.namespace))
        story.pipeline.mount_forge("deployment", "argosy-exporter")
        customers.write_customers(folder / "data" / "customers.csv", changed=False)
        story.data = story.pipeline.upload(folder / "data")
        # Nobody names the sources of a run that an event starts.
        story.pipeline.install_template(**story_kit.SMALL, **customers.settings(), data=story.data)
        yield Loop(story, watching, alertmanager, folder)


def test_a_model_is_served_and_logged(loop: Loop, capfd: pytest.CaptureFixture[str]) -> None:
    """What callers ask is in the bucket, in the partition of its version and hour, seconds after it was answered."""
    story = loop.story
    there = story_kit.ended(story, story_kit.submitted(story, capfd), capfd)
    assert there["verdict"] == "promote"
    story.digests.append(there["model-digest"])
    for environment in ("staging", "production"):
        story.merge(story.open_request(environment))
        story.wait_served(environment, there["model-digest"], 600)
        if environment == "staging":
            story.converge("staging")
    _send(loop, "first", _customers(story), 5)
    found = story.pipeline.cluster.wait("records in the bucket", lambda: story.pipeline.logged("staging"), 60)
    assert all("/version=" in key and "/hour=" in key for key in found)


def test_usual_requests_are_no_drift(loop: Loop) -> None:
    """Rows like those that the model was tested on raise no alert."""
    story = loop.story
    _send(loop, "usual", _customers(story), 30)
    assert "staging: drift" not in _look(loop)
    time.sleep(40)  # longer than exporter, Prometheus and the rule take
    assert "ArgosyDrift" not in loop_kit.firing(loop.prometheus)
    assert story.pipeline.retrainings() == []


def test_unusual_requests_start_one_retraining(loop: Loop) -> None:
    """A look shows it; the alert fires, is sent again and again, and a workflow runs."""
    story = loop.story
    customers.write_customers(loop.folder / "changed" / "customers.csv", changed=True)
    story.pipeline.upload(loop.folder / "changed")
    loop.shifted = time.time()
    _send(loop, "unusual", _changed(story), 60)
    assert "staging: drift" in _look(loop)
    cluster = story.pipeline.cluster
    cluster.wait("ArgosyDrift", lambda: "ArgosyDrift" in loop_kit.firing(loop.prometheus), 180)
    labels = loop_kit.firing(loop.prometheus)["ArgosyDrift"]
    assert (labels["model"], labels["environment"], labels["digest"]) == (NAME, "staging", story.digests[0])
    story.times["shift to alert"] = time.time() - loop.shifted
    cluster.wait("a retraining", story.pipeline.retrainings, 180)
    story.times["shift to workflow"] = time.time() - loop.shifted


def test_it_opens_one_request_that_says_why(loop: Loop) -> None:
    """The workflow is let in and trains on what came since; its model beats the champion, and the request names alert and columns."""
    story = loop.story
    name = story.pipeline.retrainings()[0]
    workflow = story.pipeline.ended_workflow(name, 1500)
    story.times["shift to request"] = time.time() - loop.shifted
    outputs = _admission(workflow)
    assert outputs["admitted"] == "true", outputs
    assert json.loads(outputs["cause"])["kind"] == "drift"
    assert workflow["status"]["phase"] == "Succeeded", story.pipeline.argosy("pr", "list")
    request = story.open_request("staging")
    assert request.subject.model_digest != story.digests[0]
    story.digests.append(request.subject.model_digest)
    text = story.pipeline.argosy("pr", "view", str(request.number))
    assert "ArgosyDrift" in text
    assert "monthly_charges" in text
    # Alertmanager sent it every ten seconds in the meantime. With the hour it has another name, and is refused.
    others = [story.pipeline.ended_workflow(other, 300) for other in story.pipeline.retrainings() if other != name]
    assert all(_admission(other)["admitted"] == "false" for other in others)


def test_its_model_goes_to_all(loop: Loop) -> None:
    """Merged like any other, its canary is asked by those who have changed, and goes to 100 %."""
    story = loop.story
    load = _load(loop, "canary", _changed(story))
    load.start()
    began = time.time()
    story.merge(story.open_request("staging"))
    story.wait_served("staging", story.digests[1], 900)
    story.times["merge to 100 %"] = time.time() - began
    seen = load.seen()
    assert seen.failures() == {}
    assert {outcome.split()[-1] for outcome in seen.total()} == set(story.digests)
    print({what: f"{seconds:.0f} s" for what, seconds in story.times.items()})


def _look(loop: Loop) -> str:
    """What the next look of `watch-drift` says."""
    story = loop.story
    return story.pipeline.start_cron_workflow(f"{NAME}-watch-drift", "watch-drift")


def _admission(workflow: Object) -> dict[str, str]:
    """What the step `retrain-admission` of *workflow* decided, and why."""
    return {
        each["name"]: each["value"]
        for node in workflow["status"]["nodes"].values()
        for each in node.get("outputs", {}).get("parameters", [])
        if node.get("templateName") == "retrain-admission"
    }


def _customers(story: Story) -> list[dict[str, Any]]:
    return customers.usual(story.golden("staging")["rows"][0]["features"])


def _changed(story: Story) -> list[dict[str, Any]]:
    return [customers.pay_more(row) for row in _customers(story)]


def _load(loop: Loop, name: str, rows: list[dict[str, Any]]) -> Load:
    story = loop.story
    url = f"http://{NAME}-live.{story.staging.namespace}/v1/models/{NAME}:predict"
    bodies = [{"instances": rows[first : first + 20]} for first in range(0, len(rows), 20)]
    return Load(
        story.pipeline.cluster, story.staging.namespace, story.image, url, bodies, name=name, key=access_kit.KEY
    )


def _send(loop: Loop, name: str, rows: list[dict[str, Any]], seconds: int) -> None:
    """Send *rows* all the time for so many seconds, and let them be shipped."""
    story, load = loop.story, _load(loop, name, rows)
    load.start()
    time.sleep(seconds)
    assert load.seen().failures() == {}
    story.pipeline.cluster.kubectl("delete", "pod", name, "--namespace", story.staging.namespace, "--grace-period=1")
    time.sleep(15)  # shipSeconds, and a margin
