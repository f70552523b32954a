"""What comes after the first model, typed as docs/operations.md says, on a cluster: a run as of an earlier moment, a rollback, collecting
garbage, a registry that was lost, a retirement. One story; each test begins where the one before ended.

conftest.py and pipeline_kit.py say what must be there.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from argosy import errors
from argosy.cli import main
from argosy.domain.promotion_requests import State
from e2e import story_kit
from e2e.cluster import Cluster
from e2e.gitops_kit import git
from e2e.serving_release import Store
from e2e.story_kit import NAME, Story

pytestmark = [pytest.mark.needs("argo-workflows", "argo-cd", "argo-rollouts", "kserve"), pytest.mark.timeout(3000)]

FEW = {"search": {"trials": 10, "per_round": 10, "per_task": 10}}


@pytest.fixture(scope="module")
def story(cluster: Cluster, store: Store, prometheus: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A project, a forge behind a git server, two environments and the namespace of the pipeline; nothing has run yet."""
    with story_kit.begin(cluster, store, prometheus, tmp_path_factory.mktemp("project"), settings=FEW) as begun:
        yield begun


@pytest.mark.parametrize("seed", [7, 8])
def test_a_model_is_served(story: Story, capfd: pytest.CaptureFixture[str], seed: int) -> None:
    """One after the other, in staging; from the first on it is asked all the time."""
    story.pipeline.install_template(seed=seed, **FEW)
    there = story_kit.ended(story, story_kit.submitted(story, capfd), capfd)
    assert there["verdict"] == "promote"
    story.digests.append(there["model-digest"])
    story.merge(story.open_request("staging"))
    story.wait_served("staging", there["model-digest"], 600)
    story_kit.ask(story, "staging")
    if story.load is None:
        story.load = story_kit.load_of(story)
        story.load.start()


def test_a_run_as_of_an_earlier_moment_proposes_nothing(story: Story, capfd: pytest.CaptureFixture[str]) -> None:
    """Its model is judged by the gates, and nobody is asked; before there was a row, it ends with one line."""
    before = [each.number for each in story.forge.requests()]
    there = story_kit.ended(story, _submitted_as_of(story, capfd, "2019-12-01"), capfd)
    assert there["verdict"] == "promote"
    early = _submitted_as_of(story, capfd, "2019-09-01")
    code = main.run(["watch", early, "--namespace", story.pipeline.namespace])
    said = capfd.readouterr().out
    assert code != errors.DONE
    assert main.run(["logs", early, "ingest(0)", "--namespace", story.pipeline.namespace]) == errors.DONE
    said += capfd.readouterr().out
    assert "2019-10-01" in said
    assert [each.number for each in story.forge.requests()] == before


def test_a_rollback_serves_the_model_before(story: Story) -> None:
    """One command: the request is opened, checked and merged, and the pods have the model before; typed twice, it is done once."""
    words = ("rollback", NAME, "--env", "staging", "--reason", "callers complain", "--merge", "--as", "ada")
    story.pipeline.argosy(*words)
    story.pipeline.give_forge()
    story.staging.refresh()
    story.wait_served("staging", story.digests[0], 600)
    story_kit.ask(story, "staging")
    numbers = [each.number for each in story.forge.requests()]
    story.pipeline.argosy(*words)
    assert [each.number for each in story.forge.requests()] == numbers


def test_garbage_is_nothing_that_is_served(story: Story) -> None:
    """What `gc --all` lists says why it stays; what it deletes leaves servers and requests whole."""
    lines = [json.loads(line) for line in story.pipeline.argosy("gc", "--all", "--json").splitlines()]
    assert any(story.digests[0].removeprefix("sha256:")[:12] in json.dumps(line) for line in lines)
    story.pipeline.argosy("gc", "--delete")
    story_kit.ask(story, "staging")


def test_a_lost_registry_goes_on_after_main(story: Story, tmp_path: Path) -> None:
    """`pr sync-registry --rebuild` into an empty one: main's version has its number and digest again."""
    empty = f"sqlite:///{tmp_path}/mlflow.db"
    story.pipeline.argosy("pr", "sync-registry", "--rebuild", ARGOSY_TRACKING_URI=empty)
    story.pipeline.argosy("pr", "sync-registry", ARGOSY_TRACKING_URI=empty)
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as found:
        tags = found.execute("SELECT version, value FROM model_version_tags WHERE name = ?", (NAME,)).fetchall()
    text = git("show", f"main:models/{NAME}/staging/version.yaml", at=story.pipeline.repository)
    version = int(yaml.safe_load(text)["version"])
    assert (version, story.digests[0]) in tags


def test_a_retired_model_is_served_no_more(story: Story, capfd: pytest.CaptureFixture[str]) -> None:
    """Its request merged, Argo CD removes what served it, and its pipeline stops at its first step, with the reason."""
    story.pipeline.argosy("retire", NAME, "--reason", "nobody asks", "--as", "ada", "--although-used")
    asked = [each for each in story.forge.requests() if each.state is State.OPEN]
    for request in asked:
        story.merge(request)
    cluster, staging = story.pipeline.cluster, story.staging
    cluster.wait("Argo CD to remove it", lambda: not staging.application(NAME), 240)
    cluster.wait(
        "its pods to go", lambda: not cluster.list("pods", staging.namespace, f"app=isvc.{NAME}-predictor"), 180
    )
    assert "retired.yaml" in git("ls-tree", "-r", "--name-only", "main", at=story.pipeline.repository)
    run = story_kit.submitted(story, capfd)
    assert main.run(["watch", run, "--namespace", story.pipeline.namespace]) == errors.Rejected.exit_code
    assert main.run(["logs", run, "champion(0)", "--namespace", story.pipeline.namespace]) == errors.DONE
    assert "nobody asks" in capfd.readouterr().out


def _submitted_as_of(story: Story, capfd: pytest.CaptureFixture[str], moment: str) -> str:
    """The name of a run of the pipeline as of *moment*."""
    capfd.readouterr()
    words = ["submit", NAME, "--namespace", story.pipeline.namespace, "-p", f"data={story.data}", "--as-of", moment]
    assert main.run(words) == errors.DONE
    return capfd.readouterr().out.split()[1]
