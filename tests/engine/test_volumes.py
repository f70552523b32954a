"""Volumes of a run: which outlive it, which are folders of this machine, and which are refused before the first step."""

from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.engine import api
from argosy.engine.options import RunOptions, RunResult
from argosy.engine.state import runs
from argosy.engine.state.object_store import ObjectStore

Run = Callable[..., RunResult]


def mounting(volume: str, *, spec: str = "", command: str = "true", mount: str = "") -> str:
    """A workflow of one step that mounts *volume* at /mnt/v."""
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: wf}}
spec:
  entrypoint: main
  {spec}
  templates:
  - name: main
    volumes: [{volume}]
    container:
      image: any
      command: [sh, -ec, "{command}"]
      volumeMounts: [{{name: v, mountPath: /mnt/v{mount}}}]
"""


CLAIM = "{name: v, persistentVolumeClaim: {claimName: data}}"
TEMPLATES = "volumeClaimTemplates: [{metadata: {name: v}, spec: {}}]"


@pytest.mark.parametrize(
    ("spec", "command", "stays"),
    [
        pytest.param(TEMPLATES, "touch /mnt/v/f", False, id="success"),
        pytest.param(TEMPLATES, "touch /mnt/v/f; false", True, id="failure"),
        pytest.param(
            f"{TEMPLATES}\n  volumeClaimGC: {{strategy: OnWorkflowCompletion}}",
            "touch /mnt/v/f; false",
            False,
            id="failure-and-completion",
        ),
    ],
)
def test_claims_go_with_the_run(spec: str, command: str, stays: bool, run: Run) -> None:
    """The workflow's own claims are removed when it has succeeded; otherwise a retry finds them, unless completion is enough."""
    result = run(mounting("", spec=spec, command=command))
    assert (result.folder / runs.VOLUMES / "wf-v" / "f").exists() is stays


def test_a_claim_is_a_folder_that_the_caller_names(run: Run, tmp_path: Path) -> None:
    """What is there is seen, what is written there stays."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "in").write_text("given", encoding="utf-8")
    result = run(mounting(CLAIM, command="cp /mnt/v/in /mnt/v/out"), volumes={"data": tmp_path / "data"})
    assert result.phase == "Succeeded"
    assert (tmp_path / "data" / "out").read_text(encoding="utf-8") == "given"


def test_a_claim_among_the_files_is_one_folder_for_every_run(
    options: Callable[..., RunOptions], tmp_path: Path
) -> None:
    """As on a cluster, it outlives the runs that mount it."""
    claim = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce]}\n"
    manifest = tmp_path / "wf.yaml"
    manifest.write_text(mounting(CLAIM, command="echo x >> /mnt/v/times") + claim, encoding="utf-8")
    chosen = options()
    for _ in range(2):
        assert api.run(api.prepare(api.load([manifest]), chosen), chosen).phase == "Succeeded"
    assert (chosen.home / "volumes" / "data" / "times").read_text(encoding="utf-8") == "x\nx\n"


def test_a_volume_below_the_root_of_steps_is_where_they_look_for_it(run: Run, tmp_path: Path) -> None:
    """$ARGOSY_ROOT stands for another folder here; a volume below it lies in that one."""
    (tmp_path / "data").mkdir()
    manifest = mounting(CLAIM, command="echo made > $ARGOSY_ROOT/v/out").replace(
        "mountPath: /mnt/v", "mountPath: /argosy/v"
    )
    manifest = manifest.replace("image: any", "image: any\n      env: [{name: ARGOSY_ROOT, value: /argosy}]")
    assert run(manifest, volumes={"data": tmp_path / "data"}).phase == "Succeeded"
    assert (tmp_path / "data" / "out").read_text(encoding="utf-8") == "made\n"


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        pytest.param(
            mounting("{name: ../../out, emptyDir: {}}").replace("name: v,", "name: ../../out,"),
            "volume '../../out': a name has lower case",
            id="name-outside",
        ),
        pytest.param(
            mounting("", spec="volumeClaimTemplates: [{metadata: {name: ../out}}]"),
            r"volumeClaimTemplates\[0\].metadata.name: has lower case",
            id="claim-outside",
        ),
        pytest.param(
            mounting(CLAIM) + "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: ../../out}\n",
            "metadata.name: '../../out' is invalid",
            id="claim-document-outside",
        ),
        pytest.param(
            mounting(CLAIM),
            r"templates\[0\]: the PersistentVolumeClaim 'data' is not.*--volume data=FOLDER",
            id="claim-of-nobody",
        ),
        pytest.param(
            mounting("{name: v, hostPath: {path: /etc}}"),
            "hostPath: not supported by argosy run; hand files on",
            id="host-path",
        ),
        pytest.param(
            mounting("{name: v, secret: {secretName: none}}"),
            "Secret 'none' is not known on this machine",
            id="no-secret",
        ),
        pytest.param(
            mounting("{name: v, configMap: {name: colours, items: [{key: shape, path: s}]}}"),
            "ConfigMap 'colours' has no key 'shape'",
            id="no-key",
        ),
        pytest.param(
            mounting("{name: v, emptyDir: {}}", mount=", subPath: ../x"),
            "subPath '../x' leads out of the volume",
            id="sub-path-outside",
        ),
        pytest.param(mounting("{name: w, emptyDir: {}}"), "volumeMount 'v' names no volume", id="no-volume"),
        pytest.param(
            mounting("", spec="volumeClaimTemplates: [{metadata: {}}]"),
            r"volumeClaimTemplates\[0\].metadata.name: is required",
            id="claim-without-name",
        ),
        pytest.param(
            mounting("", spec=f"{TEMPLATES}\n  volumeClaimGC: {{strategy: Never}}"),
            "volumeClaimGC.strategy: 'Never' is not one of",
            id="claim-strategy",
        ),
    ],
)
def test_what_cannot_be_had_is_refused(manifest: str, message: str, run: Run) -> None:
    """With the template, and what to do."""
    with pytest.raises(errors.Misconfigured, match=message):
        run(manifest, config_maps={"colours": {"colour": "blue"}})


def test_a_key_that_would_leave_its_volume_fails_the_step(run: Run) -> None:
    """Nothing is written outside the volume."""
    volume = "{name: v, configMap: {name: colours, items: [{key: colour, path: ../../out}]}}"
    result = run(mounting(volume), config_maps={"colours": {"colour": "blue"}})
    assert (result.phase, result.message) == ("Error", "'../../out' is not a path inside a volume")


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(
            "outputs: {artifacts: [{name: d, path: /mnt/v/link/new/file, optional: true}]}\n    container:",
            id="an-output",
        ),
        pytest.param("container:\n      workingDir: /mnt/v/link/new", id="the-working-folder"),
    ],
)
def test_no_folder_is_made_through_a_link_that_leads_out(
    wanted: str, options: Callable[..., RunOptions], tmp_path: Path
) -> None:
    """What an earlier step left in a volume does not say where the engine makes folders."""
    (tmp_path / "data").mkdir()
    (tmp_path / "away").mkdir()
    (tmp_path / "data" / "link").symlink_to(tmp_path / "away")
    manifest = tmp_path / "wf.yaml"
    text = mounting(CLAIM, command="true").replace("    container:", f"    {wanted}")
    manifest.write_text(text, encoding="utf-8")
    chosen = options(volumes={"data": tmp_path / "data"})
    result = api.run(api.prepare(api.load([manifest]), chosen), chosen)
    assert not list((tmp_path / "away").iterdir())
    assert result.phase == "Error"
    assert f"would lie in {tmp_path}/away/new, which is in no volume of the step" in result.message


def test_a_step_with_state_is_never_cached(options: Callable[..., RunOptions], tmp_path: Path) -> None:
    """What a volume holds is in no cache key: the step runs each time."""
    (tmp_path / "data").mkdir()
    manifest = tmp_path / "wf.yaml"
    text = mounting(CLAIM, command="echo x >> /mnt/v/times").replace(
        "- name: main", "- name: main\n    metadata: {annotations: {argosy.dev/cache: 'true'}}"
    )
    manifest.write_text(text, encoding="utf-8")
    chosen = options(volumes={"data": tmp_path / "data"})
    for _ in range(2):
        api.run(api.prepare(api.load([manifest]), chosen), chosen)
    assert (tmp_path / "data" / "times").read_text(encoding="utf-8") == "x\nx\n"


def test_links_of_a_volume_are_not_in_a_plain_artifact(options: Callable[..., RunOptions], tmp_path: Path) -> None:
    """A bucket has no links. The volume keeps its own, also those that lead out of it."""
    (tmp_path / "data").mkdir()
    manifest = tmp_path / "wf.yaml"
    command = "mkdir -p /mnt/v/d; echo x > /mnt/v/d/file; ln -s file /mnt/v/d/inner; ln -s /etc/hostname /mnt/v/d/outer"
    outputs = "outputs: {artifacts: [{name: d, path: /mnt/v/d, archive: {none: {}}}]}"
    text = mounting(CLAIM, command=command).replace("- name: main", f"- name: main\n    {outputs}")
    manifest.write_text(text, encoding="utf-8")
    chosen = options(volumes={"data": tmp_path / "data"})
    result = api.run(api.prepare(api.load([manifest]), chosen), chosen)
    assert result.phase == "Succeeded", result.message
    kept = ObjectStore(chosen.home / "objects").path(result.nodes["$"].outputs.artifacts["d"]["stored"]["digest"])
    assert sorted(entry.name for entry in kept.iterdir()) == ["file"]
    assert sorted(entry.name for entry in (tmp_path / "data" / "d").iterdir()) == ["file", "inner", "outer"]
