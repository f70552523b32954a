"""A language model on a cluster: its pipeline ends as it does on a laptop, and its request is merged like any other.

Offline: the answerer takes sentences of the documents, the judge counts words. conftest.py and pipeline_kit.py say what must be there.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e import story_kit
from e2e.cluster import ROOT, Cluster
from e2e.gitops_kit import git
from e2e.serving_release import Store
from e2e.story_kit import Story

pytestmark = [pytest.mark.needs("argo-workflows", "argo-cd", "argo-rollouts", "kserve"), pytest.mark.timeout(1500)]

MODEL = ROOT / "workflows" / "support_answers"


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


def test_its_request_is_merged(story: Story) -> None:
    """By the same checks; the environment repo names the version afterwards, and what is served of other models goes on."""
    request = story.open_request("staging")
    story.pipeline.argosy("pr", "merge", str(request.number), "--as", "ada")
    text = git("show", f"main:models/{MODEL.name}/staging/version.yaml", at=story.pipeline.repository)
    assert request.subject.model_digest in text
