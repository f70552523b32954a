"""Where the paths of a manifest lie, and which of them need a view of the file system."""

from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from argosy.engine.attempts.workspace import PathFailure, Workspace
from argosy.engine.manifest.model import Template
from argosy.engine.manifest.pod_model import Volume


def template(
    *, env: list[dict[str, str]] | None = None, mounts: list[dict[str, str]] | None = None, **more: Any
) -> Template:
    """A container template."""
    container = {"image": "x", "command": ["x"], "env": env or [], "volumeMounts": mounts or []}
    return Template({"container": container, **more})


ROOTED = [{"name": "ARGOSY_ROOT", "value": "/argosy"}]
VOLUMES = [Volume({"name": "v", "emptyDir": {}})]


def test_root_needs_no_view(tmp_path: Path) -> None:
    """Paths under $ARGOSY_ROOT, volumes there and at /tmp: all in the attempt's own folders."""
    given = template(
        env=ROOTED,
        mounts=[{"name": "v", "mountPath": "/argosy"}, {"name": "v", "mountPath": "/tmp"}],
        outputs={"artifacts": [{"name": "o", "path": "/argosy/out/o"}]},
        inputs={"artifacts": [{"name": "i", "path": "/tmp/i"}]},
    )
    workspace = Workspace(tmp_path, given, VOLUMES)
    assert workspace.needs_view() is None
    assert workspace.path("/argosy/out/o") == tmp_path / "root/out/o"
    assert workspace.path("/tmp/i") == tmp_path / "tmp/i"
    assert workspace.translated("/argosy") == str(tmp_path / "root")
    assert workspace.translated("/elsewhere") == "/elsewhere"


def test_other_paths_are_shown(tmp_path: Path) -> None:
    """An output's folder, an input by itself, a volume."""
    given = template(
        mounts=[{"name": "v", "mountPath": "/mnt/v"}],
        outputs={"parameters": [{"name": "p", "valueFrom": {"path": "/data/out/p"}}]},
        inputs={"artifacts": [{"name": "i", "path": "/etc/app.conf"}]},
    )
    workspace = Workspace(tmp_path / "a", given, VOLUMES)
    workspace.prepare()
    assert {str(shown.target) for shown in workspace.shown()} == {"/data/out", "/mnt/v"}
    workspace.path("/etc/app.conf").parent.mkdir(parents=True)
    workspace.path("/etc/app.conf").touch()
    assert PurePosixPath("/etc/app.conf") in {shown.target for shown in workspace.shown()}
    assert workspace.needs_view() is not None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("/etc/x", "lies in /etc, which a process of this machine needs", id="system"),
        pytest.param("/etc", "'/etc' is a folder which a process of this machine needs", id="system-itself"),
        pytest.param("relative", "not a plain absolute path", id="relative"),
        pytest.param("/a/../b", "not a plain absolute path", id="dots"),
    ],
)
def test_refused(path: str, message: str, tmp_path: Path) -> None:
    """An output whose folder every process needs cannot have one of its own."""
    with pytest.raises(PathFailure, match=message):
        Workspace(tmp_path, template(outputs={"artifacts": [{"name": "o", "path": path}]}), [])


def test_a_mount_without_a_volume(tmp_path: Path) -> None:
    """A volumeMount must name a volume."""
    with pytest.raises(PathFailure, match="'v' names no volume"):
        Workspace(tmp_path, template(mounts=[{"name": "v", "mountPath": "/v"}]), [])


def test_prepare_begins_anew(tmp_path: Path) -> None:
    """What a killed attempt left is not there for the next."""
    workspace = Workspace(tmp_path / "a", template(env=ROOTED), [])
    workspace.prepare()
    (workspace.root / "left").touch()
    workspace.log.touch()
    workspace.prepare()
    assert list(workspace.root.iterdir()) == []
    workspace.log.touch()
    workspace.clear()
    assert [entry.name for entry in workspace.folder.iterdir()] == ["main.log"]
