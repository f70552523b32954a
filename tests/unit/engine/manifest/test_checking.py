"""Fields that change nothing on one machine are taken and listed."""

from pathlib import Path

import pytest

from argosy.engine.manifest import checking, loading

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: wf}}
spec:
  entrypoint: main
  podSpecPatch: '{patch}'
  templates: [{{name: main, container: {{image: any, command: ["true"]}}}}]
"""


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param(
            '{"containers": [{"name": "main", "resources": {"limits": {{inputs.parameters.r}}}}]}', id="limits"
        ),
        pytest.param('nodeSelector: {disk: "{{workflow.parameters.disk}}"}', id="where-to-run"),
    ],
)
def test_a_patch_of_what_one_machine_has_no_use_for(patch: str, tmp_path: Path) -> None:
    """Limits and scheduling are the cluster's business; the run says that it met the patch."""
    path = tmp_path / "wf.yaml"
    path.write_text(WORKFLOW.format(patch=patch), encoding="utf-8")
    findings = checking.check(loading.load([path]).main)
    assert list(findings.ignored) == ["spec.podSpecPatch"]
