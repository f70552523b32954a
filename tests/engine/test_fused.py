"""A pod of several steps, run as the manifest of a fused pod says: which exit code is the pod's, what is tried again, who is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.argo import Phase
from argosy.engine.options import RunOptions, RunResult
from argosy.engine.state import runs
from argosy.templates.container_sets import RETRYABLE
from kit.manifests import ENTRYPOINT

Run = Callable[..., RunResult]

MANIFEST = (
    ENTRYPOINT
    + """\
  volumes: [{name: files, emptyDir: {}}]
  templates:
    - name: main
      retryStrategy: {limit: 3, expression: RETRYABLE}
      inputs: {artifacts: [{name: given, path: /argosy/in/given, raw: {data: given}}]}
      outputs:
        artifacts: [{name: made, path: /argosy/out/made, archive: {none: {}}}]
        parameters: [{name: told, valueFrom: {path: /argosy/results/told}}]
      containerSet:
        volumeMounts: [{name: files, mountPath: /argosy}]
        containers:
          - name: one
            image: any
            command: [sh, -ec, 'mkdir -p $ARGOSY_ROOT/out; cat $ARGOSY_ROOT/in/given > $ARGOSY_ROOT/out/made; touch $HOME/own; ONE']
            env: &env [{name: ARGOSY_ROOT, value: /argosy}, {name: TRY, value: "{{retries}}"}]
            volumeMounts: [{name: files, mountPath: /tmp, subPath: tmp/one}]
          - name: two
            image: any
            dependencies: [one]
            command: [sh, -ec, 'cd $ARGOSY_ROOT; mkdir -p results; cp out/made results/told; test ! -e $HOME/own; TWO']
            env: *env
            volumeMounts: [{name: files, mountPath: /tmp, subPath: tmp/two}]
          - name: main
            image: any
            dependencies: [one, two]
            command: ["true"]
            env: *env
            volumeMounts: [{name: files, mountPath: /tmp, subPath: tmp/main}]
"""
)


def manifest(*, one: str = "true", two: str = "true") -> str:
    """A pod of two steps that end by *one* and *two*."""
    return MANIFEST.replace("RETRYABLE", f"'{RETRYABLE}'").replace("ONE", one).replace("TWO", two)


def test_the_steps_share_their_files_and_nothing_else(run: Run, tmp_path: Path) -> None:
    """What one leaves below $ARGOSY_ROOT the next one finds; /tmp is its own. Outputs are the pod's, and its volumes go with it."""
    result = run(manifest())
    assert result.phase == Phase.SUCCEEDED
    pod = result.nodes["$(0)"]
    assert pod.outputs is not None
    assert pod.outputs.parameters == {"told": "given"}
    assert list(pod.outputs.artifacts) == ["made"]
    nodes = runs.newest_first(tmp_path / "home")[0].path / "nodes"
    assert {path.name for path in nodes.rglob("*") if not path.is_dir()} == {"main.log"}


@pytest.mark.parametrize("view", [True, False], ids=["with-a-view", "without"])
def test_no_view_of_the_file_system_is_needed(
    view: bool, options: Callable[..., RunOptions], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a fused pod mounts is what a step has anyhow: it runs where the kernel gives processes no files of their own."""
    from argosy.engine.processes import isolation

    if not view:
        none = isolation.Isolation("none", "for the test")
        monkeypatch.setattr(isolation, "here", lambda: none)
    text = manifest(one=": ", two=": ")
    assert run(text).phase == Phase.SUCCEEDED


@pytest.mark.parametrize(
    ("failing", "named"),
    [
        pytest.param({"one": "test $TRY = 1 || exit 75"}, 'dependency "one" exited with non-zero code: 75', id="first"),
        pytest.param({"two": "test $TRY = 1 || exit 75"}, 'dependency "two" exited with non-zero code: 75', id="last"),
        pytest.param(
            {"two": "test $TRY = 1 || kill -9 $$"}, 'dependency "two" exited with non-zero code: 137', id="killed"
        ),
    ],
)
def test_what_can_help_is_tried_again(run: Run, failing: dict[str, str], named: str) -> None:
    """The whole pod, whichever of its steps failed; the attempt's message says which one it was, and its code."""
    result = run(manifest(**failing))
    assert result.phase == Phase.SUCCEEDED
    assert result.nodes["$(0)"].message.endswith(named)
    assert "$(2)" not in result.nodes


@pytest.mark.parametrize("step", ["one", "two"])
@pytest.mark.parametrize("code", [10, 78, 1])
def test_what_cannot_help_is_not(run: Run, step: str, code: int) -> None:
    """A no stays a no, and the command leaves with the code of the step that said it."""
    result = run(manifest(**{step: f"exit {code}"}))
    assert (result.phase, result.exit_code) == (Phase.FAILED, code)
    assert f'dependency "{step}" exited with non-zero code: {code}' in result.nodes["$(0)"].message
    assert result.nodes[f"$(0).{step}"].message == f"{step}: Error (exit code {code}): "
    assert "$(1)" not in result.nodes
