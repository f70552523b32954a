"""Artifacts in a repository that the given files name: saved and loaded with the keys of a Secret, of which no run keeps anything."""

from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.engine import api
from argosy.engine.options import RunOptions
from kit.manifests import ENTRYPOINT
from kit.s3_server import s3_server

Options = Callable[..., RunOptions]

WORKFLOW = (
    ENTRYPOINT
    + """\
  artifactRepositoryRef: {key: ours}
  templates:
    - name: main
      steps:
        - [{name: make, template: make}]
        - [{name: use, template: use}]
    - name: make
      container: {image: any, command: [sh, -ec, "echo made > /tmp/f"]}
      outputs: {artifacts: [{name: f, path: /tmp/f, archive: {none: {}}, s3: {key: "kept/{{workflow.name}}"}}]}
    - name: use
      inputs: {artifacts: [{name: f, path: /tmp/f, s3: {key: "kept/{{workflow.name}}"}}]}
      container: {image: any, command: [sh, -ec, "test -e GATE; grep made /tmp/f"]}
"""
)

RESOURCES = """
apiVersion: v1
kind: ConfigMap
metadata: {name: artifact-repositories}
data:
  ours: |
    s3:
      endpoint: ENDPOINT
      bucket: artifacts
      insecure: true
      keyFormat: "{{workflow.name}}"
      accessKeySecret: {name: store, key: access}
      secretKeySecret: {name: store, key: secret}
---
apiVersion: v1
kind: Secret
metadata: {name: store}
data: {access: YXJnb3N5}
stringData: {secret: very-hidden}
"""


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str], list[Path]]:
    """The files of a run whose repository is at an endpoint."""

    def write(endpoint: str) -> list[Path]:
        (tmp_path / "wf.yaml").write_text(WORKFLOW.replace("GATE", str(tmp_path / "gate")), encoding="utf-8")
        (tmp_path / "resources.yaml").write_text(RESOURCES.replace("ENDPOINT", endpoint), encoding="utf-8")
        return [tmp_path / "wf.yaml", tmp_path / "resources.yaml"]

    return write


def test_a_run_keeps_and_finds_its_keys_there(
    files: Callable[[str], list[Path]], options: Options, tmp_path: Path
) -> None:
    """Also when it is resumed: the Secret is read from its file again, for nothing of it is kept with the run."""
    buckets: dict[str, dict[str, bytes]] = {"artifacts": {}}
    with s3_server(buckets) as endpoint:
        chosen = options(working_folder=tmp_path)
        result = api.run(api.prepare(api.load(files(endpoint)), chosen), chosen)
        assert result.phase == "Failed"  # the gate is not there yet
        (tmp_path / "gate").touch()
        assert api.resume(chosen.home, result.run, chosen).phase == "Succeeded"
    assert buckets["artifacts"]["kept/wf"] == b"made\n"
    written = b"".join(path.read_bytes() for path in chosen.home.rglob("*") if path.is_file())
    assert b"kept/wf" in written
    assert b"very-hidden" not in written


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("key: ours", "key: theirs", "config map missing key 'theirs'", id="no-such-repository"),
        pytest.param("endpoint: ENDPOINT", "endpoin: x", r"data.ours: s3.endpoin: unknown field; did you mean 'endpoint'", id="typo"),
        pytest.param("      bucket: artifacts\n", "", "s3.bucket: is required", id="no-bucket"),
        pytest.param("    s3:", "    gcs:", "gcs: not supported by argosy run", id="other-store"),
        pytest.param("YXJnb3N5", "argosy!", "data.access is not text in base64", id="secret-not-base64"),
        pytest.param("{name: store, key: access}", "{name: store, key: other}", "Secret 'store' with the key 'other'", id="secret-unknown"),
    ],
)  # fmt: skip
def test_a_repository_that_is_not_right_is_refused(
    old: str, new: str, message: str, files: Callable[[str], list[Path]], options: Options
) -> None:
    """Before the first step, with the place in the file."""
    paths = files("ENDPOINT")
    for path in paths:
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(errors.Misconfigured, match=message):
        api.prepare(api.load(paths), options())


def test_two_locations_are_refused(files: Callable[[str], list[Path]], options: Options) -> None:
    """An artifact lies in one place."""
    paths = files("127.0.0.1:1")
    text = paths[0].read_text(encoding="utf-8").replace("archive: {none: {}}", "raw: {data: x}")
    paths[0].write_text(text, encoding="utf-8")
    with pytest.raises(errors.Misconfigured, match=r"artifacts\[0\]: at most one artifact location .* s3 and raw"):
        api.prepare(api.load(paths), options())


def test_an_artifact_whose_secret_is_not_known_is_refused(files: Callable[[str], list[Path]], options: Options) -> None:
    """The path of the artifact is told, and what to do."""
    paths = files("127.0.0.1:1")
    secret = "http: {url: 'http://127.0.0.1:1', auth: {basicAuth: {usernameSecret: {name: a, key: b}}}}"
    paths[0].write_text(
        paths[0].read_text(encoding="utf-8").replace('s3: {key: "kept/{{workflow.name}}"}', secret), encoding="utf-8"
    )
    with pytest.raises(errors.Misconfigured, match=r"spec.templates\[1\].outputs.artifacts\[0\]: needs the Secret 'a'"):
        api.prepare(api.load(paths), options())
