"""What becomes of ``resources.limits`` on one machine."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.engine import api
from argosy.engine.attempts import memory
from argosy.engine.options import RunOptions, RunResult

MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
    - name: main
      container:
        image: any
        command: [python, -c, "b = bytearray(200 << 20); print(len(b))"]
        resources: {limits: {memory: 64Mi, cpu: "1"}, requests: {memory: 1Mi}}
"""


def test_a_step_beyond_its_limit_ends_as_on_a_cluster(run: Callable[..., RunResult]) -> None:
    """The words, the code and the phase are those that the controller was recorded leaving; without control groups it just runs."""
    result = run(MANIFEST)
    (node,) = result.nodes.values()
    assert node.outputs is not None
    if memory.is_limited():
        assert (str(node.phase), node.message, node.outputs.exit_code) == (
            "Failed",
            "main: OOMKilled (exit code 137)",
            "137",
        )
    else:
        assert (str(node.phase), node.outputs.exit_code) == ("Succeeded", "0")


CHAIN = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
    - name: main
      steps: [[{name: small, template: small}], [{name: large, template: large}]]
    - name: small
      container: {image: any, command: [sh, -c, "true"], resources: {limits: {memory: 32Mi}}}
    - name: large
      container: {image: any, command: [sh, -c, "head -c 100000000 /dev/zero | tail -c 90000000 | wc -c"]}
"""


def test_a_limit_is_that_of_one_step(run: Callable[..., RunResult]) -> None:
    """The next step, which has none, is not held to it, and no control group is left."""
    assert run(CHAIN).phase == "Succeeded"
    assert [group for group in memory.left() if group.name.startswith(f"argosy-{os.getpid()}-")] == []


@pytest.mark.parametrize("limited", [True, False])
def test_what_has_no_effect_is_listed(
    limited: bool, options: Callable[..., RunOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit that nobody holds a step to is said at the start."""
    monkeypatch.setattr(memory, "is_limited", lambda: limited)
    (tmp_path / "wf.yaml").write_text(MANIFEST, encoding="utf-8")
    ignored = api.prepare(api.load([tmp_path / "wf.yaml"]), options()).ignored
    assert "resources.limits.cpu" in ignored
    assert ("resources.limits.memory" in ignored) is not limited


def test_a_limit_that_is_no_quantity_is_refused(run: Callable[..., RunResult]) -> None:
    """With its path."""
    with pytest.raises(
        errors.Misconfigured, match=r"templates\[0\].*resources.limits.memory: '64MB' is not a quantity"
    ):
        run(MANIFEST.replace("64Mi", "64MB"))
