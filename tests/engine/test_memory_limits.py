"""What becomes of ``resources.limits`` on one machine."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.argo import NodeType
from argosy.engine import api
from argosy.engine.attempts import memory_limits
from argosy.engine.options import RunOptions, RunResult
from argosy.templates import container_templates
from kit.manifests import TEMPLATES

MANIFEST = (
    TEMPLATES
    + """\
    - name: main
      container:
        image: any
        command: [python, -c, "b = bytearray(200 << 20); print(len(b))"]
        resources: {limits: {memory: 64Mi, cpu: "1"}, requests: {memory: 1Mi}}
"""
)


def test_a_step_beyond_its_limit_ends_as_on_a_cluster(run: Callable[..., RunResult]) -> None:
    """The words, the code and the phase are those that the controller was recorded leaving; without control groups it just runs."""
    result = run(MANIFEST)
    (node,) = result.nodes.values()
    assert node.outputs is not None
    if memory_limits.is_limited():
        assert (str(node.phase), node.message, node.outputs.exit_code) == (
            "Failed",
            "main: OOMKilled (exit code 137)",
            "137",
        )
    else:
        assert (str(node.phase), node.outputs.exit_code) == ("Succeeded", "0")


CHAIN = (
    TEMPLATES
    + """\
    - name: main
      steps: [[{name: small, template: small}], [{name: large, template: large}]]
    - name: small
      container: {image: any, command: [sh, -c, "true"], resources: {limits: {memory: 32Mi}}}
    - name: large
      container: {image: any, command: [sh, -c, "head -c 100000000 /dev/zero | tail -c 90000000 | wc -c"]}
"""
)


def test_a_limit_is_that_of_one_step(run: Callable[..., RunResult]) -> None:
    """The next step, which has none, is not held to it, and no control group is left."""
    assert run(CHAIN).phase == "Succeeded"
    assert [group for group in memory_limits.left() if group.name.startswith(f"argosy-{os.getpid()}-")] == []


@pytest.mark.parametrize("limited", [True, False])
def test_what_has_no_effect_is_listed(
    limited: bool, options: Callable[..., RunOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit that nobody holds a step to is said at the start."""
    monkeypatch.setattr(memory_limits, "is_limited", lambda: limited)
    (tmp_path / "wf.yaml").write_text(MANIFEST, encoding="utf-8")
    ignored = api.prepare(api.load([tmp_path / "wf.yaml"]), options()).ignored
    assert "resources.limits.cpu" in ignored
    assert ("resources.limits.memory" in ignored) is not limited


def test_a_limit_that_is_no_quantity_is_refused(run: Callable[..., RunResult]) -> None:
    """With its path."""
    with pytest.raises(
        errors.Misconfigured, match=r"templates\[0\].*resources.limits\['memory'\]: '64MB' is no quantity"
    ):
        run(MANIFEST.replace("64Mi", "64MB"))


@pytest.mark.skipif(not memory_limits.is_limited(), reason="no control groups here")
def test_what_was_short_is_said_with_what_raises_it(run: Callable[..., RunResult]) -> None:
    """The limit, the most it had, and the field, at the end of the step's log."""
    result = run(MANIFEST)
    (log,) = result.folder.glob("nodes/*/0/main.log")
    said = log.read_text(encoding="utf-8").splitlines()[-1]
    assert re.fullmatch(
        r"argosy: killed for memory: its limit is 64Mi \(64 MiB\), and it had 6[34] MiB when it asked for more\. "
        r"With that limit it would be killed again; raise resources\.limits\.memory of the template 'main'",
        said,
    )


@pytest.mark.skipif(not memory_limits.is_limited(), reason="no control groups here")
@pytest.mark.parametrize(
    ("expression", "attempts"),
    [
        pytest.param(container_templates.RETRYABLE, 1, id="ours"),
        pytest.param("lastRetry.exitCode == '137'", 3, id="of-others"),
    ],
)
def test_a_limit_that_was_too_low_stays_too_low(expression: str, attempts: int, run: Callable[..., RunResult]) -> None:
    """A step of ours is not tried again with it; a manifest that says otherwise is obeyed, as on a cluster."""
    strategy = json.dumps({"limit": 2, "expression": expression})
    result = run(MANIFEST.replace("    - name: main\n", f"    - name: main\n      retryStrategy: {strategy}\n"))
    assert result.exit_code == 137
    assert len([node for node in result.nodes.values() if node.type is NodeType.POD]) == attempts
