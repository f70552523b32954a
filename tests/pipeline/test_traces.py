"""Whoever holds anything that a run made finds the commit, the files, the manifest, the code and the data it came from."""

import contextlib
import json
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from argosy.domain.documents import sha256
from argosy.domain.evidence import Evidence

pytestmark = pytest.mark.slow

Finished = tuple[Any, dict[str, Any]]


def evidence_folder(finished: Finished) -> Path:
    """Where what the evaluation wrote about the run's model lies."""
    project, result = finished
    return next(
        path.parent
        for path in project.home.glob("objects/*/*/evidence.json")
        if json.loads(path.read_bytes())["model_digest"] == result["model_digest"]
    )


def test_evidence_card_and_report(finished: Finished) -> None:
    """The evidence names the commit, that the files were those of it, the manifest as it was compiled, the code; both texts show it."""
    project, _ = finished
    folder = evidence_folder(finished)
    evidence = Evidence.model_validate_json((folder / "evidence.json").read_bytes())
    git = ["git", "-C", str(project.folder), "rev-parse", "HEAD"]
    commit = subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip()
    origin = evidence.provenance
    assert (origin.commit, origin.tree) == (commit, "clean")
    assert origin.manifest == sha256((project.folder / "workflows/churn/pipeline.yaml").read_bytes())
    assert origin.code is not None
    assert origin.doubts() == []
    for name in ("evidence.md", "model-card.md"):
        text = (folder / name).read_text(encoding="utf-8")
        assert [
            one for one in (commit, origin.manifest, origin.code, evidence.snapshot_digest) if one not in text
        ] == []


def test_run_of_the_registry_and_lineage(finished: Finished) -> None:
    """MLflow's run has the same as tags, where its own page looks for the commit, too; the data's lineage has the commit."""
    project, _ = finished
    evidence = Evidence.model_validate_json((evidence_folder(finished) / "evidence.json").read_bytes())
    database = f"file:{project.home}/registry/mlflow.db?mode=ro"
    with contextlib.closing(sqlite3.connect(database, uri=True)) as connection:
        tags = dict(connection.execute("select key, value from tags").fetchall())
    origin = evidence.provenance
    assert tags["git_commit"] == tags["mlflow.source.git.commit"] == tags["code_version"] == origin.commit
    assert (tags["tree"], tags["manifest_digest"], tags["code_digest"]) == ("clean", origin.manifest, origin.code)
    assert tags["snapshot_digest"] == evidence.snapshot_digest
    (lineage,) = [
        json.loads(path.read_bytes()) for path in project.home.glob("registry/artifacts/**/data/lineage.json")
    ]
    assert (lineage["code_version"], lineage["snapshot_digest"]) == (origin.commit, evidence.snapshot_digest)


def test_the_request(finished: Finished) -> None:
    """The reviewer reads it in the request itself."""
    project, _ = finished
    evidence = Evidence.model_validate_json((evidence_folder(finished) / "evidence.json").read_bytes())
    number = next(word.strip("#") for word in project.call("pr", "list").stdout.split() if word.strip("#").isdigit())
    body = project.call("pr", "view", number, "--raw").stdout
    origin = evidence.provenance
    assert [
        one for one in (origin.commit, origin.manifest, origin.code, evidence.snapshot_digest) if one not in body
    ] == []


def test_nobody_makes_it_up(finished: Finished) -> None:
    """A run says where it comes from by git and its manifest, and takes nobody's word."""
    project, _ = finished
    done = project.call("run", "churn", "-p", "provenance={}")
    assert done.returncode == 2
    assert "nobody but git and the manifest says where a run comes from" in done.stderr
