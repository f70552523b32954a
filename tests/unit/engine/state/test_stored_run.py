"""What a run's folder keeps is what an engine of another day reads."""

import json
from pathlib import Path
from typing import Any

from argosy.engine.options import Cluster, Place, Prepared, RunOptions
from argosy.engine.state import runs
from argosy.engine.state.stored_run import StoredRun

KEYS = [
    "workflow",
    "spec",
    "metadata",
    "arguments",
    "others",
    "engineOfContainers",
    "uid",
    "created",
    "configMaps",
    "useCache",
    "workingFolder",
    "allowed",
    "processImages",
    "trustsReads",
    "secretFiles",
    "repository",
    "cluster",
    "volumes",
]


def stored(tmp_path: Path) -> StoredRun:
    """A run with something in every field."""
    prepared = Prepared(
        workflow="wf",
        run="wf-1",
        spec={"entrypoint": "main"},
        metadata={"namespace": "mine"},
        arguments={"parameters": []},
        others={"WorkflowTemplate/t": {"templates": []}},
        config_maps={"c": {"k": "v"}},
        engine_of_containers="podman",
        secret_files=("s.yaml",),
        volumes={"claim": Path("folder")},
        repository={"bucket": "b"},
    )
    options = RunOptions(home=tmp_path, process_images=("any",), working_folder=tmp_path, cluster=Cluster("c", "ns"))
    return StoredRun.of(prepared, options, (Place(tmp_path, writable=True),))


def _written(tmp_path: Path) -> dict[str, Any]:
    text = (tmp_path / "runs" / "wf-1" / runs.MANIFEST).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def test_what_is_kept_is_read(tmp_path: Path) -> None:
    """Everything comes back as it was, and the file's keys are those of every version, in their order."""
    folder, run = runs.create(tmp_path, "wf-1"), stored(tmp_path)
    run.keep(folder)
    assert list(_written(tmp_path)) == KEYS
    assert StoredRun.read(folder) == run
    assert run.volumes == {"claim": Path("folder").absolute()}


def test_a_folder_of_an_older_version(tmp_path: Path) -> None:
    """A run that began before steps were shown what they name goes on, and shows nothing more than it did."""
    folder = runs.create(tmp_path, "wf-1")
    stored(tmp_path).keep(folder)
    older = {
        key: value
        for key, value in _written(tmp_path).items()
        if key not in ("allowed", "trustsReads", "processImages")
    }
    folder.write_manifest(older)
    found = StoredRun.read(folder)
    assert (found.allowed, found.trusts_reads, found.process_images) == ((), False, ())
