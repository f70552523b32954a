"""Steps of other images: the command line for podman or docker."""

from pathlib import Path
from typing import Any

import pytest

from argosy.engine.attempts import containers
from argosy.engine.attempts.workspace import PathFailure, Workspace
from argosy.engine.effects import StartPod
from argosy.engine.manifest.model import Template
from argosy.engine.manifest.pod_model import Volume


def launch(
    tmp_path: Path,
    template: dict[str, Any],
    variables: dict[str, str],
    program: str | None = "podman",
    volumes: Any = (),
) -> tuple[str, ...]:
    """The argument list for *template*."""
    workspace = Workspace(
        tmp_path / "wf" / "nodes" / "n" / "0", Template(template), [Volume(volume) for volume in volumes]
    )
    request = StartPod("wf", Template(template), [], keeps_result=False, deadline=None, limit=None)
    return containers.launch(program, request, workspace, variables).argv


def test_container(tmp_path: Path) -> None:
    """Files are bound where the manifest wants them; values go by the environment, never on the command line."""
    template = {
        "container": {"image": "alpine:3", "command": ["sh", "-c"], "args": ["echo $(A)"], "workingDir": "/w"},
        "outputs": {"artifacts": [{"name": "o", "path": "/data/o"}]},
    }
    argv = launch(tmp_path, template, {"A": "secret"})
    assert argv[:4] == ("podman", "run", "--rm", "--init")
    assert argv[-5:] == ("--entrypoint", "sh", "alpine:3", "-c", "echo secret")
    assert "--workdir" in argv
    folder = tmp_path / "wf/nodes/n/0"
    assert f"{folder}/files/data:/data" in argv
    assert f"{folder}/tmp:/tmp" in argv
    assert argv[argv.index("--env") + 1] == "A"


def test_script_and_image_entrypoint(tmp_path: Path) -> None:
    """A script's source is bound; without a command the image's own program runs."""
    script = launch(tmp_path, {"script": {"image": "python", "command": ["python"], "source": "1"}}, {})
    assert script[-4:] == ("--entrypoint", "python", "python", containers.SCRIPT)
    assert f"{tmp_path}/wf/nodes/n/0/script:{containers.SCRIPT}" in script
    assert launch(tmp_path, {"container": {"image": "i", "args": ["x"]}}, {})[-2:] == ("i", "x")


def test_volumes_and_limits(tmp_path: Path) -> None:
    """What a step may not write to is bound read-only; its limit on memory is the container engine's business."""
    template = {
        "container": {
            "image": "i",
            "resources": {"limits": {"memory": "64Mi"}},
            "volumeMounts": [{"name": "c", "mountPath": "/c"}, {"name": "e", "mountPath": "/e"}],
        }
    }
    volumes = [{"name": "c", "configMap": {"name": "colours"}}, {"name": "e", "emptyDir": {}}]
    argv = launch(tmp_path, template, {}, volumes=volumes)
    folder = tmp_path / "wf/nodes/n/0/volumes"
    assert f"{folder}/c:/c:ro" in argv
    assert f"{folder}/e:/e" in argv
    assert argv[argv.index("--memory") + 1] == str(64 << 20)


def test_no_engine(tmp_path: Path) -> None:
    """Without podman and docker the step cannot run."""
    with pytest.raises(PathFailure, match="the run began with none; resume it with --local-image"):
        launch(tmp_path, {"container": {"image": "i"}}, {}, None)
